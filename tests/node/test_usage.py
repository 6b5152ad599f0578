"""What accounts use is measured: homes without following links, logs across rotations and never twice."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provisioning.node import homes
from provisioning.node import usage as verb
from provisioning.node.errors import NodeError
from provisioning.node.measuring import alone, measure
from provisioning.node.usage import usage
from provisioning.node.weblogs import add_up
from tests.node.bundles import REPOSITORY, Machine, request, slice_of, tenant

NAME, UID, SLICE = "lena", 20001, "acc_lena"
SITE = "lena.example"
FAR = 1e9
NOW = datetime.now(UTC)
TODAY, YESTERDAY = NOW.date().isoformat(), (NOW - timedelta(days=1)).date().isoformat()


def line(size: int | str, path: str = "/", when: datetime = NOW) -> str:
    """A line of an access log as nginx and Apache write it."""
    stamp = when.strftime("%d/%b/%Y:%H:%M:%S %z")
    return f'203.0.113.9 - - [{stamp}] "GET {path} HTTP/1.1" 200 {size} "-" "Mozilla/5.0"\n'


@pytest.fixture
def home(machine: Machine) -> Path:
    """The home of one tenant, counted as far as it was made."""
    machine.apply(slice_of(SLICE, *tenant(NAME, UID)))
    return machine.at(f"/home/{NAME}")


@pytest.fixture
def log(machine: Machine, home: Path) -> Path:
    """The access log of the tenant's site."""
    return machine.at(f"/var/log/hostwright/{NAME}/{SITE}.access.log")


def asked(machine: Machine, **more: Any) -> dict[str, Any]:
    with machine.node() as node:
        return usage(node, {"server": "srv_1", **more})


def told(machine: Machine) -> dict[str, Any]:
    """What is known of the tenant after all was measured."""
    measure(machine.node_paths())
    return dict(asked(machine)["accounts"][SLICE])


def web(machine: Machine) -> dict[str, Any]:
    return dict(told(machine)["web"])


def write(path: Path, size: int) -> None:
    path.write_bytes(b"x" * size)
    os.chown(path, UID, UID)


def test_files_of_a_home_are_counted(machine: Machine, home: Path) -> None:
    before = told(machine)
    write(home / "public_html/big.bin", 1_000_000)
    after = told(machine)
    assert 1_000_000 <= after["disk_bytes"] - before["disk_bytes"] < 1_010_000
    assert after["inodes"] == before["inodes"] + 1
    assert after["mail_bytes"] == 0
    assert after["unread"] == 0
    assert after["measured_at"] >= before["measured_at"]


def test_the_mail_store_is_told_beside(machine: Machine, home: Path) -> None:
    (home / "mail/lena.example/info/Maildir/cur").mkdir(parents=True)
    write(home / "mail/lena.example/info/Maildir/cur/1", 200_000)
    found = told(machine)
    assert 200_000 <= found["mail_bytes"] < 240_000
    assert found["disk_bytes"] > found["mail_bytes"]


def test_a_link_leads_nowhere(machine: Machine, home: Path) -> None:
    outside = machine.at("/outside")
    outside.mkdir()
    write(outside / "huge.bin", 5_000_000)
    before = told(machine)
    (home / "link").symlink_to(outside)
    (home / "public_html").rmdir()
    (home / "public_html").symlink_to(outside)
    (home / "mail").symlink_to(outside)
    after = told(machine)
    assert after["disk_bytes"] < before["disk_bytes"] + 20_000
    assert after["mail_bytes"] == 0


def test_a_file_with_two_names_is_counted_once(machine: Machine, home: Path) -> None:
    write(home / "public_html/one", 500_000)
    once = told(machine)
    os.link(home / "public_html/one", home / "public_html/two")
    twice = told(machine)
    assert (twice["disk_bytes"], twice["inodes"]) == (once["disk_bytes"], once["inodes"])


def test_a_closed_directory_hides_nothing(machine: Machine, home: Path) -> None:
    secret = home / "secret"
    secret.mkdir()
    os.chown(secret, UID, UID)
    write(secret / "hidden.bin", 700_000)
    secret.chmod(0)
    found = told(machine)
    assert found["disk_bytes"] >= 700_000
    assert found["unread"] == 0


def test_a_home_that_is_too_deep_is_counted_as_far_as_it_goes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homes, "DEEPEST", 3)
    (home / "a/b/c/d/e").mkdir(parents=True)
    descriptor = os.open(home, os.O_RDONLY)
    try:
        assert homes.count(descriptor, FAR).unread == 1
    finally:
        os.close(descriptor)


