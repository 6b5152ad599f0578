"""K1 for what is promised: plans, packages and creations that race end within every limit, and every sum is right."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts.models import LimitCounter
from accounts.services import limits, plans
from panel.core.actors import Actor
from panel.core.errors import Conflict, LimitReached
from panel.core.scoping import everything
from provisioning.models import HostingAccount
from provisioning.services import hosting_accounts, overrides, packages
from tests.concurrency.field import together
from tests.concurrency.test_limits import one_of, order
from tests.provisioning import factories
from tests.provisioning.ground import Ground, used

SYSTEM = Actor.system("test")
GB = 1_000_000_000


def sized(ground: Ground) -> None:
    """Give both packages 10 GB of disk space and 10 GB of bandwidth."""
    with everything("test"):
        for package in (ground.package_a, ground.package_b):
            packages.change(actor=SYSTEM, package=package, disk_bytes=10 * GB, bandwidth_bytes=10 * GB)


def sums_fit(ground: Ground) -> None:
    """Every counter with a limit says what is below it, and that is what the accounts are promised."""
    with everything("test"):
        accounts = HostingAccount.objects.exclude(status="terminated").select_related("organization")
        promised = dict(
            LimitCounter.objects.filter(resource="disk_bytes", subject__in=[row.pk for row in accounts]).values_list(
                "subject", "limit"
            )
        )
        for person in (ground.cast.reseller_a, ground.cast.sub_reseller, ground.cast.provider):
            below = [row for row in accounts if row.tenant_path.startswith(person.organization.path)]
            assert limits.used_by(person.organization, "accounts") == len(below)
            assert limits.used_by(person.organization, "disk_bytes") == sum(promised[row.pk] or 0 for row in below)
            for resource in ("accounts", "disk_bytes"):
                counter = LimitCounter.objects.filter(subject=person.organization.id, resource=resource).first()
                if counter and counter.limit is not None:
                    assert counter.used == limits.used_by(person.organization, resource)


@pytest.mark.parametrize("resource", ["accounts", "disk_bytes", "bandwidth_bytes"])
def test_k1_one_slot_of_a_plan(ground: Ground, resource: str):
    """The reseller and its sub-reseller order at once what fits into the plan once."""
    sized(ground)
    room = 2 if resource == "accounts" else 25 * GB
    with everything("test"):
        provider = ground.cast.provider.organization
        plan = plans.create(
            actor=SYSTEM, organization=provider, name="Tight", resellers_allowed=True, **{resource: room}
        )
        plans.assign(actor=SYSTEM, organization=ground.cast.reseller_a.organization, plan=plan)
    results = together([partial(order, ground, ("a", "sub")[number % 2], f"shop-{number}.org") for number in range(50)])
    one_of(results, LimitReached)
    refusals = [item for item in results if isinstance(item, LimitReached)]
    assert len(refusals) == 49
    assert {(item.rule, item.level) for item in refusals} == {(resource, "the reseller")}
    assert all(item.remedy and item.remedy in item.message for item in refusals)
    sums_fit(ground)


def test_k1_one_account_per_package(ground: Ground):
    with everything("test"):
        provider = ground.cast.provider.organization
        plan = plans.create(
            actor=SYSTEM, organization=provider, name="Few", accounts_per_package=2, resellers_allowed=True
        )
        plans.assign(actor=SYSTEM, organization=ground.cast.reseller_a.organization, plan=plan)
    one_of(together([partial(order, ground, "a", f"shop-{number}.org") for number in range(50)]), Conflict)


def test_a_plan_that_comes_in_the_middle_of_a_burst_counts_right(ground: Ground):
    """Creations, a plan that is given, changed and taken away meanwhile: no deadlock, and every sum fits."""
    sized(ground)
    reseller, provider = ground.cast.reseller_a.organization, ground.cast.provider.organization
    with everything("test"):
        plan = plans.create(
            actor=SYSTEM, organization=provider, name="Studio", accounts=12, disk_bytes=95 * GB, resellers_allowed=True
        )
    actions: list[Callable[[], Any]] = [
        partial(order, ground, ("a", "sub")[number % 2], f"shop-{number}.org") for number in range(24)
    ]
    actions.append(partial(plans.assign, actor=SYSTEM, organization=reseller, plan=plan))
    actions += [partial(plans.change, actor=SYSTEM, plan=plan, accounts=10 + number) for number in range(3)]
    actions.append(partial(limits.set_limit, subject=provider.id, resource="disk_bytes", limit=200 * GB))
    results = together(actions)
    assert [item for item in results if isinstance(item, Exception) and not isinstance(item, LimitReached)] == []
    sums_fit(ground)


def test_packages_that_change_while_accounts_move_and_end_leave_right_sums(ground: Ground):
    sized(ground)
    clients = [ground.cast.client_a.organization, ground.cast.client_sub.organization]
    accounts = [factories.account(clients[number % 2], ground.package_a, f"site-{number}.org") for number in range(6)]
    other = factories.package(ground.cast.reseller_a.organization, "Other", disk_bytes=5 * GB, bandwidth_bytes=GB)
    with everything("test"):
        limits.set_limit(subject=ground.cast.reseller_a.organization.id, resource="disk_bytes", limit=500 * GB)
        limits.set_limit(subject=ground.cast.provider.organization.id, resource="disk_bytes", limit=900 * GB)
    actions: list[Callable[[], Any]] = []
    for number, hosting in enumerate(accounts):
        actions.append(partial(packages.move, actor=SYSTEM, hosting=hosting, package=other))
        wanted: dict[str, Any] = {"resource": "disk_bytes", "limit": (20 + number) * GB, "reason": "A gift"}
        actions.append(partial(overrides.set, actor=SYSTEM, hosting=hosting, **wanted))
        if number % 3 == 0:
            actions.append(partial(hosting_accounts.terminate, actor=SYSTEM, hosting=hosting, confirm=hosting.domain))
    for size in (7, 8, 9):
        actions.append(partial(packages.change, actor=SYSTEM, package=ground.package_a, disk_bytes=size * GB))
        actions.append(partial(packages.change, actor=SYSTEM, package=other, disk_bytes=(size - 5) * GB))
    actions += [partial(order, ground, ("a", "sub")[number % 2], f"late-{number}.org") for number in range(4)]
    results = together(actions)
    assert [item for item in results if isinstance(item, Exception) and not isinstance(item, Conflict)] == []
    sums_fit(ground)
    assert used(ground.cast.reseller_a.organization.id, "disk_bytes") > 0
