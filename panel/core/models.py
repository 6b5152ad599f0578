"""Tables of the kernel: audit entries, sealed secrets, idempotency keys. No tenant's business objects."""

from django.db import models

from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class AuditEntry(models.Model):
    """One line of the audit log. It keeps ids and labels, not references: it outlives what it describes."""

    id = IdField(prefix="aud")
    at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=64)
    actor_user_id = models.CharField(max_length=32, blank=True)
    actor_organization_id = models.CharField(max_length=32, blank=True)
    actor_path = models.CharField(max_length=500)
    actor_label = models.CharField(max_length=200)
    impersonator_id = models.CharField(max_length=32, blank=True)
    impersonator_label = models.CharField(max_length=200, blank=True)
    impersonator_path = models.CharField(max_length=500, blank=True)
    via = models.CharField(max_length=16)
    address = models.GenericIPAddressField(null=True)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=200)
    tenant_path = models.CharField(max_length=500, db_index=True)
    changes = models.JSONField(default=dict)

    objects = TenantManager("tenant_path")

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("object_type", "object_id"), name="audit_object"),)
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}"


class Secret(models.Model):
    """A value encrypted by the vault; only `panel.core.vault` opens it."""

    id = IdField(prefix="sec")
    name = models.CharField(max_length=200)
    ciphertext = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class IdempotencyKey(models.Model):
    """What a POST with an `Idempotency-Key` was answered, so that a repetition gets the same; kept for 24 hours."""

    id = IdField(prefix="idk")
    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    content_type = models.CharField(max_length=100, blank=True)
    location = models.CharField(max_length=500, blank=True)
    body = models.BinaryField(default=bytes)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("caller", "key"), name="idempotency_key_once"),)

    def __str__(self) -> str:
        return self.key
