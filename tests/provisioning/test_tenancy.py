"""Organizations suspended, released, closed and opened again with their accounts: what goes along, what stays."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import Organization
from accounts.services import limits, organizations
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Operation, Tombstone
from provisioning.services import hosting_accounts, tenancy
from tests.cast import Person
from tests.provisioning import factories
from tests.provisioning.ground import Ground, acting, dirty, entries, refused, used

SYSTEM = factories.SYSTEM


def suspend(by: Person, target: Person, *, accounts: bool = True) -> Operation | None:
    with acting(by):
        return tenancy.suspend(actor=by.actor, organization=target.organization, reason="Unpaid", accounts=accounts)[1]


def release(by: Person, target: Person) -> Operation | None:
    with acting(by):
        return tenancy.unsuspend(actor=by.actor, organization=target.organization)[1]


def state(hosting: HostingAccount) -> str:
    return str(HostingAccount._base_manager.get(pk=hosting.pk).status)


def second(ground: Ground) -> HostingAccount:
    """Another account of client A."""
    return factories.account(ground.cast.client_a.organization, ground.package_a, "second.org", username="second")


def test_accounts_are_suspended_along_and_come_back(ground: Ground) -> None:
    other = second(ground)
    operation = suspend(ground.cast.reseller_a, ground.cast.client_a)
    assert operation is not None
    assert (operation.verb, operation.targets.count()) == ("organization.suspend", 2)
    assert (state(ground.account_a), state(other), state(ground.account_b)) == ("suspended", "suspended", "active")
    assert entries("account.suspend") == 2
    with everything("test"):
        row = HostingAccount.objects.get(pk=other.pk)
    assert (row.suspended_reason, row.suspended_by_id) == ("Unpaid", ground.cast.reseller_a.organization.id)
    operation = release(ground.cast.reseller_a, ground.cast.client_a)
    assert operation is not None
    assert operation.targets.count() == 2
    assert (state(ground.account_a), state(other)) == ("active", "active")


def test_without_accounts_no_server_follows(ground: Ground) -> None:
    before = len(dirty(ground.account_a))
    assert suspend(ground.cast.reseller_a, ground.cast.client_a, accounts=False) is None
    assert state(ground.account_a) == "active"
    assert len(dirty(ground.account_a)) == before
    assert release(ground.cast.reseller_a, ground.cast.client_a) is None


def test_what_was_suspended_by_itself_stays_so(ground: Ground) -> None:
    other = second(ground)
    with acting(ground.cast.reseller_a):
        hosting_accounts.suspend(actor=ground.cast.reseller_a.actor, hosting=other, reason="Spam")
    suspend(ground.cast.provider, ground.cast.reseller_a)
    release(ground.cast.provider, ground.cast.reseller_a)
    assert (state(ground.account_a), state(other)) == ("active", "suspended")


def test_a_reseller_lifts_neither_the_provider_s_suspension_nor_single_accounts_of_it(ground: Ground) -> None:
    suspend(ground.cast.provider, ground.cast.client_a)
    reseller = ground.cast.reseller_a
    with acting(reseller):
        with refused("suspended_from_above", status=403):
            tenancy.unsuspend(actor=reseller.actor, organization=ground.cast.client_a.organization)
        with refused("forbidden", status=403):
            hosting_accounts.unsuspend(actor=reseller.actor, hosting=ground.account_a)


def test_a_suspension_inside_another_holds_when_the_outer_is_lifted(ground: Ground) -> None:
    suspend(ground.cast.provider, ground.cast.reseller_a)
    suspend(ground.cast.provider, ground.cast.client_a)
    assert release(ground.cast.provider, ground.cast.reseller_a) is None
    assert state(ground.account_a) == "suspended"
    assert release(ground.cast.provider, ground.cast.client_a) is not None
    assert state(ground.account_a) == "active"


def test_the_provider_takes_over_a_reseller_s_suspension(ground: Ground) -> None:
    suspend(ground.cast.reseller_a, ground.cast.client_a)
    with acting(ground.cast.reseller_a), refused("not_active", status=409):
        tenancy.suspend(actor=ground.cast.reseller_a.actor, organization=ground.cast.client_a.organization)
    suspend(ground.cast.provider, ground.cast.client_a)
    with acting(ground.cast.reseller_a), refused("suspended_from_above", status=403):
        tenancy.unsuspend(actor=ground.cast.reseller_a.actor, organization=ground.cast.client_a.organization)
    assert release(ground.cast.provider, ground.cast.client_a) is not None
    assert state(ground.account_a) == "active"


def test_an_account_that_ends_meanwhile_comes_back_active(ground: Ground) -> None:
    suspend(ground.cast.reseller_a, ground.cast.client_a)
    reseller = ground.cast.reseller_a
    with acting(reseller):
        hosting_accounts.terminate(actor=reseller.actor, hosting=ground.account_a, confirm="a-site.org")
    release(reseller, ground.cast.client_a)
    with acting(reseller):
        hosting_accounts.restore(actor=reseller.actor, hosting=ground.account_a)
    assert state(ground.account_a) == "active"


def test_a_reseller_is_closed_with_everything_and_opened_again(ground: Ground) -> None:
    provider, reseller = ground.cast.provider, ground.cast.reseller_a
    limits.set_limit(subject=provider.organization.id, resource="accounts", limit=10)
    other = second(ground)
    suspend(ground.cast.reseller_a, ground.cast.client_a)
    with acting(provider):
        with refused("not_empty", status=409):
            tenancy.close(actor=provider.actor, organization=reseller.organization)
        with refused("confirm", "confirm"):
            tenancy.close(actor=provider.actor, organization=reseller.organization, accounts=True, confirm="B")
        operation = tenancy.close(
            actor=provider.actor, organization=reseller.organization, accounts=True, confirm="Atelier A"
        )[1]
    assert operation is not None
    assert operation.targets.count() == 2
    assert used(provider.organization.id, "accounts") == 1
    assert (state(ground.account_a), state(other)) == ("terminated", "terminated")
    with everything("test"):
        below = Organization.objects.filter(path__startswith=reseller.organization.path)
        assert set(below.values_list("status", flat=True)) == {"closed"}
    assert reseller.browser().get("/api/v1/me").status_code == 401
    with acting(provider):
        operation = tenancy.reopen(actor=provider.actor, organization=reseller.organization)[1]
    assert operation is not None
    assert operation.targets.count() == 2
    assert (state(ground.account_a), state(other)) == ("suspended", "suspended")
    assert used(provider.organization.id, "accounts") == 3
    with everything("test"):
        assert Organization.objects.get(pk=ground.cast.client_a.organization.pk).status == "suspended"
        assert Organization.objects.get(pk=ground.cast.client_sub.organization.pk).status == "active"
    assert reseller.browser().get("/api/v1/me").status_code == 200


def test_what_is_gone_stays_gone_and_the_rest_opens(ground: Ground) -> None:
    provider, client = ground.cast.provider, ground.cast.client_a
    other = second(ground)
    with acting(provider):
        tenancy.close(
            actor=provider.actor, organization=client.organization, accounts=True, confirm=client.organization.name
        )
    Tombstone.objects.filter(slice__hosting=other).update(due_at=timezone.now() - timedelta(minutes=1))
    with acting(provider):
        operation = tenancy.reopen(actor=provider.actor, organization=client.organization)[1]
    assert operation is not None
    assert [target.slice.hosting_id for target in operation.targets.all()] == [ground.account_a.pk]
    assert (state(ground.account_a), state(other)) == ("active", "terminated")


def test_opening_again_keeps_to_the_limits(ground: Ground) -> None:
    reseller, client = ground.cast.reseller_a, ground.cast.client_a
    with acting(reseller):
        tenancy.close(
            actor=reseller.actor, organization=client.organization, accounts=True, confirm=client.organization.name
        )
        limits.set_limit(subject=reseller.organization.id, resource="accounts", limit=0)
        with refused("limit_reached", status=409):
            tenancy.reopen(actor=reseller.actor, organization=client.organization)


def test_who_closed_decides_who_opens(ground: Ground) -> None:
    provider, reseller, client = ground.cast.provider, ground.cast.reseller_a, ground.cast.client_a
    with acting(provider):
        organizations.close(actor=provider.actor, organization=client.organization, with_all=True)
    with acting(reseller), refused("closed_from_above", status=403):
        tenancy.reopen(actor=reseller.actor, organization=client.organization)
    with acting(provider):
        tenancy.reopen(actor=provider.actor, organization=client.organization)
        tenancy.close(actor=provider.actor, organization=reseller.organization, accounts=True, confirm="Atelier A")
        with refused("closed_above", status=409):
            tenancy.reopen(actor=provider.actor, organization=client.organization)
