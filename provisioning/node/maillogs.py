"""Counts the mails that Postfix tells of in the system's journal, by account and day, never twice. Changes no log.

Where it was left is a cursor of the journal (systemd.journal-fields(7)), kept with its time in the transaction that
adds the sums; a cursor outlives rotation, and where it is refused the time is gone on from. What is read are entries of
Postfix's own unit: the system says which that is, not the entry.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .meter import MailSums, Meter, Place, Queued
from .paths import Paths
from .state import State

UNITS = ("postfix.service", "postfix@-.service")
"""Postfix's unit in Debian 13, and in Debian 12."""
KEPT_EVERY = 5000
"""So many entries are read before what they told is kept."""
LONGEST_IN_QUEUE = 7 * 86400.0
"""Seconds after which a message is no longer waited for; Postfix gives up after 5 days (maximal_queue_lifetime)."""

ADDRESS = r'<(?:"(?:[^"\\]|\\.)*"|[^"<>@\s]+)@(?P<%s>[A-Za-z0-9.-]+)>'
QUEUED = re.compile(r"(?P<id>[0-9A-Za-z]{5,32}): (?P<rest>.*)", re.DOTALL)
CLIENT = re.compile(r"client=")
LOGGED_IN = re.compile(r"client=\S+, sasl_method=[\w-]+, sasl_username=[^\s,@]+@(?P<domain>[A-Za-z0-9.-]+)(?:,|$)")
HANDED_IN = re.compile(r"uid=(?P<uid>\d{1,10}) from=<")
ACTIVE = re.compile(r"from=<.*>, size=(?P<size>\d{1,15}), nrcpt=(?P<count>\d{1,9}) \(queue active\)", re.DOTALL)
DELIVERED = re.compile(
    f"to={ADDRESS % 'to'}, (?:orig_to={ADDRESS % 'alias'}, )?"
    r"relay=[^,]*, (?:conn_use=\d+, )?delay=[\d.]+, delays=[\d./]+, dsn=2\.[\d.]+, status=sent "
)
"""A line about a message, without its queue id. What a stranger chooses stands between brackets or at the end."""


@dataclass(frozen=True)
class Owners:
    """Whose mail it is: slices by mail domain, and by the uid of a program."""

    domains: Mapping[str, str]
    uids: Mapping[int, str]

    @classmethod
    def of(cls, state: State) -> Owners:
        """As what is managed here says."""
        uids = state.users()
        return cls(
            {domain: slice_id for slice_id, domain in state.named("row:domain:")},
            {uids[name]: slice_id for slice_id, name in state.named("user:")},
        )

    def of_domain(self, domain: str | None) -> str | None:
        """The slice that receives for a domain."""
        return self.domains.get((domain or "").lower())


@dataclass
class Tally:
    """What entries come to: sums to add, and messages on their way that a later entry may speak of.

    `changed` holds the ids of messages that are another now; one that is not in `messages` any more has left.
    """

    owners: Owners
    messages: dict[str, Queued]
    sums: MailSums = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)

    def add(self, program: str, message: str, at: float) -> None:
        """Count what one entry tells: `program` is Postfix's, such as `postfix/qmgr`; another form counts nothing."""
        found = QUEUED.fullmatch(message)
        if found is None:
            return
        queue_id, rest = found.group("id", "rest")
        name = program.rpartition("/")[2]
        if name in ("smtpd", "pickup"):
            self._begin(queue_id, rest, at)
        elif name == "qmgr" and rest == "removed":
            self._put(queue_id, None)
        elif name == "qmgr":
            self._queue(queue_id, rest, at)
        elif name in ("lmtp", "smtp"):
            self._deliver(queue_id, rest, at, is_here=name == "lmtp")

    def _begin(self, queue_id: str, rest: str, at: float) -> None:
        """A message has come: from a mailbox's owner, from a program, or from outside."""
        person, program = LOGGED_IN.match(rest), HANDED_IN.match(rest)
        if person is not None:
            sender = self.owners.of_domain(person.group("domain"))
        elif program is not None:
            sender = self.owners.uids.get(int(program.group("uid")))
        elif CLIENT.match(rest):
            sender = None
        else:
            return
        self._put(queue_id, Queued(sender, None, at))

    def _queue(self, queue_id: str, rest: str, at: float) -> None:
        """A message is taken up for delivery; what is tried again is told again, and counts once."""
        found = ACTIVE.fullmatch(rest)
        known = self.messages.get(queue_id) or Queued(None, None, at)
        if found is None or known.size is not None:
            return
        size, count = int(found.group("size")), int(found.group("count"))
        self._put(queue_id, Queued(known.sender, size, known.at))
        self._count(known.sender, at, sent=(count, size * count))

    def _deliver(self, queue_id: str, rest: str, at: float, *, is_here: bool) -> None:
        """A mailbox has received it, or, for what an alias hands on, another server."""
        found = DELIVERED.match(rest)
        if found is None:
            return
        known = self.messages.get(queue_id) or Queued(None, None, at)
        if is_here:
            self._count(self.owners.of_domain(found.group("to")), at, received=(1, known.size or 0))
        elif known.sender is None:
            self._count(self.owners.of_domain(found.group("alias")), at, sent=(1, known.size or 0))

    def _put(self, queue_id: str, message: Queued | None) -> None:
        if message is None:
            self.messages.pop(queue_id, None)
        else:
            self.messages[queue_id] = message
        self.changed.add(queue_id)

    def _count(
        self, slice_id: str | None, at: float, *, sent: tuple[int, int] = (0, 0), received: tuple[int, int] = (0, 0)
    ) -> None:
        if slice_id is None:
            return
        key = slice_id, datetime.fromtimestamp(at, timezone.utc).date().isoformat()
        before = self.sums.get(key, (0, 0, 0, 0))
        after = [have + more for have, more in zip(before, (*sent, *received))]
        self.sums[key] = (after[0], after[1], after[2], after[3])


