"""What accounts are promised: the limits of package and exceptions as their own counters, and disk space and bandwidth
as an allocation that counts at every organization above them. Runs in the caller's transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts import words
from accounts.models import LimitCounter, Organization, ResellerPlan
from accounts.selectors import plans
from accounts.selectors.limits import level
from accounts.services import limits
from panel.core.errors import Conflict, LimitReached
from provisioning.models import HostingAccount, LimitOverride, Overuse, Package

Limits = dict[str, int | None]


def order(organization: Organization, package: Package) -> None:
    """Count one more account of `package`, and what it promises; raises LimitReached, too where a plan refuses accounts
    because more is really used than it has.
    """
    above = plans.above(organization)
    check_carries(package, above)
    if any(plan.overuse == ResellerPlan.Overuse.BLOCK for plan in above):
        refuse_overuse(organization)
    amounts = {"accounts": 1, **{name: getattr(package, name) or 0 for name in Package.PROMISED}}
    limits.move({organization: amounts}, boundless=_endless(package.limits))


def check_carries(package: Package, above: Iterable[ResellerPlan]) -> None:
    """Refuse a package that carries as many accounts as a plan `above` lets one carry; its row has to be locked."""
    most = [plan.accounts_per_package for plan in above if plan.accounts_per_package is not None]
    if not most:
        return
    held = package.hosting_accounts.exclude(status=HostingAccount.Status.TERMINATED).count()
    if held >= min(most):
        raise Conflict(
            _("The package %(name)s carries %(held)s accounts, and the plan allows %(most)s per package. Use another.")
            % {"name": package.name, "held": held, "most": min(most)},
            field="package",
            code="accounts_per_package",
        )


def refuse_overuse(organization: Organization, *, besides: Collection[str] = ()) -> None:
    """Raise LimitReached when a plan above `organization` refuses new accounts because more is used than it has; those
    of the organizations `besides`, by id, are not asked.
    """
    asked = [key for key in organization.lineage if key not in besides]
    rows = Overuse._base_manager.filter(organization__in=asked, organization__plan__overuse=ResellerPlan.Overuse.BLOCK)
    found = rows.order_by("organization__path", "resource").first()
    if found is not None:
        raise LimitReached(
            rule=found.resource,
            level=str(words.LEVELS[level(found.organization_id, organization)]),
            used=found.used,
            limit=found.limit,
            name=words.within(found.resource),
            remedy=_("Use less in the accounts that are there, or have the plan raised."),
        )


def hold(*accounts: HostingAccount, also: Package | None = None) -> None:
    """Keep the packages of accounts that are held, and `also`, as they are until the transaction ends, so that what is
    promised does not change meanwhile; the accounts get their packages as they are now.
    """
    ids = {row.package_id for row in accounts} | ({also.pk} if also else set())
    rows = Package._base_manager.select_for_update(of=("self",), no_key=True).select_related("organization")
    found = {row.pk: row for row in rows.filter(pk__in=ids).order_by("id")}
    for row in accounts:
        row.package = found[row.package_id]


def give_back(hosting: HostingAccount) -> None:
    """Count one account less, and what it was promised."""
    hold(hosting)
    limits.move({hosting.organization: {"accounts": -1, **{name: -held for name, held in amounts(hosting).items()}}})


def take_back(hosting: HostingAccount) -> None:
    """Count an account that comes back, and what it is promised; raises LimitReached."""
    hold(hosting)
    promised = _promised([hosting.id])[hosting.id]
    amounts = {name: limit or 0 for name, limit in promised.items()}
    limits.move({hosting.organization: {"accounts": 1, **amounts}}, boundless=_endless(promised))


@dataclass(frozen=True)
class Terms:
    """What accounts are to be promised: their limits by id, by how much the promised amounts grow over those so far,
    and which of them are unlimited for at least one account.
    """

    limits: dict[str, Limits]
    grown: dict[str, int]
    boundless: set[str]


def terms(accounts: Iterable[HostingAccount]) -> Terms:
    """Return what accounts are to be promised by the packages that their rows name and by their exceptions."""
    rows = list(accounts)
    wanted, before = effective(rows), _promised([row.id for row in rows])
    grown = {
        name: sum((wanted[row.id][name] or 0) - (before[row.id][name] or 0) for row in rows)
        for name in Package.PROMISED
    }
    return Terms(wanted, grown, {name for found in wanted.values() for name in _endless(found)})


def amounts(hosting: HostingAccount) -> dict[str, int]:
    """Return what an account was promised so far, as it is counted above it: unlimited as nothing."""
    return {name: limit or 0 for name, limit in _promised([hosting.id])[hosting.id].items()}


def apply(accounts: Iterable[HostingAccount]) -> None:
    """Give accounts the limits of their packages and exceptions as they are now; what they use stays counted.

    The difference in what they are promised is counted at all levels above. Raises LimitReached.
    """
    rows = list(accounts)
    wanted = effective(rows)
    before = _promised([row.id for row in rows])
    changes: defaultdict[Organization, dict[str, int]] = defaultdict(lambda: dict.fromkeys(Package.PROMISED, 0))
    boundless: set[str] = set()
    for row in rows:
        for name in Package.PROMISED:
            old, new = before[row.id][name], wanted[row.id][name]
            changes[row.organization][name] += (new or 0) - (old or 0)
            if new is None and old is not None:
                boundless.add(name)
    limits.move(
        {owner: {name: amount for name, amount in amounts.items() if amount} for owner, amounts in changes.items()},
        boundless=boundless,
    )
    limits.set_limits_of_accounts(wanted)


def effective(accounts: Iterable[HostingAccount]) -> dict[str, Limits]:
    """Return the limits of accounts by id: those of the package, save where there is an exception. One query."""
    found = {row.id: row.package.limits for row in accounts}
    for exception in LimitOverride.objects.filter(hosting__in=list(found)):
        found[exception.hosting_id][exception.resource] = exception.limit
    return found


def _promised(ids: list[str]) -> dict[str, Limits]:
    """Return what accounts were promised so far, by id: the limits of their own counters; 0 without one."""
    found: dict[str, Limits] = {key: dict.fromkeys(Package.PROMISED, 0) for key in ids}
    rows = LimitCounter.objects.filter(subject__in=ids, resource__in=Package.PROMISED)
    for subject, resource, limit in rows.values_list("subject", "resource", "limit"):
        found[subject][resource] = limit
    return found


def _endless(promised: Limits) -> set[str]:
    return {name for name in Package.PROMISED if promised[name] is None}
