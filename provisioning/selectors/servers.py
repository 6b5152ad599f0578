"""Which servers there are, and which one a new account goes to."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from accounts.models import Organization
from provisioning.models import Address, HostingAccount, Server


def listed() -> QuerySet[Server]:
    """All servers with the number of accounts that each carries (`account_count`)."""
    live = ~Q(placements__hosting__status=HostingAccount.Status.TERMINATED)
    return Server.objects.select_related("organization").annotate(
        account_count=Count("placements__hosting", filter=live, distinct=True)
    )


def ready() -> QuerySet[Server]:
    """Servers that are set up and open to new accounts."""
    return Server.objects.filter(state=Server.State.READY, closed=False).order_by("name")


def allowed(organization: Organization, roles: Iterable[str]) -> QuerySet[Server]:
    """Servers that may take a new account of `organization` (its client or reseller), least loaded first."""
    ancestors = organization.path.strip("/").split("/")
    open_to = Q(reserved_for__isnull=True) | Q(reserved_for__in=ancestors)
    ready = Server.objects.filter(open_to, state=Server.State.READY, closed=False, unreachable_since__isnull=True)
    live = ~Q(placements__hosting__status=HostingAccount.Status.TERMINATED)
    return (
        ready.filter(**{f"role_{role}": True for role in roles})
        .annotate(account_count=Count("placements__hosting", filter=live, distinct=True))
        .order_by("account_count", "id")
    )


def addresses() -> QuerySet[Address]:
    """All addresses of servers."""
    return Address.objects.select_related("server__organization", "hosting")
