"""Hosting accounts: created, suspended, released, terminated, restored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import LimitCounter, Organization
from accounts.services import limits
from panel.core import audit, names, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid, insert, integrity_as_conflict
from provisioning.models import (
    Database,
    DatabaseUser,
    Domain,
    HostingAccount,
    MailAlias,
    Mailbox,
    Operation,
    Package,
    Placement,
    Record,
    Server,
    SiteName,
    Tombstone,
)
from provisioning.selectors import brand_pages, brands
from provisioning.selectors import servers as server_selectors
from provisioning.services import (
    branding,
    counters,
    holding,
    intents,
    mail_domains,
    operations,
    order_holds,
    promises,
    sites,
    usernames,
    zones,
)
from provisioning.services import domains as domain_services
from provisioning.services.inputs import normal
from provisioning.spec import paths

SERVICES = ("web", "database", "mail", "dns")
SUSPENSION = ("status", "suspended_by", "suspended_reason", "suspended_with")


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
    if server is not None:
        policy.require(actor, "server.view", server)
    if organization.kind != Organization.Kind.CLIENT:
        raise Invalid("kind", _("An account belongs to a client; choose one of your clients."), "organization")
    domain = normal("domain", names.hostname, domain)
    with transaction.atomic():
        organization, package = _locked_buyer(organization, package)
        order_holds.refuse_held(actor, organization)
        promises.order(organization, package)
        brand = brands.of_organizations([organization]).get(organization.id)
        uid = counters.next_uid()  # From here on one creation after another, so that a free user name stays free.
        hosting = HostingAccount(
            organization=organization,
            package=package,
            username=usernames.choose(wanted=username, domain=domain),
            uid=uid,
            domain=domain,
            skeleton=brand_pages.newest_skeleton(brand) if brand else None,
        )
        insert(hosting, taken=_("This user name is taken."), field="username")
        limits.set_limits_of_account(subject=hosting.id, limits=package.limits)
        server = _server(organization, server)
        Placement.objects.bulk_create(
            Placement(hosting=hosting, service=service, server=server) for service in SERVICES
        )
        _still_there(server)
        claimed = domain_services.claim(actor=actor, hosting=hosting, name=domain, kind=Domain.Kind.PRIMARY)
        operation = operations.start(
            actor=actor, verb="account.create", subject=claimed.name, organization=organization, hosting=hosting
        )
        sites.make(hosting=hosting, domain=claimed, php_version=newest_php(server, package))
        zones.make(hosting=hosting, domain=claimed)
        mail_domains.make(actor=actor, hosting=hosting, domain=claimed)
        audit.record(
            actor,
            "account.create",
            hosting,
            {"domain": [None, claimed.name], "username": [None, hosting.username], "package": [None, package.name]},
        )
        intents.add(hosting, operation=operation)
        branding.bring(hosting, brand=brand)
    return hosting, operation


def suspend(*, actor: Actor, hosting: HostingAccount, reason: str = "") -> Operation:
    """Suspend an account: its sites answer 503, logins are locked, DNS and data stay.

    Who stands above the one that suspended it may do so again, and then only they can release it.
    """
    policy.require(actor, "account.suspend", hosting)
    reason = normal("reason", names.label, reason) if reason else ""
    with transaction.atomic():
        hosting = holding.locked(hosting)
        before = hosting.status
        if hosting.status != HostingAccount.Status.ACTIVE and not _stands_above_suspender(actor, hosting):
            raise Conflict(_("Only an active account can be suspended."), code="not_active")
        hosting.status = HostingAccount.Status.SUSPENDED
        hosting.suspended_by_id = actor.organization_id or hosting.organization.lineage[0]
        hosting.suspended_reason = reason
        hosting.suspended_with = None
        hosting.save(update_fields=SUSPENSION)
        return _changed(actor, "account.suspend", hosting, {"status": [before, "suspended"], "reason": ["", reason]})


def unsuspend(*, actor: Actor, hosting: HostingAccount) -> Operation:
    """Release a suspended account. Who stands below the one that suspended it can't."""
    policy.require(actor, "account.unsuspend", hosting)
    with transaction.atomic():
        hosting = holding.locked(hosting)
        if hosting.status != HostingAccount.Status.SUSPENDED or hosting.suspended_by is None:
            raise Conflict(_("This account isn't suspended."), code="not_suspended")
        if not (actor.is_system or hosting.suspended_by.path.startswith(actor.path)):
            raise Forbidden(_("This account was suspended from above; only they can release it."))
        hosting.status = HostingAccount.Status.ACTIVE
        hosting.suspended_by = hosting.suspended_with = None
        hosting.suspended_reason = ""
        hosting.save(update_fields=SUSPENSION)
        return _changed(actor, "account.unsuspend", hosting, {"status": ["suspended", "active"]})


