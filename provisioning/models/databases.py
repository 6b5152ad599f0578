"""MariaDB databases and their users. No password is stored: only the server's own hash of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Database(models.Model):
    id = IdField(prefix="dbs")
    hosting = models.ForeignKey("provisioning.HostingAccount", on_delete=models.CASCADE, related_name="databases")
    name = models.CharField(
        max_length=64,
        unique=True,
        validators=[fields.validate(names.database_name)],
        error_messages={"unique": _("This database name is taken.")},
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("hosting__organization__path")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        return self.hosting.tenant_path


class DatabaseUser(models.Model):
    """`host` is where the user may sign in from: the server itself, or anywhere when the package allows it."""

    class Host(models.TextChoices):
        LOCAL = "localhost", _("The web site only")
        ANY = "%", _("Anywhere")

    id = IdField(prefix="dbu")
    hosting = models.ForeignKey("provisioning.HostingAccount", on_delete=models.CASCADE, related_name="database_users")
    name = models.CharField(
        max_length=32,
        unique=True,
        validators=[fields.validate(names.database_name)],
        error_messages={"unique": _("This user name is taken.")},
    )
    host = models.CharField(max_length=9, choices=Host, default=Host.LOCAL)
    password_hash = models.CharField(max_length=41)
    databases = models.ManyToManyField(Database, related_name="users", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("hosting__organization__path")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        return self.hosting.tenant_path
