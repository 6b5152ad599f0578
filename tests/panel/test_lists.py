"""Every list of objects that a page shows comes as a file: pages are walked, and the few that need none say why."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
from django.core.cache import cache
from django.urls import reverse

from tests.panel.matrix import ROWS, Row
from tests.panel.world import World, world  # noqa: F401 (a fixture)

#: Route → why its list is no file of its own.
WITHOUT = {
    "dashboard:home": "the first of lists that have pages, to which it leads",
    "dashboard:search": "the first of what is found in lists that have pages",
    "provisioning:account": "the names of sites, which the next tab lists",
    "provisioning:server_setup": "a part of a page that fetches itself; the page has the file",
    "provisioning:rebuild_start": "what is asked before anything is there; the rebuild's page has the file",
    "provisioning:server_overrule": "what is asked once, and gone with the answer",
    "provisioning:preview": "a plan, which is confirmed or forgotten",
    "provisioning:preview_part": "a plan, which is confirmed or forgotten",
    "billing:payment": "the few papers of one payment; invoices and payments have files",
    "billing:product_kinds": "what can be made, to choose from",
    "billing:invoice_pay": "the ways to pay, to choose from",
    "billing:pay_all": "what is paid together; the list of invoices has the file",
    "mfa_index": "leads on to the page that has the lists",
}
FILES = ("text/csv", "text/plain")
READERS = ("provider", "reseller_a", "client_a")
PAGES = [
    row for row in ROWS if "GET" in row.methods.split() and "_api:" not in row.route and not row.route.startswith("api")
]


class Lists(HTMLParser):
    """Counts the lists that a page shows, and notes where their files are; what a chart says in figures is no list."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.files: set[str] = set()
        self.in_chart = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = (given.get("class") or "").split()
        self.in_chart = self.in_chart or (tag == "figure" and "chart" in classes)
        if not self.in_chart and (tag == "table" or "list-group" in classes):
            self.count += 1
        link = given.get("href") or ""
        if tag == "a" and ("export=" in link or "download" in given):
            self.files.add(link)

    def handle_endtag(self, tag: str) -> None:
        self.in_chart = self.in_chart and tag != "figure"


def address(made: World, row: Row) -> str:
    pairs = [part.rpartition("=") for part in row.of.split()]
    values = {"pk" if name in ("", "below") else name: made.objects[key][0] for name, _equals, key in pairs}
    return reverse(row.route, kwargs=values)


@pytest.mark.parametrize("role", READERS)
def test_every_list_that_a_page_shows_comes_as_a_file(world: World, db: None, role: str) -> None:  # noqa: F811
    browser = getattr(world.cast, role).browser()
    lacking, walked = {}, 0
    for row in PAGES:
        if role not in row.may:
            continue
        cache.clear()
        url = address(world, row)
        answer = browser.get(url)
        if answer.status_code != 200 or not answer.headers["Content-Type"].startswith("text/html"):
            continue
        walked += 1
        found = Lists()
        found.feed(answer.content.decode())
        if found.count > len(found.files) and row.route not in WITHOUT:
            lacking[str(row)] = f"{found.count} lists, files {sorted(found.files)}"
        for link in sorted(found.files):
            cache.clear()
            file = browser.get(urljoin(url, link))
            if file.status_code != 200 or file.headers["Content-Type"].partition(";")[0] not in FILES:
                lacking[f"{row} {link}"] = f"{file.status_code} {file.headers['Content-Type']}"
    assert walked > 20
    assert lacking == {}
