"""Hosting accounts: created, suspended, released, terminated."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.services import limits
from panel.core import audit, names, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid, clean_or_invalid, integrity_as_conflict
from provisioning.models import Domain, HostingAccount, Operation, Package, Placement, Server, Tombstone
from provisioning.selectors import servers as server_selectors
from provisioning.services import counters, intents, mail_domains, operations, packages, sites, zones
from provisioning.services import domains as domain_services
from provisioning.services.inputs import normal

SERVICES = ("web", "database", "mail", "dns")
USERNAME_REST = timedelta(days=30)


def create(
    *,
    actor: Actor,
    organization: Organization,
    package: Package,
    domain: str,
    username: str = "",
    server: Server | None = None,
) -> tuple[HostingAccount, Operation]:
    """Order a hosting account for a client: user, site, zone and mail domain on the least loaded allowed server, or on
    `server`.

    Without a user name one is made from the domain. Returns the account and the operation to watch.
    """
    policy.require(actor, "account.create", organization)
    policy.require(actor, "package.view", package)
    if organization.kind != Organization.Kind.CLIENT:
        raise Invalid("kind", _("An account belongs to a client; choose one of your clients."), "organization")
    if organization.status != Organization.Status.ACTIVE:
        raise Conflict(_("This client is suspended or closed and can't get new accounts."), field="organization")
    if package.archived_at or not organization.path.startswith(package.organization.path):
        raise Invalid("package", _("Choose one of your own packages that is still on sale."), "package")
    with transaction.atomic():
        limits.take(organization=organization, subject=None, resource="accounts")
        hosting = HostingAccount(
            organization=organization,
            package=package,
            username=_free_username(username, normal("domain", names.hostname, domain)),
            uid=counters.next_uid(),
            domain=normal("domain", names.hostname, domain),
        )
        clean_or_invalid(hosting)
        with integrity_as_conflict(_("This user name is taken."), field="username"):
            hosting.save(force_insert=True)
        packages.apply_limits(hosting.id, package)
        server = _server(organization, server)
        Placement.objects.bulk_create(
            Placement(hosting=hosting, service=service, server=server) for service in SERVICES
        )
        claimed = domain_services.claim(actor=actor, hosting=hosting, name=domain, kind=Domain.Kind.PRIMARY)
        operation = operations.start(
            actor=actor, verb="account.create", subject=claimed.name, organization=organization, hosting=hosting
        )
        sites.make(hosting=hosting, domain=claimed, php_version=newest_php(server))
        zones.make(hosting=hosting, domain=claimed)
        mail_domains.make(actor=actor, hosting=hosting, domain=claimed)
        audit.record(
            actor,
            "account.create",
            hosting,
            {"domain": [None, claimed.name], "username": [None, hosting.username], "package": [None, package.name]},
        )
        intents.add(hosting, operation=operation)
    return hosting, operation


def suspend(*, actor: Actor, hosting: HostingAccount, reason: str = "") -> Operation:
    """Suspend an account: its sites answer 503, logins are locked, DNS and data stay."""
    policy.require(actor, "account.suspend", hosting)
    reason = normal("reason", names.label, reason) if reason else ""
    with transaction.atomic():
        hosting = _locked(hosting)
        if hosting.status != HostingAccount.Status.ACTIVE:
            raise Conflict(_("Only an active account can be suspended."), code="not_active")
        hosting.status = HostingAccount.Status.SUSPENDED
        hosting.suspended_by_id = actor.organization_id or Organization.objects.get(parent=None).id
        hosting.suspended_reason = reason
        hosting.save(update_fields=["status", "suspended_by", "suspended_reason"])
        return _changed(actor, "account.suspend", hosting, {"status": ["active", "suspended"], "reason": ["", reason]})


def unsuspend(*, actor: Actor, hosting: HostingAccount) -> Operation:
    """Release a suspended account. Who stands below the one that suspended it can't."""
    policy.require(actor, "account.unsuspend", hosting)
    with transaction.atomic():
        hosting = _locked(hosting)
        if hosting.status != HostingAccount.Status.SUSPENDED or hosting.suspended_by is None:
            raise Conflict(_("This account isn't suspended."), code="not_suspended")
        if not (actor.is_system or hosting.suspended_by.path.startswith(actor.path)):
            raise Forbidden(_("The provider suspended this account; only the provider can release it."))
        hosting.status = HostingAccount.Status.ACTIVE
        hosting.suspended_by = None
        hosting.suspended_reason = ""
        hosting.save(update_fields=["status", "suspended_by", "suspended_reason"])
        return _changed(actor, "account.unsuspend", hosting, {"status": ["suspended", "active"]})


