"""Pages and API of plans and limits: what a change would do is shown before it is done, and why one more is refused."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import Organization, ResellerPlan
from accounts.selectors import limits as limit_selectors
from accounts.services import limits, plans
from panel.core.api.limits import SOURCES
from panel.core.scoping import everything
from tests.cast import Cast

GB = 1_000_000_000


def sold(cast: Cast, **values: Any) -> ResellerPlan:
    """Put a plan of the provider on sale and give it to reseller A."""
    with everything("test"):
        provider = cast.provider.organization
        plan = plans.create(actor=cast.provider.actor, organization=provider, name="Studio", **values)
        plans.assign(actor=cast.provider.actor, organization=cast.reseller_a.organization, plan=plan)
    return plan


def fields(page: str) -> dict[str, str]:
    """Return the confirmation that a page asks for."""
    found = re.search(r'name="confirmed" value="(\w+)"', page)
    return {"confirmed": found[1]} if found else {}


def send(browser: Client, url: str, data: dict[str, Any], status: int = 200) -> str:
    """Send a form and return the page that comes back."""
    answer = browser.post(url, data)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def test_who_would_be_over_is_shown_before_the_plan_changes(cast: Cast) -> None:
    plan, browser = sold(cast, accounts=10), cast.provider.browser()
    limits.take(organization=cast.client_a.organization, resource="accounts", amount=4)
    url = reverse("accounts:plan_change", args=[plan.pk])
    wanted = {"name": "Studio", "accounts": "3", "overuse": "block", "disk_bytes": "1.5", "features": ["dns", "mail"]}
    page = send(browser, url, wanted)
    assert "It touches 1 reseller." in page
    assert "Atelier A: accounts, 4 used of 3" in page
    assert ResellerPlan._base_manager.get().accounts == 10
    other = send(browser, url, {**wanted, **fields(page), "accounts": "2"})
    assert "4 used of 2" in other
    send(browser, url, {**wanted, **fields(page)}, 302)
    changed = ResellerPlan._base_manager.get()
    assert (changed.accounts, changed.disk_bytes, changed.features) == (3, 1_500_000_000, ["dns", "mail"])


def test_a_new_reseller_has_its_plan_from_the_start(cast: Cast) -> None:
    plan, browser = sold(cast, accounts=2, resellers_allowed=True), cast.provider.browser()
    values = {"name": "New one", "parent": cast.provider.organization.pk, "plan": plan.pk}
    send(browser, reverse("accounts:reseller_create"), values, 302)
    made = Organization._base_manager.get(name="New one")
    assert (made.plan, made.resellers_allowed) == (plan, True)
    url = reverse("accounts:reseller_plan", args=[made.pk])
    send(browser, url, {"plan": ""}, 302)
    page = send(browser, url, {"plan": plan.pk})
    assert "It touches 1 reseller." in page
    send(browser, url, {"plan": plan.pk, **fields(page)}, 302)
    assert Organization._base_manager.get(name="New one").plan == plan


def test_the_limits_page_says_why_not(cast: Cast) -> None:
    sold(cast, accounts=1, disk_bytes=100 * GB, oversell_disk=True)
    limits.take(organization=cast.client_a.organization, resource="accounts")
    page = cast.reseller_a.browser().get(reverse("accounts:own_limits")).content.decode()
    assert "Plan Studio" in page
    assert "The limit of accounts at this organization is reached: 1 of 1 used." in page
    assert "have the plan raised" in page
    assert "What is really used counts" in page
    assert cast.provider.organization.name not in page


def test_the_api_tells_the_same(cast: Cast) -> None:
    limits.take(organization=cast.client_a.organization, resource="accounts", amount=2)
    plan, program = sold(cast, accounts=1), cast.provider.program()
    found = program.post(f"/api/v1/reseller-plans/{plan.pk}/impact", {"accounts": 1}, "application/json").json()
    assert (found["resellers"], [row["used"] for row in found["over"]]) == (1, [2])
    rows = cast.reseller_a.program().get(f"/api/v1/organizations/{cast.reseller_a.organization.pk}/limits").json()
    line = next(row for row in rows if row["resource"] == "accounts")
    assert (line["used"], line["limit"], line["source"], line["one_more"]) == (2, 1, "plan", False)
    assert line["why_not"]["rule"] == "accounts"
    assert line["why_not"]["remedy"] in line["why_not"]["detail"]
    free = next(row for row in rows if row["resource"] == "aliases")
    assert (free["limit"], free["one_more"], free["why_not"]) == (None, True, None)


def test_pages_and_api_know_the_same_sources_of_limits() -> None:
    assert set(SOURCES) == set(limit_selectors.SOURCES)


def test_a_plan_by_program_from_cradle_to_grave(cast: Cast) -> None:
    program = cast.provider.program()
    url = "/api/v1/reseller-plans"
    made = program.post(url, {"name": "Studio", "accounts": 5, "disk_bytes": None}, "application/json")
    assert made.status_code == 201
    plan = made.json()
    assert (plan["accounts"], plan["disk_bytes"], plan["overuse"], plan["reseller_count"]) == (5, None, "block", 0)
    own = f"{url}/{plan['id']}"
    changed = program.patch(own, {"accounts": 0, "overuse": "notify"}, "application/json").json()
    assert (changed["accounts"], changed["overuse"]) == (0, "notify")
    order = {"kind": "reseller", "name": "New one", "plan": plan["id"]}
    reseller = program.post("/api/v1/organizations", order, "application/json").json()
    assert reseller["plan"] == plan["id"]
    for wrong, field in (({"accounts": -1}, "accounts"), ({"features": ["x"]}, "features.0"), ({"price": 1}, "price")):
        answer = program.patch(own, wrong, "application/json")
        assert (answer.status_code, next(iter(answer.json()["errors"]))) == (400, field)
    taken = program.post(f"/api/v1/organizations/{reseller['id']}/plan", {"plan": None}, "application/json")
    assert taken.json()["plan"] is None
    assert program.delete(own).status_code == 204
    assert program.get(own).status_code == 404
