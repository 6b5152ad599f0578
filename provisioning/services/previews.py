"""Previews: asked for by a person or program, worked out by a task, confirmed by repeating the same verb for real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from panel.core import policy, queue
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid
from provisioning.models import Operation, Preview
from provisioning.services import verbs
from provisioning.services.plan_basis import plan_basis

BUILD = "provisioning.tasks.build_preview"
LIFETIME = timedelta(minutes=30)


class Outdated(Conflict):
    """What the plan was worked out from has changed since."""

    def __init__(self) -> None:
        super().__init__(
            _("Something that this plan rests on has changed since it was worked out. Ask for a new plan."),
            code="plan_outdated",
        )


def request(*, actor: Actor, verb: str, arguments: Mapping[str, Any], origin: str = "") -> Preview:
    """Ask for the plan of `verb` with `arguments` (ids and plain values). Secret arguments are not kept.

    The preview belongs to whoever asked; it is forgotten after half an hour. `origin` is the page that leads back to
    the order.
    """
    known = verbs.VERBS.get(verb)
    if known is None:
        raise Invalid("unknown", _("There is no such verb."), "verb")
    organization = Organization.objects.get(pk=actor.organization_id)
    policy.require(actor, "preview.create", organization)
    with transaction.atomic():
        preview = Preview.objects.create(
            organization=organization,
            actor={**asdict(actor), "scopes": sorted(actor.scopes) if actor.scopes is not None else None},
            verb=verb,
            arguments={name: None if name in known.secret else value for name, value in arguments.items()},
            origin=origin,
            expires_at=timezone.now() + LIFETIME,
        )
        queue.ring(BUILD, preview.id)
    return preview


def again(*, actor: Actor, preview: Preview) -> Preview:
    """Ask for the same plan anew, from the state as it is now."""
    policy.require(actor, "preview.create", preview)
    return request(actor=actor, verb=preview.verb, arguments=preview.arguments, origin=preview.origin)


def confirm(
    *, actor: Actor, preview: Preview, secrets: Mapping[str, str] | None = None
) -> tuple[Any, Operation | None]:
    """Carry out what a ready preview showed, once, by the actor that asked for it; returns what was made and the
    operation. `secrets` are those arguments that previews do not keep.

    What wants a fresh sign-in wants it here as well. Raises Outdated, and marks the preview so, when what it was worked
    out from has changed since.
    """
    policy.require(actor, "preview.create", preview)
    if policy.wants_fresh(verbs.action_of(preview.verb)):
        policy.require_fresh(actor)
    if preview.actor["user_id"] != actor.user_id or preview.actor["organization_id"] != actor.organization_id:
        raise Conflict(_("Only who asked for a plan can confirm it."), code="not_yours")
    hidden = hidden_arguments(preview)
    given = {name: value for name, value in (secrets or {}).items() if name in hidden}
    try:
        with transaction.atomic():
            current = Preview.objects.select_for_update(of=("self",)).filter(pk=preview.pk).first()
            if current is not None and current.status == Preview.Status.OUTDATED:
                raise Outdated
            if current is None or current.status != Preview.Status.READY or current.expires_at < timezone.now():
                raise Conflict(_("This plan is not ready, was used or has expired. Ask for a new one."), code="expired")
            for name in sorted(hidden - set(given)):
                raise Invalid("required", _("This field is required."), name)
            made, operation = verbs.run(actor=actor, verb=current.verb, arguments={**current.arguments, **given})
            if plan_basis(verbs.operations(made, operation)) != current.basis:
                raise Outdated
            current.delete()
    except Outdated:
        Preview.objects.filter(pk=preview.pk).update(status=Preview.Status.OUTDATED)
        raise
    return made, operation


def hidden_arguments(preview: Preview) -> frozenset[str]:
    """Return the names of the arguments that were not kept and have to be given again."""
    return verbs.VERBS[preview.verb].secret & set(preview.arguments)


def answer(*, preview_id: str, status: str, result: Mapping[str, Any], basis: str = "") -> None:
    """Keep what a preview came to. For the worker."""
    Preview._base_manager.filter(pk=preview_id).update(status=status, result=dict(result), basis=basis)


def forget_expired() -> None:
    """Delete previews that nobody can confirm any more."""
    Preview._base_manager.filter(expires_at__lt=timezone.now() - LIFETIME).delete()
