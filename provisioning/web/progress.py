"""An operation as its live part shows it: state, steps in words, what failed and what to do. Display only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from panel.core.actors import Actor
from provisioning import words
from provisioning.models import Operation, RunStep
from provisioning.selectors import operations
from provisioning.services import reasons


@dataclass(frozen=True)
class Step:
    """One line; `detail` may name what a daemon said."""

    name: str
    status: str
    status_words: str
    ms: float | None
    detail: str


@dataclass(frozen=True)
class Part:
    """The steps of one run on one server; `server` is empty where there is only one, `count` where it carries one slice
    only.
    """

    server: str
    status: str
    count: str = ""
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Progress:
    """What the component `operation.html` draws; `took` is in milliseconds."""

    id: str
    url: str
    page_url: str
    title: str
    status: str
    status_words: str
    live: bool
    took: float | None
    reason: str
    remedy: str
    detail: str
    parts: list[Part]
    percent: int | None
    count: str
    waiting_since: datetime | None
    next_try_at: datetime | None


@dataclass(frozen=True)
class LogLine:
    """A line of an operation's log, with the steps of the run that it is about."""

    at: datetime
    kind: str
    words: str
    reason: str
    detail: str
    steps: list[Step] = field(default_factory=list)


STEP_STATES = {RunStep.Status.STARTED: "running", RunStep.Status.OK: "ok", RunStep.Status.FAILED: "failed"}


def of(operation: Operation, actor: Actor) -> Progress:
    """Return how far an operation is. What checkers and daemons said word for word is for the provider only."""
    staff = actor.kind == "provider"
    found = operations.parts(operation, actor)
    several = len({part.server_id for part in found}) > 1
    parts = [
        Part(part.server if several else "", part.status, _count(part.over, part.slices), _steps(part.steps, staff))
        for part in found
        if part.steps or several
    ]
    standing = operations.standing(operation)
    return Progress(
        id=operation.id,
        url=reverse("provisioning:operation_part", args=[operation.id]),
        page_url=reverse("provisioning:operation", args=[operation.id]),
        title=words.title(operation.verb, operation.subject),
        status=operation.status,
        status_words=operation.get_status_display(),
        live=operation.is_open,
        took=_took(operation),
        reason=_(operation.reason) if operation.reason else "",
        remedy=_remedy(operation),
        detail=operation.detail if staff else "",
        parts=parts,
        percent=standing.percent if standing.slices > 1 and operation.is_open else None,
        count=_count(standing.over, standing.slices),
        waiting_since=standing.waiting_since,
        next_try_at=standing.next_try_at,
    )


def log(operation: Operation, actor: Actor) -> list[LogLine]:
    """Return what happened to an operation, oldest first, in words; run, epoch and daemons' words for the provider."""
    staff = actor.kind == "provider"
    return [
        LogLine(
            at=entry.at,
            kind=entry.kind,
            words=words.event(
                entry.kind,
                by=entry.by,
                server=entry.server,
                run=entry.run if staff else "",
                epoch=entry.epoch,
            ),
            reason=_(entry.reason) if entry.reason else "",
            detail=entry.detail if staff else "",
            steps=_steps(entry.steps, staff),
        )
        for entry in operations.log(operation, actor)
    ]


def log_text(operation: Operation, lines: Iterable[LogLine]) -> str:
    """Return a log as plain text, times in UTC."""
    written = [words.title(operation.verb, operation.subject), operation.id, ""]
    for line in lines:
        at = line.at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds")
        written.append(" ".join(part for part in (at, line.words, line.reason) if part))
        for step in line.steps:
            took = "" if step.ms is None else f"{step.ms:.0f} ms"
            written.append(f"    {took:>10}  {step.name} ({step.status_words})")
            written += [f"                {text}" for text in step.detail.splitlines()]
        written += [f"    {text}" for text in line.detail.splitlines()]
    return "\n".join(written) + "\n"


def _steps(steps: Iterable[RunStep], staff: bool) -> list[Step]:
    return [_step(step, staff) for step in steps]


def _count(over: int, slices: int) -> str:
    if slices < 2:
        return ""
    return _("%(over)s of %(all)s") % {"over": over, "all": slices}


def _step(step: RunStep, staff: bool) -> Step:
    words_of = {"running": _("running"), "ok": _("done"), "failed": _("failed")}
    status = STEP_STATES[RunStep.Status(step.status)]
    return Step(words.step(step.name), status, words_of[status], step.ms, step.detail if staff else "")


def _took(operation: Operation) -> float | None:
    if operation.started_at is None:
        return None
    end = operation.finished_at or timezone.now()
    return (end - operation.created_at).total_seconds() * 1000


def _remedy(operation: Operation) -> str:
    remedy = reasons.remedy(operation.reason)
    if remedy:
        return _(remedy)
    if operation.status == Operation.Status.REJECTED:
        return _("Correct what was ordered, or ask support with this page's address, then try again.")
    return ""
