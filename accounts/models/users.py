"""People, and what they are in organizations."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models.organizations import Organization
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class UserManager(BaseUserManager["User"]):
    """Looks people up; outside any tenant scope, because signing in comes before it. Lists go through memberships."""


class User(AbstractBaseUser):
    """A person who signs in; known within one brand root, so the same address may exist at another brand."""

    id = IdField(prefix="usr")
    brand_root = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    email = fields.NameField(rule=names.mail_address, max_length=254)
    name = fields.NameField(rule=names.person_name, max_length=100)
    locale = models.CharField(max_length=10, default="en")
    timezone = models.CharField(max_length=64, default="UTC")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    password_changed_at = models.DateTimeField(null=True, blank=True)
    reset_serial = models.PositiveIntegerField(default=0, editable=False)  # of the only reset link that works

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                "brand_root",
                Lower("email"),
                name="user_email_once_per_brand",
                violation_error_message=_("Somebody with this address is registered already."),
            ),
        )

    def __str__(self) -> str:
        return self.email


class Membership(models.Model):
    """What a user is in an organization."""

    class Role(models.TextChoices):
        """From everything down to looking only."""

        OWNER = "owner", _("Owner")
        ADMIN = "admin", _("Administrator")
        TECHNICIAN = "technician", _("Technician")
        BILLING = "billing", _("Billing")
        READONLY = "readonly", _("Read-only")

    id = IdField(prefix="mem")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "organization"),
                name="membership_once",
                violation_error_message=_("This person is a member already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    @property
    def tenant_path(self) -> str:
        """The place of its organization in the tree."""
        return self.organization.path
