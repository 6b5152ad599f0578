"""Every route and a client who is suspended: what it owes and paying it are open, and nothing else is."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Organization
from tests.panel.matrix import ROWS, Row
from tests.panel.world import World, world  # noqa: F401 (a fixture)

# Route → the methods that stay open, in pages and API alike.
OPEN = {
    "billing:bill_list": "GET",
    "billing:invoice": "GET",
    "billing:invoice_pdf": "GET",
    "billing_api:invoice_dunning": "GET",
    "billing:invoice_pay": "GET POST",
    "billing:invoice_pay_credit": "GET POST",
    "billing:pay_all": "GET POST",
    "billing:paid_list": "GET",
    "billing:payment": "GET",
    "billing:cards": "GET",
    "billing:card_add": "GET POST",
    "billing:card_default": "GET POST",
    "billing:card_remove": "GET POST",
    "billing_api:invoices": "GET",
    "billing_api:invoice": "GET",
    "billing_api:invoice_pdf": "GET",
    "billing_api:invoice_pay": "POST",
    "billing_api:invoice_pay_credit": "POST",
    "billing_api:payments": "GET",
    "billing_api:payment": "GET",
    "billing_api:cards": "GET POST",
    "billing_api:card": "GET DELETE",
    "billing_api:card_default": "POST",
}
# Beside them one may work for another organization of one's own.
ELSEWHERE = {"dashboard:switch", "accounts:impersonation_end"}


CASES = [
    pytest.param(row, way, id=f"{row} {way}")
    for row in ROWS
    if row.route not in ELSEWHERE
    for way in ("browser", "program")
    if way == "browser" or "_api:" in row.route
]


@pytest.mark.parametrize(("row", "way"), CASES)
def test_what_is_left(world: World, db: None, row: Row, way: str) -> None:  # noqa: F811
    cache.clear()
    client = world.cast.client_a
    arguments = {}
    for part in row.of.split():
        name, _equals, key = part.rpartition("=")
        arguments["pk" if name in ("", "below") else name] = world.objects[key][0]
    wrong = {}
    for method in row.methods.split():
        with transaction.atomic():
            program = client.program() if way == "program" else client.browser()
            Organization._base_manager.filter(pk=client.organization.pk).update(
                status="suspended", suspended_by=world.cast.reseller_a.organization
            )
            found = _outcome(program, method, reverse(row.route, kwargs=arguments), api="_api:" in row.route)
            transaction.set_rollback(True)
        is_open = method in OPEN.get(row.route, "").split()
        if found != ("open" if is_open and "client_a" in row.may else "closed"):
            wrong[method] = found
    assert wrong == {}


def _outcome(client: Client, method: str, url: str, *, api: bool) -> str:
    kind = "application/json" if api else "application/x-www-form-urlencoded"
    answer = client.generic(method, url, b"{}" if api else b"", content_type=kind)
    return "closed" if answer.status_code in (403, 404) else "open"


def test_the_page_says_why_and_leads_to_the_invoices(world: World, db: None) -> None:  # noqa: F811
    client = world.cast.client_a
    Organization._base_manager.filter(pk=client.organization.pk).update(
        status="suspended", suspended_by=world.cast.reseller_a.organization, suspended_reason="Invoice 1 is not paid."
    )
    page = client.browser().get("/").content.decode()
    assert "Invoice 1 is not paid." in page
    assert reverse("billing:bill_list") in page
    bills = client.browser().get(reverse("billing:bill_list"))
    assert bills.status_code == 200
    assert reverse("accounts:profile") not in bills.content.decode()


def test_below_somebody_suspended_there_is_nothing_to_pay(world: World, db: None) -> None:  # noqa: F811
    reseller = world.cast.reseller_a.organization
    Organization._base_manager.filter(pk=reseller.pk).update(
        status="suspended", suspended_by=world.cast.provider.organization
    )
    browser = world.cast.client_a.browser()
    for url in ("/", reverse("billing:bill_list")):
        page = browser.get(url)
        assert page.status_code == 403
        assert reverse("billing:bill_list") not in page.content.decode()
