"""Mails are counted from what Postfix says of them: by account and day, once, and by nothing that a stranger writes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from provisioning.node.maillogs import Owners, Tally
from provisioning.node.meter import Meter, Queued
from provisioning.node.paths import Paths
from tests.node.bundles import Machine

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
        meter.advance_mail("s=1", first.sums, {key: first.messages.get(key) for key in first.changed})
    with closing(Meter(machine.node_paths())) as meter:
        assert meter.cursor() == "s=1"
        later = tally(active(10), ("qmgr", "removed"), known=meter.messages())
        for cursor in ("s=2", "s=3"):
            meter.advance_mail(cursor, later.sums, {key: later.messages.get(key) for key in later.changed})
        assert meter.mail("") == {"acc_lena": {DAY: (2, 20, 0, 0)}}
        assert meter.mail("2026-11-23") == {}
        assert meter.messages() == {}


def test_a_message_that_nobody_ends_is_forgotten(machine: Machine) -> None:
    waiting = tally(("submission/smtpd", SUBMITTED))
    with closing(Meter(machine.node_paths())) as meter:
        meter.advance_mail("s=1", {}, dict(waiting.messages))
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
