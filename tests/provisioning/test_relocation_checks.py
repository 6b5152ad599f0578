"""What keeps a client or an account from going to another seller: servers, features, packages and promises there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Organization, ResellerPlan
from accounts.services import plans as plan_service
from panel.core.errors import Conflict
from panel.core.scoping import everything
from provisioning.models import DatabaseUser, HostingAccount, Overuse, Package, Server
from provisioning.services import (
    database_users,
    databases,
    mail_aliases,
    overrides,
    plan_servers,
    relocations,
    sites,
    zones,
)
from tests.provisioning import factories
from tests.provisioning.ground import Ground, acting, refused

SYSTEM = factories.SYSTEM


def sell(ground: Ground, seller: Organization | None = None, **values: Any) -> ResellerPlan:
    """Give reseller B (or `seller`) a plan of the provider's."""
    with everything("test"):
        plan = plan_service.create(
            actor=SYSTEM, organization=ground.cast.provider.organization, name="Studio", **values
        )
        plan_service.assign(actor=SYSTEM, organization=seller or ground.cast.reseller_b.organization, plan=plan)
    return plan


def allow(plan: ResellerPlan, *servers: Server) -> None:
    with everything("test"):
        plan_servers.set(actor=SYSTEM, plan=plan, servers=servers)


def move(ground: Ground, package: Package | None = None) -> None:
    """Move client A to reseller B."""
    provider = ground.cast.provider
    with acting(provider):
        relocations.move_client(
            actor=provider.actor,
            organization=ground.cast.client_a.organization,
            parent=ground.cast.reseller_b.organization,
            package=package or ground.package_b,
        )


def move_account(ground: Ground) -> None:
    """Move the account of client A to client B."""
    provider = ground.cast.provider
    with acting(provider):
        relocations.move_account(
            actor=provider.actor,
            hosting=ground.account_a,
            organization=ground.cast.client_b.organization,
            package=ground.package_b,
        )


def impact(ground: Ground, package: Package | None = None) -> relocations.Impact:
    provider = ground.cast.provider
    with acting(provider):
        return relocations.impact(
            actor=provider.actor,
            organization=ground.cast.client_a.organization,
            parent=ground.cast.reseller_b.organization,
            package=package or ground.package_b,
        )


def test_the_account_s_server_has_to_be_one_of_the_new_plan_s(ground: Ground) -> None:
    other = factories.server(ground.cast.provider.organization, "web2", "198.51.100.3")
    plan = sell(ground)
    allow(plan, other)
    (row,) = impact(ground).obstacles
    assert (row.code, row.rule, row.level) == ("server_not_allowed", "servers", "the plan of Bureau B")
    assert "a-site.org" in row.message
    assert "web1.platform.example" in row.message
    assert "Add web1.platform.example to the servers of that plan" in row.remedy
    with refused("server_not_allowed", "parent", 409, says=row.remedy):
        move(ground)
    with refused("server_not_allowed", "organization", 409, says="a-site.org"):
        move_account(ground)
    allow(plan, other, ground.server)
    assert impact(ground).obstacles == []
    move(ground)


def test_a_server_that_is_reserved_for_others_is_left_by_nobody_s_move(ground: Ground) -> None:
    ground.server.reserved_for.add(ground.cast.reseller_a.organization)
    with refused("server_not_allowed", "parent", 409, says="reserved for others"):
        move(ground)
    ground.server.reserved_for.add(ground.cast.reseller_b.organization)
    move(ground)


@pytest.mark.parametrize("rule", ["plan", "reservation"])
def test_who_may_not_know_servers_reads_what_they_are_for(ground: Ground, rule: str) -> None:
    reseller, sub = ground.cast.reseller_a, ground.cast.sub_reseller
    if rule == "plan":
        other = factories.server(ground.cast.provider.organization, "web2", "198.51.100.3")
        allow(sell(ground, sub.organization), other)
    else:
        ground.server.reserved_for.add(ground.cast.client_a.organization)
    with acting(reseller):
        (row,) = relocations.impact(
            actor=reseller.actor, organization=ground.cast.client_a.organization, parent=sub.organization
        ).obstacles
    assert (row.code, row.rule) == ("server_not_allowed", "servers")
    assert "on Server for web sites, databases, DNS and mail" in row.message
    said = f"{row.message} {row.level} {row.remedy}"
    assert "web1" not in said
    with acting(reseller), refused("server_not_allowed", "parent", 409, says=row.message):
        relocations.move_client(
            actor=reseller.actor, organization=ground.cast.client_a.organization, parent=sub.organization
        )


def test_servers_that_both_ends_live_under_are_not_asked_again(ground: Ground) -> None:
    """A plan that was narrowed later leaves what is there, and what moves below it stays below it."""
    reseller, sub = ground.cast.reseller_a, ground.cast.sub_reseller
    other = factories.server(ground.cast.provider.organization, "web2", "198.51.100.3")
    allow(sell(ground, reseller.organization), other)
    with acting(reseller):
        relocations.move_client(
            actor=reseller.actor, organization=ground.cast.client_a.organization, parent=sub.organization
        )


def _database(ground: Ground) -> None:
    databases.create(actor=SYSTEM, hosting=ground.account_a, name="shop")


