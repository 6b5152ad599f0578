"""Limit counters: counted at every level with a limit, refused by name, never overrun by a burst."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from accounts.models import LimitCounter, Organization
from accounts.services import limits
from panel.core.errors import Forbidden, Invalid, LimitReached, NotFound
from panel.core.scoping import tenant
from tests import cast as cast_module
from tests.cast import Cast


def used(subject: Organization | str, resource: str = "mailboxes") -> int:
    identifier = subject if isinstance(subject, str) else subject.id
    return LimitCounter.objects.get(subject=identifier, resource=resource).used


def test_every_level_with_a_limit_counts(cast: Cast) -> None:
    a, sub, client = (person.organization for person in (cast.reseller_a, cast.sub_reseller, cast.client_sub))
    for organization, limit in ((a, 10), (sub, 5)):
        limits.set_limit(subject=organization.id, resource="mailboxes", limit=limit)
    limits.take(organization=client, resource="mailboxes", subject="acc_1", amount=3)
    assert [used(level) for level in (a, sub, "acc_1")] == [3, 3, 3]
    limits.take(organization=cast.client_a.organization, resource="mailboxes", amount=2)
    assert [used(level) for level in (a, sub)] == [5, 3]
    limits.give_back(organization=client, resource="mailboxes", subject="acc_1", amount=3)
    assert [used(level) for level in (a, sub, "acc_1")] == [2, 0, 0]


@pytest.mark.parametrize(
    ("limited", "level"),
    [
        ("provider", "the provider"),
        ("reseller_a", "the reseller"),
        ("client_a", "this organization"),
        ("account", "this hosting account"),
    ],
)
def test_the_refusal_names_rule_level_use_and_limit_and_counts_nothing(cast: Cast, limited: str, level: str) -> None:
    subject = "acc_1" if limited == "account" else getattr(cast, limited).organization.id
    limits.set_limit(subject=subject, resource="databases", limit=1)
    client = cast.client_a.organization
    limits.take(organization=client, resource="databases", subject="acc_1")
    with pytest.raises(LimitReached) as refused:
        limits.take(organization=client, resource="databases", subject="acc_1")
    params = refused.value.params
    assert params.pop("remedy") in refused.value.message
    assert params == {"rule": "databases", "level": level, "used": 1, "limit": 1, "wanted": 1}
    assert limits.used_by(client, "databases") == 1
    assert used(subject, "databases") == 1


def test_none_is_unlimited_and_zero_is_none(cast: Cast) -> None:
    client = cast.client_a.organization
    limits.set_limit(subject=client.id, resource="aliases", limit=0)
    with pytest.raises(LimitReached):
        limits.take(organization=client, resource="aliases")
    limits.set_limit(subject=client.id, resource="aliases", limit=None)
    limits.take(organization=client, resource="aliases", amount=10**12)


def test_a_limit_set_later_knows_what_is_there(cast: Cast) -> None:
    for person in (cast.client_a, cast.client_sub, cast.client_b):
        limits.take(organization=person.organization, resource="accounts", amount=2)
    limits.take(organization=cast.reseller_a.organization, resource="accounts")
    assert limits.set_limit(subject=cast.reseller_a.organization.id, resource="accounts", limit=5).used == 5
    assert limits.set_limit(subject=cast.provider.organization.id, resource="accounts", limit=9).used == 7
    with pytest.raises(LimitReached):
        limits.take(organization=cast.client_sub.organization, resource="accounts")


def test_a_limit_below_the_use_refuses_more_and_takes_nothing_away(cast: Cast) -> None:
    client = cast.client_a.organization
    limits.take(organization=client, resource="accounts", amount=3)
    limits.set_limit(subject=client.id, resource="accounts", limit=1)
    with pytest.raises(LimitReached) as refused:
        limits.take(organization=client, resource="accounts")
    assert refused.value.used == 3
    limits.give_back(organization=client, resource="accounts", amount=3)
    limits.take(organization=client, resource="accounts")


def test_nobody_sets_their_own_limits(cast: Cast) -> None:
    def attempt(actor_of: str, organization_of: str) -> None:
        actor = getattr(cast, actor_of).actor
        with tenant(actor.path):
            limits.change_limits(
                actor=actor, organization=getattr(cast, organization_of).organization, limits={"accounts": 5}
            )

    with pytest.raises(Forbidden):
        attempt("reseller_a", "reseller_a")
    with pytest.raises(NotFound):
        attempt("reseller_b", "client_a")
    with pytest.raises(Forbidden):
        attempt("readonly_a", "client_a")
    attempt("reseller_a", "client_a")
    attempt("provider", "reseller_a")


@pytest.mark.parametrize("limit", [-1, True])
def test_bad_limits_are_refused(cast: Cast, limit: int) -> None:
    with pytest.raises(Invalid):
        limits.set_limit(subject=cast.client_a.organization.id, resource="accounts", limit=limit)


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("level", ["account", "client_a", "reseller_a", "provider"])
def test_fifty_at_once_for_one_free_place(level: str) -> None:
    cast = cast_module.make()
    client = cast.client_a.organization
    subject = "acc_1" if level == "account" else getattr(cast, level).organization.id
    limits.set_limit(subject=subject, resource="databases", limit=1)
    outcomes = _at_once(50, lambda: limits.take(organization=client, resource="databases", subject="acc_1"))
    assert outcomes == {"done": 1, "LimitReached": 49}
    assert limits.used_by(client, "databases") == 1


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_a_limit_set_in_the_middle_of_a_burst_counts_right() -> None:
    cast = cast_module.make()
    reseller = cast.reseller_a.organization
    clients = [cast.client_a.organization, cast.client_sub.organization]
    setter = threading.Thread(
        target=_closing(lambda: limits.set_limit(subject=reseller.id, resource="accounts", limit=30))
    )
    setter.start()
    outcomes = _at_once(40, lambda: limits.take(organization=clients[threading.get_ident() % 2], resource="accounts"))
    setter.join(30)
    total = limits.used_by(reseller, "accounts")
    assert outcomes["done"] == total
    assert used(reseller, "accounts") == total


def _at_once(count: int, work: Callable[[], object]) -> Counter[str]:
    """Do `work` in `count` transactions that start together; return how they ended."""
    outcomes: Counter[str] = Counter()
    start = threading.Barrier(count)

    def run() -> None:
        start.wait()
        try:
            with transaction.atomic():
                work()
        except Exception as error:
            outcomes[type(error).__name__] += 1
        else:
            outcomes["done"] += 1

    threads = [threading.Thread(target=_closing(run)) for _number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


def _closing(work: Callable[[], object]) -> Callable[[], None]:
    def wrapped() -> None:
        try:
            work()
        finally:
            connection.close()

    return wrapped
