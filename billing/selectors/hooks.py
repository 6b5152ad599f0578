"""A seller's own addresses for programs, and what they were told."""

from __future__ import annotations

from django.db.models import QuerySet

from billing.models import Hook, HookDelivery
from panel.core.actors import Actor


def own(actor: Actor) -> QuerySet[Hook]:
    """Return the addresses of the actor's organization, newest first."""
    return Hook.objects.select_related("organization").filter(organization=actor.organization_id)


def deliveries(actor: Actor) -> QuerySet[HookDelivery]:
    """Return what they were told, newest first."""
    rows = HookDelivery.objects.select_related("hook__organization")
    return rows.filter(hook__organization=actor.organization_id)


def of(hook: Hook) -> QuerySet[HookDelivery]:
    """Return what one address was told, newest first."""
    return HookDelivery.objects.filter(hook=hook)
