"""D5: hostile values written straight into the database, past every service, and then every job is run.

The account's slice is rejected with the field in the detail for the provider and words that tell nothing for the
tenant; the last good state stays known and live, and all other accounts go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, connection

from accounts.models import Brand
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning import mx_check, tasks
from provisioning.compile import compile_slices
from provisioning.models import (
    Address,
    Database,
    DatabaseUser,
    HostingAccount,
    Intent,
    MailAlias,
    Mailbox,
    MailDomain,
    Preview,
    Record,
    Server,
    Site,
    SiteName,
    Slice,
    Tombstone,
    Zone,
)
from provisioning.services import (
    database_users,
    databases,
    dues,
    hosting_accounts,
    mail_aliases,
    mailboxes,
    previews,
    runs,
    zones,
)
from tests.provisioning.engine import Bench, bench
from tests.provisioning.ground import Ground, last_operation

__all__ = ["bench"]

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"


def fill(ground: Ground) -> None:
    """Give client A one of everything."""
    hosting, domain = ground.account_a, ground.mail_domain
    zones.add_record(actor=SYSTEM, zone=ground.zone, type="A", name="x", content="203.0.113.7")
    databases.create(actor=SYSTEM, hosting=hosting, name="shop")
    database_users.create(
        actor=SYSTEM, hosting=hosting, name="shop", password=PASSWORD, databases=list(Database.objects.all())
    )
    mailboxes.create(actor=SYSTEM, mail_domain=domain, local="anna", password=PASSWORD)
    mail_aliases.create(actor=SYSTEM, mail_domain=domain, local="info", destinations=["anna@a-site.org"])


def stored(model: Any, **values: Any) -> Callable[[Ground], None]:
    """Return what writes `values` into client A's rows of a table."""
    paths = {
        HostingAccount: "pk",
        SiteName: "site__hosting",
        Mailbox: "mail_domain__hosting",
        MailAlias: "mail_domain__hosting",
        Record: "zone__hosting",
    }

    def write(ground: Ground) -> None:
        path = paths.get(model, "hosting")
        chosen = model._base_manager.filter(**{path: ground.account_a.pk})
        model._base_manager.filter(pk=chosen.order_by("pk").values_list("pk", flat=True)[0]).update(**values)

    return write


def branded(**values: Any) -> Callable[[Ground], None]:
    """Return what writes `values` into the brand of reseller A."""

    def write(ground: Ground) -> None:
        Brand._base_manager.filter(organization=ground.cast.reseller_a.organization).update(**values)

    return write


