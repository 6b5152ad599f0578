"""Every page of every face of the panel: it opens, the console is silent, axe finds nothing serious, phones hold it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from accounts.models import Brand
from tests.e2e import walk
from tests.panel import world as worlds
from tests.panel.world import World

OTHERS = ("reseller_a", "sub_reseller", "readonly_a")
ENTRANCE = {
    "sign-in": "/sign-in/",
    "password-reset": "/password/reset/",
    "password-reset-sent": "/password/reset/sent/",
    "not-found": "/no-such-page/",
    "api-docs": "/api/docs/",
}


@pytest.fixture
def world(transactional_db: None) -> World:
    """The cast, and one of every object; reseller A's panel has a name that leads to this machine."""
    made = worlds.make()
    Brand._base_manager.filter(organization=made.cast.reseller_a.organization).update(panel_host=walk.HERE)
    return made


# A provider opens nearly every page that there is; the others' views of the same pages belong to the long form.
ROLES = ["provider", "client_a", *(pytest.param(role, marks=pytest.mark.long) for role in OTHERS)]


@pytest.mark.parametrize("role", ROLES)
def test_every_page_of(role: str, browser: Browser, live_server: LiveServer, world: World) -> None:
    person = getattr(world.cast, role)
    site = walk.site_of(person, live_server.thread.port)
    findings = walk.Findings()
    with walk.context(browser, site, person) as context:
        page = context.new_page()
        for name, path in walk.addresses(world, role):
            walk.look(page, name, f"{site}{path}", findings, role)
    assert findings.wrong == []
    assert len(findings.seen) > 20


def test_every_page_before_sign_in(browser: Browser, live_server: LiveServer, world: World) -> None:
    site = walk.site_of(world.cast.client_a, live_server.thread.port)
    findings = walk.Findings()
    with walk.context(browser, site, None) as context:
        page = context.new_page()
        for name, path in ENTRANCE.items():
            walk.look(page, name, f"{site}{path}", findings, "stranger")
    assert [text for text in findings.wrong if "answered 404" not in text] == []
