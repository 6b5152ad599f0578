"""K1: fifty at once for one free slot, of every resource and at every level; K2: one name, one winner."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts.models import LimitUse
from accounts.services import limits, organizations
from panel.core.actors import Actor
from panel.core.errors import Conflict, LimitReached, NotFound
from panel.core.scoping import everything
from provisioning.models import Domain, HostingAccount, Mailbox, Operation
from provisioning.services import (
    database_users,
    databases,
    hosting_accounts,
    mail_aliases,
    mailboxes,
    packages,
    relocations,
    sites,
    zones,
)
from tests.concurrency.field import together
from tests.provisioning import factories
from tests.provisioning.ground import Ground, used

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"
HASH = "$2b$10$" + "a" * 53


def create(ground: Ground, resource: str, hosting: HostingAccount, number: int) -> Any:
    """Create one of a resource in an account."""
    actor = SYSTEM
    match resource:
        case "mailboxes":
            domain = hosting.mail_domains.get()
            return mailboxes.create(actor=actor, mail_domain=domain, local=f"b{number}", password=PASSWORD)
        case "aliases":
            domain = hosting.mail_domains.get()
            return mail_aliases.create(actor=actor, mail_domain=domain, local=f"a{number}", destinations=["x@y.org"])
        case "databases":
            return databases.create(actor=actor, hosting=hosting, name=f"d{number}")
        case "database_users":
            return database_users.create(actor=actor, hosting=hosting, name=f"u{number}", password=PASSWORD)
        case "records":
            zone = hosting.zones.get()
            return zones.add_record(actor=actor, zone=zone, type="TXT", name="x", content=f"t{number}")
        case "subdomains":
            hostname = f"s{number}.{hosting.domain}"
            return sites.add_alias(actor=actor, site=hosting.sites.get(), hostname=hostname)
        case _:
            return sites.add_alias(actor=actor, site=hosting.sites.get(), hostname=f"own-{number}-{hosting.domain}")


RESOURCES = ["mailboxes", "aliases", "databases", "database_users", "records", "subdomains", "alias_domains"]


def one_of(results: list[Any], error: type[Exception]) -> None:
    """Exactly one succeeded; all others were refused with `error`."""
    refused = [item for item in results if isinstance(item, Exception)]
    assert [item for item in refused if not isinstance(item, error)] == []
    assert len(results) - len(refused) == 1


@pytest.mark.parametrize("resource", RESOURCES)
def test_k1_one_slot_of_an_account(ground: Ground, resource: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("provisioning.services.passwords.mail", lambda _password: HASH)
    with everything("test"):
        create(ground, resource, ground.account_a, 0)
        limits.set_limit(subject=ground.account_a.id, resource=resource, limit=2)
        before = Operation.objects.count()
    results = together([partial(create, ground, resource, ground.account_a, number) for number in range(1, 51)])
    one_of(results, LimitReached)
    with everything("test"):
        assert used(ground.account_a.id, resource) == 2
        assert limits.used_by(ground.cast.client_a.organization, resource) == 2
        assert Operation.objects.count() == before + 1


@pytest.mark.parametrize("resource", ["aliases", "databases", "alias_domains"])
def test_k1_one_slot_of_a_reseller(ground: Ground, resource: str):
    """Two accounts of the reseller's compete for the total; the provider's total counts both resellers."""
    second = factories.account(ground.cast.client_sub.organization, ground.package_a, "second-site.org")
    reseller, provider = ground.cast.reseller_a.organization, ground.cast.provider.organization
    with everything("test"):
        limits.set_limit(subject=reseller.id, resource=resource, limit=1)
        limits.set_limit(subject=provider.id, resource=resource, limit=40)
    one_of(race(ground, resource, [ground.account_a, second]), LimitReached)
    assert used(reseller.id, resource) == used(provider.id, resource) == 1
    with everything("test"):
        limits.set_limit(subject=reseller.id, resource=resource, limit=None)
        limits.set_limit(subject=provider.id, resource=resource, limit=2)
    one_of(race(ground, resource, [ground.account_a, ground.account_b, second], 100), LimitReached)
    assert used(provider.id, resource) == 2


def race(ground: Ground, resource: str, accounts: list[HostingAccount], first: int = 0) -> list[Any]:
    """Create fifty at once, spread over accounts."""
    return together(
        [
            partial(create, ground, resource, accounts[number % len(accounts)], number)
            for number in range(first, first + 50)
        ]
    )


def order(ground: Ground, who: str, domain: str, username: str = "") -> HostingAccount:
    """Order an account for the client of reseller A or B, or of A's sub-reseller."""
    people = {
        "a": (ground.cast.client_a, ground.package_a),
        "b": (ground.cast.client_b, ground.package_b),
        "sub": (ground.cast.client_sub, ground.package_a),
    }
    person, package = people[who]
    return hosting_accounts.create(
        actor=SYSTEM, organization=person.organization, package=package, domain=domain, username=username
    )[0]


