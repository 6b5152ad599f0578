"""Panel hosts that brands wait for: looked at, taken into use, vouched for, given up."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import host_proof
from accounts.models import Brand, HostClaim, Organization
from accounts.selectors import brands as selectors
from accounts.services import brands, host_claims
from panel.core import policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError

log = structlog.get_logger(__name__)


def check(*, actor: Actor, organization: Organization) -> Brand:
    """Ask the public DNS and the host itself whether the claimed host is the brand's; takes some seconds at most.

    When it is, the host is in use from then on. Otherwise the claim says what was found. Raises Conflict without a
    claim, and when another brand has the host by now.
    """
    claim = claim_of(actor, organization)
    alone = not selectors.claimed_by_others(claim.host, claim.brand)
    found = host_proof.look(claim.host, claim.record_name, claim.record_content, over_http=alone)
    return settle(actor=actor, claim=claim, found=found)


def check_due() -> None:
    """Look at claims whose turn it is: every five minutes on their first day, hourly later."""
    for claim in selectors.claims_due(timezone.now()):
        alone = not selectors.claimed_by_others(claim.host, claim.brand)
        found = host_proof.look(claim.host, claim.record_name, claim.record_content, over_http=alone)
        try:
            settle(actor=Actor.system("sweep"), claim=claim, found=found)
        except Conflict as error:
            settle(actor=Actor.system("sweep"), claim=claim, found=host_proof.Found(None, error.message))


def give_neutral_hosts() -> None:
    """Give every reseller's brand that lacks one a host below the neutral domain, when the installation has such.

    Those above come first: people move one step down at a time. A brand that is refused one is told of in the log.
    """
    if settings.NEUTRAL_PANEL_DOMAIN:
        for organization in selectors.without_neutral_host():
            try:
                brands.take_neutral_host(actor=Actor.system("sweep"), organization=organization)
            except DomainError as error:
                log.warning("neutral_host_not_given", organization=organization.pk, reason=error.message)


def settle(*, actor: Actor, claim: HostClaim, found: host_proof.Found) -> Brand:
    """Record what a look at a claimed host has found; proven, it is in use."""
    with transaction.atomic():
        rows = HostClaim.objects.select_for_update(of=("self",)).select_related("brand__organization")
        current = rows.filter(pk=claim.pk).first()
        if current is None or current.host != claim.host:
            return claim.brand
        if found.proof is None:
            current.checked_at = timezone.now()
            current.problem = found.problem
            current.save(update_fields=["checked_at", "problem"])
            return current.brand
        brand = brands.locked(actor=actor, organization=current.brand.organization)
        current.delete()
        return brands.take_host(actor=actor, brand=brand, host=current.host, proof=found.proof)


def vouch(*, actor: Actor, organization: Organization) -> Brand:
    """Take the claimed host into use on the provider's word."""
    policy.require(actor, "brand.vouch", organization)
    claim = claim_of(actor, organization)
    return settle(actor=actor, claim=claim, found=host_proof.Found(Brand.Proof.VOUCHED))


def withdraw(*, actor: Actor, organization: Organization) -> Brand:
    """Give up the claim; the brand keeps the host that it has."""
    with transaction.atomic():
        claim = claim_of(actor, organization)
        host_claims.drop(actor, claim.brand)
    return claim.brand


def claim_of(actor: Actor, organization: Organization) -> HostClaim:
    """Return the claim of the organization's brand, for who may change the brand; raises Conflict without one."""
    policy.require(actor, "brand.change", organization)
    claim = selectors.claim(organization)
    if claim is None:
        raise Conflict(_("No host name of this brand waits for a proof. Give one first."), code="no_claim")
    return claim
