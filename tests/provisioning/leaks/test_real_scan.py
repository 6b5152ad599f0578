"""A brand on a real server as a stranger sees it: clean as it is, and every planted name is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test.utils import override_settings
from drf_spectacular.settings import patched_settings
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from accounts.models import Brand
from accounts.services import brands, organizations
from panel.core.scoping import everything
from provisioning.models import BrandScan
from provisioning.scan import run
from provisioning.services import hosting_accounts, scans, servers
from tests.provisioning import engine_world
from tests.provisioning.engine_world import SYSTEM, World, settled
from tests.servers import Server

pytestmark = pytest.mark.server

HOST = "panel.northwind.example"
PROVIDER = "Ferrum Hosting"
OTHER = "Sable & Sons"
CERTIFICATE = """
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mx.ferrum.example \
    -keyout /etc/postfix/leak.pem -out /etc/postfix/leak.pem 2>/dev/null
chmod 600 /etc/postfix/leak.pem
postconf -e smtpd_tls_chain_files=/etc/postfix/leak.pem smtpd_banner='mx.ferrum.example ESMTP'
postfix reload
"""
GREETINGS = """
printf 'login_greeting = Ferrum Hosting at your service\\n' > /etc/dovecot/conf.d/99-leak.conf
cat /etc/dovecot/conf.d/99-leak.conf >> /etc/dovecot/dovecot.conf
doveadm reload
sed -i '1i VersionAddendum ferrum-hosting' /etc/ssh/sshd_config
systemctl reload ssh
sed -i 's/version .*;/version "Ferrum Hosting name service";/' /etc/bind/named.conf
rndc reconfig
"""


@pytest.fixture(scope="module")
def world(
    module_server: Server, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """A server with an account of a branded reseller and a suspended one; a panel that answers; two other resellers."""
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        made = engine_world.make(module_server)
        with everything("test"):
            other = organizations.create_reseller(actor=SYSTEM, parent=made.provider, name=OTHER)
            brands.set(actor=SYSTEM, organization=other, panel_host="panel.sable.example", mail_host="mx.sable.example")
            brands.set(actor=SYSTEM, organization=made.provider, panel_host="panel.ferrum.example")
        made.full("bakery.example")
        shut = made.order("late-payer.example")[0]
        made.reconcile()
        with everything("test"):
            hosting_accounts.suspend(actor=SYSTEM, hosting=shut)
        made.reconcile()
        front = LiveServer("127.0.0.1")
        with override_settings(SCAN_URL=front.url):
            yield made
        front.stop()


def scan_brand(*options: str) -> tuple[int, str]:
    """What the command printed, and its exit status."""
    printed = StringIO()
    status = 0
    try:
        call_command("scan_brand", HOST, *options, stdout=printed)
    except SystemExit as end:
        status = int(str(end.code))
    return status, printed.getvalue()


def test_the_brand_is_clean_to_the_last_word(world: World) -> None:
    status, text = scan_brand("--json")
    document = json.loads(text)
    assert document["findings"] == []
    assert [step["name"] for step in document["steps"] if step["status"] != "ok" or not step["readings"]] == []
    assert (status, document["clean"]) == (0, True)
    assert document["readings"] > 150


def test_a_host_that_is_no_brand_is_not_looked_at(world: World) -> None:
    with pytest.raises(CommandError, match="No brand of this installation"):
        call_command("scan_brand", "www.example.org")


def test_planted_leaks_are_found_each_with_its_place(world: World) -> None:
    with everything("test"):
        rows = Brand.objects.filter(organization=world.reseller)
        rows.update(
            nameservers=["ns1.northwind.example", "ns7.sable.example"],
            hostmaster="hostmaster@ferrum.example",
            support_url="https://help.ferrum.example/tickets",
        )
        operation = servers.reconcile(actor=SYSTEM, server=world.row)
    world.reconcile()
    settled(operation)
    world.machine.run(["sh", "-ec", CERTIFICATE])
    world.machine.run(["sh", "-ec", GREETINGS])
    titled = patched_settings({"TITLE": "Ferrum Hosting API"})
    with titled, override_settings(CSRF_COOKIE_NAME="ferrum-hosting-csrf", X_FRAME_OPTIONS="ferrum.example"):
        status, text = scan_brand("--json")
    document = json.loads(text)
    found = {(finding["place"], finding["name"]) for finding in document["findings"]}
    assert status == 1
    assert {
        ("panel.cookie", PROVIDER),
        ("panel.header", "ferrum.example"),
        ("panel.page", "ferrum.example"),
        ("panel.api", PROVIDER),
        ("dns.record", "ferrum.example"),
        ("dns.record", "sable.example"),
        ("dns.identity", PROVIDER),
        ("smtp.greeting", "ferrum.example"),
        ("server.certificate", "ferrum.example"),
        ("imap.greeting", PROVIDER),
        ("ssh.greeting", PROVIDER),
    } <= found
    assert all(finding["remedy"] and finding["excerpt"] for finding in document["findings"])


def test_a_scan_that_is_asked_for_keeps_its_steps(world: World) -> None:
    with everything("test"):
        scan = scans.start(actor=SYSTEM, organization=world.reseller)
    run(scan.pk)
    kept = BrandScan._base_manager.get(pk=scan.pk)
    assert kept.status == BrandScan.Status.LEAKS
    assert kept.leaks == len(kept.findings) > 0
    assert kept.finished_at is not None
