"""What servers take from brands: a change of it reaches every account that lives under the brand."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import Brand, Organization
from accounts.services import brands
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Operation, Placement, Slice
from provisioning.selectors.brands import accounts_of, of_organizations
from provisioning.services import intents, operations
from provisioning.spec import paths

FIELDS = frozenset({"nameservers", "hostmaster", "mail_host"})
"""What zones and mail domains name."""
PAGE_FIELDS = frozenset({"name", "primary_color", "logo", "support_email", "support_url", "locale", "pages"})
"""What the pages show that servers have once for all accounts of a brand."""


def change(*, actor: Actor, organization: Organization, **values: Any) -> tuple[Brand, Operation | None]:
    """Change a brand; without an operation nothing has to follow on a server."""
    brand, done = brands.change(actor=actor, organization=organization, **values)
    return brand, next((found for found in done if isinstance(found, Operation)), None)


def spread(actor: Actor, brand: Brand, changed: frozenset[str]) -> Operation | None:
    """Dirty what takes something that has changed: the slices of all accounts whose brand this is, or only those of the
    servers that show the brand's pages. Runs in the transaction of the change.
    """
    if not changed & (FIELDS | PAGE_FIELDS):
        return None
    with transaction.atomic(), everything("a brand reaches all accounts below it"):
        here = accounts_of(brand)
        slices: list[Slice] = []
        if changed & FIELDS:
            slices += Slice.objects.filter(hosting__in=here).order_by("id")
        if changed & PAGE_FIELDS:
            web = Placement.objects.filter(hosting__in=here, service=Placement.Service.WEB)
            slices += Slice.objects.filter(hosting=None, server__in=web.values("server")).order_by("id")
        if "mail_host" in changed:
            own = Slice.objects.filter(hosting=None, server__addresses__brand=brand).distinct().order_by("id")
            slices += [part for part in own if part not in slices]
        if not slices:
            return None
        operation = operations.start(
            actor=actor, verb="brand.change", subject=brand.name, organization=brand.organization
        )
        intents.again(slices, operation=operation)
    return operation


def bring(*hostings: HostingAccount, brand: Brand | None = None) -> Operation | None:
    """See that the web servers of accounts of one client that are new, or new under its brand, have the brand's pages.

    An operation of the system, since the servers are not the accounts'; None where they are there. Runs in the
    transaction that places the accounts, so that the pages come in the same run. `brand` saves a look for it.
    """
    brand = brand or next(iter(of_organizations({item.organization for item in hostings[:1]}).values()), None)
    if brand is None:
        return None
    key = f"directory:{paths.PAGES}/{brand.pk}"
    there = Slice.objects.filter(
        hosting=None,
        server__in=Placement.objects.filter(hosting__in=hostings, service=Placement.Service.WEB).values("server"),
    )
    lacking = list(there.exclude(manifest__has_key=key).select_related("server__organization").order_by("id"))
    if not lacking:
        return None
    server = lacking[0].server
    operation = operations.start(
        actor=Actor.system("pages of a brand"),
        verb="brand.change",
        subject=brand.name,
        organization=server.organization,
        server=server,
    )
    intents.again(lacking, operation=operation)
    return operation
