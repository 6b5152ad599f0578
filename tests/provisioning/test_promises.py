"""What packages promise: within the seller's plan, counted at every level above, with exceptions and features."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import LimitCounter, Organization, ResellerPlan
from accounts.services import limits, plans
from panel.core.actors import Actor
from panel.core.errors import LimitReached
from panel.core.scoping import everything
from provisioning.models import HostingAccount, LimitOverride, Operation, Package
from provisioning.selectors import limits as lines
from provisioning.selectors import packages as selectors
from provisioning.services import (
    database_users,
    databases,
    hosting_accounts,
    mail_aliases,
    mailboxes,
    overrides,
    packages,
    plan_servers,
    sites,
    zones,
)
from tests.provisioning import factories
from tests.provisioning.ground import Ground, acting, dirty, entries, refused, used

SYSTEM = Actor.system("test")
GB = 1_000_000_000
PASSWORD = "correct horse 42"


def under(ground: Ground, who: str = "reseller_a", **values: Any) -> ResellerPlan:
    """Give a reseller a new plan of the provider."""
    with everything("test"):
        provider = ground.cast.provider.organization
        plan = plans.create(actor=SYSTEM, organization=provider, name=f"Of {who}", **values)
        plans.assign(actor=SYSTEM, organization=getattr(ground.cast, who).organization, plan=plan)
    return plan


def sold(ground: Ground, name: str = "Small", **values: Any) -> Package:
    """Put a package of reseller A on sale."""
    return factories.package(ground.cast.reseller_a.organization, name, **values)


def limit(subject: str, resource: str) -> int | None:
    """Return the limit of a counter."""
    return LimitCounter.objects.get(subject=subject, resource=resource).limit


def test_what_is_promised_counts_at_every_level_and_comes_back(ground: Ground):
    reseller, provider = ground.cast.reseller_a.organization, ground.cast.provider.organization
    with everything("test"):
        limits.set_limit(subject=provider.id, resource="disk_bytes", limit=100 * GB)
    small = sold(ground, disk_bytes=10 * GB, bandwidth_bytes=50 * GB)
    first = factories.account(ground.cast.client_a.organization, small, "one-site.org")
    factories.account(ground.cast.client_sub.organization, small, "two-site.org")
    with everything("test"):
        limits.set_limit(subject=reseller.id, resource="disk_bytes", limit=25 * GB)
    assert used(reseller.id, "disk_bytes") == used(provider.id, "disk_bytes") == 20 * GB
    assert limits.used_by(reseller, "bandwidth_bytes") == 100 * GB
    assert (limit(first.id, "disk_bytes"), used(first.id, "disk_bytes")) == (10 * GB, 0)
    with everything("test"):
        order: dict[str, Any] = {"actor": SYSTEM, "organization": ground.cast.client_a.organization, "package": small}
        with refused("limit_reached", None, 409, says="leaves too little"):
            hosting_accounts.create(**order, domain="three-site.org")
        hosting_accounts.terminate(actor=SYSTEM, hosting=first, confirm=first.domain)
        assert used(reseller.id, "disk_bytes") == 10 * GB
        hosting_accounts.create(**order, domain="three-site.org")
        with refused("limit_reached", None, 409):
            hosting_accounts.restore(actor=SYSTEM, hosting=first)
        limits.set_limit(subject=reseller.id, resource="disk_bytes", limit=30 * GB)
        hosting_accounts.restore(actor=SYSTEM, hosting=first)
    assert used(reseller.id, "disk_bytes") == used(provider.id, "disk_bytes") == 30 * GB


def test_an_unlimited_package_does_not_fit_where_there_is_a_limit(ground: Ground):
    with everything("test"):
        limits.set_limit(subject=ground.cast.reseller_a.organization.id, resource="disk_bytes", limit=100 * GB)
        with refused("limit_reached", None, 409, says="unlimited amount"):
            hosting_accounts.create(
                actor=SYSTEM,
                organization=ground.cast.client_a.organization,
                package=ground.package_a,
                domain="new-site.org",
            )


def test_a_change_of_a_package_moves_what_is_promised(ground: Ground):
    reseller = ground.cast.reseller_a.organization
    small = sold(ground, disk_bytes=10 * GB, bandwidth_bytes=0)
    accounts = [
        factories.account(ground.cast.client_a.organization, small, f"site-{number}.org") for number in range(2)
    ]
    accounts.append(factories.account(ground.cast.client_sub.organization, small, "site-3.org"))
    with everything("test"):
        limits.set_limit(subject=reseller.id, resource="disk_bytes", limit=50 * GB)
        with refused("limit_reached", None, 409):
            packages.change(actor=SYSTEM, package=small, disk_bytes=20 * GB)
        with refused("limit_reached", None, 409, says="unlimited amount"):
            packages.change(actor=SYSTEM, package=small, disk_bytes=None)
        before = [len(dirty(row)) for row in accounts]
        packages.change(actor=SYSTEM, package=small, disk_bytes=15 * GB, mailboxes=3)
        assert used(reseller.id, "disk_bytes") == limits.used_by(reseller, "disk_bytes") == 45 * GB
        assert [limit(row.id, "disk_bytes") for row in accounts] == [15 * GB] * 3
        assert [len(dirty(row)) for row in accounts] == [count + 1 for count in before]
        assert Operation.objects.filter(verb="package.change").count() == 1
        packages.change(actor=SYSTEM, package=small, disk_bytes=0)
    assert used(reseller.id, "disk_bytes") == 0


@pytest.mark.parametrize(
    ("plan", "values", "field"),
    [
        ({"disk_bytes": 100 * GB}, {"disk_bytes": None}, "disk_bytes"),
        ({"disk_bytes": 100 * GB}, {"disk_bytes": 101 * GB}, "disk_bytes"),
        ({"disk_bytes": 100 * GB, "oversell_disk": True}, {"disk_bytes": 101 * GB}, "disk_bytes"),
        ({"account_disk_bytes": 5 * GB}, {"disk_bytes": 6 * GB}, "disk_bytes"),
        ({"account_mailboxes": 5}, {"mailboxes": None}, "mailboxes"),
        ({"mailboxes": 5}, {"mailboxes": 6}, "mailboxes"),
        ({"features": ["dns", "mail"]}, {"features": ["dns", "databases"]}, "features"),
    ],
)
def test_a_package_promises_no_more_than_the_seller_s_plan(
    ground: Ground, plan: dict[str, Any], values: dict[str, Any], field: str
):
    with everything("test"):
        limits.set_limits_of_account(subject=ground.account_a.id, limits={"disk_bytes": 0, "bandwidth_bytes": 0})
    under(ground, **plan)
    with acting(ground.cast.reseller_a), refused(None, field):
        packages.create(
            actor=ground.cast.reseller_a.actor,
            organization=ground.cast.reseller_a.organization,
            name="New",
            **{"disk_bytes": GB, "mailboxes": 1, "features": ["dns"], **values},
        )


def test_an_oversold_plan_lets_packages_promise_without_end(ground: Ground):
    under(ground, disk_bytes=100 * GB, oversell_disk=True, mailboxes=5)
    endless = sold(ground, disk_bytes=None, mailboxes=None, features=["dns"])
    factories.account(ground.cast.client_a.organization, endless, "new-site.org")
    assert limit(ground.cast.reseller_a.organization.id, "disk_bytes") is None


def test_a_plan_s_accounts_per_package(ground: Ground):
    under(ground, accounts_per_package=1, resellers_allowed=True)
    with everything("test"):
        order: dict[str, Any] = {"actor": SYSTEM, "organization": ground.cast.client_a.organization}
        with refused("accounts_per_package", "package", 409, says="Basic carries 1"):
            hosting_accounts.create(**order, package=ground.package_a, domain="new-site.org")
        small = sold(ground)
        made = hosting_accounts.create(**order, package=small, domain="new-site.org")[0]
        with refused("accounts_per_package", "package", 409):
            packages.move(actor=SYSTEM, hosting=ground.account_a, package=small)
        hosting_accounts.terminate(actor=SYSTEM, hosting=made, confirm=made.domain)
        packages.move(actor=SYSTEM, hosting=ground.account_a, package=small)


def test_another_package_gives_its_limits_and_keeps_what_is_there(ground: Ground):
    hosting = ground.account_a
    small = sold(ground, disk_bytes=10 * GB, mailboxes=1, databases=0, php_versions=["8.2"])
    with everything("test"):
        for local in ("anna", "berta"):
            mailboxes.create(actor=SYSTEM, mail_domain=ground.mail_domain, local=local, password=PASSWORD)
        found = selectors.impact([hosting], small.limits, small.php_versions)
        assert [(row.resource, row.used, row.limit) for row in found.overs] == [("mailboxes", 2, 1)]
        assert [site.domain.name for site in found.other_php] == [hosting.domain]
    with acting(ground.cast.reseller_a):
        made, operation = packages.move(actor=ground.cast.reseller_a.actor, hosting=hosting, package=small)
    assert (made.package, operation.verb) == (small, "account.change_package")
    assert (limit(hosting.id, "mailboxes"), used(hosting.id, "mailboxes")) == (1, 2)
    assert limit(hosting.id, "disk_bytes") == 10 * GB
    assert limits.used_by(ground.cast.reseller_a.organization, "disk_bytes") == 10 * GB
    assert entries("account.change_package") == 1
    with everything("test"):
        with refused("limit_reached", None, 409):
            mailboxes.create(actor=SYSTEM, mail_domain=ground.mail_domain, local="carla", password=PASSWORD)
        with refused("same", "package", 409):
            packages.move(actor=SYSTEM, hosting=hosting, package=small)
        with refused(None, "package"):
            packages.move(actor=SYSTEM, hosting=hosting, package=ground.package_b)
        packages.remove(actor=SYSTEM, package=ground.package_a)
        with refused(None, "package"):
            packages.move(actor=SYSTEM, hosting=hosting, package=ground.package_a)


def test_an_exception_holds_until_it_is_taken_back(ground: Ground):
    hosting, seller = ground.account_a, ground.cast.reseller_a
    with acting(seller):
        packages.change(actor=seller.actor, package=ground.package_a, mailboxes=1, disk_bytes=10 * GB)
        order: dict[str, Any] = {"actor": seller.actor, "hosting": hosting}
        overrides.set(**order, resource="mailboxes", limit=0, reason="Moves to us next month")
        overrides.set(**order, resource="disk_bytes", limit=30 * GB, reason="A gift")
        assert (limit(hosting.id, "mailboxes"), limit(hosting.id, "disk_bytes")) == (0, 30 * GB)
        assert limits.used_by(seller.organization, "disk_bytes") == 30 * GB
        packages.change(actor=seller.actor, package=ground.package_a, mailboxes=5, disk_bytes=20 * GB)
        assert (limit(hosting.id, "mailboxes"), limit(hosting.id, "disk_bytes")) == (0, 30 * GB)
        found = {line.resource: line for line in lines.of_account(HostingAccount.objects.get(pk=hosting.pk))}
        assert (found["mailboxes"].source, found["mailboxes"].reason) == ("override", "Moves to us next month")
        assert found["databases"].source == "none"
        overrides.remove(**order, resource="mailboxes")
        overrides.remove(**order, resource="disk_bytes")
        with refused("not_found", None, 404):
            overrides.remove(**order, resource="mailboxes")
    assert (limit(hosting.id, "mailboxes"), limit(hosting.id, "disk_bytes")) == (5, 20 * GB)
    assert limits.used_by(seller.organization, "disk_bytes") == 20 * GB
    assert entries("account.override") == 4


def test_only_who_sells_the_package_makes_exceptions_and_within_the_plan(ground: Ground):
    values: dict[str, Any] = {"resource": "mailboxes", "limit": 9, "reason": "x"}
    mine = factories.account(ground.cast.client_sub.organization, ground.package_a, "sub-site.org")
    with everything("test"):
        for person in (ground.cast.client_a, ground.cast.readonly_a):
            with refused("forbidden", None, 403):
                overrides.set(actor=person.actor, hosting=ground.account_a, **values)
        with refused("forbidden", None, 403, says="who sells the package"):
            overrides.set(actor=ground.cast.sub_reseller.actor, hosting=mine, **values)
        with refused("not_found", None, 404):
            overrides.set(actor=ground.cast.reseller_b.actor, hosting=ground.account_a, **values)
        for wrong, field in (({"resource": "shell"}, "resource"), ({"limit": -1}, None), ({"reason": ""}, "reason")):
            with refused(None, field):
                overrides.set(actor=SYSTEM, hosting=ground.account_a, **{**values, **wrong})
    under(ground, account_mailboxes=8, resellers_allowed=True)
    with everything("test"):
        with refused("over_plan", "limit", says="at most 8"):
            overrides.set(actor=SYSTEM, hosting=ground.account_a, **values)
        assert not LimitOverride.objects.exists()


def test_what_the_package_does_not_include_is_refused_with_the_way_out(ground: Ground):
    hosting = ground.account_a
    with everything("test"):
        record = zones.add_record(actor=SYSTEM, zone=ground.zone, type="A", name="x", content="198.51.100.9")[0]
        packages.change(actor=SYSTEM, package=ground.package_a, features=[])
        attempts: list[Any] = [
            lambda actor: sites.add_alias(actor=actor, site=ground.site, hostname=f"x.{hosting.domain}"),
            lambda actor: databases.create(actor=actor, hosting=hosting, name="d"),
            lambda actor: database_users.create(actor=actor, hosting=hosting, name="u", password=PASSWORD),
            lambda actor: zones.remove_record(actor=actor, record=record),
            lambda actor: mailboxes.create(actor=actor, mail_domain=ground.mail_domain, local="a", password=PASSWORD),
            lambda actor: mail_aliases.create(
                actor=actor, mail_domain=ground.mail_domain, local="a", destinations=["x@y.org"]
            ),
        ]
        for attempt in attempts:
            for actor in (ground.cast.client_a.actor, ground.cast.reseller_a.actor):
                with refused("not_included", None, 409, says="package that does"):
                    attempt(actor)
        packages.change(actor=SYSTEM, package=ground.package_a, features=["databases", "dns"])
        databases.create(actor=SYSTEM, hosting=hosting, name="d")
    under(ground, features=["dns"])
    with everything("test"):
        assert selectors.features_of(HostingAccount.objects.get(pk=hosting.pk)) == {"dns"}
        with refused("not_included", None, 409, says="The plan under which"):
            databases.create(actor=SYSTEM, hosting=hosting, name="e")
        zones.remove_record(actor=SYSTEM, record=record)


def test_sites_get_the_newest_php_that_the_package_allows(ground: Ground):
    with everything("test"):
        ground.server.php_versions = ["8.2", "8.10", "8.4"]
        ground.server.save()
    some = sold(ground, php_versions=["8.2", "8.4"])
    made = factories.account(ground.cast.client_a.organization, some, "new-site.org")
    with everything("test"):
        assert made.sites.get().php_version == "8.4"
        packages.change(actor=SYSTEM, package=some, php_versions=["7.4"])
        with refused("php_versions", "package", 409, says="7.4"):
            hosting_accounts.create(
                actor=SYSTEM, organization=ground.cast.client_a.organization, package=some, domain="old-site.org"
            )
        for wrong in (["8"], ["8.4", "8.4"], "8.4", [["8.4"]], [8.4]):
            with refused(None, "php_versions"):
                packages.change(actor=SYSTEM, package=some, php_versions=wrong)


def test_new_accounts_are_on_the_servers_of_every_plan_above(ground: Ground):
    other = factories.server(ground.cast.provider.organization, "web2", "198.51.100.3")
    plan = under(ground, resellers_allowed=True)
    actor = ground.cast.provider.actor
    with everything("test"):
        plan_servers.set(actor=actor, plan=plan, servers=[other])
        for person, domain in ((ground.cast.client_a, "one-site.org"), (ground.cast.client_sub, "two-site.org")):
            made = factories.account(person.organization, ground.package_a, domain)
            assert {row.server for row in made.placements.all()} == {other}
        elsewhere = factories.account(ground.cast.client_b.organization, ground.package_b, "three-site.org")
        assert {row.server for row in elsewhere.placements.all()} == {ground.server}
        with refused("no_server", "server", 409):
            hosting_accounts.create(
                actor=SYSTEM,
                organization=ground.cast.client_a.organization,
                package=ground.package_a,
                domain="four-site.org",
                server=ground.server,
            )
        seller = Organization.objects.get(pk=ground.cast.reseller_a.organization.pk)
        own = plans.create(actor=SYSTEM, organization=seller, name="Own")
        with refused("forbidden", None, 403):
            plan_servers.set(actor=ground.cast.reseller_a.actor, plan=own, servers=[])
        plan_servers.set(actor=actor, plan=plan, servers=[])
        factories.account(ground.cast.client_a.organization, ground.package_a, "five-site.org")


def test_a_line_says_the_level_that_is_in_the_way(ground: Ground):
    reseller = ground.cast.reseller_a.organization
    with everything("test"):
        packages.change(actor=SYSTEM, package=ground.package_a, mailboxes=0, databases=5)
        limits.set_limit(subject=reseller.id, resource="databases", limit=0)
        limits.set_limit(subject=reseller.id, resource="aliases", limit=10)
        found = {line.resource: line for line in lines.of_account(HostingAccount.objects.get(pk=ground.account_a.pk))}
    assert set(found) == set(Package.LIMITS)
    boxes, bases = found["mailboxes"].refusal, found["databases"].refusal
    assert isinstance(boxes, LimitReached)
    assert isinstance(bases, LimitReached)
    assert (boxes.level, boxes.used, boxes.limit) == ("this hosting account", 0, 0)
    assert (bases.level, found["databases"].limit) == ("the reseller", 5)
    assert bases.remedy in found["databases"].why_not
    assert found["aliases"].one_more
