"""Killed at any point on a real server, the next start of the program leaves old or new, and daemons that serve it."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.node.failpoints import FAILPOINTS
from tests.node import real
from tests.node.bundles import file, payload, renaming, request, resource, slice_of
from tests.node.target import Target, prepared
from tests.servers import Server


@pytest.fixture(scope="module")
def target(module_server: Server) -> Target:
    """A server with its base configuration, shared by this module: every test has accounts of its own."""
    return prepared(module_server)


@pytest.mark.parametrize("point", [point for point in FAILPOINTS if not point.startswith(("undo", "recover"))])
def test_old_or_new_after_a_kill(target: Target, point: str) -> None:
    """kill -9 at every point: after the next start nothing is half there; the next apply makes it whole."""
    number = FAILPOINTS.index(point)
    name, domain = f"kill{number}", f"kill{number}.example"
    old = real.account(name, 23000 + number, domain)
    moving, moved = _renamed(number)
    target.apply(old, moving)
    new = {
        **real.without(
            real.replaced(
                old,
                file(f"/etc/nginx/sites-enabled/{name}.conf", real.site_text(name, domain, "# new"), service="nginx"),
                real.zone(domain, "198.51.100.9"),
                real.mailbox(name, 23000 + number, domain, "second"),
                resource("database", f"{name}_two", charset="utf8mb4", collation="utf8mb4_bin"),
                resource("zone", f"two.{domain}", text=real.zone_text(f"two.{domain}"), service="named"),
            ),
            f"row:alias:sales@{domain}",
            f"database_user:{name}_wp@localhost",
        ),
        "generation": 2,
    }
    extra = real.account(f"more{number}", 24000 + number, f"more{number}.example")
    doomed = _doomed(target, f"doomed{number}", 25000 + number)
    before = target.everything()
    answers = target.ask(request("apply", payload(new, moved, extra, doomed)), failpoint=point)
    assert answers == [], "the program was not killed: it never came to this point"
    assert target.ask() == []
    after = target.everything()
    committed = point in ("after-commit", "finish-half", "home-renamed", "before-close")
    if not committed:
        assert _without_serials(after) == _without_serials(before)
    assert target.get("alice.example")[0] in (200, 404)
    status_code, _ = target.get(domain)
    assert status_code == 200
    assert target.dig(domain) == ("198.51.100.9" if committed else "198.51.100.77")
    assert target.get(f"move{number}.example") == (200, f"hello {'moved' if committed else 'mover'}{number}")
    report = target.apply(new, moved, extra, doomed)
    assert report["status"] == ("unchanged" if committed else "applied"), report
    assert f"doomed{number}" not in target.everything()
    assert target.get(f"more{number}.example") == (200, f"hello more{number}")
    assert target.dig(domain) == "198.51.100.9"
    assert target.get(f"move{number}.example") == (200, f"hello moved{number}")
    assert target.apply(new, moved, extra, verify=True)["status"] == "unchanged"


def _renamed(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """An account, and the same under another user name; its database keeps the old one."""
    old, new = f"mover{number}", f"moved{number}"
    before, after = (real.account_bodies(name, 26000 + number, f"move{number}.example") for name in (old, new))
    kept = [body for body in before if body["kind"].startswith("database")]
    wanted = [body for body in after if not body["kind"].startswith("database")]
    slice_id = f"acc_move{number}"
    return slice_of(slice_id, *before), slice_of(slice_id, *wanted, *kept, generation=2, moves=renaming(old, new))


def _doomed(target: Target, name: str, uid: int) -> dict[str, Any]:
    """An account whose data is to be destroyed in the apply that is killed."""
    target.apply(real.account(name, uid, f"{name}.example"))
    target.apply(slice_of(f"acc_{name}", generation=2))
    keys = [f"directory:/home/{name}", f"user:{name}", f"database:{name}_wp"]
    return slice_of(f"acc_{name}", generation=3, tombstones=keys)


def _without_serials(text: str) -> str:
    """An undo after a zone was served gives it a higher serial, as it must: master files differ in that alone."""
    return "\n".join(line for line in text.splitlines() if "hostwright-zones" not in line)
