"""Mails are counted from what Postfix says of them: by account and day, once, and by nothing that a stranger writes."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from provisioning.node.maillogs import Owners, Tally, read_journal
from provisioning.node.measuring import measure
from provisioning.node.meter import Meter, Place, Queued
from provisioning.node.paths import Paths
from provisioning.node.state import State
from tests.node.bundles import Machine, slice_of, user

AT = 1_795_337_995.8
DAY = "2026-11-22"
OWNERS = Owners({"lena.example": "acc_lena", "otto.example": "acc_otto"}, {20001: "acc_lena"})
SUBMITTED = "client=unknown[203.0.113.9], sasl_method=PLAIN, sasl_username=anna@lena.example"
OUTSIDE = "client=mx.remote.example[203.0.113.7]"
SAVED = "relay=web1.platform.example[private/dovecot-lmtp], delay=0.06, delays=0.01/0.01/0.03/0.01, dsn=2.0.0,"
ABROAD = "relay=mx.remote.example[203.0.113.7]:25, conn_use=2, delay=1, delays=0/0/0/1, dsn=2.0.0,"
OK = "status=sent (250 2.0.0 Ok)"

Told = list[tuple[str, str]]
Found = dict[str, tuple[int, int, int, int]]


def tally(*entries: tuple[str, str], known: dict[str, Queued] | None = None, at: float = AT) -> Tally:
    """What entries of the message ABCDE01234 come to."""
    made = Tally(OWNERS, dict(known or {}))
    for program, rest in entries:
        made.add(f"postfix/{program}", f"ABCDE01234: {rest}", at)
    return made


def counted(*entries: tuple[str, str]) -> Found:
    return {slice_id: four for (slice_id, _day), four in tally(*entries).sums.items()}


def active(size: int, count: int = 1, sender: str = "a@b.example") -> tuple[str, str]:
    return "qmgr", f"from=<{sender}>, size={size}, nrcpt={count} (queue active)"


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([("submission/smtpd", SUBMITTED), active(700, 3)], {"acc_lena": (3, 2100, 0, 0)}),
        ([("submissions/smtpd", SUBMITTED + ", sasl_sender=x@y.example"), active(7)], {"acc_lena": (1, 7, 0, 0)}),
        ([("pickup", "uid=20001 from=<lena>"), active(286, 2)], {"acc_lena": (2, 572, 0, 0)}),
        ([("pickup", "uid=0 from=<root>"), active(286, 2)], {}),
        (
            [("smtpd", OUTSIDE), active(500), ("lmtp", f"to=<anna@lena.example>, {SAVED} {OK}"), ("qmgr", "removed")],
            {"acc_lena": (0, 0, 1, 500)},
        ),
        ([active(500), ("lmtp", f"to=<Anna+list@Lena.Example>, {SAVED} {OK}")], {"acc_lena": (0, 0, 1, 500)}),
        (
            [active(500), ("lmtp", f"to=<anna@lena.example>, orig_to=<info@otto.example>, {SAVED} {OK}")],
            {"acc_lena": (0, 0, 1, 500)},
        ),
        (
            [("smtpd", OUTSIDE), active(9), ("smtp", f"to=<x@far.example>, orig_to=<i@otto.example>, {ABROAD} {OK}")],
            {"acc_otto": (1, 9, 0, 0)},
        ),
        (
            [("submission/smtpd", SUBMITTED), active(9), ("smtp", f"to=<x@far.example>, {ABROAD} {OK}")],
            {"acc_lena": (1, 9, 0, 0)},
        ),
        ([active(500), ("lmtp", f"to=<anna@nobody.example>, {SAVED} {OK}")], {}),
    ],
    ids=[
        "by-a-login-to-three",
        "by-a-login-that-names-a-sender",
        "by-a-program-to-two",
        "by-root",
        "from-outside",
        "with-an-extension",
        "through-anothers-alias",
        "handed-on-by-an-alias",
        "once-for-what-was-sent",
        "for-a-domain-that-is-not-here",
    ],
)
def test_a_mail_is_counted_for_whom_it_is(entries: Told, found: Found) -> None:
    assert counted(*entries) == found


def test_what_is_tried_again_counts_once() -> None:
    tries = [("smtp", "to=<x@far.example>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (x)")]
    entries = [("submission/smtpd", SUBMITTED), active(10, 2), *tries, active(10, 2), *tries, active(10, 1)]
    assert counted(*entries) == {"acc_lena": (2, 20, 0, 0)}


def test_a_queue_id_that_comes_again_is_another_message() -> None:
    entries = [("submission/smtpd", SUBMITTED), active(10), ("smtpd", OUTSIDE), active(20)]
    assert counted(*entries, ("pickup", "uid=20001 from=<lena>"), active(30)) == {"acc_lena": (2, 40, 0, 0)}


def test_a_day_is_utcs() -> None:
    late = tally(("submission/smtpd", SUBMITTED), active(10), at=1_795_391_999.9)
    assert list(late.sums) == [("acc_lena", "2026-11-22")]
    early = tally(("submission/smtpd", SUBMITTED), active(10), at=1_795_392_000.1)
    assert list(early.sums) == [("acc_lena", "2026-11-23")]


@pytest.mark.parametrize(
    "entry",
    [
        ("qmgr", 'from=<"x>, size=999, nrcpt=9 (queue active)"@b.example>, size=1, nrcpt=1 (queue active)'),
        ("qmgr", 'from=<"x>, size=1, nrcpt=9 (queue active)\n"@b.example>, size=1, nrcpt=1 (queue active)'),
    ],
)
def test_a_senders_name_is_no_number(entry: tuple[str, str]) -> None:
    assert counted(("submission/smtpd", SUBMITTED), entry) == {"acc_lena": (1, 1, 0, 0)}


@pytest.mark.parametrize(
    "entry",
    [
        ("smtpd", "reject: RCPT from mx.remote.example[203.0.113.7]: 450 4.1.1 <anna@lena.example>: no"),
        ("lmtp", f'to=<"x@lena.example>, {SAVED} {OK}"@nobody.example>, {SAVED} {OK}'),
        ("lmtp", f"to=<anna@lena.example>, {SAVED.replace('2.0.0', '5.1.1')} status=bounced (said: {OK})"),
        ("smtp", f"to=<x@far.example>, orig_to=<a@lena.example>, {ABROAD} status=deferred (said: status=sent (250)"),
        ("cleanup", "message-id=<x>, from=<a>, size=999, nrcpt=9 (queue active)"),
        ("cleanup", f"warning: header Subject: to=<anna@lena.example>, {SAVED} {OK}"),
        ("bounce", "sender non-delivery notification: B5D1A33A2"),
        ("smtpd", "[" * 5000),
        ("lmtp", "to=<" + '"\\' * 5000),
    ],
)
def test_what_a_stranger_writes_counts_nothing(entry: tuple[str, str]) -> None:
    assert counted(("smtpd", OUTSIDE), active(1), entry) == {}


def test_what_is_on_its_way_is_remembered_with_the_place(machine: Machine) -> None:
    first = tally(("submission/smtpd", SUBMITTED))
    with closing(Meter(machine.node_paths())) as meter:
        meter.advance_mail(Place("s=1", 5), first.sums, {key: first.messages.get(key) for key in first.changed})
    with closing(Meter(machine.node_paths())) as meter:
        assert meter.place() == Place("s=1", 5)
        later = tally(active(10), ("qmgr", "removed"), known=meter.messages())
        for cursor in ("s=2", "s=3"):
            meter.advance_mail(Place(cursor, 6), later.sums, {key: later.messages.get(key) for key in later.changed})
        assert meter.mail("") == {"acc_lena": {DAY: (2, 20, 0, 0)}}
        assert meter.mail("2026-11-23") == {}
        assert meter.messages() == {}


def test_a_message_that_nobody_ends_is_forgotten(machine: Machine) -> None:
    waiting = tally(("submission/smtpd", SUBMITTED))
    with closing(Meter(machine.node_paths())) as meter:
        meter.advance_mail(Place("s=1", 5), {}, dict(waiting.messages))
        meter.forget_messages(AT)
        assert list(meter.messages()) == ["ABCDE01234"]
        meter.forget_messages(AT + 1)
        assert meter.messages() == {}


def test_a_file_of_an_older_program_gets_what_it_lacks(tmp_path: Path) -> None:
    paths = Paths(str(tmp_path))
    with closing(Meter(paths)) as meter:
        meter.done("all", 5.0)
    with closing(sqlite3.connect(paths.usage_database)) as file:
        for table in ("mail", "message", "cursor"):
            file.execute(f"DROP TABLE {table}")
    with closing(Meter(paths)) as meter:
        assert meter.mail("") == {}
        assert meter.at("all") == 5.0


JOURNALCTL = """#!/bin/sh
echo "$@" >> {log}
case "$*" in
  *--after-cursor=s=gone*) exit 1 ;;
  *) cat {entries}; exit $(cat {status}) ;;
