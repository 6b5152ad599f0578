"""The provisioning pages as people use them: forms, refusals, plans, confirmations, live parts; no server needed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from panel.core.scoping import everything
from provisioning.models import HostingAccount, MailAlias, Operation, Package, Preview, Record, SiteName
from provisioning.services import previews
from tests.cast import Cast, Person
from tests.provisioning import factories, plans

HOSTILE = "{{7*7}}<img src=x onerror=alert(1)>%0a"


@pytest.fixture
def account(cast: Cast) -> HostingAccount:
    """An account of client A on a ready server, sold by reseller A."""
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization, mailboxes=1, databases=1)
    return factories.account(cast.client_a.organization, package, "bakery.example")


def url(name: str, *args: object) -> str:
    return reverse(f"provisioning:{name}", args=args)


def order(person: Person, package: Package, client: Person, domain: str) -> tuple[Client, Any]:
    browser = person.browser()
    fields = {"organization": client.organization.pk, "package": package.pk, "domain": domain, "username": ""}
    return browser, browser.post(url("account_create"), fields)


def test_an_order_shows_its_plan_first_and_is_carried_out_when_confirmed(cast: Cast):
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization)
    browser, answer = order(cast.reseller_a, package, cast.client_a, "bakery.example")
    with everything("test"):
        preview = Preview.objects.get()
        assert not HostingAccount.objects.exists()
    assert answer.headers["Location"] == url("preview", preview.pk)
    waiting = browser.get(url("preview_part", preview.pk)).content.decode()
    assert 'hx-trigger="every 500ms"' in waiting
    change = {
        "key": "file:/etc/nginx/hostwright/bakery.conf",
        "change": "add",
        "service": "nginx",
        "diff": "--- a\n+++ b\n@@ -0,0 +1 @@\n+server_name bakery.example;",
    }
    plan = {"servers": [{"server": "web1", "changes": [change], "reloads": ["nginx"], "removals": 0, "resources": 1}]}
    plans.ready(preview.pk, plan)
    ready = browser.get(url("preview", preview.pk)).content.decode()
    assert "every 500ms" not in ready
    assert "+server_name bakery.example;" in ready
    assert 'class="diff-add"' in ready
    confirmed = browser.post(url("preview_confirm", preview.pk))
    with everything("test"):
        made = HostingAccount.objects.get()
    assert confirmed.headers["Location"].startswith(url("account", made.pk))
    assert made.domain == "bakery.example"


def test_a_refused_order_says_why_and_keeps_what_was_typed(cast: Cast):
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization)
    browser, _answer = order(cast.reseller_a, package, cast.client_a, "gmail.com")
    with everything("test"):
        preview = Preview.objects.get()
    words = "This domain belongs to a public mail provider and can't be hosted."
    previews.answer(preview_id=preview.pk, status=Preview.Status.REFUSED, result={"message": words})
    page = browser.get(url("preview", preview.pk))
    assert "public mail provider" in page.content.decode()
    assert "domain=gmail.com" in page.content.decode()
    browser.post(url("preview_confirm", preview.pk))
    with everything("test"):
        assert not HostingAccount.objects.exists()


def test_nobody_else_sees_or_confirms_a_plan(cast: Cast):
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization)
    order(cast.reseller_a, package, cast.client_a, "bakery.example")
    with everything("test"):
        preview = Preview.objects.get()
    for person in (cast.provider, cast.reseller_b, cast.readonly_a, cast.client_a):
        browser = person.browser()
        assert browser.get(url("preview", preview.pk)).status_code in (403, 404)
        assert browser.post(url("preview_confirm", preview.pk)).status_code in (403, 404)


def test_the_order_form_offers_only_what_the_reseller_can_see(cast: Cast):
    own = factories.package(cast.reseller_a.organization, "Own")
    other = factories.package(cast.reseller_b.organization, "Other")
    page = cast.reseller_a.browser().get(url("account_create")).content.decode()
    assert own.pk in page
    assert other.pk not in page
    assert cast.client_b.organization.pk not in page
    _browser, answer = order(cast.reseller_a, other, cast.client_a, "bakery.example")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("disk_bytes", "-1"), ("mailboxes", "many"), ("records", "1e9")]
)
def test_a_refused_package_names_the_field(cast: Cast, field: str, value: str):
    browser = cast.reseller_a.browser()
    answer = browser.post(url("package_create"), {"name": "Small", field: value})
    assert answer.status_code == 400
    assert f'id="id_{field}_error"' in answer.content.decode()
    with everything("test"):
        assert not Package.objects.exists()


def test_package_sizes_are_typed_in_gigabytes_and_empty_is_unlimited(cast: Cast):
    browser = cast.reseller_a.browser()
    browser.post(url("package_create"), {"name": "Small", "disk_bytes": "1.5", "mailboxes": "0"})
    with everything("test"):
        package = Package.objects.get()
    assert (package.disk_bytes, package.mailboxes, package.databases) == (1_500_000_000, 0, None)
    assert 'value="1.5"' in browser.get(url("package_change", package.pk)).content.decode()


def test_a_client_adds_a_site_alias_and_a_mail_alias(cast: Cast, account: HostingAccount):
    browser = cast.client_a.browser()
    with everything("test"):
        site, mail = account.sites.get(), account.mail_domains.get()
    added = browser.post(url("site_alias_add", site.pk), {"hostname": "shop.bakery.example"})
    assert added.headers["Location"].startswith(url("account_sites", account.pk))
    fields = {"local": "hello", "destinations": "lena@bakery.example\nteam@elsewhere.example"}
    browser.post(url("mail_alias_add", mail.pk), fields)
    with everything("test"):
        assert SiteName.objects.filter(hostname="shop.bakery.example").exists()
        assert MailAlias.objects.get().destinations == ["lena@bakery.example", "team@elsewhere.example"]
    followed = browser.get(added.headers["Location"]).content.decode()
    assert "shop.bakery.example" in followed
    assert 'hx-trigger="every 500ms"' in followed


def test_a_taken_name_is_refused_at_its_field_without_naming_the_owner(cast: Cast, account: HostingAccount):
    theirs = factories.package(cast.reseller_b.organization)
    factories.account(cast.client_b.organization, theirs, "taken.example")
    with everything("test"):
        site = account.sites.get()
    answer = cast.client_a.browser().post(url("site_alias_add", site.pk), {"hostname": "taken.example"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'id="id_hostname_error"' in page
    assert "Client of B" not in page
    assert "Bureau B" not in page


def test_a_limit_is_refused_with_its_rule_and_numbers(cast: Cast, account: HostingAccount):
    browser = cast.client_a.browser()
    with everything("test"):
        mail = account.mail_domains.get()
    fields = {"password": "a-Long-enough-9", "quota_bytes": ""}
    assert browser.post(url("mailbox_add", mail.pk), {"local": "one", **fields}).status_code == 302
    answer = browser.post(url("mailbox_add", mail.pk), {"local": "two", **fields})
    assert answer.status_code == 409
    assert "1 of 1 used" in answer.content.decode()
    assert "a-Long-enough-9" not in answer.content.decode()


def test_a_database_and_its_user_are_made_together_or_not_at_all(cast: Cast, account: HostingAccount):
    browser = cast.client_a.browser()
    refused = browser.post(url("database_add", account.pk), {"name": "shop", "user": "shop", "password": "short"})
    assert refused.status_code == 400
    with everything("test"):
        assert not account.databases.exists()
    fields = {"name": "shop", "user": "shop", "password": "a-Long-enough-9"}
    assert browser.post(url("database_add", account.pk), fields).status_code == 302
    with everything("test"):
        assert list(account.database_users.get().databases.all()) == [account.databases.get()]


def test_a_termination_asks_for_the_name(cast: Cast, account: HostingAccount):
    browser = cast.reseller_a.browser()
    asked = browser.get(url("account_terminate", account.pk)).content.decode()
    assert "/home/" in asked
    assert 'data-must-equal="bakery.example"' in asked
    wrong = browser.post(url("account_terminate", account.pk), {"confirm": "bakery.exampl"})
    assert wrong.status_code == 400
    account.refresh_from_db()
    assert account.status == HostingAccount.Status.ACTIVE
    assert browser.post(url("account_terminate", account.pk), {"confirm": "bakery.example"}).status_code == 302
    account.refresh_from_db()
    assert account.status == HostingAccount.Status.TERMINATED


def test_a_suspended_account_says_so_and_offers_no_changes(cast: Cast, account: HostingAccount):
    cast.reseller_a.browser().post(url("account_suspend", account.pk), {"reason": "Unpaid invoice"})
    page = cast.client_a.browser().get(url("account_mail", account.pk)).content.decode()
    assert "Unpaid invoice" in page
    assert "Add mailbox" not in page


def test_records_are_added_changed_and_removed(cast: Cast, account: HostingAccount):
    browser = cast.client_a.browser()
    with everything("test"):
        zone = account.zones.get()
    fields = {"type": "TXT", "name": "@", "content": '"hello"', "ttl": "3600"}
    assert browser.post(url("record_add", zone.pk), fields).status_code == 302
    with everything("test"):
        record = Record.objects.get()
    assert browser.post(url("record_change", record.pk), {**fields, "ttl": "300"}).status_code == 302
    refused = browser.post(url("record_add", zone.pk), {**fields, "content": '"a"\n$INCLUDE /etc/passwd'})
    assert refused.status_code == 400
    assert browser.post(url("record_remove", record.pk)).status_code == 302
    with everything("test"):
        assert not Record.objects.exists()


def test_what_people_write_is_shown_as_text(cast: Cast, account: HostingAccount):
    browser = cast.reseller_a.browser()
    browser.post(url("package_create"), {"name": HOSTILE})
    browser.post(url("account_suspend", account.pk), {"reason": HOSTILE})
    for page in (url("package_list"), url("account", account.pk), reverse("dashboard:search") + f"?q={HOSTILE}"):
        text = browser.get(page).content.decode()
        assert "<img src=x" not in text
        assert "{{7*7}}" in text


def test_exports_hold_no_formula(cast: Cast):
    browser = cast.reseller_a.browser()
    browser.post(url("package_create"), {"name": "=HYPERLINK(1)"})
    answer = browser.get(url("package_list") + "?export=csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert b"'=HYPERLINK(1)" in answer.getvalue()
    assert b"\n=HYPERLINK" not in answer.getvalue()


def test_lists_search_filter_and_say_when_nothing_matches(cast: Cast, account: HostingAccount):
    browser = cast.reseller_a.browser()
    assert "bakery.example" in browser.get(url("account_list") + "?q=bake").content.decode()
    nothing = browser.get(url("account_list") + "?q=zzz").content.decode()
    assert "bakery.example" not in nothing
    assert "Nothing matches" in nothing
    assert "bakery.example" not in browser.get(url("account_list") + "?status=suspended").content.decode()


def test_the_live_part_stops_when_the_operation_is_over_and_keeps_detail_from_tenants(
    cast: Cast, account: HostingAccount
):
    with everything("test"):
        operation = Operation.objects.get()
    part = url("operation_part", operation.pk)
    assert "every 500ms" in cast.reseller_a.browser().get(part).content.decode()
    with everything("test"):
        Operation.objects.update(status="rejected", reason="The server's disk is full.", detail="ENOSPC /etc/nginx")
    seen = cast.reseller_a.browser().get(part).content.decode()
    assert "every 500ms" not in seen
    assert "HX-Refresh" not in cast.reseller_a.browser().get(part)
    assert cast.reseller_a.browser().get(f"{part}?own=1")["HX-Refresh"] == "true"
    assert "disk is full" in seen
    assert "ENOSPC" not in seen
    assert "ENOSPC" in cast.provider.browser().get(part).content.decode()


def test_who_may_only_look_is_told_so_and_refused(cast: Cast, account: HostingAccount):
    browser = cast.readonly_a.browser()
    with everything("test"):
        site = account.sites.get()
    page = browser.get(url("account_sites", account.pk)).content.decode()
    assert "Add alias" not in page
    assert "may look at this, not change it" in page
    assert browser.post(url("site_alias_add", site.pk), {"hostname": "x.bakery.example"}).status_code == 403


def test_other_tenants_get_the_same_answer_as_for_nothing(cast: Cast, account: HostingAccount):
    with everything("test"):
        site, mail, zone = account.sites.get(), account.mail_domains.get(), account.zones.get()
    foreign = [
        url("account", account.pk),
        url("account_terminate", account.pk),
        url("site_alias_add", site.pk),
        url("mailbox_add", mail.pk),
        url("record_add", zone.pk),
        url("operation_list").rstrip("/") + "/opr_nothing/",
    ]
    for person in (cast.reseller_b, cast.client_b, cast.outsider):
        browser = person.browser()
        assert {browser.get(page).status_code for page in foreign} == {404}
        assert browser.get(url("account_list")).content.decode().count("bakery.example") == 0


def test_a_reseller_host_never_names_the_provider(cast: Cast, account: HostingAccount):
    pages = [url("account", account.pk), url("account_list"), "/no-such-page/", reverse("account_login")]
    browsers = [
        cast.client_a.browser(),
        cast.client_a.browser(),
        cast.client_a.browser(),
        Client(headers={"host": cast.client_a.host}),
    ]
    for browser, page in zip(browsers, pages, strict=True):
        text = browser.get(page).content.decode()
        assert "Northwind" not in text
        assert "northwind.example" not in text
        assert "Atelier A" in text


def test_strangers_sign_in_first(db: None, cast: Cast):
    stranger = Client(headers={"host": cast.client_a.host})
    answer = stranger.get(url("account_list"))
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{reverse('account_login')}?next={url('account_list')}"


def test_a_client_is_not_told_who_works_above_them(cast: Cast, account: HostingAccount):
    with everything("test"):
        operation = Operation.objects.get(hosting=account)
        Operation.objects.update(actor_label="staff@provider.example", actor_path=cast.provider.organization.path)
    pages = [url("operation", operation.pk), url("operation_list"), url("account_history", account.pk)]
    for page in [*pages, url("operation_list") + "?export=csv"]:
        seen = cast.client_a.browser().get(page)
        assert seen.status_code == 200
        assert b"staff@provider.example" not in seen.getvalue()
        assert b"staff@provider.example" in cast.provider.browser().get(page).getvalue()
