"""The node program on a real Debian server: nginx, Apache, PHP-FPM, BIND, MariaDB and the mail database serve."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.node import real
from tests.node.bundles import Body, directory, file, payload, request, resource, slice_of
from tests.node.target import LIBRARY, Target, prepared
from tests.servers import Server


@pytest.fixture(scope="module")
def target(module_server: Server) -> Target:
    """A server with its base configuration, shared by this module: every test has accounts of its own."""
    return prepared(module_server)


def status(report: dict[str, Any], slice_id: str) -> str:
    return str(report["slices"][slice_id]["status"])


def test_an_account_is_served_when_its_apply_reports(target: Target) -> None:
    """No waiting after the report: it comes when everything answers."""
    report = target.apply(real.account("alice", 20001, "alice.example"))
    assert report["status"] == "applied", report
    assert target.get("www.alice.example") == (200, "hello alice")
    serial = report["slices"]["acc_alice"]["served"]["zone:alice.example"]["serial"]
    assert target.dig("alice.example", "SOA").split()[2] == str(serial)
    login = ["-ualice_wp", f"-p{real.PASSWORD}"]
    assert target.sql("SELECT DATABASE()", *login, "alice_wp") == "alice_wp"
    assert target.mail_rows("alias") == ["sales@alice.example|info@alice.example"]
    assert report["reloads"] == {"apache2": 1, "nginx": 1, "php8.4-fpm": 1}
    again = target.apply(real.account("alice", 20001, "alice.example"), verify=True)
    assert (again["status"], again["reloads"]) == ("unchanged", {})


def test_a_change_is_served_when_its_apply_reports(target: Target) -> None:
    first = real.account("bob", 20002, "bob.example")
    target.apply(first)
    masters = [target.pid(file) for file in ("/run/nginx.pid", "/run/php/php8.4-fpm.pid")]
    own = {"owner": "bob", "group": "bob", "as": "bob"}
    for number in range(5):
        pool = real.pool_text("bob", f"php_admin_value[memory_limit] = {100 + number}M")
        address = f"198.51.100.{number + 1}"
        report = target.apply(
            {
                **real.replaced(
                    first,
                    file("/home/bob/public_html/index.php", "<?php echo ini_get('memory_limit');", **own),
                    file("/etc/php/8.4/fpm/pool.d/bob.conf", pool, service="php8.4-fpm"),
                    file(
                        "/etc/nginx/sites-enabled/bob.conf",
                        real.site_text("bob", "bob.example", f"location = /n {{ return 200 n{number}; }}"),
                        service="nginx",
                    ),
                    real.zone("bob.example", address),
                ),
                "generation": 2 + number,
            }
        )
        assert report["status"] == "applied", report
        assert target.get("bob.example", "/n") == (200, f"n{number}")
        assert target.get("bob.example") == (200, f"{100 + number}M")
        assert target.dig("bob.example") == address
    assert masters == [target.pid(file) for file in ("/run/nginx.pid", "/run/php/php8.4-fpm.pid")]


@pytest.mark.parametrize(
    ("guilty", "words"),
    [
        (
            file(
                "/etc/nginx/sites-enabled/dave.conf",
                real.site_text("dave", "dave.example", "nonsense;"),
                service="nginx",
            ),
            'unknown directive "nonsense"',
        ),
        (
            file("/etc/php/8.4/fpm/pool.d/dave.conf", real.pool_text("dave", "bogus = 1"), service="php8.4-fpm"),
            "unknown entry 'bogus'",
        ),
        (
            file("/etc/apache2/sites-enabled/dave.conf", "Nonsense on\n", service="apache2"),
            "Invalid command 'Nonsense'",
        ),
        (
            resource("zone", "dave.example", text=real.zone_text("dave.example") + "www CNAME x.example.\n"),
            "CNAME and other data",
        ),
        (
            resource("database", "dave_wp", charset="utf8mb4", collation="latin1_bin"),
            "is not valid for CHARACTER SET 'utf8mb4'",
        ),
    ],
    ids=["nginx", "php", "apache", "zone", "sql"],
)
def test_what_a_checker_refuses_stops_nobody_else(target: Target, guilty: Body, words: str) -> None:
    """The guilty account leaves no trace; the good one of the same bundle is live; others never stop answering."""
    target.apply(real.account("alice", 20001, "alice.example"))
    before = target.everything()
    name = f"good{guilty['kind'][:2]}{len(words)}"
    good = real.account(name, 22000 + len(words), f"{name}.example")
    bad = real.replaced(real.account("dave", 20004, "dave.example"), guilty)
    report = target.apply(bad, good)
    assert (report["status"], status(report, "acc_dave"), status(report, f"acc_{name}")) == (
        "partial",
        "rejected",
        "applied",
    )
    assert words in report["slices"]["acc_dave"]["reason"]
    assert target.get(f"{name}.example") == (200, f"hello {name}")
    assert target.get("alice.example") == (200, "hello alice")
    target.apply(slice_of(f"acc_{name}", generation=2))
    keys = [f"directory:/home/{name}", f"user:{name}", f"database:{name}_wp"]
    target.apply(slice_of(f"acc_{name}", generation=3, tombstones=keys))
    assert target.everything() == before


def test_an_account_ends_without_a_trace(target: Target) -> None:
    before = target.everything()
    target.apply(real.account("erin", 20005, "erin.example"))
    target.server.run(["runuser", "-u", "erin", "--", "mkdir", "-p", "/home/erin/mail/new"])
    target.sql("CREATE TABLE erin_wp.posts (id INT)")
    target.apply(slice_of("acc_erin", generation=2))
    assert target.get("erin.example")[0] == 404
    assert target.dig("erin.example") == ""
    assert target.sql("SHOW TABLES", "erin_wp") == "posts"
    assert target.server.run(["test", "-d", "/home/erin/mail/new"], check=False).returncode == 0
    keys = ["directory:/home/erin", "user:erin", "database:erin_wp"]
    report = target.apply(slice_of("acc_erin", generation=3, tombstones=keys))
    assert report["status"] == "applied", report
    assert target.everything() == before


def test_what_is_foreign_is_left_alone(target: Target) -> None:
    """A user, database, login and zone that somebody else made are never taken over."""
    target.server.run(["useradd", "--system", "frank"])
    target.sql("CREATE DATABASE gina_wp; CREATE USER 'henry_wp'@'localhost' IDENTIFIED BY 'theirs'")
    text = real.zone_text("ivan.example").replace("@SERIAL@", "7")
    target.server.put("/var/cache/bind/ivan.db", text)
    target.server.run(["rndc", "addzone", "ivan.example", '{ type primary; file "/var/cache/bind/ivan.db"; };'])
    before = target.everything()
    names = ("frank", "gina", "henry", "ivan")
    report = target.apply(*(real.account(name, 20100 + n, f"{name}.example") for n, name in enumerate(names)))
    assert {told["code"] for told in report["slices"].values()} == {"foreign"}
    assert target.everything() == before
    assert target.dig("ivan.example", "SOA").split()[2] == "7"
    target.server.run(["userdel", "frank"])
    target.sql("DROP DATABASE gina_wp; DROP USER 'henry_wp'@'localhost'")
    target.server.run(["rndc", "delzone", "ivan.example"])


def test_a_database_that_a_person_adopted_is_taken_over_with_what_it_holds(target: Target) -> None:
    target.sql("CREATE DATABASE judy_wp; CREATE TABLE judy_wp.t (a INT); INSERT INTO judy_wp.t VALUES (7)")
    wanted = real.account("judy", 20120, "judy.example")
    assert target.apply({**wanted, "adopted": ["user:judy"]})["slices"]["acc_judy"]["code"] == "foreign"
    broken = real.replaced(wanted, file("/etc/nginx/sites-enabled/judy.conf", "nonsense;", service="nginx"))
    assert target.apply({**broken, "adopted": ["database:judy_wp"]})["slices"]["acc_judy"]["code"] == "check"
    assert target.sql("SELECT a FROM judy_wp.t") == "7"
    assert target.apply({**wanted, "adopted": ["database:judy_wp"]})["status"] == "applied"
    assert target.sql("SELECT a FROM judy_wp.t") == "7"
    assert target.apply({**wanted, "generation": 2})["status"] == "unchanged"


def test_a_host_name_is_not_served_twice(target: Target) -> None:
    """nginx and Apache would take the second for the first, and pass their own checks."""
    target.apply(real.account("rosa", 20018, "rosa.example"))
    thief = real.account("saul", 20019, "saul.example")
    text = real.site_text("saul", "rosa.example")
    for path, stolen, service in (
        ("/etc/nginx/sites-enabled/saul.conf", text, "nginx"),
        ("/etc/apache2/sites-enabled/saul.conf", real.vhost_text("rosa.example", "saul"), "apache2"),
    ):
        report = target.apply(real.replaced(thief, file(path, stolen, service=service)))
        assert report["slices"]["acc_saul"]["code"] == "foreign"
        assert "rosa.example is used by another slice" in report["slices"]["acc_saul"]["reason"]
    assert target.get("rosa.example") == (200, "hello rosa")


def test_grants_reach_no_database_that_looks_alike(target: Target) -> None:
    """attacks.md C3: `_` is a wildcard in GRANT unless it is escaped."""
    databases = [resource("database", name, charset="utf8mb4", collation="utf8mb4_bin") for name in ("jo_a", "joxa")]
    login = resource(
        "database_user",
        "jo_a@localhost",
        user="jo_a",
        host="localhost",
        password_hash=real.native_hash("x"),
        grants=[{"database": "jo_a", "privileges": ["ALL"]}],
        locked=False,
    )
    assert (
        target.apply(slice_of("acc_jo", databases[0], login), slice_of("acc_jox", databases[1]))["status"] == "applied"
    )
    assert target.sql("SELECT 1", "-ujo_a", "-px", "jo_a") == "1"
    denied = target.server.run(["mariadb", "-ujo_a", "-px", "joxa", "-e", "SELECT 1"], check=False)
    assert "ERROR 1044" in denied.stderr
    locked = {**login, "locked": True}
    assert target.apply(slice_of("acc_jo", databases[0], locked, generation=2))["status"] == "applied"
    assert target.sql("SELECT 1", "-ujo_a", "-px", "jo_a") == ""


def test_drift_is_found_and_repaired(target: Target) -> None:
    bundle = real.account("karl", 20011, "karl.example")
    target.apply(bundle)
    target.server.run(["rndc", "delzone", "karl.example"])
    target.sql("ALTER USER karl_wp@localhost ACCOUNT LOCK; REVOKE ALL PRIVILEGES, GRANT OPTION FROM karl_wp@localhost")
    target.server.run(["sqlite3", "/var/lib/hostwright/mail/mail.sqlite", "DELETE FROM alias WHERE 1"])
    target.server.run(["sh", "-c", "echo '# by hand' >> /etc/nginx/sites-enabled/karl.conf"])
    told = target.plan(bundle, verify=True)["slices"]["acc_karl"]["changes"]
    assert {change["key"] for change in told} == {
        "zone:karl.example",
        "database_user:karl_wp@localhost",
        "row:alias:sales@karl.example",
        "file:/etc/nginx/sites-enabled/karl.conf",
    }
    report = target.apply(bundle, verify=True)
    assert report["status"] == "applied", report
    assert target.plan(bundle, verify=True)["slices"]["acc_karl"]["status"] == "unchanged"
    assert target.sql("SELECT DATABASE()", "-ukarl_wp", f"-p{real.PASSWORD}", "karl_wp") == "karl_wp"
    assert target.dig("karl.example") == "198.51.100.77"


def test_a_serial_never_goes_back(target: Target) -> None:
    zone = real.zone("liam.example", "198.51.100.1")
    bundle = {**slice_of("acc_liam", zone), "hints": {"zone:liam.example": {"serial_floor": 3000000000}}}
    first = target.apply(bundle)["slices"]["acc_liam"]["served"]["zone:liam.example"]["serial"]
    assert first == 3000000000
    target.apply(slice_of("acc_liam", generation=2))
    report = target.apply(slice_of("acc_liam", real.zone("liam.example", "198.51.100.2"), generation=3))
    assert report["slices"]["acc_liam"]["served"]["zone:liam.example"]["serial"] == first + 1
    assert target.dig("liam.example", "SOA").split()[2] == str(first + 1)


def test_the_mail_database_is_read_without_write_access(target: Target) -> None:
    """A reader of the group mail sees each change at once, through -wal and -shm that it may not write."""
    target.apply(real.account("mona", 20013, "mona.example"))
    unit = (
        "[Unit]\nDescription=Mail database\n[Service]\nType=notify\n"
        f"Environment=PYTHONPATH={LIBRARY}\nExecStart=/usr/bin/python3 -m hostwright_node hold-mail\n"
    )
    extra = [
        file("/etc/systemd/system/hw-mail.service", unit),
        resource("service", "hw-mail.service", enabled=False, running=True),
    ]
    assert target.apply(real.base(*extra, generation=2))["status"] == "applied"
    target.server.run(["useradd", "--system", "--groups", "mail", "reader"])
    query = [
        "runuser", "-u", "reader", "--", "sqlite3", "/var/lib/hostwright/mail/mail.sqlite",
        "SELECT address FROM mailbox WHERE domain LIKE 'mona%' ORDER BY 1",
    ]  # fmt: skip
    assert target.server.run(query).stdout.split() == ["info@mona.example"]
    changed = real.replaced(
        real.account("mona", 20013, "mona.example"), real.mailbox("mona", 20013, "mona.example", "new")
    )
    target.apply({**changed, "generation": 2})
    assert target.server.run(query).stdout.split() == ["info@mona.example", "new@mona.example"]
    insert = [*query[:-1], "DELETE FROM mailbox"]
    assert "readonly" in target.server.run(insert, check=False).stderr
    assert target.apply(real.base(generation=3))["status"] == "applied"
    assert target.server.run(["systemctl", "is-active", "hw-mail.service"], check=False).stdout.strip() == "inactive"


def test_a_tenant_that_swaps_directories_for_links_gets_nothing(target: Target) -> None:
    """attacks.md E2, E3: while applies run, the tenant flips a directory and a link to root's; that stays as it is."""
    first = real.account("nina", 20014, "nina.example")
    target.apply(first)
    target.server.run(["sh", "-c", "mkdir -p /etc/victim && echo keep > /etc/victim/file && chmod 777 /etc/victim"])
    before = target.server.run(["sh", "-c", "ls -lan /etc/victim; cat /etc/victim/*"]).stdout
    swap = "mv public_html p2; ln -s /etc/victim public_html; rm public_html; mv p2 public_html"
    flip = f"cd /home/nina; while :; do {swap}; done"
    script = f"runuser -u nina -- sh -c '{flip}' >/dev/null 2>&1 & echo $!"
    flipper = target.server.run(["sh", "-c", script]).stdout.strip()
    own = {"owner": "nina", "group": "nina", "as": "nina"}
    try:
        for number in range(25):
            bodies = [
                file("/home/nina/public_html/file", f"{number}\n", **own),
                directory("/home/nina/public_html/sub", mode="0755", **own),
            ]
            target.apply({**real.replaced(first, *bodies), "generation": 2 + number})
    finally:
        target.server.run(["pkill", "-KILL", "-u", "nina"], check=False)
        target.server.run(["kill", flipper], check=False)
    assert target.server.run(["sh", "-c", "ls -lan /etc/victim; cat /etc/victim/*"]).stdout == before


