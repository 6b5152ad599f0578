"""Organizations with all that is theirs on servers: suspended, released, closed, opened again, as one operation."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.services import organizations
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Operation, Slice
from provisioning.services import hosting_accounts, intents, operations

Status = HostingAccount.Status


def suspend(
    *,
    actor: Actor,
    organization: Organization,
    reason: str = "",
    accounts: bool = False,
    alone: bool = False,
    cause: str = "",
) -> tuple[Organization, Operation | None]:
    """Suspend an organization with everything below it, and with `accounts` the hosting accounts that are active.

    Without accounts no server has to follow: their sites go on, only the panel is closed to their people; `alone`, not
    to those below. With a `cause` (`organizations.suspend`) those below are not told the reason.
    """
    with transaction.atomic():
        rows = _locked(organization, status=Status.ACTIVE) if accounts else []
        organization = organizations.suspend(
            actor=actor, organization=organization, reason=reason, accounts=accounts, alone=alone, cause=cause
        )
        for row in rows:
            row.status = Status.SUSPENDED
            row.suspended_by, row.suspended_with = organization.suspended_by, organization
            row.suspended_reason = _told(organization, row)
        return organization, _follow(actor, "organization.suspend", "account.suspend", organization, rows)


def unsuspend(*, actor: Actor, organization: Organization) -> tuple[Organization, Operation | None]:
    """Lift a suspension, and release the hosting accounts that it took along, save those that another suspension above
    them holds now. What was suspended by itself stays so.
    """
    with transaction.atomic():
        rows = _locked(organization, suspended_with=organization)
        organization = organizations.unsuspend(actor=actor, organization=organization)
        holders = _holders({row.organization for row in rows})
        for row in rows:
            holder = next((holders[key] for key in reversed(row.organization.lineage) if key in holders), None)
            row.suspended_with = holder
            row.suspended_by = holder.suspended_by if holder else None
            row.suspended_reason = _told(holder, row) if holder else ""
            if holder is None and row.status == Status.SUSPENDED:
                row.status = Status.ACTIVE
        HostingAccount.objects.bulk_update(rows, hosting_accounts.SUSPENSION, batch_size=500)
        released = [row for row in rows if row.status == Status.ACTIVE]
        return organization, _follow(actor, "organization.unsuspend", "account.unsuspend", organization, released)


def close(
    *, actor: Actor, organization: Organization, accounts: bool = False, confirm: str = ""
) -> tuple[Organization, Operation | None]:
    """Close an organization that is empty, or with `accounts` all that is below it: hosting accounts are terminated,
    their data stays for the grace period, and `reopen` brings it back until then.

    With `accounts`, `confirm` must be the organization's name.
    """
    with transaction.atomic():
        rows = _locked(organization) if accounts else []
        if rows and confirm != organization.name:
            raise Invalid("confirm", _("Type the name of the organization to confirm."), "confirm")
        rows = [row for row in rows if row.status != Status.TERMINATED]
        organization = organizations.close(actor=actor, organization=organization, with_all=accounts)
        for row in rows:
            hosting_accounts.end(actor=actor, hosting=row, along=organization)
        return organization, _follow(
            actor, "organization.close", "account.terminate", organization, rows, confirmed=True
        )


def reopen(*, actor: Actor, organization: Organization) -> tuple[Organization, Operation | None]:
    """Open a closed organization again, with what closed along with it, and bring back the hosting accounts that ended
    with it, as far as their data is still there.

    Raises LimitReached when they don't fit into the limits above any more.
    """
    with transaction.atomic():
        organization = organizations.reopen(actor=actor, organization=organization)
        rows = _locked(organization, terminated_with=organization, status=Status.TERMINATED)
        back = [row for row in rows if _revived(row)]
        return organization, _follow(actor, "organization.reopen", "account.restore", organization, back)


def end_accounts(*, actor: Actor, organization: Organization) -> Operation | None:
    """Terminate all hosting accounts of an organization, which itself stays, so that its people still see what they
    owe; their data stays for the grace period, and `restore_accounts` brings them back until then.
    """
    policy.require(actor, "organization.close", organization)
    with transaction.atomic():
        rows = [row for row in _locked(organization) if row.status != Status.TERMINATED]
        for row in rows:
            hosting_accounts.end(actor=actor, hosting=row, along=organization)
        return _follow(actor, "organization.end_accounts", "account.terminate", organization, rows, confirmed=True)


def restore_accounts(*, actor: Actor, organization: Organization) -> Operation | None:
    """Bring back the hosting accounts that `end_accounts` ended, as far as their data is still there.

    Raises LimitReached when they don't fit into the limits above any more.
    """
    policy.require(actor, "organization.reopen", organization)
    with transaction.atomic():
        rows = _locked(organization, terminated_with=organization, status=Status.TERMINATED)
        back = [row for row in rows if _revived(row)]
        return _follow(actor, "organization.restore_accounts", "account.restore", organization, back)


def _locked(organization: Organization, **wanted: object) -> list[HostingAccount]:
    rows = HostingAccount.objects.select_for_update(of=("self",), no_key=True)
    rows = rows.select_related("organization", "package", "suspended_by")
    return list(rows.filter(organization__path__startswith=organization.path, **wanted).order_by("id"))


def _told(holder: Organization, hosting: HostingAccount) -> str:
    """Return the reason of a suspension as far as it is an account's client's to know."""
    foreign = holder.suspended_for and hosting.organization_id != holder.pk
    return "" if foreign else holder.suspended_reason


def _holders(clients: Iterable[Organization]) -> dict[str, Organization]:
    """Return the organizations at or above clients whose suspension holds hosting accounts, by id."""
    lineages = {key for row in clients for key in row.lineage}
    with everything("suspension comes from above"):
        rows = Organization.objects.select_related("suspended_by")
        rows = rows.filter(id__in=lineages, accounts_suspended=True)
        return {row.id: row for row in rows.filter(status=Organization.Status.SUSPENDED)}


def _revived(hosting: HostingAccount) -> bool:
    try:
        hosting_accounts.revive(hosting=hosting)
    except Conflict as gone:
        if gone.code != "grace_over":
            raise
        return False
    return True


def _follow(
    actor: Actor,
    verb: str,
    each: str,
    organization: Organization,
    rows: list[HostingAccount],
    *,
    confirmed: bool = False,
) -> Operation | None:
    """Write accounts that were suspended, audit each, and let all their servers follow by one operation."""
    if each == "account.suspend":
        HostingAccount.objects.bulk_update(rows, hosting_accounts.SUSPENSION, batch_size=500)
    for row in rows:
        audit.record(actor, each, row, {"organization": ("", organization.name)})
    slices = list(Slice.objects.filter(hosting__in=rows).order_by("id"))
    if not slices:
        return None
    operation = operations.start(actor=actor, verb=verb, subject=organization.name, organization=organization)
    intents.again(slices, operation=operation, confirmed=confirmed)
    return operation
