"""Packages as pages and the API list them, what an account has by its own, and what a change would do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import LimitCounter
from accounts.selectors import plans
from provisioning.models import HostingAccount, LimitOverride, Package, Site


@dataclass(frozen=True)
class Over:
    """An account that uses more of a resource than its new limit allows: it keeps what it has and gets no more."""

    hosting: HostingAccount
    resource: str
    used: int
    limit: int


@dataclass(frozen=True)
class Impact:
    """What a change would do: how many accounts it touches, which would be over, which sites run another PHP."""

    accounts: list[HostingAccount]
    overs: list[Over]
    other_php: list[Site]

    @property
    def touched(self) -> int:
        """How many accounts it touches."""
        return len(self.accounts)


def listed() -> QuerySet[Package]:
    """Packages on sale within the scope, with the number of accounts that have each (`account_count`)."""
    live = HostingAccount._base_manager.filter(package=OuterRef("pk"))
    live = live.exclude(status=HostingAccount.Status.TERMINATED)
    count = live.order_by().values("package").annotate(count=Count("pk")).values("count")
    rows = Package.objects.filter(archived_at__isnull=True).select_related("organization")
    return rows.annotate(account_count=Coalesce(Subquery(count), 0))


def for_account(hosting: HostingAccount) -> QuerySet[Package]:
    """Packages on sale within the scope that an account could be moved to: those of the sellers above it."""
    return listed().filter(organization__in=hosting.organization.lineage).exclude(pk=hosting.package_id)


def accounts_with(package: Package) -> QuerySet[HostingAccount]:
    """Accounts that have a package, terminated ones left out."""
    rows = package.hosting_accounts.exclude(status=HostingAccount.Status.TERMINATED)
    return rows.select_related("organization", "package").order_by("id")


def features_of(hosting: HostingAccount) -> frozenset[str]:
    """Return the features that an account has: those of its package that every reseller plan above it has, too."""
    return frozenset(hosting.package.features) & plans.features(hosting.organization)


def overrides_of(hosting: HostingAccount) -> QuerySet[LimitOverride]:
    """Exceptions of one account."""
    return LimitOverride.objects.filter(hosting=hosting).select_related("hosting__organization")


def impact(
    accounts: Iterable[HostingAccount], limits: Mapping[str, int | None], php_versions: list[str] | None = None
) -> Impact:
    """Return what new `limits` would do to accounts; where an account has an exception, that stays.

    `php_versions` are those that sites could have from then on; empty stands for all. Three queries.
    """
    rows = list(accounts)
    by_id = {row.id: row for row in rows}
    kept = set(LimitOverride.objects.filter(hosting__in=list(by_id)).values_list("hosting_id", "resource"))
    wanted = {name: limit for name, limit in limits.items() if limit is not None}
    counters = LimitCounter.objects.filter(subject__in=list(by_id), resource__in=wanted, used__gt=0)
    overs = [
        Over(by_id[row.subject], row.resource, row.used, wanted[row.resource])
        for row in counters.order_by("subject", "resource")
        if row.used > wanted[row.resource] and (row.subject, row.resource) not in kept
    ]
    return Impact(rows, overs, other_php(rows, php_versions or []))


def other_php(accounts: Iterable[HostingAccount], php_versions: Collection[str]) -> list[Site]:
    """Return the sites of accounts that run another PHP version than one of these; none of them stands for all."""
    if not php_versions:
        return []
    sites = Site.objects.filter(hosting__in=list(accounts)).exclude(php_version__in=list(php_versions))
    return list(sites.select_related("domain", "hosting").order_by("id"))