def _remote(ground: Ground) -> None:
    database_users.create(
        actor=SYSTEM,
        hosting=ground.account_a,
        name="far",
        password="a-Pass.word'1",
        databases=[],
        host=DatabaseUser.Host.ANY,
    )


def _alias(ground: Ground) -> None:
    mail_aliases.create(actor=SYSTEM, mail_domain=ground.mail_domain, local="info", destinations=["x@elsewhere.org"])


def _name(ground: Ground) -> None:
    sites.add_alias(actor=SYSTEM, site=ground.site, hostname="shop.a-site.org")


def _record(ground: Ground) -> None:
    zones.add_record(actor=SYSTEM, zone=ground.zone, name="x", type="TXT", content="text", ttl=300)


@pytest.mark.parametrize(
    ("feature", "use"),
    [
        ("databases", _database),
        ("remote_databases", _remote),
        ("mail", _alias),
        ("site_aliases", _name),
        ("dns", _record),
    ],
)
def test_what_is_in_use_has_to_be_in_the_new_plan(ground: Ground, feature: str, use: Callable[[Ground], None]) -> None:
    features = [name for name in ResellerPlan._meta.get_field("features").get_default() if name != feature]
    with everything("test"):
        ground.package_b.features = features
        ground.package_b.save()
    sell(ground, features=features)
    assert impact(ground).obstacles == []
    with everything("test"):
        use(ground)
    (row,) = impact(ground).obstacles
    assert (row.code, row.rule) == ("not_in_plan", feature)
    with refused("not_in_plan", "parent", 409, says="a-site.org: in use there"):
        move(ground)
    with refused("not_in_plan", "organization", 409):
        move_account(ground)


def test_one_account_is_promised_no_more_than_the_new_plan_lets_it(ground: Ground) -> None:
    """A package of the provider's goes along, whatever the reseller's own packages may promise."""
    everywhere = factories.package(ground.cast.provider.organization, "Everywhere", mailboxes=50)
    with everything("test"):
        HostingAccount.objects.filter(pk=ground.account_a.pk).update(package=everywhere)
    sell(ground, account_mailboxes=10)
    (row,) = impact(ground).obstacles
    assert (row.code, row.rule) == ("over_plan", "mailboxes")
    with refused("over_plan", "parent", 409, says="a-site.org, Mailboxes"):
        move(ground)
    with everything("test"):
        hosting = HostingAccount.objects.get(pk=ground.account_a.pk)
        overrides.set(actor=SYSTEM, hosting=hosting, resource="mailboxes", limit=5, reason="Small")
    assert impact(ground).obstacles == []
    move(ground)


def test_a_package_carries_no_more_accounts_than_the_new_plan_lets_it(ground: Ground) -> None:
    sell(ground, accounts_per_package=1)
    (row,) = impact(ground).obstacles
    assert row.code == "accounts_per_package"
    assert "2 accounts" in row.message
    with refused("accounts_per_package", "parent", 409):
        move(ground)
    second = factories.package(ground.cast.reseller_b.organization, "Second")
    assert impact(ground, second).obstacles == []
    move(ground, second)


def test_who_uses_more_than_bought_gets_nobody_else_s_accounts(ground: Ground) -> None:
    seller = ground.cast.reseller_b.organization
    sell(ground, disk_bytes=10**9, oversell_disk=True)
    Overuse._base_manager.create(organization=seller, resource="disk_bytes", used=2 * 10**9, limit=10**9)
    assert [row.code for row in impact(ground).obstacles] == ["limit_reached"]
    with refused("limit_reached", "parent", 409):
        move(ground)


def test_all_that_is_in_the_way_is_said_at_once_in_page_and_api(ground: Ground) -> None:
    other = factories.server(ground.cast.provider.organization, "web2", "198.51.100.3")
    allow(sell(ground, accounts_per_package=1), other)
    with pytest.raises(Conflict) as caught:
        move(ground)
    assert len(caught.value.errors["parent"]) == 2
    assert set(caught.value.params) == {"rule", "level", "remedy"}
    client, seller = ground.cast.client_a.organization, ground.cast.reseller_b.organization
    wanted = {"parent": seller.pk, "package": ground.package_b.pk}
    program, base = ground.cast.provider.program(), f"/api/v1/organizations/{client.pk}/move"
    said = program.post(f"{base}/impact", wanted, content_type="application/json").json()["obstacles"]
    assert [row["rule"] for row in said] == ["servers", "accounts_per_package"]
    answer = program.post(base, wanted, content_type="application/json")
    assert (answer.status_code, answer.json()["code"], answer.json()["rule"]) == (
        409,
        "server_not_allowed",
        "servers",
    )
    page = f"/clients/{client.pk}/move/confirm/?parent={seller.pk}&package={ground.package_b.pk}"
    shown = ground.cast.provider.browser().get(page).content.decode()
    alert = shown.partition('role="alert"')[2].partition("</ul>")[0]
    assert (alert.count("<li"), "would carry 2 accounts" in alert) == (2, True)
    assert 'type="submit"' not in shown.partition("card-footer")[2].partition("</form>")[0]


def test_sites_keep_a_php_version_that_the_new_package_lacks_and_the_impact_says_so(ground: Ground) -> None:
    old = factories.package(ground.cast.reseller_b.organization, "Old", php_versions=["8.2"])
    assert [site.php_version for site in impact(ground, old).other_php] == ["8.4"]
    assert impact(ground).other_php == []
