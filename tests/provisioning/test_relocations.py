"""Clients that get another seller and accounts that get another client: limits, packages, brand and people follow."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Invitation, Membership, User
from accounts.services import limits, organizations, users
from accounts.services import relocations as tree
from panel.core.errors import DomainError, NotFound
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Operation
from provisioning.selectors.brands import of_organizations
from provisioning.services import relocations, tenancy
from tests.cast import HOST_A, HOST_B, PASSWORD, Person
from tests.provisioning import factories
from tests.provisioning.ground import Ground, acting, refused, used

SYSTEM = factories.SYSTEM


def move(ground: Ground, by: Person | None = None, **more: object) -> Operation | None:
    """Move client A to reseller B."""
    who = by or ground.cast.provider
    values = {"package": ground.package_b, **more}
    with acting(who):
        return relocations.move_client(
            actor=who.actor,
            organization=ground.cast.client_a.organization,
            parent=ground.cast.reseller_b.organization,
            **values,  # type: ignore[arg-type]
        )[1]


def account(ground: Ground) -> HostingAccount:
    with everything("test"):
        return HostingAccount.objects.select_related("organization", "package").get(pk=ground.account_a.pk)


def test_a_client_gets_another_seller_with_all_it_has(ground: Ground) -> None:
    a, b = ground.cast.reseller_a.organization, ground.cast.reseller_b.organization
    for seller in (a, b):
        for resource in ("accounts", "disk_bytes"):
            limits.set_limit(subject=seller.id, resource=resource, limit=10**12)
    ten = factories.package(b, "Ten", disk_bytes=10**10)
    with refused("limit_reached", status=409, says="unlimited"):
        move(ground)
    operation = move(ground, package=ten)
    assert operation is not None
    assert (operation.verb, operation.targets.count()) == ("organization.move", 1)
    row = account(ground)
    assert row.organization.path == f"{b.path}{row.organization_id}/"
    assert row.package_id == ten.id
    assert (used(a.id, "accounts"), used(b.id, "accounts")) == (0, 2)
    assert (used(a.id, "disk_bytes"), used(b.id, "disk_bytes")) == (0, 10**10)
    assert of_organizations([row.organization])[row.organization_id].organization_id == b.id


def test_the_new_seller_s_limits_hold(ground: Ground) -> None:
    limits.set_limit(subject=ground.cast.reseller_b.organization.id, resource="accounts", limit=1)
    with refused("limit_reached", status=409):
        move(ground)
    assert account(ground).organization.parent_id == ground.cast.reseller_a.organization.id


def test_a_package_that_is_not_sold_there_is_replaced_or_refused(ground: Ground) -> None:
    with refused("package", "package", says="Basic"):
        move(ground, package=None)
    with refused("package", "package"):
        move(ground, package=ground.package_a)


@pytest.mark.parametrize("who", ["reseller_a", "reseller_b", "client_a", "readonly_a"])
def test_only_who_has_both_below_moves(ground: Ground, who: str) -> None:
    with pytest.raises(DomainError) as caught:
        move(ground, by=getattr(ground.cast, who))
    assert caught.value.status in (403, 404)
    assert account(ground).organization.parent_id == ground.cast.reseller_a.organization.id


def test_a_reseller_moves_to_its_own_sub_reseller(ground: Ground) -> None:
    reseller, sub = ground.cast.reseller_a, ground.cast.sub_reseller
    with acting(reseller):
        relocations.move_client(
            actor=reseller.actor, organization=ground.cast.client_a.organization, parent=sub.organization
        )
    row = account(ground)
    assert row.organization.path.startswith(sub.organization.path)
    assert row.package_id == ground.package_a.id
    user = User.objects.get(pk=ground.cast.client_a.user.pk)
    assert user.brand_root_id == reseller.organization.id


def test_people_go_along_to_the_new_panel(ground: Ground) -> None:
    move(ground)
    user = User.objects.get(pk=ground.cast.client_a.user.pk)
    assert user.brand_root_id == ground.cast.reseller_b.organization.id
    for host, status in ((HOST_A, 401), (HOST_B, 200)):
        browser = Client(headers={"host": host})
        browser.post("/sign-in/", {"login": user.email, "password": PASSWORD})
        assert browser.get("/api/v1/me").status_code == status


def test_an_address_that_is_known_there_is_invited_anew(ground: Ground) -> None:
    with everything("test"):
        users.create(
            actor=SYSTEM,
            organization=ground.cast.client_b.organization,
            email=ground.cast.client_a.user.email,
            name="Twin",
            role="owner",
            password="another-Long-one-9",
        )
        client, seller = ground.cast.client_a.organization, ground.cast.reseller_b.organization
        said = tree.people(organization=client, parent=seller)
        assert (said.along, said.anew) == ([], [ground.cast.client_a.user.email])
    move(ground)
    with everything("test"):
        assert not Membership.objects.filter(organization=client).exists()
        invitation = Invitation.objects.get(organization=client)
        assert (invitation.email, invitation.role, invitation.status) == (said.anew[0], "owner", "open")
        assert User.objects.get(pk=ground.cast.client_a.user.pk).brand_root_id != seller.id


def test_suspensions_are_the_new_seller_s_to_lift_unless_imposed_from_above(ground: Ground) -> None:
    a, b, client = ground.cast.reseller_a, ground.cast.reseller_b, ground.cast.client_a.organization
    with acting(a):
        tenancy.suspend(actor=a.actor, organization=client, accounts=True)
    move(ground)
    client.refresh_from_db(from_queryset=type(client)._base_manager.all())
    with acting(b):
        tenancy.unsuspend(actor=b.actor, organization=client)
    assert account(ground).status == "active"


def test_an_account_gets_another_client(ground: Ground) -> None:
    reseller = ground.cast.reseller_a
    with acting(reseller):
        other = organizations.create_client(actor=reseller.actor, parent=reseller.organization, name="Other")
        for row in (ground.cast.client_a.organization, other):
            limits.set_limit(subject=row.id, resource="accounts", limit=3)
        _hosting, operation = relocations.move_account(
            actor=reseller.actor, hosting=ground.account_a, organization=other
        )
        assert operation.targets.count() == 1
        with refused("same", "organization", 409):
            relocations.move_account(actor=reseller.actor, hosting=ground.account_a, organization=other)
    assert (used(ground.cast.client_a.organization.id, "accounts"), used(other.id, "accounts")) == (0, 1)
    with acting(ground.cast.client_a):
        assert not HostingAccount.objects.exists()
        assert not Operation.objects.filter(hosting=ground.account_a).exists()


def test_an_account_does_not_go_to_somebody_else_s_client(ground: Ground) -> None:
    reseller = ground.cast.reseller_a
    with acting(reseller), pytest.raises(NotFound):
        relocations.move_account(
            actor=reseller.actor, hosting=ground.account_a, organization=ground.cast.client_b.organization
        )
    provider = ground.cast.provider
    with acting(provider), refused("package", "package"):
        relocations.move_account(
            actor=provider.actor, hosting=ground.account_a, organization=ground.cast.client_b.organization
        )
    with acting(provider):
        relocations.move_account(
            actor=provider.actor,
            hosting=ground.account_a,
            organization=ground.cast.client_b.organization,
            package=ground.package_b,
        )
    assert account(ground).organization_id == ground.cast.client_b.organization.id
