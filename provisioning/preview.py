"""Works out plans: the service runs in a transaction that is rolled back; servers are asked for plans outside it."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import transaction
from django.db.models.functions import Now

from panel.core.actors import Actor, Impersonator
from panel.core.errors import DomainError
from panel.core.failures import Permanent, Temporary
from panel.core.scoping import everything
from provisioning import transport
from provisioning.compile import Compiled, compile_slices
from provisioning.desired import target
from provisioning.models import Intent, Lease, Operation, OperationTarget, Preview, Server, Slice, Tombstone
from provisioning.planning.bundle import bundle
from provisioning.services import previews, runs, verbs
from provisioning.services.plan_basis import plan_basis

ATTEMPTS = 3
KINDS = ("add", "change", "move", "remove", "destroy")
MOST_NAMES = 5
MOST_CHANGES = 2_000
MOST_TEXT = 2_000_000
"""A plan keeps so many changes, and diffs of so many characters together; the sums count all."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Plan:
    """What a verb would change, server by server, in the shape that pages and the API show; `basis` is a digest of
    what that rests on.
    """

    servers: list[dict[str, Any]]
    subject: str
    basis: str


def build(preview_id: str) -> None:
    """Work out one preview and keep the answer: ready with a plan, refused with the service's words, or failed with a
    reason.
    """
    with everything("preview"):
        preview = Preview.objects.filter(pk=preview_id, status=Preview.Status.PENDING).first()
        if preview is None:
            return
        status, basis = Preview.Status.FAILED, ""
        result: dict[str, Any] = {"message": runs.REASON_BUSY}
        try:
            plan = work_out(actor=actor_of(preview), verb=preview.verb, arguments=preview.arguments)
        except Overtaken:
            log.warning("preview.overtaken", preview=preview_id)
        except DomainError as error:
            refusal = {"code": error.code, "message": error.message, "field": error.field, "errors": error.errors}
            status, result = Preview.Status.REFUSED, refusal
        except Temporary as error:
            log.warning("preview.unreachable", preview=preview_id, error=str(error))
            result = {"message": runs.REASON_UNREACHABLE}
        except Permanent as error:
            log.warning("preview.failed", preview=preview_id, error=error.message, detail=error.detail)
        else:
            status, basis = Preview.Status.READY, plan.basis
            result = {"servers": plan.servers, "subject": plan.subject}
        previews.answer(preview_id=preview_id, status=status, result=result, basis=basis)


class Overtaken(Exception):
    """Applies went to the server between rehearsal and plan as often as this was tried."""


def work_out(*, actor: Actor, verb: str, arguments: Mapping[str, Any]) -> Plan:
    """Return what `verb` would change; nothing is changed.

    Raises the service's refusal, Temporary or Permanent when a server can't be asked, and Overtaken.
    """
    for _attempt in range(ATTEMPTS):
        rehearsal = rehearse(actor, verb, arguments)
        try:
            servers = [_ask(part, alone=rehearsal.slices == 1) for part in rehearsal.parts]
        except Overtaken:
            continue
        return Plan(servers, rehearsal.subject, rehearsal.basis)
    raise Overtaken


def actor_of(preview: Preview) -> Actor:
    """Return who asked."""
    values = dict(preview.actor)
    scopes, impersonator = values.pop("scopes"), values.pop("impersonator")
    return Actor(
        **values,
        scopes=frozenset(scopes) if scopes is not None else None,
        impersonator=Impersonator(**impersonator) if impersonator is not None else None,
    )


@dataclass(frozen=True)
class Part:
    """What one server is asked: the payload, what its slices are called, and those that can't be compiled."""

    server: Server
    payload: dict[str, Any]
    names: dict[str, str]
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rehearsal:
    """A verb that was carried out in the database, compiled and taken back."""

    parts: list[Part]
    slices: int
    subject: str
    basis: str


