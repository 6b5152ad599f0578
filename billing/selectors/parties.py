"""Whose money it is: what an organization sells or buys itself. Those above or below have no part in it."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from panel.core.actors import Actor

Row = TypeVar("Row", bound=Model)


def sold_by(rows: QuerySet[Row], actor: Actor, *, through: str = "") -> QuerySet[Row]:
    """Return the rows whose seller is the actor's organization; `through` leads to the row that has one."""
    return rows.filter(**{f"{_prefix(through)}seller": actor.organization_id})


def bought_by(rows: QuerySet[Row], actor: Actor, *, through: str = "") -> QuerySet[Row]:
    """Return the rows whose buyer is the actor's organization."""
    return rows.filter(**{f"{_prefix(through)}buyer": actor.organization_id})


def of_party(rows: QuerySet[Row], actor: Actor, *, through: str = "") -> QuerySet[Row]:
    """Return the rows of which the actor's organization is seller or buyer."""
    prefix = _prefix(through)
    return rows.filter(Q(**{f"{prefix}seller": actor.organization_id}) | Q(**{f"{prefix}buyer": actor.organization_id}))


def _prefix(through: str) -> str:
    return f"{through}__" if through else ""
