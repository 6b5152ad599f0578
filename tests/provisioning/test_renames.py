"""Renaming an account: what follows its new domain and user name, what is let go, what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import (
    Domain,
    HostingAccount,
    MailAlias,
    MailDomain,
    Move,
    Operation,
    Record,
    SiteName,
    Slice,
    Zone,
)
from provisioning.services import (
    database_users,
    databases,
    hosting_accounts,
    mail_aliases,
    mailboxes,
    renames,
    sites,
    zones,
)
from tests.provisioning import factories
from tests.provisioning.ground import Ground, acting, dirty, entries, refused

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"


def rename(ground: Ground, **names: str) -> Operation:
    """Rename account A as reseller A does."""
    with acting(ground.cast.reseller_a):
        return renames.rename(actor=ground.cast.reseller_a.actor, hosting=ground.account_a, **names)


def account(ground: Ground) -> HostingAccount:
    return HostingAccount._base_manager.get(pk=ground.account_a.pk)


def moves(ground: Ground) -> list[tuple[str, str]]:
    rows = Move.objects.filter(slice__hosting=ground.account_a).order_by("id")
    return list(rows.values_list("from_key", "to_key"))


def test_site_zone_and_mail_follow_the_new_domain(ground: Ground):
    with everything("test"):
        sites.add_alias(actor=SYSTEM, site=ground.site, hostname="shop.a-site.org")
        sites.add_alias(actor=SYSTEM, site=ground.site, hostname="other-name.org")
        zones.add_record(actor=SYSTEM, zone=ground.zone, type="TXT", name="note", content="a-site.org")
        Zone.objects.filter(name="a-site.org").update(serial=2026112201)
    operation = rename(ground, domain="New-Name.org.")
    with everything("test"):
        assert account(ground).domain == "new-name.org"
        held = Domain.objects.filter(hosting=ground.account_a).values_list("name", "kind")
        assert sorted(held) == [("new-name.org", "primary"), ("other-name.org", "alias")]
        served = SiteName.objects.filter(site__hosting=ground.account_a).values_list("hostname", flat=True)
        assert sorted(served) == ["new-name.org", "other-name.org", "shop.new-name.org", "www.new-name.org"]
        zone = Zone.objects.get(name="new-name.org")
        assert (zone.serial, zone.records.get().content) == (2026112201, "a-site.org")
        assert MailDomain.objects.get(hosting=ground.account_a).name == "new-name.org"
    assert (operation.verb, operation.subject, operation.status) == (
        "account.rename",
        "a-site.org → new-name.org",
        "pending",
    )
    assert entries("account.rename") == 1
    assert moves(ground) == []


def test_mailboxes_keep_their_store_and_aliases_their_targets(ground: Ground):
    with everything("test"):
        mailboxes.create(actor=SYSTEM, mail_domain=ground.mail_domain, local="anna", password=PASSWORD)
        destinations = ["anna@a-site.org", "anna@sub.a-site.org", "friend@elsewhere.org"]
        mail_aliases.create(actor=SYSTEM, mail_domain=ground.mail_domain, local="info", destinations=destinations)
    rename(ground, domain="new-name.org")
    with everything("test"):
        mail_domain = MailDomain.objects.get(hosting=ground.account_a)
        assert (str(mail_domain.mailboxes.get()), mail_domain.store) == ("anna@new-name.org", "a-site.org")
        assert sorted(MailAlias.objects.get().destinations) == [
            "anna@new-name.org",
            "anna@sub.a-site.org",
            "friend@elsewhere.org",
        ]
    rename(ground, domain="third-name.org")
    assert MailDomain._base_manager.get(hosting=ground.account_a).store == "a-site.org"
    rename(ground, domain="a-site.org")
    assert MailDomain._base_manager.get(hosting=ground.account_a).store == ""


def test_mail_for_the_new_name_is_taken_only_when_it_is_shown_to_be_ours(ground: Ground):
    """Whoever vouched, vouched for the old name: else a rename would take anybody's mail."""
    with everything("test"):
        Organization.objects.filter(kind=Organization.Kind.RESELLER).update(mail_vouched=False)
        MailDomain.objects.filter(hosting=ground.account_a).update(
            delivery="vouched", vouched_by="usr_staff", checked_at=timezone.now()
        )
    rename(ground, domain="new-name.org")
    mail_domain = MailDomain._base_manager.get(hosting=ground.account_a)
    assert (mail_domain.delivery, mail_domain.vouched_by, mail_domain.checked_at) == ("pending", "", None)


