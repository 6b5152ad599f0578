"""What drift can be taken over into the panel, by the same services and rules as anything that people set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.services import limits
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import (
    Database,
    DatabaseUser,
    DriftItem,
    MailAlias,
    Mailbox,
    Pin,
    Record,
    Slice,
)
from provisioning.render.zones import master_file
from provisioning.selectors import zones as zone_selectors
from provisioning.services import (
    adoptions,
    database_users,
    databases,
    drift,
    hosting_accounts,
    mail_aliases,
    mailboxes,
    zones,
)
from provisioning.spec import ZoneSpec
from tests.provisioning import factories
from tests.provisioning.ground import Ground, dirty, entries, refused, used

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"

pytestmark = pytest.mark.usefixtures("_unscoped")


@pytest.fixture
def _unscoped() -> Iterator[None]:
    with everything("test"):
        yield


def finding(ground: Ground, key: str, kind: str = "changed", **actual: Any) -> DriftItem:
    """An open finding in the slice of client A."""
    part = Slice.objects.get(hosting=ground.account_a)
    return factories.finding(part, key, kind=kind, actual=actual or None)


def served(ground: Ground) -> str:
    """The zone of client A as its server has it."""
    records = zone_selectors.specs([ground.zone])[ground.zone.pk]
    text = master_file(ZoneSpec(ground.zone.name, "ns1.northwind.example", "hostmaster@northwind.example", records))
    return text.replace("@SERIAL@", "2026112201")


def zone_edit(ground: Ground, edit: Callable[[str], str]) -> DriftItem:
    """A finding: the zone's file after somebody edited it."""
    return finding(ground, "zone:a-site.org", text=edit(served(ground)))


def own(ground: Ground) -> set[tuple[str, str, str, int]]:
    """The records that client A's zone has beside the default ones."""
    return set(Record.objects.filter(zone=ground.zone).values_list("name", "type", "content", "ttl"))


def adopt(item: DriftItem) -> DriftItem:
    """Adopt, and return the finding as it is then."""
    drift.adopt(actor=SYSTEM, item=item)
    return DriftItem.objects.get(pk=item.pk)


def test_records_that_were_added_changed_and_removed_by_hand(ground: Ground):
    for name, content in (("old", "203.0.113.1"), ("kept", "203.0.113.2"), ("slow", "203.0.113.3")):
        zones.add_record(actor=SYSTEM, zone=ground.zone, type="A", name=name, content=content)

    def edit(text: str) -> str:
        lines = [line for line in text.splitlines() if not line.startswith("old")]
        lines = [line.replace("3600", "60") if line.startswith("slow") else line for line in lines]
        more = ["$TTL 300", 'new TXT "one; two" "three"', "new MX 5 mail", '@ CAA 0 issue "ca.example"']
        return "\n".join([*lines, *more, ""])

    closed = adopt(zone_edit(ground, edit))
    assert own(ground) == {
        ("kept", "A", "203.0.113.2", 3600),
        ("slow", "A", "203.0.113.3", 60),
        ("new", "TXT", "one; twothree", 300),
        ("new", "MX", "5 mail.a-site.org.", 300),
        ("@", "CAA", '0 issue "ca.example"', 300),
    }
    assert (closed.state, closed.closed_by) == ("adopted", SYSTEM.label)
    assert closed.operation is not None
    assert dirty(ground.account_a)
    assert used(ground.account_a.id, "records") == 5
    assert entries("drift.adopt") == 1


def test_a_default_record_that_was_changed_becomes_a_row_and_back_again(ground: Ground):
    before = served(ground)
    adopt(zone_edit(ground, lambda text: text.replace("198.51.100.2", "203.0.113.50")))
    assert own(ground) == {(name, "A", "203.0.113.50", 3600) for name in ("@", "www", "mail")}
    DriftItem.objects.all().delete()
    adopt(finding(ground, "zone:a-site.org", text=before))
    assert own(ground) == set()


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda text: "\n".join(line for line in text.splitlines() if " MX " not in line) + "\n", "default_record"),
        (lambda text: text + "$INCLUDE /etc/bind/rndc.key\n", "zone_text"),
        (lambda text: text + "$GENERATE 1-65535 a$ A 203.0.113.1\n", "zone_text"),
        (lambda text: text + "x HINFO a b\n", "record_type"),
        (lambda text: text + "bad_name A 203.0.113.1\n", "record_name"),
        (lambda text: text + "x 5 A 203.0.113.1\n", None),
        (lambda text: "", "zone_text"),
    ],
)
def test_a_zone_that_no_rows_can_say_is_refused_whole(ground: Ground, edit: Callable[[str], str], code: str | None):
    zones.add_record(actor=SYSTEM, zone=ground.zone, type="A", name="old", content="203.0.113.1")
    item = zone_edit(ground, edit)
    with refused(code, "ttl" if code is None else "actual"):
        drift.adopt(actor=SYSTEM, item=item)
    assert DriftItem.objects.get(pk=item.pk).state == "open"


def test_a_zone_where_no_record_differs_has_nothing_to_adopt(ground: Ground):
    item = zone_edit(ground, lambda text: text.replace("hostmaster.northwind", "somebody.northwind"))
    with refused("nothing_to_adopt", status=409):
        drift.adopt(actor=SYSTEM, item=item)


