"""Invitations of people to organizations."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.organizations import Organization
from accounts.models.users import Membership, User
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Invitation(models.Model):
    """A mail to somebody who may join an organization by its link; only a digest of the link's token is kept."""

    id = IdField(prefix="inv")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="invitations")
    email = fields.NameField(rule=names.mail_address, max_length=254)
    name = fields.NameField(rule=names.person_name, max_length=100, blank=True)
    role = models.CharField(max_length=10, choices=Membership.Role)
    locale = models.CharField(max_length=10, default="en")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="invitation_open_once",
                violation_error_message=_("This person has been invited already; send that invitation again."),
            ),
        )

    def __str__(self) -> str:
        return self.email

    @property
    def tenant_path(self) -> str:
        """The place of its organization in the tree."""
        return self.organization.path

    @property
    def status(self) -> str:
        """Where it stands: `open`, `expired`, `accepted` or `revoked`."""
        if self.accepted_at is not None:
            return "accepted"
        if self.revoked_at is not None:
            return "revoked"
        return "open" if self.expires_at > timezone.now() else "expired"
