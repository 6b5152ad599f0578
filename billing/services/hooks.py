"""Addresses of a seller's programs that are told of its invoices, payments and subscriptions, and their secrets."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from billing.models import Hook, HookDelivery
from billing.services import happenings
from panel.core import audit, policy, vault
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid

MOST = 10
BOTH_SIGN = timedelta(hours=24)
"""So long after a new secret the old one signs, too, so that a program can change over."""
PREFIX = "whsec_"
KINDS = tuple(sorted(happenings.KINDS))
TEST = "hook.test"


def create(*, actor: Actor, organization: Organization, url: str, kinds: Sequence[str] = ()) -> tuple[Hook, str]:
    """Tell an address of what happens to a seller's money; returns it and the secret that signs, which is shown once.

    `kinds` are those that it is told of, all when there are none.
    """
    policy.require(actor, "hook.create", organization)
    with transaction.atomic():
        Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=organization.pk)
        if Hook.objects.filter(organization=organization).count() >= MOST:
            raise Conflict(
                _("There are %(most)s addresses already. Remove one of them first.") % {"most": MOST}, code="too_many"
            )
        text = _new_secret()
        hook = Hook(organization=organization, url=_checked(url), kinds=_known(kinds))
        clean_or_invalid(hook)
        hook.secret = vault.put("webhook", text.encode()).pk
        hook.save(force_insert=True)
        audit.record(actor, "hook.create", hook, {"url": ("", hook.url), "kinds": ([], hook.kinds)})
    return hook, text


def change(
    *,
    actor: Actor,
    hook: Hook,
    url: str | None = None,
    kinds: Sequence[str] | None = None,
    is_active: bool | None = None,
) -> Hook:
    """Change where it is, what it is told of, and whether it is told anything; what is None stays."""
    policy.require(actor, "hook.change", hook)
    with transaction.atomic():
        hook = _locked(hook)
        before = {"url": hook.url, "kinds": hook.kinds, "is_active": hook.is_active}
        hook.url = hook.url if url is None else _checked(url)
        hook.kinds = hook.kinds if kinds is None else _known(kinds)
        hook.is_active = hook.is_active if is_active is None else is_active
        clean_or_invalid(hook)
        hook.save(update_fields=list(before))
        if before["is_active"] and not hook.is_active:
            silence(hook)
        audit.record(
            actor, "hook.change", hook, audit.difference(before, {name: getattr(hook, name) for name in before})
        )
    return hook


def silence(hook: Hook) -> None:
    """Give up what waits for an address that is not told anything any more."""
    waiting = HookDelivery.objects.filter(hook=hook, status=HookDelivery.Status.WAITING)
    waiting.update(status=HookDelivery.Status.FAILED, answer=_("The address was switched off."))


def rotate(*, actor: Actor, hook: Hook) -> tuple[Hook, str]:
    """Give it a new secret, which is returned and shown once; for a day the one before signs beside it."""
    policy.require(actor, "hook.rotate", hook)
    with transaction.atomic():
        hook = _locked(hook)
        if hook.old_secret:
            vault.forget(hook.old_secret)
        text = _new_secret()
        hook.old_secret, hook.old_until = hook.secret, timezone.now() + BOTH_SIGN
        hook.secret = vault.put("webhook", text.encode()).pk
        hook.save(update_fields=["secret", "old_secret", "old_until"])
        audit.record(actor, "hook.rotate", hook)
    return hook, text


def remove(*, actor: Actor, hook: Hook) -> None:
    """Forget an address with all that it was told and was yet to be told."""
    policy.require(actor, "hook.remove", hook)
    with transaction.atomic():
        hook = _locked(hook)
        for secret in (hook.secret, hook.old_secret):
            if secret:
                vault.forget(secret)
        audit.record(actor, "hook.remove", hook, {"url": (hook.url, "")})
        hook.delete()


def _locked(hook: Hook) -> Hook:
    return Hook.objects.select_for_update(of=("self",)).select_related("organization").get(pk=hook.pk)


def _new_secret() -> str:
    """Return a secret as Standard Webhooks writes them: 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _known(kinds: Sequence[str]) -> list[str]:
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise Invalid(
            "unknown_kind",
            _("Nothing is called %(kind)s. Choose of %(kinds)s.") % {"kind": unknown[0], "kinds": ", ".join(KINDS)},
            "kinds",
        )
    return sorted(set(kinds))


def _checked(url: str) -> str:
    """Return an address that can be told something; where it leads is looked at whenever something is sent."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid("url", _("Write this as an address, as in https://shop.example.org/hooks."), "url") from error
    schemes = ("https", "http") if settings.HOOKS_TO_PRIVATE_HOSTS else ("https",)
    if parts.scheme not in schemes or not host:
        raise Invalid("https", _("The address begins with https:// and names a host."), "url")
    if not url.isascii():
        raise Invalid("url", _("Write letters beyond ASCII as xn--… in the host's name, and as %XX after it."), "url")
    if parts.username or parts.password or parts.fragment:
        raise Invalid("url", _("Leave out user name, password and what follows a #."), "url")
    return url
