"""Operations that people and programs asked for, the runs that carried them out, and previews."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Operation(models.Model):
    """What was asked for, by whom, and how it ended. It is complete when all its targets are."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Queued")
        RUNNING = "running", _("Running")
        WAITING = "waiting", _("Waiting")
        APPLIED = "applied", _("Done")
        REJECTED = "rejected", _("Rejected")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (Status.PENDING, Status.RUNNING, Status.WAITING)

    id = IdField(prefix="opr")
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="operations")
    verb = models.CharField(max_length=60)
    subject = models.CharField(max_length=253)
    hosting = models.ForeignKey(
        "provisioning.HostingAccount", null=True, blank=True, on_delete=models.PROTECT, related_name="operations"
    )
    server = models.ForeignKey(
        "provisioning.Server", null=True, blank=True, on_delete=models.CASCADE, related_name="operations"
    )
    actor_id = models.CharField(max_length=32, blank=True)
    actor_label = models.CharField(max_length=254, blank=True)
    actor_path = models.CharField(max_length=500, blank=True)
    batch = models.CharField(max_length=32, blank=True, help_text="Common to what was asked for at once.")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    reason = models.TextField(blank=True)
    detail = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["batch"], condition=~Q(batch=""), name="operation_batch")]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"

    @property
    def tenant_path(self) -> str:
        return self.organization.path

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class Run(models.Model):
    """One round trip to one server."""

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        APPLIED = "applied", _("Done")
        PARTIAL = "partial", _("Partly done")
        REJECTED = "rejected", _("Rejected")
        HELD = "held", _("Held")
        FAILED = "failed", _("Failed")

    id = IdField(prefix="run")
    server = models.ForeignKey("provisioning.Server", on_delete=models.CASCADE, related_name="runs")
    operation = models.ForeignKey(
        Operation,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="runs",
        help_text="The one it serves, if it is alone.",
    )
    epoch = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    reason = models.TextField(blank=True)
    slices = models.PositiveIntegerField(default=0)
    changes = models.PositiveIntegerField(default=0)
    reloads = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.id


class RunStep(models.Model):
    """A step of a run, in order; `ms` is its duration in milliseconds."""

    class Status(models.TextChoices):
        STARTED = "started", _("Running")
        OK = "ok", _("Done")
        FAILED = "failed", _("Failed")

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=8, choices=Status)
    ms = models.FloatField(null=True, blank=True)
    detail = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["run", "position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="run_step_position")]

    def __str__(self) -> str:
        return self.name


class OperationTarget(models.Model):
    """One slice that an operation has to reach."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Queued")
        WAITING = "waiting", _("Waiting")
        APPLIED = "applied", _("Done")
        REJECTED = "rejected", _("Rejected")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (Status.PENDING, Status.WAITING)

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="targets")
    slice = models.ForeignKey("provisioning.Slice", on_delete=models.CASCADE, related_name="targets")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    reason = models.TextField(blank=True)
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="targets")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["operation", "slice"], name="operation_target_once")]

    def __str__(self) -> str:
        return f"{self.operation_id} {self.slice_id}"


class OperationEvent(models.Model):
    """Something that happened to an operation, in order: the log that people read. Insert-only."""

    class Kind(models.TextChoices):
        QUEUED = "queued", _("Queued")
        TAKEN = "taken", _("Taken up by a worker")
        WAITING = "waiting", _("Waiting")
        RETRIED = "retried", _("To be tried again")
        CONFIRMED = "confirmed", _("Confirmed")
        STOPPED = "stopped", _("Not waited for any more")
        APPLIED = "applied", _("Done")
        REJECTED = "rejected", _("Rejected")
        CANCELLED = "cancelled", _("Cancelled")

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=9, choices=Kind)
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="events")
    actor_label = models.CharField(max_length=254, blank=True)
    actor_path = models.CharField(max_length=500, blank=True)
    reason = models.TextField(blank=True)
    detail = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["operation", "id"]

    def __str__(self) -> str:
        return f"{self.operation_id} {self.kind}"


class Preview(models.Model):
    """A change as it would be: the service's own arguments, and the plan that the servers answered with."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Being worked out")
        READY = "ready", _("Ready")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")
        OUTDATED = "outdated", _("Outdated")

    id = IdField(prefix="prv")
    organization = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE, related_name="previews")
    actor = models.JSONField()
    verb = models.CharField(max_length=60)
    arguments = models.JSONField()
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    result = models.JSONField(default=dict)
    origin = models.CharField(max_length=500, blank=True, help_text="The page that it was asked for on.")
    basis = models.CharField(max_length=64, blank=True, help_text="Digest of what it was worked out from.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.verb} {self.id}"

    @property
    def tenant_path(self) -> str:
        return self.organization.path
