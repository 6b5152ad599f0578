"""Impersonations: the one that a session goes on with, and those that people may read of."""

from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.utils import timezone

from accounts.models import Impersonation, Membership
from panel.core.actors import Actor
from panel.core.scoping import everything


def running(identifier: str, user_id: str | None) -> Impersonation | None:
    """Return the impersonation that `user_id` may go on with, or None when it is over."""
    with everything("an impersonation decides the scope"):
        rows = Impersonation.objects.select_related("organization", "user__brand_root", "by_organization")
        now = timezone.now()
        return rows.filter(pk=identifier, by_id=user_id, ended_at__isnull=True, ends_at__gt=now).first()


def membership(impersonation: Impersonation) -> Membership | None:
    """Return what the impersonated person is in the organization; None when that has ended since."""
    with everything("an impersonation decides the scope"):
        rows = Membership.objects.select_related("organization", "user")
        found = rows.filter(user_id=impersonation.user_id, organization_id=impersonation.organization_id)
        return found.filter(user__is_active=True).first()


def listed(actor: Actor) -> QuerySet[Impersonation]:
    """Return the impersonations in scope, newest first, with `who`: who acted, empty for people above the reader's
    organization, whom a reseller's customer must not learn of.
    """
    rows = Impersonation.objects.select_related("organization", "user").order_by("-id")
    if actor.kind == "provider":
        return rows.annotate(who=F("by__name"))
    shown = When(by_organization__path__startswith=actor.path, then="by__name")
    return rows.annotate(who=Case(shown, default=Value(""), output_field=CharField()))
