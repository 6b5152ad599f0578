"""The PHP version of a site: changed by its owner, within what server and package have; the reason where not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from panel.core.errors import Conflict, Forbidden, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from provisioning.models import Package, Preview, Server
from provisioning.selectors import php_versions
from provisioning.services import bulk, hosting_accounts, packages, previews, sites, verbs
from tests.provisioning import factories, plans
from tests.provisioning.ground import Ground, acting, dirty, last_operation, refused

SYSTEM = factories.SYSTEM


@pytest.fixture(autouse=True)
def _two_versions(ground: Ground) -> None:
    """The server has 8.3 and 8.4; the account's site runs 8.4."""
    Server.objects.filter(pk=ground.server.pk).update(php_versions=["8.4", "8.3"])


def sell(ground: Ground, *versions: str) -> None:
    """Let the account's package include these versions only."""
    with everything("test"):
        packages.change(actor=SYSTEM, package=ground.package_a, php_versions=list(versions))


def change(ground: Ground, version: str, who: str = "client_a") -> None:
    person = getattr(ground.cast, who)
    with acting(person):
        sites.change_php(actor=person.actor, site=ground.site, php_version=version)


def offered(ground: Ground) -> list[php_versions.Choice]:
    """The choices of the account's site, as its owner is told them."""
    with acting(ground.cast.client_a):
        return php_versions.choices(ground.site)


