"""Lists, searches and exports: whatever ids they are asked with, they hold nothing of a stranger's tenant."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.urls import reverse

from tests.panel.matrix import ROWS, Row
from tests.panel.world import World, world  # noqa: F401 (a fixture)

#: Of client A and its account; nobody beside or below A's reseller may read them.
MARKS = ("Client of A", "client-a.example", "client-a@people.example", "reseller-a@people.example")
STRANGERS = ("reseller_b", "client_b", "sub_reseller")
LISTS = [row for row in ROWS if not row.of and "GET" in row.methods.split()]


def questions(world: World) -> list[dict[str, str]]:  # noqa: F811
    """The same list as a file, searched, and filtered by ids of A in every name that a query has for them."""
    client, account = world.objects["client_a"][0], world.objects["account"][0]
    server, package = world.objects["server"][0], world.objects["package_of_reseller_a"][0]
    ids = {
        "organization": client,
        "client": client,
        "parent": world.objects["reseller_a"][0],
        "account": account,
        "hosting": account,
        "server": server,
        "package": package,
        "zone": world.objects["zone"][0],
        "site": world.objects["site"][0],
        "mail_domain": world.objects["mail_domain"][0],
        "operation": world.objects["operation"][0],
    }
    return [{"export": "csv"}, {"format": "csv", "q": "client"}, ids, {"export": "csv", **ids}]


@pytest.mark.parametrize("row", LISTS, ids=str)
def test_no_list_and_no_export_holds_a_stranger_s(world: World, db: None, row: Row) -> None:  # noqa: F811
    url = reverse(row.route)
    leaks = []
    for role in STRANGERS:
        if role not in row.may:
            continue
        browser = getattr(world.cast, role).browser()
        for question in questions(world):
            cache.clear()
            answer = browser.get(url, question)
            assert answer.status_code < 500
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            leaks += [f"{role} {question}: {mark}" for mark in MARKS if mark in body.decode("utf-8", "replace")]
    assert leaks == []
