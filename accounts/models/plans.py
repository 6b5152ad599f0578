"""Reseller plans: the limits that a provider sells to a reseller, or a reseller to its own resellers."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager

FEATURES = ("site_aliases", "dns", "databases", "remote_databases", "mail")
"""What accounts can be given or not, beside numbers; packages choose among those of their seller's plan."""


def check_features(value: object) -> None:
    """Raise ValidationError unless `value` is a list of known features, each once."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValidationError(_("Give a list of features."), code="features")
    unknown = sorted(set(value) - set(FEATURES))
    if unknown or len(set(value)) < len(value):
        raise ValidationError(
            _("Choose each at most once among %(known)s."), code="features", params={"known": ", ".join(FEATURES)}
        )


def all_features() -> list[str]:
    """Return every feature: what a plan has unless it says otherwise."""
    return list(FEATURES)


class ResellerPlan(models.Model):
    """Limits of a reseller across all accounts below it. NULL is unlimited, 0 none; sizes in bytes.

    Without overselling, what packages promise counts against disk space and bandwidth; with it, what is really used.
    """

    class Overuse(models.TextChoices):
        """What happens when the measured use goes over the plan."""

        BLOCK = "block", _("Refuse new accounts")
        NOTIFY = "notify", _("Notify only")
        SUSPEND = "suspend", _("Suspend the reseller with its accounts")

    TOTALS = (
        "accounts",
        "disk_bytes",
        "bandwidth_bytes",
        "mailboxes",
        "aliases",
        "databases",
        "database_users",
        "subdomains",
        "alias_domains",
        "records",
    )
    MOST = ("disk_bytes", "bandwidth_bytes", "mailboxes", "databases")
    """What a single account may be promised at most: columns `account_…`."""

    id = IdField(prefix="rpl")
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="reseller_plans", verbose_name=_("seller")
    )
    name = fields.NameField(rule=names.label, max_length=80)
    accounts = models.PositiveIntegerField(_("accounts"), null=True, blank=True)
    accounts_per_package = models.PositiveIntegerField(_("accounts per package"), null=True, blank=True)
    disk_bytes = models.PositiveBigIntegerField(_("disk space"), null=True, blank=True)
    bandwidth_bytes = models.PositiveBigIntegerField(_("bandwidth per month"), null=True, blank=True)
    mailboxes = models.PositiveIntegerField(_("mailboxes"), null=True, blank=True)
    aliases = models.PositiveIntegerField(_("mail aliases"), null=True, blank=True)
    databases = models.PositiveIntegerField(_("databases"), null=True, blank=True)
    database_users = models.PositiveIntegerField(_("database users"), null=True, blank=True)
    subdomains = models.PositiveIntegerField(_("subdomains"), null=True, blank=True)
    alias_domains = models.PositiveIntegerField(_("alias domains"), null=True, blank=True)
    records = models.PositiveIntegerField(_("DNS records"), null=True, blank=True)
    account_disk_bytes = models.PositiveBigIntegerField(_("disk space of one account"), null=True, blank=True)
    account_bandwidth_bytes = models.PositiveBigIntegerField(_("bandwidth of one account"), null=True, blank=True)
    account_mailboxes = models.PositiveIntegerField(_("mailboxes of one account"), null=True, blank=True)
    account_databases = models.PositiveIntegerField(_("databases of one account"), null=True, blank=True)
    oversell_disk = models.BooleanField(_("oversell disk space"), default=False)
    oversell_bandwidth = models.BooleanField(_("oversell bandwidth"), default=False)
    overuse = models.CharField(_("when over"), max_length=8, choices=Overuse, default=Overuse.BLOCK)
    features = models.JSONField(_("features"), default=all_features, blank=True, validators=[check_features])
    private_nameservers = models.BooleanField(_("name servers of its own"), default=True)
    resellers_allowed = models.BooleanField(_("resellers of its own"), default=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                condition=Q(archived_at__isnull=True),
                name="reseller_plan_name_live",
                violation_error_message=_("You already have a plan of this name."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree, for scope and policy."""
        return self.organization.path

    @property
    def oversold(self) -> frozenset[str]:
        """The resources of which the measured use counts, not what is promised."""
        chosen = {"disk_bytes": self.oversell_disk, "bandwidth_bytes": self.oversell_bandwidth}
        return frozenset(name for name, oversold in chosen.items() if oversold)

    @property
    def counted(self) -> dict[str, int | None]:
        """The limits of a reseller's counters, by resource; what is oversold has none."""
        return {name: None if name in self.oversold else getattr(self, name) for name in self.TOTALS}

    @property
    def most(self) -> dict[str, int | None]:
        """What one account may be promised at most, by resource."""
        return {name: getattr(self, f"account_{name}") for name in self.MOST}
