"""The audit log as somebody may read it."""

from django.db.models import Case, CharField, F, QuerySet, Value, When

from panel.core.actors import Actor
from panel.core.models import AuditEntry


def entries(actor: Actor) -> QuerySet[AuditEntry]:
    """Return the entries in scope, newest first, with `who`: the label of whoever acted.

    It is empty for people above the reader's organization, whom a reseller's customer must not learn of.
    """
    rows = AuditEntry.objects.order_by("-id")
    if actor.kind == "provider":
        return rows.annotate(who=F("actor_label"))
    shown = When(actor_path__startswith=actor.path, then="actor_label")
    return rows.annotate(who=Case(shown, default=Value(""), output_field=CharField()))