esac
"""


class Journal:
    """A journalctl that gives some entries and then ends with a status; the cursor `s=gone` it refuses."""

    def __init__(self, folder: Path) -> None:
        self.entries, self.status, self.log = folder / "entries", folder / "status", folder / "log"
        program = folder / "journalctl"
        program.write_text(JOURNALCTL.format(entries=self.entries, status=self.status, log=self.log))
        program.chmod(0o755)
        self.tell(0)

    def tell(self, status: int, *cursors: int) -> None:
        """One mail of Lena's for each cursor, which is its time in seconds, too."""
        lines = [
            {"__CURSOR": f"s={at}", "__REALTIME_TIMESTAMP": str(at * 10**6), "SYSLOG_IDENTIFIER": program}
            | {"MESSAGE": f"ABCDE{at}: {message}"}
            for at in cursors
            for program, message in (("postfix/pickup", "uid=20001 from=<lena>"), ("postfix/qmgr", active(7)[1]))
        ]
        self.entries.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        self.status.write_text(str(status))


@pytest.fixture
def journal(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A server with one account, Lena's, whose journal is what a test says."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    machine.apply(slice_of("acc_lena", user("lena")))
    return Journal(folder)


def read(machine: Machine) -> bool:
    """Read what is new in the journal."""
    with closing(Meter(machine.node_paths())) as meter, closing(State(machine.node_paths())) as state:
        return read_journal(machine.node_paths(), meter, state, time.monotonic() + 60)


def sent(machine: Machine) -> int:
    """How many mails of Lena's were counted."""
    with closing(Meter(machine.node_paths())) as meter:
        return sum(four[0] for four in meter.mail("").get("acc_lena", {}).values())


def test_a_journal_that_breaks_off_is_not_read_to_its_end(machine: Machine, journal: Journal) -> None:
    journal.tell(1, 10, 11)
    with pytest.raises(OSError, match="status 1"):
        read(machine)
    assert sent(machine) == 2
    measure(machine.node_paths())
    with closing(Meter(machine.node_paths())) as meter:
        assert meter.at("all") == 0
    journal.tell(0)
    measure(machine.node_paths())
    with closing(Meter(machine.node_paths())) as meter:
        assert meter.at("all") > 0


def test_what_is_no_entry_is_not_the_end(machine: Machine, journal: Journal) -> None:
    journal.entries.write_text("no entry\n")
    measure(machine.node_paths())
    with closing(Meter(machine.node_paths())) as meter:
        assert meter.at("all") == 0


def test_a_place_that_is_refused_is_found_again_by_its_time_and_nothing_counts_twice(
    machine: Machine, journal: Journal
) -> None:
    with closing(Meter(machine.node_paths())) as meter:
        meter.advance_mail(Place("s=gone", 10 * 10**6), {}, {})
    journal.tell(0, 10, 11)
    assert read(machine)
    assert sent(machine) == 1
    assert "--since=@10.000000" in journal.log.read_text().splitlines()[-1]
    with closing(Meter(machine.node_paths())) as meter:
        assert meter.place() == Place("s=11", 11 * 10**6)


def test_without_a_time_a_place_that_is_refused_counts_nothing_again(machine: Machine, journal: Journal) -> None:
    with closing(Meter(machine.node_paths())) as meter:
        meter.advance_mail(Place("s=gone", 0), {}, {})
    journal.tell(0, 10)
    with pytest.raises(OSError, match="status 1"):
        read(machine)
    assert sent(machine) == 0
