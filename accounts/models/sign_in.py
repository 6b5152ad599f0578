"""What signing in leaves behind: sessions, browsers, policies, and changes of address that wait for confirmation."""

from datetime import datetime, timedelta

from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.organizations import Organization
from accounts.models.users import User
from panel.core import fields, ids, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager

ADDRESS_CHANGE_LIVES = timedelta(hours=24)
SHORTEST_SESSION, LONGEST_SESSION = 15, 12 * 60


def session_handle() -> str:
    """Return a name by which people and programs may speak of a session without knowing its key."""
    return ids.new("ses")


class Session(AbstractBaseSession):
    """A browser's session; once somebody has signed in, it says who, from where, and when it was last used."""

    handle = models.CharField(max_length=32, unique=True, default=session_handle, editable=False)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="sessions")
    address = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-handle",)

    def __str__(self) -> str:
        return self.handle


class Device(models.Model):
    """A browser in which a person signed in once; `remembered_until` while it needs no second factor.

    `setup` is a fingerprint of the person's password and second factors then: it counts no more once they change.
    """

    id = IdField(prefix="dev")
    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    digest = models.CharField(max_length=64, editable=False)
    agent = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    setup = models.CharField(max_length=64, blank=True, editable=False)
    remembered_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("user", "digest"), name="device_once"),)

    def __str__(self) -> str:
        return self.id

    @property
    def is_remembered(self) -> bool:
        """Whether it is within the time for which it was remembered."""
        return self.remembered_until is not None and self.remembered_until > timezone.now()


class SignInPolicy(models.Model):
    """What an organization demands of those who sign in: its own people, and those of everything below it."""

    class SecondFactor(models.TextChoices):
        """Who needs a second factor."""

        NOBODY = "nobody", _("Nobody")
        TEAM = "team", _("Our own team")
        EVERYONE = "everyone", _("Our own team and everybody below us")

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True, related_name="sign_in_policy")
    second_factor = models.CharField(max_length=10, choices=SecondFactor, default=SecondFactor.NOBODY)
    session_minutes = models.PositiveIntegerField(
        default=LONGEST_SESSION, validators=[MinValueValidator(SHORTEST_SESSION), MaxValueValidator(LONGEST_SESSION)]
    )
    remember_devices = models.BooleanField(default=True)

    objects = TenantManager("organization__path")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(session_minutes__gte=SHORTEST_SESSION, session_minutes__lte=LONGEST_SESSION),
                name="sign_in_policy_session_minutes",
                violation_error_message=_("A session lasts from 15 minutes to 12 hours."),
            ),
        )

    def __str__(self) -> str:
        return str(self.organization)

    @property
    def tenant_path(self) -> str:
        """The place of its organization in the tree."""
        return self.organization.path


class AddressChange(models.Model):
    """Another mail address for a person, once the owners of the old and of the new one have both said yes."""

    id = IdField(prefix="adr")
    user = models.OneToOneField(User, models.CASCADE, related_name="address_change")
    email = fields.NameField(rule=names.mail_address, max_length=254)
    old_digest = models.CharField(max_length=64, editable=False)
    new_digest = models.CharField(max_length=64, editable=False)
    old_confirmed_at = models.DateTimeField(null=True, blank=True)
    new_confirmed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.email

    @property
    def expires_at(self) -> datetime:
        """When its links end."""
        return self.created_at + ADDRESS_CHANGE_LIVES
