"""Hosting accounts, and which server carries which of their services."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class HostingAccount(models.Model):
    """The sub-account: one Unix user, one primary domain, one package, one owner.

    `suspended_with` and `terminated_with` name the organization whose suspension or closing took it along, and brings
    it back.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        TERMINATED = "terminated", _("Terminated")

    id = IdField(prefix="acc")
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="hosting_accounts", verbose_name=_("client")
    )
    package = models.ForeignKey("provisioning.Package", on_delete=models.PROTECT, related_name="hosting_accounts")
    username = models.CharField(max_length=16, validators=[fields.validate(names.username)])
    uid = models.PositiveIntegerField(unique=True)
    domain = models.CharField(_("primary domain"), max_length=253, validators=[fields.validate(names.hostname)])
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    suspended_by = models.ForeignKey(
        "accounts.Organization", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    suspended_with = models.ForeignKey(
        "accounts.Organization", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    suspended_reason = models.CharField(max_length=200, blank=True, validators=[fields.validate(names.label)])
    skeleton = models.ForeignKey(
        "accounts.Skeleton", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    terminated_at = models.DateTimeField(null=True, blank=True)
    terminated_by = models.ForeignKey(
        "accounts.Organization", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    terminated_with = models.ForeignKey(
        "accounts.Organization", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["domain"], name="account_by_domain")]
        constraints = [
            models.UniqueConstraint(
                fields=["username"],
                condition=~Q(status="terminated"),
                name="account_username_live",
                violation_error_message=_("This user name is taken."),
            ),
            models.CheckConstraint(
                condition=Q(status="suspended", suspended_by__isnull=False)
                | Q(status="active", suspended_by__isnull=True)
                | Q(status="terminated"),
                name="account_suspended_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(status="terminated", terminated_at__isnull=False)
                | (~Q(status="terminated") & Q(terminated_at__isnull=True)),
                name="account_terminated_at",
            ),
        ]

    def __str__(self) -> str:
        return self.domain

    @property
    def tenant_path(self) -> str:
        return self.organization.path

    @property
    def home(self) -> str:
        return f"/home/{self.username}"


class Placement(models.Model):
    """Which server carries one service of an account; a zone may be carried by several DNS servers."""

    class Service(models.TextChoices):
        WEB = "web", _("Web")
        DATABASE = "database", _("Databases")
        MAIL = "mail", _("Mail")
        DNS = "dns", _("DNS")

    id = IdField(prefix="plc")
    hosting = models.ForeignKey(HostingAccount, on_delete=models.CASCADE, related_name="placements")
    service = models.CharField(max_length=8, choices=Service)
    server = models.ForeignKey("provisioning.Server", on_delete=models.PROTECT, related_name="placements")

    objects = TenantManager("hosting__organization__path")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hosting", "service", "server"], name="placement_once"),
            models.UniqueConstraint(
                fields=["hosting", "service"], condition=~Q(service="dns"), name="placement_one_server_per_service"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hosting_id} {self.service}"


class Counter(models.Model):
    """A row to lock: it gives out numbers that are never given twice (uids), or stands for a name while it is
    claimed.
    """

    name = models.CharField(max_length=270, primary_key=True)
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name
