"""The one gate through which a change to what an account holds goes: allowed, active, locked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts import words
from accounts.services import limits
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, NotFound
from provisioning.models import HostingAccount, Operation
from provisioning.selectors import packages
from provisioning.services import intents, operations

Row = TypeVar("Row", bound=models.Model)


@contextmanager
def changing(actor: Actor, action: str, hosting: HostingAccount, *, feature: str = "") -> Iterator[HostingAccount]:
    """Permit `action`, then hold the account's row for the length of a transaction.

    Raises Conflict unless it is active and has the `feature` that the action needs.
    """
    policy.require(actor, action, hosting)
    with transaction.atomic():
        hosting = locked(hosting)
        if hosting.status != HostingAccount.Status.ACTIVE:
            raise Conflict(
                _("This account is suspended or terminated, so nothing can be changed in it."), code="not_active"
            )
        if feature:
            need(hosting, feature)
        yield hosting


def need(hosting: HostingAccount, feature: str) -> None:
    """Raise Conflict unless the account has a feature."""
    if feature in packages.features_of(hosting):
        return
    if feature in hosting.package.features:
        reason = _("The plan under which this account was sold does not include: %(feature)s.")
        remedy = _("Ask for it where the account was ordered.")
    else:
        reason = _("The package of this account does not include: %(feature)s.")
        remedy = _("Have the account moved to a package that does.")
    said = words.feature(feature)
    params = {"rule": feature, "level": str(words.LEVELS["account"]), "remedy": remedy}
    raise Conflict(f"{reason % {'feature': said}} {remedy}", code="not_included", params=params)


def locked(hosting: HostingAccount) -> HostingAccount:
    """Return the account as it is now, its row locked until the transaction ends.

    Rows that only point to it can be written meanwhile (`FOR NO KEY UPDATE`), so that no worker waits for a page.
    """
    rows = HostingAccount.objects.select_for_update(of=("self",), no_key=True).select_related("organization", "package")
    found = rows.filter(pk=hosting.pk).first()
    if found is None:
        # Another client or package while this waited: PostgreSQL then joins the new row with what the old one named.
        found = rows.get(pk=hosting.pk)
    return found


def current(row: Row) -> Row:
    """Return `row` as it is now that its account is held; raises NotFound when it was removed meanwhile."""
    found = type(row)._default_manager.filter(pk=row.pk).first()
    if found is None:
        raise NotFound
    return found


def take(hosting: HostingAccount, resource: str, amount: int = 1) -> None:
    """Count `amount` more `resource` at the account and every ancestor with a limit; raises LimitReached."""
    limits.take(organization=hosting.organization, subject=hosting.id, resource=resource, amount=amount)


def give_back(hosting: HostingAccount, resource: str, amount: int = 1) -> None:
    """Count `amount` of `resource` less."""
    limits.give_back(organization=hosting.organization, subject=hosting.id, resource=resource, amount=amount)


def finish(
    *,
    actor: Actor,
    action: str,
    hosting: HostingAccount,
    obj: models.Model,
    services: tuple[str, ...],
    changes: audit.Changes | None = None,
) -> Operation:
    """Write the audit entry, start the operation and dirty the slices of `services`."""
    audit.record(actor, action, obj, changes)
    operation = operations.start(
        actor=actor, verb=action, subject=str(obj), organization=hosting.organization, hosting=hosting
    )
    intents.add(hosting, services=services, operation=operation)
    return operation
