"""Who sells, and which day it is there."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import Organization
from billing.models import Seller
from panel.core.scoping import everything


def of(organization: Organization) -> Seller:
    """Return what an organization sells by, whatever the scope: as it is saved, or with the usual values, unsaved."""
    with everything("buyers see what their seller bills by"):
        found = Seller.objects.filter(organization=organization).first()
    if found is None:
        return Seller(organization=organization, legal_name=organization.name)
    found.organization = organization
    return found


def today(seller: Seller, now: datetime | None = None) -> date:
    """Return the seller's date at an instant, now by default."""
    return (now or timezone.now()).astimezone(_zone(seller.time_zone)).date()


def midnight(seller: Seller, day: date) -> datetime:
    """Return the instant at which a day of the seller begins."""
    return datetime.combine(day, time(), _zone(seller.time_zone)).astimezone(UTC)


def of_buyer(buyer: Organization) -> Organization | None:
    """Return the organization that an organization buys from, its parent; None for the provider."""
    if not buyer.parent_id:
        return None
    with everything("a seller stands above"):
        return Organization.objects.get(pk=buyer.parent_id)


@lru_cache(maxsize=128)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