def terminate(*, actor: Actor, hosting: HostingAccount, confirm: str, purge_at: datetime | None = None) -> Operation:
    """End an account: its configuration goes at once, its data from `purge_at` on (after the grace period by default).

    `confirm` must be the account's primary domain, so that nobody terminates the wrong one.
    """
    policy.require(actor, "account.terminate", hosting)
    if confirm != hosting.domain:
        raise Invalid("confirm", _("Type the account's primary domain to confirm."), "confirm")
    with transaction.atomic():
        hosting = _locked(hosting)
        if hosting.status == HostingAccount.Status.TERMINATED:
            raise Conflict(_("This account has been terminated already."), code="terminated")
        due = purge_at or timezone.now() + timedelta(days=settings.TERMINATION_GRACE_DAYS)
        before = hosting.status
        hosting.status = HostingAccount.Status.TERMINATED
        hosting.suspended_by = None
        hosting.terminated_at = timezone.now()
        hosting.save(update_fields=["status", "suspended_by", "terminated_at"])
        limits.give_back(organization=hosting.organization, subject=None, resource="accounts")
        operation = _changed(actor, "account.terminate", hosting, {"status": [before, "terminated"]})
        for part in hosting.slices.all():
            Tombstone.objects.bulk_create(
                [Tombstone(slice=part, key=key, due_at=due) for key in data_keys(hosting)], ignore_conflicts=True
            )
    return operation


def purged(*, hosting_id: str) -> None:
    """Let go of a terminated account's names once its servers report its data destroyed. For the worker."""
    if Tombstone.objects.filter(slice__hosting_id=hosting_id, destroyed_at__isnull=True).exists():
        return
    hosting = HostingAccount.objects.get(pk=hosting_id, status=HostingAccount.Status.TERMINATED)
    hosting.domains.all().delete()
    hosting.database_users.all().delete()
    hosting.databases.all().delete()
    hosting.placements.all().delete()


def data_keys(hosting: HostingAccount) -> list[str]:
    """Return the keys of an account's data on its servers: what only a tombstone may destroy."""
    databases = [f"database:{name}" for name in hosting.databases.values_list("name", flat=True)]
    return [*databases, f"directory:{hosting.home}/mail", f"directory:{hosting.home}", f"user:{hosting.username}"]


def newest_php(server: Server) -> str:
    """Return the newest PHP version that a server has."""
    versions = sorted(server.php_versions, key=lambda version: [int(part) for part in version.split(".")])
    if not versions:
        raise Conflict(_("This server has no PHP; set it up again."), field="server", code="server_not_ready")
    return str(versions[-1])


def _changed(actor: Actor, verb: str, hosting: HostingAccount, changes: dict[str, list[str]]) -> Operation:
    audit.record(actor, verb, hosting, changes)
    operation = operations.start(
        actor=actor, verb=verb, subject=hosting.domain, organization=hosting.organization, hosting=hosting
    )
    intents.add(hosting, operation=operation)
    return operation


def _locked(hosting: HostingAccount) -> HostingAccount:
    return HostingAccount.objects.select_for_update(of=("self",)).get(pk=hosting.pk)


def _server(organization: Organization, wanted: Server | None) -> Server:
    candidates = server_selectors.allowed(organization, ("web", "database", "mail", "dns"))
    if wanted is not None:
        candidates = candidates.filter(pk=wanted.pk)
    found = candidates.first()
    if found is None:
        raise Conflict(
            _("No server can take the account now: all are closed, out of reach or without a needed role."),
            field="server",
            code="no_server",
        )
    return found


def _free_username(wanted: str, domain: str) -> str:
    if wanted:
        username: str = normal("username", names.username, wanted)
        if _recently_used(username):
            raise Conflict(_("This user name is taken or was used lately. Choose another one."), field="username")
        return username
    stem = re.sub(r"[^a-z0-9]", "", domain.removeprefix("xn--").partition(".")[0])[:8].lstrip("0123456789") or "site"
    for number in range(10_000):
        candidate = stem + (str(number) if number else "")
        try:
            names.username(candidate)
        except names.NameInvalid:
            continue
        if not _recently_used(candidate):
            return candidate
    raise Conflict(_("Give a user name: every name made from this domain is taken."), field="username")


def _recently_used(username: str) -> bool:
    rested = timezone.now() - USERNAME_REST
    with_name = HostingAccount._base_manager.filter(username=username)
    return with_name.exclude(terminated_at__lt=rested).exists()
