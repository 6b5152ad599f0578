"""Hosting accounts: what an order makes, who may order, where it goes, and how an account ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.services import limits, organizations
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, NotFound
from panel.core.scoping import everything
from provisioning.models import (
    Domain,
    HostingAccount,
    Intent,
    MailDomain,
    Operation,
    Placement,
    Server,
    Site,
    SiteName,
    Tombstone,
    Zone,
)
from provisioning.services import (
    database_users,
    databases,
    hosting_accounts,
    mail_aliases,
    mailboxes,
    packages,
    servers,
    sites,
    zones,
)
from tests.provisioning import factories
from tests.provisioning.ground import Ground, acting, dirty, entries, refused, used

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"


def order(ground: Ground, domain: str, **values: Any) -> tuple[HostingAccount, Operation]:
    """Order an account for client A as reseller A does."""
    with acting(ground.cast.reseller_a):
        return hosting_accounts.create(
            actor=ground.cast.reseller_a.actor,
            **{
                "organization": ground.cast.client_a.organization,
                "package": ground.package_a,
                "domain": domain,
                **values,
            },
        )


def test_an_order_makes_site_zone_mail_domain_and_one_intent(ground: Ground):
    hosting, operation = order(ground, "New-Shop.org.")
    assert (hosting.domain, hosting.username, hosting.status) == ("new-shop.org", "newshop", "active")
    with everything("test"):
        names = [(name.hostname, name.kind) for name in SiteName.objects.filter(site__hosting=hosting)]
        assert sorted(names) == [("new-shop.org", "primary"), ("www.new-shop.org", "www")]
        assert Site.objects.get(hosting=hosting).php_version == "8.4"
        assert Zone.objects.get(hosting=hosting).name == "new-shop.org"
        assert MailDomain.objects.get(hosting=hosting).delivery == "vouched"
        placed = Placement.objects.filter(hosting=hosting).values_list("service", "server_id")
        assert sorted(placed) == [(name, ground.server.id) for name in ("database", "dns", "mail", "web")]
        assert [intent.operation_id for intent in dirty(hosting)] == [operation.id]
        assert operation.targets.get().slice.hosting_id == hosting.id
    assert operation.status == "pending"
    assert entries("account.create") == 3


def test_uids_are_never_given_twice(ground: Ground):
    first, _operation = order(ground, "one.org")
    with everything("test"):
        hosting_accounts.terminate(actor=SYSTEM, hosting=first, confirm="one.org", purge_at=timezone.now())
        hosting_accounts.purged(hosting_ids=[first.id])
    second, _operation = order(ground, "two.org")
    assert second.uid > first.uid >= 200_000


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("123go.org", "go"),
        ("4711.org", "site"),
        ("a-very-long-name-indeed.org", "averylon"),
        ("root.org", "root1"),
        ("www-data.org", "wwwdata1"),
        ("bücher.org", "bcherkva"),
        ("asite.net", "asite1"),
    ],
)
def test_user_names_are_derived_from_the_domain(ground: Ground, domain: str, expected: str):
    assert order(ground, domain)[0].username == expected


def test_a_user_name_rests_after_its_account(ground: Ground):
    with acting(ground.cast.reseller_a):
        hosting_accounts.terminate(
            actor=ground.cast.reseller_a.actor, hosting=ground.account_a, confirm="a-site.org", purge_at=timezone.now()
        )
    with refused("conflict", "username", 409):
        order(ground, "other.org", username="asite")
    ended = HostingAccount._base_manager.filter(pk=ground.account_a.pk)
    ended.update(terminated_at=timezone.now() - timedelta(days=31))
    with refused("conflict", "username", 409):  # Its data is not destroyed yet.
        order(ground, "other.org", username="asite")
    Tombstone.objects.update(destroyed_at=timezone.now())
    assert order(ground, "other.org", username="asite")[0].username == "asite"


def test_limits_hold_at_every_level_above(ground: Ground):
    people = ground.cast
    for who, level in ((people.provider, "the provider"), (people.reseller_a, "the reseller")):
        with everything("test"):
            limits.set_limit(subject=who.organization.id, resource="accounts", limit=1)
        with refused("limit_reached", None, 409, says=f"The limit of accounts at {level} is reached"):
            order(ground, "more.org")
        with everything("test"):
            limits.set_limit(subject=who.organization.id, resource="accounts", limit=None)
    with everything("test"):
        limits.set_limit(subject=people.client_a.organization.id, resource="accounts", limit=2)
    order(ground, "more.org")
    with refused("limit_reached", None, 409, says="this organization"):
        order(ground, "still-more.org")


def test_a_limit_of_none_is_unlimited_and_of_zero_none(ground: Ground):
    nothing = factories.package(ground.cast.reseller_a.organization, "Nothing", mailboxes=0, databases=None)
    hosting, _operation = order(ground, "empty.org", package=nothing)
    with acting(ground.cast.client_a):
        mail_domain = MailDomain.objects.get(hosting=hosting)
        actor = ground.cast.client_a.actor
        with refused("limit_reached", None, 409, says="this hosting account is reached: 0 of 0"):
            mailboxes.create(actor=actor, mail_domain=mail_domain, local="a", password=PASSWORD)
        for number in range(3):
            databases.create(actor=actor, hosting=hosting, name=f"db{number}")


def test_the_least_loaded_open_server_gets_the_account(ground: Ground):
    other = factories.server(ground.cast.provider.organization, "web2")
    first, _operation = order(ground, "one.org")
    assert Placement._base_manager.filter(hosting=first, server=other).count() == 4
    with everything("test"):
        servers.change(actor=SYSTEM, server=other, closed=True)
    second, _operation = order(ground, "two.org")
    assert set(Placement._base_manager.filter(hosting=second).values_list("server", flat=True)) == {ground.server.id}


@pytest.mark.parametrize(
    "values",
    [
        {"closed": True},
        {"state": "preparing"},
        {"state": "failed"},
        {"role_mail": False},
        {"role_dns": False},
        {"unreachable_since": timezone.now()},
    ],
    ids=lambda values: next(iter(values)),
)
def test_no_account_goes_to_a_server_that_can_not_take_it(ground: Ground, values: dict[str, Any]):
    Server.objects.filter(pk=ground.server.pk).update(**values)
    with refused("no_server", "server", 409):
        order(ground, "late.org")


def test_a_reserved_server_is_for_its_resellers_only(ground: Ground):
    ground.server.reserved_for.add(ground.cast.reseller_b.organization)
    with refused("no_server", "server", 409):
        order(ground, "late.org")
    ground.server.reserved_for.add(ground.cast.reseller_a.organization)
    assert order(ground, "late.org")[0].domain == "late.org"


def test_servers_are_the_providers_to_choose(ground: Ground):
    with refused("not_found", None, 404):
        order(ground, "chosen.org", server=ground.server)
    with everything("test"):
        made, _operation = hosting_accounts.create(
            actor=ground.cast.provider.actor,
            organization=ground.cast.client_a.organization,
            package=ground.package_a,
            domain="chosen.org",
            server=ground.server,
        )
    assert made.pk


def test_only_clients_get_accounts_and_only_active_ones(ground: Ground):
    with refused("kind", "organization"):
        order(ground, "own.org", organization=ground.cast.reseller_a.organization)
    with everything("test"):
        organizations.suspend(actor=SYSTEM, organization=ground.cast.client_a.organization)
    with refused("conflict", "organization", 409):
        order(ground, "late.org")


def test_a_package_must_be_on_sale_and_of_a_seller_above(ground: Ground):
    with refused("not_found", None, 404):
        order(ground, "cheap.org", package=ground.package_b)
    with everything("test"):
        packages.remove(actor=SYSTEM, package=ground.package_a)
    with refused("package", "package"):
        order(ground, "late.org")
    sold_elsewhere = factories.package(ground.cast.sub_reseller.organization)
    with refused("package", "package"):
        order(ground, "late.org", package=sold_elsewhere)


def test_clients_and_readonly_staff_order_nothing(ground: Ground):
    for person in (ground.cast.client_a, ground.cast.readonly_a):
        with acting(person), refused("forbidden", None, 403):
            hosting_accounts.create(
                actor=person.actor,
                organization=ground.cast.client_a.organization,
                package=ground.package_a,
                domain="mine.org",
            )
    with acting(ground.cast.reseller_b), refused("not_found", None, 404):
        hosting_accounts.create(
            actor=ground.cast.reseller_b.actor,
            organization=ground.cast.client_a.organization,
            package=ground.package_b,
            domain="theirs.org",
        )


def test_who_suspended_decides_who_releases(ground: Ground):
    reseller, provider = ground.cast.reseller_a, ground.cast.provider
    with everything("test"):
        hosting_accounts.suspend(actor=reseller.actor, hosting=ground.account_a, reason="unpaid")
        with refused("not_active", None, 409):
            hosting_accounts.suspend(actor=reseller.actor, hosting=ground.account_a)
        hosting_accounts.suspend(actor=provider.actor, hosting=ground.account_a, reason="spam")
        with refused("forbidden", None, 403):
            hosting_accounts.unsuspend(actor=reseller.actor, hosting=ground.account_a)
        hosting_accounts.unsuspend(actor=provider.actor, hosting=ground.account_a)
        with refused("not_suspended", None, 409):
            hosting_accounts.unsuspend(actor=provider.actor, hosting=ground.account_a)
    ground.account_a.refresh_from_db()
    assert (ground.account_a.status, ground.account_a.suspended_by, ground.account_a.suspended_reason) == (
        "active",
        None,
        "",
    )


def test_nothing_changes_in_an_account_that_is_not_active(ground: Ground):
    actor = ground.cast.client_a.actor
    zone, mail_domain, site = ground.zone, ground.mail_domain, ground.site
    with everything("test"):
        hosting_accounts.suspend(actor=SYSTEM, hosting=ground.account_a)
        with refused("not_active", None, 409):
            databases.create(actor=actor, hosting=ground.account_a, name="shop")
        with refused("not_active", None, 409):
            zones.add_record(actor=actor, zone=zone, type="A", name="x", content="198.51.100.9")
        with refused("not_active", None, 409):
            mail_aliases.create(actor=actor, mail_domain=mail_domain, local="x", destinations=["a@b.org"])
        with refused("not_active", None, 409):
            sites.add_alias(actor=actor, site=site, hostname="x.a-site.org")


def test_termination_must_be_confirmed_by_name(ground: Ground):
    with acting(ground.cast.reseller_a), refused("confirm", "confirm"):
        hosting_accounts.terminate(actor=ground.cast.reseller_a.actor, hosting=ground.account_a, confirm="b-site.org")


def test_termination_gives_back_all_that_the_account_counted(ground: Ground):
    people, actor = ground.cast, ground.cast.client_a.actor
    for resource in ("accounts", "mailboxes", "aliases", "databases", "database_users", "records", "alias_domains"):
        with everything("test"):
            limits.set_limit(subject=people.reseller_a.organization.id, resource=resource, limit=10)
    before = {resource: used(people.reseller_a.organization.id, resource) for resource in limits.RESOURCES}
    hosting, _operation = order(ground, "full.org")
    with everything("test"):
        mail_domain, zone = MailDomain.objects.get(hosting=hosting), Zone.objects.get(hosting=hosting)
        mailboxes.create(actor=actor, mail_domain=mail_domain, local="a", password=PASSWORD)
        mail_aliases.create(actor=actor, mail_domain=mail_domain, local="b", destinations=["a@full.org"])
        databases.create(actor=actor, hosting=hosting, name="shop")
        database_users.create(actor=actor, hosting=hosting, name="shop", password=PASSWORD)
        zones.add_record(actor=actor, zone=zone, type="TXT", name="x", content="y")
        sites.add_alias(actor=SYSTEM, site=Site.objects.get(hosting=hosting), hostname="full-alias.org")
        assert used(people.reseller_a.organization.id, "mailboxes") == 1
        hosting_accounts.terminate(actor=people.reseller_a.actor, hosting=hosting, confirm="full.org")
    after = {resource: used(people.reseller_a.organization.id, resource) for resource in limits.RESOURCES}
    assert after == before
    assert {used(hosting.id, resource) for resource in limits.RESOURCES} == {0}


def test_termination_leaves_data_until_its_deadline_and_names_until_it_is_destroyed(ground: Ground, settings):
    settings.TERMINATION_GRACE_DAYS = 7
    with everything("test"):
        databases.create(actor=SYSTEM, hosting=ground.account_a, name="shop")
        Intent.objects.all().delete()
        hosting_accounts.terminate(actor=SYSTEM, hosting=ground.account_a, confirm="a-site.org")
        assert [intent.confirmed for intent in dirty(ground.account_a)] == [True]
        keys = set(Tombstone.objects.values_list("key", flat=True))
        assert keys == {
            "database:asite_shop",
            "directory:/home/asite/mail",
            "directory:/home/asite",
            "directory:/var/log/hostwright/asite",
            "user:asite",
        }
        days = {round((row.due_at - timezone.now()) / timedelta(days=1)) for row in Tombstone.objects.all()}
        assert days == {7}
        hosting_accounts.purged(hosting_ids=[ground.account_a.id])
        assert Domain.objects.filter(hosting=ground.account_a).exists()
        with refused("terminated", None, 409):
            hosting_accounts.terminate(actor=SYSTEM, hosting=ground.account_a, confirm="a-site.org")
    with acting(ground.cast.reseller_b), pytest.raises(Conflict):
        hosting_accounts.create(
            actor=ground.cast.reseller_b.actor,
            organization=ground.cast.client_b.organization,
            package=ground.package_b,
            domain="a-site.org",
        )
    Tombstone.objects.update(destroyed_at=timezone.now())
    with everything("test"):
        hosting_accounts.purged(hosting_ids=[ground.account_a.id])
    with acting(ground.cast.reseller_b):
        again, _operation = hosting_accounts.create(
            actor=ground.cast.reseller_b.actor,
            organization=ground.cast.client_b.organization,
            package=ground.package_b,
            domain="a-site.org",
        )
    assert again.username == "asite1"


def test_strangers_can_not_end_an_account(ground: Ground):
    with everything("test"):
        for person, error in (
            (ground.cast.reseller_b, NotFound),
            (ground.cast.outsider, NotFound),
            (ground.cast.client_b, NotFound),
            (ground.cast.client_a, Forbidden),
            (ground.cast.readonly_a, Forbidden),
        ):
            with pytest.raises(error):
                hosting_accounts.terminate(actor=person.actor, hosting=ground.account_a, confirm="a-site.org")
            with pytest.raises(error):
                hosting_accounts.suspend(actor=person.actor, hosting=ground.account_a)
    ground.account_a.refresh_from_db()
    assert ground.account_a.status == "active"