def terminate(*, actor: Actor, hosting: HostingAccount, confirm: str, purge_at: datetime | None = None) -> Operation:
    """End an account: its configuration goes at once, its data from `purge_at` on (after the grace period by default).

    `confirm` must be the account's primary domain, so that nobody terminates the wrong one. Until the data goes,
    `restore` takes it back.
    """
    policy.require(actor, "account.terminate", hosting)
    if confirm != hosting.domain:
        raise Invalid("confirm", _("Type the account's primary domain to confirm."), "confirm")
    with transaction.atomic():
        hosting = holding.locked(hosting)
        if hosting.status == HostingAccount.Status.TERMINATED:
            raise Conflict(_("This account has been terminated already."), code="terminated")
        before = hosting.status
        end(actor=actor, hosting=hosting, purge_at=purge_at)
        return _changed(actor, "account.terminate", hosting, {"status": [before, "terminated"]}, confirmed=True)


def end(
    *, actor: Actor, hosting: HostingAccount, purge_at: datetime | None = None, along: Organization | None = None
) -> None:
    """Mark a locked account as terminated, give back what it counts, and set the deadline of its data.

    `along` is the organization with whose closing it ends. The caller audits and dirties its slices.
    """
    due = purge_at or timezone.now() + timedelta(days=settings.TERMINATION_GRACE_DAYS)
    hosting.status = HostingAccount.Status.TERMINATED
    hosting.terminated_at = timezone.now()
    hosting.terminated_by_id = actor.organization_id or hosting.organization.lineage[0]
    hosting.terminated_with = along
    hosting.save(update_fields=["status", "terminated_at", "terminated_by", "terminated_with"])
    _give_everything_back(hosting)
    keys = data_keys(hosting)
    graves = [Tombstone(slice=part, key=key, due_at=due) for part in hosting.slices.all() for key in keys]
    Tombstone.objects.bulk_create(graves, ignore_conflicts=True)


def restore(*, actor: Actor, hosting: HostingAccount) -> Operation:
    """Take a termination back within its grace period: everything is as it was, a suspension too.

    Who stands below the one that terminated it can't. Raises Conflict once data is being destroyed, and LimitReached
    when what the account holds doesn't fit into the limits any more.
    """
    policy.require(actor, "account.restore", hosting)
    with transaction.atomic():
        _locked_client(hosting.organization)
        hosting = holding.locked(hosting)
        if hosting.status != HostingAccount.Status.TERMINATED:
            raise Conflict(_("This account isn't terminated."), code="not_terminated")
        by = hosting.terminated_by
        if by is not None and not (actor.is_system or by.path.startswith(actor.path)):
            raise Forbidden(_("This account was terminated from above; only they can restore it."))
        revive(hosting=hosting)
        return _changed(actor, "account.restore", hosting, {"status": ["terminated", hosting.status]})


def revive(*, hosting: HostingAccount) -> None:
    """Mark a locked, terminated account as what it was before, and count again what it holds.

    Raises Conflict when its grace period is over, LimitReached when it doesn't fit any more. The caller audits and
    dirties its slices.
    """
    graves = Tombstone.objects.filter(
        slice__hosting=hosting, key__in=data_keys(hosting), created_at__gte=hosting.terminated_at
    )
    if not graves.exists() or graves.filter(Q(destroyed_at__isnull=False) | Q(due_at__lte=Now())).exists():
        raise Conflict(_("The grace period is over, and the account's data is gone."), code="grace_over")
    graves.delete()
    _take_everything_back(hosting)
    hosting.status = HostingAccount.Status.SUSPENDED if hosting.suspended_by else HostingAccount.Status.ACTIVE
    hosting.terminated_at = hosting.terminated_by = hosting.terminated_with = None
    with integrity_as_conflict(_("This user name is taken."), field="username"):
        hosting.save(update_fields=["status", "terminated_at", "terminated_by", "terminated_with"])


def purged(*, hosting_ids: Iterable[str | None]) -> None:
    """Let go of the names of terminated accounts once servers report all of their data destroyed. For the worker."""
    undestroyed = Tombstone.objects.filter(slice__hosting=OuterRef("pk"), destroyed_at__isnull=True)
    gone = HostingAccount.objects.filter(
        ~Exists(undestroyed), pk__in=list(hosting_ids), status=HostingAccount.Status.TERMINATED
    )
    ids = list(gone.values_list("id", flat=True))
    for model in (Domain, DatabaseUser, Database, Placement):
        model._base_manager.filter(hosting__in=ids).delete()


