"""A seller's own account at a payment service: its keys, kept in the vault and shown to nobody again, and a test."""

from __future__ import annotations

import secrets

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.selectors import organizations
from billing.gateways.base import Service
from billing.gateways.stripe import Stripe
from billing.models import Gateway
from panel.core import audit, policy, vault
from panel.core.actors import Actor
from panel.core.errors import Invalid, NotFound
from panel.core.scoping import everything

SECRET_KEYS = ("sk_live_", "sk_test_", "rk_live_", "rk_test_")
PUBLIC_KEYS = ("pk_live_", "pk_test_")
HOOK_SECRETS = ("whsec_",)
LONGEST = 200


def set_keys(*, actor: Actor, public_key: str = "", secret_key: str = "", hook_secret: str = "") -> Gateway:
    """Set the keys of the actor's own organization at Stripe and take cards from now on.

    A secret that is left empty stays as it is. Raises Invalid for what is no such key.
    """
    policy.require(actor, "gateway.change")
    seller = organizations.of_actor(actor)
    _check("public_key", public_key, PUBLIC_KEYS)
    _check("secret_key", secret_key, SECRET_KEYS)
    _check("hook_secret", hook_secret, HOOK_SECRETS)
    with everything("a seller's own gateway"), transaction.atomic():
        gateway = _locked(seller)
        if not secret_key and not gateway.key_secret:
            raise Invalid("required", _("Give the secret key: it begins with sk_ or rk_."), "secret_key")
        gateway.public_key = public_key or gateway.public_key
        gateway.key_secret = _kept(gateway.key_secret, secret_key)
        gateway.hook_secret = _kept(gateway.hook_secret, hook_secret)
        gateway.is_active = True
        gateway.save()
        given = {"secret_key": ("", secret_key), "hook_secret": ("", hook_secret)}
        changes = {name: pair for name, pair in given.items() if pair[1]}
        audit.record(actor, "gateway.change", gateway, {"public_key": ("", gateway.public_key), **changes})
    return gateway


def switch(*, actor: Actor, gateway: Gateway, on: bool) -> Gateway:
    """Take cards, or take none any more; what is under way, and what Stripe still tells, goes on. Again is the same."""
    policy.require(actor, "gateway.change", gateway)
    _own(actor, gateway)
    with everything("a seller's own gateway"), transaction.atomic():
        gateway = Gateway.objects.select_for_update(of=("self",)).select_related("organization").get(pk=gateway.pk)
        if gateway.is_active != on:
            gateway.is_active = on
            gateway.save(update_fields=["is_active"])
            audit.record(actor, "gateway.change", gateway, {"is_active": (not on, on)})
    return gateway


def test(*, actor: Actor, gateway: Gateway) -> str:
    """Ask Stripe whose keys these are, within ten seconds; returns the account's name. Raises Unavailable, Refused."""
    policy.require(actor, "gateway.change", gateway)
    _own(actor, gateway)
    if not gateway.key_secret:
        raise Invalid("no_gateway", _("Set the secret key first."), "secret_key")
    return service(gateway).test()


def service(gateway: Gateway) -> Service:
    """Return the payment service with the seller's keys; without a key there is nothing to speak with."""
    with everything("the keys of a seller"):
        key = vault.get(gateway.key_secret).decode() if gateway.key_secret else ""
        hook_secret = vault.get(gateway.hook_secret).decode() if gateway.hook_secret else ""
    return Stripe(key, hook_secret)


def _own(actor: Actor, gateway: Gateway) -> None:
    if not actor.is_system and gateway.organization_id != actor.organization_id:
        raise NotFound()


def _locked(seller: Organization) -> Gateway:
    """Return the seller's row, made if there is none: two at once make one."""
    rows = Gateway.objects.select_for_update(of=("self",)).select_related("organization")
    made = {"hook": secrets.token_urlsafe(24)}
    return rows.get_or_create(organization=seller, kind=Gateway.Kind.STRIPE, defaults=made)[0]


def _kept(secret_id: str, value: str) -> str:
    if not value:
        return secret_id
    vault.forget(secret_id)
    return vault.put("payment gateway", value.encode()).pk


def _check(field: str, value: str, beginnings: tuple[str, ...]) -> None:
    if not value:
        return
    plain = value.isascii() and value.replace("_", "").isalnum() and len(value) <= LONGEST
    if not plain or not value.startswith(beginnings):
        text = _("This is no such key: it begins with %(beginnings)s.") % {"beginnings": ", ".join(beginnings)}
        raise Invalid("gateway_key", text, field)
