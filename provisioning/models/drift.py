"""What servers were found to have that nobody asked for: checks, their findings, and exceptions that people decided."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from panel.core.ids import IdField


class DriftCheck(models.Model):
    """One comparison of a server with what was last made so; `ms` is how long it took in milliseconds.

    `found` counts the findings that were open when it ended, `next_at` is when the schedule asks again.
    """

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        CLEAN = "clean", _("No drift")
        DRIFTED = "drifted", _("Drift found")
        FAILED = "failed", _("Failed")

    id = IdField(prefix="dck")
    server = models.ForeignKey("provisioning.Server", on_delete=models.CASCADE, related_name="drift_checks")
    operation = models.ForeignKey(
        "provisioning.Operation",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who asked for it; empty: the schedule.",
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.RUNNING)
    reason = models.TextField(blank=True)
    detail = models.TextField(blank=True)
    checked = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    truncated = models.BooleanField(default=False, help_text="There was more than a report takes.")
    ms = models.FloatField(null=True, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["server"], condition=Q(status="running"), name="drift_check_one_at_a_time"),
            models.CheckConstraint(
                condition=Q(status="running") | Q(finished_at__isnull=False), name="drift_check_ended_at"
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def tenant_path(self) -> str:
        return self.server.organization.path


class DriftItem(models.Model):
    """One difference that a check found; its history stays when it is closed.

    `key` is a resource key, or `slice:<name>` where server and panel do not even agree on what was made so. `digest` is
    of what was found, so that whoever decides on it decides on what they saw. No finding holds a secret.
    """

    class Kind(models.TextChoices):
        MISSING = "missing", _("Missing")
        CHANGED = "changed", _("Changed")
        MODE = "mode", _("Owner or mode")
        EXTRA = "extra", _("Not ours")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        RESTORED = "restored", _("Restored")
        ADOPTED = "adopted", _("Adopted")
        PINNED = "pinned", _("Exception")
        GONE = "gone", _("Gone by itself")

    id = IdField(prefix="drf")
    server = models.ForeignKey("provisioning.Server", on_delete=models.CASCADE, related_name="drift_items")
    slice = models.ForeignKey(
        "provisioning.Slice", null=True, blank=True, on_delete=models.CASCADE, related_name="drift_items"
    )
    key = models.CharField(max_length=1000)
    kind = models.CharField(max_length=8, choices=Kind)
    service = models.CharField(max_length=60, blank=True)
    diff = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    actual = models.JSONField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=254, blank=True)
    operation = models.ForeignKey(
        "provisioning.Operation",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="drift_items",
        help_text="What restores or adopts it.",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["server", "key"], condition=Q(state="open"), name="drift_item_open_once"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True) | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="drift_item_closed_at",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def tenant_path(self) -> str:
        return self.server.organization.path

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class Pin(models.Model):
    """An exception that a person decided: what was found at `key`, known by its `digest`, is left as it is.

    It holds no configuration text: the worker sends the key only, and the server leaves that alone.
    """

    id = IdField(prefix="pin")
    slice = models.ForeignKey("provisioning.Slice", on_delete=models.CASCADE, related_name="pins")
    key = models.CharField(max_length=1000)
    digest = models.CharField(max_length=64)
    note = models.CharField(max_length=500, blank=True)
    actor_id = models.CharField(max_length=32, blank=True)
    actor_label = models.CharField(max_length=254, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["slice", "key"], name="pin_once")]

    def __str__(self) -> str:
        return self.key

    @property
    def tenant_path(self) -> str:
        return self.slice.server.organization.path
