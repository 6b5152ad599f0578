"""The program's conversation: framing, errors, and what happens when its reader or its time is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from provisioning.node import VERSION
from tests.node.bundles import REPOSITORY, Machine, answers, file, payload, request, slice_of

SITE = "/etc/hostwright/site.conf"


def start(machine: Machine) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "provisioning.node", "--root", str(machine.root), "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
    )


def test_hello(machine: Machine) -> None:
    (told,) = answers(machine.spawn(request("hello", {}, 7)))
    assert told["id"] == 7
    facts = told["report"]
    assert (facts["node"], facts["protocols"], facts["epoch"], facts["server"]) == (VERSION, [1], 0, None)
    assert facts["os"]["id"] == ""
    assert all(isinstance(facts[name], int) for name in ("memory_bytes", "disk_bytes", "disk_free_bytes"))
    assert len(facts["digest"]) == 64


def test_errors_have_codes_and_the_next_request_is_answered(machine: Machine) -> None:
    lines = [
        b"not json\n",
        b"[]\n",
        json.dumps({"v": 2, "id": 1, "verb": "hello"}).encode() + b"\n",
        json.dumps({"v": 1, "id": 2, "verb": "shell"}).encode() + b"\n",
        json.dumps(request("apply", {}, 3)).encode() + b"\n",
        json.dumps(request("apply", {"server": "srv_1", "epoch": True, "slices": []}, 4)).encode() + b"\n",
        json.dumps(request("hello", {}, 5)).encode() + b"\n",
    ]
    with start(machine) as process:
        output, _ = process.communicate(b"".join(lines), timeout=30)
    told = [json.loads(line) for line in output.splitlines()]
    assert [(item["id"], item.get("error", {}).get("code")) for item in told] == [
        (None, "bad_request"),
        (None, "bad_request"),
        (1, "unsupported_version"),
        (2, "unknown_verb"),
        (3, "bad_request"),
        (4, "bad_request"),
        (5, None),
    ]


def test_events_come_before_the_report(machine: Machine) -> None:
    result = machine.spawn(request("apply", payload(slice_of("acc_a", file(SITE))), 3))
    messages = [json.loads(line) for line in result.stdout.splitlines()]
    assert [("event" in message, message["id"]) for message in messages] == [(True, 3), (True, 3), (False, 3)]
    assert messages[-1]["report"]["status"] == "applied"


def test_an_apply_is_ended_though_its_reader_is_gone(machine: Machine) -> None:
    with start(machine) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        process.stdin.write(json.dumps(request("apply", payload(slice_of("acc_a", file(SITE))))).encode() + b"\n")
        process.stdin.close()
        process.stdin = None
        process.wait(30)
        assert process.returncode == 0
    assert machine.at(SITE).exists()
    assert machine.apply(slice_of("acc_a", file(SITE)))["status"] == "unchanged"


def test_sigterm_ends_an_idle_program(machine: Machine) -> None:
    with start(machine) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request("hello", {})).encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        os.kill(process.pid, signal.SIGHUP)
        time.sleep(0.05)
        assert process.poll() is None
        process.terminate()
        assert process.wait(10) == 0


def test_release_lets_another_panel_in(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", file(SITE), generation=9), epoch=9)
    command = [sys.executable, "-m", "provisioning.node", "--root", str(machine.root), "release"]
    assert subprocess.run(command, cwd=REPOSITORY, timeout=30, check=False).returncode == 0
    assert machine.apply(slice_of("acc_a", file(SITE)), server="srv_2")["status"] == "unchanged"


def test_unknown_keys_are_ignored(machine: Machine) -> None:
    bundle = {**slice_of("acc_a", file(SITE)), "colour": "red"}
    assert machine.apply(bundle, weather="fine")["status"] == "applied"
