"""The same change to many accounts at once: all or none in one transaction, an operation of its own for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from panel.core import ids
from panel.core.actors import Actor
from panel.core.errors import DomainError, Forbidden, Invalid, NotFound
from provisioning.models import HostingAccount, Operation, Package
from provisioning.services import hosting_accounts, packages

MOST = 200
"""So many accounts at once; a larger order would hold its locks for too long."""

Status = HostingAccount.Status
STATES: Mapping[str, tuple[str, ...]] = {
    "suspend": (Status.ACTIVE,),
    "unsuspend": (Status.SUSPENDED,),
    "change_package": (Status.ACTIVE, Status.SUSPENDED),
}
"""Change → the states of the accounts that it is for."""


def check_count(count: int, field: str = "hostings") -> None:
    """Refuse to change no account at all, or more than `MOST` at once."""
    if not count:
        raise Invalid("required", _("Choose at least one account."), field)
    if count > MOST:
        raise Invalid(
            "too_many",
            _("These are %(count)s accounts; choose at most %(most)s accounts at once.")
            % {"count": count, "most": MOST},
            field,
        )


def suspend(*, actor: Actor, hostings: Sequence[HostingAccount], reason: str = "") -> list[Operation]:
    """Suspend accounts; as `hosting_accounts.suspend` each."""
    return _each(hostings, lambda row: hosting_accounts.suspend(actor=actor, hosting=row, reason=reason))


def unsuspend(*, actor: Actor, hostings: Sequence[HostingAccount]) -> list[Operation]:
    """Release suspended accounts; as `hosting_accounts.unsuspend` each."""
    return _each(hostings, lambda row: hosting_accounts.unsuspend(actor=actor, hosting=row))


def change_package(*, actor: Actor, hostings: Sequence[HostingAccount], package: Package) -> list[Operation]:
    """Give accounts another package; as `packages.move` each."""
    return _each(hostings, lambda row: packages.move(actor=actor, hosting=row, package=package)[1])


def _each(hostings: Sequence[HostingAccount], change: Callable[[HostingAccount], Operation]) -> list[Operation]:
    """Change each account, in the order of their ids, so that two such orders never wait for one another in a ring.

    A refusal names the account that it is about, and nothing is changed.
    """
    rows = sorted({row.pk: row for row in hostings}.values(), key=lambda row: row.pk)
    check_count(len(rows))
    with transaction.atomic():
        operations = [_one(row, change) for row in rows]
        batch = ids.new("bat")
        Operation.objects.filter(pk__in=[row.pk for row in operations]).update(batch=batch)
        for operation in operations:
            operation.batch = batch
    return operations


def _one(row: HostingAccount, change: Callable[[HostingAccount], Operation]) -> Operation:
    try:
        return change(row)
    except (Forbidden, NotFound):
        raise
    except DomainError as error:
        error.message = _("%(name)s: %(refusal)s") % {"name": row.domain, "refusal": error.message}
        error.args = (error.message,)
        error.errors = {field: [error.message] for field in error.errors}
        raise
