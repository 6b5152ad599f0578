"""All accounts that match a search are suspended in a real browser: chosen by one click, named by form and plan."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from panel.core.scoping import everything
from provisioning.models import HostingAccount, Preview
from provisioning.web.accounts import AccountListPage
from tests import cast as casts
from tests.cast import PASSWORD
from tests.provisioning import factories, plans

PLAN = {"servers": [{"server": "web1", "changes": [], "reloads": ["nginx"], "removals": 0, "resources": 3}]}


def test_all_that_match_are_chosen_by_one_click(
    page: Page, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AccountListPage, "per_page", 2)
    cast = casts.make()
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization)
    for number in range(5):
        factories.account(cast.client_a.organization, package, f"shop-{number}.example")
    factories.account(cast.client_a.organization, package, "other.example")
    site = f"http://localhost:{live_server.thread.port}"
    page.goto(f"{site}{reverse('account_login')}")
    page.get_by_label("Email").fill(cast.provider.user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Your sign-in")).to_be_visible()
    page.goto(f"{site}{reverse('provisioning:account_list')}?q=shop")
    suspend = page.get_by_role("button", name="Suspend")
    expect(suspend).to_be_disabled()
    page.get_by_label("All 5 that match").check()
    expect(page.get_by_text("5 chosen")).to_be_visible()
    expect(page.get_by_label("Choose shop-0.example")).to_be_disabled()
    suspend.click()
    expect(page.get_by_text("shop-4.example")).to_be_visible()
    page.get_by_label("Reason").fill("Unpaid")
    page.get_by_role("button", name="Show what will change").click()
    expect(page.get_by_text("Working out what would change")).to_be_visible()
    with everything("test"):
        preview = Preview.objects.get()
    plans.ready(preview.pk, {**PLAN, "subject": "5 accounts"})
    page.get_by_text("The 5 accounts that are changed").click()
    expect(page.get_by_text("shop-4.example")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("0 of 5 are over")).to_be_visible()
    with everything("test"):
        left = HostingAccount.objects.filter(status="active").values_list("domain", flat=True)
        assert list(left) == ["other.example"]
