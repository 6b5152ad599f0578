"""What the home pages read from the apps, within the tenant scope. They change nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Brand, LimitCounter, Organization
from accounts.selectors import brands, organizations
from panel.core import colors
from panel.core.actors import Actor
from panel.dashboard.formats import Gauge
from provisioning.models import HostingAccount, Operation, Server, ServerReading
from provisioning.selectors import drift, hosting_accounts, operations, packages, usage
from provisioning.selectors import servers as server_selectors

MOST_SHOWN = 8


@dataclass(frozen=True)
class Figure:
    """A number on the home page and where it leads."""

    label: str
    value: int
    url: str
    note: str = ""


@dataclass(frozen=True)
class Step:
    """One thing to do at the start, with what is done of it."""

    label: str
    text: str
    url: str
    done: bool


@dataclass(frozen=True)
class Load:
    """A server and its newest reading, if it was ever measured."""

    server: Server
    reading: ServerReading | None

    @property
    def memory_used(self) -> int:
        """Bytes of memory that are taken."""
        return _taken(self.reading, "memory") if self.reading else 0

    @property
    def disk_used(self) -> int:
        """Bytes of disk space that are taken."""
        return _taken(self.reading, "disk") if self.reading else 0


@dataclass(frozen=True)
class Use:
    """A reseller and how much of its limits it uses, fullest first."""

    organization: Organization
    plan: str
    gauges: list[LimitCounter] = field(default_factory=list)

    @property
    def fullest(self) -> float:
        """The share of the fullest limit, for the order."""
        return max((Gauge(row.used, row.limit).share for row in self.gauges), default=0.0)


def only_account() -> HostingAccount | None:
    """Return the account in scope if there is exactly one."""
    found = list(_live()[:2])
    return found[0] if len(found) == 1 else None


def accounts_of_client() -> list[tuple[HostingAccount, list[LimitCounter]]]:
    """Return the accounts in scope, each with those of its limits that are counted, fullest first; two queries."""
    found = list(_live().order_by("domain")[: MOST_SHOWN * 3])
    counters: dict[str, list[LimitCounter]] = defaultdict(list)
    for row in LimitCounter.objects.filter(subject__in=[row.pk for row in found], limit__isnull=False):
        counters[row.subject].append(row)
    return [(row, sorted(counters[row.pk], key=_share, reverse=True)[:4]) for row in found]


def figures(actor: Actor) -> list[Figure]:
    """Return how much there is of what the actor works with."""
    is_suspended = Q(status=HostingAccount.Status.SUSPENDED)
    counts = _live().aggregate(live=Count("pk"), suspended=Count("pk", filter=is_suspended))
    note = _("%(count)s suspended") % {"count": counts["suspended"]} if counts["suspended"] else ""
    found = [Figure(_("Accounts"), counts["live"], reverse("provisioning:account_list"), note)]
    found.append(Figure(_("Clients"), organizations.clients().count(), reverse("accounts:client_list")))
    if actor.kind == "provider":
        found.append(Figure(_("Resellers"), organizations.resellers(actor).count(), reverse("accounts:reseller_list")))
    else:
        found.append(Figure(_("Packages"), packages.listed().count(), reverse("provisioning:package_list")))
    working = operations.listed(actor.path).filter(status__in=Operation.OPEN).count()
    found.append(Figure(_("Operations at work"), working, f"{reverse('provisioning:operation_list')}?status=open"))
    return found


def attention(actor: Actor) -> list[Operation]:
    """Return the newest operations that were rejected or wait."""
    stuck = [Operation.Status.REJECTED, Operation.Status.WAITING]
    return list(operations.listed(actor.path).filter(status__in=stuck)[:5])


def newest_operations(actor: Actor) -> list[Operation]:
    """Return what was asked for last."""
    return list(operations.listed(actor.path)[:MOST_SHOWN])


def unreachable_servers() -> QuerySet[Server]:
    """Return the servers that the panel cannot reach."""
    return server_selectors.listed().filter(unreachable_since__isnull=False)


def drifted_servers() -> list[Server]:
    """Return the servers on which something differs from what the panel made so."""
    return list(drift.drifted_servers())


def servers() -> list[Load]:
    """Return the servers with their newest reading, those that can't be reached or are not ready first, then those
    with most accounts; two queries.
    """
    rows = server_selectors.listed().exclude(state=Server.State.RETIRED)
    found = sorted(rows, key=lambda row: (-row.account_count, row.name))  # type: ignore[attr-defined]
    found.sort(key=lambda row: (row.unreachable_since is None, row.state == Server.State.READY))
    readings = usage.loads(found[:MOST_SHOWN])
    return [Load(row, readings.get(row.pk)) for row in found[:MOST_SHOWN]]


def drifted_accounts() -> list[HostingAccount]:
    """Return the accounts of which something on a server differs."""
    return list(drift.drifted_accounts()[:MOST_SHOWN])


def resellers(actor: Actor) -> list[Use]:
    """Return the resellers with most of their limits used, three limits each; two queries."""
    rows = {row.pk: row for row in organizations.resellers(actor).select_related("plan")}
    counters: dict[str, list[LimitCounter]] = defaultdict(list)
    for row in LimitCounter.objects.filter(subject__in=rows, limit__gt=0):
        counters[row.subject].append(row)
    found = [
        Use(row, row.plan.name if row.plan else "", sorted(counters[key], key=_share, reverse=True)[:3])
        for key, row in rows.items()
    ]
    return sorted(found, key=lambda use: (-use.fullest, use.organization.name))[:MOST_SHOWN]


def first_steps(actor: Actor) -> list[Step]:
    """Return the way to the first account, with what is done of it; empty once there is one."""
    if actor.kind == "client" or hosting_accounts.listed().exists():
        return []
    steps = []
    if actor.kind == "provider":
        ready = server_selectors.ready().exists()
        steps.append(
            _step(_("Add a server"), _("A Debian machine that you reach by SSH."), "provisioning:server_add", ready)
        )
    else:
        brand = brands.own(organizations.of_actor(actor))
        named = _("Name, logo and colours: what your clients see instead of ours.")
        hosted = _("A name of yours, such as panel.example.com, where your clients sign in.")
        steps.append(_step(_("Give your brand its look"), named, "accounts:brand", _is_dressed(brand)))
        steps.append(
            _step(_("Choose the address of your panel"), hosted, "accounts:brand", bool(brand and brand.panel_host))
        )
    sold = _("How much of what an account may have.")
    invited = _("They get a mail in your name, and sign in at your panel.")
    ordered = _("A web site with its mail, databases and DNS. You see what it changes first.")
    steps += [
        _step(_("Put a package on sale"), sold, "provisioning:package_create", packages.listed().exists()),
        _step(_("Invite a client"), invited, "accounts:client_create", organizations.clients().exists()),
        _step(_("Create the first account"), ordered, "provisioning:account_create", False),
    ]
    return steps


def panel_url(own: Organization) -> str:
    """Return the address where a seller's clients sign in; empty while the brand has no host at all."""
    brand = brands.own(own)
    return brands.base_url(brand) if brand and brands.host(brand) else ""


def _is_dressed(brand: Brand | None) -> bool:
    """Tell whether somebody has seen to the brand's looks: it has a name and the usual colour by itself."""
    return brand is not None and bool(brand.logo or brand.support_email or brand.primary_color != colors.DEFAULT)


def _taken(reading: ServerReading, what: str) -> int:
    return int((getattr(reading, f"{what}_bytes") or 0) - (getattr(reading, f"{what}_free_bytes") or 0))


def _live() -> QuerySet[HostingAccount]:
    return hosting_accounts.listed().exclude(status=HostingAccount.Status.TERMINATED)


def _share(row: LimitCounter) -> float:
    return Gauge(row.used, row.limit).share


def _step(label: str, text: str, route: str, done: bool) -> Step:
    return Step(label, text, reverse(route), done)
