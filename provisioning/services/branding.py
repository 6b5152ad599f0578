"""What servers take from brands: a change of it reaches every account that lives under the brand."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import Brand, Organization
from accounts.services import brands
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Operation, Slice
from provisioning.selectors.brands import of_organizations
from provisioning.services import intents, operations

FIELDS = frozenset({"nameservers", "hostmaster", "mail_host"})
"""What zones and mail domains name."""


def change(*, actor: Actor, organization: Organization, **values: Any) -> tuple[Brand, Operation | None]:
    """Change a brand; without an operation nothing has to follow on a server."""
    brand, done = brands.change(actor=actor, organization=organization, **values)
    return brand, next((found for found in done if isinstance(found, Operation)), None)


def spread(actor: Actor, brand: Brand, changed: frozenset[str]) -> Operation | None:
    """Dirty the slices of all accounts whose brand this is, when servers take what has changed. Runs in the transaction
    of the change.
    """
    if not changed & FIELDS:
        return None
    with transaction.atomic(), everything("a brand reaches all accounts below it"):
        accounts = HostingAccount.objects.exclude(status=HostingAccount.Status.TERMINATED)
        below = Organization.objects.filter(
            path__startswith=brand.organization.path, hosting_accounts__in=accounts
        ).distinct()
        branded = [owner for owner, found in of_organizations(below).items() if found.pk == brand.pk]
        slices = list(Slice.objects.filter(hosting__in=accounts, hosting__organization__in=branded).order_by("id"))
        if not slices:
            return None
        operation = operations.start(
            actor=actor, verb="brand.change", subject=brand.name, organization=brand.organization
        )
        intents.again(slices, operation=operation)
    return operation
