"""`manage.py reconcile`: the plan on the terminal with its exit status, and the order that is followed to its end."""

from __future__ import annotations

import sqlite3
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from provisioning.models import Operation, Server
from tests.provisioning.engine import Bench, bench, unreachable
from tests.provisioning.ground import entries, rows

__all__ = ["bench"]


@pytest.fixture(autouse=True)
def _without_the_servers_own_slice(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    """A directory holds accounts, but no server's own configuration."""
    monkeypatch.setattr("provisioning.drivers.for_server", lambda spec: [])


def command(*arguments: str) -> tuple[str, int]:
    """Run the command; returns what it printed and its exit status."""
    out, status = StringIO(), 0
    try:
        call_command("reconcile", *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        status = int(str(ended.code))
    return out.getvalue(), status


def break_by_hand(bench: Bench) -> None:
    """Delete a mail domain on the server."""
    with sqlite3.connect(bench.at("/var/lib/hostwright/mail/mail.sqlite")) as database:
        database.execute("DELETE FROM domain WHERE name = 'a-site.org'")


def test_a_plan_prints_what_differs_and_changes_nothing(bench: Bench):
    bench.run()
    assert command("web1", "--plan") == ("web1: 0 to add, 0 to change, 0 to remove; reloads: none\n", 0)
    break_by_hand(bench)
    before, tree = rows(), bench.tree()
    printed, status = command(bench.server.id, "--plan")
    assert status == 2
    assert "a-site.org\n" in printed
    assert "    + row domain:a-site.org (changed on the server)\n" in printed
    assert "        +" in printed
    assert "web1: 1 to add, 0 to change, 0 to remove" in printed
    assert command("web1", "--plan", "--no-verify")[1] == 0
    assert (rows(), bench.tree()) == (before, tree)


def test_an_order_is_an_operation_of_the_system_and_is_audited(bench: Bench):
    bench.run()
    break_by_hand(bench)
    printed, status = command("web1")
    operation = Operation.objects.latest("id")
    assert (printed, status) == (f"{operation.id}: Compare and repair web1\n", 0)
    assert (operation.verb, operation.actor_label) == ("server.reconcile", "manage.py reconcile")
    assert entries("server.reconcile") == 1
    bench.run()
    assert command("web1", "--plan")[1] == 0


@pytest.mark.parametrize(("outcome", "expected"), [("applied", 0), ("cancelled", 1)])
def test_waiting_shows_the_steps_until_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, outcome: str, expected: int
):
    bench.run()
    asleep: list[float] = []

    def carry(seconds: float) -> None:
        """What a worker does while the command sleeps."""
        asleep.append(seconds)
        if outcome == "applied":
            bench.run()
        else:
            Operation._base_manager.filter(status="pending").update(status="cancelled")

    monkeypatch.setattr("provisioning.management.commands.reconcile.time.sleep", carry)
    printed, status = command("web1", "--wait")
    assert status == expected
    assert len(asleep) == 1
    assert ("Read what should be" in printed) == (outcome == "applied")
    assert printed.splitlines()[-1].startswith({"applied": "Done after", "cancelled": "Cancelled after"}[outcome])


def test_what_can_not_be_asked_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(CommandError, match="There is no server web7"):
        command("web7", "--plan")
    with unreachable(monkeypatch), pytest.raises(CommandError, match="No connection"):
        command("web1", "--plan")
    Server.objects.update(state="new")
    with pytest.raises(CommandError, match="not set up"):
        command("web1")
