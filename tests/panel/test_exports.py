"""Lists as files: whole, in pieces, of one's own tenant only, with times and numbers that programs read."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from panel.core import exports
from panel.core.scoping import everything
from provisioning.models import HostingAccount
from tests.cast import Cast, Person
from tests.provisioning import factories

LIST = reverse("provisioning:account_list")


@pytest.fixture
def accounts(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> list[HostingAccount]:
    """Three accounts of client A and one of client B; files come in pieces of two rows."""
    monkeypatch.setattr(exports, "PIECE", 2)
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization, disk_bytes=5_000_000_000)
    other = factories.package(cast.reseller_b.organization)
    made = [factories.account(cast.client_a.organization, package, f"shop-{number}.example") for number in range(3)]
    return [*made, factories.account(cast.client_b.organization, other, "theirs.example")]


def table(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


def fetch(person: Person, url: str, **data: Any) -> list[dict[str, str]]:
    answer = person.browser().get(url, data)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return table(answer.getvalue())


def test_a_list_comes_whole_in_its_order_and_of_ones_own_tenant_only(cast: Cast, accounts: list[HostingAccount]):
    rows = fetch(cast.client_a, LIST, export="csv", sort="-domain", page="2")
    assert [row["Domain"] for row in rows] == ["shop-2.example", "shop-1.example", "shop-0.example"]
    assert [row["Domain"] for row in fetch(cast.reseller_b, LIST, export="csv")] == ["theirs.example"]
    assert len(fetch(cast.provider, LIST, export="csv")) == 4
    assert [row["Domain"] for row in fetch(cast.reseller_a, LIST, export="csv", q="shop-1")] == ["shop-1.example"]


def test_times_are_in_the_readers_zone_and_numbers_are_bare(cast: Cast, accounts: list[HostingAccount]):
    with everything("test"):
        cast.reseller_a.user.timezone = "Asia/Kolkata"
        cast.reseller_a.user.save()
    created = fetch(cast.reseller_a, LIST, export="csv")[0]["Created"]
    assert created.endswith("+05:30")
    assert created[4] == "-"
    package = fetch(cast.reseller_a, reverse("provisioning:package_list"), export="csv")[0]
    assert package["Disk"] == "5000000000"
    assert package["Mailboxes"] == "unlimited"


def test_a_file_takes_queries_by_piece_not_by_row(
    cast: Cast, accounts: list[HostingAccount], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(exports, "PIECE", 500)
    with CaptureQueriesContext(connection) as few:
        fetch(cast.client_a, LIST, export="csv")
    with CaptureQueriesContext(connection) as more:
        fetch(cast.provider, LIST, export="csv")
    assert len(more) == len(few)


def test_every_list_of_an_account_comes_as_a_file_too(cast: Cast, accounts: list[HostingAccount]):
    tabs = {"account_mail": 2, "account_databases": 2, "account_sites": 1, "account_zones": 1, "account_history": 1}
    for tab, count in tabs.items():
        url = reverse(f"provisioning:{tab}", args=[accounts[0].pk])
        names = re.findall(r'href="\?export=([^"]+)"', cast.client_a.browser().get(url).content.decode())
        assert len(set(names)) <= count, tab
        for name in names:
            assert fetch(cast.client_a, url, export=name), (tab, name)
        assert cast.client_a.browser().get(url, {"export": "nothing"}).status_code == 404
        assert cast.client_b.browser().get(url, {"export": "csv"}).status_code == 404
    records = fetch(cast.client_a, reverse("provisioning:account_zones", args=[accounts[0].pk]), export="0")
    assert {"A", "MX", "NS"} <= {row["Type"] for row in records}


@pytest.mark.parametrize("how", [{"format": "csv"}, {}])
def test_the_api_sends_lists_as_files(cast: Cast, accounts: list[HostingAccount], how: dict[str, str]):
    program = cast.client_a.program()
    answer = program.get("/api/v1/accounts", how, headers={} if how else {"accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = table(answer.getvalue())
    assert [row["domain"] for row in rows] == ["shop-2.example", "shop-1.example", "shop-0.example"]
    assert {row["client"] for row in rows} == {cast.client_a.organization.pk}
    zone = program.get("/api/v1/zones").json()["items"][0]["id"]
    records = table(program.get(f"/api/v1/zones/{zone}/records?format=csv").getvalue())
    assert {"A", "MX", "NS"} <= {row["type"] for row in records}
    refused = program.get("/api/v1/accounts?format=csv&colour=red")
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/problem+json")


def test_the_api_sends_no_file_of_what_is_no_list(cast: Cast, accounts: list[HostingAccount]):
    answer = cast.client_a.program().get(f"/api/v1/accounts/{accounts[0].pk}", headers={"accept": "text/csv"})
    assert answer.status_code == 406


@pytest.mark.django_db(transaction=True)
def test_a_file_is_sent_in_pieces_by_the_event_loop_too(cast: Cast, accounts: list[HostingAccount], settings: Any):
    settings.PROVIDER_HOSTS = ["testserver"]  # what the client says
    client = AsyncClient()
    client.force_login(cast.provider.user)

    async def read() -> list[bytes]:
        answer: Any = await client.get(LIST, {"export": "csv", "sort": "domain"})
        return [piece async for piece in answer]

    pieces = async_to_sync(read)()
    assert len(pieces) == 3  # the head, and twice two rows
    assert [row["Domain"] for row in table(b"".join(pieces))] == sorted(row.domain for row in accounts)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        (-5, "-5"),
        (None, ""),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_is_taken_for_a_formula(value: object, text: str):
    assert exports.inert(value) == text