def test_a_full_disk_changes_nothing(target: Target) -> None:
    """attacks.md X5: the old configuration stays whole, the reason is clear, and it heals by itself."""
    target.apply(real.account("alice", 20001, "alice.example"))
    run = target.server.run
    run(["sh", "-c", "mkdir -p /var/log/hostwright && mount -t tmpfs -o size=64k none /var/log/hostwright"])
    run(["sh", "-c", "head -c 60000 /dev/zero > /var/log/hostwright/fill"], check=False)
    before = target.everything()
    big = real.replaced(real.account("omar", 20015, "omar.example"), file("/var/log/hostwright/omar.txt", "x" * 100000))
    report = target.apply(big)
    assert (status(report, "acc_omar"), report["slices"]["acc_omar"]["code"]) == ("rejected", "disk_full")
    assert target.everything() == before
    run(["umount", "/var/log/hostwright"])
    assert target.apply(big)["status"] == "applied"
    assert target.get("omar.example") == (200, "hello omar")


def test_a_port_that_is_taken_brings_the_old_configuration_back(target: Target) -> None:
    """attacks.md X17: the checker is content, the reload is not; nobody notices but the one who asked for it."""
    first = real.account("paul", 20016, "paul.example")
    target.apply(first)
    holder = "import socket,time; s=socket.socket(); s.bind(('0.0.0.0',8099)); s.listen(); time.sleep(60)"
    process = target.server.run(["sh", "-c", f'python3 -c "{holder}" >/dev/null 2>&1 & echo $!; sleep 0.5'])
    text = real.site_text("paul", "paul.example", "listen 8099;")
    bad = real.replaced(first, file("/etc/nginx/sites-enabled/paul.conf", text, service="nginx"))
    good = real.account("quin", 20017, "quin.example")
    report = target.apply({**bad, "generation": 2}, good)
    target.server.run(["kill", process.stdout.strip()])
    assert (status(report, "acc_paul"), status(report, "acc_quin")) == ("rejected", "applied")
    assert "8099" in report["slices"]["acc_paul"]["reason"]
    assert target.get("paul.example") == (200, "hello paul")
    assert target.get("quin.example") == (200, "hello quin")


