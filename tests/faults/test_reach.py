"""Servers that can't be reached, or stop answering in the middle: orders wait, others are served, then all goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from panel.core.scoping import everything
from provisioning import transport
from provisioning.desired import target
from provisioning.models import Operation, Run
from provisioning.models import Server as Row
from provisioning.services import runs
from provisioning.transport import ssh
from tests.faults.bed import Bed
from tests.faults.orders import Orders, account
from tests.provisioning.engine_world import until
from tests.servers import Server

CUTS = ["stopped", pytest.param("dropped", marks=pytest.mark.long), pytest.param("rejected", marks=pytest.mark.long)]
VERDICTS = {"dropped": "drop", "rejected": "reject with tcp reset"}
KILL_SESSIONS = r"""
for process in /proc/[0-9]*; do
    if tr '\0' ' ' < "$process/cmdline" | grep -q '^sshd[-a-z]*: root'; then
        kill -KILL "${process#/proc/}"
        killed=yes
    fi
done
test "$killed"
"""


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a silent server within seconds."""
    monkeypatch.setattr(ssh, "CONNECT_SECONDS", 1.5)
    monkeypatch.setattr(ssh, "KEEPALIVE_SECONDS", 1)


@contextmanager
def cut_off(machine: Server, how: str) -> Iterator[None]:
    """Let nobody reach a server by SSH meanwhile; all else of it goes on."""
    if how == "stopped":
        machine.run(["systemctl", "stop", "ssh.service", "ssh.socket"], check=False)
        machine.run(["sh", "-euc", KILL_SESSIONS], check=False)
    else:
        hook, rule = "type filter hook input priority 0;", f"tcp dport 22 {VERDICTS[how]}"
        machine.in_network(["nft", "add table inet cut"])
        machine.in_network(["nft", f"add chain inet cut input {{ {hook} }}"])
        machine.in_network(["nft", f"add rule inet cut input {rule}"])
    try:
        yield
    finally:
        if how == "stopped":
            machine.run(["systemctl", "start", "ssh"])
        else:
            machine.in_network(["nft", "delete table inet cut"])


@pytest.mark.usefixtures("short_patience")
@pytest.mark.parametrize("how", CUTS)
def test_x4_a_server_that_is_down(bed: Bed, how: str, monkeypatch: pytest.MonkeyPatch):
    """Delays double up to their cap, less a random part; what was ordered meanwhile is applied once, at its newest."""
    monkeypatch.setattr(runs, "FIRST_RETRY", timedelta(seconds=200))
    longest = [200, 400, 600, 600]
    with bed.trial(f"server {how}", 1) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        Row.objects.update(attempts=0)
        with cut_off(bed.world.machine, how):
            transport.forget(target(bed.world.row))
            stored = []
            for _attempt in longest:
                orders.some(2)
                assert bed.world.reconcile() is not None
                row = Row.objects.get(pk=bed.world.row.pk)
                assert row.retry_at is not None
                stored.append((row.retry_at - timezone.now()).total_seconds())
                assert row.unreachable_since is not None
                assert bed.world.reconcile() is None, "asked before its time"
                bed.hurry()
            waiting = Operation._base_manager.filter(pk__in=trial.accepted)
            assert set(waiting.values_list("status", "reason")) == {("waiting", runs.REASON_UNREACHABLE)}
        trial.history.add("delays", stored=stored)
        assert all(0.75 * most <= delay <= most for delay, most in zip(stored, longest, strict=True)), stored
        before = Run.objects.latest("id").pk
        bed.hurry()
        assert bed.world.reconcile() is None
        assert Row.objects.get(pk=bed.world.row.pk).attempts == 0
        # One run for all of it; terminations, which a person confirmed, make one of their own.
        assert Run.objects.filter(pk__gt=before).count() <= 2


@pytest.mark.usefixtures("short_patience")
@pytest.mark.long
@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_x16_ssh_that_hangs_or_drops_in_the_middle(bed: Bed, how: str):
    """The conversation ends between journal and commit: the worker gives up, the node ends its apply, no lock stays."""
    machine = bed.world.machine
    with bed.trial(f"ssh {how}", 1) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        orders.give(account)
        with bed.held_at_its_check():
            carrying = Carrying(bed)
            until("the node checks what it has written", (machine.root / "root/held").exists, 60)
            if how == "frozen":
                machine.freeze()
            else:
                machine.run(["sh", "-euc", KILL_SESSIONS])
            try:
                assert carrying.result() is not None, "the worker did not notice"
            finally:
                machine.thaw()
        orders.some(2)


class Carrying:
    """A worker in a thread of its own."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        self._delay: timedelta | None = None
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        try:
            with everything("test"):
                self._delay = self._bed.world.reconcile()
        finally:
            connections.close_all()

    def result(self) -> timedelta | None:
        """Return the delay that it ended with."""
        self._thread.join(60)
        assert not self._thread.is_alive(), "the worker hangs"
        return self._delay
