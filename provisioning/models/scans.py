"""Scans of brands: what a stranger could read, step by step, and whose names were in it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class BrandScan(models.Model):
    """One look at a brand as a stranger sees it.

    `steps` are `{name, status, ms, readings, findings, detail}` in their order, `findings` those of
    provisioning.leaks.readings as plain values, `skipped` names that are too common to be looked for; `leaks` counts
    all findings, also those that were too many to be kept.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting")
        RUNNING = "running", _("Looking")
        CLEAN = "clean", _("Clean")
        LEAKS = "leaks", _("Names found")
        FAILED = "failed", _("Not finished")

    id = IdField(prefix="scn")
    organization = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE, related_name="brand_scans")
    host = models.CharField(max_length=253)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    steps = models.JSONField(default=list)
    findings = models.JSONField(default=list)
    skipped = models.JSONField(default=list)
    readings = models.PositiveIntegerField(default=0)
    leaks = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(status__in=("pending", "running")),
                name="brand_scan_one_at_a_time",
                violation_error_message=_("This brand is being looked at already."),
            )
        ]

    def __str__(self) -> str:
        return self.host

    @property
    def tenant_path(self) -> str:
        return self.organization.path

    @property
    def is_open(self) -> bool:
        return self.status in (self.Status.PENDING, self.Status.RUNNING)
