"""What the public DNS was last seen to say of a brand's name servers."""

from __future__ import annotations

from django.db import models

from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class NameServerCheck(models.Model):
    """The newest look at a brand's name servers; `findings` are those of provisioning.nameserver_look, plain."""

    id = IdField(prefix="nsc")
    brand = models.OneToOneField("accounts.Brand", on_delete=models.CASCADE, related_name="nameserver_check")
    findings = models.JSONField(default=list)
    complete = models.BooleanField(default=False)
    checked_at = models.DateTimeField()

    objects = TenantManager("brand__organization__path")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.brand)

    @property
    def tenant_path(self) -> str:
        return self.brand.organization.path