def test_pools_are_judged_alone_once_all_of_them_have_been(target: Target) -> None:
    """One conversation: the second and third apply have only their own pools judged (Fpm.check)."""
    broken = file(
        f"/etc/php/{real.PHP}/fpm/pool.d/rhea.conf",
        real.pool_text("rhea", "nonsense = 1"),
        service=f"php{real.PHP}-fpm",
    )
    bundles = [
        real.account("rita", 20041, "rita.example"),
        real.replaced(real.account("rhea", 20042, "rhea.example"), broken),
        real.account("ruth", 20043, "ruth.example"),
    ]
    answers = target.ask(*(request("apply", payload(bundle)) for bundle in bundles))
    (rita,), (rhea,), (ruth,) = (answer["report"]["slices"].values() for answer in answers)
    assert (rita["status"], rhea["status"], ruth["status"]) == ("applied", "rejected", "applied")
    assert "nonsense" in rhea["reason"]
    assert [target.get(f"{name}.example") for name in ("rita", "ruth")] == [(200, "hello rita"), (200, "hello ruth")]


def test_a_no_op_touches_no_daemon(target: Target) -> None:
    bundle = real.account("alice", 20001, "alice.example")
    target.apply(bundle)
    report = target.apply(bundle)
    assert (report["status"], report["reloads"], report["steps"]) == ("unchanged", {}, [])


