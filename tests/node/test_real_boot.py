"""Power cut in the middle of an apply: the server boots with its old configuration, though nobody connects to it."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.render import render
from tests.node import real
from tests.node.bundles import Body, file, payload, request, resource
from tests.node.target import LIBRARY, Target, prepared
from tests.servers import Server

NAME, UID, DOMAIN = "booted", 22101, "booted.example"
UNITS = ("hostwright-recover.service", "hostwright-recover-rest.service")
DAEMONS = ("nginx", "apache2", "named", "mariadb", f"php{real.PHP}-fpm")


def cron(wanted: bool) -> Body:
    """A unit of a package: whether it runs and starts at boot is undone without waiting for systemd."""
    return resource("service", "cron.service", enabled=wanted, running=wanted)


def units() -> list[Body]:
    texts = {unit: render(f"unix/{unit}.j2", program=LIBRARY, daemons=DAEMONS) for unit in UNITS}
    return [
        *(file(f"/etc/systemd/system/{unit}", text) for unit, text in texts.items()),
        *(resource("service", unit, enabled=True, running=True) for unit in UNITS),
    ]


@pytest.fixture(scope="module")
def target(module_server: Server) -> Target:
    """A server with the units and one account."""
    made = prepared(module_server)
    report = made.apply(real.base(*units(), cron(True), generation=2), real.account(NAME, UID, DOMAIN))
    assert report["status"] == "applied", report
    return made


def changed(text: str) -> dict[str, Any]:
    """The account with everything that it has changed, and a database and a zone more."""
    site = real.site_text(NAME, DOMAIN, text)
    return {
        **real.replaced(
            real.account(NAME, UID, DOMAIN),
            file(f"/etc/nginx/sites-enabled/{NAME}.conf", site, service="nginx"),
            file(f"/etc/php/{real.PHP}/fpm/pool.d/{NAME}.conf", real.pool_text(NAME, "; new"), service="php8.4-fpm"),
            real.zone(DOMAIN, "203.0.113.9"),
            resource("zone", f"more.{DOMAIN}", text=real.zone_text(f"more.{DOMAIN}"), service="named"),
            resource("database", f"{NAME}_more", charset="utf8mb4", collation="utf8mb4_bin"),
        ),
        "generation": 2,
    }


def test_the_units_run_at_boot_and_are_no_drift(target: Target) -> None:
    (answer,) = target.ask(request("drift", {"server": "srv_1", "epoch": 1}))
    assert [item["key"] for item in answer["report"]["items"] if "recover" in item["key"]] == []
    enabled = target.server.run(["systemctl", "is-enabled", *UNITS]).stdout.split()
    assert enabled == ["enabled", "enabled"]


def test_a_server_whose_power_was_cut_serves_its_old_configuration(target: Target) -> None:
    """All is made, the daemons have it, nothing is committed; no process of the panel's is there when it boots."""
    before = target.everything()
    bundles = (changed("location = /new { return 200 new; }"), real.base(*units(), cron(False), generation=3))
    killed = target.ask(request("apply", payload(*bundles)), failpoint="before-commit")
    assert killed == []
    assert target.get(DOMAIN, "/new") == (200, "new")
    assert target.dig(DOMAIN) == "203.0.113.9"
    assert target.server.run(["systemctl", "is-active", "cron"], check=False).stdout.strip() == "inactive"
    target.server.kill()
    target.server.start()
    target.server.wait_booted()
    for unit in UNITS:
        assert (
            target.server.run(["systemctl", "show", "--value", "--property=Result", unit]).stdout.strip() == "success"
        )
    assert target.server.run(["systemctl", "is-active", "cron"]).stdout.strip() == "active"
    assert target.server.run(["systemctl", "is-enabled", "cron"]).stdout.strip() == "enabled"
    assert target.get(DOMAIN) == (200, f"hello {NAME}")
    assert target.get(DOMAIN, "/new")[0] == 404
    assert target.dig(DOMAIN) == "198.51.100.77"
    assert target.dig(f"more.{DOMAIN}") == ""
    assert target.sql("SHOW DATABASES LIKE '%more'") == ""
    assert _without_serials(target.everything()) == _without_serials(before)
    (facts,) = target.ask(request("facts", {}))
    assert facts["report"]["journal"] == 0
    again = target.apply(changed("# again"))
    assert again["status"] == "applied", again
    assert target.dig(DOMAIN) == "203.0.113.9"


def test_a_configuration_that_no_daemon_would_start_with_is_gone_before_they_start(target: Target) -> None:
    """What the checkers had not yet judged must not keep nginx from starting."""
    report = target.apply({**real.account(NAME, UID, DOMAIN), "generation": 3})
    assert report["status"] == "applied", report
    broken = {**changed("this is no directive;"), "generation": 4}
    assert target.ask(request("apply", payload(broken)), failpoint="before-check") == []
    assert target.server.run(["nginx", "-t"], check=False).returncode != 0
    target.server.kill()
    target.server.start()
    target.server.wait_booted()
    assert target.server.run(["systemctl", "is-active", "nginx"]).stdout.strip() == "active"
    assert target.get(DOMAIN) == (200, f"hello {NAME}")


def _without_serials(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if "hostwright-zones" not in line and ".wants/" not in line)
