"""Limit counters: taken and given back inside the caller's transaction, so that no burst gets past a limit.

Order of locks, the same for all: the `LimitUse` rows of the organizations, by resource and organization; the counters
of their ancestors that have a limit, by resource and root to leaf; the subject's own counters. Who takes several
resources one after another goes by name. What has no limit above is not locked and not counted there; setting a limit
sums up what is below from the `LimitUse` rows, which are locked meanwhile, those of `accounts` always and first.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from django.db import transaction
from django.db.models import Case, Count, F, IntegerField, Q, Subquery, Sum, Value, When
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from accounts.models import LimitCounter, LimitUse, Organization
from accounts.selectors.limits import refusal
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid
from panel.core.scoping import everything

RESOURCES = (
    "accounts",
    "sites",
    "subdomains",
    "alias_domains",
    "addon_domains",
    "databases",
    "database_users",
    "mailboxes",
    "aliases",
    "zones",
    "records",
    "disk_bytes",
    "bandwidth_bytes",
)
GATE = "accounts"
"""Whoever sets limits waits here first for those who take several resources in one transaction."""

Amounts = Mapping[str, int]


def take(*, organization: Organization, resource: str, subject: str | None = None, amount: int = 1) -> None:
    """Count `amount` more of `resource` for `organization` and, when given, the hosting account `subject`.

    Call it inside the transaction that makes the thing. Raises LimitReached, naming the level, when any limit on the
    way from the root is used up; then nothing is counted.
    """
    move({organization: {resource: amount}}, subject=subject)


def give_back(*, organization: Organization, resource: str, subject: str | None = None, amount: int = 1) -> None:
    """Undo `take` when the thing is gone."""
    move({organization: {resource: -amount}}, subject=subject)


def move(
    changes: Mapping[Organization, Amounts], *, subject: str | None = None, boundless: Collection[str] = ()
) -> None:
    """Count several resources for several organizations at once, negative amounts as given back; all or nothing.

    `boundless` names resources of which the organizations want an unlimited amount: that is refused wherever there is
    a limit on the way from the root, and not counted where there is none. Raises LimitReached.
    """
    resources = sorted({name for amounts in changes.values() for name in amounts} | set(boundless))
    for resource in resources:
        _known(resource)
    if not resources:
        return
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("What is counted is counted in the transaction that makes it.")
    uses = _uses(list(changes), resources)
    counters = _counters(list(changes), resources, subject)
    totals: Counter[int] = Counter()
    for counter in counters:
        concerned = [row for row in changes if counter.subject in (*row.lineage, subject)]
        amount = sum(changes[row].get(counter.resource, 0) for row in concerned)
        endless = counter.resource in boundless and counter.subject != subject and bool(concerned)
        refused = refusal(counter, amount, endless=endless, organization=concerned[0])
        if refused:
            raise refused
        totals[counter.pk] = amount
    _add(LimitCounter, "used", totals)
    _add(LimitUse, "amount", {row.pk: changes[row.organization].get(row.resource, 0) for row in uses})


def set_limit(*, subject: str, resource: str, limit: int | None) -> LimitCounter:
    """Set the limit of an organization or hosting account (by id); None is unlimited, 0 none.

    It may lie below what is used: that stays, and more is refused.
    """
    _known(resource)
    _possible(resource, limit)
    with everything("limits are summed over the subtree"), transaction.atomic():
        organization = Organization.objects.filter(pk=subject).first()
        if organization is None:
            set_limits_of_account(subject=subject, limits={resource: limit})
        else:
            set_limits(organization=organization, limits={resource: limit})
    return LimitCounter.objects.get(subject=subject, resource=resource)


def set_limits(*, organization: Organization, limits: Mapping[str, int | None]) -> None:
    """Set several limits of an organization, each counter beginning with what it and everything below it hold."""
    for resource, limit in limits.items():
        _known(resource)
        _possible(resource, limit)
    with everything("limits are summed over the subtree"), transaction.atomic():
        held = _held_below(organization, {*limits, GATE})
        rows = [
            LimitCounter(subject=organization.id, resource=resource, limit=limit, used=held[resource])
            for resource, limit in sorted(limits.items())
        ]
        _write(rows, ["limit", "used"])


def set_limits_of_account(*, subject: str, limits: Mapping[str, int | None]) -> None:
    """Set several limits of one hosting account, by id, in one statement; what it uses stays counted."""
    set_limits_of_accounts({subject: limits})


def set_limits_of_accounts(limits: Mapping[str, Mapping[str, int | None]]) -> None:
    """Set limits of hosting accounts, {id: {resource: limit}}, in one statement; what they use stays counted."""
    rows = []
    for subject, own in sorted(limits.items()):
        for resource, limit in sorted(own.items()):
            _known(resource)
            _possible(resource, limit)
            rows.append(LimitCounter(subject=subject, resource=resource, limit=limit))
    _write(rows, ["limit"])


def change_limits(*, actor: Actor, organization: Organization, limits: dict[str, int | None]) -> None:
    """Set several limits of an organization below the actor's that has no plan; raises Conflict for one that has."""
    policy.require(actor, "organization.set_limit", organization)
    with transaction.atomic():
        if Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=organization.pk).plan_id:
            raise Conflict(
                _("The limits of this reseller are those of its plan. Change the plan, or give it another one."),
                code="has_plan",
            )
        known = dict(LimitCounter.objects.filter(subject=organization.id).values_list("resource", "limit"))
        set_limits(organization=organization, limits=limits)
        audit.record(actor, "organization.set_limit", organization, audit.difference(known, limits))