SESSION = """
import json, sys
from hostwright_node.mariadb import Connection, MariadbError
from hostwright_node.paths import Paths
told = []
with Connection(Paths()) as connection:
    for statement in json.load(sys.stdin):
        try:
            told.append(connection.run(statement))
        except MariadbError as error:
            told.append(str(error))
print(json.dumps(told))
"""


def test_a_session_with_mariadb_tells_what_is_there(target: Target) -> None:
    """Rows of every length, as they are; a refusal names its number and ends nothing else."""
    statements = [
        "SELECT 'back\\\\slash\ttab ü', NULL, '';",
        "SELECT REPEAT('x', 300), REPEAT('y', 70000);",
        "SELECT nonsense;",
        "SET SESSION sql_mode='STRICT_ALL_TABLES';",
        "SELECT 1 UNION SELECT 2;",
        "SELECT CURRENT_USER(), @@character_set_client;",
    ]
    command = ["env", f"PYTHONPATH={LIBRARY}", "python3", "-c", SESSION]
    told = json.loads(target.server.run(command, input=json.dumps(statements)).stdout)
    assert told[0] == [["back\\slash\ttab ü", "", ""]]
    assert told[1] == [["x" * 300, "y" * 70000]]
    assert told[2].startswith("Unknown column 'nonsense'")
    assert told[2].endswith("(1054)")
    assert told[3:] == [[], [["1"], ["2"]], [["root@localhost", "utf8mb4"]]]
