"""Names that change at once: one winner, nothing half renamed, no deadlock; a termination is taken back once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError
from panel.core.scoping import everything
from provisioning.models import Domain, HostingAccount, SiteName, Zone
from provisioning.services import hosting_accounts, renames
from tests.concurrency.field import together
from tests.provisioning import factories
from tests.provisioning.ground import Ground, used

SYSTEM = Actor.system("test")


def fresh(hosting: HostingAccount) -> HostingAccount:
    """The row as another request reads it."""
    with everything("test"):
        return HostingAccount.objects.get(pk=hosting.pk)


def rename(hosting: HostingAccount, **names: str) -> Callable[[], Any]:
    return partial(renames.rename, actor=SYSTEM, hosting=fresh(hosting), **names)


def is_whole(hosting: HostingAccount) -> bool:
    """Whether domain, site, zone and mail domain of an account bear the same name."""
    now = fresh(hosting)
    with everything("test"):
        names = {now.sites.get().names.get(kind=SiteName.Kind.PRIMARY).hostname, now.mail_domains.get().name}
        return names | {now.zones.get().name, Domain.objects.get(hosting=now).name} == {now.domain}


@pytest.fixture
def accounts(ground: Ground) -> list[HostingAccount]:
    second = factories.account(ground.cast.client_sub.organization, ground.package_a, "second-site.org")
    return [ground.account_a, ground.account_b, second]


def test_one_domain_for_three_accounts(accounts: list[HostingAccount]) -> None:
    results = together([rename(accounts[number % 3], domain="prize.org") for number in range(12)])
    refused = [item for item in results if isinstance(item, Exception)]
    assert [item for item in refused if not isinstance(item, DomainError)] == []
    assert [fresh(hosting).domain for hosting in accounts].count("prize.org") == 1
    assert all(is_whole(hosting) for hosting in accounts)
    with everything("test"):
        assert Zone.objects.filter(name="prize.org").count() == 1


def test_one_user_name_for_three_accounts(accounts: list[HostingAccount]) -> None:
    results = together([rename(accounts[number % 3], username="prize") for number in range(12)])
    refused = [item for item in results if isinstance(item, Exception)]
    assert [item for item in refused if not isinstance(item, DomainError)] == []
    assert [fresh(hosting).username for hosting in accounts].count("prize") == 1


def test_an_account_renamed_twelve_ways_at_once_has_one_name(ground: Ground) -> None:
    ways = [{"domain": f"way{number}.org"} if number % 2 else {"username": f"way{number}"} for number in range(12)]
    results = together([rename(ground.account_a, **way) for way in ways])
    assert [item for item in results if isinstance(item, Exception) and not isinstance(item, DomainError)] == []
    assert is_whole(ground.account_a)


def test_a_swap_of_two_domains_never_gives_both_to_one(accounts: list[HostingAccount]) -> None:
    first, second, _third = accounts
    results = together([rename(first, domain=second.domain), rename(second, domain=first.domain)])
    assert all(isinstance(item, Conflict) for item in results)
    assert all(is_whole(hosting) for hosting in accounts)


def test_a_termination_is_taken_back_once_and_counted_once(ground: Ground) -> None:
    hosting, client = ground.account_a, ground.cast.client_a.organization
    with everything("test"):
        before = {resource: used(client.id, resource) for resource in ("accounts", "databases", "mailboxes")}
        hosting_accounts.terminate(actor=SYSTEM, hosting=fresh(hosting), confirm=hosting.domain)
    rows = [fresh(hosting) for _number in range(10)]
    results = together([partial(hosting_accounts.restore, actor=SYSTEM, hosting=row) for row in rows])
    refused = [item for item in results if isinstance(item, Exception)]
    assert len(refused) == 9
    assert all(isinstance(item, DomainError) for item in refused)
    with everything("test"):
        assert {resource: used(client.id, resource) for resource in before} == before
    assert is_whole(hosting)


def test_ends_renames_and_restores_at_once_leave_one_of_their_outcomes(ground: Ground) -> None:
    hosting = ground.account_a
    row = fresh(hosting)

    def end_and_restore() -> Any:
        hosting_accounts.terminate(actor=SYSTEM, hosting=row, confirm=row.domain)
        return hosting_accounts.restore(actor=SYSTEM, hosting=fresh(hosting))

    actions = [end_and_restore, rename(hosting, domain="moved.org"), rename(hosting, username="moved")]
    results = together([*actions, *actions])
    assert [item for item in results if isinstance(item, Exception) and not isinstance(item, DomainError)] == []
    assert is_whole(hosting)
