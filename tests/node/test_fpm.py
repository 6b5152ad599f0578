"""What is judged of PHP-FPM, and that a lost reload is asked for again: with a stand-in that loses one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.node.changes import ADD, REMOVE, Change
from provisioning.node.daemons.fpm import Fpm
from provisioning.node.node import Node
from tests.node.bundles import Machine

MASTER = """
import os, signal, sys

def write():
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(sys.argv[1] + ".new", sys.argv[1])

told = []

def reload(number, frame):
    told.append(number)
    if len(told) > 1:
        write()

signal.signal(signal.SIGUSR2, reload)
write()
print("ready", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def master(machine: Machine) -> Iterator[subprocess.Popen[bytes]]:
    """A process by the name of php-fpm that takes no notice of its first SIGUSR2."""
    (machine.root / "run/php").mkdir()
    pid_file = machine.root / "run/php/php8.4-fpm.pid"
    command = [sys.executable, "-c", MASTER, str(pid_file), "php-fpm"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def test_a_lost_signal_is_sent_again(machine: Machine, master: subprocess.Popen[bytes]) -> None:
    daemon = Fpm("8.4")
    daemon.again_seconds = 0.05
    with machine.node() as node:
        pid = daemon.pid(node)
        assert pid == master.pid
        mark = daemon.mark(node, pid)
        daemon.reload(node, pid, [])
        assert not daemon.is_ready(node, mark, [])
        deadline = time.monotonic() + 20
        while not daemon.is_ready(node, mark, []):
            assert time.monotonic() < deadline, "it was never told again"
            time.sleep(0.01)


POOLS = "/etc/php/8.4/fpm/pool.d"


def pool(name: str, change: str = ADD) -> Change:
    """A change of a pool's file."""
    body = {"kind": "file", "name": f"{POOLS}/{name}.conf", "text": f"[{name}]\n", "service": "php8.4-fpm"}
    old, new = (None, body) if change == ADD else (body, None)
    return Change("acc_1", f"file:{POOLS}/{name}.conf", change, old, new)


def judged(node: Node, *changes: Change, is_good: bool = True) -> list[str] | None:
    """The files that a check of changes looks at; None for all that there are."""
    command = Fpm("8.4").check(node, list(changes))
    assert command is not None
    is_enough = Fpm("8.4").look(node, list(changes))
    Fpm("8.4").keep_verdict(node, is_good)
    if not is_enough or "-y" not in command.argv:
        return None
    lines = Path(command.argv[-1]).read_text().splitlines()
    return [line.rpartition("/")[2] for line in lines if line.startswith("include=")]


def test_only_pools_that_change_are_judged_while_the_others_stay_as_they_were(machine: Machine) -> None:
    place = machine.root / POOLS.lstrip("/")
    place.mkdir(parents=True, exist_ok=True)
    for name in ("www", "anna", "bert"):
        (place / f"{name}.conf").write_text(f"[{name}]\n")
    with machine.node() as node:
        assert judged(node, pool("anna")) is None
        (place / "carl.conf").write_text("[carl]\n")
        assert judged(node, pool("carl")) == ["carl.conf", "www.conf"]
        (place / "carl.conf").unlink()
        assert judged(node, pool("carl", REMOVE)) == ["www.conf"]


@pytest.mark.parametrize("edited", ["pool.d/bert.conf", "pool.d/new.conf", "php-fpm.conf", "conf.d/90-own.ini"])
def test_all_is_judged_after_a_change_by_hand_or_a_refusal(machine: Machine, edited: str) -> None:
    place = machine.root / POOLS.lstrip("/")
    place.mkdir(parents=True, exist_ok=True)
    (place.parent / "conf.d").mkdir()
    for name in ("www", "anna", "bert"):
        (place / f"{name}.conf").write_text(f"[{name}]\n")
    with machine.node() as node:
        assert judged(node, pool("anna")) is None
        assert judged(node, pool("anna")) == ["anna.conf", "www.conf"]
        (place.parent / edited).write_text("; by hand, as long!")
        assert judged(node, pool("anna")) is None
        assert judged(node, pool("anna"), is_good=False) == ["anna.conf", "www.conf"]
        assert judged(node, pool("anna")) is None
