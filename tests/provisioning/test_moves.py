"""Moves on their way to a server: sent until it has made them, through refusals, changes of mind and lost reports."""

from __future__ import annotations

from typing import Any

import pytest

from panel.core.actors import Actor
from panel.core.failures import Temporary
from provisioning import preview, transport
from provisioning.models import HostingAccount, Move, Operation
from provisioning.services import hosting_accounts, mailboxes, renames
from tests.provisioning.engine import Bench, bench, statuses

__all__ = ["bench"]

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"


@pytest.fixture
def asite(bench: Bench) -> HostingAccount:
    """Account A as the server has it, with a message in a mailbox."""
    mailboxes.create(actor=SYSTEM, mail_domain=bench.ground.mail_domain, local="anna", password=PASSWORD)
    bench.run()
    bench.at("/home/asite/mail/message").write_text("kept")
    return bench.ground.account_a


def rename(hosting: HostingAccount, **names: str) -> Operation:
    return renames.rename(actor=SYSTEM, hosting=HostingAccount.objects.get(pk=hosting.pk), **names)


def status(operation: Operation) -> str:
    return Operation.objects.get(pk=operation.pk).status


def unmoved() -> int:
    return Move.objects.filter(applied_at__isnull=True).count()


def sent(bench: Bench) -> list[list[str]]:
    moves: list[list[str]] = bench.applies()[-1]["slices"][0]["moves"]
    return moves


def test_a_rename_reaches_the_server_once(bench: Bench, asite: HostingAccount):
    operation = rename(asite, username="newname", domain="new-name.org")
    bench.run()
    assert (status(operation), unmoved()) == ("applied", 0)
    assert bench.at("/home/newname/mail/message").read_text() == "kept"
    assert not bench.at("/home/asite").exists()
    assert f"newname:x:{asite.uid}:" in bench.at("/var/lib/extrausers/passwd").read_text()
    rename(asite, domain="third-name.org")
    bench.run()
    assert sent(bench) == []
    assert bench.at("/home/newname/mail/message").read_text() == "kept"


def test_a_plan_shows_the_moves_and_leaves_none(bench: Bench, asite: HostingAccount):
    arguments = {"hosting": asite.pk, "username": "newname"}
    plan = preview.work_out(actor=SYSTEM, verb="account.rename", arguments=arguments)
    (server,) = plan.servers
    assert [change["key"] for change in server["changes"] if change["change"] == "move"] == [
        "move:user:asite",
        "move:directory:/home/asite",
    ]
    assert (server["counts"]["move"], server["counts"]["remove"]) == (2, 0)
    assert not Move.objects.exists()
    assert bench.at("/home/asite/mail/message").exists()


def test_a_rename_that_the_server_refuses_can_be_taken_back(bench: Bench, asite: HostingAccount):
    bench.at("/home/newname").mkdir()
    operation = rename(asite, username="newname")
    bench.run()
    assert (status(operation), unmoved()) == ("rejected", 3)
    assert bench.at("/home/asite/mail/message").read_text() == "kept"
    back = rename(asite, username="asite")
    bench.run()
    assert (status(back), unmoved()) == ("applied", 0)
    assert bench.at("/home/asite/mail/message").read_text() == "kept"
    assert f"asite:x:{asite.uid}:" in bench.at("/var/lib/extrausers/passwd").read_text()


def test_a_rename_that_was_refused_is_made_once_nothing_is_in_its_way(bench: Bench, asite: HostingAccount):
    bench.at("/home/newname").mkdir()
    rename(asite, username="newname")
    bench.run()
    bench.at("/home/newname").rmdir()
    later = rename(asite, domain="new-name.org")
    bench.run()
    assert (status(later), unmoved()) == ("applied", 0)
    assert bench.at("/home/newname/mail/message").read_text() == "kept"


def test_a_report_that_was_lost_does_no_harm(bench: Bench, asite: HostingAccount, monkeypatch: pytest.MonkeyPatch):
    """The server has moved, the panel does not know: the next run sends the moves again."""
    operation = rename(asite, username="newname")
    original = transport.call

    def lose(target: Any, verb: str, payload: Any, on_event: Any = None) -> dict[str, Any]:
        original(target, verb, payload, on_event)
        raise Temporary("the connection broke")

    with monkeypatch.context() as patch:
        patch.setattr(transport, "call", lose)
        bench.run()
    assert (status(operation), unmoved()) == ("waiting", 3)
    type(bench.server).objects.update(retry_at=None)
    bench.run()
    assert (status(operation), unmoved(), len(sent(bench))) == ("applied", 0, 3)
    assert bench.at("/home/newname/mail/message").read_text() == "kept"


def test_a_termination_and_its_undoing_leave_the_data(bench: Bench, asite: HostingAccount):
    hosting_accounts.terminate(actor=SYSTEM, hosting=asite, confirm="a-site.org")
    bench.run()
    assert bench.at("/home/asite/mail/message").read_text() == "kept"
    hosting_accounts.restore(actor=SYSTEM, hosting=asite)
    bench.run()
    assert statuses()["account.restore a-site.org"] == "applied"
    assert bench.at("/home/asite/mail/message").read_text() == "kept"
    rename(asite, username="newname")
    bench.run()
    assert bench.at("/home/newname/mail/message").read_text() == "kept"
