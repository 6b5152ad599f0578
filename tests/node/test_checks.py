"""A daemon that refuses: the guilty slice alone is rejected, all others go live, nothing is reloaded on bad files.

The daemon is a small program of this test, so that many refusals take no time; tests/node/test_real.py asks real ones.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from provisioning.node.changes import Change
from provisioning.node.daemons import DAEMONS
from provisioning.node.daemons.base import Daemon
from provisioning.node.errors import RefusedError
from provisioning.node.node import Node
from provisioning.node.processes import Running
from tests.node.bundles import Machine, file, slice_of

CHECKER = """
import pathlib, sys
names = sys.argv[2] == "names"
texts = {path: path.read_text() for path in pathlib.Path(sys.argv[1]).glob("*.conf")}
bad = [path for path, text in texts.items() if "bad" in text]
pairs = [path for path, text in texts.items() if "exclusive" in text]
if bad or len(pairs) > 1:
    sys.exit(f"cannot accept {bad[0] if names and bad else 'this'}: hunter2secret")
"""


class Picky(Daemon):
    """Serves what lies in /etc/hostwright/*.conf; refuses texts with `bad`, and more than one with `exclusive`."""

    patience = 0.2

    def __init__(self, root: Path, *, names: bool) -> None:
        super().__init__("picky", program="/usr/sbin/picky")
        self.root = root
        self.names = names
        self.served: dict[str, str] = {}
        self.reloads = 0
        self.breaks_on = ""
        self.silent_on = ""

    def _files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in (self.root / "etc/hostwright").glob("*.conf")}

    def pid(self, node: Node) -> int | None:
        return os.getpid()

    def check_command(self) -> list[str]:
        mode = "names" if self.names else "silent"
        return [sys.executable, "-c", CHECKER, str(self.root / "etc/hostwright"), mode]

    def reload(self, node: Node, pid: int, changes: list[Change]) -> Running | None:
        self.reloads += 1
        files = self._files()
        if any("bad" in text for text in files.values()):
            raise AssertionError("reloaded on a configuration that the checker refuses")
        if self.breaks_on and any(self.breaks_on in text for text in files.values()):
            raise RefusedError("failed", "picky died")
        self.served = files
        return None

    def is_ready(self, node: Node, mark: Any, changes: list[Change]) -> bool:
        return not (self.silent_on and any(self.silent_on in text for text in self.served.values()))


@pytest.fixture(params=[True, False], ids=["named", "unnamed"])
def picky(machine: Machine, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Picky:
    machine.at("/usr/sbin").mkdir(parents=True)
    machine.at("/usr/sbin/picky").touch()
    daemon = Picky(machine.root, names=request.param)
    monkeypatch.setitem(DAEMONS, "picky", daemon)
    return daemon


def site(name: str, text: str = "good\n") -> dict[str, Any]:
    return slice_of(f"acc_{name}", file(f"/etc/hostwright/{name}.conf", text, service="picky"))


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {name: told["status"] for name, told in report["slices"].items()}


def test_the_guilty_slice_alone_is_rejected(machine: Machine, picky: Picky) -> None:
    names = "abcdefgh"
    report = machine.apply(*(site(name, "bad\n" if name == "d" else "good\n") for name in names))
    assert report["status"] == "partial"
    assert statuses(report) == {f"acc_{name}": "rejected" if name == "d" else "applied" for name in names}
    assert report["slices"]["acc_d"]["code"] == "check"
    assert "cannot accept" in report["slices"]["acc_d"]["reason"]
    assert (picky.reloads, report["reloads"]) == (1, {"picky": 1})
    assert set(picky.served) == {f"{name}.conf" for name in names if name != "d"}
    assert not machine.at("/etc/hostwright/d.conf").exists()


def test_several_guilty_slices(machine: Machine, picky: Picky) -> None:
    report = machine.apply(*(site(name, "bad\n" if name in "ach" else "good\n") for name in "abcdefgh"))
    assert {name for name, status in statuses(report).items() if status == "rejected"} == {"acc_a", "acc_c", "acc_h"}
    assert picky.reloads == 1


def test_of_two_that_exclude_each_other_one_goes_live(machine: Machine, picky: Picky) -> None:
    report = machine.apply(site("a", "exclusive\n"), site("b", "exclusive\n"), site("c"))
    assert statuses(report) == {"acc_a": "applied", "acc_b": "rejected", "acc_c": "applied"}


def test_a_refused_change_leaves_what_was_served(machine: Machine, picky: Picky) -> None:
    machine.apply(site("a"))
    changed = slice_of("acc_a", file("/etc/hostwright/a.conf", "bad\n", service="picky"), generation=2)
    report = machine.apply(changed)
    assert report["status"] == "rejected"
    assert (picky.reloads, picky.served) == (1, {"a.conf": "good\n"})
    assert machine.at("/etc/hostwright/a.conf").read_text() == "good\n"
    assert machine.apply({**changed, "generation": 2})["status"] == "rejected"


def test_a_refused_base_stops_no_account(machine: Machine, picky: Picky) -> None:
    base = slice_of("server", file("/etc/hostwright/base.conf", "bad\n", service="picky"))
    report = machine.apply(site("a"), base, site("b"))
    assert statuses(report) == {"server": "rejected", "acc_a": "applied", "acc_b": "applied"}


def test_removals_are_judged_with_the_rest_and_cost_one_reload(machine: Machine, picky: Picky) -> None:
    machine.apply(site("a", "exclusive\n"))
    machine.apply({**slice_of("acc_a", generation=2)}, site("b", "exclusive\n"))
    assert set(picky.served) == {"b.conf"}
    assert picky.reloads == 2


def test_a_daemon_that_dies_on_a_change_gets_the_old_one_back(machine: Machine, picky: Picky) -> None:
    machine.apply(site("a"))
    picky.breaks_on = "deadly"
    report = machine.apply(site("b"), site("c", "deadly\n"), site("d"))
    assert statuses(report) == {"acc_b": "applied", "acc_c": "rejected", "acc_d": "applied"}
    assert set(picky.served) == {"a.conf", "b.conf", "d.conf"}
    assert report["slices"]["acc_c"]["reason"] == "picky died"


def test_a_daemon_that_takes_a_change_and_does_not_serve_it_gets_the_old_one_back(
    machine: Machine, picky: Picky
) -> None:
    machine.apply(site("a"))
    picky.silent_on = "mute"
    report = machine.apply(site("b"), site("c", "mute\n"), site("d"))
    assert statuses(report) == {"acc_b": "applied", "acc_c": "rejected", "acc_d": "applied"}
    assert set(picky.served) == {"a.conf", "b.conf", "d.conf"}
    assert "does not serve its new configuration" in report["slices"]["acc_c"]["reason"]


def test_secrets_are_masked_in_a_checkers_words(machine: Machine, picky: Picky) -> None:
    secret = file("/etc/hostwright/s.conf", "bad\nkey = hunter2secret\n", service="picky", secret=True)
    report = machine.apply(slice_of("acc_s", secret))
    assert report["slices"]["acc_s"]["status"] == "rejected"
    assert "hunter2secret" not in str(report) + str(machine.events)


def test_a_daemon_that_is_not_there_refuses(machine: Machine) -> None:
    report = machine.apply(slice_of("acc_a", file("/etc/hostwright/x.conf", service="nginx")))
    assert report["slices"]["acc_a"]["reason"] == "nginx is not installed on this server"
    assert not machine.at("/etc/hostwright/x.conf").exists()
