"""Which servers there are, and which one a new account goes to."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Organization, ResellerPlan
from panel.core import policy
from panel.core.actors import Actor
from provisioning import words
from provisioning.models import Address, HostingAccount, Placement, PlanServer, Server, Slice


def listed() -> QuerySet[Server]:
    """All servers with the number of accounts that each carries (`account_count`)."""
    carried = Placement._base_manager.filter(server=OuterRef("pk"))
    carried = carried.exclude(hosting__status=HostingAccount.Status.TERMINATED)
    count = carried.order_by().values("server").annotate(count=Count("hosting", distinct=True)).values("count")
    return Server.objects.select_related("organization").annotate(account_count=Coalesce(Subquery(count), 0))


def shown_to(actor: Actor) -> bool:
    """Tell whether `actor` may know which servers there are and what they are called."""
    return policy.allowed(actor, "server.view")


def name_for(actor: Actor, name: str, roles: Collection[str]) -> str:
    """Return what `actor` reads in the place of a server's name: the name, or else what the server is for."""
    return name if shown_to(actor) else words.server(roles)


def ready() -> QuerySet[Server]:
    """Servers that are set up and open to new accounts."""
    return Server.objects.filter(state=Server.State.READY, closed=False).order_by("name")


def allowed(organization: Organization, roles: Iterable[str]) -> QuerySet[Server]:
    """Servers that may take a new account of `organization` (its client or reseller), those of every reseller plan
    above it; first what carries the fewest slices.
    """
    ancestors = organization.path.strip("/").split("/")
    open_to = Q(reserved_for__isnull=True) | Q(reserved_for__in=ancestors)
    ready = Server.objects.filter(open_to, state=Server.State.READY, closed=False, unreachable_since__isnull=True)
    restricting = PlanServer.objects.filter(plan__resellers__in=ancestors)
    own = PlanServer.objects.filter(plan=OuterRef("plan"), server=OuterRef(OuterRef("pk")))
    ready = ready.filter(~Exists(restricting.filter(~Exists(own))))
    held = Slice.objects.filter(server=OuterRef("pk")).order_by().values("server")
    load = Coalesce(Subquery(held.annotate(count=Count("pk")).values("count")), 0)
    return ready.filter(**{f"role_{role}": True for role in roles}).annotate(load=load).order_by("load", "id")


def addresses() -> QuerySet[Address]:
    """All addresses of servers."""
    return Address.objects.select_related("server__organization", "hosting", "brand__organization")


def php_versions() -> list[str]:
    """Return the PHP versions that any server has, oldest first."""
    rows = Server.objects.exclude(state=Server.State.RETIRED).values_list("php_versions", flat=True)
    return sorted({version for versions in rows for version in versions}, key=php_order)


def php_order(version: str) -> list[int]:
    """Return what PHP versions are sorted by: 8.10 comes after 8.4."""
    return [int(part) for part in version.split(".")]


def live() -> QuerySet[Server]:
    """Servers whose place no other one has taken."""
    return Server.objects.exclude(state=Server.State.RETIRED).order_by("name")


def of_plan(plan: ResellerPlan) -> QuerySet[Server]:
    """Servers that accounts below a reseller plan may be on; none stands for all."""
    return Server.objects.filter(pk__in=PlanServer.objects.filter(plan=plan).values("server")).order_by("name")
