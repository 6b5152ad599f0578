"""Limit counters: taken and given back inside the caller's transaction, so that no burst gets past a limit.

Order of locks, the same for all: the organization's own `LimitUse` row, then the counters of its ancestors that have a
limit, root to leaf, then the subject's own counter. What has no limit above is not locked and not counted there;
setting a limit sums up what is below from the `LimitUse` rows, which are locked meanwhile.
"""

from django.db import transaction
from django.db.models import Case, F, IntegerField, Q, Sum, When
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from accounts.models import LimitCounter, LimitUse, Organization
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid, LimitReached
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


def take(*, organization: Organization, resource: str, subject: str | None = None, amount: int = 1) -> None:
    """Count `amount` more of `resource` for `organization` and, when given, the hosting account `subject`.

    Call it inside the transaction that makes the thing. Raises LimitReached, naming the level, when any limit on the
    way from the root is used up; then nothing is counted.
    """
    _move(organization, resource, subject, amount)


def give_back(*, organization: Organization, resource: str, subject: str | None = None, amount: int = 1) -> None:
    """Undo `take` when the thing is gone."""
    _move(organization, resource, subject, -amount)


def set_limit(*, subject: str, resource: str, limit: int | None) -> LimitCounter:
    """Set the limit of an organization or hosting account (by id); None is unlimited, 0 none.

    It may lie below what is used: that stays, and more is refused.
    """
    _known(resource)
    _possible(resource, limit)
    with everything("limits are summed over the subtree"), transaction.atomic():
        organization = Organization.objects.filter(pk=subject).first()
        held = None if organization is None else _held_below(organization, resource)
        counter = _counter(subject, resource)
        counter.limit = limit
        if held is not None:
            counter.used = held
        counter.save()
    return counter


def set_limits_of_account(*, subject: str, limits: dict[str, int | None]) -> None:
    """Set several limits of one hosting account, by id, in one statement; what it uses stays counted."""
    for resource, limit in limits.items():
        _known(resource)
        _possible(resource, limit)
    LimitCounter.objects.bulk_create(
        [LimitCounter(subject=subject, resource=resource, limit=limit) for resource, limit in sorted(limits.items())],
        update_conflicts=True,
        unique_fields=["subject", "resource"],
        update_fields=["limit"],
    )


def change_limits(*, actor: Actor, organization: Organization, limits: dict[str, int | None]) -> None:
    """Set several limits of an organization below the actor's."""
    policy.require(actor, "organization.set_limit", organization)
    with transaction.atomic():
        known = dict(LimitCounter.objects.filter(subject=organization.id).values_list("resource", "limit"))
        for resource, limit in sorted(limits.items()):
            set_limit(subject=organization.id, resource=resource, limit=limit)
        audit.record(actor, "organization.set_limit", organization, audit.difference(known, limits))


def used_by(organization: Organization, resource: str) -> int:
    """Return how much of `resource` the organization and everything below it hold."""
    with everything("limits are summed over the subtree"):
        below = LimitUse.objects.filter(resource=resource, organization__path__startswith=organization.path)
        return below.aggregate(total=Sum("amount"))["total"] or 0


def _held_below(organization: Organization, resource: str) -> int:
    """Return what the organization and everything below it hold, and keep it so until the transaction ends.

    Rows that are missing are made first: so a transaction that is about to make one is waited for, too.
    """
    subtree = Organization.objects.filter(path__startswith=organization.path)
    missing = subtree.exclude(id__in=LimitUse.objects.filter(resource=resource).values("organization_id"))
    LimitUse.objects.bulk_create(
        [
            LimitUse(organization_id=key, resource=resource)
            for key in missing.order_by("id").values_list("id", flat=True)
        ],
        ignore_conflicts=True,
    )
    uses = LimitUse.objects.filter(resource=resource, organization__path__startswith=organization.path)
    locked = uses.select_for_update(of=("self",)).order_by("organization_id")
    return sum(locked.values_list("amount", flat=True))


def _move(organization: Organization, resource: str, subject: str | None, amount: int) -> None:
    _known(resource)
    with transaction.atomic():
        use = _use(organization, resource)
        counters = _counters(organization, resource, subject)
        for counter in counters:
            if amount > 0 and counter.limit is not None and counter.used + amount > counter.limit:
                level = _level(counter.subject, organization)
                raise LimitReached(rule=resource, level=level, used=counter.used, limit=counter.limit)
        if counters:
            held = LimitCounter.objects.filter(pk__in=[counter.pk for counter in counters])
            held.update(used=Greatest(F("used") + amount, 0))
        use.amount = max(use.amount + amount, 0)
        use.save(update_fields=["amount"])


def _use(organization: Organization, resource: str) -> LimitUse:
    """Return the organization's own row, locked."""
    held = LimitUse.objects.select_for_update().filter(organization=organization, resource=resource)
    use = held.first()
    if use is None:
        LimitUse.objects.bulk_create([LimitUse(organization=organization, resource=resource)], ignore_conflicts=True)
        use = held.get()
    return use


def _counters(organization: Organization, resource: str, subject: str | None) -> list[LimitCounter]:
    """Return the counters of the ancestors that have a limit, root to leaf, and the subject's own, all locked."""
    order = {identifier: place for place, identifier in enumerate(organization.lineage)}
    if subject is not None:
        order[subject] = len(order)
    place = Case(*(When(subject=key, then=value) for key, value in order.items()), output_field=IntegerField())
    wanted = LimitCounter.objects.filter(Q(limit__isnull=False) | Q(subject=subject), subject__in=order)
    counters = list(wanted.filter(resource=resource).order_by(place).select_for_update())
    if subject is not None and subject not in {counter.subject for counter in counters}:
        counters.append(_counter(subject, resource))
    return counters


def _counter(subject: str, resource: str) -> LimitCounter:
    LimitCounter.objects.get_or_create(subject=subject, resource=resource)
    return LimitCounter.objects.select_for_update().get(subject=subject, resource=resource)


def _level(identifier: str, organization: Organization) -> str:
    """Name a level without naming an organization: a client must not learn who is above its reseller."""
    if identifier not in organization.lineage:
        return _("this hosting account")
    if identifier == organization.id:
        return _("this organization")
    return _("the provider") if identifier == organization.lineage[0] else _("the reseller")


def _possible(resource: str, limit: int | None) -> None:
    if limit is not None and (isinstance(limit, bool) or limit < 0):
        raise Invalid("limit", _("A limit is a whole number from 0, or empty for unlimited."), resource)


def _known(resource: str) -> None:
    if resource not in RESOURCES:
        raise LookupError(f"There is no counter of {resource}.")
