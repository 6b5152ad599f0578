"""A termination taken back within its grace period: what comes back, who may, and when it is too late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.services import limits
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import HostingAccount, MailDomain, Operation, Site, Tombstone, Zone
from provisioning.services import (
    database_users,
    databases,
    hosting_accounts,
    mail_aliases,
    mailboxes,
    sites,
    zones,
)
from tests.cast import Person
from tests.provisioning.ground import Ground, acting, dirty, entries, refused, used

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"
NAMES = ("mailboxes", "aliases", "databases", "database_users", "records", "alias_domains", "subdomains", "accounts")


def terminate(ground: Ground, person: Person | None = None, **more: Any) -> None:
    who = person or ground.cast.reseller_a
    with acting(who):
        hosting_accounts.terminate(actor=who.actor, hosting=ground.account_a, confirm="a-site.org", **more)


def restore(ground: Ground, person: Person | None = None) -> Operation:
    who = person or ground.cast.reseller_a
    with acting(who):
        return hosting_accounts.restore(actor=who.actor, hosting=ground.account_a)


def account(ground: Ground) -> HostingAccount:
    return HostingAccount._base_manager.get(pk=ground.account_a.pk)


def fill(ground: Ground) -> None:
    """One of everything that is counted, counted at the reseller as well."""
    for resource in NAMES:
        limits.set_limit(subject=ground.cast.reseller_a.organization.id, resource=resource, limit=10)
    hosting = ground.account_a
    mail_domain, zone = MailDomain.objects.get(hosting=hosting), Zone.objects.get(hosting=hosting)
    mailboxes.create(actor=SYSTEM, mail_domain=mail_domain, local="a", password=PASSWORD)
    mailboxes.create(actor=SYSTEM, mail_domain=mail_domain, local="c", password=PASSWORD)
    mail_aliases.create(actor=SYSTEM, mail_domain=mail_domain, local="b", destinations=["a@a-site.org"])
    databases.create(actor=SYSTEM, hosting=hosting, name="shop")
    database_users.create(actor=SYSTEM, hosting=hosting, name="shop", password=PASSWORD)
    zones.add_record(actor=SYSTEM, zone=zone, type="TXT", name="x", content="y")
    site = Site.objects.get(hosting=hosting)
    for name in ("full-alias.org", "www.full-alias.org", "shop.a-site.org"):
        sites.add_alias(actor=SYSTEM, site=site, hostname=name)


def test_a_restored_account_counts_and_holds_what_it_did(ground: Ground):
    with everything("test"):
        fill(ground)
    subjects = (ground.account_a.id, ground.cast.reseller_a.organization.id)
    before = {(subject, resource): used(subject, resource) for subject in subjects for resource in NAMES}
    assert before[ground.account_a.id, "subdomains"] == 2
    terminate(ground)
    operation = restore(ground)
    assert {(subject, resource): used(subject, resource) for subject in subjects for resource in NAMES} == before
    now = account(ground)
    assert (now.status, now.terminated_at, now.terminated_by) == ("active", None, None)
    assert not Tombstone.objects.exists()
    assert (operation.verb, operation.subject, entries("account.restore")) == ("account.restore", "a-site.org", 1)
    assert operation.id in {intent.operation_id for intent in dirty(now)}
    terminate(ground)  # And it can end again.
    assert Tombstone.objects.filter(key="user:asite").count() == 1


def test_limits_that_are_full_by_now_refuse_it(ground: Ground):
    with everything("test"):
        fill(ground)
    terminate(ground)
    for resource in ("accounts", "mailboxes"):
        with everything("test"):
            limits.set_limit(subject=ground.cast.reseller_a.organization.id, resource=resource, limit=0)
        with refused("limit_reached", None, 409, says=resource):
            restore(ground)
        with everything("test"):
            limits.set_limit(subject=ground.cast.reseller_a.organization.id, resource=resource, limit=10)
    restore(ground)


def test_it_is_too_late_once_the_deadline_has_come(ground: Ground):
    """From then on a worker may be destroying; the rows do not say so before it reports."""
    terminate(ground, purge_at=timezone.now())
    with refused("grace_over", None, 409):
        restore(ground)


def test_it_is_too_late_once_anything_is_destroyed(ground: Ground):
    terminate(ground)
    Tombstone.objects.filter(key="user:asite").update(destroyed_at=timezone.now())
    with refused("grace_over", None, 409):
        restore(ground)
    Tombstone.objects.update(destroyed_at=timezone.now())
    with everything("test"):
        hosting_accounts.purged(hosting_ids=[ground.account_a.id])
    with refused("grace_over", None, 409):
        restore(ground)


def test_a_database_that_was_removed_before_goes_its_own_way(ground: Ground):
    """What was destroyed before the account ended is no reason against it, and what is to be destroyed stays so."""
    with everything("test"):
        made, _operation = databases.create(actor=SYSTEM, hosting=ground.account_a, name="shop")
        databases.remove(actor=SYSTEM, database=made, confirm=made.name)
        Tombstone.objects.update(destroyed_at=timezone.now(), created_at=timezone.now() - timedelta(days=3))
        databases.create(actor=SYSTEM, hosting=ground.account_a, name="shop")
        other, _operation = databases.create(actor=SYSTEM, hosting=ground.account_a, name="old")
        databases.remove(actor=SYSTEM, database=other, confirm=other.name)
    terminate(ground)
    restore(ground)
    left = Tombstone.objects.filter(destroyed_at__isnull=True)
    assert list(left.values_list("key", flat=True)) == ["database:asite_old"]


def test_a_suspension_outlives_a_termination(ground: Ground):
    """Else a reseller could end and restore what the provider has suspended."""
    with everything("test"):
        hosting_accounts.suspend(actor=ground.cast.provider.actor, hosting=ground.account_a, reason="spam")
    terminate(ground)
    restore(ground)
    now = account(ground)
    assert (now.status, now.suspended_by, now.suspended_reason) == (
        "suspended",
        ground.cast.provider.organization,
        "spam",
    )
    with acting(ground.cast.reseller_a), refused("forbidden", None, 403):
        hosting_accounts.unsuspend(actor=ground.cast.reseller_a.actor, hosting=now)


def test_who_stands_below_the_one_that_ended_it_can_not_restore_it(ground: Ground):
    terminate(ground, ground.cast.provider)
    with refused("forbidden", None, 403):
        restore(ground)
    assert restore(ground, ground.cast.provider).verb == "account.restore"


@pytest.mark.parametrize("who", ["client_a", "readonly_a"])
def test_clients_and_readonly_staff_restore_nothing(ground: Ground, who: str):
    terminate(ground)
    with refused("forbidden", None, 403):
        restore(ground, getattr(ground.cast, who))


def test_what_is_not_terminated_can_not_be_restored(ground: Ground):
    with refused("not_terminated", None, 409):
        restore(ground)


def test_a_suspended_clients_account_stays_terminated(ground: Ground):
    terminate(ground)
    organization = ground.cast.client_a.organization
    type(organization)._base_manager.filter(pk=organization.pk).update(
        status="suspended", suspended_by=ground.cast.provider.organization
    )
    with refused("conflict", "organization", 409):
        restore(ground)
