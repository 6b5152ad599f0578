"""Rebuilds: a server that takes the place of a dead one. What they ordered stays as a record of what was lost."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from panel.core.ids import IdField


class Rebuild(models.Model):
    """`new` takes the place of `old`: from `switched_at` on, all that `old` carried is ordered from `new`.

    `mapping` is what a person said of addresses (old → new); `lost` lists by account what only a backup brings back,
    `notes` what else a person should look at.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for the server's set-up")
        SWITCHED = "switched", _("Switched over")
        FAILED = "failed", _("Failed before the switch")

    id = IdField(prefix="rbd")
    old = models.ForeignKey("provisioning.Server", on_delete=models.CASCADE, related_name="replacements")
    new = models.ForeignKey("provisioning.Server", on_delete=models.CASCADE, related_name="rebuilds")
    operation = models.OneToOneField("provisioning.Operation", on_delete=models.CASCADE, related_name="rebuild")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    mapping = models.JSONField(default=dict)
    accounts = models.PositiveIntegerField(default=0)
    records = models.PositiveIntegerField(default=0)
    lost = models.JSONField(default=list)
    notes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    switched_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["old"],
                condition=~Q(state="failed"),
                name="rebuild_one_of_a_server",
                violation_error_message=_("Another server is taking this server's place already."),
            ),
            models.UniqueConstraint(
                fields=["new"],
                condition=Q(state="waiting"),
                name="rebuild_one_at_a_time",
                violation_error_message=_("This server is about to take another server's place already."),
            ),
            models.CheckConstraint(condition=~Q(old=F("new")), name="rebuild_two_servers"),
            models.CheckConstraint(
                condition=Q(state="switched", switched_at__isnull=False)
                | (~Q(state="switched") & Q(switched_at__isnull=True)),
                name="rebuild_switched_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"

    @property
    def tenant_path(self) -> str:
        return self.new.tenant_path