def test_a_home_that_takes_too_long_is_given_up(home: Path) -> None:
    descriptor = os.open(home, os.O_RDONLY)
    try:
        with pytest.raises(TimeoutError):
            homes.count(descriptor, time.monotonic() - 1)
    finally:
        os.close(descriptor)


def test_only_the_asking_tenants_powers_are_left_while_counting(home: Path) -> None:
    with homes.acting_as(UID, UID):
        status = Path("/proc/thread-self/status").read_text()
        with pytest.raises(PermissionError):
            (home.parent / "mine").mkdir()
    fields = dict(row.split(":\t", 1) for row in status.splitlines() if ":\t" in row)
    assert fields["CapEff"].lstrip("0") == "4"
    assert fields["Uid"].split()[1] == str(UID)
    assert os.geteuid() == 0
    (home.parent / "mine").mkdir()


def test_bytes_of_a_log_are_summed_up_by_day_and_site(machine: Machine, log: Path) -> None:
    log.write_text(line(100) + line(250, "/b") + line("-") + line(7, when=NOW - timedelta(days=1)))
    other = log.with_name("shop.lena.example.access.log")
    other.write_text(line(5))
    log.with_name("lena.example.error.log").write_text(line(1000))
    expected = {
        TODAY: {SITE: [350, 3], "shop.lena.example": [5, 1]},
        YESTERDAY: {SITE: [7, 1]},
    }
    assert json.loads(json.dumps(web(machine))) == expected


def test_nothing_is_counted_twice(machine: Machine, log: Path) -> None:
    log.write_text(line(100))
    first = web(machine)
    assert web(machine) == first
    with log.open("a") as file:
        file.write(line(11, "/later") + line(3, "/half")[:-20])
    assert web(machine)[TODAY][SITE] == (111, 2)
    with log.open("a") as file:
        file.write(line(3, "/half")[-20:])
    assert web(machine)[TODAY][SITE] == (114, 3)


def test_a_rotation_between_two_readings(machine: Machine, log: Path) -> None:
    log.write_text(line(100, "/first"))
    web(machine)
    with log.open("a") as file:
        file.write(line(20, "/unread"))
    log.rename(log.with_name(log.name + ".1"))
    log.write_text(line(3, "/new"))
    assert web(machine)[TODAY][SITE] == (123, 3)
    with log.with_name(log.name + ".1").open("a") as file:
        file.write(line(4, "/slow"))  # an old worker's long answer ends after the rotation
    assert web(machine)[TODAY][SITE] == (127, 4)


def test_two_rotations_and_a_compressed_log(machine: Machine, log: Path) -> None:
    log.write_text(line(100, "/first"))
    web(machine)
    packed = gzip.compress((line(100, "/first") + line(20, "/unread")).encode())
    log.with_name(log.name + ".2.gz").write_bytes(packed)
    log.with_name(log.name + ".1").write_text(line(3, "/second"))
    log.write_text(line(1, "/third"))
    assert web(machine)[TODAY][SITE] == (124, 4)
    assert web(machine)[TODAY][SITE] == (124, 4)


def test_a_new_log_with_the_inode_of_an_old_one_is_read_from_its_start(machine: Machine, log: Path) -> None:
    log.write_text(line(100, "/first"))
    web(machine)
    with log.open("r+") as file:  # the same inode, longer than before, with another beginning
        file.write(line(30, "/another-beginning") + line(4, "/and-more"))
    assert web(machine)[TODAY][SITE] == (134, 3)


def test_two_logs_that_begin_alike(machine: Machine, log: Path) -> None:
    log.with_name(log.name + ".1").write_text(line(100, "/same"))
    log.write_text(line(100, "/same") + line(20, "/more"))
    assert web(machine)[TODAY][SITE] == (220, 3)
    assert web(machine)[TODAY][SITE] == (220, 3)


def test_a_log_that_is_a_link_is_not_read(machine: Machine, log: Path) -> None:
    stolen = machine.at("/stolen")
    stolen.write_text(line(5000))
    log.symlink_to(stolen)
    assert web(machine) == {}


def test_logs_in_a_directory_that_is_not_roots_are_not_read(machine: Machine, log: Path) -> None:
    log.write_text(line(5000))
    os.chown(log.parent, UID, UID)
    assert web(machine) == {}


