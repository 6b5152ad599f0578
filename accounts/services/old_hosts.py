"""Panel hosts that brands have replaced: kept for a while, ended at once, released."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Brand, OldHost, Organization
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import NotFound
from panel.core.scoping import everything

GRACE = timedelta(days=14)
"""How long a former host leads to the one in use."""


def keep(*, brand: Brand, before: str, after: str) -> None:
    """Let the host `before` lead to the one in use for the grace; `after` is in use again.

    Runs in the caller's transaction, which changes the brand.
    """
    if before == after:
        return
    with everything("what another brand had there is over"):
        OldHost.objects.filter(host__in=[before, after]).delete()
    if before and before not in settings.PROVIDER_HOSTS:
        OldHost.objects.create(brand=brand, host=before, until=timezone.now() + GRACE)


def end(*, actor: Actor, organization: Organization, pk: str) -> Brand:
    """Let a former host of the organization's brand go at once; raises NotFound when it has no such."""
    policy.require(actor, "brand.change", organization)
    with transaction.atomic():
        old = OldHost.objects.select_for_update(of=("self",)).select_related("brand__organization")
        found = old.filter(pk=pk, brand__organization=organization).first()
        if found is None:
            raise NotFound()
        _release(actor, found)
    return found.brand


def release_due() -> None:
    """Let go of every former host whose time is over."""
    with transaction.atomic(), everything("former hosts whose time is over"):
        rows = OldHost.objects.select_for_update(of=("self",)).select_related("brand__organization")
        for old in rows.filter(until__lte=timezone.now()):
            _release(Actor.system("sweep"), old)


def _release(actor: Actor, old: OldHost) -> None:
    OldHost.objects.filter(pk=old.pk).delete()
    audit.record(actor, "brand.release_host", old.brand, {"old_host": (old.host, "")})
