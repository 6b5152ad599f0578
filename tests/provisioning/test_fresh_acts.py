"""Dangerous acts want a fresh sign-in: in pages, by a page's session in the API, and where a plan is confirmed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.policy import ACTIONS, FRESH
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Preview
from provisioning.services import previews, verbs
from tests.cast import Cast
from tests.provisioning import factories, plans

PLAN = {"servers": [{"server": "web1", "changes": [], "reloads": ["nginx"], "removals": 0, "resources": 2}]}


@pytest.fixture
def account(cast: Cast) -> HostingAccount:
    """An account of client A."""
    factories.server(cast.provider.organization)
    return factories.account(
        cast.client_a.organization, factories.package(cast.reseller_a.organization), "shop.example"
    )


def call(browser: Client, url: str, body: dict[str, object] | None = None) -> tuple[int, str]:
    """What the API answers a page's session: status and code."""
    answer = browser.post(url, json.dumps(body or {}), content_type="application/json")
    return answer.status_code, answer.json().get("code", "")


def test_every_fresh_act_and_every_verb_is_in_the_permission_table() -> None:
    assert set(ACTIONS) >= FRESH
    assert {verbs.action_of(verb) for verb in verbs.VERBS} <= set(ACTIONS)


@pytest.mark.parametrize(
    ("act", "back"), [("suspend", "unsuspend"), ("terminate", "restore"), ("close", "reopen"), ("move", "move")]
)
def test_what_takes_away_and_what_brings_back_are_asked_alike(act: str, back: str) -> None:
    for noun in ("account", "organization"):
        known = {f"{noun}.{verb}" for verb in (act, back)} & set(ACTIONS)
        assert known <= FRESH, known - FRESH


@pytest.mark.parametrize("verb", ["suspend", "unsuspend", "close", "reopen", "move"])
def test_an_organization_is_touched_by_nobody_who_signed_in_long_ago(cast: Cast, verb: str) -> None:
    page = reverse(f"provisioning:organization_{verb}" if verb != "move" else "provisioning:client_move", args=["x"])
    pk = cast.client_a.organization.pk
    stale, fresh = (cast.provider.browser(fresh=recent) for recent in (False, True))
    answer = stale.get(page.replace("/x/", f"/{pk}/"))
    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert fresh.get(page.replace("/x/", f"/{pk}/")).status_code == 200
    assert call(stale, f"/api/v1/organizations/{pk}/{verb}") == (403, "sign_in_again")
    assert call(fresh, f"/api/v1/organizations/{pk}/{verb}")[1] != "sign_in_again"


@pytest.mark.parametrize("verb", ["account.suspend", "accounts.suspend"])
def test_a_plan_is_no_way_around(cast: Cast, account: HostingAccount, verb: str) -> None:
    reseller = cast.reseller_a
    chosen: dict[str, object] = {"hosting": account.pk} if verb == "account.suspend" else {"hostings": [account.pk]}
    with everything("test"):
        preview = previews.request(actor=reseller.actor, verb=verb, arguments=chosen)
    plans.ready(preview.pk, PLAN)
    stale, page = reseller.browser(fresh=False), reverse("provisioning:preview_confirm", args=[preview.pk])
    answer = stale.post(page)
    assert answer.headers["Location"] == f"{reverse('account_reauthenticate')}?next={page}"
    assert call(stale, f"/api/v1/previews/{preview.pk}/confirm") == (403, "sign_in_again")
    with everything("test"):
        assert Preview.objects.get(pk=preview.pk).status == Preview.Status.READY
        assert HostingAccount.objects.get(pk=account.pk).status == "active"
    reseller.browser().post(page)
    with everything("test"):
        assert HostingAccount.objects.get(pk=account.pk).status == "suspended"


def test_programs_are_not_asked(cast: Cast, account: HostingAccount) -> None:
    assert call(cast.reseller_a.program(), f"/api/v1/accounts/{account.pk}/suspend")[0] == 202


def test_who_acts_as_somebody_else_is_told_to_begin_anew(cast: Cast, account: HostingAccount) -> None:
    browser, later = cast.provider.browser(), timezone.now() + timedelta(minutes=11)
    browser.post(reverse("accounts:impersonate", args=[cast.reseller_a.membership.pk]), {"reason": "Ticket 7"})
    page, url = reverse("provisioning:account_suspend", args=[account.pk]), f"/api/v1/accounts/{account.pk}/suspend"
    assert browser.get(page).status_code == 200
    with time_machine.travel(later, tick=False):
        assert browser.get(page).status_code == 403
        assert call(browser, url) == (403, "impersonating")
