"""Pages that rename an account and take a termination back."""

from __future__ import annotations

import pytest
from django.urls import reverse

from panel.core.scoping import everything
from provisioning.models import HostingAccount, Preview
from provisioning.services import mailboxes
from provisioning.web import plans as web_plans
from tests.cast import Cast
from tests.provisioning import factories, plans


@pytest.fixture
def account(cast: Cast) -> HostingAccount:
    """An account of client A on a ready server, sold by reseller A."""
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization)
    return factories.account(cast.client_a.organization, package, "bakery.example", username="bakery")


def url(name: str, *args: object) -> str:
    return reverse(f"provisioning:{name}", args=args)


def test_a_rename_shows_its_plan_first_and_is_carried_out_when_confirmed(cast: Cast, account: HostingAccount):
    browser = cast.reseller_a.browser()
    form = browser.get(url("account_rename", account.pk)).content.decode()
    assert 'value="bakery.example"' in form
    assert 'value="bakery"' in form
    answer = browser.post(url("account_rename", account.pk), {"domain": "bread.example", "username": "bread"})
    with everything("test"):
        preview = Preview.objects.get()
    assert answer.headers["Location"] == url("preview", preview.pk)
    account.refresh_from_db()
    assert account.domain == "bakery.example"
    change = {
        "key": "move:directory:/home/bakery",
        "change": "move",
        "service": None,
        "diff": "-directory:/home/bakery\n+directory:/home/bread\n",
        "subject": "bread.example",
    }
    servers = [{"server": "web1", "changes": [change], "reloads": ["nginx"], "removals": 0, "resources": 1}]
    plans.ready(preview.pk, {"servers": servers, "subject": "bakery.example → bread.example"})
    shown = browser.get(url("preview", preview.pk)).content.decode()
    assert "Rename bakery.example → bread.example" in shown
    assert "gets another name" in shown
    assert "/home/bakery → /home/bread" in shown
    assert browser.post(url("preview_confirm", preview.pk)).status_code == 302
    account.refresh_from_db()
    assert (account.domain, account.username) == ("bread.example", "bread")


def test_a_terminated_account_says_until_when_and_can_be_restored(cast: Cast, account: HostingAccount):
    browser = cast.reseller_a.browser()
    assert browser.post(url("account_terminate", account.pk), {"confirm": "bakery.example"}).status_code == 302
    page = browser.get(url("account", account.pk)).content.decode()
    assert "it can be restored; then its files, mail and databases are destroyed" in page
    assert url("account_restore", account.pk) in page
    ended = browser.get(url("account_list"), {"status": "terminated"}).content.decode()
    assert "bakery.example" in ended
    assert "Data goes" in ended
    assert "Data goes" not in browser.get(url("account_list")).content.decode()
    assert browser.post(url("account_restore", account.pk)).status_code == 302
    account.refresh_from_db()
    assert account.status == HostingAccount.Status.ACTIVE
    assert url("account_restore", account.pk) not in browser.get(url("account", account.pk)).content.decode()


def test_a_client_is_not_offered_what_it_may_not(cast: Cast, account: HostingAccount):
    page = cast.client_a.browser().get(url("account", account.pk)).content.decode()
    assert url("account_rename", account.pk) not in page
    assert cast.client_a.browser().get(url("account_rename", account.pk)).status_code == 403


def test_a_termination_of_a_big_account_names_some_and_counts_the_rest(cast: Cast, account: HostingAccount):
    with everything("test"):
        mail_domain = account.mail_domains.get()
        for number in range(15):
            mailboxes.create(
                actor=cast.provider.actor, mail_domain=mail_domain, local=f"box{number:02}", password="a-Long-enough-9"
            )
    page = cast.reseller_a.browser().get(url("account_terminate", account.pk)).content.decode()
    assert "15 mailboxes with their mail: box00@bakery.example" in page
    assert "box11@bakery.example and 3 more" in page
    assert "box12" not in page


def test_a_long_plan_is_folded(cast: Cast):
    rows = [{"key": f"row:mailbox:{n}@a.example", "change": "remove", "service": None, "diff": ""} for n in range(40)]
    few = [{**row, "subject": "a.example"} for row in rows[:15]]
    (part,) = web_plans.build([{"server": "web1", "changes": few, "reloads": []}]).parts
    assert (len(part.groups[0].first), part.groups[0].rest) == (15, [])
    many = [{**row, "subject": "a.example"} for row in rows]
    (part,) = web_plans.build([{"server": "web1", "changes": many, "reloads": []}]).parts
    (group,) = part.groups
    assert (len(group.first), len(group.rest), group.rest_words) == (10, 30, "30 more")
