"""Operations as pages and the API show them: where they stand, by server and step."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Case, Prefetch, QuerySet, Value, When

from provisioning.models import Operation, OperationTarget, Run, RunStep


@dataclass(frozen=True)
class Part:
    """What an operation has to do on one server: the target's state and the steps of its newest run."""

    server: str
    status: str
    reason: str
    steps: list[RunStep] = field(default_factory=list)


def listed(reader: str) -> QuerySet[Operation]:
    """Operations within the scope, newest first, with what a list shows.

    `asked_by` names who asked, unless they stand above the organization at the path `reader`: a client is not told
    who works for the reseller or the provider.
    """
    asked_by = Case(When(actor_path__startswith=reader, then="actor_label"), default=Value(""))
    rows = Operation.objects.select_related("hosting", "server", "organization").annotate(asked_by=asked_by)
    return rows.order_by("-id")


def parts(operation: Operation) -> list[Part]:
    """Return an operation's parts, one per target, after the runs that served it alone (a server's set-up)."""
    steps = Prefetch("steps", RunStep.objects.order_by("position"))
    alone = Run.objects.filter(operation=operation).select_related("server").prefetch_related(steps).order_by("-id")[:1]
    found = [Part(run.server.name, run.status, run.reason, list(run.steps.all())) for run in alone]
    targets = OperationTarget.objects.filter(operation=operation).select_related("slice__server", "run").order_by("id")
    for target in targets.prefetch_related(Prefetch("run__steps", RunStep.objects.order_by("position"))):
        shown = list(target.run.steps.all()) if target.run else []
        found.append(Part(target.slice.server.name, target.status, target.reason, shown))
    return found


def unbegun(operation: Operation) -> QuerySet[OperationTarget]:
    """Return the parts of an operation that no server has begun, so that one may stop waiting for them."""
    waiting = OperationTarget.objects.filter(operation=operation, status__in=OperationTarget.OPEN)
    return waiting.exclude(run__status=Run.Status.RUNNING)


def is_held(operation: Operation) -> bool:
    """Whether an operation waits for a person, because it would remove unusually much."""
    runs = Run.objects.filter(targets__operation=operation, targets__status=OperationTarget.Status.WAITING)
    return runs.filter(status__in=[Run.Status.HELD, Run.Status.PARTIAL]).exists()
