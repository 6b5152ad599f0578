"""The tenant tree: provider, resellers, sub-resellers, clients."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager, everything


class Organization(models.Model):
    """A node of the tenant tree; `path` holds the ids from the root down to itself, as in `/org_a/org_b/`.

    `accounts_suspended` says that its suspension took the hosting accounts along, `closed_with` whose closing took it
    along: itself, or an organization above. What a closed organization was suspended by is kept for its reopening.
    `suspended_alone` closes the panel to its own people only, those below go on; `suspended_for` is the id of the row
    that a suspension of the system's is for, empty for a person's. `orders_held_reason` says why there are no new
    accounts in it and below; empty while there may be.
    """

    class Kind(models.TextChoices):
        """What the organization is to the business."""

        PROVIDER = "provider", _("Provider")
        RESELLER = "reseller", _("Reseller")
        CLIENT = "client", _("Client")

    class Status(models.TextChoices):
        """Whether its people can work; what is closed can be opened again by whoever closed it, or from above."""

        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        CLOSED = "closed", _("Closed")

    id = IdField(prefix="org")
    kind = models.CharField(max_length=10, choices=Kind)
    name = fields.NameField(rule=names.label, max_length=100)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=500, unique=True, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    suspended_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    suspended_reason = fields.NameField(rule=names.label, max_length=200, blank=True)
    accounts_suspended = models.BooleanField(default=False)
    suspended_alone = models.BooleanField(default=False)
    suspended_for = models.CharField(max_length=32, blank=True)
    orders_held_reason = fields.NameField(rule=names.label, max_length=200, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    closed_with = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    plan = models.ForeignKey(
        "accounts.ResellerPlan", models.PROTECT, null=True, blank=True, related_name="resellers", verbose_name=_("plan")
    )
    resellers_allowed = models.BooleanField(default=False)
    mail_vouched = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("path")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="provider", parent__isnull=True) | (~Q(kind="provider") & Q(parent__isnull=False)),
                name="organization_only_provider_is_root",
                violation_error_message=_("Only the provider has no parent."),
            ),
            models.UniqueConstraint(
                fields=("kind",),
                condition=Q(kind="provider"),
                name="organization_one_provider",
                violation_error_message=_("This installation has a provider already."),
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(suspended_by__isnull=True, accounts_suspended=False),
                name="organization_active_unsuspended",
            ),
            models.CheckConstraint(
                condition=Q(kind="reseller") | Q(resellers_allowed=False),
                name="organization_only_resellers_have_resellers",
                violation_error_message=_("Only a reseller can be allowed to have resellers."),
            ),
            models.CheckConstraint(
                condition=Q(kind="reseller") | Q(plan__isnull=True),
                name="organization_only_resellers_have_plans",
                violation_error_message=_("Only a reseller has a plan."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        """Its place in the tree, for scope and policy."""
        return self.path

    @property
    def lineage(self) -> list[str]:
        """The ids from the root to itself."""
        return self.path.strip("/").split("/")

    def ancestors(self) -> list["Organization"]:
        """Return the organizations from the root to itself, one query, whatever the tenant scope."""
        with everything("an organization's ancestors"):
            found = {row.id: row for row in Organization.objects.filter(id__in=self.lineage)}
        return [found[key] for key in self.lineage]
