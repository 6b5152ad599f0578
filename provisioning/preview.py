"""Works out previews: the service runs in a transaction that is rolled back; servers are asked for plans outside it."""

from __future__ import annotations

import secrets
from collections import defaultdict
from typing import Any

import structlog
from django.db import transaction

from panel.core.actors import Actor
from panel.core.errors import DomainError
from panel.core.failures import Permanent, Temporary
from panel.core.scoping import everything
from provisioning import transport
from provisioning.compile import compile_slices
from provisioning.desired import target
from provisioning.models import Lease, Preview, Server, Slice
from provisioning.planning.bundle import bundle
from provisioning.services import previews, runs, verbs

ATTEMPTS = 3

log = structlog.get_logger(__name__)


def build(preview_id: str) -> None:
    """Work out one preview and keep the answer: ready with a plan, refused with the service's words, or failed with a
    reason.
    """
    with everything("preview"):
        preview = Preview.objects.filter(pk=preview_id, status=Preview.Status.PENDING).first()
        if preview is None:
            return
        status = Preview.Status.FAILED
        result: dict[str, Any] = {"message": runs.REASON_BUSY}
        for _attempt in range(ATTEMPTS):
            try:
                plans = [_ask(server, payload, names) for server, payload, names in _rehearse(preview)]
            except _Overtaken:
                continue
            except DomainError as error:
                refusal = {"code": error.code, "message": error.message, "field": error.field, "errors": error.errors}
                status, result = Preview.Status.REFUSED, refusal
            except Temporary as error:
                log.warning("preview.unreachable", preview=preview_id, error=str(error))
                result = {"message": runs.REASON_UNREACHABLE}
            except Permanent as error:
                log.warning("preview.failed", preview=preview_id, error=error.message, detail=error.detail)
            else:
                status, result = Preview.Status.READY, {"servers": plans}
            break
        previews.answer(preview_id=preview_id, status=status, result=result)


class _Overtaken(Exception):
    """An apply went to the server after the rehearsal; it has to be rehearsed anew."""


def actor_of(preview: Preview) -> Actor:
    """Return who asked."""
    values = dict(preview.actor)
    scopes = values.pop("scopes")
    return Actor(**values, scopes=frozenset(scopes) if scopes is not None else None)


def _rehearse(preview: Preview) -> list[tuple[Server, dict[str, Any], dict[str, str]]]:
    """Run the service, compile what it dirtied, take everything back; returns one payload per server."""
    arguments = dict(preview.arguments)
    for name in verbs.VERBS[preview.verb].secret & set(arguments):
        arguments[name] = secrets.token_urlsafe(12)
    payloads = []
    with transaction.atomic():
        _made, operation = verbs.run(actor=actor_of(preview), verb=preview.verb, arguments=arguments)
        by_server: dict[str, list[Slice]] = defaultdict(list)
        for row in operation.targets.select_related("slice__hosting"):
            by_server[row.slice.server_id].append(row.slice)
        for server in Server.objects.filter(pk__in=by_server).order_by("name"):
            slices = by_server[server.id]
            compiled = compile_slices(server, slices, "default")
            if compiled.refused:
                raise DomainError("invalid", runs.REASONS["invalid"])
            generations = {part.id: part.generation + 1 for part in slices}
            epoch = Lease.objects.filter(server=server).values_list("epoch", flat=True).first() or 0
            payload = bundle(
                server=server.id,
                epoch=epoch,
                slices=compiled.bundles(slices, generations, {}, whole=True),
            )
            names = {part.name: part.hosting.domain if part.hosting else server.name for part in slices}
            payloads.append((server, payload, names))
        transaction.set_rollback(True)
    return payloads


def _ask(server: Server, payload: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return one server's plan in the shape that pages and the API show."""
    try:
        report = transport.call(target(server), "plan", payload)
    except transport.NodeError as error:
        if error.code == "stale_epoch":
            raise _Overtaken from error
        raise
    for part in report["slices"].values():
        if part["status"] == "stale":
            raise _Overtaken
        if part["status"] not in ("planned", "unchanged"):
            code = str(part.get("code") or part["status"])
            raise DomainError(code, runs.REASONS.get(code, runs.REASON_OTHER))
    changes = [
        {**change, "subject": names.get(name, name)}
        for name, part in report["slices"].items()
        for change in part["changes"]
    ]
    return {
        "server": server.name,
        "changes": changes,
        "reloads": report["reloads"],
        "removals": report["removals"],
        "resources": report["resources"],
    }
