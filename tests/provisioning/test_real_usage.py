"""What a real server tells of use equals what was done there: pages sent, files written, rows stored."""

from __future__ import annotations

import json
import re
import smtplib
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.provisioning import hosts
from tests.provisioning.hosts import Host
from tests.servers import Server

pytestmark = pytest.mark.server

NAME, UID, DOMAIN = "measured", 23001, "measured.example"
LOG = f"/var/log/hostwright/{NAME}/{DOMAIN}.access.log"
HOME = f"/home/{NAME}"
LOSE_PLACE = (
    'import sqlite3; file = sqlite3.connect("/var/lib/hostwright/usage.db");'
    ' file.execute("UPDATE cursor SET place = ? WHERE log = ?", ("lost", "mail")); file.commit()'
)
BYTES_SENT = re.compile(r'" \d{3} (\d+) "')


@pytest.fixture(scope="module")
def host(module_server: Server) -> Host:
    """A server with one account."""
    made = Host.prepare(module_server)
    made.apply(hosts.account(NAME, UID, DOMAIN))
    return made


def ask(host: Host, **more: Any) -> dict[str, Any]:
    """One answer of a fresh node program."""
    line = json.dumps({"v": 1, "id": 1, "verb": "usage", "payload": {"server": "srv_1", **more}}) + "\n"
    command = ["env", "PYTHONPATH=/usr/lib/hostwright", "python3", "-m", "hostwright_node", "serve"]
    last = json.loads(host.server.run(command, input=line).stdout.splitlines()[-1])
    assert "report" in last, last
    return dict(last["report"])


def measured(host: Host) -> dict[str, Any]:
    """What is told of the account when it has been measured afresh."""
    report = ask(host, measure=True)
    deadline = time.monotonic() + 30
    while report["measuring"]:
        assert time.monotonic() < deadline, report
        report = ask(host)
    return dict(report["accounts"][f"acc_{NAME}"])


def traffic(host: Host) -> list[int]:
    """Bytes and requests of the site today."""
    return list(measured(host)["web"].get(datetime.now(UTC).date().isoformat(), {}).get(DOMAIN, [0, 0]))


def logged(host: Host) -> list[int]:
    """The same, by every log there is, packed ones too."""
    sent = [int(size) for size in BYTES_SENT.findall(host.shell(f"zcat -f {LOG}*"))]
    return [sum(sent), len(sent)]


def fetch(host: Host, path: str, count: int = 1) -> None:
    for number in range(count):
        assert host.http(DOMAIN, f"{path}?{number}")[0] == 200


def rotate(host: Host) -> int:
    """Rotate the logs and ask for pages until the new one is written to; how many pages that took."""
    host.shell("logrotate --force /etc/logrotate.d/hostwright")
    for number in range(1, 200):
        fetch(host, f"/page.bin?{number}")
        if host.shell(f"stat -c %s {LOG} 2>/dev/null || echo 0").strip() != "0":
            return number
    raise AssertionError("nothing is written to the new log")


def test_traffic_is_the_sum_of_the_logs_across_rotations(host: Host) -> None:
    host.upload(NAME, f"{HOME}/public_html/page.bin", "x" * 50_000)
    fetch(host, "/page.bin", 3)
    before = traffic(host)
    assert before == logged(host)
    assert 150_000 < before[0] < 152_000
    fetch(host, "/page.bin", 2)
    asked = rotate(host) + rotate(host)
    assert "access.log.2.gz" in host.shell(f"ls /var/log/hostwright/{NAME}")
    fetch(host, "/page.bin", 4)
    after = traffic(host)
    assert after == logged(host)
    assert after[1] == before[1] + 6 + asked
    assert traffic(host) == after


def mail(host: Host) -> list[int]:
    """Mails of today: sent, their bytes, received, their bytes."""
    return list(measured(host)["mail"].get(datetime.now(UTC).date().isoformat(), [0, 0, 0, 0]))


def stored(host: Host) -> int:
    """How many messages lie in the account's mailboxes."""
    return int(host.shell(f"find {HOME}/mail/{DOMAIN} -path '*/new/*' -o -path '*/cur/*' | wc -l"))