@pytest.mark.parametrize("level", ["client_a", "reseller_a", "provider"])
def test_k1_one_slot_for_an_account(ground: Ground, level: str):
    subject = getattr(ground.cast, level).organization
    with everything("test"):
        limits.set_limit(subject=subject.id, resource="accounts", limit=used_now(subject) + 1)
    who = {"client_a": ["a"], "reseller_a": ["a", "sub"], "provider": ["a", "b", "sub"]}[level]
    results = together([partial(order, ground, who[number % len(who)], f"shop-{number}.org") for number in range(50)])
    one_of(results, LimitReached)
    assert HostingAccount._base_manager.count() == 3
    with everything("test"):
        assert used(subject.id, "accounts") == used_now(subject)


def used_now(subject: Any) -> int:
    """Return how many accounts an organization and all below it hold."""
    return limits.used_by(subject, "accounts")


def test_k2_one_domain_from_two_resellers(ground: Ground):
    results = together([partial(order, ground, "ab"[number % 2], "prize.org") for number in range(20)])
    one_of(results, Conflict)
    assert {error.field for error in results if isinstance(error, Conflict)} == {"domain"}
    assert Domain._base_manager.filter(name="prize.org").count() == 1


def test_k2_one_user_name_from_two_resellers(ground: Ground):
    results = together([partial(order, ground, "ab"[number % 2], f"d{number}.org", "prize") for number in range(20)])
    one_of(results, Conflict)
    assert {error.field for error in results if isinstance(error, Conflict)} == {"username"}


def test_derived_user_names_never_collide(ground: Ground):
    ends = ["org", "net", "com", "info", "de", "fr", "nl", "it", "es", "se"]
    results = together([partial(order, ground, "a", f"popular.{end}") for end in ends])
    assert [item for item in results if isinstance(item, Exception)] == []
    assert len({hosting.username for hosting in results}) == len({hosting.uid for hosting in results}) == 10


@pytest.mark.parametrize("number", range(5))
def test_g2_parent_and_child_claimed_at_once(ground: Ground, number: int):
    names = [f"family{number}.org", f"a.family{number}.org", f"b.a.family{number}.org", f"x.b.a.family{number}.org"]
    results = together([partial(order, ground, "ab"[index % 2], names[index % len(names)]) for index in range(12)])
    winners = {item.organization_id for item in results if isinstance(item, HostingAccount)}
    assert len(winners) == 1
    assert all(isinstance(item, HostingAccount | Conflict) for item in results)
    assert (
        len(set(Domain._base_manager.filter(name__endswith=names[0]).values_list("hosting__organization", flat=True)))
        == 1
    )