def data_keys(hosting: HostingAccount) -> list[str]:
    """Return the keys of an account's data on its servers: what only a tombstone may destroy."""
    databases = [f"database:{name}" for name in hosting.databases.values_list("name", flat=True)]
    directories = [paths.logs(hosting.username), f"{hosting.home}/mail", hosting.home]
    return [*databases, *(f"directory:{directory}" for directory in directories), f"user:{hosting.username}"]


def newest_php(server: Server, package: Package) -> str:
    """Return the newest PHP version that a server has and a package allows."""
    versions = sorted(server.php_versions, key=server_selectors.php_order)
    if versions and package.php_versions:
        allowed = [version for version in versions if version in package.php_versions]
        if not allowed:
            raise Conflict(
                _("The package allows PHP %(allowed)s, but the server has %(there)s. Choose another package.")
                % {"allowed": ", ".join(package.php_versions), "there": ", ".join(versions)},
                field="package",
                code="php_versions",
            )
        versions = allowed
    if not versions:
        raise Conflict(_("This server has no PHP; set it up again."), field="server", code="server_not_ready")
    return str(versions[-1])


def _changed(
    actor: Actor, verb: str, hosting: HostingAccount, changes: dict[str, list[str]], *, confirmed: bool = False
) -> Operation:
    audit.record(actor, verb, hosting, changes)
    operation = operations.start(
        actor=actor, verb=verb, subject=hosting.domain, organization=hosting.organization, hosting=hosting
    )
    intents.add(hosting, operation=operation, confirmed=confirmed)
    return operation


def _locked_buyer(organization: Organization, package: Package) -> tuple[Organization, Package]:
    """Return client and package as they are now, locked against being closed or changed meanwhile."""
    organization = _locked_client(organization)
    held = Package.objects.select_for_update(of=("self",), no_key=True).select_related("organization")
    package = held.get(pk=package.pk)
    if package.archived_at or not organization.path.startswith(package.organization.path):
        raise Invalid("package", _("Choose one of your own packages that is still on sale."), "package")
    return organization, package


def _locked_client(organization: Organization) -> Organization:
    organization = Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=organization.pk)
    if organization.status != Organization.Status.ACTIVE:
        raise Conflict(_("This client is suspended or closed and can't get new accounts."), field="organization")
    return organization


def _stands_above_suspender(actor: Actor, hosting: HostingAccount) -> bool:
    by = hosting.suspended_by
    return by is not None and by.path != actor.path and by.path.startswith(actor.path)


def _give_everything_back(hosting: HostingAccount) -> None:
    """Give back what the account counts, at itself and above; in the order in which all lock several counters."""
    promises.give_back(hosting)
    counted = LimitCounter.objects.filter(subject=hosting.id, used__gt=0).exclude(resource__in=Package.PROMISED)
    held = {resource: -used for resource, used in counted.values_list("resource", "used")}
    limits.move({hosting.organization: held}, subject=hosting.id)


def _take_everything_back(hosting: HostingAccount) -> None:
    """Count all that a terminated account holds again; the counterpart of `_give_everything_back`, in its order."""
    below = SiteName.objects.filter(site__hosting=hosting, kind=SiteName.Kind.ALIAS)
    held = {
        "aliases": MailAlias.objects.filter(mail_domain__hosting=hosting),
        "alias_domains": hosting.domains.filter(kind=Domain.Kind.ALIAS),
        "database_users": hosting.database_users.all(),
        "databases": hosting.databases.all(),
        "mailboxes": Mailbox.objects.filter(mail_domain__hosting=hosting),
        "records": Record.objects.filter(zone__hosting=hosting),
        "subdomains": below.exclude(hostname=F("domain__name")),
    }
    promises.take_back(hosting)
    amounts = {resource: count for resource, rows in held.items() if (count := rows.count())}
    limits.move({hosting.organization: amounts}, subject=hosting.id)


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


def _still_there(server: Server) -> None:
    """Refuse a server whose place another one took while the account waited for it: placements hold it from now on."""
    if Server.objects.filter(pk=server.pk, state=Server.State.RETIRED).exists():
        raise Conflict(
            _("The server has just been replaced. Order the account again."), field="server", code="no_server"
        )
