"""Pages of suspending, closing and moving organizations: what they say before, and that they do it."""

from __future__ import annotations

from django.urls import reverse

from accounts.models import Organization
from provisioning.models import HostingAccount, Preview
from tests.provisioning import factories
from tests.provisioning.ground import Ground


def url(name: str, *args: str) -> str:
    return reverse(f"provisioning:{name}", args=args)


def status(ground: Ground) -> tuple[str, str]:
    client = Organization._base_manager.get(pk=ground.cast.client_a.organization.pk)
    return client.status, HostingAccount._base_manager.get(pk=ground.account_a.pk).status


def test_suspending_with_accounts_leads_to_the_operation_and_back(ground: Ground) -> None:
    browser, pk = ground.cast.reseller_a.browser(), ground.cast.client_a.organization.pk
    answer = browser.post(url("organization_suspend", pk), {"reason": "Unpaid", "accounts": "on"})
    assert answer.headers["location"].startswith("/operations/")
    assert status(ground) == ("suspended", "suspended")
    assert "suspended along" in browser.get(url("organization_unsuspend", pk)).content.decode()
    browser.post(url("organization_unsuspend", pk))
    assert status(ground) == ("active", "active")


def test_closing_says_what_goes_and_asks_for_the_name(ground: Ground) -> None:
    browser, client = ground.cast.reseller_a.browser(), ground.cast.client_a.organization
    page = browser.get(url("organization_close", client.pk)).content.decode()
    assert "1 hosting account: a-site.org" in page
    assert browser.post(url("organization_close", client.pk), {"accounts": "on", "confirm": "x"}).status_code == 400
    assert browser.post(url("organization_close", client.pk), {}).status_code == 409
    assert status(ground) == ("active", "active")
    browser.post(url("organization_close", client.pk), {"accounts": "on", "confirm": client.name})
    assert status(ground) == ("closed", "terminated")
    page = browser.get(reverse("accounts:client_list"), {"status": "closed"}).content.decode()
    assert client.name in page
    assert "Open again" in browser.get(reverse("accounts:client", args=[client.pk])).content.decode()
    browser.post(url("organization_reopen", client.pk))
    assert status(ground) == ("active", "active")


def test_a_move_says_what_it_means_first(ground: Ground) -> None:
    browser, client = ground.cast.provider.browser(), ground.cast.client_a.organization
    seller = ground.cast.reseller_b.organization
    answer = browser.post(url("client_move", client.pk), {"parent": seller.pk, "package": ground.package_b.pk})
    page = browser.get(answer.headers["location"]).content.decode()
    for said in ("Bureau B", "ns1.reseller-a.example", "ns1.reseller-b.example", ground.cast.client_a.user.email):
        assert said in page
    shown = browser.post(answer.headers["location"], {"show_first": "1"})
    assert shown.headers["location"].startswith("/previews/")
    assert Preview._base_manager.get().verb == "organization.move"
    assert browser.post(answer.headers["location"]).headers["location"].startswith("/operations/")
    assert Organization._base_manager.get(pk=client.pk).parent_id == seller.pk


def test_an_account_s_move_is_planned(ground: Ground) -> None:
    browser = ground.cast.provider.browser()
    answer = browser.post(
        url("account_move", ground.account_a.pk),
        {"organization": ground.cast.client_b.organization.pk, "package": ground.package_b.pk},
    )
    assert answer.headers["location"].startswith("/previews/")


def test_by_program_too(ground: Ground) -> None:
    program, client = ground.cast.provider.program(), ground.cast.client_a.organization
    base = f"/api/v1/organizations/{client.pk}"
    answer = program.post(f"{base}/suspend", {"accounts": True}, content_type="application/json")
    assert (answer.status_code, answer.json()["organization"]["status"]) == (202, "suspended")
    assert program.post(f"{base}/unsuspend", {}, content_type="application/json").status_code == 202
    wanted = {"parent": ground.cast.reseller_b.organization.pk, "package": ground.package_b.pk}
    found = program.post(f"{base}/move/impact", wanted, content_type="application/json").json()
    assert found["nameservers_after"] == ["ns1.reseller-b.example", "ns2.reseller-b.example"]
    assert found["unsold"] == [ground.account_a.pk]
    assert program.post(f"{base}/move", wanted, content_type="application/json").status_code == 202
    back = {
        "client": ground.cast.outsider.organization.pk,
        "package": factories.package(ground.cast.provider.organization).pk,
    }
    moved = program.post(f"/api/v1/accounts/{ground.account_a.pk}/move", back, content_type="application/json")
    assert (moved.status_code, moved.json()["account"]["client"]) == (202, back["client"])
    assert program.post(f"{base}/close", {}, content_type="application/json").status_code == 200
    assert program.post(f"{base}/reopen", {}, content_type="application/json").json()["operation"] is None
