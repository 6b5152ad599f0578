"""The log of operations: one row for whatever happens to one, written in the transaction in which it happens."""

from __future__ import annotations

from collections.abc import Iterable

from panel.core.actors import Actor
from provisioning.models import OperationEvent, Run


def note(
    kind: str,
    operation_ids: Iterable[str],
    *,
    run: Run | None = None,
    actor: Actor | None = None,
    reason: str = "",
    detail: str = "",
) -> None:
    """Write that this happened to operations, in one query; `detail` is for the provider only."""
    OperationEvent.objects.bulk_create(
        OperationEvent(
            operation_id=operation_id,
            kind=kind,
            run=run,
            actor_label=actor.label if actor else "",
            actor_path=actor.path if actor else "",
            reason=reason,
            detail=detail,
        )
        for operation_id in operation_ids
    )