def rehearse(actor: Actor, verb: str, arguments: Mapping[str, Any]) -> Rehearsal:
    """Run the service, compile what it dirtied, take everything back. Secrets that were not kept are made up."""
    given = dict(arguments)
    for name in verbs.VERBS[verb].secret & set(given):
        given[name] = secrets.token_urlsafe(12)
    with transaction.atomic():
        operations = verbs.operations(*verbs.run(actor=actor, verb=verb, arguments=given))
        touched: dict[str, dict[str, Slice]] = defaultdict(dict)
        for row in OperationTarget.objects.filter(operation__in=operations).select_related("slice__hosting"):
            touched[row.slice.server_id][row.slice_id] = row.slice
        parts = [
            _part(server, list(touched[server.id].values()), operations)
            for server in Server.objects.filter(pk__in=touched).order_by("name")
        ]
        slices = sum(len(found) for found in touched.values())
        rehearsal = Rehearsal(parts, slices, _subject(operations), plan_basis(operations))
        transaction.set_rollback(True)
    return rehearsal


def _subject(operations: Sequence[Operation]) -> str:
    """Return what operations are about; of many, the first ones."""
    names = [operation.subject for operation in operations]
    return ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")


def _part(server: Server, slices: Sequence[Slice], operations: Sequence[Operation]) -> Part:
    compiled = compile_slices(server, slices, "default")
    names = {part.name: part.hosting.domain if part.hosting else server.name for part in slices}
    refused = sorted(names[part.name] for part in slices if part.id in compiled.refused)
    if len(refused) == len(slices):
        raise DomainError("invalid", runs.REASONS["invalid"])
    return Part(server, _payload(server, slices, compiled, operations), names, refused)


def _payload(
    server: Server, slices: Sequence[Slice], compiled: Compiled, operations: Sequence[Operation]
) -> dict[str, Any]:
    epoch = Lease.objects.filter(server=server).values_list("epoch", flat=True).first() or 0
    asked = Intent.objects.filter(operation__in=operations, slice__server=server)
    due: dict[str, list[str]] = defaultdict(list)
    tombstones = Tombstone.objects.filter(slice__in=slices, destroyed_at__isnull=True, due_at__lte=Now())
    for slice_id, key in tombstones.order_by("id").values_list("slice_id", "key"):
        due[slice_id].append(key)
    generations = {part.id: part.generation + 1 for part in slices}
    return bundle(
        server=server.id,
        epoch=epoch,
        slices=compiled.bundles(slices, generations, due, whole=True),
        verify=asked.filter(verify=True).exists(),
    )


def _ask(part: Part, *, alone: bool) -> dict[str, Any]:
    """Return one server's plan. Where a plan is about more than one slice, what is wrong with some becomes a problem
    that it tells of; `alone` it is the answer.
    """
    try:
        report = transport.call(target(part.server), "plan", part.payload)
    except transport.NodeError as error:
        if error.code == "stale_epoch":
            raise Overtaken from error
        raise
    problems = [_problem(subject, "invalid") for subject in part.refused]
    for name, found in report["slices"].items():
        if found["status"] == "stale":
            raise Overtaken
        if found["status"] not in ("planned", "unchanged"):
            code = str(found.get("code") or found["status"])
            if alone:
                raise DomainError(code, runs.REASONS.get(code, runs.REASON_OTHER))
            problems.append(_problem(part.names.get(name, name), code))
    changes = [
        {**change, "subject": part.names.get(name, name)}
        for name, found in report["slices"].items()
        for change in found["changes"]
    ]
    return {
        "server": part.server.name,
        "roles": sorted(part.server.roles),
        "changes": _fitting(changes),
        "counts": {kind: sum(change["change"] == kind for change in changes) for kind in KINDS},
        "truncated": len(changes) > MOST_CHANGES or sum(len(change["diff"]) for change in changes) > MOST_TEXT,
        "problems": problems,
        "reloads": report["reloads"],
        "removals": report["removals"],
        "resources": report["resources"],
    }


def _problem(subject: str, code: str) -> dict[str, str]:
    return {"subject": subject, "code": code, "message": runs.REASONS.get(code, runs.REASON_OTHER)}


def _fitting(changes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return as many changes as a plan keeps; once the text is too much, without their diffs."""
    kept, text = [], 0
    for change in list(changes)[:MOST_CHANGES]:
        text += len(change["diff"])
        kept.append(change if text <= MOST_TEXT else {**change, "diff": ""})
    return kept