def test_records_that_pointed_to_the_old_name_follow(ground: Ground):
    """Whoever registers the old name next must not get what is asked for there."""
    given = [
        ("CNAME", "blog", "a-site.org."),
        ("CNAME", "cdn", "static.a-site.org."),
        ("CNAME", "far", "nota-site.org."),
        ("MX", "lists", "5 mx.a-site.org."),
        ("SRV", "_sip._tcp", "10 20 5060 voice.a-site.org."),
        ("A", "old", "198.51.100.9"),
    ]
    with everything("test"):
        for type, name, content in given:
            zones.add_record(actor=SYSTEM, zone=ground.zone, type=type, name=name, content=content)
    rename(ground, domain="new-name.org")
    found = Record._base_manager.filter(zone__name="new-name.org").values_list("type", "name", "content")
    assert sorted(found) == sorted(
        [
            ("CNAME", "blog", "new-name.org."),
            ("CNAME", "cdn", "static.new-name.org."),
            ("CNAME", "far", "nota-site.org."),
            ("MX", "lists", "5 mx.new-name.org."),
            ("SRV", "_sip._tcp", "10 20 5060 voice.new-name.org."),
            ("A", "old", "198.51.100.9"),
        ]
    )


def test_the_old_domain_is_free_at_once(ground: Ground):
    rename(ground, domain="new-name.org")
    with acting(ground.cast.reseller_b):
        other, _operation = hosting_accounts.create(
            actor=ground.cast.reseller_b.actor,
            organization=ground.cast.client_b.organization,
            package=ground.package_b,
            domain="a-site.org",
        )
    assert other.domain == "a-site.org"


@pytest.mark.parametrize(
    ("domain", "code", "status"),
    [
        ("b-site.org", "name_taken", 409),
        ("shop.b-site.org", "name_taken", 409),
        ("co.uk", "public_suffix", 400),
        ("gmail.com", "reserved", 400),
        ("not a name", "hostname_label", 400),
        ("a-site.org", "unchanged", 400),
    ],
)
def test_a_domain_that_could_not_be_ordered_is_no_new_name(ground: Ground, domain: str, code: str, status: int):
    with refused(None if code == "hostname_label" else code, "domain", status):
        rename(ground, domain=domain)


def test_a_name_above_or_below_the_own_one_is_possible(ground: Ground):
    rename(ground, domain="www.a-site.org")
    served = SiteName._base_manager.filter(site__hosting=ground.account_a).values_list("hostname", flat=True)
    assert sorted(served) == ["www.a-site.org", "www.www.a-site.org"]
    rename(ground, domain="a-site.org")
    assert account(ground).domain == "a-site.org"


def test_what_does_not_fit_below_the_new_name_is_refused_whole(ground: Ground):
    label = "x" * 60
    with everything("test"):
        zones.add_record(actor=SYSTEM, zone=ground.zone, type="TXT", name=f"{label}.{label}", content="long")
    with refused("record_name", "domain", says=f"{label}.{label}"):
        rename(ground, domain=f"{label}.{label}.{label}.org")


