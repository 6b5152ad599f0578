"""Reverse names of servers' addresses, looked up in the public DNS; they are set where addresses are rented."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from panel.core import policy, public_dns
from panel.core.actors import Actor
from provisioning.models import Address
from provisioning.selectors import pointers as selectors
from provisioning.selectors.pointers import Pointer

LATER = timedelta(days=1)
SOONER = timedelta(hours=1)


def check(*, actor: Actor, address: Address) -> Pointer:
    """Ask the public DNS for the reverse name now, which takes some seconds at most, and keep what it says."""
    policy.require(actor, "address.change", address)
    address.pointers = public_dns.pointers(address.public)
    address.pointers_checked_at = timezone.now()
    address.save(update_fields=["pointers", "pointers_checked_at"])
    return selectors.of(address)


def check_due() -> None:
    """Look at the addresses whose turn it is: daily, those of brands hourly."""
    now = timezone.now()
    for address in selectors.due(now - LATER, now - SOONER):
        check(actor=Actor.system("sweep"), address=address)
