"""Whose a host name may be: what is refused, what needs no proof, and claims on what has yet to prove itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.utils.translation import gettext as _

from accounts.models import Brand, HostClaim, Organization
from accounts.selectors import brands as selectors
from panel.core import audit
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid

Judge = Callable[[Actor, Organization, str, str], bool]
_judges: list[Judge] = []


def consult(judge: Judge) -> None:
    """Let `judge(actor, organization, host, field)` refuse host names, or return True for those that need no proof.

    For apps above this one, which know zones, sites and servers.
    """
    _judges.append(judge)


def judge(actor: Actor, brand: Brand, host: str, field: str) -> bool:
    """Refuse a host name that is another's; return whether it lies in a zone of the brand's own, hosted here."""
    if actor.is_system:
        return False
    answers = [one(actor, brand.organization, host, field) for one in _judges]
    return any(answers)


def decide(*, actor: Actor, brand: Brand, host: str) -> Brand.Proof | None:
    """Return how `host` is proved, or None when the brand stays as it is; then a claim for it may be waiting.

    The host that it has ends its claim to another one.

    The installation itself is believed; a name in a zone of the brand's own needs no proof unless another brand wants
    it, too. Runs in the caller's transaction.
    """
    if host == brand.panel_host:
        drop(actor, brand)
        return None
    if not host:
        if brand.organization.kind != Organization.Kind.PROVIDER:
            raise Invalid(
                "panel_host_kept",
                _("People sign in at this host name. Give another one in its place; it can't be taken away."),
                "panel_host",
            )
        return Brand.Proof.VOUCHED
    own_zone = judge(actor, brand, host, "panel_host")
    if actor.is_system:
        drop(actor, brand)
        return Brand.Proof.VOUCHED
    if own_zone and not selectors.claimed_by_others(host, brand):
        drop(actor, brand)
        return Brand.Proof.ZONE
    _claim(actor, brand, host)
    return None


def waiting_for(brand: Brand) -> str:
    """Return the host that a brand waits for, or ""."""
    claim = HostClaim.objects.filter(brand=brand).first()
    return claim.host if claim else ""


def drop(actor: Actor, brand: Brand) -> None:
    """End the brand's claim, if it has one. Runs in the caller's transaction."""
    host = waiting_for(brand)
    if host:
        HostClaim.objects.filter(brand=brand).delete()
        audit.record(actor, "brand.withdraw_host", brand, {"claimed_host": (host, "")})


def _claim(actor: Actor, brand: Brand, host: str) -> None:
    before = waiting_for(brand)
    if before == host:
        return
    if selectors.name_taken(host, brand):
        raise Conflict(_("This host name is already in use."), field="panel_host")
    HostClaim.objects.filter(brand=brand).delete()
    HostClaim.objects.create(brand=brand, host=host, token=secrets.token_hex(16))
    audit.record(actor, "brand.claim_host", brand, {"claimed_host": (before, host)})
