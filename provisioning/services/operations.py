"""Operations: what was asked for, and where it stands. How a run went is written by `runs`."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict
from provisioning.models import HostingAccount, Intent, Operation, OperationEvent, OperationTarget, Server
from provisioning.selectors import operations as selectors
from provisioning.services import events, intents
from provisioning.services.reasons import REASONS

LONGEST_SUBJECT = 253
COMPARING = frozenset({"drift.restore", "server.reconcile"})
"""Verbs that order nothing but a look at what is there: tried again they look again, cancelled they leave nothing."""


def start(
    *,
    actor: Actor,
    verb: str,
    subject: str,
    organization: Organization,
    hosting: HostingAccount | None = None,
    server: Server | None = None,
) -> Operation:
    """Record that `actor` asked for `verb`; targets follow when intents are added to it.

    Runs in the caller's transaction. A `subject` that is longer than people read is cut.
    """
    operation = Operation.objects.create(
        organization=organization,
        verb=verb,
        subject=subject if len(subject) <= LONGEST_SUBJECT else f"{subject[: LONGEST_SUBJECT - 1]}…",
        hosting=hosting,
        server=server,
        actor_id=actor.user_id or "",
        actor_label=actor.label,
        actor_path=actor.path,
    )
    events.note(OperationEvent.Kind.QUEUED, [operation.pk], actor=actor)
    return operation


def retry(*, actor: Actor, operation: Operation) -> Operation:
    """Try the slices of a rejected, cancelled or waiting operation again, with the state desired now."""
    policy.require(actor, "operation.retry", operation)
    with transaction.atomic():
        operation = _locked(operation)
        if operation.status not in (Operation.Status.REJECTED, Operation.Status.CANCELLED, Operation.Status.WAITING):
            raise Conflict(
                _("Only what was rejected, cancelled or is waiting can be tried again."), code="not_retryable"
            )
        _reopen(operation)
        events.note(OperationEvent.Kind.RETRIED, [operation.pk], actor=actor)
        audit.record(actor, "operation.retry", operation)
    return operation


def confirm(*, actor: Actor, operation: Operation) -> Operation:
    """Let an operation go on that waits because it would remove unusually much from a server."""
    policy.require(actor, "operation.confirm", operation)
    with transaction.atomic():
        operation = _locked(operation)
        if not is_held(operation):
            raise Conflict(_("This operation does not wait for anybody."), code="not_waiting")
        _reopen(operation, confirmed=True)
        events.note(OperationEvent.Kind.CONFIRMED, [operation.pk], actor=actor)
        audit.record(actor, "operation.confirm", operation)
    return operation


def is_held(operation: Operation) -> bool:
    """Whether an operation waits for a person, because it would remove unusually much."""
    held = operation.targets.filter(status=OperationTarget.Status.WAITING, reason=REASONS["held"])
    return operation.status == Operation.Status.WAITING and held.exists()


def cancel(*, actor: Actor, operation: Operation) -> Operation:
    """Stop waiting for those parts of an operation that no server has begun; the others end by themselves.

    The desired state stays as it is; a later run carries it. What was only to be compared is not looked at any more.
    """
    policy.require(actor, "operation.cancel", operation)
    with transaction.atomic():
        operation = _locked(operation)
        waiting = list(selectors.unbegun(operation).values_list("slice_id", flat=True))
        if not operation.is_open or not waiting:
            raise Conflict(
                _("Every part of this operation has begun or is over; it can't be cancelled."), code="not_cancellable"
            )
        now = timezone.now()
        operation.targets.filter(slice__in=waiting).update(status=OperationTarget.Status.CANCELLED, finished_at=now)
        if operation.verb in COMPARING:
            Intent.objects.filter(operation=operation, slice__in=waiting).delete()
        ended = not operation.targets.filter(status__in=OperationTarget.OPEN).exists()
        kind = OperationEvent.Kind.CANCELLED if ended else OperationEvent.Kind.STOPPED
        events.note(kind, [operation.pk], actor=actor)
        if ended:
            operation.status = Operation.Status.CANCELLED
            operation.finished_at = now
            operation.save(update_fields=["status", "finished_at"])
        audit.record(actor, "operation.cancel", operation)
    return operation


def _locked(operation: Operation) -> Operation:
    return Operation.objects.select_for_update(of=("self",), no_key=True).get(pk=operation.pk)


def _reopen(operation: Operation, *, confirmed: bool = False) -> None:
    targets = operation.targets.exclude(status=OperationTarget.Status.APPLIED)
    slices = [target.slice for target in targets.select_related("slice").order_by("id")]
    if not slices:
        raise Conflict(_("There is nothing to try again here; ask for it anew."), code="not_retryable")
    targets.update(status=OperationTarget.Status.PENDING, reason="", finished_at=None)
    operation.status, operation.reason, operation.detail = Operation.Status.PENDING, "", ""
    operation.finished_at = None
    operation.save(update_fields=["status", "reason", "detail", "finished_at"])
    intents.again(slices, operation=operation, verify=operation.verb in COMPARING, confirmed=confirmed)
    Server.objects.filter(pk__in={part.server_id for part in slices}).update(retry_at=None)
