"""The queue and the fencing of reconciliation: intents, slices, leases, tombstones, moves."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from panel.core.ids import IdField


class Slice(models.Model):
    """The part of one server's desired state that belongs to one account; without an account, the server's own.

    `generation` is what was last given out, `applied` what the server last reported, `manifest` the hashes that it
    then held.
    """

    id = IdField(prefix="slc")
    server = models.ForeignKey("provisioning.Server", on_delete=models.CASCADE, related_name="slices")
    hosting = models.ForeignKey(
        "provisioning.HostingAccount", null=True, blank=True, on_delete=models.PROTECT, related_name="slices"
    )
    generation = models.BigIntegerField(default=0)
    applied = models.BigIntegerField(default=0)
    manifest = models.JSONField(default=dict)
    rejected_reason = models.TextField(blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["server", "hosting"], name="slice_once"),
            models.UniqueConstraint(fields=["server"], condition=Q(hosting__isnull=True), name="slice_one_base"),
            models.CheckConstraint(condition=Q(applied__lte=models.F("generation")), name="slice_applied_was_given"),
        ]

    def __str__(self) -> str:
        return f"{self.server_id} {self.name}"

    @property
    def name(self) -> str:
        """The slice's name on the wire."""
        return self.hosting_id or "server"


class Intent(models.Model):
    """Insert-only: this slice has to be looked at. Deleted by id once a run that read it has been recorded."""

    id = IdField(prefix="int")
    slice = models.ForeignKey(Slice, on_delete=models.CASCADE, related_name="intents")
    operation = models.ForeignKey("provisioning.Operation", on_delete=models.RESTRICT, related_name="intents")
    verify = models.BooleanField(default=False)
    confirmed = models.BooleanField(default=False, help_text="A person confirmed what is removed.")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="Not to be looked at before; empty: at once.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.id


class Lease(models.Model):
    """One worker per server at a time, by the database's clock; `epoch` grows with every taking and is checked on
    the server.
    """

    server = models.OneToOneField(
        "provisioning.Server", primary_key=True, on_delete=models.CASCADE, related_name="lease"
    )
    owner = models.CharField(max_length=64, blank=True)
    epoch = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.server_id} {self.epoch}"


class Tombstone(models.Model):
    """Leave to destroy data (a home, a database) on a server, from a deadline on; until then it can be taken back."""

    id = IdField(prefix="tmb")
    slice = models.ForeignKey(Slice, on_delete=models.CASCADE, related_name="tombstones")
    key = models.CharField(max_length=300)
    due_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["slice", "key"], condition=Q(destroyed_at__isnull=True), name="tombstone_once"
            )
        ]

    def __str__(self) -> str:
        return self.key


class Move(models.Model):
    """Data that has another name now: sent to the server until it has applied the slice. Kept as history: a user name
    that somebody had rests.
    """

    id = IdField(prefix="mov")
    slice = models.ForeignKey(Slice, on_delete=models.CASCADE, related_name="moves")
    from_key = models.CharField(max_length=300)
    to_key = models.CharField(max_length=300)
    applied_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(from_key=models.F("to_key")), name="move_goes_somewhere")]
        indexes = [models.Index(fields=["from_key"], name="move_from")]

    def __str__(self) -> str:
        return f"{self.from_key} → {self.to_key}"
