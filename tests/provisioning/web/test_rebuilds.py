"""Rebuilds and held servers as the provider sees and orders them: pages, API and command; no server needed."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from panel.core.scoping import everything
from provisioning.models import HostingAccount, Operation, OperationTarget, Placement, Rebuild, Server
from tests.cast import Cast
from tests.provisioning import factories


@pytest.fixture
def account(cast: Cast) -> HostingAccount:
    """An account of client A on a ready server, web1; web2 carries nothing."""
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization)
    made = factories.account(cast.client_a.organization, package, "bakery.example")
    factories.server(cast.provider.organization, "web2", "198.51.100.3")
    return made


def url(name: str, *args: object) -> str:
    return reverse(f"provisioning:{name}", args=args)


def named(name: str) -> Server:
    return Server.objects.get(name=name)


def text(browser: Client, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status
    return str(answer.content.decode())


def test_a_server_is_replaced_page_by_page(cast: Cast, account: HostingAccount):
    browser, old, new = cast.provider.browser(), named("web1"), named("web2")
    start = url("rebuild_start", old.pk)
    assert start in text(browser, url("server", old.pk))
    assert "web2" in text(browser, start)
    plan = text(browser, f"{start}?new={new.pk}&addresses=")
    for shown in ("198.51.100.2", "198.51.100.3", "bakery.example", "Only a backup brings back"):
        assert shown in plan
    assert "Add it there first" in text(browser, f"{start}?new={new.pk}&addresses=198.51.100.2+%3D+203.0.113.7", 400)
    assert "one pair on a line" in text(browser, f"{start}?new={new.pk}&addresses=nonsense")
    refused = browser.post(start, {"new": new.pk, "addresses": "", "password": "", "confirm": "web2"})
    assert (refused.status_code, "Type the name" in refused.content.decode()) == (400, True)
    assert named("web1").state == "ready"
    done = browser.post(start, {"new": new.pk, "addresses": "", "password": "", "confirm": "web1"})
    rebuild = Rebuild.objects.get()
    assert done["Location"] == url("rebuild", rebuild.pk)
    page = text(browser, url("rebuild", rebuild.pk))
    assert "0 of 1" in page
    assert "bakery.example" in page
    OperationTarget.objects.filter(operation=rebuild.operation).update(status="applied")
    assert "1 of 1" in text(browser, url("rebuild_part", rebuild.pk))
    assert "takes this server" in text(browser, url("server", old.pk))
    assert "takes the place of web1" in text(browser, url("server", new.pk))


def test_without_a_server_to_take_the_place_the_page_says_so(cast: Cast, account: HostingAccount):
    named("web2").delete()
    assert "No server that could take its place" in text(
        cast.provider.browser(), url("rebuild_start", named("web1").pk)
    )


def test_the_command_plans_asks_and_orders(account: HostingAccount, monkeypatch: pytest.MonkeyPatch):
    said = io.StringIO()
    call_command("rebuild_server", "web2", "--from", "web1", "--plan", stdout=said)
    assert "198.51.100.2 -> 198.51.100.3" in said.getvalue()
    assert not Rebuild.objects.exists()
    for arguments, says in (
        (["web9", "--from", "web1"], "There is no server web9"),
        (["web2", "--from", "web1", "--map", "nonsense"], "--map takes"),
        (["web2", "--from", "web1", "--map", "198.51.100.2=203.0.113.9"], "addresses: "),
    ):
        with pytest.raises(CommandError, match=says):
            call_command("rebuild_server", *arguments, stdout=said)
    monkeypatch.setattr("builtins.input", lambda _question: "web2")
    with pytest.raises(CommandError, match="confirm: Type the name"):
        call_command("rebuild_server", "web2", "--from", "web1", stdout=said)
    monkeypatch.setattr("builtins.input", lambda _question: "web1")
    call_command("rebuild_server", "web2", "--from", "web1", "--no-wait", stdout=said)
    operation = Rebuild.objects.get().operation
    assert operation.id in said.getvalue()
    with everything("test"):
        assert set(Placement.objects.values_list("server__name", flat=True)) == {"web2"}


def test_the_command_follows_until_it_is_over(account: HostingAccount, monkeypatch: pytest.MonkeyPatch):
    """The worker is played: each look finds more done, and at last a rejection."""

    def work(_seconds: float) -> None:
        Operation._base_manager.filter(verb="server.rebuild").update(status="rejected", reason="The disk is full.")

    monkeypatch.setattr("provisioning.management.commands.rebuild_server.time.sleep", work)
    said = io.StringIO()
    with pytest.raises(CommandError, match="The disk is full"):
        call_command("rebuild_server", "web2", "--from", "web1", "--yes", stdout=said)
    assert "0 of 1 accounts" in said.getvalue()


def test_a_held_server_says_so_and_is_overruled(cast: Cast, account: HostingAccount):
    browser, server = cast.provider.browser(), named("web1")
    ahead = {"epoch": 7, "uid": 0, "newer": {account.pk: 5}, "unknown": {"acc_unknown": 12}, "missing": []}
    Server.objects.filter(pk=server.pk).update(held_since=timezone.now(), ahead=ahead)
    page = text(browser, url("server", server.pk))
    assert "holds newer settings than this panel" in page
    assert url("server_overrule", server.pk) in page
    page = text(browser, url("server_overrule", server.pk))
    assert "bakery.example" in page
    assert "acc_unknown" in page
    assert browser.post(url("server_overrule", server.pk), {"confirm": "web2"}).status_code == 400
    done = browser.post(url("server_overrule", server.pk), {"confirm": "web1"})
    operation = Operation._base_manager.get(verb="server.overrule")
    assert done["Location"] == url("operation", operation.pk)
    assert named("web1").held_since is None
