"""Accounts that get other names, and terminations that are taken back, on a real server: everybody's data stays."""

from __future__ import annotations

import imaplib
import smtplib
from collections.abc import Iterator
from dataclasses import replace

import pymysql
import pytest
from pytest_django import DjangoDbBlocker

from panel.core.scoping import everything
from panel.demo.proofs import Live, dns_answer, http_get, smtp_delivery
from provisioning import preview
from provisioning.models import HostingAccount, Move, Run
from provisioning.services import hosting_accounts, renames, servers
from tests.provisioning import engine_world
from tests.provisioning.engine_world import PASSWORD, SYSTEM, World, prove, settled, until
from tests.servers import Server

pytestmark = pytest.mark.server

SCRIPT = "<?php echo get_current_user(), ' ', __FILE__;"


@pytest.fixture(scope="module")
def world(
    module_server: Server, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """A server that was set up over SSH, shared by this module: every test has accounts of its own."""
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        yield engine_world.make(module_server)


def write(world: World, hosting: HostingAccount) -> None:
    """A script of the tenant's, as the tenant."""
    script = 'cat > "$HOME/public_html/who.php"'
    command = ["runuser", "-u", hosting.username, "--", "env", f"HOME={hosting.home}", "sh", "-euc", script]
    world.machine.run(command, input=SCRIPT)


def deliver(live: Live) -> None:
    """A message that is in the mailbox when this returns."""
    smtp_delivery(live.address, live.alias, "kept")
    until("the message", lambda: messages(live) == 1, 10)


def messages(live: Live) -> int:
    """How many messages its owner sees."""
    with imaplib.IMAP4(live.address, timeout=10) as client:
        client.starttls()
        client.login(live.mailbox, live.mailbox_password)
        return int(client.select("INBOX")[1][0] or b"0")


def accepts(live: Live, address: str) -> bool:
    """Whether the server takes mail for an address."""
    with smtplib.SMTP(live.address, 25, local_hostname="client.example", timeout=10) as client:
        client.ehlo()
        client.mail("someone@elsewhere.example")
        return client.rcpt(address)[0] == 250


def test_an_account_gets_another_domain_and_another_user(world: World) -> None:
    hosting, _operation, live = world.full("old-name.example", "oldname")
    _neighbour, _other, beside = world.full("beside.example", "beside")
    world.reconcile()
    prove(live)
    write(world, hosting)
    deliver(live)
    identity = world.machine.run(["stat", "-c", "%i %u", "/home/oldname"]).stdout
    old_page = http_get(world.address, "old-name.example", "/who.php")
    assert (old_page[0], old_page[2]) == (200, "oldname /home/oldname/public_html/who.php")

    names = {"domain": "new-name.example", "username": "newname"}
    with everything("test"):
        plan = preview.work_out(actor=SYSTEM, verb="account.rename", arguments={"hosting": hosting.pk, **names})
    planned = {change["key"]: change["change"] for change in plan.servers[0]["changes"]}
    assert [key for key, change in planned.items() if change == "move"] == [
        "move:user:oldname",
        "move:directory:/home/oldname",
        "move:directory:/var/log/hostwright/oldname",
    ]
    assert "destroy" not in planned.values()
    with everything("test"):
        operation = renames.rename(actor=SYSTEM, hosting=hosting, **names)
    world.reconcile()
    settled(operation)

    assert http_get(world.address, "new-name.example", "/who.php")[2] == "newname /home/newname/public_html/who.php"
    assert world.machine.run(["stat", "-c", "%i %u", "/home/newname"]).stdout == identity
    renamed = replace(
        live, domain="new-name.example", mailbox="lena@new-name.example", alias=live.alias.replace("old-", "new-")
    )
    assert messages(renamed) == 1
    assert "old-name.example" in http_get(world.address, "new-name.example")[2]  # The tenant's own page, untouched.
    login(live, world.address)

    status, _headers, body = http_get(world.address, "old-name.example")
    assert (status, "name.example" in body) == (404, False)
    assert world.machine.run(["rndc", "zonestatus", "old-name.example"], check=False).returncode != 0
    assert dns_answer(world.address, "www.new-name.example", "A") == [world.address]
    assert (accepts(renamed, "lena@old-name.example"), accepts(renamed, "hello@new-name.example")) == (False, True)
    assert world.machine.run(["getent", "passwd", "oldname"], check=False).returncode == 2
    assert world.machine.run(["ls", "/home", "/var/log/hostwright"]).stdout.count("oldname") == 0
    prove(beside)

    assert not Move.objects.filter(applied_at__isnull=True).exists()
    with everything("test"):
        again = servers.reconcile(actor=SYSTEM, server=world.row)
    world.reconcile()
    settled(again)
    assert Run.objects.filter(server=world.row).latest("id").changes == 0


def test_a_termination_is_taken_back_with_all_data(world: World) -> None:
    hosting, _operation, live = world.full("phoenix.example", "phoenix")
    world.reconcile()
    prove(live)
    write(world, hosting)
    deliver(live)
    with everything("test"):
        ending = hosting_accounts.terminate(actor=SYSTEM, hosting=hosting, confirm="phoenix.example")
    world.reconcile()
    settled(ending)
    status, _headers, body = http_get(world.address, "phoenix.example")
    assert (status, "phoenix" in body) == (404, False)
    with pytest.raises(pymysql.err.OperationalError):
        login(live, world.address)
    with everything("test"):
        restored = hosting_accounts.restore(actor=SYSTEM, hosting=hosting)
    world.reconcile()
    settled(restored)
    assert http_get(world.address, "phoenix.example", "/who.php")[2] == "phoenix /home/phoenix/public_html/who.php"
    assert messages(live) == 1
    with login(live, world.address) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        assert cursor.fetchall() == (("proof",),)
    prove(live)


def login(live: Live, address: str) -> pymysql.Connection[pymysql.cursors.Cursor]:
    """A session in the account's database, from outside, with the password that it always had."""
    return pymysql.connect(
        host=address, user=live.database_user, password=PASSWORD, database=live.database, connect_timeout=10
    )
