"""Clients that get another seller, and accounts that get another client: limits, packages and servers follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Brand, LimitCounter, LimitUse, Organization
from accounts.selectors import plans
from accounts.services import limits
from accounts.services import relocations as tree
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Operation, Package, Site, Slice
from provisioning.selectors import packages
from provisioning.services import branding, intents, operations, promises
from provisioning.services.relocation_checks import Obstacle, obstacles, refuse, sold_below

Status = HostingAccount.Status


def move_client(
    *, actor: Actor, organization: Organization, parent: Organization, package: Package | None = None
) -> tuple[Organization, Operation | None]:
    """Move a client with its hosting accounts to another seller below the actor: zones, mail and pages get the brand
    of the new one.

    Accounts whose package is not sold there get `package`, which has to be given then. Raises Conflict when the plan of
    the new seller leaves out what an account stands on (`relocation_checks`), and LimitReached when the client doesn't
    fit into its limits.
    """
    tree.check(actor=actor, organization=organization, parent=parent)
    with transaction.atomic(), everything("a move concerns two sellers and what is above them"):
        rows = _locked(HostingAccount.objects.filter(organization=organization))
        promises.hold(*rows, also=package)
        live = [row for row in rows if row.status != Status.TERMINATED]
        _refuse_obstacles(actor, live, organization, parent, package, "parent")
        changed = _repackage(actor, live, parent, package)
        terms = promises.terms(live)
        organization = tree.move(
            actor=actor, organization=organization, parent=parent, grown=terms.grown, boundless=terms.boundless
        )
        for row in rows:
            row.organization = organization
            row.suspended_by = tree.follow_suspender(row.suspended_by, parent)
            row.terminated_by = tree.follow_suspender(row.terminated_by, parent)
        HostingAccount.objects.bulk_update(rows, ["suspended_by", "terminated_by"], batch_size=500)
        _sell(changed, terms)
        return organization, _follow(actor, "organization.move", organization.name, organization, rows)


def move_account(
    *, actor: Actor, hosting: HostingAccount, organization: Organization, package: Package | None = None
) -> tuple[HostingAccount, Operation]:
    """Give an account to another client below the actor: what it holds is counted there, its history goes along, and
    zones, mail and pages get the brand that the client lives under.

    With a package that is not sold to the new client, `package` has to be given. Raises Conflict and LimitReached as
    `move_client` does.
    """
    policy.require(actor, "account.move", hosting)
    policy.require(actor, "account.create", organization)
    with transaction.atomic(), everything("a move concerns two clients and what is above them"):
        if organization.kind != Organization.Kind.CLIENT:
            raise Invalid("kind", _("An account belongs to a client; choose one of your clients."), "organization")
        organization = Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=organization.pk)
        if organization.status != Organization.Status.ACTIVE:
            raise Conflict(_("This client is suspended or closed and can't get new accounts."), field="organization")
        (hosting,) = _locked(HostingAccount.objects.filter(pk=hosting.pk))
        promises.hold(hosting, also=package)
        if hosting.status == Status.TERMINATED:
            raise Conflict(_("This account has been terminated."), code="terminated")
        before = hosting.organization
        if before.pk == organization.pk:
            raise Conflict(_("The account belongs there already."), field="organization", code="same")
        _refuse_obstacles(actor, [hosting], before, organization, package, "organization")
        held = _held(hosting)
        given = {resource: -amount for resource, amount in held.items()}
        changed = _repackage(actor, [hosting], organization, package)
        terms = promises.terms([hosting])
        taken = {resource: amount + terms.grown.get(resource, 0) for resource, amount in held.items()}
        limits.move({before: given, organization: taken}, boundless=terms.boundless)
        hosting.organization = organization
        parent = organization.ancestors()[-2]
        hosting.suspended_by = tree.follow_suspender(hosting.suspended_by, parent)
        hosting.suspended_with = None
        hosting.save(update_fields=["organization", "suspended_by", "suspended_with"])
        _sell(changed, terms)
        Operation.objects.filter(hosting=hosting).update(organization=organization)
        audit.record(actor, "account.move", hosting, {"client": (before.name, organization.name)})
        audit.record(actor, "account.moved_away", before, {"account": (hosting.domain, "")})
        operation = operations.start(
            actor=actor, verb="account.move", subject=hosting.domain, organization=organization, hosting=hosting
        )
        intents.add(hosting, operation=operation)
        branding.bring(hosting)
        return hosting, operation


@dataclass(frozen=True)
class Impact:
    """What moving a client means: the brand and name servers before and after, its accounts and those of them that need
    another package, its people, what it adds to the limits above the new seller as (resource, used then, limit), what
    keeps it from going there, and the sites whose PHP version their new package does not have.
    """

    brands: tuple[Brand, Brand]
    accounts: list[HostingAccount]
    unsold: list[HostingAccount]
    people: tree.People
    limits: list[tuple[str, int, int]]
    obstacles: list[Obstacle]
    other_php: list[Site]


def impact(*, actor: Actor, organization: Organization, parent: Organization, package: Package | None = None) -> Impact:
    """Return what `move_client` would change beside what servers do, of which a preview tells."""
    tree.check(actor=actor, organization=organization, parent=parent)
    with everything("a move concerns two sellers and what is above them"):
        rows = HostingAccount.objects.filter(organization=organization).exclude(status=Status.TERMINATED)
        accounts = list(rows.select_related("package__organization").order_by("domain"))
        held = dict(LimitUse.objects.filter(organization=organization).values_list("resource", "amount"))
        common = set(organization.lineage)
        above = [key for key in parent.lineage if key not in common]
        counters = LimitCounter.objects.filter(subject__in=above, limit__isnull=False).order_by("resource")
        without = unsold(accounts=accounts, seller=parent)
        return Impact(
            brands=tree.brands_of(organization, parent),
            accounts=accounts,
            unsold=without,
            people=tree.people(organization=organization, parent=parent),
            limits=[
                (row.resource, row.used + held[row.resource], row.limit or 0)
                for row in counters
                if held.get(row.resource)
            ],
            obstacles=obstacles(actor=actor, accounts=accounts, before=organization, seller=parent, package=package),
            other_php=packages.other_php(without, package.php_versions) if package else [],
        )


def unsold(*, accounts: Iterable[HostingAccount], seller: Organization) -> list[HostingAccount]:
    """Return those accounts whose package is not sold below `seller`, which need another one there."""
    return [row for row in accounts if not sold_below(row.package, seller)]


def _refuse_obstacles(
    actor: Actor,
    rows: list[HostingAccount],
    before: Organization,
    seller: Organization,
    package: Package | None,
    field: str,
) -> None:
    refuse(obstacles(actor=actor, accounts=rows, before=before, seller=seller, package=package), field)


def _repackage(
    actor: Actor, rows: list[HostingAccount], seller: Organization, package: Package | None
) -> list[HostingAccount]:
    """Let the rows of accounts whose package is not sold below `seller` name `package`; returns those."""
    without = unsold(accounts=rows, seller=seller)
    if not without:
        return []
    if package is None:
        names = ", ".join(sorted({row.package.name for row in without}))
        raise Invalid(
            "package", _("%(names)s is not sold there. Choose a package that is.") % {"names": names}, "package"
        )
    policy.require(actor, "package.view", package)
    package = (
        Package.objects.select_for_update(of=("self",), no_key=True).select_related("organization").get(pk=package.pk)
    )
    if package.archived_at or not sold_below(package, seller):
        raise Invalid("package", _("Choose a package of the new seller that is still on sale."), "package")
    for row in without:
        audit.record(actor, "account.change_package", row, {"package": (row.package.name, package.name)})
        row.package = package
    return without


def _sell(rows: list[HostingAccount], terms: promises.Terms) -> None:
    """Write the new packages of accounts that have moved, and their limits."""
    for row in rows:
        promises.check_carries(row.package, plans.above(row.organization))
        row.save(update_fields=["package"])
    limits.set_limits_of_accounts({row.id: terms.limits[row.id] for row in rows})


def _held(hosting: HostingAccount) -> dict[str, int]:
    """Return what an account counts at the organizations above it: itself, what it uses, what it is promised."""
    counted = LimitCounter.objects.filter(subject=hosting.id, used__gt=0).exclude(resource__in=Package.PROMISED)
    return dict(counted.values_list("resource", "used")) | {"accounts": 1} | promises.amounts(hosting)


def _locked(rows: object) -> list[HostingAccount]:
    return list(
        rows.select_for_update(of=("self",), no_key=True)  # type: ignore[attr-defined]
        .select_related("organization", "package__organization", "suspended_by", "terminated_by")
        .order_by("id")
    )


def _follow(
    actor: Actor, verb: str, subject: str, organization: Organization, rows: list[HostingAccount]
) -> Operation | None:
    slices = list(Slice.objects.filter(hosting__in=rows).exclude(hosting__status=Status.TERMINATED).order_by("id"))
    if not slices:
        return None
    operation = operations.start(actor=actor, verb=verb, subject=subject, organization=organization)
    intents.again(slices, operation=operation)
    branding.bring(*rows)
    return operation
