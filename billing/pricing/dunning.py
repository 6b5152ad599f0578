"""Which steps are due for an invoice that nobody has paid: a function of days and of the steps that were taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

A_DAY = timedelta(days=1)
"""So long lies at least between a mail that asks for the money and what follows, and between one hold and the next."""
NOTICE_DAYS = 3
"""So many days before an account's end, and before a reseller's clients are taken off the net, that is announced."""

_A_SECOND = timedelta(seconds=1)
_WAITS = (1, 2, NOTICE_DAYS, NOTICE_DAYS + 1)
"""A step that waits for another one comes so many days after it; one more where a day of that has 23 hours."""

OVERDUE, DEMAND = "overdue", "demand"
SUSPEND, PANEL, SITES, TERMINATE = "suspend", "panel", "sites", "terminate"
ANNOUNCED = {SITES: "sites_notice", TERMINATE: "terminate_notice"}
"""Step → the step that announces it."""
MAILS = frozenset({DEMAND, *ANNOUNCED.values()})
"""Steps, beside reminders, that are a mail and nothing else."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What follows when nobody pays: days counted from the due date; a day of None never comes.

    `holds` are the steps that take something away, in their order.
    """

    reminders: tuple[int, ...] = ()
    holds: tuple[tuple[str, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Bill:
    """What is unpaid: when it was issued and is due. With `pays_by_itself` nobody is reminded before that day."""

    issued_on: date
    due_on: date
    pays_by_itself: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """When a step was taken, by the clock and in the seller's days. What is `passed_over` was left out for good."""

    at: datetime
    on: date
    passed_over: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is due; one that is `passed_over` is written down and has no effect."""

    name: str
    passed_over: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A step to come, and the day on which it comes if nobody pays until then."""

    name: str
    on: date


def of_client(*, suspend: int | None, terminate: int | None) -> tuple[tuple[str, int | None], ...]:
    """Return the holds of a buyer that is a client: its sites and panel, and in the end its accounts, which are never
    ended without having been suspended.
    """
    return ((SUSPEND, suspend), (TERMINATE, terminate if suspend is not None else None))


def of_reseller(*, suspend: int | None, panel: int | None, sites: int | None) -> tuple[tuple[str, int | None], ...]:
    """Return the holds of a buyer that sells on: new accounts, then its own panel, then its clients' sites. It is never
    ended but by a person.
    """
    return ((SUSPEND, suspend), (PANEL, panel), (SITES, sites))


def reminder(day: int) -> str:
    """Return the name of the step of a reminder so many days after the due date."""
    return f"reminder:{day}"


def due(terms: Terms, bill: Bill, taken: Mapping[str, Taken], *, today: date, now: datetime) -> list[Step]:
    """Return the steps to take now, in order: at most one mail, and at most one that takes something away.

    Of several reminders that have become due only the newest is sent, and none beside a step that says more. Something
    is taken away only after a mail that asked for the money when it was overdue, and a full day; where none was sent,
    such a mail is what is due. A clock that jumps makes one step at a time, never several at once.
    """
    late = (today - bill.due_on).days
    reminders = _reminders(terms, bill, taken, late)
    follows = _next_hold(terms, bill, taken, late, now)
    if follows == Step(DEMAND) and any(not step.passed_over for step in reminders):
        follows = None
    if follows is not None:
        reminders = [Step(step.name, passed_over=True) for step in reminders]
    overdue = [Step(OVERDUE)] if late > 0 and OVERDUE not in taken else []
    return [*reminders, *overdue, *([follows] if follows is not None else [])]


def ahead(
    terms: Terms,
    bill: Bill,
    taken: Mapping[str, Taken],
    *,
    today: date,
    now: datetime,
    midnight: Callable[[date], datetime],
) -> list[Planned]:
    """Return what happens from `now` on, in order, if nobody pays and runs come as often as they should.

    It asks `due` on every day on which that can answer, as a run would: early and late, since a step may have to wait
    for an hour. `midnight` is when a day of the seller begins.
    """
    known, found = dict(taken), []
    days = {today, *(bill.due_on + timedelta(days=late) for late in _turns(terms))}
    days |= {step.on + timedelta(days=wait) for step in taken.values() for wait in _WAITS}
    days = {on for on in days if on >= today}
    while days:
        on = min(days)
        days.discard(on)
        for at in (now if on == today else midnight(on), midnight(on + A_DAY) - _A_SECOND):
            steps = due(terms, bill, known, today=on, now=at)
            known.update({step.name: Taken(at, on, step.passed_over) for step in steps})
            found += [Planned(step.name, on) for step in steps if not step.passed_over]
            days |= {on + timedelta(days=wait) for wait in _WAITS if steps}
    return found


def _turns(terms: Terms) -> set[int]:
    """Return the days, counted from the due date, on which something can become due by its day alone."""
    holds = {day - early for _name, day in terms.holds if day is not None for early in (0, NOTICE_DAYS)}
    return {1, *terms.reminders, *holds}


def _reminders(terms: Terms, bill: Bill, taken: Mapping[str, Taken], late: int) -> list[Step]:
    come = sorted(day for day in terms.reminders if day <= late)
    return [
        Step(reminder(day), passed_over=day != come[-1] or not _is_worth_sending(bill, day, late))
        for day in come
        if reminder(day) not in taken
    ]


def _is_worth_sending(bill: Bill, day: int, late: int) -> bool:
    """Whether a reminder says more than the invoice itself did, which was mailed the day it was issued."""
    is_after_issue = bill.due_on + timedelta(days=day) > bill.issued_on or late > 0
    return is_after_issue and not (late <= 0 and bill.pays_by_itself)


def _next_hold(terms: Terms, bill: Bill, taken: Mapping[str, Taken], late: int, now: datetime) -> Step | None:
    """Return the next step of those that take something away, or the mail that has to come before it."""
    waiting = ((name, day) for name, day in terms.holds if day is not None and name not in taken)
    name, day = next(waiting, ("", None))
    announced = ANNOUNCED.get(name)
    if day is None or late <= 0 or late < day - (NOTICE_DAYS if announced else 0):
        return None
    demands = [step.at for key, step in taken.items() if _demands(bill, key, step)]
    if not demands:
        return Step(DEMAND)
    holds = [taken[key].at for key, _day in terms.holds if key in taken]
    if now - max([min(demands), *holds]) < A_DAY:
        return None
    if announced and announced not in taken:
        return Step(announced)
    if late < day or (announced and now - taken[announced].at < NOTICE_DAYS * A_DAY):
        return None
    return Step(name)


def _demands(bill: Bill, name: str, step: Taken) -> bool:
    """Whether a step was a mail that asked for the money after the day on which it was due."""
    is_mail = name in MAILS or name.startswith("reminder:")
    return is_mail and not step.passed_over and step.on > bill.due_on
