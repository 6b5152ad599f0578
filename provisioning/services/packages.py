"""Packages: what a reseller sells with a hosting account, within what its own plan allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import words
from accounts.models import Organization, ResellerPlan
from accounts.models.plans import FEATURES
from accounts.selectors import plans
from panel.core import audit, names, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, integrity_as_conflict
from provisioning.models import HostingAccount, Operation, Package, Slice
from provisioning.selectors import packages as selectors
from provisioning.selectors.packages import Impact
from provisioning.services import holding, intents, operations, promises
from provisioning.services.inputs import normal

FIELDS = ("name", *Package.LIMITS, *Package.LATER, "shell", "features", "php_versions")


def create(*, actor: Actor, organization: Organization, name: str, **values: Any) -> Package:
    """Create a package of `organization`; a limit of None is unlimited, 0 none. Without `features` it has the usual
    ones that its seller can sell.
    """
    policy.require(actor, "package.create", organization)
    if organization.kind == Organization.Kind.CLIENT:
        raise Invalid("kind", _("A client can't sell packages; choose a reseller."), "organization")
    _known(values)
    with transaction.atomic():
        package = Package(organization=organization, name=normal("name", names.label, name), **values)
        if "features" not in values:
            sold = plans.features(organization)
            package.features = [feature for feature in package.features if feature in sold]
        _save(package)
        audit.record(actor, "package.create", package, {field: [None, getattr(package, field)] for field in FIELDS})
    return package


def change(*, actor: Actor, package: Package, **values: Any) -> Package:
    """Change a package; the new limits hold for its accounts at once, what they already have stays.

    Raises LimitReached when what its accounts are promised then goes over a plan above them. `impact` says beforehand
    which accounts would be over.
    """
    policy.require(actor, "package.change", package)
    _known(values)
    with transaction.atomic():
        package = _locked(package)
        before = {field: getattr(package, field) for field in values}
        if "name" in values:
            values["name"] = normal("name", names.label, values["name"])
        for field, value in values.items():
            setattr(package, field, value)
        _save(package)
        accounts = list(selectors.accounts_with(package))
        if any(before[field] != values[field] for field in set(before) & set(Package.LIMITS)):
            promises.apply(accounts)
        if before.get("disk_bytes", package.disk_bytes) != package.disk_bytes:
            _spread(actor, package, accounts)
        audit.record(actor, "package.change", package, audit.difference(before, values))
    return package


def impact(*, actor: Actor, package: Package, **values: Any) -> Impact:
    """Return what `change` with these values would do to the accounts that have the package."""
    policy.require(actor, "package.change", package)
    _known(values)
    limits = {name: values[name] for name in Package.LIMITS if name in values}
    return selectors.impact(selectors.accounts_with(package), limits, values.get("php_versions"))


def remove(*, actor: Actor, package: Package) -> None:
    """Take a package off the shelf. Accounts that have it keep it."""
    policy.require(actor, "package.remove", package)
    with transaction.atomic():
        package.archived_at = timezone.now()
        package.save(update_fields=["archived_at"])
        audit.record(actor, "package.remove", package)


def move(*, actor: Actor, hosting: HostingAccount, package: Package) -> tuple[HostingAccount, Operation]:
    """Give an account another package of a seller above it: its limits and features at once, what it has stays.

    Exceptions stay. Raises LimitReached when what it is promised then goes over a plan above it.
    """
    policy.require(actor, "account.change", hosting)
    policy.require(actor, "package.view", package)
    with transaction.atomic():
        hosting = holding.locked(hosting)
        if hosting.status == HostingAccount.Status.TERMINATED:
            raise Conflict(_("This account has been terminated."), code="terminated")
        before, package = _both_locked(hosting.package, package)
        if package.archived_at or not hosting.organization.path.startswith(package.organization.path):
            raise Invalid("package", _("Choose one of your own packages that is still on sale."), "package")
        if package.pk == before.pk:
            raise Conflict(_("The account has this package already."), field="package", code="same")
        promises.check_carries(package, plans.above(hosting.organization))
        hosting.package = package
        hosting.save(update_fields=["package"])
        promises.apply([hosting])
        audit.record(actor, "account.change_package", hosting, {"package": [before.name, package.name]})
        operation = operations.start(
            actor=actor,
            verb="account.change_package",
            subject=hosting.domain,
            organization=hosting.organization,
            hosting=hosting,
        )
        intents.add(hosting, services=("web",), operation=operation)
    return hosting, operation


def check_promises(organization: Organization, promised: Mapping[str, int | None], field: str = "") -> None:
    """Refuse to promise one account more than the plans above `organization` allow.

    The refusal is about `field`, or about the one of the resource's name.
    """
    check_promise_of(plans.above(organization), promised, field)


def check_promise_of(above: Sequence[ResellerPlan], promised: Mapping[str, int | None], field: str = "") -> None:
    """Refuse to promise one account more than these plans allow; as `check_promises`."""
    for resource, limit in promised.items():
        if resource in ResellerPlan.TOTALS:
            _check_promise(above, resource, limit, field or resource)


def _check_promise(above: Sequence[ResellerPlan], resource: str, limit: int | None, field: str) -> None:
    for plan in above:
        most, total = plan.most.get(resource), getattr(plan, resource)
        endless = resource in Package.PROMISED and resource not in plan.oversold
        allowed = min((value for value in (most, total) if value is not None), default=None)
        if allowed is None:
            continue
        if limit is None and (most is not None or endless):
            message = _("The plan allows at most %(most)s for one account, so say how much.")
        elif limit is not None and limit > allowed:
            message = _("The plan allows at most %(most)s for one account.")
        else:
            continue
        raise Invalid("over_plan", message % {"most": words.amount(resource, allowed)}, field)


def _check_plan(package: Package) -> None:
    """Refuse what the plans above the seller don't have."""
    lacking = sorted(set(package.features) - plans.features(package.organization), key=FEATURES.index)
    if lacking:
        said = ", ".join(words.feature(name) for name in lacking)
        raise Invalid("not_in_plan", _("Your plan does not have: %(names)s.") % {"names": said}, "features")
    check_promises(package.organization, package.limits)


def _spread(actor: Actor, package: Package, accounts: list[HostingAccount]) -> None:
    """Let the servers of a package's accounts follow."""
    slices = list(Slice.objects.filter(hosting__in=accounts).order_by("id"))
    if slices:
        operation = operations.start(
            actor=actor, verb="package.change", subject=package.name, organization=package.organization
        )
        intents.again(slices, operation=operation)


def _locked(package: Package) -> Package:
    rows = Package.objects.select_for_update(of=("self",), no_key=True).select_related("organization")
    return rows.get(pk=package.pk)


def _both_locked(first: Package, second: Package) -> tuple[Package, Package]:
    """Return both packages as they are now, locked in the order of their ids."""
    found = {row.pk: _locked(row) for row in sorted({first, second}, key=lambda row: str(row.pk))}
    return found[first.pk], found[second.pk]


def _known(values: dict[str, Any]) -> None:
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise Invalid("unknown", _("A package has no such field."), unknown[0])


def _save(package: Package) -> None:
    clean_or_invalid(package)
    _check_plan(package)
    with integrity_as_conflict(_("You already have a package of this name."), field="name"):
        package.save()
