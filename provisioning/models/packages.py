"""Packages: the limits and features that a reseller sells with a hosting account."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Package(models.Model):
    """A limit of NULL is unlimited, of 0 is none. Sizes in bytes."""

    LIMITS = (
        "mailboxes",
        "aliases",
        "databases",
        "database_users",
        "subdomains",
        "alias_domains",
        "addon_domains",
        "records",
    )

    id = IdField(prefix="pkg")
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="packages")
    name = models.CharField(max_length=80, validators=[fields.validate(names.label)])
    disk_bytes = models.BigIntegerField(_("disk space"), null=True, blank=True)
    bandwidth_bytes = models.BigIntegerField(_("bandwidth per month"), null=True, blank=True)
    mailboxes = models.PositiveIntegerField(_("mailboxes"), null=True, blank=True)
    aliases = models.PositiveIntegerField(_("mail aliases"), null=True, blank=True)
    databases = models.PositiveIntegerField(_("databases"), null=True, blank=True)
    database_users = models.PositiveIntegerField(_("database users"), null=True, blank=True)
    subdomains = models.PositiveIntegerField(_("subdomains"), null=True, blank=True)
    alias_domains = models.PositiveIntegerField(_("alias domains"), null=True, blank=True)
    addon_domains = models.PositiveIntegerField(_("addon domains"), null=True, blank=True)
    records = models.PositiveIntegerField(_("DNS records"), null=True, blank=True, default=500)
    remote_databases = models.BooleanField(
        _("remote database logins"),
        default=False,
        help_text=_("Database users may sign in from other machines, not only from the web site."),
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                condition=Q(archived_at__isnull=True),
                name="package_name_live",
                violation_error_message=_("You already have a package of this name."),
            ),
            models.CheckConstraint(
                condition=Q(disk_bytes__isnull=True) | Q(disk_bytes__gte=0),
                name="package_disk_not_negative",
                violation_error_message=_("Disk space can't be negative."),
            ),
            models.CheckConstraint(
                condition=Q(bandwidth_bytes__isnull=True) | Q(bandwidth_bytes__gte=0),
                name="package_bandwidth_not_negative",
                violation_error_message=_("Bandwidth can't be negative."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        return self.organization.path

    @property
    def limits(self) -> dict[str, int | None]:
        """The limits that are counted for each account, by resource name."""
        return {name: getattr(self, name) for name in self.LIMITS}
