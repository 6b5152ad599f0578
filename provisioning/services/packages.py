"""Packages: what a reseller sells with a hosting account."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.services import limits
from panel.core import audit, names, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid, clean_or_invalid, integrity_as_conflict
from provisioning.models import HostingAccount, Package
from provisioning.services.inputs import normal

FIELDS = ("name", "disk_bytes", "bandwidth_bytes", *Package.LIMITS, "remote_databases")


def create(*, actor: Actor, organization: Organization, name: str, **values: Any) -> Package:
    """Create a package of `organization`; a limit of None is unlimited, 0 none."""
    policy.require(actor, "package.create", organization)
    if organization.kind == Organization.Kind.CLIENT:
        raise Invalid("kind", _("A client can't sell packages; choose a reseller."), "organization")
    _known(values)
    with transaction.atomic():
        package = Package(organization=organization, name=normal("name", names.label, name), **values)
        _save(package)
        audit.record(actor, "package.create", package, {field: [None, getattr(package, field)] for field in FIELDS})
    return package


def change(*, actor: Actor, package: Package, **values: Any) -> Package:
    """Change a package; the new limits hold for its accounts at once, what they already have stays."""
    policy.require(actor, "package.change", package)
    _known(values)
    with transaction.atomic():
        package = Package.objects.select_for_update(of=("self",), no_key=True).get(pk=package.pk)
        before = {field: getattr(package, field) for field in values}
        if "name" in values:
            values["name"] = normal("name", names.label, values["name"])
        for field, value in values.items():
            setattr(package, field, value)
        _save(package)
        accounts = package.hosting_accounts.exclude(status=HostingAccount.Status.TERMINATED).order_by("id")
        for hosting_id in accounts.values_list("id", flat=True):
            apply_limits(hosting_id, package)
        audit.record(actor, "package.change", package, audit.difference(before, values))
    return package


def remove(*, actor: Actor, package: Package) -> None:
    """Take a package off the shelf. Accounts that have it keep it."""
    policy.require(actor, "package.remove", package)
    with transaction.atomic():
        package.archived_at = timezone.now()
        package.save(update_fields=["archived_at"])
        audit.record(actor, "package.remove", package)


def apply_limits(hosting_id: str, package: Package) -> None:
    """Set the limits of one account's counters to its package's."""
    limits.set_limits_of_account(subject=hosting_id, limits=package.limits)


def _known(values: dict[str, Any]) -> None:
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise Invalid("unknown", _("A package has no such field."), unknown[0])


def _save(package: Package) -> None:
    clean_or_invalid(package)
    with integrity_as_conflict(_("You already have a package of this name."), field="name"):
        package.save()
