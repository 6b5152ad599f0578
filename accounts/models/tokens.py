"""API tokens."""

from django.db import models
from django.utils import timezone

from accounts.models.organizations import Organization
from accounts.models.users import User
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class ApiToken(models.Model):
    """Access for a program, in the name of a user in an organization; only a digest of its text is kept."""

    id = IdField(prefix="tok")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="tokens")
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = fields.NameField(rule=names.label, max_length=100)
    prefix = models.CharField(max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        """The place of its organization in the tree."""
        return self.organization.path

    @property
    def usable(self) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())
