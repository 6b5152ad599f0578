"""Accounts ordered by API at once while workers, Redis or PostgreSQL end: each is live or refused with a reason."""

from __future__ import annotations

import threading
from functools import partial

import pytest
import redis
from django.db import connections

from panel.core.scoping import everything
from provisioning.models import HostingAccount, Intent, Operation
from tests.faults import web
from tests.faults.bed import Bed, Trial
from tests.faults.web import Api, Crew
from tests.provisioning.engine_world import until

pytestmark = pytest.mark.faults

COUNTS = [40, pytest.param(200, marks=pytest.mark.long)]
SETTLE_SECONDS = 240


def nothing_open() -> bool:
    """Whether every operation has ended and nothing waits."""
    return not (Intent.objects.exists() or Operation._base_manager.filter(status__in=Operation.OPEN).exists())


@pytest.mark.parametrize("count", COUNTS)
def test_creates_while_workers_are_killed_and_redis_is_flushed(bed: Bed, count: int):
    """Issue 3, acceptance 4."""
    with bed.trial(f"{count} creates under fire", 1) as trial, web.serving(bed, trial) as api:
        crew = Crew(bed, 3)
        try:
            domains = [f"fire{number}-{count}.example" for number in range(count)]
            over = threading.Event()
            fire = threading.Thread(target=shoot, args=(bed, trial, crew, over), daemon=True)
            fire.start()
            try:
                api.create_many([*domains, domains[0].upper(), "bystander.example"], trial.accepted)
                until("half is settled", lambda: settled(domains) >= count // 2, SETTLE_SECONDS)
                until("both have happened", lambda: len(shots(trial)) == 2, SETTLE_SECONDS)
            finally:
                over.set()
                fire.join(30)
            until("everything is settled", nothing_open, SETTLE_SECONDS)
        finally:
            crew.end()
        assert len(set(trial.accepted)) == count
        assert settled(domains) == count


def shots(trial: Trial) -> set[str]:
    """Return which kinds of shots have hit."""
    return {event["event"] for event in trial.history.events} & {"killed a worker", "flushed Redis"}


def settled(domains: list[str]) -> int:
    """Return how many of some accounts are live."""
    done = Operation._base_manager.filter(verb="account.create", subject__in=domains, status="applied")
    return done.count()


def shoot(bed: Bed, trial: Trial, crew: Crew, over: threading.Event) -> None:
    """Kill workers and flush Redis, at random."""
    store = redis.Redis.from_url(bed.redis)
    dice = trial.history.random
    try:
        while not over.wait(dice.uniform(0.5, 2.5)):
            if dice.random() < 0.5:
                store.flushall()
                trial.history.add("flushed Redis")
            else:
                number = dice.randrange(3)
                crew.kill(number)
                trial.history.add("killed a worker", number=number)
    finally:
        store.close()


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.long)])
def test_x3_creates_while_postgresql_restarts_at_once(bed: Bed, count: int):
    """pg_ctl stop -m immediate and a start, three times: 503, or nothing, or an answer; never half of an account."""
    with bed.trial(f"{count} creates without a database", 1) as trial, web.serving(bed, trial) as api:
        crew = Crew(bed, 2)
        try:
            domains = [f"gap{number}-{count}.example" for number in range(count)]
            callers = threading.Thread(target=api.create_many, args=(domains, trial.accepted), daemon=True)
            callers.start()
            for number in range(1, 4):
                until("some are accepted", partial(has_accepted, api, number * count // 5), 120)
                connections.close_all()
                bed.cluster.restart_at_once()
                trial.history.add("restarted PostgreSQL")
            callers.join(240)
            assert not callers.is_alive()
            until("everything is settled", nothing_open, SETTLE_SECONDS)
        finally:
            crew.end()
        assert len(set(trial.accepted)) == count
        trial.history.check("no half of an account", halves(domains))


def has_accepted(api: Api, count: int) -> bool:
    """Whether some accounts have been accepted."""
    return api.answers["202"] >= count


def halves(domains: list[str]) -> list[str]:
    """Return the accounts that lack something that an order makes with them."""
    wrong = []
    with everything("test"):
        for domain in domains:
            rows = list(HostingAccount.objects.filter(domain=domain))
            if len(rows) != 1:
                wrong.append(f"{domain}: {len(rows)} accounts")
                continue
            one = rows[0]
            parts = (one.placements, one.sites, one.zones, one.mail_domains, one.slices, one.operations)
            wrong += [f"{domain}: no {part.model.__name__}" for part in parts if not part.exists()]
    return wrong
