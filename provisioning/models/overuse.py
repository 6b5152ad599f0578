"""Resellers that really use more than their plan has: noted while it lasts, by the task that measures it."""

from __future__ import annotations

from django.db import models

from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Overuse(models.Model):
    """A resource of which a reseller, with everything below it, uses more than its plan has. Sizes in bytes.

    `has_suspended` says that the plan's policy suspended the reseller for it, and lifts that when it is over.
    """

    id = IdField(prefix="ovu")
    organization = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE, related_name="+")
    resource = models.CharField(max_length=32)
    used = models.BigIntegerField()
    limit = models.BigIntegerField()
    has_suspended = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ["resource"]
        constraints = [models.UniqueConstraint(fields=["organization", "resource"], name="overuse_once")]

    def __str__(self) -> str:
        return f"{self.organization} {self.resource}"

    @property
    def tenant_path(self) -> str:
        return self.organization.path
