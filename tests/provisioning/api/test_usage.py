"""Use by program: of accounts, organizations and servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import LimitCounter
from panel.core.scoping import everything
from provisioning.models import UsageDay
from provisioning.services import usage as service
from tests.provisioning.api.conftest import Stage

NOW = datetime.now(UTC)
TODAY = NOW.date()
GB = 10**9


@pytest.fixture
def measured(stage: Stage) -> Stage:
    """The stage, whose account A was measured for three days, and its server once."""
    for back in (2, 1):
        UsageDay.objects.create(
            hosting=stage.account_a,
            server=stage.server,
            date=TODAY - timedelta(days=back),
            disk_bytes=(10 - back) * GB,
            database_bytes=0,
            measured_at=NOW - timedelta(days=back),
        )
    account = {
        "measured_at": int(NOW.timestamp()),
        "disk_bytes": 10 * GB,
        "inodes": 12,
        "mail_bytes": GB,
        "unread": 0,
        "databases": {"a_shop": 5},
        "web": {TODAY.isoformat(): {"a-example.org": [700, 7]}},
        "mail": {TODAY.isoformat(): [12, 3400, 5, 600]},
    }
    figures = {
        "load": [0.1, 0.5, 0.2],
        "processors": 2,
        "memory_bytes": 4 * GB,
        "memory_free_bytes": GB,
        "uptime_seconds": 60,
        "disks": [{"path": "/", "bytes": 9, "free_bytes": 5, "inodes": 8, "free_inodes": 7}],
        "sites": 1,
        "pools": 1,
        "databases": 1,
        "versions": {"nginx": "1.26.3"},
        "quota": "none",
    }
    report = {"at": int(NOW.timestamp()), "measuring": False, "server": figures}
    with everything("test"):
        reading = service.begin(stage.server.pk)[0]
        service.finish(reading, {**report, "accounts": {stage.account_a.pk: account}})
        LimitCounter.objects.filter(subject=stage.account_a.pk, resource="disk_bytes").update(limit=13 * GB)
    return stage


def test_an_account_tells_what_it_uses(measured: Stage):
    told = measured.program("client_a").get(f"/accounts/{measured.account_a.pk}/usage?days=3")
    assert told["now"]["disk_bytes"] == 10 * GB
    assert told["now"]["storage_bytes"] == 10 * GB + 5
    assert (told["disk"]["used"], told["disk"]["limit"]) == (10 * GB + 5, 13 * GB)
    assert told["disk"]["forecast"]["reached_on"] == (TODAY + timedelta(days=3)).isoformat()
    assert told["bandwidth"]["used"] == 700
    assert [day["disk_bytes"] for day in told["days"]] == [8 * GB, 9 * GB, 10 * GB]
    assert told["sites"] == [{"site": "a-example.org", "web_bytes": 700, "web_requests": 7}]
    assert told["databases"] == {"a_shop": 5}
    for part in (told["now"], told["days"][-1]):
        assert (part["mails_sent"], part["mails_sent_bytes"]) == (12, 3400)
        assert (part["mails_received"], part["mails_received_bytes"]) == (5, 600)
    assert told["days"][0]["mails_sent"] == 0
    assert told["enforced"] is False


def test_an_organization_tells_what_all_below_it_use(measured: Stage):
    reseller = measured.cast.reseller_a.organization
    told = measured.program("reseller_a").get(f"/organizations/{reseller.pk}/usage")
    assert (told["now"]["storage_bytes"], told["now"]["accounts"]) == (10 * GB + 5, 1)
    assert len(told["days"]) == 30
    assert (told["now"]["mails_sent"], told["now"]["mails_received"]) == (12, 5)
    other = measured.cast.reseller_b.organization
    assert measured.program("reseller_b").get(f"/organizations/{other.pk}/usage")["now"]["storage_bytes"] == 0


def test_a_server_tells_how_it_stands(measured: Stage):
    told = measured.program("provider").get(f"/servers/{measured.server.pk}/usage")
    assert (told["reading"]["load"], told["reading"]["processors"]) == (0.5, 2)
    assert told["reading"]["versions"] == {"nginx": "1.26.3"}
    assert told["now"]["storage_bytes"] == 10 * GB + 5
    assert (told["now"]["mails_sent"], told["days"][-1]["mails_received"]) == (12, 5)


def test_a_server_that_was_not_measured_has_no_reading(stage: Stage):
    assert stage.program("provider").get(f"/servers/{stage.server.pk}/usage")["reading"] is None


@pytest.mark.parametrize("days", ["0", "401", "-1", "many", ""])
def test_a_range_that_cannot_be_is_refused(stage: Stage, days: str):
    problem: Any = stage.program("client_a").get(f"/accounts/{stage.account_a.pk}/usage?days={days}", 400)
    assert "days" in problem["errors"]
