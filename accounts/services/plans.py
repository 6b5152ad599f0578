"""Reseller plans: put on sale, changed, archived, given to resellers. A plan's limits are its resellers' counters."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import words
from accounts.models import Organization, ResellerPlan
from accounts.selectors import plans as selectors
from accounts.services import limits
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid, clean_or_invalid, integrity_as_conflict
from panel.core.scoping import everything

FIELDS = (
    "name",
    *ResellerPlan.TOTALS,
    "accounts_per_package",
    *(f"account_{name}" for name in ResellerPlan.MOST),
    "oversell_disk",
    "oversell_bandwidth",
    "overuse",
    "features",
    "private_nameservers",
    "resellers_allowed",
)


def create(*, actor: Actor, organization: Organization, name: str, **values: Any) -> ResellerPlan:
    """Put a plan of `organization` on sale; a limit of None is unlimited, 0 none."""
    policy.require(actor, "plan.create", organization)
    _must_sell_to_resellers(organization)
    _known(values)
    with transaction.atomic():
        plan = ResellerPlan(organization=organization, name=name, **values)
        _save(plan)
        audit.record(actor, "plan.create", plan, {field: [None, getattr(plan, field)] for field in FIELDS})
    return plan


def change(*, actor: Actor, plan: ResellerPlan, **values: Any) -> ResellerPlan:
    """Change a plan: its resellers get the new limits in the same transaction; what they have already stays.

    `selectors.plans.overs` says beforehand who would be over.
    """
    policy.require(actor, "plan.change", plan)
    _known(values)
    with transaction.atomic():
        plan = _locked(plan)
        before = {field: getattr(plan, field) for field in values}
        for field, value in values.items():
            setattr(plan, field, value)
        _save(plan)
        for reseller in selectors.resellers_on(plan):
            _apply(reseller, plan)
        audit.record(actor, "plan.change", plan, audit.difference(before, {f: getattr(plan, f) for f in values}))
    return plan


def archive(*, actor: Actor, plan: ResellerPlan) -> None:
    """Take a plan off the shelf. Resellers who have it keep it."""
    policy.require(actor, "plan.remove", plan)
    with transaction.atomic():
        plan = _locked(plan)
        plan.archived_at = timezone.now()
        plan.save(update_fields=["archived_at"])
        audit.record(actor, "plan.remove", plan)


def assign(*, actor: Actor, organization: Organization, plan: ResellerPlan | None) -> Organization:
    """Give a reseller a plan of somebody above it, or none; its counters are those of the plan from then on.

    Without a plan it has no limits of its own, and may have what those above it may.
    """
    policy.require(actor, "organization.assign_plan", organization)
    if plan is not None:
        policy.require(actor, "plan.view", plan)
    if organization.kind != Organization.Kind.RESELLER:
        raise Invalid("kind", _("Only a reseller has a plan."), "organization")
    with transaction.atomic():
        if plan is not None:
            plan = _locked(plan)
            if plan.archived_at or plan.organization_id not in organization.lineage[:-1]:
                raise Invalid("plan", _("Choose a plan on sale of an organization above the reseller."), "plan")
        organization = Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=organization.pk)
        before = selectors.of_reseller(organization)
        organization.plan = plan
        organization.save(update_fields=["plan"])
        _apply(organization, plan)
        audit.record(
            actor,
            "organization.assign_plan",
            organization,
            {"plan": [before.name if before else None, plan.name if plan else None]},
        )
    return organization


def _apply(reseller: Organization, plan: ResellerPlan | None) -> None:
    """Set the counters of a reseller to its plan's limits, and whether it may have resellers."""
    counted = plan.counted if plan else dict.fromkeys(ResellerPlan.TOTALS)
    limits.set_limits(organization=reseller, limits=counted)
    if plan is not None and reseller.resellers_allowed != plan.resellers_allowed:
        reseller.resellers_allowed = plan.resellers_allowed
        reseller.save(update_fields=["resellers_allowed"])


def _must_sell_to_resellers(organization: Organization) -> None:
    if organization.kind == Organization.Kind.CLIENT:
        raise Invalid("kind", _("A client can't sell plans; choose a reseller."), "organization")
    if organization.kind == Organization.Kind.RESELLER and not organization.resellers_allowed:
        raise Forbidden(_("This reseller's plan has no resellers of its own."), code="resellers_not_allowed")


def _within_own(plan: ResellerPlan) -> None:
    """Refuse a plan that promises what its seller does not have."""
    lacking = sorted(set(plan.features) - selectors.features(plan.organization))
    if lacking:
        said = ", ".join(words.feature(name) for name in lacking)
        raise Invalid("not_in_plan", _("Your own plan does not have: %(names)s.") % {"names": said}, "features")
    for field in ("private_nameservers", "resellers_allowed"):
        if getattr(plan, field) and not all(getattr(own, field) for own in selectors.above(plan.organization)):
            raise Invalid("not_in_plan", _("Your own plan does not have this, so you can't sell it."), field)


def _known(values: dict[str, Any]) -> None:
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise Invalid("unknown", _("A plan has no such field."), unknown[0])


def _locked(plan: ResellerPlan) -> ResellerPlan:
    """Return the plan as it is now, locked: nobody is given it while it changes."""
    with everything("a plan and its seller"):
        rows = ResellerPlan.objects.select_for_update(of=("self",), no_key=True).select_related("organization")
        found = rows.filter(pk=plan.pk).first()
    if found is None:
        raise Conflict(_("This plan is gone."), code="gone")
    return found


def _save(plan: ResellerPlan) -> None:
    clean_or_invalid(plan)
    _within_own(plan)
    with integrity_as_conflict(_("You already have a plan of this name."), field="name"):
        plan.save()