def read_journal(paths: Paths, meter: Meter, state: State, deadline: float) -> bool:
    """Count what is new in the journal; whether that was all there is by `deadline` (monotonic).

    Raises OSError when the journal can't be read to its end: what was read is kept, and the rest is read next time.
    """
    owners = Owners.of(state)
    if not owners.uids and not owners.domains:
        return True
    meter.forget_messages(time.time() - LONGEST_IN_QUEUE)
    left = meter.place()
    try:
        return _count(paths, meter, owners, _after(left), deadline)
    except OSError:
        if left is None or not left.at or meter.place() != left:
            raise
    return _count(paths, meter, owners, [f"--since=@{left.at / 1e6:.6f}"], deadline, later_than=left.at)


def _count(
    paths: Paths, meter: Meter, owners: Owners, since: list[str], deadline: float, *, later_than: int = 0
) -> bool:
    """Count the entries that journalctl gives from some place on, without those up to a time (microseconds)."""
    tally = Tally(owners, meter.messages())
    place, count, is_whole = None, 0, True
    try:
        with contextlib.closing(_entries(paths, since)) as entries:
            for entry in entries:
                at = int(entry["__REALTIME_TIMESTAMP"])
                if at <= later_than:
                    continue
                place, count = Place(str(entry["__CURSOR"]), at), count + 1
                _add(tally, entry, at)
                is_whole = time.monotonic() <= deadline
                if not is_whole:
                    break
                if count % KEPT_EVERY == 0:
                    _keep(meter, place, tally)
    finally:
        if place is not None:
            _keep(meter, place, tally)
    return is_whole


def _keep(meter: Meter, place: Place, tally: Tally) -> None:
    meter.advance_mail(place, tally.sums, {queue_id: tally.messages.get(queue_id) for queue_id in tally.changed})
    tally.sums, tally.changed = {}, set()


def _add(tally: Tally, entry: Mapping[str, Any], at: int) -> None:
    message, program = entry.get("MESSAGE"), entry.get("SYSLOG_IDENTIFIER")
    if isinstance(message, str) and isinstance(program, str):
        tally.add(program, message, at / 1e6)


def _after(place: Place | None) -> list[str]:
    """How journalctl(1) is told to begin after a place, or with the first entry there is."""
    return [] if place is None else [f"--after-cursor={place.cursor}"]


def _entries(paths: Paths, since: list[str]) -> Generator[Mapping[str, Any], None, None]:
    """Entries of Postfix from some place on, oldest first. Raises OSError when they can't be read to the end."""
    command = ["journalctl", "--quiet", "--no-pager", "--output=json", "--output-fields=MESSAGE,SYSLOG_IDENTIFIER"]
    command += [f"--root={paths.root}"] if paths.root else []
    command += [*since, *(f"_SYSTEMD_UNIT={unit}" for unit in UNITS)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet) as process:
        try:
            for line in process.stdout or ():
                yield json.loads(line)
            if process.wait() != 0:
                raise OSError(f"journalctl ended with status {process.returncode}")
        finally:
            process.kill()
