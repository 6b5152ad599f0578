"""Packages: the limits and features that a reseller sells with a hosting account, and exceptions from them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models.plans import FEATURES, check_features
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager

__all__ = ["FEATURES", "LimitOverride", "Package", "PlanServer"]


def usual_features() -> list[str]:
    """Return the features of a package that says nothing about them: all but logins from other machines."""
    return [name for name in FEATURES if name != "remote_databases"]


def check_php_versions(value: object) -> None:
    """Raise ValidationError unless `value` is a list of PHP versions, each once."""
    if not isinstance(value, list) or len(value) != len({str(item) for item in value}):
        raise ValidationError(_("Give a list of PHP versions, each once."), code="php_versions")
    for item in value:
        fields.validate(names.php_version)(item)


class Package(models.Model):
    """A limit of NULL is unlimited, of 0 is none. Sizes in bytes.

    `COUNTED` limits are counted where things are made. `LATER` and `shell` are kept for what servers can't do yet:
    nothing reads them, and no page offers them.
    """

    COUNTED = (
        "mailboxes",
        "aliases",
        "databases",
        "database_users",
        "subdomains",
        "alias_domains",
        "addon_domains",
        "records",
    )
    PROMISED = ("disk_bytes", "bandwidth_bytes")
    LIMITS = (*PROMISED, *COUNTED)
    LATER = ("mail_per_hour", "sftp_users", "cron_jobs")

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
    mail_per_hour = models.PositiveIntegerField(_("mails per hour"), null=True, blank=True)
    sftp_users = models.PositiveIntegerField(_("SFTP users"), null=True, blank=True)
    cron_jobs = models.PositiveIntegerField(_("cron jobs"), null=True, blank=True)
    shell = models.BooleanField(_("shell"), default=False)
    features = models.JSONField(_("features"), default=usual_features, blank=True, validators=[check_features])
    php_versions = models.JSONField(
        _("PHP versions"),
        default=list,
        blank=True,
        validators=[check_php_versions],
        help_text=_("Those that sites can have; empty: all that the server has."),
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
        """The limits of each account, by resource name."""
        return {name: getattr(self, name) for name in self.LIMITS}


class LimitOverride(models.Model):
    """An exception for one account: this limit holds instead of its package's. NULL is unlimited, 0 none."""

    id = IdField(prefix="ovr")
    hosting = models.ForeignKey("provisioning.HostingAccount", on_delete=models.CASCADE, related_name="overrides")
    resource = models.CharField(max_length=32, choices=[(name, name) for name in Package.LIMITS])
    limit = models.BigIntegerField(_("limit"), null=True, blank=True)
    reason = fields.NameField(rule=names.label, max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("hosting__organization__path")

    class Meta:
        ordering = ["resource"]
        constraints = [
            models.UniqueConstraint(fields=["hosting", "resource"], name="limit_override_once"),
            models.CheckConstraint(
                condition=Q(limit__isnull=True) | Q(limit__gte=0),
                name="limit_override_not_negative",
                violation_error_message=_("A limit can't be negative."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hosting} {self.resource}"

    @property
    def tenant_path(self) -> str:
        return self.hosting.tenant_path


class PlanServer(models.Model):
    """A server that accounts below the resellers of a plan may be on; a plan without any may use all."""

    plan = models.ForeignKey("accounts.ResellerPlan", on_delete=models.CASCADE, related_name="+")
    server = models.ForeignKey("provisioning.Server", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "server"], name="plan_server_once")]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.server_id}"
