"""Domains that accounts hold, and the sites and names served under them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Domain(models.Model):
    """A domain that an account holds, stored as A-label; sites, zones and mail stand on it."""

    class Kind(models.TextChoices):
        PRIMARY = "primary", _("Primary domain")
        ADDON = "addon", _("Addon domain")
        ALIAS = "alias", _("Alias domain")

    id = IdField(prefix="dom")
    hosting = models.ForeignKey("provisioning.HostingAccount", on_delete=models.CASCADE, related_name="domains")
    name = models.CharField(
        max_length=253,
        unique=True,
        validators=[fields.validate(names.hostname)],
        error_messages={"unique": _("This domain is already in use here.")},
    )
    kind = models.CharField(max_length=8, choices=Kind)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("hosting__organization__path")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        return self.hosting.tenant_path


class Site(models.Model):
    """A name-based virtual host."""

    id = IdField(prefix="sit")
    hosting = models.ForeignKey("provisioning.HostingAccount", on_delete=models.CASCADE, related_name="sites")
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="sites")
    docroot = models.CharField(max_length=200, default="public_html", validators=[fields.validate(names.relative_path)])
    php_version = models.CharField(max_length=4, validators=[fields.validate(names.php_version)])
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("hosting__organization__path")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.domain.name

    @property
    def tenant_path(self) -> str:
        return self.hosting.tenant_path


class SiteName(models.Model):
    """A host name that a site answers to: its own, `www`, or an alias. One table, so that no name is served twice."""

    class Kind(models.TextChoices):
        PRIMARY = "primary", _("Main name")
        WWW = "www", _("With www")
        ALIAS = "alias", _("Alias")

    id = IdField(prefix="snm")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="names")
    hostname = models.CharField(max_length=253, validators=[fields.validate(names.hostname)])
    kind = models.CharField(max_length=8, choices=Kind)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="site_names")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("site__hosting__organization__path")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["hostname"],
                name="site_name_once",
                violation_error_message=_("This host name is already served here."),
            ),
            models.UniqueConstraint(fields=["site"], condition=Q(kind="primary"), name="site_one_primary_name"),
        ]

    def __str__(self) -> str:
        return self.hostname

    @property
    def tenant_path(self) -> str:
        return self.site.tenant_path
