"""Money and the roles within an organization: every route of billing by technician, billing and read-only people of a
seller and of a buyer, by who acts as somebody else, and by programs with narrow scopes.
"""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import resolve, reverse
from pytest_django import DjangoDbBlocker

from panel.core.scoping import everything
from tests.cast import HOST_A, Person, person
from tests.panel.matrix import ROWS, Row
from tests.panel.test_matrix import _arguments, _body, _outcome
from tests.panel.world import World, world  # noqa: F401 (a fixture)

#: Beside owners, and the read-only person of a seller whom the matrix asks about.
ROLES = [
    ("technician", "reseller_a"),
    ("billing", "reseller_a"),
    ("technician", "client_a"),
    ("billing", "client_a"),
    ("readonly", "client_a"),
]
MONEY = [row for row in ROWS if row.route.startswith(("billing:", "billing_api:"))]

#: What only owners and admins of a seller do: bank account, payment service, and what programs are told, and where.
OF_OWNERS = {
    "billing:seller_bank": "GET POST",
    "billing_api:seller_bank": "PATCH",
    "billing:gateway": "GET POST",
    "billing:gateway_test": "GET",
    "billing:gateway_switch": "GET POST",
    "billing_api:gateway": "GET PUT PATCH",
    "billing_api:gateway_test": "POST",
    "billing:hook_create": "GET POST",
    "billing:hook_change": "GET POST",
    "billing:hook_rotate": "GET POST",
    "billing:hook_test": "GET POST",
    "billing:hook_remove": "GET POST",
    "billing:hook_resend": "GET POST",
    "billing_api:webhooks": "POST",
    "billing_api:webhook": "PATCH DELETE",
    "billing_api:webhook_rotate": "POST",
    "billing_api:webhook_test": "POST",
    "billing_api:webhook_message_resend": "POST",
}
#: What technicians see of money: who the customers are, what is sold, what was ordered, what was used.
OF_TECHNICIANS = dict.fromkeys(
    "billing:customer_list billing:customer billing_api:customers billing_api:customer billing_api:own_details"
    " billing:own_details billing:order_list billing:order billing_api:orders billing_api:order"
    " billing_api:products billing:product_list billing:product billing_api:product billing_api:product_prices"
    " billing:price_list billing_api:product_impact billing_api:prices billing_api:price"
    " billing:tax_rate_list billing_api:tax_rates billing_api:tax_rate billing_api:seller billing_api:seller_bank"
    " billing:meter_list billing_api:meters billing_api:meter billing:feed_list billing:feed billing_api:price_feeds"
    " billing_api:price_feed_points billing:use_list billing_api:meter_events billing:start".split(),
    "GET",
) | {
    "billing:calculator": "GET POST",
    "billing_api:rate": "POST",
    "billing:order_retry": "GET POST",
    "billing_api:order_retry": "POST",
}
#: What nobody does in another person's name: pay, keep cards, pay back, and what leads money or its news elsewhere.
NOT_IMPERSONATED = {
    "billing:invoice_pay",
    "billing:invoice_pay_credit",
    "billing:pay_all",
    "billing:card_add",
    "billing:card_default",
    "billing:card_remove",
    "billing:payment_refund",
    "billing:payment_keep",
    "billing:gateway",
    "billing:gateway_switch",
    "billing:gateway_test",
    "billing:hook_create",
    "billing:hook_change",
    "billing:hook_rotate",
    "billing:seller_bank",
}


@pytest.fixture(scope="module")
def people(world: World, django_db_blocker: DjangoDbBlocker) -> dict[str, Person]:  # noqa: F811
    """Somebody of each of ROLES."""
    found = {}
    with django_db_blocker.unblock(), everything("test"):
        for role, place in ROLES:
            organization = getattr(world.cast, place).organization
            found[f"{role} of {place}"] = person(organization, f"{role}-{place.replace('_', '-')}", HOST_A, role)
    return found


def expected(row: Row, method: str, role: str, place: str) -> bool:
    """Tell whether somebody of a role may, whose owner may or may not."""
    if place not in row.may:
        return False
    if role == "readonly":
        return method == "GET" and "POST" not in row.methods
    if role == "technician":
        return method in OF_TECHNICIANS.get(row.route, "").split()
    return method not in OF_OWNERS.get(row.route, "").split()


@pytest.mark.parametrize(("role", "place"), ROLES)
def test_who_may_by_role(world: World, people: dict[str, Person], db: None, role: str, place: str) -> None:  # noqa: F811
    browser = people[f"{role} of {place}"].browser()
    wrong = []
    for row in MONEY:
        if place not in row.may:
            continue
        url = reverse(row.route, kwargs=_arguments(world, row)[0])
        for method in row.methods.split():
            cache.clear()
            with transaction.atomic():
                got_in = _outcome(browser.generic(method, url, **_body(row))) == "in"
                transaction.set_rollback(True)
            if got_in != expected(row, method, role, place):
                wrong.append(f"{method} {row.route}: {'in' if got_in else 'kept out'}")
    assert wrong == []


@pytest.mark.parametrize(("who", "whom"), [("reseller_a", "client_a"), ("provider", "reseller_a")])
def test_what_nobody_does_in_another_s_name(world: World, db: None, who: str, whom: str) -> None:  # noqa: F811
    actor: Person = getattr(world.cast, who)
    browser = actor.browser()
    membership = getattr(world.cast, whom).membership
    browser.post(reverse("accounts:impersonate", args=[membership.pk]), {"reason": "Ticket 7"})
    assert browser.get("/api/v1/me").json()["user"] == membership.user_id
    open_to: set[str] = set()
    closed_to: set[str] = set()
    for row in MONEY:
        if whom not in row.may or "POST" not in row.methods or ":" not in row.route or "_api" in row.route:
            continue
        url = reverse(row.route, kwargs=_arguments(world, row)[0])
        with transaction.atomic():
            outcome = _outcome(browser.post(url))
            transaction.set_rollback(True)
        (open_to if outcome == "in" else closed_to).add(row.route)
    assert closed_to == {route for route in NOT_IMPERSONATED if route in open_to | closed_to}
    assert closed_to


@pytest.mark.parametrize("scope", ["meter_event.create", "*.view"])
def test_a_program_reaches_its_scopes_and_nothing_else(world: World, db: None, scope: str) -> None:  # noqa: F811
    noun, _dot, verb = scope.partition(".")
    program: Client = world.cast.reseller_a.program(scope)
    wrong = []
    for row in MONEY:
        if "_api:" not in row.route or "reseller_a" not in row.may:
            continue
        url = reverse(row.route, kwargs=_arguments(world, row)[0])
        for method in row.methods.split():
            cache.clear()
            action = _action(url, method)
            covered = action == scope or (noun == "*" and action.endswith(f".{verb}"))
            with transaction.atomic():
                got_in = _outcome(program.generic(method, url, **_body(row))) == "in"
                transaction.set_rollback(True)
            if got_in != covered:
                wrong.append(f"{method} {row.route} ({action}): {'in' if got_in else 'kept out'}")
    assert wrong == []


def _action(url: str, method: str) -> str:
    view = resolve(url).func.cls  # type: ignore[attr-defined]
    return str(view.actions[method])
