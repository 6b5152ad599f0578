"""A node program takes another one's place whole or not at all, and the one that was there is kept."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from provisioning.node.facts import digest_of
from provisioning.node.failpoints import UPGRADE_FAILPOINTS
from tests.node.bundles import Machine, file, payload, request, slice_of
from tests.node.programs import OLDER, PACKAGE, Installed, archive, copy, order


@pytest.fixture
def older(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A machine with an older program."""
    return Installed(tmp_path_factory.mktemp("library"), machine.root, OLDER)


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The program of this tree, beside the machine."""
    return copy(tmp_path / "newer")


def test_an_older_program_is_replaced_and_kept(older: Installed, newer: Path) -> None:
    before = older.digest
    answers = older.ask(request("upgrade", order(newer)), request("hello", {}, 2))
    assert [answer["report"] for answer in answers] == [{"digest": digest_of(str(newer)), "previous": before}]
    assert older.digest == digest_of(str(newer))
    assert digest_of(str(older.library / "previous" / PACKAGE)) == before
    assert sorted(path.name for path in older.library.iterdir()) == [PACKAGE, "previous"]
    (told,) = older.ask(request("hello", {}))
    assert told["report"]["digest"] == digest_of(str(newer))


def test_the_same_program_changes_nothing(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> None:
    installed = Installed(tmp_path_factory.mktemp("library"), machine.root)
    answers = installed.ask(request("upgrade", order(installed.program)), request("hello", {}, 2))
    assert answers[0]["report"] == {"digest": installed.digest, "previous": None}
    assert answers[1]["report"]["digest"] == installed.digest


def test_another_process_of_the_old_program_ends_when_it_is_asked(older: Installed, newer: Path) -> None:
    with older.start() as waiting:
        assert waiting.stdin is not None
        assert waiting.stdout is not None
        waiting.stdin.write(json.dumps(request("hello", {})).encode() + b"\n")
        waiting.stdin.flush()
        assert json.loads(waiting.stdout.readline())["report"]["node"] == "0.9.0"
        assert "report" in older.ask(request("upgrade", order(newer)))[0]
        output, _ = waiting.communicate(json.dumps(request("facts", {}, 2)).encode() + b"\n", timeout=60)
        assert output == b""
        assert waiting.returncode == 0


def tar_of(**members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member in members.values():
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


BROKEN = {
    "no tar": b"not a tar",
    "empty": b"\0" * 1024,
    "up": tar_of(one=member(f"{PACKAGE}/../../../etc/evil.py")),
    "absolute": tar_of(one=member("/etc/evil.py")),
    "elsewhere": tar_of(one=member("evil.py")),
    "link": tar_of(one=member(f"{PACKAGE}/evil.py", tarfile.SYMTYPE)),
    "hard link": tar_of(one=member(f"{PACKAGE}/evil.py", tarfile.LNKTYPE)),
    "directory": tar_of(one=member(f"{PACKAGE}/evil.py", tarfile.DIRTYPE)),
    "no Python": tar_of(one=member(f"{PACKAGE}/evil.sh")),
    "twice": tar_of(one=member(f"{PACKAGE}/evil.py"), two=member(f"{PACKAGE}/evil.py")),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_archive_is_refused_and_the_old_one_goes_on(older: Installed, data: bytes) -> None:
    before = older.digest
    ordered = {"archive": base64.b64encode(data).decode(), "digest": "0" * 64}
    answers = older.ask(request("upgrade", ordered), request("hello", {}, 2))
    assert answers[0]["error"]["code"] in ("bad_request", "failed"), answers[0]
    assert answers[1]["report"]["node"] == "0.9.0"
    assert older.digest == before
    assert [path.name for path in older.library.iterdir()] == [PACKAGE]


def test_another_program_than_announced_is_refused(older: Installed, newer: Path) -> None:
    (answer,) = older.ask(request("upgrade", {**order(newer), "digest": "0" * 64}))
    assert answer["error"]["code"] == "bad_request"
    assert "0" * 64 in answer["error"]["message"]


@pytest.mark.parametrize(
    "edits",
    [
        {"plan.py": "def plan(:\n"},
        {"mail.py": "raise SystemExit(0)\n"},
        {"state.py": "import no_such_module\n"},
        {"upgrade.py": "def is_replaced(): return False\ndef upgrade(): pass\ndef self_test(paths): return {}\n"},
    ],
)
def test_a_program_that_does_not_run_here_is_refused(older: Installed, tmp_path: Path, edits: dict[str, str]) -> None:
    before = older.digest
    answers = older.ask(request("upgrade", order(copy(tmp_path / "bad", edits))), request("hello", {}, 2))
    assert answers[0]["error"]["code"] == "self_test"
    assert answers[0]["error"]["detail"]["words"]
    assert answers[1]["report"]["node"] == "0.9.0"
    assert older.digest == before


@pytest.mark.parametrize("ordered", [{}, {"archive": "", "digest": 1}, {"archive": "é", "digest": ""}])
def test_an_order_of_another_shape_is_refused(older: Installed, ordered: dict[str, Any]) -> None:
    assert older.ask(request("upgrade", ordered))[0]["error"]["code"] == "bad_request"


def test_no_upgrade_in_the_middle_of_an_apply(machine: Machine, older: Installed, newer: Path) -> None:
    with machine.locked():
        assert older.ask(request("upgrade", order(newer)))[0]["error"]["code"] == "busy"


@pytest.mark.parametrize("point", UPGRADE_FAILPOINTS)
def test_a_kill_leaves_one_whole_program(older: Installed, newer: Path, point: str) -> None:
    before = older.digest
    assert older.ask(request("upgrade", order(newer)), failpoint=point) == []
    assert older.digest == (digest_of(str(newer)) if point == "upgrade-swapped" else before)
    assert "report" in older.ask(request("hello", {}))[0]
    again = older.ask(request("upgrade", order(newer)))[0]["report"]
    assert again == {"digest": digest_of(str(newer)), "previous": before}
    assert older.digest == digest_of(str(newer))
    assert sorted(path.name for path in older.library.iterdir()) == [PACKAGE, "previous"]


def test_an_interrupted_apply_is_undone_by_the_program_that_began_it(older: Installed, newer: Path) -> None:
    change = payload(slice_of("server", file("/etc/hostwright/one.conf")))
    assert older.ask(request("apply", change), failpoint="before-commit") == []
    assert (older.root / "etc/hostwright/one.conf").exists()
    assert "report" in older.ask(request("upgrade", order(newer)))[0]
    assert not (older.root / "etc/hostwright/one.conf").exists()
    assert older.ask(request("apply", change))[0]["report"]["status"] == "applied"


def test_a_program_in_a_source_tree_is_not_replaced(machine: Machine, newer: Path) -> None:
    """Tests and developers run the program where it is written."""
    told = json.loads(machine.spawn(request("upgrade", order(newer))).stdout)
    assert told["error"]["code"] == "bad_request"


def test_archives_of_one_program_are_of_one_digest(tmp_path: Path) -> None:
    one, other = copy(tmp_path / "one"), copy(tmp_path / "other", OLDER)
    assert archive(one) != archive(other)
    assert digest_of(str(one)) != digest_of(str(other))
