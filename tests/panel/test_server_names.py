"""What the provider calls its servers: nobody else reads it, in no page, list, file or answer that they may open."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.services import plans
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Operation, OperationTarget, Preview, Run, RunStep, Server, Slice
from provisioning.services import plan_servers
from tests.panel.matrix import ROWS, Row
from tests.panel.world import World, world  # noqa: F401 (a fixture)
from tests.provisioning import factories

SECOND = "vulcan"
READERS = ("reseller_a", "client_a", "sub_reseller")
READ = [row for row in ROWS if "GET" in row.methods.split() and not row.route.startswith(("account_", "mfa_"))]


def change(subject: str, key: str, diff: str = "") -> dict[str, Any]:
    return {"key": key, "change": "change", "subject": subject, "service": "postfix", "diff": diff, "reason": None}


def spread(made: World) -> list[Server]:
    """Let the account's newest operation reach a second server, too, each in a run that failed."""
    with everything("test"):
        second = factories.server(made.cast.provider.organization, SECOND, "198.51.100.77", role_mail=False)
        hosting = HostingAccount.objects.get(pk=made.objects["account"][0])
        operation = Operation.objects.get(pk=made.objects["operation"][0])
        part, _is_new = Slice.objects.get_or_create(server=second, hosting=hosting)
        OperationTarget.objects.get_or_create(operation=operation, slice=part)
        for target in OperationTarget.objects.filter(operation=operation):
            target.run = Run.objects.create(server=target.slice.server, epoch=1, status="failed")
            target.save()
            RunStep.objects.create(run=target.run, position=0, name="write", status="failed", ms=1)
            operation.events.create(kind="waiting", run=target.run)
        found = [Server.objects.get(pk=made.objects["server"][0]), second]
        brand = made.cast.reseller_a.organization.brand.pk
        own_page, others = f"file:/var/lib/hostwright/pages/{brand}/404.html", "file:/etc/postfix/main.cf"
        planned = [
            {
                "server": server.name,
                "roles": sorted(server.roles),
                "changes": [
                    change(hosting.domain, "file:/etc/nginx/site.conf", "+listen 80;"),
                    change(server.name, own_page, "+<h1>Sorry</h1>"),
                    change(server.name, others, f"+myhostname = {server.platform_name}"),
                ],
                "problems": [{"subject": server.name, "code": "invalid", "message": "Not fit."}],
                "reloads": ["postfix"],
                "removals": 0,
                "resources": 3,
            }
            for server in found
        ]
        Preview.objects.filter(
            pk__in=[made.objects["preview_of_client_a"][0], made.objects["preview_of_reseller_a"][0]]
        ).update(status="ready", result={"servers": planned, "subject": hosting.domain}, basis="b" * 64)
    return found


def secrets(servers: list[Server]) -> list[str]:
    return [text for server in servers for text in (server.name, server.pk, server.platform_name)]


def body(browser: Client, url: str, **query: str) -> str:
    answer: Any = browser.get(url, query)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace")


def address(made: World, row: Row) -> str:
    pairs = [part.rpartition("=") for part in row.of.split()]
    return reverse(
        row.route, kwargs={name or "pk": made.objects[key][0] for name, _equals, key in pairs if name != "below"}
    )


@pytest.mark.parametrize("role", READERS)
def test_no_page_list_or_answer_names_a_server(world: World, db: None, role: str) -> None:  # noqa: F811
    hidden = secrets(spread(world))
    browser = getattr(world.cast, role).browser()
    found = []
    for row in READ:
        if role not in row.may:
            continue
        cache.clear()
        url = address(world, row)
        own = [text for text in hidden if text not in url]
        for query in ({}, {"export": "csv"}, {"format": "csv"}):
            said = body(browser, url, **query)
            found += [f"{row} {query}: {text}" for text in own if text in said]
    assert found == []


def test_others_read_what_a_server_is_for_and_the_provider_its_name(world: World, db: None) -> None:  # noqa: F811
    spread(world)
    page = reverse("provisioning:operation", args=[world.objects["operation"][0]])
    answer = reverse("provisioning_api:operation", args=[world.objects["operation"][0]])
    for_mail, without_mail = "Server for web sites, databases, DNS and mail", "Server for web sites, databases and DNS"
    assert f"{without_mail} <" in body(world.cast.client_a.browser(), page)
    assert SECOND in body(world.cast.provider.browser(), page)
    told = world.cast.client_a.program().get(answer).json()
    assert {part["server"] for part in told["targets"]} == {for_mail, without_mail}
    assert {line["server"] for line in told["log"]} <= {"", for_mail, without_mail}
    assert told["server"] is None
    assert {part["server"] for part in world.cast.provider.program().get(answer).json()["targets"]} == {"web1", SECOND}
    account = reverse("provisioning_api:account", args=[world.objects["account"][0]])
    assert world.cast.client_a.program().get(account).json()["servers"] == [for_mail]
    assert world.cast.provider.program().get(account).json()["servers"] == ["web1"]
    unscoped = world.cast.provider.program("account.view")
    assert unscoped.get(account).json()["servers"] == [for_mail]


def test_a_preview_shows_the_servers_own_part_to_the_provider_alone(world: World, db: None) -> None:  # noqa: F811
    spread(world)
    answer = reverse("provisioning_api:preview", args=[world.objects["preview_of_reseller_a"][0]])
    first, _second = world.cast.reseller_a.program().get(answer).json()["servers"]
    assert [row["diff"] for row in first["changes"]] == ["+listen 80;", "+<h1>Sorry</h1>", ""]
    assert first["changes"][2]["reason"]
    assert first["problems"][0]["subject"] == first["server"]


def test_lists_do_not_tell_by_their_filters_which_servers_there_are(world: World, db: None) -> None:  # noqa: F811
    server = spread(world)[0]
    domain = "client-a.example"
    for route, query in (
        ("provisioning:account_list", {"server": server.pk}),
        ("provisioning:operation_list", {"server": server.pk}),
    ):
        assert domain in body(world.cast.provider.browser(), reverse(route), export="csv", **query)
        assert domain not in body(world.cast.reseller_a.browser(), reverse(route), export="csv", **query)


def test_a_reseller_reads_how_many_servers_a_plan_has_and_not_which(world: World, db: None) -> None:  # noqa: F811
    cast = world.cast
    with everything("test"):
        AuditEntry.objects.filter(action="plan.change").delete()
        server = factories.server(cast.provider.organization, SECOND)
        theirs = plans.create(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, name="Below")
        ours = plans.create(actor=cast.provider.actor, organization=cast.provider.organization, name="Gold")
        for plan in (theirs, ours):
            plan_servers.set(actor=cast.provider.actor, plan=plan, servers=[server])
        kept = {row.object_id: row.changes for row in AuditEntry.objects.filter(action="plan.change")}
    assert kept == {theirs.pk: {"servers": [0, 1]}, ours.pk: {"servers": [[], [SECOND]]}}
