"""A walk through every page of a person: what the permission matrix says they may open, on a big screen and a phone,
light and dark, judged by axe; with HOSTWRIGHT_SCREENSHOTS=1 every view is kept as a picture in var/screenshots/.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

from tests.cast import PROVIDER_HOST, Person
from tests.panel.matrix import ROWS, SECOND_FACTOR, Row
from tests.panel.world import World

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "var" / "screenshots"
WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
HERE = "atelier.localhost"
SERIOUS = ("serious", "critical")
Scheme = Literal["light", "dark"]

# Addresses that are no page of their own: files, and parts that other pages fetch.
NO_PAGES = ("_part", "_log", "_css", "server_setup", "download_recovery_codes", "_pdf", "_preview")
JUDGE = """async rules => {
    const options = {resultTypes: ['violations'], ...(rules.length ? {runOnly: rules} : {})};
    const found = await axe.run(document, options);
    return found.violations.map(rule => ({
        rule: rule.id, impact: rule.impact, help: rule.help,
        where: rule.nodes.slice(0, 3).map(node => node.target.join(' ')),
    }));
}"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Findings:
    """What was wrong, by page; `seen` are the pages that were looked at."""

    seen: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def addresses(world: World, role: str) -> Iterator[tuple[str, str]]:
    """Yield name and path of every page that a role may open, those without sign-in for `stranger`."""
    for row in ROWS:
        if "_api:" in row.route or "GET" not in row.methods.split() or row.route.endswith(NO_PAGES):
            continue
        if role in row.may and row.route not in SECOND_FACTOR:
            yield row.route.replace(":", "-"), reverse(row.route, kwargs=_arguments(world, row))


def _arguments(world: World, row: Row) -> dict[str, str]:
    parts = [part.rpartition("=") for part in row.of.split()]
    return {"pk" if name in ("", "below") else name: world.objects[key][0] for name, _equals, key in parts}


def context(browser: Browser, site: str, person: Person | None) -> BrowserContext:
    """Return a browser of somebody's own, signed in, with axe in every page."""
    made = browser.new_context(viewport=WIDE, locale="en-GB", timezone_id="Etc/UTC", reduced_motion="reduce")
    made.add_init_script(path=AXE)
    if person is not None:
        session = person.browser().cookies[settings.SESSION_COOKIE_NAME].value
        made.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
    return made


def site_of(person: Person, port: int) -> str:
    """Return the address of the panel that a person signs in to, by a name that browsers trust without TLS."""
    return f"http://{PROVIDER_HOST if person.host == PROVIDER_HOST else HERE}:{port}"


def look(page: Page, name: str, address: str, findings: Findings, folder: str) -> None:
    """Open a page and judge it: answer, console, axe in light and dark, width on a phone."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            said.append(message.text)

    page.on("console", listen)
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    answer = page.goto(address)
    assert answer is not None
    path = urlsplit(address).path
    if answer.status >= 400:
        findings.wrong.append(f"{name} {path}: answered {answer.status}")
    if page.evaluate("document.doctype") is None:
        findings.wrong.append(f"{name} {path}: no page; name it in NO_PAGES")
        return
    findings.seen.append(name)
    for scheme, rules in (("light", []), ("dark", ["color-contrast"])):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        _judge(page, f"{name} {scheme}", rules, findings)
        _keep(page, folder, f"{name}-1440-{scheme}")
    page.set_viewport_size(PHONE)
    wide: int = page.evaluate(OVERFLOW)
    if wide > 0:
        findings.wrong.append(f"{name}: {wide} px wider than a phone")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        _keep(page, folder, f"{name}-390-{scheme}")
    page.remove_listener("console", listen)
    findings.wrong += [f"{name}: the browser says {text}" for text in said]


def _judge(page: Page, name: str, rules: list[str], findings: Findings) -> None:
    for found in page.evaluate(JUDGE, rules):
        if found["impact"] in SERIOUS:
            where = "; ".join(found["where"])
            findings.wrong.append(f"{name}: {found['impact']} {found['rule']} ({found['help']}) at {where}")


def _keep(page: Page, folder: str, name: str) -> None:
    if os.environ.get("HOSTWRIGHT_SCREENSHOTS") != "1":
        return
    place = SCREENSHOTS / folder
    place.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"path": place / f"{name}.png", "full_page": True, "animations": "disabled"}
    page.screenshot(**options)
