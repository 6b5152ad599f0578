"""Whatever was changed by hand on a real server is found, shown without secrets, and put right or left alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.node import real
from tests.node.bundles import Body, directory, file, payload, request, resource
from tests.node.target import Target, prepared
from tests.servers import Server

NAME, UID, DOMAIN = "drifty", 22001, "drifty.example"
SITES = "/etc/nginx/hostwright-sites"
POOL = f"/etc/php/{real.PHP}/fpm/pool.d"
MAIL = "/var/lib/hostwright/mail/mail.sqlite"
ZONES = "/etc/bind/hostwright-zones"
IDLE = "[www]\nuser = www-data\ngroup = www-data\nlisten = /run/php/www.sock\npm = ondemand\npm.max_children = 1\n"
BASE: tuple[Body, ...] = (
    directory(SITES),
    file(f"{POOL}/www.conf", IDLE, adopt=True, service=f"php{real.PHP}-fpm"),
    resource("service", "nginx.service", enabled=True, running=True),
    resource("service", "cron.service", enabled=True, running=True),
)


@pytest.fixture(scope="module")
def target(module_server: Server) -> Target:
    """A server with its base configuration and one account."""
    made = prepared(module_server)
    report = made.apply(real.base(*BASE, generation=2), real.account(NAME, UID, DOMAIN))
    assert report["status"] == "applied", report
    return made


def drift(target: Target, **more: Any) -> dict[str, Any]:
    (answer,) = target.ask(request("drift", {"server": "srv_1", "epoch": 1, **more}))
    assert "report" in answer, answer
    return dict(answer["report"])


def items(target: Target, **more: Any) -> dict[str, dict[str, Any]]:
    report = drift(target, **more)
    assert [step for step in report["steps"] if step["status"] != "ok"] == []
    return {item["key"]: item for item in report["items"]}


def put_right(target: Target, **more: Any) -> None:
    """Carry everything again, verified."""
    report = target.apply({**real.base(*BASE, generation=2), **more}, real.account(NAME, UID, DOMAIN), verify=True)
    assert report["status"] in ("applied", "unchanged"), report


DAMAGES = {
    f"file:/etc/nginx/sites-enabled/{NAME}.conf": (
        "changed",
        f"sed -i 's/index.php/other.php/' /etc/nginx/sites-enabled/{NAME}.conf",
    ),
    f"file:{POOL}/{NAME}.conf": ("changed", f"echo 'php_admin_value[open_basedir] = /' >> {POOL}/{NAME}.conf"),
    f"file:/etc/apache2/sites-enabled/{NAME}.conf": ("missing", f"rm /etc/apache2/sites-enabled/{NAME}.conf"),
    f"directory:/home/{NAME}": ("mode", f"chmod 0777 /home/{NAME}"),
    f"directory:/home/{NAME}/public_html": ("mode", f"chmod 0700 /home/{NAME}/public_html"),
    "file:/etc/nsswitch.conf": ("changed", "sed -i 's/^passwd:.*/passwd: files/' /etc/nsswitch.conf"),
    f"zone:{DOMAIN}": ("changed", f"sed -i 's/198.51.100.77/203.0.113.9/' {ZONES}/{DOMAIN}.db"),
    f"user:{NAME}": ("changed", f"sed -i 's|^{NAME}:!:|{NAME}:$6$abc$def:|' /var/lib/extrausers/shadow"),
    f"database_user:{NAME}_wp@localhost": (
        "changed",
        f"mariadb -e \"SET PASSWORD FOR {NAME}_wp@localhost = PASSWORD('mine'); GRANT SELECT ON mysql.*"
        f' TO {NAME}_wp@localhost; ALTER USER {NAME}_wp@localhost ACCOUNT LOCK"',
    ),
    f"row:domain:{DOMAIN}": ("changed", "sqlite3 /var/lib/hostwright/mail/mail.sqlite 'UPDATE domain SET deliver = 0'"),
    f"row:alias:sales@{DOMAIN}": ("missing", "sqlite3 /var/lib/hostwright/mail/mail.sqlite 'DELETE FROM alias'"),
    "service:cron.service": ("changed", "systemctl disable --now cron"),
}
EXTRAS = {
    f"file:{SITES}/stray.conf": ("server", f"echo '# stray' > {SITES}/stray.conf"),
    f"file:{POOL}/stray.conf": (f"acc_{NAME}", f"echo '; /home/{NAME}/x' > {POOL}/stray.conf"),
    "zone:stray.example": (
        "server",
        f"sed 's/@SERIAL@/1/' > {ZONES}/stray.example.db << 'END'\n{real.zone_text('stray.example')}END\n"
        f"chmod 0644 {ZONES}/stray.example.db;"
        f" rndc addzone 'stray.example {{ type primary; file \"{ZONES}/stray.example.db\"; }};'",
    ),
    "user:mallory": (
        "server",
        "echo 'mallory:x:29999:29999::/home/mallory:/bin/bash' >> /var/lib/extrausers/passwd",
    ),
    f"row:alias:evil@{DOMAIN}": (
        f"acc_{NAME}",
        f"sqlite3 {MAIL} \"INSERT INTO alias VALUES ('evil@{DOMAIN}', 'x@y.example')\"",  # noqa: S608 -- a test's own
    ),
    f"database:{NAME}_extra": (f"acc_{NAME}", f"mariadb -e 'CREATE DATABASE {NAME}_extra'"),
    f"database_user:{NAME}_extra@%": (
        f"acc_{NAME}",
        f"mariadb -e \"CREATE USER {NAME}_extra@'%' IDENTIFIED BY 'hidden-word'\"",
    ),
}
KEPT = (f"database:{NAME}_extra", f"database_user:{NAME}_extra@%")


def test_nothing_changed_is_no_drift(target: Target) -> None:
    before = target.everything()
    assert items(target) == {}
    assert target.everything() == before


def test_everything_changed_by_hand_is_found_and_put_right(target: Target) -> None:
    for _word, command in DAMAGES.values():
        target.server.run(["sh", "-c", command])
    found = items(target)
    assert {key: item["drift"] for key, item in found.items()} == {key: word for key, (word, _) in DAMAGES.items()}
    assert {item["slice"] for item in found.values()} == {"server", f"acc_{NAME}"}
    login = found[f"database_user:{NAME}_wp@localhost"]
    assert "+password_hash: ••••" in login["diff"]
    assert "+locked: true" in login["diff"]
    assert "mysql" in login["diff"]
    assert "password_hash" not in login["actual"]
    assert real.native_hash("mine") not in str(found)
    assert "+www IN A 203.0.113.9" in found[f"zone:{DOMAIN}"]["diff"]
    assert "@SERIAL@" in found[f"zone:{DOMAIN}"]["actual"]["text"]
    put_right(target)
    assert items(target) == {}
    assert target.get(DOMAIN) == (200, f"hello {NAME}")
    assert target.dig(DOMAIN) == "198.51.100.77"
    assert target.server.run(["systemctl", "is-active", "cron"]).stdout.strip() == "active"


def test_what_nobody_asked_for_is_found_and_can_be_discarded(target: Target) -> None:
    for _slice, command in EXTRAS.values():
        target.server.run(["sh", "-c", command])
    assert target.dig("www.stray.example") == "198.51.100.77"
    found = items(target)
    assert {key: (item["drift"], item["slice"]) for key, item in found.items()} == {
        key: ("extra", slice_id) for key, (slice_id, _command) in EXTRAS.items()
    }
    assert "hidden-word" not in str(found)
    assert "password_hash" not in found[f"database_user:{NAME}_extra@%"]["actual"]
    wanted = {key: item["digest"] for key, item in found.items() if key not in KEPT}
    report = target.apply({**real.base(*BASE, generation=2), "discard": wanted})
    assert report["slices"]["server"]["discarded"] == dict.fromkeys(wanted, "removed")
    assert set(report["reloads"]) == {"nginx", f"php{real.PHP}-fpm"}
    assert target.dig("www.stray.example") == ""
    assert items(target).keys() == set(KEPT)
    target.sql(f"DROP DATABASE {NAME}_extra; DROP USER {NAME}_extra@'%'")
    assert items(target) == {}


def test_a_discard_that_a_checker_refuses_is_taken_back(target: Target) -> None:
    """nginx includes the stray by name: without it no configuration holds, so it stays."""
    target.server.run(["sh", "-c", f"echo '# needed' > {SITES}/needed.conf"])
    target.server.put("/etc/nginx/conf.d/admin.conf", f"include {SITES}/needed.conf;\n")
    key = f"file:{SITES}/needed.conf"
    report = target.apply({**real.base(*BASE, generation=2), "discard": {key: items(target)[key]["digest"]}})
    assert (report["slices"]["server"]["status"], report["slices"]["server"]["code"]) == ("rejected", "check")
    assert key in items(target)
    target.server.run(["rm", "/etc/nginx/conf.d/admin.conf", f"{SITES}/needed.conf"])


def test_a_pinned_exception_survives_a_verified_apply(target: Target) -> None:
    path = f"/etc/nginx/sites-enabled/{NAME}.conf"
    target.server.run(["sh", "-c", f"echo '# by hand' >> {path}"])
    report = target.apply({**real.account(NAME, UID, DOMAIN), "pinned": [f"file:{path}"]}, verify=True)
    assert report["status"] == "unchanged"
    assert target.server.run(["tail", "-1", path]).stdout == "# by hand\n"
    put_right(target)
    assert items(target) == {}


def test_stopped_daemons_hide_nothing_else(target: Target) -> None:
    """What a daemon alone can say is told as a step that failed; nothing is started for it."""
    target.server.run(["systemctl", "stop", "mariadb", "named"])
    target.server.run(["rm", f"{ZONES}/{DOMAIN}.db"])
    report = drift(target)
    assert [item["key"] for item in report["items"]] == [f"zone:{DOMAIN}"]
    assert {step["step"] for step in report["steps"] if step["status"] == "failed"} == {
        "look at sql",
        "look for more sql",
    }
    assert target.server.run(["systemctl", "is-active", "mariadb"], check=False).stdout.strip() == "inactive"
    put_right(target)
    assert target.ask(request("apply", payload()))[0]["report"]["status"] == "unchanged"
    assert items(target) == {}
