"""Browsers that a person has signed in with: known ones raise no notice, remembered ones need no second factor."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import Device, User
from accounts.selectors import sign_in as selectors
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import NotFound

REMEMBERED = timedelta(days=14)
COOKIE_LIVES = timedelta(days=400)  # the longest that browsers keep one (RFC 6265bis)


def note(*, user: User, token: str, agent: str, address: str | None) -> tuple[str, bool]:
    """Note that `user` signed in with the browser that sent `token`; returns the browser's token and whether it is new.

    A browser that sent none, or none of ours, is given one. Of one browser each person has a row of their own.
    """
    token = token if _well_formed(token) else secrets.token_hex(24)
    seen = {"agent": agent[:300], "address": address, "last_seen_at": timezone.now()}
    _device, made = Device.objects.update_or_create(user=user, digest=_digest(token), defaults=seen)
    return token, made


def remember(*, actor: Actor, user: User, token: str) -> None:
    """Ask no second factor of `user` in this browser for fourteen days; nothing when policies forbid it."""
    if not selectors.demands_on(user).remember_devices:
        return
    with transaction.atomic():
        device = Device.objects.select_for_update().get(user=user, digest=_digest(token))
        device.remembered_until = timezone.now() + REMEMBERED
        device.setup = _setup(user)
        device.save(update_fields=["remembered_until", "setup"])
        audit.record(actor, "device.remember", device)


def is_remembered(*, user: User, token: str) -> bool:
    """Tell whether `user` needs no second factor in the browser that sent `token`."""
    device = Device.objects.filter(user=user, digest=_digest(token), remembered_until__gt=timezone.now()).first()
    if device is None or not constant_time_compare(device.setup, _setup(user)):
        return False
    return selectors.demands_on(user).remember_devices


def forget(*, actor: Actor, device: Device) -> None:
    """Forget one of one's own browsers: it needs the second factor again, and its next sign-in raises a notice."""
    policy.require(actor, "profile.secure")
    if device.user_id != actor.user_id:
        raise NotFound()
    with transaction.atomic():
        audit.record(actor, "device.forget", device)
        device.delete()


def forget_old() -> None:
    """Delete browsers that have not been seen for longer than they keep their cookie."""
    Device.objects.filter(last_seen_at__lt=timezone.now() - COOKIE_LIVES).delete()


def _setup(user: User) -> str:
    """Return a fingerprint of password and second factors, so that a change of either ends every remembering."""
    factors = [str(row.pk) for row in selectors.authenticators(user.id)]
    return salted_hmac("accounts.devices", "|".join([user.id, user.password, *factors]), algorithm="sha256").hexdigest()


def _well_formed(token: str) -> bool:
    return len(token) == 48 and token.isascii() and token.isalnum()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