def test_name_servers_of_the_zone_itself_stay_the_brands(ground: Ground):
    item = zone_edit(ground, lambda text: text + "@ 3600 NS ns.evil.example.\n")
    with refused("brand_nameservers", "type"):
        drift.adopt(actor=SYSTEM, item=item)


def test_the_packages_limit_holds(ground: Ground):
    limits.set_limit(subject=ground.account_a.id, resource="aliases", limit=0)
    item = finding(ground, "row:alias:sales@a-site.org", "extra", values={"destinations": "x@y.example"})
    with refused("limit_reached", None, 409):
        drift.adopt(actor=SYSTEM, item=item)


def test_aliases(ground: Ground):
    made = mail_aliases.create(
        actor=SYSTEM, mail_domain=ground.mail_domain, local="info", destinations=["a@y.example"]
    )[0]
    adopt(finding(ground, "row:alias:info@a-site.org", values={"destinations": "b@y.example,c@y.example"}))
    made.refresh_from_db()
    assert made.destinations == ["b@y.example", "c@y.example"]
    adopt(finding(ground, "row:alias:sales@a-site.org", "extra", values={"destinations": "b@y.example"}))
    assert MailAlias.objects.get(local="sales").destinations == ["b@y.example"]
    adopt(finding(ground, "row:alias:info@a-site.org", "missing"))
    assert not MailAlias.objects.filter(local="info").exists()


def test_hostile_and_foreign_aliases_are_refused(ground: Ground):
    piped = finding(ground, "row:alias:info@a-site.org", "extra", values={"destinations": "|/bin/sh"})
    with refused(None, "destinations"):
        drift.adopt(actor=SYSTEM, item=piped)
    stranger = finding(ground, "row:alias:info@elsewhere.example", "extra", values={"destinations": "x@y.example"})
    with refused("no_domain", "key"):
        drift.adopt(actor=SYSTEM, item=stranger)
    role = finding(ground, "row:alias:postmaster@a-site.org", "missing")
    with refused("role_name", "key"):
        drift.adopt(actor=SYSTEM, item=role)


def test_mailboxes(ground: Ground):
    made = mailboxes.create(actor=SYSTEM, mail_domain=ground.mail_domain, local="anna", password=PASSWORD)[0]
    key = "row:mailbox:anna@a-site.org"
    adopt(finding(ground, key, values={"enabled": 0, "quota_bytes": 5000}))
    made.refresh_from_db()
    assert (made.enabled, made.quota_bytes) == (False, 5000)
    same = finding(ground, key, values={"enabled": 0, "quota_bytes": 5000, "home": "/root"})
    with refused("nothing_to_adopt", status=409):
        drift.adopt(actor=SYSTEM, item=same)
    DriftItem.objects.all().delete()
    adopt(finding(ground, key, "missing"))
    assert not Mailbox.objects.exists()
    extra = finding(ground, "row:mailbox:eve@a-site.org", "extra", values={"enabled": 1})
    assert adoptions.of(extra) is None
    with refused("not_adoptable", "key"):
        drift.adopt(actor=SYSTEM, item=extra)


def test_databases(ground: Ground):
    made = databases.create(actor=SYSTEM, hosting=ground.account_a, name="shop")[0]
    adopt(finding(ground, f"database:{made.name}", "missing"))
    assert not Database.objects.exists()
    adopt(finding(ground, "database:asite_wiki", "extra", charset="utf8mb4"))
    assert Database.objects.get().name == "asite_wiki"


def test_logins(ground: Ground):
    shop, wiki = (databases.create(actor=SYSTEM, hosting=ground.account_a, name=name)[0] for name in ("shop", "wiki"))
    user = database_users.create(actor=SYSTEM, hosting=ground.account_a, name="u", password=PASSWORD, databases=[shop])[
        0
    ]
    key = "database_user:asite_u@localhost"
    adopt(finding(ground, key, grants=[{"database": "asite_wiki", "privileges": ["ALL"]}]))
    assert list(user.databases.all()) == [wiki]
    for grants, code in (
        ([{"database": "asite_wiki", "privileges": ["SELECT"]}], "privileges"),
        ([{"database": "bsite_shop", "privileges": ["ALL"]}], "foreign"),
    ):
        DriftItem.objects.all().delete()
        item = finding(ground, key, grants=grants)
        with refused(code, "actual"):
            drift.adopt(actor=SYSTEM, item=item)
    DriftItem.objects.all().delete()
    same = finding(ground, key, grants=[{"database": "asite_wiki", "privileges": ["ALL"]}], locked=True)
    with refused("nothing_to_adopt", status=409):
        drift.adopt(actor=SYSTEM, item=same)
    DriftItem.objects.all().delete()
    adopt(finding(ground, key, "missing"))
    assert not DatabaseUser.objects.exists()


def test_nothing_is_adopted_into_a_suspended_account(ground: Ground):
    hosting_accounts.suspend(actor=SYSTEM, hosting=ground.account_a)
    item = finding(ground, "row:alias:sales@a-site.org", "extra", values={"destinations": "x@y.example"})
    with refused("not_active", status=409):
        drift.adopt(actor=SYSTEM, item=item)


def test_adopting_ends_an_exception(ground: Ground):
    item = finding(ground, "row:alias:sales@a-site.org", "extra", values={"destinations": "x@y.example"})
    drift.pin(actor=SYSTEM, item=item)
    adopt(finding(ground, item.key, "extra", values={"destinations": "z@y.example"}))
    assert not Pin.objects.exists()
