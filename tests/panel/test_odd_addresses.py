"""Addresses that make no sense: ids that no row has, months and pages that there are not. Nothing breaks on them."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.cast import Cast

IDS = (
    "/customers/%00/",
    "/invoices/inv_%00/pdf/",
    "/api/v1/customers/%00",
    "/api/v1/invoices/%00",
    "/order/watch/%00/",
)
QUERIES = ("/customers/?q=%00", "/billing/payments/record/?invoice=%00", "/?q=%00")
MONTHS = ("since=9999-12", "until=9999-12", "until=0001-01", "since=0001-01&until=0001-01")
REPORTS = ("profit", "recurring", "taxes")
NUMBERED = ("/api/v1/meter-events", "/api/v1/me/passkeys")


@pytest.fixture
def owner(cast: Cast) -> Client:
    """Reseller A's owner."""
    cache.clear()
    return cast.reseller_a.browser()


@pytest.mark.parametrize("url", IDS + QUERIES)
def test_no_address_holds_a_nul(owner: Client, url: str) -> None:
    answer = owner.get(url)
    assert answer.status_code == 404
    assert (answer.headers["content-type"] == "application/problem+json") == url.startswith("/api/")


def test_a_payment_service_is_told_nothing_about_such_an_address(db: None) -> None:
    answer = Client(headers={"host": "hooks.invalid"}).post(
        "/hooks/payments/%00", b"{}", content_type="application/json"
    )
    assert (answer.status_code, answer.content) == (400, b"")


def test_a_filter_with_a_nul_is_refused_by_its_name(owner: Client) -> None:
    refused = owner.get("/api/v1/invoices?customer=%00")
    assert (refused.status_code, refused.json()["field"]) == (400, "customer")


@pytest.mark.parametrize("query", MONTHS)
def test_reports_tell_of_months_that_can_be(owner: Client, query: str) -> None:
    for name in REPORTS:
        assert owner.get(f"{reverse(f'billing:report_{name}')}?{query}").status_code == 400
        refused = owner.get(f"/api/v1/reports/{name}?{query}")
        assert (refused.status_code, refused.json()["field"] in query) == (400, True)
    assert owner.get(reverse("billing:report_owed"), {"until": "never"}).status_code == 200


@pytest.mark.parametrize("url", NUMBERED)
def test_a_cursor_is_one_of_the_list_s(owner: Client, url: str) -> None:
    for cursor in ("abc", "zzz_1", "1_0_"):
        refused = owner.get(url, {"cursor": cursor})
        assert (refused.status_code, refused.json()["field"]) == (400, "cursor")
    assert owner.get(url, {"cursor": "9" * 40}).status_code == 200


def test_a_page_has_200_items_at_most(owner: Client) -> None:
    for limit in ("201", "0002000000", "1e2", "-1", "", "٢"):
        refused = owner.get("/api/v1/invoices", {"limit": limit})
        assert (refused.status_code, refused.json()["field"]) == (400, "limit")


def test_the_last_day_is_no_error(owner: Client) -> None:
    assert owner.get(reverse("dashboard:activity"), {"until": "9999-12-31"}).status_code == 200
