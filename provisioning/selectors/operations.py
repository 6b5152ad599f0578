"""Operations as pages and the API show them: where they stand, by server and step."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, Min, OuterRef, Prefetch, Q, QuerySet, Subquery, Value, When

from panel.core.actors import Actor
from provisioning.models import Intent, Operation, OperationEvent, OperationTarget, Run, RunStep, Server
from provisioning.selectors import servers

WORST_FIRST = (
    OperationTarget.Status.WAITING,
    OperationTarget.Status.PENDING,
    OperationTarget.Status.REJECTED,
    OperationTarget.Status.CANCELLED,
    OperationTarget.Status.APPLIED,
)


@dataclass(frozen=True)
class Part:
    """What an operation has to do on one server in one run: so many slices, so many of them over, the run's steps.

    `server` is what the reader calls the server, which two may share; `server_id` tells them apart.
    """

    server_id: str
    server: str
    status: str
    reason: str
    slices: int = 0
    over: int = 0
    steps: list[RunStep] = field(default_factory=list)


@dataclass(frozen=True)
class Standing:
    """How far an operation is: slices over of all; since when it waits, and when it is tried again."""

    over: int
    slices: int
    waiting_since: datetime | None
    next_try_at: datetime | None

    @property
    def percent(self) -> int:
        """Whole per cent of the slices that are over; 0 while none is known."""
        return 100 * self.over // self.slices if self.slices else 0


@dataclass(frozen=True)
class Entry:
    """A line of an operation's log: what happened when, by whom or in which run, with the steps of a run taken up."""

    at: datetime
    kind: str
    by: str
    reason: str
    detail: str
    server: str
    run: str
    epoch: int | None
    steps: list[RunStep] = field(default_factory=list)


def listed(reader: str) -> QuerySet[Operation]:
    """Operations within the scope, newest first, with what a list shows.

    `asked_by` names who asked, unless they stand above the organization at the path `reader`: a client is not told
    who works for the reseller or the provider. `next_try_at` is when a server that is out of reach is asked again.
    """
    asked_by = Case(When(actor_path__startswith=reader, then="actor_label"), default=Value(""))
    waiting = OperationTarget.objects.filter(operation=OuterRef("pk"), status=OperationTarget.Status.WAITING)
    retries = waiting.filter(slice__server__retry_at__isnull=False).order_by("slice__server__retry_at")
    rows = Operation.objects.select_related("hosting", "server", "organization").annotate(
        asked_by=asked_by, next_try_at=Subquery(retries.values("slice__server__retry_at")[:1])
    )
    return rows.order_by("-id")


def reaching(rows: QuerySet[Operation], server_id: str) -> QuerySet[Operation]:
    """Keep those operations that are about a server or have to reach it."""
    targets = OperationTarget.objects.filter(operation=OuterRef("pk"), slice__server=server_id)
    return rows.filter(Q(server=server_id) | Exists(targets))


def parts(operation: Operation, reader: Actor) -> list[Part]:
    """Return an operation's parts, one per server and run, after the runs that served it alone (a server's set-up)."""
    there: dict[str, Server] = {}

    def part(server_id: str, *values: Any, **more: Any) -> Part:
        server = there[server_id]
        return Part(server_id, servers.name_for(reader, server.name, server.roles), *values, **more)

    steps = Prefetch("steps", RunStep.objects.order_by("position"))
    alone = Run.objects.filter(operation=operation).select_related("server").prefetch_related(steps).order_by("-id")[:1]
    there.update({run.server_id: run.server for run in alone})
    found = [part(run.server_id, run.status, run.reason, steps=list(run.steps.all())) for run in alone]
    columns = ("slice__server", "run", "status", "reason")
    rows = OperationTarget.objects.filter(operation=operation).values_list(*columns)
    groups: dict[tuple[str, str], list[tuple[str, str, int]]] = defaultdict(list)
    counted = rows.annotate(count=Count("id")).order_by("run", "slice__server__name", *columns)
    for server, run, status, reason, count in counted:
        groups[server, run or ""].append((status, reason, count))
    wanted = Run.objects.filter(pk__in=[run for _server, run in groups if run])
    runs = wanted.select_related("server").prefetch_related(steps).in_bulk()
    there.update({run.server_id: run.server for run in runs.values()})
    there.update(Server.objects.in_bulk({server for server, _run in groups} - set(there)))
    for (server, run), states in groups.items():
        counts = Counter({status: 0 for status, _reason, _count in states})
        for status, _reason, count in states:
            counts[status] += count
        found.append(
            part(
                server,
                status=next(status for status in WORST_FIRST if status in counts),
                reason=next((reason for _status, reason, _count in states if reason), ""),
                slices=sum(counts.values()),
                over=sum(count for status, count in counts.items() if status not in OperationTarget.OPEN),
                steps=list(runs[run].steps.all()) if run in runs else [],
            )
        )
    return found


def standing(operation: Operation) -> Standing:
    """Return how far an operation is."""
    waiting = Q(status=OperationTarget.Status.WAITING)
    facts = OperationTarget.objects.filter(operation=operation).aggregate(
        slices=Count("id"),
        over=Count("id", filter=~Q(status__in=OperationTarget.OPEN)),
        since=Min("run__finished_at", filter=waiting),
        server_retry=Min("slice__server__retry_at", filter=waiting),
    )
    is_waiting = operation.status == Operation.Status.WAITING
    parked = Intent.objects.filter(operation=operation, retry_at__isnull=False) if is_waiting else Intent.objects.none()
    return Standing(
        over=facts["over"],
        slices=facts["slices"],
        waiting_since=facts["since"] if is_waiting else None,
        next_try_at=(facts["server_retry"] or parked.aggregate(at=Min("retry_at"))["at"]) if is_waiting else None,
    )


def log(operation: Operation, reader: Actor) -> list[Entry]:
    """Return what happened to an operation, oldest first; who did it is told as in `listed`, where as in `parts`."""
    steps = Prefetch("run__steps", RunStep.objects.order_by("position"))
    rows = OperationEvent.objects.filter(operation=operation).select_related("run__server").prefetch_related(steps)
    return [
        Entry(
            at=event.created_at,
            kind=event.kind,
            by=event.actor_label if event.actor_path.startswith(reader.path) else "",
            reason=event.reason,
            detail=event.detail,
            server=servers.name_for(reader, event.run.server.name, event.run.server.roles) if event.run else "",
            run=event.run.id if event.run else "",
            epoch=event.run.epoch if event.run else None,
            steps=list(event.run.steps.all()) if event.run else [],
        )
        for event in rows.order_by("id")
    ]


def unbegun(operation: Operation) -> QuerySet[OperationTarget]:
    """Return the parts of an operation that no server has begun, so that one may stop waiting for them."""
    waiting = OperationTarget.objects.filter(operation=operation, status__in=OperationTarget.OPEN)
    return waiting.exclude(run__status=Run.Status.RUNNING)
