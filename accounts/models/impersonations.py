"""Who acted as somebody else, for whom, why and how long."""

from django.db import models
from django.db.models import F, Q

from accounts.models.organizations import Organization
from accounts.models.users import User
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Impersonation(models.Model):
    """A stretch of time in which `by`, of the seller `by_organization`, acts as `user` in `organization`."""

    id = IdField(prefix="imp")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="impersonations")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    by = models.ForeignKey(User, models.CASCADE, related_name="+")
    by_organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    reason = fields.NameField(rule=names.label, max_length=200)
    address = models.GenericIPAddressField(null=True)
    started_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=~Q(user=F("by")), name="impersonation_of_another"),)

    def __str__(self) -> str:
        return str(self.user)

    @property
    def tenant_path(self) -> str:
        """The place of the impersonated organization in the tree."""
        return self.organization.path
