"""What is demanded of people who sign in, and what they signed in with and from. It changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import AddressChange, Device, Membership, Organization, Session, SignInPolicy, User
from accounts.models.sign_in import ADDRESS_CHANGE_LIVES, LONGEST_SESSION
from panel.core.scoping import everything

SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


@dataclass(frozen=True, slots=True)
class Demands:
    """The strictest of several policies; a session ends `session_minutes` after its sign-in."""

    second_factor: bool = False
    session_minutes: int = LONGEST_SESSION
    remember_devices: bool = True


def demands(organizations: Iterable[Organization]) -> Demands:
    """Return what is demanded of a person who is something in all of `organizations`, in one query."""
    mine = list(organizations)
    own = {organization.id for organization in mine}
    above = {key for organization in mine for key in organization.lineage}
    with everything("policies come from above"):
        policies = list(SignInPolicy.objects.filter(organization_id__in=above))
    return _strictest(policies, own)


def demands_on(user: User) -> Demands:
    """Return what is demanded of a person, before it is known for which organization they will act."""
    with everything("signing in comes before the scope"):
        rows = Membership.objects.filter(user=user).exclude(organization__status=Organization.Status.CLOSED)
        mine = [row.organization for row in rows.select_related("organization")]
    return demands(mine)


def inherited(organization: Organization) -> Demands:
    """Return what those above an organization demand of its people."""
    with everything("policies come from above"):
        policies = list(SignInPolicy.objects.filter(organization_id__in=organization.lineage[:-1]))
    return _strictest(policies, set())


def policy_of(organization: Organization) -> SignInPolicy:
    """Return the organization's own policy, unsaved with the defaults when it has none."""
    found = SignInPolicy.objects.filter(organization=organization).first()
    return found or SignInPolicy(organization=organization)


def has_second_factor(user_id: str) -> bool:
    """Tell whether a person has an authenticator app or a passkey."""
    found: bool = Authenticator.objects.filter(user_id=user_id, type__in=SECOND_FACTORS).exists()
    return found


def authenticators(user_id: str) -> list[Authenticator]:
    """Return a person's second factors and recovery codes, oldest first."""
    return list(Authenticator.objects.filter(user_id=user_id).order_by("id"))


def passkeys(user_id: str) -> QuerySet[Authenticator]:
    """Return a person's passkeys."""
    rows: QuerySet[Authenticator] = Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN)
    return rows


def sessions(user_id: str) -> QuerySet[Session]:
    """Return a person's sessions that have not ended, newest first."""
    return Session.objects.filter(user_id=user_id, expire_date__gt=timezone.now())


def devices(user_id: str) -> QuerySet[Device]:
    """Return the browsers in which a person has signed in, newest first."""
    return Device.objects.filter(user_id=user_id)


def address_change(user_id: str) -> AddressChange | None:
    """Return the change of a person's mail address that waits for confirmation, if there is one."""
    since = timezone.now() - ADDRESS_CHANGE_LIVES
    return AddressChange.objects.filter(user_id=user_id, created_at__gt=since).first()


def _strictest(policies: list[SignInPolicy], own: set[str]) -> Demands:
    everybody = SignInPolicy.SecondFactor.EVERYONE
    team = SignInPolicy.SecondFactor.TEAM
    return Demands(
        second_factor=any(
            row.second_factor == everybody or (row.second_factor == team and row.organization_id in own)
            for row in policies
        ),
        session_minutes=min((row.session_minutes for row in policies), default=LONGEST_SESSION),
        remember_devices=all(row.remember_devices for row in policies),
    )
