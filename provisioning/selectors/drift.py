"""Drift as pages, the API and the command line show it: what is open, what was decided, when somebody looked."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from provisioning.models import DriftCheck, DriftItem, HostingAccount, Operation, Pin, Server

VERBS = ("drift.check", "drift.restore")


@dataclass(frozen=True)
class Standing:
    """Where a server stands: its last check that ended, and how many findings are open."""

    last: DriftCheck | None
    open: int
    pins: int


def items() -> QuerySet[DriftItem]:
    """All findings, newest first, with server, account and what restores or adopted them."""
    return DriftItem.objects.select_related("server__organization", "slice__hosting", "operation")


def open_items(server: Server) -> QuerySet[DriftItem]:
    """What is open on a server: by account, the server's own last, then by key."""
    return (
        items().filter(server=server, state=DriftItem.State.OPEN).order_by("slice__hosting__domain", "service", "key")
    )


def checks(server: Server) -> QuerySet[DriftCheck]:
    """The checks of a server, newest first."""
    return DriftCheck.objects.filter(server=server).select_related("operation").order_by("-id")


def pins(server: Server | None = None) -> QuerySet[Pin]:
    """The exceptions on a server, or all of them, newest first."""
    rows = Pin.objects.select_related("slice__server__organization", "slice__hosting").order_by("-id")
    return rows.filter(slice__server=server) if server else rows


def standing(server: Server) -> Standing:
    """Return where a server stands."""
    ended = checks(server).exclude(status=DriftCheck.Status.RUNNING)
    return Standing(ended.first(), open_items(server).count(), pins(server).count())


def newest_operation(server: Server) -> Operation | None:
    """Return the newest check or restoration that somebody asked for."""
    return Operation.objects.filter(server=server, verb__in=VERBS).order_by("-id").first()


def is_moving(server: Server) -> bool:
    """Whether what is shown of a server is about to change: something runs, or waits to be seen by the next check."""
    running = Operation.objects.filter(server=server, verb__in=VERBS, status__in=Operation.OPEN)
    restored = DriftItem.objects.filter(
        server=server, state=DriftItem.State.OPEN, operation__status=Operation.Status.APPLIED
    )
    if (last := checks(server).first()) is not None:
        restored = restored.filter(operation__finished_at__gt=last.started_at)
    return running.exists() or restored.exists()


def drifted_servers() -> QuerySet[Server]:
    """Servers with open findings, and how many (`drift_count`)."""
    opened = DriftItem.objects.filter(server=OuterRef("pk"), state=DriftItem.State.OPEN)
    count = Count("drift_items", filter=Q(drift_items__state=DriftItem.State.OPEN))
    return Server.objects.filter(Exists(opened)).annotate(drift_count=count).order_by("name")


def drifted_accounts() -> QuerySet[HostingAccount]:
    """Accounts within the scope of which something on a server differs, and how much (`drift_count`), most first."""
    opened = DriftItem.objects.filter(state=DriftItem.State.OPEN, slice__hosting__isnull=False)
    count = Count("slices__drift_items", filter=Q(slices__drift_items__state=DriftItem.State.OPEN))
    rows = HostingAccount.objects.filter(pk__in=opened.values("slice__hosting"))
    return rows.annotate(drift_count=count).order_by("-drift_count", "domain")
