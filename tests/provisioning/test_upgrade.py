"""The panel brings its node program to a server before it applies anything, and goes on where that is refused."""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from panel.core.actors import Actor
from provisioning import transport, upgrade
from provisioning.desired import target
from provisioning.models import Operation, RunStep
from provisioning.node.facts import digest, digest_of
from provisioning.services import mailboxes
from provisioning.transport import local, pool
from tests.node.programs import OLDER, PACKAGE, copy
from tests.provisioning.engine import Bench, bench

__all__ = ["bench"]

SYSTEM = Actor.system("test")
NEWER = {"__init__.py": 'VERSION = "99.0.0"\nPROTOCOLS = (1,)\n'}
BROKEN = {"plan.py": "def plan(:\n"}


@pytest.fixture
def library(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the bench's server has its node program; none is there yet."""
    made = tmp_path / "library"
    bench.at("/etc/os-release").write_text('ID=debian\nVERSION_ID="13"\n')
    monkeypatch.setattr(local, "PROGRAM", (sys.executable, "-m", PACKAGE, "--root", str(bench.root), "serve"))
    monkeypatch.setattr(local, "LIBRARY", str(made))
    return made


def ordered(bench: Bench, local_part: str = "anna") -> Operation:
    """An order that waits to be carried."""
    domain = bench.ground.mail_domain
    return mailboxes.create(actor=SYSTEM, mail_domain=domain, local=local_part, password="correct horse 42")[1]


def said(bench: Bench) -> list[str]:
    return [verb for verb, _payload in bench.calls if verb in ("upgrade", "apply")]


def ours(monkeypatch: pytest.MonkeyPatch, place: Path, edits: Mapping[str, str]) -> None:
    """Let the panel have another node program than this tree's."""
    program = copy(place, edits)
    monkeypatch.setattr(upgrade, "SOURCE", program)
    monkeypatch.setattr(upgrade, "digest", lambda: digest_of(str(program)))


def test_x13_an_order_finds_an_older_program_and_is_carried_by_ours(bench: Bench, library: Path) -> None:
    program = copy(library, OLDER)
    operation = ordered(bench)
    assert bench.run() is None
    assert said(bench) == ["upgrade", "apply"]
    assert digest_of(str(program)) == digest()
    assert digest_of(str(library / "previous" / PACKAGE)) != digest()
    operation.refresh_from_db()
    assert operation.status == Operation.Status.APPLIED
    assert bench.server.facts["digest"] == digest()
    assert RunStep.objects.get(name=upgrade.STEP).status == RunStep.Status.OK
    ordered(bench, "berta")
    bench.run()
    assert said(bench) == ["upgrade", "apply", "apply"]


def test_x13_a_program_that_fails_its_test_stops_no_order(
    bench: Bench, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = copy(library, OLDER)
    before = digest_of(str(program))
    ours(monkeypatch, tmp_path / "ours", BROKEN)
    operation = ordered(bench)
    bench.run()
    assert said(bench) == ["upgrade", "apply"]
    assert digest_of(str(program)) == before
    operation.refresh_from_db()
    assert operation.status == Operation.Status.APPLIED
    step = RunStep.objects.get(name=upgrade.STEP)
    assert step.status == RunStep.Status.FAILED
    assert "SyntaxError" in step.detail
    assert "does not run" in bench.server.refused_upgrade["reason"]


def test_what_a_server_refused_is_not_offered_again(
    bench: Bench, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = copy(library, OLDER)
    ours(monkeypatch, tmp_path / "ours", BROKEN)
    for name in ("anna", "berta"):
        ordered(bench, name)
        bench.run()
    assert said(bench) == ["upgrade", "apply", "apply"]
    ours(monkeypatch, tmp_path / "repaired", {})
    ordered(bench, "carla")
    bench.run()
    assert said(bench)[-2:] == ["upgrade", "apply"]
    assert digest_of(str(program)) == digest()
    assert bench.server.refused_upgrade == {}


def test_a_newer_program_than_ours_stays(bench: Bench, library: Path) -> None:
    """A worker of an older release, during the panel's own upgrade, takes nothing back."""
    program = copy(library, NEWER)
    before = digest_of(str(program))
    ordered(bench)
    bench.run()
    assert said(bench) == ["apply"]
    assert digest_of(str(program)) == before


def test_another_workers_warm_connection_notices(bench: Bench, library: Path) -> None:
    """Its node program still runs the old code; it ends when it is asked, and the question goes to the new one."""
    copy(library, OLDER)
    warm = local.LocalConnection(target(bench.server))
    assert warm.hello()["node"] == "0.9.0"
    with pool._guard:
        pool._connections[bench.server.id] = (target(bench.server), warm)
    other = local.LocalConnection(target(bench.server))
    other.call("upgrade", {"archive": base64.b64encode(upgrade.archive()).decode(), "digest": digest()})
    other.close()
    assert transport.hello(target(bench.server))["node"] == "0.9.0"
    assert transport.call(target(bench.server), "facts", {})["digest"] == digest()
    assert warm.closed
    assert transport.hello(target(bench.server))["digest"] == digest()
