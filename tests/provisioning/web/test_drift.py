"""The pages, the API and the command of drift as the provider uses them; no server needed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from panel.core.failures import Temporary
from panel.core.scoping import everything
from provisioning import transport
from provisioning.models import DriftCheck, DriftItem, HostingAccount, Operation, Pin, Slice
from provisioning.node import VERSION
from provisioning.node.facts import digest
from provisioning.services import drift_checks
from tests.cast import Cast
from tests.provisioning import factories

HOSTILE = "-listen 80;\n+<script>alert(1)</script>\n"


@pytest.fixture
def account(cast: Cast) -> HostingAccount:
    """An account of client A on a ready server."""
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization)
    return factories.account(cast.client_a.organization, package, "bakery.example")


def url(name: str, *args: object) -> str:
    return reverse(f"provisioning:{name}", args=args)


def part_of(account: HostingAccount) -> Slice:
    with everything("test"):
        return Slice.objects.select_related("server").get(hosting=account)


def text(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def looked_at(part: Slice, **values: Any) -> DriftCheck:
    now = timezone.now()
    return DriftCheck.objects.create(
        server=part.server, **{"status": "drifted", "finished_at": now, "next_at": now, "checked": 7, **values}
    )


def test_findings_are_shown_by_account_with_their_diff_and_what_can_be_done(cast: Cast, account: HostingAccount):
    part, browser = part_of(account), cast.provider.browser()
    looked_at(part)
    factories.finding(part, diff=HOSTILE)
    factories.finding(part, "zone:bakery.example", service="named")
    page = text(browser, url("drift", part.server_id))
    assert "2 differences" in page
    assert "bakery.example" in page
    assert 'class="diff-add">+&lt;script&gt;alert(1)&lt;/script&gt;' in page
    assert page.count("/adopt/") == 1
    assert page.count('name="item"') == 2
    assert 'hx-trigger="every 1s"' not in page
    server = text(browser, url("server", part.server_id))
    assert "2 differences" in server
    home = text(browser, reverse("dashboard:home"))
    assert "has 2 differences from what the panel made" in home


def test_a_check_is_asked_for_and_followed(cast: Cast, account: HostingAccount):
    part, browser = part_of(account), cast.provider.browser()
    assert "This server has not been looked at yet" in text(browser, url("drift", part.server_id))
    assert browser.post(url("drift_check", part.server_id)).headers["Location"] == url("drift", part.server_id)
    waiting = text(browser, url("drift_part", part.server_id))
    assert 'hx-trigger="every 1s"' in waiting
    assert "Waiting to start" in waiting
    with everything("test"):
        Operation.objects.update(status=Operation.Status.APPLIED)
    looked_at(part, status="failed", reason=drift_checks.REASON_TOO_OLD, detail="unknown verb")
    page = text(browser, url("drift", part.server_id))
    assert "The last check failed" in page
    assert "too old to look for drift" in page


def test_restoring_asks_first_and_says_what_it_does(cast: Cast, account: HostingAccount):
    part, browser = part_of(account), cast.provider.browser()
    one = factories.finding(part)
    two = factories.finding(part, "file:/etc/nginx/x.conf", kind="extra")
    assert "What is not ours is removed from the server" in text(browser, url("drift_item_restore", two.pk))
    several = f"{url('drift_restore', part.server_id)}?item={one.pk}"
    asked = text(browser, several)
    assert "Put 1 difference on web1 back?" in asked
    assert "+listen 81;" in asked
    assert browser.post(several).headers["Location"] == url("drift", part.server_id)
    with everything("test"):
        assert DriftItem.objects.get(pk=one.pk).operation is not None
        assert DriftItem.objects.get(pk=two.pk).operation is None
    page = text(browser, url("drift", part.server_id))
    assert "being restored" in page
    assert 'hx-trigger="every 1s"' in page
    assert "Put 2 differences on web1 back?" in text(browser, url("drift_restore", part.server_id))


def test_an_exception_has_a_reason_and_an_end(cast: Cast, account: HostingAccount):
    part, browser = part_of(account), cast.provider.browser()
    item = factories.finding(part)
    assert "until it changes once more" in text(browser, url("drift_item_pin", item.pk))
    browser.post(url("drift_item_pin", item.pk), {"note": "Lena <b>asked</b>"})
    pin = Pin.objects.get()
    assert "Lena &lt;b&gt;asked&lt;/b&gt;" in text(browser, url("drift", part.server_id))
    browser.post(url("drift_pin_remove", pin.pk))
    assert not Pin.objects.exists()
    assert "1 difference" in text(browser, url("drift", part.server_id))


def test_what_cannot_be_adopted_is_refused_where_the_person_came_from(cast: Cast, account: HostingAccount):
    part, browser = part_of(account), cast.provider.browser()
    item = factories.finding(part)
    assert "The panel has no setting that says this" in text(browser, url("drift_item_adopt", item.pk))
    answer = browser.post(url("drift_item_adopt", item.pk), follow=True)
    assert answer.redirect_chain[0][0] == url("drift", part.server_id)
    assert "The panel has no setting that says this" in answer.content.decode()
    item.refresh_from_db()
    assert item.state == "open"


def test_history_can_be_searched(cast: Cast, account: HostingAccount):
    part, browser = part_of(account), cast.provider.browser()
    factories.finding(part, "file:/etc/one", state="gone", closed_at=timezone.now())
    factories.finding(part, "file:/etc/two")
    page = text(browser, url("drift_history", part.server_id) + "?state=gone")
    assert "/etc/one" in page
    assert "/etc/two" not in page
    assert "/etc/two" in text(browser, url("drift_history", part.server_id) + "?q=two")


def test_a_program_does_the_same(cast: Cast, account: HostingAccount):
    part, browser = part_of(account), cast.provider.browser()
    item = factories.finding(part, "zone:bakery.example", actual={"text": "nonsense"})
    other = factories.finding(part)
    api = f"/api/v1/servers/{part.server_id}/drift"
    listed = browser.get(api).json()["items"]
    assert [(row["key"], row["adoptable"], row["account"]) for row in listed] == [
        (other.key, False, account.pk),
        ("zone:bakery.example", True, account.pk),
    ]
    assert browser.get(f"{api}?state=gone").json()["items"] == []
    assert browser.get(f"{api}?state=lost").status_code == 400
    refused = browser.post(f"/api/v1/drift/{item.pk}/adopt", {}, content_type="application/json")
    assert (refused.status_code, refused.json()["field"], refused.json()["code"]) == (400, "actual", "zone_text")
    assert (
        browser.post(f"{api}/check", {}, content_type="application/json").json()["operation"]["verb"] == "drift.check"
    )
    body = {"items": [other.pk]}
    started = browser.post(f"{api}/restore", body, content_type="application/json")
    assert (started.status_code, started.json()["operation"]["verb"]) == (202, "drift.restore")
    assert browser.post(f"{api}/restore", {"items": ["drf_x"]}, content_type="application/json").status_code == 404
    pinned = browser.post(f"/api/v1/drift/{item.pk}/pin", {"note": "so"}, content_type="application/json")
    assert (pinned.status_code, pinned.json()["note"]) == (201, "so")
    assert [row["key"] for row in browser.get(f"{api}/exceptions").json()["items"]] == [item.key]
    assert browser.delete(pinned.headers["Location"]).status_code == 204


def run_command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("drift", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_what_differs_and_ends_with_a_code(account: HostingAccount, monkeypatch: pytest.MonkeyPatch):
    part = part_of(account)
    items: list[dict[str, Any]] = []

    def call(target: Any, verb: str, payload: Any, on_event: Any = None) -> dict[str, Any]:
        return {"checked": 9, "items": items, "slices": {}, "truncated": False, "steps": []}

    monkeypatch.setattr(transport, "hello", lambda target: {"node": VERSION, "digest": digest()})
    monkeypatch.setattr(transport, "call", call)
    with everything("test"):
        part.intents.all().delete()
    assert run_command("web1") == "web1: 9 things compared, 0 differ.\n"
    told = {"slice": part.name, "key": "file:/etc/a", "drift": "changed", "digest": "d" * 64, "diff": "-a\n+b\n"}
    items.append(told)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("drift", part.server_id, stdout=out)
    assert ended.value.code == 1
    assert out.getvalue().splitlines()[:3] == ["changed  bakery.example  file:/etc/a", "    -a", "    +b"]


def test_the_command_says_when_it_could_not_look(account: HostingAccount, monkeypatch: pytest.MonkeyPatch):
    def hello(target: Any) -> dict[str, Any]:
        raise Temporary("No connection to the server.")

    monkeypatch.setattr(transport, "hello", hello)
    for arguments, words in (["web1"], "No connection"), (["web9"], "no server web9"):
        with pytest.raises(CommandError, match=words) as refused:
            call_command("drift", *arguments)
        assert refused.value.returncode == 2
