"""What stands in the way of accounts that are to go below another seller: its servers, features, packages and promises.

Only what the new place adds is asked: plans that accounts live under already had their say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import words
from accounts.models import Organization
from accounts.models.plans import FEATURES
from accounts.selectors import plans
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, LimitReached
from provisioning.models import (
    Database,
    DatabaseUser,
    HostingAccount,
    MailAlias,
    Mailbox,
    Package,
    Placement,
    PlanServer,
    Record,
    Server,
    SiteName,
)
from provisioning.selectors import servers
from provisioning.services import packages, promises

MOST_NAMES = 3


@dataclass(frozen=True)
class Obstacle:
    """Why accounts can't go there: the rule, whose it is, a sentence, and what would allow it."""

    code: str
    rule: str
    level: str
    message: str
    remedy: str


def obstacles(
    *,
    actor: Actor,
    accounts: Sequence[HostingAccount],
    before: Organization,
    seller: Organization,
    package: Package | None,
) -> list[Obstacle]:
    """Return what keeps `accounts` of the client `before` from going below `seller` (a seller or one of its clients);
    `package` is what those get whose own is not sold there. Needs a scope over both ends; servers are named as `actor`
    may know them.
    """
    if not accounts:
        return []
    added = [key for key in seller.lineage if key not in before.lineage]
    rows = Organization.objects.filter(id__in=added, plan__isnull=False).select_related("plan").order_by("path")
    sellers = list(rows)
    found = [*_servers(actor, accounts, sellers), *_reserved(actor, accounts, seller)]
    found += _features(accounts, plans.features(before), sellers)
    found += _promises(accounts, sellers, seller, package)
    found += _carried(accounts, sellers, seller, package)
    return found + _overuse(before, seller)


def refuse(found: Sequence[Obstacle], field: str) -> None:
    """Raise Conflict for the first obstacle, with all of them in its parameters."""
    if not found:
        return
    first = found[0]
    params = {"rule": first.rule, "level": first.level, "remedy": first.remedy}
    more = [f"{row.message} {row.remedy}" for row in found]
    raise Conflict(more[0], field=field, code=first.code, params=params, errors={field: more})


def sold_below(package: Package, seller: Organization) -> bool:
    """Tell whether a package is sold to what lies below `seller`."""
    return seller.path.startswith(package.organization.path)


def _plan_of(seller: Organization) -> str:
    return _("the plan of %(name)s") % {"name": seller.name}


def _name_of(server: Server, actor: Actor) -> str:
    return servers.name_for(actor, server.platform_name, server.roles)


def _servers(actor: Actor, accounts: Sequence[HostingAccount], sellers: Sequence[Organization]) -> Iterator[Obstacle]:
    """A plan that names servers wants all of an account to be on them."""
    placed = list(Placement.objects.filter(hosting__in=accounts).select_related("server", "hosting"))
    allowed: dict[str, set[str]] = {}
    for row in PlanServer.objects.filter(plan__in=[seller.plan_id for seller in sellers]):
        allowed.setdefault(row.plan_id, set()).add(row.server_id)
    remedy = _("Give %(seller)s another plan.")
    if servers.shown_to(actor):
        remedy = _("Add %(server)s to the servers of that plan, or give %(seller)s another plan.")
    for seller in sellers:
        if seller.plan_id not in allowed:
            continue
        outside = {row.server for row in placed if row.server_id not in allowed[seller.plan_id]}
        for server in sorted(outside, key=lambda row: row.platform_name):
            names = {"server": _name_of(server, actor), "plan": _plan_of(seller), "seller": seller.name}
            yield Obstacle(
                "server_not_allowed",
                "servers",
                _plan_of(seller),
                _("%(accounts)s: on %(server)s, a server that %(plan)s does not allow.")
                % {**names, "accounts": _named(row.hosting for row in placed if row.server_id == server.pk)},
                remedy % names,
            )


def _reserved(actor: Actor, accounts: Sequence[HostingAccount], seller: Organization) -> Iterator[Obstacle]:
    """A server that is reserved for somebody carries what is below them only."""
    placed = Placement.objects.filter(hosting__in=accounts).exclude(server__reserved_for__isnull=True)
    rows = list(placed.exclude(server__reserved_for__in=seller.lineage).select_related("server", "hosting").distinct())
    for server in sorted({row.server for row in rows}, key=lambda row: row.platform_name):
        names = {"server": _name_of(server, actor), "seller": seller.name}
        yield Obstacle(
            "server_not_allowed",
            "servers",
            names["server"],
            _("%(accounts)s: on %(server)s, a server that is reserved for others.")
            % {**names, "accounts": _named(row.hosting for row in rows if row.server_id == server.pk)},
            _("Have %(server)s opened to %(seller)s.") % names,
        )


