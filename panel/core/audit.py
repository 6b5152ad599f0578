"""Writing the audit log; reading it is the accounts app's affair."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models, transaction

from panel.core.actors import Actor
from panel.core.models import AuditEntry

_MASK = "••••"
_SECRET_WORDS = ("password", "secret", "token", "digest", "private", "ciphertext", "totp")

Changes = Mapping[str, tuple[Any, Any] | list[Any]]


def record(actor: Actor, action: str, obj: models.Model, changes: Changes | None = None) -> AuditEntry:
    """Write who did `action` to `obj` with `changes` {field: [old, new]}, values of secret fields masked.

    Belongs inside the transaction of the change itself and raises RuntimeError outside of one.
    """
    entry = _entry(actor, action, obj, changes or {})
    entry.save(force_insert=True)
    return entry


def record_all(actor: Actor, action: str, objects: Iterable[models.Model]) -> None:
    """Write that `actor` did `action` to each of many objects, in one statement; else as `record`."""
    AuditEntry.objects.bulk_create([_entry(actor, action, obj, {}) for obj in objects])


def refused(actor: Actor, what: str) -> None:
    """Write that `actor` was refused `what` (a method and address), in a transaction of its own."""
    with transaction.atomic():
        AuditEntry.objects.create(
            action="access.refused",
            actor_user_id=actor.user_id or "",
            actor_organization_id=actor.organization_id or "",
            actor_path=actor.path,
            actor_label=actor.label[:200],
            **_impersonator(actor),
            via=actor.via,
            address=actor.address,
            object_type="address",
            object_id="",
            object_label=what[:200],
            tenant_path=actor.path,
        )


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return {field: (old, new)} of the fields of `after` whose value differs from `before`."""
    return {field: (before.get(field), value) for field, value in after.items() if before.get(field) != value}


def _entry(actor: Actor, action: str, obj: models.Model, changes: Changes) -> AuditEntry:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An audit entry is written in the transaction of the change it describes.")
    return AuditEntry(
        action=action,
        actor_user_id=actor.user_id or "",
        actor_organization_id=actor.organization_id or "",
        actor_path=actor.path,
        actor_label=actor.label[:200],
        **_impersonator(actor),
        via=actor.via,
        address=actor.address,
        object_type=obj._meta.label_lower,
        object_id=str(obj.pk),
        object_label=str(obj)[:200],
        tenant_path=getattr(obj, "tenant_path", actor.path),
        changes={field: _shown(field, *pair) for field, pair in changes.items()},
    )


def _impersonator(actor: Actor) -> dict[str, str]:
    if actor.impersonator is None:
        return {}
    return {
        "impersonator_id": actor.impersonator.user_id,
        "impersonator_label": actor.impersonator.label[:200],
        "impersonator_path": actor.impersonator.path,
    }


def _shown(field: str, old: object, new: object) -> list[object]:
    if any(word in field.lower() for word in _SECRET_WORDS):
        return [None if old in (None, "") else _MASK, None if new in (None, "") else _MASK]
    return [_plain(old), _plain(new)]


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)
