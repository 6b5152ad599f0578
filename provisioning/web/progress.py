"""An operation as its live part shows it: state, steps in words, what failed and what to do. Display only."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from panel.core.actors import Actor
from provisioning import words
from provisioning.models import Operation, RunStep
from provisioning.selectors import operations


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
    """The steps on one server; `server` is empty where there is only one."""

    server: str
    status: str
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


STEP_STATES = {RunStep.Status.STARTED: "running", RunStep.Status.OK: "ok", RunStep.Status.FAILED: "failed"}


def of(operation: Operation, actor: Actor) -> Progress:
    """Return how far an operation is. What checkers and daemons said word for word is for the provider only."""
    staff = actor.kind == "provider"
    found = operations.parts(operation)
    several = len({part.server for part in found}) > 1
    parts = [
        Part(part.server if several else "", part.status, [_step(step, staff) for step in part.steps])
        for part in found
        if part.steps or several
    ]
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
    )


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
    if operation.status == Operation.Status.REJECTED:
        return _("Correct what was ordered, or ask support with this page's address, then try again.")
    return ""