REMOVALS: dict[str, Callable[[Any], Any]] = {
    "mailboxes": lambda row: mailboxes.remove(actor=SYSTEM, mailbox=row, confirm=row.address),
    "aliases": lambda row: mail_aliases.remove(actor=SYSTEM, alias=row),
    "databases": lambda row: databases.remove(actor=SYSTEM, database=row, confirm=row.name),
    "database_users": lambda row: database_users.remove(actor=SYSTEM, user=row),
    "records": lambda row: zones.remove_record(actor=SYSTEM, record=row),
    "subdomains": lambda row: sites.remove_alias(actor=SYSTEM, alias=row),
    "alias_domains": lambda row: sites.remove_alias(actor=SYSTEM, alias=row),
}


@pytest.mark.parametrize("resource", RESOURCES)
def test_what_is_removed_ten_times_at_once_is_given_back_once(ground: Ground, resource: str):
    with everything("test"):
        row = create(ground, resource, ground.account_a, 1)[0]
        create(ground, resource, ground.account_a, 2)
        stale = [type(row)._base_manager.get(pk=row.pk) for _number in range(10)]
    results = together([partial(REMOVALS[resource], row) for row in stale])
    one_of(results, NotFound)
    assert used(ground.account_a.id, resource) == 1


def test_limits_are_set_while_an_account_moves_to_a_client_that_held_nothing(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
):
    """The move comes to making rows just after the other made them, and then holds none that the other waits for."""
    reseller, before = ground.cast.reseller_a.organization, ground.cast.client_a.organization
    with everything("test"):
        client = organizations.create_client(actor=SYSTEM, parent=reseller, name="Other")
    make, made, mover = LimitUse.objects.bulk_create, threading.Event(), threading.local()

    def make_in_turn(*args: Any, **options: Any) -> Any:
        if hasattr(mover, "moves"):
            assert made.wait(60)
        rows = make(*args, **options)
        made.set()
        return rows

    def move() -> Any:
        mover.moves = True
        return relocations.move_account(actor=SYSTEM, hosting=ground.account_a, organization=client)

    monkeypatch.setattr(LimitUse.objects, "bulk_create", make_in_turn)
    wanted = dict.fromkeys(["accounts", *RESOURCES], 1000)
    results = together([move, partial(limits.set_limits, organization=reseller, limits=wanted)])
    assert [item for item in results if isinstance(item, Exception)] == []
    with everything("test"):
        assert (limits.used_by(before, "accounts"), limits.used_by(client, "accounts")) == (0, 1)
        assert used(reseller.id, "accounts") == limits.used_by(reseller, "accounts") == 1


def test_nothing_is_lost_when_an_account_ends_amid_changes(ground: Ground):
    """Terminations, creations, changes of the package and of limits at once: no deadlock, and every count fits."""
    reseller = ground.cast.reseller_a.organization
    accounts = [ground.account_a]
    accounts += [
        factories.account(ground.cast.client_a.organization, ground.package_a, f"busy-{number}.org")
        for number in range(4)
    ]
    with everything("test"):
        for resource in RESOURCES:
            limits.set_limit(subject=reseller.id, resource=resource, limit=1000)
    actions: list[Callable[[], Any]] = []
    for number, hosting in enumerate(accounts):
        for resource in ("aliases", "databases", "records", "subdomains"):
            actions.append(partial(create, ground, resource, hosting, number))
        actions.append(partial(hosting_accounts.terminate, actor=SYSTEM, hosting=hosting, confirm=hosting.domain))
    for number in range(3):
        actions.append(
            partial(packages.change, actor=SYSTEM, package=ground.package_a, mailboxes=number, databases=90 + number)
        )
        wanted: dict[str, int | None] = dict.fromkeys(reversed(RESOURCES), 1000 + number)
        actions.append(partial(limits.change_limits, actor=SYSTEM, organization=reseller, limits=wanted))
    results = together(actions)
    unexpected = [item for item in results if isinstance(item, Exception) and not isinstance(item, Conflict)]
    assert unexpected == []
    with everything("test"):
        for resource in RESOURCES:
            assert used(reseller.id, resource) == limits.used_by(reseller, resource) == 0
            assert all(used(hosting.id, resource) == 0 for hosting in accounts)
        assert Mailbox.objects.count() == 0
