"""K1, K2, X21 by the API on PostgreSQL: many requests at once, and what exactly one of them gets."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from django.db import connection
from django.test import Client

from accounts.services import limits
from panel.core.scoping import everything
from provisioning.models import Domain, HostingAccount, Zone
from tests import cast as cast_module
from tests.provisioning import factories
from tests.provisioning.api.conftest import Program, Stage

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

SECONDS = 120


@pytest.fixture
def committed(transactional_db: None) -> Stage:
    """The stage, committed, so that other connections see it."""
    cast = cast_module.make()
    server = factories.server(cast.provider.organization)
    package_a = factories.package(cast.reseller_a.organization)
    package_b = factories.package(cast.reseller_b.organization)
    account_a = factories.account(cast.client_a.organization, package_a, "a-example.org")
    account_b = factories.account(cast.client_b.organization, package_b, "b-example.org")
    return Stage(cast, server, package_a, package_b, account_a, account_b)


def at_once(jobs: Sequence[Callable[[], int]]) -> Counter[int]:
    """Start all jobs together; return how often each status came."""
    statuses: Counter[int] = Counter()
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], int]) -> None:
        start.wait(SECONDS)
        try:
            statuses[job()] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    return statuses


def twin(program: Program) -> Program:
    """Return a program with the same token and a connection of its own."""
    defaults = program.client.defaults
    headers = {"host": str(defaults["HTTP_HOST"]), "authorization": str(defaults["HTTP_AUTHORIZATION"])}
    return Program(Client(headers=headers))


def order(program: Program, client: str, package: str, **values: str) -> Callable[[], int]:
    """Return a job that orders an account."""
    body = {"client": client, "package": package, **values}
    own = twin(program)
    return lambda: int(own.send("POST", "/accounts", body).status_code)


def test_one_of_many_editors_wins(committed: Stage):
    program = committed.program("client_a")
    with everything("test"):
        zone = Zone.objects.get(name="a-example.org").pk
    made = program.send("POST", f"/zones/{zone}/records", {"type": "A", "name": "x", "content": "203.0.113.9"})
    path, tag = f"/zones/{zone}/records/{made.json()['record']['id']}", made["ETag"]

    def edit(number: int) -> Callable[[], int]:
        own = twin(program)
        body = {"content": f"203.0.113.{100 + number}"}
        return lambda: int(own.send("PATCH", path, body, If_Match=tag).status_code)

    assert at_once([edit(number) for number in range(12)]) == {202: 1, 412: 11}


def test_two_resellers_want_one_domain(committed: Stage):
    cast = committed.cast
    a, b = committed.program("reseller_a"), committed.program("reseller_b")
    jobs = [
        order(a, cast.client_a.organization.pk, committed.package_a.pk, domain="wanted-example.org", username=f"a{n}")
        if n % 2
        else order(
            b, cast.client_b.organization.pk, committed.package_b.pk, domain="Wanted-Example.org", username=f"b{n}"
        )
        for n in range(12)
    ]
    assert at_once(jobs) == {202: 1, 409: 11}
    with everything("test"):
        assert Domain.objects.filter(name="wanted-example.org").count() == 1
        assert HostingAccount.objects.count() == 3


def test_one_user_name_is_given_once(committed: Stage):
    client, package = committed.cast.client_a.organization.pk, committed.package_a.pk
    program = committed.program("reseller_a")
    jobs = [order(program, client, package, domain=f"n{n}-example.org", username="wanted") for n in range(12)]
    assert at_once(jobs) == {202: 1, 409: 11}


def test_one_free_place_is_taken_once(committed: Stage):
    cast = committed.cast
    limits.set_limit(subject=cast.reseller_a.organization.pk, resource="accounts", limit=2)
    program = committed.program("reseller_a")
    jobs = [
        order(program, cast.client_a.organization.pk, committed.package_a.pk, domain=f"n{n}-example.org")
        for n in range(12)
    ]
    assert at_once(jobs) == {202: 1, 409: 11}
    with everything("test"):
        assert HostingAccount.objects.filter(organization=cast.client_a.organization).count() == 2
