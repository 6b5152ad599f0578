"""The audit log as somebody may read it."""

from django.db.models import Case, CharField, F, QuerySet, Value, When

from panel.core.actors import Actor
from panel.core.models import AuditEntry


def entries(actor: Actor) -> QuerySet[AuditEntry]:
    """Return the entries in scope, newest first, with `who`, the label of whoever acted, and `behind`, that of the
    person who impersonated them.

    Both are empty for people above the reader's organization, whom a reseller's customer must not learn of; that
    somebody was impersonated is always said, by `impersonator_id`.
    """
    rows = AuditEntry.objects.order_by("-id")
    if actor.kind == "provider":
        return rows.annotate(who=F("actor_label"), behind=F("impersonator_label"))
    return rows.annotate(who=_seen(actor, "actor"), behind=_seen(actor, "impersonator"))


def _seen(actor: Actor, part: str) -> Case:
    shown = When(**{f"{part}_path__startswith": actor.path}, then=f"{part}_label")
    return Case(shown, default=Value(""), output_field=CharField())
