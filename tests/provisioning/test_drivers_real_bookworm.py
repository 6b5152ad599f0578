"""A bare Debian 12: every package and configuration from nothing, Dovecot in its older dialect; asked from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.provisioning.hosts import Host, account
from tests.servers import Server

pytestmark = pytest.mark.server

UNATTENDED = ["env", "-C", "/", "DEBIAN_FRONTEND=noninteractive"]


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """A bare server that was given Python by hand, and all else by the node program."""
    with Server.create("bare-bookworm", nat=True) as server:
        server.run([*UNATTENDED, "apt-get", "install", "-qy", "--no-install-recommends", "python3"], timeout=300)
        host = Host.prepare(server, debian=12)
        host.apply(account("ab", 20001, "alpha.example", "8.2"), account("xy", 20002, "beta.example", "8.2"))
        yield host


def test_every_checker_is_content(host: Host) -> None:
    assert host.check(host.checkers()) == []
    assert host.shell("systemctl --failed --no-legend") == ""


def test_the_same_again_changes_nothing(host: Host) -> None:
    assert host.apply()["status"] == "unchanged"


def test_the_site_answers_by_name(host: Host) -> None:
    host.upload("ab", "/home/ab/public_html/x.php", "<?php echo posix_geteuid();")
    assert host.http("www.alpha.example")[2] == "<h1>alpha.example</h1>"
    assert host.http("alpha.example", "/x.php")[2] == "20001"
    assert host.http("nobody.example")[0] == 404


def test_the_zone_answers(host: Host) -> None:
    assert [data.to_text() for data in host.dns("alpha.example", "MX").answer[0]] == ["10 mail.alpha.example."]


def test_the_database_logs_in_from_outside(host: Host) -> None:
    assert host.sql("ab_u", "SELECT DATABASE()").lower() == "null"
    assert "ERROR 1044" in host.sql("ab_u", "USE xy_c")


def test_mail_to_an_alias_can_be_read(host: Host) -> None:
    host.send("someone@outside.example", "info@alpha.example", "to the alias")
    host.wait_for_message("anna@alpha.example", "to the alias")
    client = host.mailbox("anna@alpha.example")
    assert "48829" in str(client.getquotaroot("INBOX"))
    client.logout()


def test_a_log_in_sends_as_itself(host: Host) -> None:
    host.send("anna@alpha.example", "info@beta.example", "from anna", login="anna@alpha.example", port=587)
    host.wait_for_message("anna@beta.example", "from anna")


def test_mails_are_counted(host: Host) -> None:
    host.send("someone@outside.example", "anna@beta.example", "to be counted")
    host.wait_for_message("anna@beta.example", "to be counted")
    line = json.dumps({"v": 1, "id": 1, "verb": "usage", "payload": {"server": "srv_1"}}) + "\n"
    host.shell("env PYTHONPATH=/usr/lib/hostwright python3 -m hostwright_node measure")
    command = "env PYTHONPATH=/usr/lib/hostwright python3 -m hostwright_node serve"
    report = json.loads(host.shell(command, input=line).splitlines()[-1])["report"]
    ((sent, _size, received, size),) = report["accounts"]["acc_xy"]["mail"].values()
    assert (sent, received) == (0, len(host.subjects("anna@beta.example")))
    assert 150 * received < size < 1000 * received