def test_mails_are_counted_once_by_recipient_whatever_becomes_of_the_journal(host: Host) -> None:
    assert mail(host) == [0, 0, 0, 0]
    host.send("someone@outside.example", f"info@{DOMAIN}", "from outside")
    host.wait_for_message(f"anna@{DOMAIN}", "from outside")
    sent, sent_bytes, received, received_bytes = mail(host)
    assert (sent, sent_bytes, received) == (0, 0, 1)
    assert 150 < received_bytes < 1000
    host.send(f"anna@{DOMAIN}", f"bob@{DOMAIN}", "by a log-in", login=f"anna@{DOMAIN}", port=587)
    host.wait_for_message(f"bob@{DOMAIN}", "by a log-in")
    host.shell("journalctl --rotate --quiet --vacuum-size=1 --vacuum-files=1 2>&1")
    script = f"printf 'Subject: by a program\\n\\nx\\n' | /usr/sbin/sendmail bob@{DOMAIN} nobody@far.example"
    host.server.run(["runuser", "-u", NAME, "--", "sh", "-c", script])
    host.wait_for_message(f"bob@{DOMAIN}", "by a program")
    after = mail(host)
    assert (after[0], after[2]) == (3, stored(host))
    assert after[1] > 450
    host.shell("postqueue -f; systemctl kill -s KILL systemd-journald; systemctl restart systemd-journald postfix")
    assert mail(host) == after
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        host.send("someone@outside.example", f"nobody@{DOMAIN}", "refused")
    host.shell(
        f"logger -p mail.info -t postfix/qmgr 'ABCDE012345: from=<anna@{DOMAIN}>, size=9, nrcpt=9 (queue active)'"
    )
    host.send("someone@outside.example", f"bob@{DOMAIN}", "after a restart")
    host.wait_for_message(f"bob@{DOMAIN}", "after a restart")
    assert mail(host)[0::2] == [3, stored(host)]
    host.shell(f"python3 -c '{LOSE_PLACE}'")
    assert mail(host)[0::2] == [3, stored(host)]
    host.send("someone@outside.example", f"bob@{DOMAIN}", "from a lost place on")
    host.wait_for_message(f"bob@{DOMAIN}", "from a lost place on")
    assert mail(host)[0::2] == [3, stored(host)]


def test_files_are_counted_and_a_link_leads_nowhere(host: Host) -> None:
    before = measured(host)
    host.server.run(
        ["runuser", "-u", NAME, "--", "dd", "if=/dev/zero", f"of={HOME}/public_html/big", "bs=1M", "count=3"]
    )
    host.server.run(["runuser", "-u", NAME, "--", "mkdir", "-m", "0", f"{HOME}/closed"])
    host.shell(f"dd if=/dev/zero of={HOME}/mail/stored bs=1k count=500 2>&1; chown {NAME}: {HOME}/mail/stored")
    full = measured(host)
    assert 3 * 2**20 + 512_000 <= full["disk_bytes"] - before["disk_bytes"] < 3_800_000
    assert full["inodes"] == before["inodes"] + 3
    assert 512_000 <= full["mail_bytes"] - before["mail_bytes"] < 560_000
    assert full["unread"] == 0
    swap = f"rm -rf {HOME}/public_html && ln -s / {HOME}/public_html && ln -s /var {HOME}/tmp/var"
    host.server.run(["runuser", "-u", NAME, "--", "sh", "-c", swap])
    swapped = measured(host)
    assert swapped["disk_bytes"] < before["disk_bytes"] + 600_000
    assert swapped["inodes"] < full["inodes"] + 2


def test_rows_of_a_database_are_counted(host: Host) -> None:
    before = measured(host)["databases"]
    assert list(before) == [f"{NAME}_c"]
    rows = "CREATE TABLE t (a LONGTEXT); INSERT INTO t SELECT REPEAT('x', 100000) FROM seq_1_to_60;"
    host.shell(f"mariadb {NAME}_c", input=rows)
    host.shell(
        f"mariadb {NAME}_c", input="CREATE TABLE m (a TEXT) ENGINE=MyISAM; INSERT INTO m VALUES (REPEAT('y', 60000));"
    )
    grown = measured(host)["databases"][f"{NAME}_c"] - before[f"{NAME}_c"]
    assert 6_060_000 <= grown < 20_000_000


def test_the_server_tells_how_it_stands(host: Host) -> None:
    figures = ask(host)["server"]
    assert figures["accounts"] == figures["pools"] == figures["sites"] == figures["databases"] == 1
    assert {"nginx", "mariadb", "dovecot"} <= figures["versions"].keys()
    assert figures["quota"] == "none"
    assert figures["disks"][0]["free_bytes"] < figures["disks"][0]["bytes"]
