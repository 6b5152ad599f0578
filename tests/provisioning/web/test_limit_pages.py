"""Pages and API of an account's limits: exceptions, another package, and what a package's change would do."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.services import plans
from panel.core.scoping import everything
from provisioning.models import HostingAccount, LimitOverride, Operation, Package, PlanServer
from provisioning.services import mailboxes, packages
from tests.provisioning import factories
from tests.provisioning.ground import Ground

PASSWORD = "correct horse 42"


def url(name: str, *args: str) -> str:
    """Return an address of the provisioning pages."""
    return reverse(f"provisioning:{name}", args=args)


def send(browser: Client, address: str, data: dict[str, Any], status: int = 200) -> str:
    """Send a form and return the page that comes back."""
    answer = browser.post(address, data)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def confirmation(page: str) -> dict[str, str]:
    """Return what a page asks to be sent back with the same values."""
    found = re.search(r'name="confirmed" value="(\w+)"', page)
    assert found
    return {"confirmed": found[1]}


def two_mailboxes(ground: Ground) -> None:
    """Let the account of client A have two mailboxes."""
    with everything("test"):
        actor = ground.cast.reseller_a.actor
        for local in ("anna", "berta"):
            mailboxes.create(actor=actor, mail_domain=ground.mail_domain, local=local, password=PASSWORD)


def test_a_package_shows_which_accounts_it_touches_first(ground: Ground):
    two_mailboxes(ground)
    browser = ground.cast.reseller_a.browser()
    address = url("package_change", ground.package_a.pk)
    wanted = {"name": "Basic", "mailboxes": "1", "features": ["dns", "mail"], "php_versions": ["8.4"]}
    page = send(browser, address, wanted)
    assert "It touches 1 account." in page
    assert "a-site.org: mailboxes, 2 used of 1" in page
    assert Package._base_manager.get(pk=ground.package_a.pk).mailboxes is None
    send(browser, address, {**wanted, **confirmation(page)}, 302)
    changed = Package._base_manager.get(pk=ground.package_a.pk)
    assert (changed.mailboxes, changed.features, changed.php_versions) == (1, ["dns", "mail"], ["8.4"])


def test_an_account_gets_another_package(ground: Ground):
    two_mailboxes(ground)
    small = factories.package(ground.cast.reseller_a.organization, "Small", mailboxes=1)
    browser, address = ground.cast.reseller_a.browser(), url("account_package", ground.account_a.pk)
    page = send(browser, address, {"package": small.pk})
    assert "a-site.org: mailboxes, 2 used of 1" in page
    send(browser, address, {"package": small.pk, **confirmation(page)}, 302)
    with everything("test"):
        assert HostingAccount.objects.get(pk=ground.account_a.pk).package == small
        assert Operation.objects.latest("id").verb == "account.change_package"
    send(browser, address, {"package": ground.package_b.pk}, 400)


def test_an_exception_is_given_and_taken_back(ground: Ground):
    browser = ground.cast.reseller_a.browser()
    address = url("account_override", ground.account_a.pk, "disk_bytes")
    assert "let the package" not in browser.get(address).content.decode().lower()
    send(browser, address, {"limit": "2", "reason": "A gift"}, 302)
    with everything("test"):
        assert LimitOverride.objects.get().limit == 2_000_000_000
    page = browser.get(url("account_limits", ground.account_a.pk)).content.decode()
    assert "Exception for this account: A gift" in page
    seen = ground.cast.client_a.browser().get(url("account_limits", ground.account_a.pk)).content.decode()
    assert "A gift" in seen
    assert address not in seen
    send(browser, address, {"back": "on"}, 302)
    with everything("test"):
        assert not LimitOverride.objects.exists()
    assert browser.get(url("account_override", ground.account_a.pk, "shell")).status_code == 404


def test_a_client_reads_why_not_and_what_is_not_included(ground: Ground):
    with everything("test"):
        actor = ground.cast.reseller_a.actor
        packages.change(actor=actor, package=ground.package_a, databases=0, features=["databases", "dns"])
    page = ground.cast.client_a.browser().get(url("account_limits", ground.account_a.pk)).content.decode()
    assert "The limit of databases at this hosting account is reached: 0 of 0 used." in page
    assert "Not in this package" in page


def test_the_api_does_the_same(ground: Ground):
    two_mailboxes(ground)
    program = ground.cast.reseller_a.program()
    account = f"/api/v1/accounts/{ground.account_a.pk}"
    small = factories.package(ground.cast.reseller_a.organization, "Small", mailboxes=1, php_versions=["8.2"])
    found = program.post(f"{account}/package/impact", {"package": small.pk}, "application/json").json()
    assert (found["accounts"], found["over"][0]["resource"], found["other_php"][0]["php_version"]) == (
        1,
        "mailboxes",
        "8.4",
    )
    changed = {"mailboxes": 0}
    found = program.post(f"/api/v1/packages/{ground.package_a.pk}/impact", changed, "application/json").json()
    assert [(row["domain"], row["used"], row["limit"]) for row in found["over"]] == [("a-site.org", 2, 0)]
    answer = program.post(f"{account}/package", {"package": small.pk}, "application/json")
    assert (answer.status_code, answer.json()["operation"]["verb"]) == (202, "account.change_package")
    lines = {row["resource"]: row for row in program.get(f"{account}/limits").json()}
    assert (lines["mailboxes"]["used"], lines["mailboxes"]["limit"], lines["mailboxes"]["one_more"]) == (2, 1, False)
    assert lines["mailboxes"]["why_not"]["level"] == "this hosting account"
    body = {"limit": 3, "reason": "A gift"}
    lines = {
        row["resource"]: row for row in program.put(f"{account}/limits/mailboxes", body, "application/json").json()
    }
    assert (lines["mailboxes"]["source"], lines["mailboxes"]["one_more"]) == ("override", True)
    assert program.delete(f"{account}/limits/mailboxes").status_code == 204
    assert program.put(f"{account}/limits/shell", body, "application/json").status_code == 400
    assert program.put(f"{account}/limits/mailboxes", {"limit": 3}, "application/json").json()["field"] == "reason"


def test_the_provider_says_on_which_servers_a_plan_s_accounts_are(ground: Ground):

    with everything("test"):
        plan = plans.create(actor=ground.cast.provider.actor, organization=ground.cast.provider.organization, name="P")
    browser, address = ground.cast.provider.browser(), url("plan_servers", plan.pk)
    send(browser, address, {"servers": [ground.server.pk]}, 302)
    assert PlanServer.objects.get().server == ground.server
    assert "checked" in browser.get(address).content.decode()
