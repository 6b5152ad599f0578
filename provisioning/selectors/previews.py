"""Previews as pages and the API read them."""

from __future__ import annotations

from django.db.models import QuerySet

from panel.core.actors import Actor
from provisioning.models import Preview


def of_actor(actor: Actor) -> QuerySet[Preview]:
    """Previews that this very actor asked for; nobody else sees them."""
    rows = Preview.objects.filter(organization_id=actor.organization_id, actor__user_id=actor.user_id)
    return rows.select_related("organization")
