"""What follows when a reseller really uses more than its plan has: new accounts are refused, people are told, or the
reseller is suspended, as the plan says. What packages promise is counted elsewhere (`promises`).
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import words
from accounts.models import Membership, Organization, ResellerPlan
from accounts.selectors import brands
from accounts.services import outgoing_mails
from panel.core import audit
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import Overuse, Package
from provisioning.selectors import usage
from provisioning.services import tenancy

SYSTEM = Actor.system("overuse")
READERS = (Membership.Role.OWNER, Membership.Role.ADMIN)


def check() -> None:
    """Compare what every reseller really uses with its plan, and do what the plan says. For the worker; doing it twice
    does nothing more.
    """
    with everything("overuse of plans"):
        rows = Organization.objects.filter(plan__isnull=False).exclude(status=Organization.Status.CLOSED)
        for key in list(rows.order_by("path").values_list("id", flat=True)):
            with transaction.atomic():
                _look(key)


def _look(key: str) -> None:
    reseller = Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=key)
    plan = ResellerPlan.objects.filter(resellers=reseller).first()
    if plan is None:
        return
    use, before = usage.totals(reseller), {row.resource: row for row in Overuse.objects.filter(organization=reseller)}
    over: list[Overuse] = []
    for resource in Package.PROMISED:
        bought, used = getattr(plan, resource), use.of(resource)
        if bought is None or used <= bought:
            continue
        row = before.pop(resource, None) or Overuse(organization=reseller, resource=resource)
        is_new, row.used, row.limit = row._state.adding, used, bought
        row.save()
        over.append(row)
        if is_new:
            audit.record(SYSTEM, "organization.overuse", reseller, {resource: (bought, used)})
            _tell(reseller, row)
    had_suspended = any(row.has_suspended for row in before.values())
    Overuse.objects.filter(pk__in=[row.pk for row in before.values()]).delete()
    if plan.overuse == ResellerPlan.Overuse.SUSPEND:
        _suspend(reseller, over)
    if had_suspended and not any(row.has_suspended for row in over):
        _release(reseller)


def _suspend(reseller: Organization, over: list[Overuse]) -> None:
    if not over or reseller.status != Organization.Status.ACTIVE:
        return
    names = ", ".join(words.within(row.resource) for row in over)
    tenancy.suspend(
        actor=SYSTEM, organization=reseller, reason=_("More is used than the plan has: %s.") % names, accounts=True
    )
    Overuse.objects.filter(pk__in=[row.pk for row in over]).update(has_suspended=True)
    for row in over:
        row.has_suspended = True


def _release(reseller: Organization) -> None:
    reseller.refresh_from_db()
    is_own = reseller.suspended_by_id == reseller.lineage[0] and not reseller.suspended_for
    if reseller.status == Organization.Status.SUSPENDED and is_own:
        tenancy.unsuspend(actor=SYSTEM, organization=reseller)


def _tell(reseller: Organization, row: Overuse) -> None:
    """Mail the owners of a reseller, each in the name of the brand that they sign in at."""
    people = Membership.objects.filter(organization=reseller, role__in=READERS, user__is_active=True)
    for member in people.select_related("user").order_by("id"):
        brand = brands.of_user(member.user)
        outgoing_mails.send(
            brand=brand,
            to=member.user.email,
            template="limit_warning",
            context={
                "name": member.user.name,
                "domain": reseller.name,
                "resource": words.within(row.resource),
                "used": words.amount(row.resource, row.used),
                "limit": words.amount(row.resource, row.limit),
            },
            locale=member.user.locale,
            once=f"overuse:{row.pk}:{member.user_id}",
        )