def _features(
    accounts: Sequence[HostingAccount], had: frozenset[str], sellers: Iterable[Organization]
) -> Iterator[Obstacle]:
    """What an account makes use of has to be in the plans of its new sellers."""
    for seller in sellers:
        lacking = had - frozenset(seller.plan.features if seller.plan else had)
        for feature in sorted(lacking, key=FEATURES.index):
            users = _users_of(feature, accounts)
            if not users:
                continue
            names = {"accounts": _named(users), "feature": words.feature(feature), "plan": _plan_of(seller)}
            yield Obstacle(
                "not_in_plan",
                feature,
                _plan_of(seller),
                _("%(accounts)s: in use there, but not in %(plan)s: %(feature)s.") % names,
                _("Give %(seller)s a plan that includes it, or remove what is there.") % {"seller": seller.name},
            )


def _users_of(feature: str, accounts: Sequence[HostingAccount]) -> list[HostingAccount]:
    """Return the accounts that hold what a feature lets them add."""
    held: dict[str, list[QuerySet[Any, Any]]] = {
        "site_aliases": [SiteName.objects.filter(kind=SiteName.Kind.ALIAS).values("site__hosting")],
        "dns": [Record.objects.values("zone__hosting")],
        "databases": [Database.objects.values("hosting")],
        "remote_databases": [DatabaseUser.objects.exclude(host=DatabaseUser.Host.LOCAL).values("hosting")],
        "mail": [Mailbox.objects.values("mail_domain__hosting"), MailAlias.objects.values("mail_domain__hosting")],
    }
    rows = HostingAccount.objects.filter(pk__in=[row.pk for row in accounts])
    keys = {key for holders in held[feature] for key in rows.filter(pk__in=holders).values_list("pk", flat=True)}
    return [row for row in accounts if row.pk in keys]


def _promises(
    accounts: Sequence[HostingAccount], sellers: Sequence[Organization], seller: Organization, package: Package | None
) -> Iterator[Obstacle]:
    """What one account is promised has to fit into what a plan lets one account have."""
    wanted = promises.effective(accounts)
    for row in accounts:
        limits = wanted[row.id]
        if package is not None and not sold_below(row.package, seller):
            limits = package.limits
        for above in sellers:
            yield from _over_plan(row, limits, above)


def _over_plan(row: HostingAccount, limits: promises.Limits, above: Organization) -> Iterator[Obstacle]:
    for resource, limit in limits.items():
        try:
            packages.check_promise_of([above.plan] if above.plan else [], {resource: limit})
        except Invalid as error:
            label = words.resource(resource)
            yield Obstacle(
                error.code,
                resource,
                _plan_of(above),
                _("%(account)s, %(resource)s: %(why)s")
                % {"account": row.domain, "resource": label, "why": error.message},
                _("Give the account a smaller package first, or %(seller)s another plan.") % {"seller": above.name},
            )


def _carried(
    accounts: Sequence[HostingAccount], sellers: Iterable[Organization], seller: Organization, package: Package | None
) -> Iterator[Obstacle]:
    """A plan may say how many accounts one package carries at most."""
    coming = Counter(package for row in accounts if package is not None and not sold_below(row.package, seller))
    kept = {row.package for row in accounts if sold_below(row.package, seller)}
    live = ~Q(status=HostingAccount.Status.TERMINATED)
    for above in sellers:
        most = above.plan.accounts_per_package if above.plan else None
        for carrier in sorted({*coming, *kept}, key=lambda item: item.name) if most is not None else ():
            held = carrier.hosting_accounts.filter(live).count() + coming[carrier]
            if held <= (most or 0):
                continue
            names = {"package": carrier.name, "held": held, "most": most, "seller": above.name}
            yield Obstacle(
                "accounts_per_package",
                "accounts_per_package",
                _plan_of(above),
                _("The package %(package)s would carry %(held)s accounts, and the plan allows %(most)s per package.")
                % names,
                _("Use another package, or give %(seller)s another plan.") % names,
            )


def _overuse(before: Organization, seller: Organization) -> list[Obstacle]:
    """A plan that refuses new accounts while more is used than it has refuses those that come from elsewhere, too."""
    try:
        promises.refuse_overuse(seller, besides=before.lineage)
    except LimitReached as error:
        values = error.params
        return [Obstacle(error.code, values["rule"], values["level"], error.message, "")]
    return []


def _named(accounts: Iterable[HostingAccount]) -> str:
    """Return the first of some accounts by name, and how many more there are."""
    names = sorted({row.domain for row in accounts})
    shown, left = ", ".join(names[:MOST_NAMES]), len(names) - MOST_NAMES
    if left <= 0:
        return shown
    more = ngettext("%(names)s and %(count)d more", "%(names)s and %(count)d more", left)
    return more % {"names": shown, "count": left}
