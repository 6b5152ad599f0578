"""Every change can be shown before it is made: the second button of its page, the plan, the confirmation."""

from __future__ import annotations

import pytest
from django.urls import reverse

from panel.core.scoping import everything
from provisioning.models import Mailbox, Operation, Preview
from provisioning.services import mailboxes, verbs
from provisioning.web.urls import urlpatterns
from provisioning.web.verb_pages import VerbPage
from tests.provisioning import plans
from tests.provisioning.ground import Ground, touch

PASSWORD = "a-Long-enough-9"
CHANGE = {"key": "row:mailbox:anna@a-site.org", "change": "add", "subject": "a-site.org", "service": None, "diff": "+x"}
PLAN = {
    "servers": [{"server": "web1", "changes": [CHANGE], "reloads": [], "removals": 0, "resources": 1}],
    "subject": "anna@a-site.org",
}
# An account's order and new names always lead to the plan first; a database may come with its user; brands are shown
# by the app below.
SHOWN_OTHERWISE = {"account.create", "account.move", "account.rename", "brand.change", "database.create"}
# Of chosen accounts: the plan is the only way, see test_bulk.py.
SHOWN_OTHERWISE |= {"accounts.change_package", "accounts.suspend", "accounts.unsuspend"}


def url(name: str, *args: str) -> str:
    """Return an address of the provisioning pages."""
    return reverse(f"provisioning:{name}", args=args)


def asked(ground: Ground) -> Preview:
    """Ask on the form what a new mailbox would change; it has been worked out."""
    browser = ground.cast.client_a.browser()
    address = url("mailbox_add", ground.mail_domain.pk)
    values = {"local": "anna", "password": PASSWORD, "quota_bytes": "1"}
    answer = browser.post(address, {**values, "show_first": "1"})
    with everything("test"):
        preview = Preview.objects.get()
        assert not Mailbox.objects.exists()
    assert answer.headers["Location"] == url("preview", preview.pk)
    assert (preview.verb, preview.origin) == ("mailbox.create", address)
    assert PASSWORD not in str(preview.arguments)
    return plans.ready(preview.pk, PLAN)


def test_a_form_leads_to_its_plan_and_the_plan_to_the_operation(ground: Ground):
    browser, preview = ground.cast.client_a.browser(), asked(ground)
    page = browser.get(url("preview", preview.pk)).content.decode()
    assert "Add mailbox anna@a-site.org" in page
    assert 'type="password"' in page
    assert url("mailbox_add", ground.mail_domain.pk) in page
    refused = browser.post(url("preview_confirm", preview.pk))
    assert refused.headers["Location"] == url("preview", preview.pk)
    done = browser.post(url("preview_confirm", preview.pk), {"password": PASSWORD})
    with everything("test"):
        assert Mailbox.objects.get().address == "anna@a-site.org"
        assert done.headers["Location"] == url("operation", Operation.objects.latest("id").pk)


def test_an_outdated_plan_says_so_and_offers_a_new_one(ground: Ground):
    browser, preview = ground.cast.client_a.browser(), asked(ground)
    touch(ground.account_a)
    answer = browser.post(url("preview_confirm", preview.pk), {"password": PASSWORD}, follow=True)
    page = answer.content.decode()
    assert "This plan is out of date" in page
    assert url("preview_again", preview.pk) in page
    assert url("preview_confirm", preview.pk) not in page
    answer = browser.post(url("preview_again", preview.pk))
    with everything("test"):
        assert not Mailbox.objects.exists()
        anew = Preview.objects.exclude(pk=preview.pk).get()
    assert answer.headers["Location"] == url("preview", anew.pk)
    assert (anew.status, anew.verb, anew.arguments) == ("pending", preview.verb, preview.arguments)


def test_without_the_second_button_it_is_done_at_once(ground: Ground):
    values = {"local": "anna", "password": PASSWORD, "quota_bytes": "1"}
    ground.cast.client_a.browser().post(url("mailbox_add", ground.mail_domain.pk), values)
    with everything("test"):
        assert Mailbox.objects.get().address == "anna@a-site.org"
        assert not Preview.objects.exists()


def test_a_question_can_be_answered_by_its_plan_too(ground: Ground):
    with everything("test"):
        mailboxes.create(
            actor=ground.cast.client_a.actor, mail_domain=ground.mail_domain, local="anna", password=PASSWORD
        )
    address = url("server_reconcile", ground.server.pk)
    page = ground.cast.provider.browser().get(address).content.decode()
    assert 'name="show_first"' in page
    ground.cast.provider.browser().post(address, {"show_first": "1"})
    with everything("test"):
        preview = Preview.objects.get()
        assert (preview.verb, preview.arguments) == ("server.reconcile", {"server": ground.server.pk})
        assert not Operation.objects.filter(verb="server.reconcile").exists()


@pytest.mark.parametrize("verb", sorted(verbs.VERBS.keys() - SHOWN_OTHERWISE))
def test_every_verb_has_a_page_that_shows_it_first(verb: str):
    pages = [getattr(route.callback, "view_class", None) for route in urlpatterns]
    shown = {page.verb for page in pages if page is not None and issubclass(page, VerbPage) and page.shows_first}
    assert verb in shown
