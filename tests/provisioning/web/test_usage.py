"""Pages of use: gauges and lists, what a limit is worth, the way to a measuring."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import LimitCounter
from panel.core import queue
from panel.core.scoping import everything
from provisioning.models import HostingAccount
from provisioning.services import usage as service
from tests.cast import Cast
from tests.provisioning import factories

GB = 10**9


@pytest.fixture
def account(cast: Cast) -> HostingAccount:
    """An account of client A on a ready server."""
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization, disk_bytes=20 * GB)
    return factories.account(cast.client_a.organization, package, "bakery.example")


def measure(account: HostingAccount, quota: str = "none", **more: Any) -> None:
    """Let the account's server tell of it."""
    now = int(datetime.now(UTC).timestamp())
    day = datetime.fromtimestamp(now, UTC).date().isoformat()
    part = {
        "measured_at": now,
        "disk_bytes": 12 * GB,
        "inodes": 4321,
        "mail_bytes": 2 * GB,
        "unread": 0,
        "databases": {"bakery_shop": GB},
        "web": {day: {"bakery.example": [3 * GB, 17]}},
        "mail": {day: [1234, 5 * GB, 77, GB]},
        **more,
    }
    figures = {
        "load": [0.1, 0.5, 0.2],
        "processors": 2,
        "memory_bytes": 4 * GB,
        "memory_free_bytes": GB,
        "disks": [{"path": "/", "bytes": 90 * GB, "free_bytes": 50 * GB}],
        "sites": 1,
        "pools": 1,
        "databases": 1,
        "versions": {"nginx": "1.26.3"},
        "quota": quota,
    }
    report = {"at": now, "measuring": False, "server": figures, "accounts": {account.pk: part}}
    with everything("test"):
        server = account.placements.first().server  # type: ignore[union-attr]
        service.finish(service.begin(server.pk)[0], report)


def page(cast: Cast, who: str, account: HostingAccount) -> str:
    return str(getattr(cast, who).browser().get(url("account_usage", account)).content.decode())


def url(name: str, row: Any) -> str:
    return reverse(f"provisioning:{name}", args=[row.pk])


def test_an_account_shows_what_it_uses(cast: Cast, account: HostingAccount):
    measure(account)
    text = page(cast, "client_a", account).replace("\N{NO-BREAK SPACE}", " ")
    for words in ("13 GB of 20 GB", "3 GB", "17 requests", "bakery_shop", "4321", "measured, not enforced"):
        assert words in text, words
    assert url("account_measure", account) in text


def test_the_days_are_worked_out_once(cast: Cast, account: HostingAccount):
    measure(account)
    browser = cast.client_a.browser()
    with CaptureQueriesContext(connection) as asked:
        browser.get(url("account_usage", account))
    grouped = [row["sql"] for row in asked if "usageday" in row["sql"] and "GROUP BY" in row["sql"]]
    assert len(grouped) == 1


def plain(page: str) -> str:
    """The text of a page, with plain spaces."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).replace("\N{NO-BREAK SPACE}", " ").split())


def test_mails_are_shown_to_all_above(cast: Cast, account: HostingAccount):
    measure(account)
    with everything("test"):
        server = account.placements.first().server  # type: ignore[union-attr]
    client, reseller = cast.client_a.organization, cast.reseller_a.organization
    seen = (
        ("client_a", url("account_usage", account)),
        ("client_a", reverse("provisioning:own_usage")),
        ("reseller_a", url("organization_usage", client)),
        ("reseller_a", reverse("provisioning:own_usage")),
        ("provider", url("organization_usage", reseller)),
        ("provider", url("server", server)),
    )
    for who, address in seen:
        text = plain(getattr(cast, who).browser().get(address).content.decode())
        assert "Mails sent this month 1234 · 5 GB" in text, address
        assert "Mails received this month 77 · 1 GB" in text, address
    nobody = cast.reseller_b.browser().get(reverse("provisioning:own_usage"))
    assert "Mails sent this month 0 · 0 B" in plain(nobody.content.decode())


def test_days_are_exported(cast: Cast, account: HostingAccount):
    measure(account)
    today = datetime.now(UTC).date().isoformat()
    browser = cast.client_a.browser()
    for address in (
        f"{url('account_usage', account)}?export=usageday",
        f"{reverse('provisioning:own_usage')}?export=csv",
    ):
        lines = b"".join(browser.get(address)).decode().splitlines()
        assert lines[0].startswith("Day,Disk space,Traffic,Requests,Mails sent"), address
        assert lines[1:] == [f"{today},{13 * GB},{3 * GB},17,1234,{5 * GB},77,{GB}"], address


def test_an_organization_leads_to_its_use(cast: Cast, account: HostingAccount):
    client = cast.client_a.organization
    page = cast.reseller_a.browser().get(reverse("accounts:client", args=[client.pk])).content.decode()
    assert url("organization_usage", client) in page
    assert reverse("provisioning:own_usage") in cast.reseller_a.browser().get("/").content.decode()


def test_where_the_kernel_holds_the_limit_it_says_so(cast: Cast, account: HostingAccount):
    measure(account, "enforced", unread=2)
    text = page(cast, "client_a", account)
    assert "not enforced" not in text
    assert "refuses files beyond the limit" in text
    assert "could not be counted" in text


def test_a_limit_that_is_reached_is_said(cast: Cast, account: HostingAccount):
    measure(account)
    LimitCounter.objects.filter(subject=account.pk, resource="bandwidth_bytes").update(limit=GB)
    assert "The limit is reached." in page(cast, "client_a", account)


def test_an_account_that_was_not_measured_says_so(cast: Cast, account: HostingAccount):
    assert "was not measured yet" in page(cast, "client_a", account)


def test_who_only_looks_gets_no_button(cast: Cast, account: HostingAccount):
    assert url("account_measure", account) not in page(cast, "readonly_a", account)


def test_measuring_is_asked_for_by_a_button(cast: Cast, account: HostingAccount, monkeypatch: pytest.MonkeyPatch):
    rung: list[tuple[str, ...]] = []
    monkeypatch.setattr(queue, "ring", lambda *arguments: rung.append(arguments))
    with everything("test"):
        server = account.placements.first().server  # type: ignore[union-attr]
    answer = cast.client_a.browser().post(url("account_measure", account))
    assert answer.headers["Location"] == url("account_usage", account)
    browser = cast.provider.browser()
    assert browser.post(url("server_measure", server)).headers["Location"] == url("server", server)
    assert rung == [(service.ACCOUNT_TASK, server.pk, account.pk), (service.TASK, server.pk)]


def test_a_server_shows_its_load_and_capacity(cast: Cast, account: HostingAccount):
    with everything("test"):
        server = account.placements.first().server  # type: ignore[union-attr]
    browser = cast.provider.browser()
    assert "Not measured yet." in browser.get(url("server", server)).content.decode()
    measure(account)
    text = browser.get(url("server", server)).content.decode().replace("\N{NO-BREAK SPACE}", " ")
    for words in ("40 GB of 90 GB", "3 GB of 4 GB", "on 2 processors", "1.26.3", "measured, not enforced", "13 GB"):
        assert words in text, words
