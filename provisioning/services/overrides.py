"""Exceptions: a limit of one account that is not its package's, given by whoever sells the package."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid, NotFound, clean_or_invalid
from provisioning.models import HostingAccount, LimitOverride, Package
from provisioning.services import holding, intents, operations, packages, promises


def set(*, actor: Actor, hosting: HostingAccount, resource: str, limit: int | None, reason: str) -> LimitOverride:
    """Let an account have another limit than its package's: None is unlimited, 0 none. `reason` says why.

    Raises Forbidden for who does not sell the package, Invalid for more than the plans above allow, and LimitReached
    when what the account is promised then goes over one of them.
    """
    policy.require(actor, "account.override", hosting)
    with transaction.atomic():
        hosting = _held(actor, hosting, resource)
        packages.check_promises(hosting.organization, {resource: limit}, "limit")
        override = LimitOverride.objects.filter(hosting=hosting, resource=resource).first()
        before = override.limit if override else getattr(hosting.package, resource)
        override = override or LimitOverride(hosting=hosting, resource=resource)
        override.limit, override.reason = limit, reason
        clean_or_invalid(override)
        override.save()
        _applied(actor, hosting, resource, before, limit, reason)
    return override


def remove(*, actor: Actor, hosting: HostingAccount, resource: str) -> None:
    """Let the package's own limit hold again; raises NotFound when there is no exception."""
    policy.require(actor, "account.override", hosting)
    with transaction.atomic():
        hosting = _held(actor, hosting, resource)
        override = LimitOverride.objects.filter(hosting=hosting, resource=resource).first()
        if override is None:
            raise NotFound
        before = override.limit
        override.delete()
        _applied(actor, hosting, resource, before, getattr(hosting.package, resource), "")


def _held(actor: Actor, hosting: HostingAccount, resource: str) -> HostingAccount:
    if resource not in Package.LIMITS:
        raise Invalid("unknown", _("A package has no such limit."), "resource")
    hosting = holding.locked(hosting)
    if hosting.status == HostingAccount.Status.TERMINATED:
        raise Conflict(_("This account has been terminated."), code="terminated")
    seller = Package._base_manager.select_related("organization").get(pk=hosting.package_id).organization
    if not (actor.is_system or seller.path.startswith(actor.path)):
        raise Forbidden(_("Only who sells the package can make exceptions from it."))
    promises.hold(hosting)
    return hosting


def _applied(
    actor: Actor, hosting: HostingAccount, resource: str, before: int | None, after: int | None, reason: str
) -> None:
    promises.apply([hosting])
    changes = {resource: (before, after), "reason": ("", reason)}
    audit.record(actor, "account.override", hosting, changes)
    if resource == "disk_bytes" and before != after:
        operation = operations.start(
            actor=actor,
            verb="account.change",
            subject=hosting.domain,
            organization=hosting.organization,
            hosting=hosting,
        )
        intents.add(hosting, services=("web",), operation=operation)