HOSTILE: dict[str, Callable[[Ground], None]] = {
    "user name of the system": stored(HostingAccount, username="root"),
    "user name with a shell": stored(HostingAccount, username="a;id"),
    "user name as a path": stored(HostingAccount, username="../../etc"),
    "user name with a line end": stored(HostingAccount, username="asite\n"),
    "uid of root": stored(HostingAccount, uid=0),
    "host name with a block": stored(SiteName, hostname="a.org;} server {"),
    "host name with a line end": stored(SiteName, hostname="a-site.org\nx"),
    "host name as a wildcard": stored(SiteName, hostname="*.b-site.org"),
    "no main host name": stored(SiteName, kind="alias"),
    "docroot of another": stored(Site, docroot="../bsite/public_html"),
    "docroot absolute": stored(Site, docroot="/etc"),
    "docroot with a quote": stored(Site, docroot='x"; root /etc'),
    "PHP version": stored(Site, php_version="8.;"),
    "zone": stored(Zone, name="a-site.org\n$INCLUDE /etc/shadow"),
    "record owner": stored(Record, name="www\t60\tIN\tA\t6.6.6.6 ;\n@"),
    "record directive": stored(Record, name="$INCLUDE"),
    "record outside the zone": stored(Record, name="victim.test."),
    "record content": stored(Record, content="203.0.113.7\n@ IN NS evil.example."),
    "record type": stored(Record, type="SOA"),
    "record TTL": stored(Record, ttl=0),
    "record CNAME at the apex": stored(Record, name="@", type="CNAME", content="x.example.net."),
    "record CNAME beside others": stored(Record, name="www", type="CNAME", content="x.example.net."),
    "database": stored(Database, name="mysql`; DROP"),
    "database of the server": stored(Database, name="mysql"),
    "database user": stored(DatabaseUser, name="x' IDENTIFIED BY 'y"),
    "database host": stored(DatabaseUser, host="10.%"),
    "database password": stored(DatabaseUser, password_hash="*' OR '1"),
    "mail domain": stored(MailDomain, name="a-site.org' OR 1=1"),
    "mailbox as a path": stored(Mailbox, local="../../root"),
    "mailbox hash": stored(Mailbox, password_hash="{PLAIN}secret"),
    "alias to a program": stored(MailAlias, destinations=["|/bin/sh"]),
    "alias to a text": stored(MailAlias, destinations="|/bin/sh"),
    "alias to nothing": stored(MailAlias, destinations=[]),
    "alias to an object": stored(MailAlias, destinations={"a@b.org": 1}),
    "alias to a number": stored(MailAlias, destinations=[5]),
    "alias to a list": stored(MailAlias, destinations=[["a@b.org"]]),
    "alias address": stored(MailAlias, local="x@evil.org, y"),
    "name servers as a text": branded(nameservers="ns1.example.org"),
    "name servers as an object": branded(nameservers={"a": 1}),
    "name server with a line end": branded(nameservers=["ns1.example.org\n@ IN A 6.6.6.6"]),
    "name server as a number": branded(nameservers=[5]),
    "hostmaster": branded(hostmaster="x y@evil.org"),
    "mail host": branded(mail_host="mail.example.org\n; x"),
}
OF_MAIL = [
    "user name as a path",
    "uid of root",
    "mail domain",
    "mailbox as a path",
    "alias to a program",
    "alias to an object",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_d5_an_unfit_row_makes_no_resource_and_stops_nobody_else(ground: Ground, name: str):
    with everything("test"):
        fill(ground)
        slices = list(Slice.objects.filter(server=ground.server).order_by("id"))
        good = compile_slices(ground.server, slices, "default")
        assert good.refused == {}
        try:
            HOSTILE[name](ground)
        except DataError:
            assert connection.vendor == "postgresql"  # The column itself is too short for it.
            return
        compiled = compile_slices(ground.server, slices, "default")
    by_account = {part.hosting_id: part.id for part in slices}
    of_a, of_b = by_account[ground.account_a.id], by_account[ground.account_b.id]
    assert set(compiled.resources) == {of_b}
    assert set(compiled.refused) == {of_a}
    assert {key: item.hash for key, item in compiled.resources[of_b].items()} == {
        key: item.hash for key, item in good.resources[of_b].items()
    }


@pytest.mark.parametrize("name", OF_MAIL)
def test_d5_every_job_refuses_and_the_last_good_state_stays(bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str):
    fill(bench.ground)
    bench.run()
    part = Slice.objects.get(hosting=bench.ground.account_a)
    before, known = bench.tree(), part.manifest
    HOSTILE[name](bench.ground)
    reseller = bench.ground.cast.reseller_a.actor
    refused = hosting_accounts.suspend(actor=reseller, hosting=bench.ground.account_a)
    good = hosting_accounts.suspend(actor=SYSTEM, hosting=bench.ground.account_b)
    monkeypatch.setattr(tasks.reconcile, "delay", tasks.reconcile)
    monkeypatch.setattr(tasks.check_mail_domains, "delay", tasks.check_mail_domains)
    monkeypatch.setattr(mx_check, "LIFETIME_SECONDS", 0.1)
    MailDomain.objects.filter(hosting=bench.ground.account_a).update(delivery="pending", vouched_by="")
    tasks.sweep()
    tasks.check_mail_domains()
    refused.refresh_from_db()
    good.refresh_from_db()
    part.refresh_from_db()
    assert (refused.status, refused.reason) == ("rejected", runs.REASONS["invalid"])
    assert refused.detail.startswith("SpecInvalid: ")
    assert good.status == "applied"
    assert part.manifest == known
    assert part.rejected_reason == refused.detail
    assert bench.tree() == before
    wanted = {"hosting": bench.ground.account_a.id}
    preview = previews.request(actor=reseller, verb="account.unsuspend", arguments=wanted)
    tasks.build_preview(preview.id)
    preview = Preview.objects.get(pk=preview.pk)
    assert (preview.status, preview.result["message"]) == ("refused", runs.REASONS["invalid"])
    hosting_accounts.terminate(actor=SYSTEM, hosting=bench.ground.account_a, confirm="a-site.org")
    Tombstone.objects.update(due_at="2026-01-01T00:00:00Z")
    tasks.reconcile(bench.ground.server.id)
    unfit = name.startswith(("user name", "uid"))
    assert last_operation(bench.ground.account_a).status == ("rejected" if unfit else "applied")
    assert bench.at("/home/asite").exists() == unfit
    assert bench.at("/home/bsite").exists()


@pytest.mark.parametrize(
    "key",
    [
        "directory:/etc",
        "directory:/home",
        "directory:/home/bsite",
        "user:bsite",
        "user:root",
        "file:/etc/passwd",
        "x",
        "",
    ],
)
def test_d5_a_stored_tombstone_destroys_nothing_but_the_accounts_own_data(bench: Bench, key: str):
    bench.run()
    part = Slice.objects.get(hosting=bench.ground.account_a)
    Tombstone.objects.create(slice=part, key=key, due_at="2026-01-01T00:00:00Z")
    before = bench.tree()
    dues.destroy()
    assert bench.run() is None
    assert bench.tree() == before
    assert bench.at("/home/bsite/mail").is_dir()
    assert not Intent.objects.filter(retry_at=None).exists()


@pytest.mark.parametrize(
    "write",
    [
        lambda: Server.objects.update(platform_name="x;}\n.example"),
        lambda: Server.objects.update(stack="iis"),
        lambda: Server.objects.update(php_versions=["8.4\n"]),
        lambda: Server.objects.update(php_versions=5),
        lambda: Server.objects.update(debian=11),
        lambda: Address.objects.update(family=6),
    ],
    ids=["platform name", "stack", "PHP text", "PHP number", "release", "family"],
)
def test_d5_an_unfit_server_is_sent_nothing(bench: Bench, write: Callable[[], int]):
    bench.run()
    before = bench.tree()
    calls = len(bench.calls)
    write()
    operation = hosting_accounts.suspend(actor=SYSTEM, hosting=bench.ground.account_a)
    assert bench.run() is None
    operation.refresh_from_db()
    assert (operation.status, operation.reason) == ("rejected", runs.REASONS["invalid"])
    assert len(bench.calls) == calls
    assert bench.tree() == before
