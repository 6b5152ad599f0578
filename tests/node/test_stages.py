"""In which order daemons are reloaded, and what they may open."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from provisioning.node import daemons
from provisioning.node.changes import Change
from provisioning.node.daemons import stages
from provisioning.node.daemons.base import Daemon
from provisioning.node.node import Node
from provisioning.node.processes import FILES, allow_files
from tests.node.bundles import Machine

FPM = "php8.4-fpm"


def change(service: str, *, old: bool, new: bool) -> Change:
    body = {"service": service, "text": "listen = /run/a.sock"}
    return Change("acc_a", f"file:/etc/{service}", "change", body if old else None, body if new else None)


def order(**changes: tuple[bool, bool]) -> list[list[str]]:
    """The stages of reloads, by daemon: whether the file was there, and whether it is to be."""
    names = {"fpm": FPM}
    found = {names.get(name, name): (old, new) for name, (old, new) in changes.items()}
    return stages({name: [change(name, old=old, new=new)] for name, (old, new) in found.items()})


def test_a_new_site_and_its_pool_come_up_together() -> None:
    assert order(fpm=(False, True), nginx=(False, True), apache2=(False, True)) == [["apache2", "nginx", FPM]]


def test_a_pool_comes_before_a_site_that_people_ask_for_already() -> None:
    assert order(fpm=(False, True), nginx=(False, True), apache2=(True, True)) == [[FPM], ["apache2", "nginx"]]


def test_a_pool_goes_after_its_site() -> None:
    assert order(fpm=(True, False), nginx=(True, False)) == [["nginx"], [FPM]]
    assert order(fpm=(True, False), nginx=(True, True)) == [["nginx"], [FPM]]


def test_other_daemons_come_before_the_web() -> None:
    assert order(postfix=(True, True), nginx=(False, True)) == [["postfix"], ["nginx"]]


def test_a_process_may_open_more_files_up_to_its_hard_limit() -> None:
    lower = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (100, {}))"
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for hard, expected in ((highest, min(FILES, highest)), (500, 500)):
        program = [sys.executable, "-c", f"{lower.format(hard)}; print(flush=True); input()"]
        with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            allow_files(process.pid)
            assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (expected, hard)
            process.communicate(b"\n")


def test_as_many_reload_at_a_time_as_there_are_processors(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Slow(Daemon):
        """Serves its new configuration when it is asked for the third time."""

        asked = 0

        def pid(self, node: Node) -> int | None:
            return 1

        def reload(self, node: Node, pid: int, changes: list[Change]) -> None:
            told.append(f"+{self.name}")

        def is_ready(self, node: Node, mark: object, changes: list[Change]) -> bool:
            self.asked += 1
            if self.asked == 3:
                told.append(f"-{self.name}")
            return self.asked == 3

    names = ["apache2", "nginx", "postfix"]
    for name in names:
        monkeypatch.setitem(daemons.DAEMONS, name, Slow(name))
    monkeypatch.setattr(daemons, "AT_ONCE", 2)
    monkeypatch.setattr(daemons, "stages", lambda changes: [list(changes)])
    counts: dict[str, int] = {}
    with machine.node() as node:
        daemons.reload(node, {name: [change(name, old=False, new=True)] for name in names}, counts)
    assert told == ["+apache2", "+nginx", "-apache2", "-nginx", "+postfix", "-postfix"]
    assert counts == dict.fromkeys(names, 1)
