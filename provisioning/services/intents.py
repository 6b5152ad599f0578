"""Intents: the note that a slice has to be looked at. Written in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Iterable

from panel.core import queue
from provisioning.models import HostingAccount, Intent, Operation, OperationTarget, Placement, Server, Slice

RECONCILE = "provisioning.tasks.reconcile"


def add(
    hosting: HostingAccount,
    *,
    operation: Operation,
    services: Iterable[str] | None = None,
    confirmed: bool = False,
) -> list[Slice]:
    """Dirty the slices of an account on every server that carries one of `services` (all of them by default), as what
    `operation` has to reach.

    A zone names the servers of the account's web and mail, so whoever carries one service of a single-server account
    carries all.
    """
    placements = Placement.objects.filter(hosting=hosting)
    if services is not None:
        placements = placements.filter(service__in=list(services))
    servers = list(placements.order_by("server_id").values_list("server_id", flat=True).distinct())
    there = Slice.objects.filter(hosting=hosting, server__in=servers).order_by("server_id")
    slices = list(there)
    if len(slices) < len(servers):
        missing = sorted(set(servers) - {part.server_id for part in slices})
        made = [Slice(server_id=server, hosting=hosting) for server in missing]
        Slice.objects.bulk_create(made, ignore_conflicts=True)
        slices = list(there.all())
    _dirty(slices, operation, confirmed=confirmed)
    return slices


def add_server(server: Server, *, operation: Operation, verify: bool = False, accounts: bool = False) -> list[Slice]:
    """Dirty a server's own slice and, with `accounts`, every slice it carries."""
    base, _created = Slice.objects.get_or_create(server=server, hosting=None)
    slices = [base]
    if accounts:
        slices += Slice.objects.filter(server=server, hosting__isnull=False).order_by("id")
    _dirty(slices, operation, verify=verify)
    return slices


def again(slices: Iterable[Slice], *, operation: Operation, verify: bool = False, confirmed: bool = False) -> None:
    """Dirty slices once more: to retry or confirm an operation, or because a deadline has come."""
    _dirty(list(slices), operation, verify=verify, confirmed=confirmed)


def _dirty(slices: list[Slice], operation: Operation, *, verify: bool = False, confirmed: bool = False) -> None:
    Intent.objects.bulk_create(
        Intent(slice=item, operation=operation, verify=verify, confirmed=confirmed) for item in slices
    )
    OperationTarget.objects.bulk_create(
        (OperationTarget(operation=operation, slice=item) for item in slices), ignore_conflicts=True
    )
    for server_id in sorted({item.server_id for item in slices}):
        queue.ring(RECONCILE, server_id)