def test_home_logs_and_user_are_moved(ground: Ground):
    with everything("test"):
        databases.create(actor=SYSTEM, hosting=ground.account_a, name="shop")
        Slice.objects.get(hosting=ground.account_a)
    operation = rename(ground, username="newname")
    assert moves(ground) == [
        ("user:asite", "user:newname"),
        ("directory:/home/asite", "directory:/home/newname"),
        ("directory:/var/log/hostwright/asite", "directory:/var/log/hostwright/newname"),
    ]
    assert (account(ground).username, account(ground).uid) == ("newname", ground.account_a.uid)
    assert [intent.confirmed for intent in dirty(ground.account_a) if intent.operation_id == operation.id] == [True]
    with everything("test"):
        assert ground.account_a.databases.get().name == "asite_shop"
        made, _operation = databases.create(actor=SYSTEM, hosting=account(ground), name="other")
    assert made.name == "newname_other"


def test_both_at_once_are_one_operation(ground: Ground):
    operation = rename(ground, domain="new-name.org", username="newname")
    assert (account(ground).domain, account(ground).username) == ("new-name.org", "newname")
    assert operation.targets.count() == 1


@pytest.mark.parametrize("username", ["bsite", "root", "Big Name", "asite"])
def test_a_user_name_that_could_not_be_ordered_is_no_new_name(ground: Ground, username: str):
    codes: dict[str, tuple[str | None, str, int]] = {
        "bsite": ("conflict", "username", 409),
        "asite": ("unchanged", "domain", 400),
    }
    code, field, status = codes.get(username, (None, "username", 400))
    with refused(code, field, status):
        rename(ground, username=username)


def order(ground: Ground, username: str) -> HostingAccount:
    with acting(ground.cast.reseller_b):
        return hosting_accounts.create(
            actor=ground.cast.reseller_b.actor,
            organization=ground.cast.client_b.organization,
            package=ground.package_b,
            domain=f"{username}-again.org",
            username=username,
        )[0]


def test_a_user_name_rests_after_it_was_given_up_and_while_databases_begin_with_it(ground: Ground):
    with everything("test"):
        made, _operation = databases.create(actor=SYSTEM, hosting=ground.account_a, name="shop")
        database_users.create(actor=SYSTEM, hosting=ground.account_a, name="shop", password=PASSWORD)
    rename(ground, username="newname")
    with refused("conflict", "username", 409):
        order(ground, "asite")
    Move.objects.update(created_at=timezone.now() - timedelta(days=31))
    with refused("conflict", "username", 409):  # Its databases would look like the new account's.
        order(ground, "asite")
    with everything("test"):
        databases.remove(actor=SYSTEM, database=made, confirm=made.name)
        database_users.remove(actor=SYSTEM, user=account(ground).database_users.get())
    with refused("conflict", "username", 409):  # The database's data is not destroyed yet.
        order(ground, "asite")
    with everything("test"):
        account(ground).slices.get().tombstones.update(destroyed_at=timezone.now())
    assert order(ground, "asite").username == "asite"


def test_one_can_have_ones_own_name_back(ground: Ground):
    rename(ground, username="newname")
    rename(ground, username="asite")
    assert account(ground).username == "asite"
    assert [target for _source, target in moves(ground)][-3:] == [
        "user:asite",
        "directory:/home/asite",
        "directory:/var/log/hostwright/asite",
    ]


@pytest.mark.parametrize("who", ["client_a", "readonly_a"])
def test_clients_and_readonly_staff_rename_nothing(ground: Ground, who: str):
    person: Any = getattr(ground.cast, who)
    with acting(person), refused("forbidden", None, 403):
        renames.rename(actor=person.actor, hosting=ground.account_a, username="newname")


def test_only_an_active_account_is_renamed(ground: Ground):
    with everything("test"):
        hosting_accounts.suspend(actor=SYSTEM, hosting=ground.account_a)
    with refused("not_active", None, 409):
        rename(ground, username="newname")


def test_an_account_on_several_servers_moves_on_each(ground: Ground):
    other = factories.server(ground.cast.provider.organization, "mail2")
    with everything("test"):
        ground.account_a.placements.filter(service="mail").update(server=other)
    operation = rename(ground, username="newname")
    assert operation.targets.count() == 2
    assert Move.objects.filter(slice__server=other).count() == 3
