"""The audit log as somebody may read it."""

from datetime import date, datetime, time, timedelta

from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.utils import timezone

from panel.core import ids
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


def matching(
    rows: QuerySet[AuditEntry],
    *,
    text: str = "",
    action: str = "",
    actor: str = "",
    object_id: str = "",
    since: date | None = None,
    until: date | None = None,
) -> QuerySet[AuditEntry]:
    """Keep those of `entries` that fit everything that is given.

    `action` is one action or, without a dot, all of a noun; `actor` part of the label of who acted or impersonated, as
    far as the reader may know it; `since` and `until` are days in the current time zone, both included.
    """
    if text:
        rows = rows.filter(Q(who__icontains=text) | Q(action__icontains=text) | Q(object_label__icontains=text))
    if action:
        rows = rows.filter(action=action) if "." in action else rows.filter(action__startswith=f"{action}.")
    if actor:
        rows = rows.filter(Q(who__icontains=actor) | Q(behind__icontains=actor))
    if object_id:
        rows = rows.filter(object_id=object_id)
    if since:
        rows = rows.filter(id__gte=ids.first("aud", _midnight(since)))
    if until and until < date.max:
        rows = rows.filter(id__lt=ids.first("aud", _midnight(until + timedelta(days=1))))
    return rows


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _seen(actor: Actor, part: str) -> Case:
    shown = When(**{f"{part}_path__startswith": actor.path}, then=f"{part}_label")
    return Case(shown, default=Value(""), output_field=CharField())
