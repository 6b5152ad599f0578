"""DNS zones and the records that people added; default records are computed (provisioning.spec.zone_defaults)."""

from __future__ import annotations

import hashlib
import json

from django.db import models
from django.utils.translation import gettext_lazy as _

from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Zone(models.Model):
    """A primary zone of an account. `serial` is the highest SOA serial that a server reported; it never goes back."""

    id = IdField(prefix="zon")
    hosting = models.ForeignKey("provisioning.HostingAccount", on_delete=models.CASCADE, related_name="zones")
    domain = models.OneToOneField("provisioning.Domain", on_delete=models.CASCADE, related_name="zone")
    name = models.CharField(max_length=253, unique=True, validators=[fields.validate(names.hostname)])
    serial = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("hosting__organization__path")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        return self.hosting.tenant_path


class Record(models.Model):
    """A resource record in presentation format; `name` is relative to the zone, `@` its apex."""

    class Type(models.TextChoices):
        A = "A"
        AAAA = "AAAA"
        CAA = "CAA"
        CNAME = "CNAME"
        MX = "MX"
        NS = "NS"
        SRV = "SRV"
        TXT = "TXT"
        TLSA = "TLSA"
        SSHFP = "SSHFP"
        DS = "DS"

    id = IdField(prefix="rec")
    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="records")
    name = models.CharField(max_length=253)
    type = models.CharField(max_length=6, choices=Type)
    content = models.TextField()
    ttl = models.PositiveIntegerField(default=3600, validators=[fields.validate(names.ttl)])
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("zone__hosting__organization__path")

    class Meta:
        ordering = ["zone", "name", "type", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["zone", "name", "type", "content"],
                name="record_once",
                violation_error_message=_("The zone already has this record."),
            ),
            models.UniqueConstraint(
                fields=["zone", "name"],
                condition=models.Q(type="CNAME"),
                name="record_one_cname_per_name",
                violation_error_message=_("A name can have one CNAME record only."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.type}"

    @property
    def tenant_path(self) -> str:
        return self.zone.tenant_path

    @property
    def version(self) -> str:
        """Digest of what people can change, by which two editors of one record notice each other."""
        values = json.dumps([self.name, self.type, self.ttl, self.content])
        return hashlib.sha256(values.encode()).hexdigest()[:32]
