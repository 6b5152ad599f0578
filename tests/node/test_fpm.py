"""A reload of PHP-FPM that gets lost is asked for again; with a stand-in, since the real one seldom loses it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from provisioning.node.daemons.fpm import Fpm
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