def call(client: Client, method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    return client.generic(method, url, json.dumps(body or {}), content_type="application/json")


def test_the_owner_changes_it_and_only_the_web_server_s_slice_follows(ground: Ground) -> None:
    before = len(dirty(ground.account_a))
    change(ground, "8.3")
    assert ground.site.php_version == "8.3"
    operation = last_operation(ground.account_a)
    assert (operation.verb, operation.subject, operation.status) == ("site.change_php", "a-site.org", "pending")
    assert len(dirty(ground.account_a)) == before + 1
    entry = AuditEntry._base_manager.get(action="site.change_php")
    assert (entry.object_id, entry.changes) == (ground.site.pk, {"php_version": ["8.4", "8.3"]})


@pytest.mark.parametrize(
    ("version", "code", "says"),
    [
        ("8.2", "php_not_there", "no PHP 8.2. Choose one of these: 8.4."),
        ("8.3", "not_included", "does not include PHP 8.3. Choose one of these: 8.4."),
        ("8.4", "same", "already"),
    ],
)
def test_what_server_or_package_does_not_have_is_refused_with_the_reason(
    ground: Ground, version: str, code: str, says: str
) -> None:
    sell(ground, "8.4", "8.1")
    with refused(code, "php_version", 409, says=says):
        change(ground, version)
    assert ground.site.php_version == "8.4"


@pytest.mark.parametrize("wrong", ["", "8", "8.4.1", "8.4 8.3", "../8", "8.40"])
def test_it_has_to_be_a_version(ground: Ground, wrong: str) -> None:
    with refused("php_version", "php_version"):
        change(ground, wrong)


def test_a_package_that_names_none_includes_all(ground: Ground) -> None:
    assert [(row.version, row.is_open) for row in offered(ground)] == [("8.3", True), ("8.4", True)]
    sell(ground, "8.3", "8.2")
    shown = {row.version: (row.code, row.is_current) for row in offered(ground)}
    assert shown == {"8.3": ("", False), "8.4": ("not_included", True), "8.2": ("php_not_there", False)}
    assert list(shown) == ["8.2", "8.3", "8.4"]


def test_others_do_not(ground: Ground) -> None:
    with pytest.raises(NotFound):
        change(ground, "8.3", "client_b")
    with pytest.raises(Forbidden):
        change(ground, "8.3", "readonly_a")
    with everything("test"):
        hosting_accounts.suspend(actor=SYSTEM, hosting=ground.account_a)
    with pytest.raises(Conflict, match="suspended"):
        change(ground, "8.3")
    assert ground.site.php_version == "8.4"


def test_its_page_offers_what_is_possible_and_says_why_the_rest_is_not(ground: Ground) -> None:
    sell(ground, "8.4", "8.3", "8.1")
    browser, url = ground.cast.client_a.browser(), reverse("provisioning:site_php", args=[ground.site.pk])
    assert url in browser.get(reverse("provisioning:account_sites", args=[ground.account_a.pk])).content.decode()
    page = browser.get(url).content.decode()
    assert [f'value="{version}"' in page for version in ("8.3", "8.4", "8.1")] == [True, True, False]
    assert "The server of this account has no PHP 8.1." in page
    assert browser.post(url, {"php_version": "8.1"}).status_code == 400
    assert browser.post(url, {"php_version": "8.4"}).status_code == 409
    shown = browser.post(url, {"php_version": "8.3", "show_first": "1"})
    with everything("test"):
        assert Preview.objects.get().verb == "site.change_php"
    assert shown.headers["Location"].startswith("/previews/")
    answer = browser.post(url, {"php_version": "8.3"})
    assert answer.headers["Location"].startswith(reverse("provisioning:account_sites", args=[ground.account_a.pk]))
    assert ground.site.php_version == "8.3"
    assert "Change PHP of a-site.org" in browser.get(reverse("provisioning:operation_list")).content.decode()


def test_programs_do_the_same(ground: Ground) -> None:
    sell(ground, "8.4", "8.3", "8.1")
    program, url = ground.cast.client_a.program(), f"/api/v1/sites/{ground.site.pk}"
    listed = program.get(url).json()["php_choices"]
    assert [(row["version"], row["possible"], row["code"]) for row in listed] == [
        ("8.1", False, "php_not_there"),
        ("8.3", True, ""),
        ("8.4", True, ""),
    ]
    refusal = call(program, "PATCH", url, {"php_version": "8.1"})
    assert refusal.status_code == 409
    assert refusal.json()["rule"] == "php_versions"
    assert refusal.json()["remedy"] == "Choose one of these: 8.3, 8.4."
    assert call(program, "PATCH", url, {"php_version": "8.3", "docroot": "x"}).status_code == 400
    answer = call(program, "PATCH", url, {"php_version": "8.3"})
    assert (answer.status_code, answer.json()["site"]["php_version"]) == (202, "8.3")
    order = {"verb": "site.change_php", "arguments": {"site": ground.site.pk, "php_version": "8.4"}}
    asked = call(program, "POST", "/api/v1/previews", order).json()
    plans.ready(asked["id"], {"servers": []})
    assert call(program, "POST", f"{asked['url']}/confirm").json()["made"] == ground.site.pk
    assert ground.site.php_version == "8.4"


@pytest.fixture
def old(ground: Ground) -> Package:
    """A package for PHP 8.3 only."""
    return factories.package(ground.cast.reseller_a.organization, "Old", php_versions=["8.3"])


def test_another_package_leaves_the_version_and_says_so_first(ground: Ground, old: Package) -> None:
    browser, url = ground.cast.reseller_a.browser(), reverse("provisioning:account_package", args=[ground.account_a.pk])
    said = "a-site.org keeps PHP 8.4, which the package does not allow"
    assert said in browser.post(url, {"package": old.pk}).content.decode()
    with everything("test"):
        preview = previews.request(
            actor=ground.cast.reseller_a.actor,
            verb="accounts.change_package",
            arguments={"hostings": [ground.account_a.pk], "package": old.pk},
        )
    plans.ready(preview.pk, {"servers": []})
    assert said in browser.get(reverse("provisioning:preview", args=[preview.pk])).content.decode()
    with everything("test"):
        bulk.change_package(actor=SYSTEM, hostings=[ground.account_a], package=old)
    assert ground.site.php_version == "8.4"
    assert [row.code for row in offered(ground)] == ["", "not_included"]
    with pytest.raises(Conflict) as caught:
        verbs.run(
            actor=ground.cast.client_a.actor,
            verb="site.change_php",
            arguments={"site": ground.site.pk, "php_version": "8.2"},
        )
    assert caught.value.params["level"] == "the server"
