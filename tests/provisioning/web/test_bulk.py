"""The same change to many accounts: chosen in the list, shown as a plan, carried out for all or none."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import LimitCounter
from panel.core.errors import Conflict, Invalid, NotFound
from panel.core.scoping import everything, tenant
from provisioning.models import HostingAccount, Operation, Package, Preview, Server
from provisioning.services import bulk, verbs
from provisioning.web.accounts import AccountListPage
from tests.cast import Cast
from tests.provisioning import factories, plans

BULK = reverse("provisioning:account_bulk")
PLAN = {"servers": [{"server": "web1", "changes": [], "reloads": ["nginx"], "removals": 0, "resources": 2}]}


@pytest.fixture
def accounts(cast: Cast) -> list[HostingAccount]:
    """Three accounts of client A, the last one suspended."""
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization, mailboxes=5)
    made = [factories.account(cast.client_a.organization, package, f"shop-{number}.example") for number in range(3)]
    with everything("test"):
        bulk.suspend(actor=cast.reseller_a.actor, hostings=made[2:], reason="unpaid")
    return made


def states() -> list[str]:
    with everything("test"):
        return list(HostingAccount.objects.order_by("domain").values_list("status", flat=True))


def chosen(verb: str, accounts: list[HostingAccount]) -> str:
    return f"{BULK}?verb={verb}&" + "&".join(f"account={row.pk}" for row in accounts)


def test_chosen_accounts_are_suspended_after_their_plan_was_shown(cast: Cast, accounts: list[HostingAccount]):
    browser = cast.reseller_a.browser()
    page = browser.get(reverse("provisioning:account_list")).content.decode()
    assert page.count("data-choice ") == 3
    form = browser.get(chosen("suspend", accounts)).content.decode()
    assert "Left out" in form
    answer = browser.post(chosen("suspend", accounts), {"reason": "unpaid"})
    with everything("test"):
        preview = Preview.objects.get()
    assert answer.headers["Location"] == reverse("provisioning:preview", args=[preview.pk])
    assert states() == ["active", "active", "suspended"]
    plans.ready(preview.pk, {**PLAN, "subject": "shop-0.example, shop-1.example"})
    assert "unpaid" in browser.get(answer.headers["Location"]).content.decode()
    confirmed = browser.post(reverse("provisioning:preview_confirm", args=[preview.pk]))
    assert states() == ["suspended"] * 3
    with everything("test"):
        batch = list(Operation.objects.exclude(batch="").order_by("-id")[:2])
    assert {row.hosting_id for row in batch} == {accounts[0].pk, accounts[1].pk}
    assert confirmed.headers["Location"] == reverse("provisioning:batch", args=[batch[0].batch])
    watched = browser.get(confirmed.headers["Location"]).content.decode()
    assert "0 of 2 are over" in watched
    assert "every 1s" in watched
    with everything("test"):
        Operation.objects.update(status=Operation.Status.APPLIED)
    over = browser.get(reverse("provisioning:batch_part", args=[batch[0].batch])).content.decode()
    assert "2 of 2 are over, 2 of them done" in over
    assert "every 1s" not in over


def test_one_refusal_takes_all_back_and_names_its_account(cast: Cast, accounts: list[HostingAccount]):
    with pytest.raises(Conflict, match=r"^shop-2\.example: "), everything("test"):
        bulk.suspend(actor=cast.reseller_a.actor, hostings=accounts)
    assert states() == ["active", "active", "suspended"]


def test_a_package_is_changed_for_many_and_says_who_would_be_over(cast: Cast, accounts: list[HostingAccount]):
    small = factories.package(cast.reseller_a.organization, "Small", mailboxes=0)
    LimitCounter.objects.filter(subject=accounts[0].pk, resource="mailboxes").update(used=1)
    browser = cast.reseller_a.browser()
    browser.post(chosen("change_package", accounts), {"package": small.pk})
    with everything("test"):
        preview = Preview.objects.get()
    plans.ready(preview.pk, {**PLAN, "subject": "shop-0.example"})
    shown = browser.get(reverse("provisioning:preview", args=[preview.pk])).content.decode()
    assert "Small" in shown
    assert "shop-0.example: mailboxes, 1 used of 0" in shown
    browser.post(reverse("provisioning:preview_confirm", args=[preview.pk]))
    with everything("test"):
        assert set(HostingAccount.objects.values_list("package", flat=True)) == {small.pk}


def test_other_tenants_accounts_are_not_touched(cast: Cast, accounts: list[HostingAccount]):
    answer = cast.reseller_b.browser().post(chosen("suspend", accounts), {"reason": ""})
    assert answer.status_code == 400
    arguments = {"hostings": [row.pk for row in accounts[:2]]}
    with pytest.raises(NotFound):
        verbs.run(actor=cast.reseller_b.actor, verb="accounts.suspend", arguments=arguments)
    assert cast.client_a.browser().get(chosen("suspend", accounts)).status_code == 403
    with everything("test"):
        batch = Operation.objects.exclude(batch="").first()
    assert batch is not None
    assert cast.reseller_b.browser().get(reverse("provisioning:batch", args=[batch.batch])).status_code == 404
    assert states() == ["active", "active", "suspended"]


def test_none_and_too_many_are_refused(cast: Cast, accounts: list[HostingAccount], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bulk, "MOST", 1)
    with tenant(cast.reseller_a.actor.path):
        with pytest.raises(Invalid, match="at least one"):
            bulk.unsuspend(actor=cast.reseller_a.actor, hostings=[])
        with pytest.raises(Invalid, match="at most 1"):
            bulk.suspend(actor=cast.reseller_a.actor, hostings=accounts)


def test_programs_do_the_same_by_previews(cast: Cast, accounts: list[HostingAccount], small: Package):
    program = cast.reseller_a.program()
    order = {"accounts": [row.pk for row in accounts], "package": small.pk}
    asked = program.post(
        "/api/v1/previews", {"verb": "accounts.change_package", "arguments": order}, content_type="application/json"
    ).json()
    assert asked["arguments"] == order
    plans.ready(asked["id"], PLAN)
    body = program.post(f"{asked['url']}/confirm", {}, content_type="application/json").json()
    listed = program.get("/api/v1/operations", {"batch": body["batch"]}).json()["items"]
    assert {row["account"] for row in listed} == {row.pk for row in accounts}
    assert body["operation"]["id"] in {row["id"] for row in listed}


@pytest.fixture
def small(cast: Cast) -> Package:
    """Another package of reseller A."""
    return factories.package(cast.reseller_a.organization, "Small", mailboxes=1)


def test_a_list_serves_no_longer_pages_than_it_offers(cast: Cast, accounts: list[HostingAccount]):
    browser = cast.reseller_a.browser()
    served = {}
    for wanted in ("1000000&page=x", "100"):
        answer = browser.get(f"{reverse('provisioning:account_list')}?per_page={wanted}")
        served[wanted] = answer.context["table"].paginator.per_page
    assert served == {"1000000&page=x": 25, "100": 100}


LIST = reverse("provisioning:account_list")


def order(preview: Preview) -> set[str]:
    """The accounts that a preview is about."""
    return set(preview.arguments["hostings"])


def test_all_that_match_are_chosen_once_and_no_others_join_them(
    cast: Cast, accounts: list[HostingAccount], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(AccountListPage, "per_page", 2)
    package = accounts[0].package
    for number in range(2):
        factories.account(cast.client_a.organization, package, f"many-{number}.example")
    browser = cast.reseller_a.browser()
    page = browser.get(LIST, {"q": "many-"}).content.decode()
    assert "data-choose-matching" not in page  # All that match are on the page.
    page = browser.get(LIST, {"q": ".example"}).content.decode()
    assert 'data-choose-matching="5"' in page
    assert '<input type="hidden" name="q" value=".example">' in page
    asked = f"{BULK}?verb=suspend&matching=1&q=.example"
    form = browser.get(asked).content.decode()
    named = re.findall(r'name="account" value="(acc_\w+)"', form)
    assert (len(named), "shop-2.example" in form.partition("Left out")[2]) == (5, True)
    late = factories.account(cast.client_a.organization, package, "late.example")
    answer = browser.post(asked, {"reason": "unpaid", "account": named})
    with everything("test"):
        preview = Preview.objects.get()
    assert order(preview) == set(named) - {accounts[2].pk}
    plans.ready(preview.pk, {**PLAN, "subject": "4 accounts"})
    shown = browser.get(answer.headers["Location"]).content.decode()
    assert "The 4 accounts that are changed" in shown
    assert shown.count("many-") == 2
    browser.post(reverse("provisioning:preview_confirm", args=[preview.pk]))
    with everything("test"):
        assert HostingAccount.objects.get(pk=late.pk).status == "active"
        assert HostingAccount.objects.filter(status="suspended").count() == 5


def test_a_form_that_names_nobody_changes_nobody(cast: Cast, accounts: list[HostingAccount]):
    answer = cast.reseller_a.browser().post(f"{BULK}?verb=suspend&matching=1", {"reason": ""})
    assert answer.status_code == 400
    with everything("test"):
        assert not Preview.objects.exists()


def test_more_than_are_changed_at_once_lead_back_to_the_list(
    cast: Cast, accounts: list[HostingAccount], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bulk, "MOST", 2)
    browser = cast.reseller_a.browser()
    answer = browser.get(f"{BULK}?verb=suspend&matching=1&q=shop&x=1")
    assert answer.headers["Location"] == f"{LIST}?q=shop"
    assert "More than 2 accounts match." in browser.get(answer.headers["Location"]).content.decode()
    program = cast.reseller_a.program()
    body = {"verb": "accounts.change_package", "arguments": {"matching": {}, "package": accounts[0].package_id}}
    refused = program.post("/api/v1/previews", body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "too_many")
    assert "arguments.matching" in refused.json()["errors"]


def test_a_refusal_of_too_many_says_how_many_they_are(
    cast: Cast, accounts: list[HostingAccount], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bulk, "MOST", 1)
    asked = {"verb": "accounts.change_package", "arguments": {"matching": {}, "package": accounts[0].package_id}}
    answer = cast.reseller_a.program().post("/api/v1/previews", asked, content_type="application/json")
    assert "These are 3 accounts; choose at most 1" in answer.json()["errors"]["arguments.matching"][0]
    named = {"account": [row.pk for row in accounts], "package": accounts[0].package_id}
    page = cast.reseller_a.browser().post(f"{BULK}?verb=change_package", named)
    assert (page.status_code, "These are 3 accounts; choose at most 1" in page.content.decode()) == (400, True)
    with everything("test"):
        assert not Preview.objects.exists()


def named_in(page: Any) -> set[str]:
    """The accounts that a form is for."""
    assert page.status_code == 200
    return set(re.findall(r'name="account" value="(acc_\w+)"', page.content.decode()))


def test_all_that_match_may_be_those_of_a_server(cast: Cast, accounts: list[HostingAccount]):
    with everything("test"):
        server = Server.objects.get()
    asked = f"{BULK}?verb=suspend&matching=1&server="
    browser = cast.provider.browser()
    assert named_in(browser.get(f"{asked}{server.pk}")) == {row.pk for row in accounts}
    assert named_in(browser.get(f"{asked}srv_none")) == set()
    assert named_in(cast.reseller_a.browser().get(f"{asked}{server.pk}")) == set()


@pytest.mark.parametrize("wrong", ["status=bogus", "q=" + "x" * 101, "q=shop&status=bogus"])
def test_a_filter_that_is_not_valid_chooses_nobody(cast: Cast, accounts: list[HostingAccount], wrong: str):
    assert named_in(cast.reseller_a.browser().get(f"{BULK}?verb=suspend&matching=1&{wrong}")) == set()


def test_a_program_is_refused_a_filter_that_is_not_valid(cast: Cast, accounts: list[HostingAccount]):
    asked = {"verb": "accounts.suspend", "arguments": {"matching": {"status": "bogus"}}}
    answer = cast.reseller_a.program().post("/api/v1/previews", asked, content_type="application/json")
    assert answer.status_code == 400
    assert any("status" in field for field in answer.json()["errors"])


def test_a_program_names_a_filter_and_gets_ids(cast: Cast, accounts: list[HostingAccount]):
    program = cast.reseller_a.program()

    def ask(verb: str, **arguments: object) -> Any:
        body = {"verb": verb, "arguments": arguments}
        return program.post("/api/v1/previews", body, content_type="application/json")

    asked = ask("accounts.suspend", matching={"q": "shop", "client": cast.client_a.organization.pk}, reason="unpaid")
    assert asked.json()["arguments"] == {"accounts": [row.pk for row in accounts[:2]], "reason": "unpaid"}
    late = factories.account(cast.client_a.organization, accounts[0].package, "shop-late.example")
    plans.ready(asked.json()["id"], PLAN)
    program.post(f"{asked.json()['url']}/confirm", {}, content_type="application/json")
    with everything("test"):
        assert HostingAccount.objects.get(pk=late.pk).status == "active"
    assert states().count("suspended") == 3
    for arguments in (
        {},
        {"matching": {}, "accounts": [late.pk]},
        {"matching": {"x": "y"}},
        {"matching": {"q": "none"}},
    ):
        assert ask("accounts.suspend", **arguments).status_code == 400
    assert ask("accounts.suspend", matching={"client": cast.client_b.organization.pk}).status_code == 404