@pytest.mark.parametrize(
    "hostile",
    [
        r"203.0.113.9 - a\x22 [22/Nov/2026:10:00:00 +0000] \x22GET / HTTP/1.1\x22 200 999999 ",
        '203.0.113.9 - - [22/Nov/2026:10:00:00 +0000] "GET /\\" 200 999999 " HTTP/1.1" 200 7 "-" "x"',
        '203.0.113.9 - - [99/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 999999 "-" "x"',
        '203.0.113.9 - - [22/Bad/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 999999 "-" "x"',
        "\\" * 5000,
        "[" * 5000,
    ],
)
def test_what_a_visitor_sends_is_no_number(hostile: str) -> None:
    sums: dict[str, tuple[int, int]] = {}
    add_up(hostile.encode(), sums)
    assert sum(sent for sent, _requests in sums.values()) in (0, 7)


def test_a_day_is_utcs() -> None:
    sums: dict[str, tuple[int, int]] = {}
    add_up(b'1.2.3.4 - - [22/Nov/2026:01:29:59 +0530] "GET / HTTP/1.1" 200 7 "-" "-"\n', sums)
    add_up(b'1.2.3.4 - - [21/Nov/2026:20:00:00 -0500] "GET / HTTP/1.1" 200 5 "-" "-"\n', sums)
    assert sums == {"2026-11-21": (7, 1), "2026-11-22": (5, 1)}


def test_the_verb_measures_and_answers(machine: Machine, home: Path, log: Path) -> None:
    write(home / "public_html/big.bin", 300_000)
    log.write_text(line(100))
    (answer,) = [
        json.loads(row)
        for row in machine.spawn(request("usage", {"server": "srv_1", "measure": True})).stdout.splitlines()
    ]
    while asked(machine)["measuring"]:
        time.sleep(0.01)
    report = asked(machine)
    assert answer["report"]["server"]["accounts"] == 1
    assert report["accounts"][SLICE]["disk_bytes"] > 300_000
    assert report["accounts"][SLICE]["web"] == {TODAY: {SITE: (100, 1)}}
    assert report["measured"]["all"] is not None
    figures = report["server"]
    assert figures["memory_bytes"] > figures["memory_free_bytes"] > 0
    assert figures["disks"][0]["bytes"] > 0
    assert figures["quota"] in ("none", "counted", "enforced")


def test_only_some_accounts(machine: Machine, home: Path) -> None:
    machine.apply(slice_of("acc_otto", *tenant("otto", 20002)))
    measure(machine.node_paths(), frozenset({"acc_otto"}))
    found = asked(machine)["accounts"]
    assert found["acc_otto"]["disk_bytes"] is not None
    assert found[SLICE]["disk_bytes"] is None
    assert set(asked(machine, slices=[SLICE])["accounts"]) == {SLICE}


def test_one_process_measures_at_a_time(machine: Machine, home: Path) -> None:
    with alone(machine.node_paths()) as lock:
        assert lock is not None
        assert asked(machine, measure=True)["measuring"]
        with alone(machine.node_paths()) as other:
            assert other is None
    report = asked(machine)
    assert not report["measuring"]
    assert report["accounts"][SLICE]["disk_bytes"] is None


def test_the_lock_is_held_from_the_start_to_the_end(
    machine: Machine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the process takes to begin, nobody is told that the measuring is over."""
    monkeypatch.setattr(verb, "WAIT_SECONDS", 0)
    report = asked(machine, measure=True)
    assert report["measuring"]
    while report["measuring"]:
        time.sleep(0.01)
        report = asked(machine)
    assert report["accounts"][SLICE]["disk_bytes"] is not None


def test_an_old_days_sum_is_told_when_it_is_asked_for(machine: Machine, log: Path) -> None:
    log.write_text(line(7, when=NOW - timedelta(days=1)))
    web(machine)
    assert asked(machine, since=TODAY)["accounts"][SLICE]["web"] == {}
    assert asked(machine, since=YESTERDAY)["accounts"][SLICE]["web"] == {YESTERDAY: {SITE: (7, 1)}}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"server": "srv_2"},
        {"server": "srv_1", "since": "yesterday"},
        {"server": "srv_1", "slices": ["../x"]},
        {"server": "srv_1", "slices": "acc_1"},
    ],
)
def test_a_question_of_another_form_is_refused(machine: Machine, home: Path, payload: dict[str, Any]) -> None:
    with machine.node() as node, pytest.raises(NodeError) as refused:
        usage(node, payload)
    assert refused.value.code == "bad_request"


def test_a_killed_measuring_is_taken_up_again(machine: Machine, home: Path, log: Path) -> None:
    log.write_text(line(100))
    command = [sys.executable, "-m", "provisioning.node", "--root", str(machine.root), "measure"]
    process = subprocess.Popen(command, cwd=REPOSITORY)
    process.kill()
    process.wait()
    assert web(machine)[TODAY][SITE] == (100, 1)
