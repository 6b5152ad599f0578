"""People: added with their first membership, changed by themselves, their passwords."""

import functools
import zoneinfo

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone as clock
from django.utils.translation import gettext as _

from accounts.models import ApiToken, Organization, User
from accounts.selectors import brands
from accounts.services import memberships, sessions
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid, NotFound, clean_or_invalid, from_validation, integrity_as_conflict
from panel.core.scoping import everything

CHANGEABLE = ("name", "locale", "timezone")


def create(
    *,
    actor: Actor,
    organization: Organization,
    email: str,
    name: str,
    role: str,
    password: str | None = None,
    locale: str = "en",
    timezone: str = "UTC",
) -> User:
    """Add a person to an organization; without a password they get in by the link of an invitation.

    The person is registered under the brand that the organization's people sign in at. Raises Conflict when somebody is
    registered there with this address.
    """
    policy.require(actor, "membership.add", organization)
    root = brands.root_for_member(organization)
    with transaction.atomic():
        user = User(brand_root=root, email=email, name=name, locale=locale, timezone=_zone(timezone))
        user.set_unusable_password()
        clean_or_invalid(user, exclude=["password"])
        if password is not None:
            _check_password(password, user)
            user.set_password(password)
        with integrity_as_conflict(_("Somebody with this address is registered already."), field="email"):
            user.save(force_insert=True)
        audit.record(actor, "user.create", user, {"email": ("", user.email)})
        memberships.add(actor=actor, organization=organization, user=user, role=role)
    return user


def change(*, actor: Actor, user: User, **values: str) -> User:
    """Change one's own name, language or time zone."""
    policy.require(actor, "profile.change")
    if actor.user_id != user.id and not actor.is_system:
        raise NotFound()
    for field in values:
        if field not in CHANGEABLE:
            raise Invalid("unknown", _("This can't be changed."), field)
    if "timezone" in values:
        values["timezone"] = _zone(values["timezone"])
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        before = {field: getattr(user, field) for field in values}
        for field, value in values.items():
            setattr(user, field, value)
        clean_or_invalid(user, exclude=["password", "brand_root"])
        user.save(update_fields=list(values) or None)
        audit.record(actor, "user.change", user, audit.difference(before, values))
    return user


def set_own_password(*, user: User, password: str, address: str | None, keep: str | None = None) -> None:
    """Set the password that a person chose; ends their sessions but the one whose key is `keep`, their API tokens, and
    every reset link.
    """
    with transaction.atomic():
        user.set_password(password)
        user.password_changed_at = clock.now()
        user.reset_serial += 1
        user.save(update_fields=["password", "password_changed_at", "reset_serial"])
        ended = sessions.drop(user, keep=keep)
        with everything("a person's tokens, wherever they are"):
            tokens = ApiToken.objects.filter(user=user, revoked_at__isnull=True)
            revoked = tokens.update(revoked_at=clock.now())
        changes = {"tokens_revoked": (0, revoked), "sessions_ended": (0, ended)}
        audit.record(sessions.own_actor(user, address), "user.password", user, changes)


def begin_reset(*, user: User) -> User:
    """End every earlier reset link of a person, so that the one made next is the only one."""
    User.objects.filter(pk=user.pk).update(reset_serial=F("reset_serial") + 1)
    user.refresh_from_db(fields=["reset_serial"])
    return user


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        refusal = from_validation(error)
        raise Invalid(refusal.code, refusal.message, "password") from error


def _zone(name: str) -> str:
    if name not in _zones():
        raise Invalid("timezone", _("Choose a time zone such as Europe/Berlin."), "timezone")
    return name


@functools.cache
def _zones() -> set[str]:
    """Names of time zones; looking them up reads hundreds of files."""
    return zoneinfo.available_timezones()