def used_by(organization: Organization, resource: str) -> int:
    """Return how much of `resource` the organization and everything below it hold."""
    with everything("limits are summed over the subtree"):
        below = LimitUse.objects.filter(resource=resource, organization__path__startswith=organization.path)
        return below.aggregate(total=Sum("amount"))["total"] or 0


def _held_below(organization: Organization, resources: Iterable[str]) -> Counter[str]:
    """Return what the organization and everything below it hold, and keep it so until the transaction ends."""
    with_gate = _locked_below(organization, {GATE})
    return with_gate + _locked_below(organization, {*resources} - {GATE})


def _locked_below(organization: Organization, resources: Collection[str]) -> Counter[str]:
    """Lock what the subtree holds of some resources and sum it up.

    Rows that are missing are made: so a transaction that is about to make one is waited for, too.
    """
    ids = list(Organization.objects.filter(path__startswith=organization.path).values_list("id", flat=True))
    held: Counter[str] = Counter()
    for use in _locked(ids, resources):
        held[use.resource] += use.amount
    return held


def _locked(ids: Collection[str], resources: Collection[str]) -> list[LimitUse]:
    """Return the rows of organizations, all locked in the one order of all; those that are missing are made.

    A row that is made is locked, too. So where one is missing, no row is locked on the way to finding out: one
    statement then goes through all of them in order, making some and taking the others as they are.
    """
    rows = LimitUse.objects.filter(organization__in=ids, resource__in=resources)
    wanted = len(ids) * len(resources)
    there = rows.order_by().values(whole=Value(1)).annotate(count=Count("pk")).values("count")
    in_order = rows.select_for_update(of=("self",)).order_by("resource", "organization_id")
    found: list[LimitUse] = list(in_order.alias(there=Subquery(there)).filter(there=wanted))
    if len(found) == wanted:
        return found
    LimitUse.objects.bulk_create(
        [LimitUse(organization_id=key, resource=resource) for resource in sorted(resources) for key in sorted(ids)],
        update_conflicts=True,
        unique_fields=["organization", "resource"],
        update_fields=["resource"],
    )
    return list(in_order)


def _uses(organizations: list[Organization], resources: list[str]) -> list[LimitUse]:
    """Return the organizations' own rows, locked."""
    known = {row.id: row for row in organizations}
    uses = _locked(known.keys(), resources)
    for use in uses:
        use.organization = known[use.organization_id]
    return uses


def _counters(organizations: list[Organization], resources: list[str], subject: str | None) -> list[LimitCounter]:
    """Return the counters of the ancestors that have a limit, root to leaf, and the subject's own, all locked."""
    order = {key: place for row in organizations for place, key in enumerate(row.lineage)}
    if subject is not None:
        order[subject] = len(order)
    place = Case(*(When(subject=key, then=value) for key, value in order.items()), output_field=IntegerField())
    wanted = LimitCounter.objects.filter(Q(limit__isnull=False) | Q(subject=subject), subject__in=order)
    wanted = wanted.filter(resource__in=resources).order_by("resource", place, "subject").select_for_update()
    counters = list(wanted)
    if subject is not None:
        missing = set(resources) - {row.resource for row in counters if row.subject == subject}
        if missing:
            LimitCounter.objects.bulk_create(
                [LimitCounter(subject=subject, resource=resource) for resource in sorted(missing)],
                ignore_conflicts=True,
            )
            counters = list(wanted.all())
    return counters


def _add(model: type[LimitCounter] | type[LimitUse], column: str, amounts: Mapping[int, int]) -> None:
    """Add to a column of rows by their keys, those with the same amount in one statement; never below 0."""
    by_amount: dict[int, list[int]] = {}
    for key, amount in amounts.items():
        if amount:
            by_amount.setdefault(amount, []).append(key)
    if not by_amount:
        return
    added = Case(*(When(pk__in=keys, then=Value(amount)) for amount, keys in by_amount.items()))
    rows = model._base_manager.filter(pk__in=[key for keys in by_amount.values() for key in keys])
    rows.update(**{column: Greatest(F(column) + added, 0)})


def _write(rows: list[LimitCounter], fields: list[str]) -> None:
    LimitCounter.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["subject", "resource"], update_fields=fields, batch_size=500
    )


def _possible(resource: str, limit: int | None) -> None:
    if limit is not None and (isinstance(limit, bool) or limit < 0):
        raise Invalid("limit", _("A limit is a whole number from 0, or empty for unlimited."), resource)


def _known(resource: str) -> None:
    if resource not in RESOURCES:
        raise LookupError(f"There is no counter of {resource}.")
