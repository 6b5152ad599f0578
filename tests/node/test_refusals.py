"""What a body may not say: each refusal names its key and its rule, and nothing is touched."""

from __future__ import annotations

import pytest

from tests.node.bundles import Body, Machine, directory, file, home, resource, slice_of, user
from tests.node.real import zone_text

ALICE = (user("alice"), home("alice"))


def refused(machine: Machine, *bodies: Body, slice_id: str = "acc_a") -> tuple[str | None, str]:
    """Apply; nothing may have changed. The code and the reason."""
    before = machine.tree()
    report = machine.apply(slice_of(slice_id, *bodies))["slices"][slice_id]
    assert report["status"] == "rejected", report
    assert machine.tree() == before
    return report["code"], report["reason"]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/etc/shadow",
        "/root/.ssh/authorized_keys",
        "/etc/nginx/../passwd",
        "/etc/nginx//x",
        "/etc/nginx/./x",
        "/etc/nginx/x/",
        "etc/nginx/x",
        "/etc/nginxx/x",
        "/etc/hostwright/a\nb",
        "/var/lib/hostwright/node.db",
        "/var/lib/hostwright/node.db-wal",
        "/etc/bind/hostwright-zones/example.org.db",
        "/var/lib/hostwright/originals/etc/passwd",
        "/var/lib/hostwright/mail/mail.sqlite-wal",
        "/home/alice/x",
        "/home/alice",
    ],
)
def test_a_path_that_is_not_ours_to_write(machine: Machine, path: str) -> None:
    assert refused(machine, *ALICE, file(path))[0] == "invalid"


@pytest.mark.parametrize(
    "attributes",
    [
        {"mode": "4755"},
        {"mode": "2755"},
        {"mode": "0666"},
        {"mode": "755"},
        {"mode": "0o644"},
        {"mode": 420},
        {"owner": "root\n"},
        {"owner": 0},
        {"text": "a\x00b"},
        {"text": None},
        {"text": "\ud800"},
        {"adopt": True},
        {"once": 1},
        {"service": "nginx; rm"},
        {"kind": "link"},
        {"name": "/etc/hostwright/other"},
    ],
)
def test_a_file_that_is_not_well_formed(machine: Machine, attributes: Body) -> None:
    body = {**file("/etc/hostwright/x"), **attributes}
    report = slice_of("acc_a", file("/etc/hostwright/x"))
    bundle = {**report, "resources": {"file:/etc/hostwright/x": body}}
    from provisioning.node.payload import body_hash

    bundle["manifest"] = {"file:/etc/hostwright/x": body_hash(body)}
    before = machine.tree()
    told = machine.apply(bundle)["slices"]["acc_a"]
    assert (told["status"], told["code"]) == ("rejected", "invalid")
    assert told["reason"].startswith("file:/etc/hostwright/x")
    assert machine.tree() == before


@pytest.mark.parametrize(
    "attributes",
    [
        {"uid": 0},
        {"uid": 999},
        {"gid": 65534},
        {"uid": True},
        {"uid": "20001"},
        {"home": "/home/bob"},
        {"home": "/"},
        {"shell": "/bin/evil"},
        {"gecos": "a:b"},
        {"gecos": "a\nroot::0:0::/:/bin/sh"},
        {"password": "plain"},
        {"password": "!:0:0"},
        {"password": ""},
    ],
)
def test_a_user_that_is_not_well_formed(machine: Machine, attributes: Body) -> None:
    assert refused(machine, user("alice", **attributes))[0] == "invalid"


@pytest.mark.parametrize("name", ["Alice", "alice\n", "0", "-x", "a" * 33, "al ice", "ålice", "alice:x"])
def test_a_user_name_that_is_none(machine: Machine, name: str) -> None:
    assert refused(machine, user(name))[0] == "invalid"


def test_a_home_is_data_and_its_users_own(machine: Machine) -> None:
    assert refused(machine, user("alice"), directory("/home/alice", owner="alice", group="alice"))[0] == "invalid"
    assert refused(machine, home("alice"))[0] == "foreign"


@pytest.mark.parametrize(
    "attributes",
    [{"owner": "root"}, {"group": "root"}, {"group": "shadow"}, {"as": "bob"}, {"as": "root"}, {"mode": "2755"}],
)
def test_below_a_home_only_the_tenants_own(machine: Machine, attributes: Body) -> None:
    body = file("/home/alice/x", **{"owner": "alice", "group": "alice", "as": "alice", **attributes})
    assert refused(machine, *ALICE, body)[0] in ("invalid", "foreign")


@pytest.mark.parametrize("target", ["/etc/shadow", "../../etc/shadow", "/home/bob", "/var/log/hostwright/bob", ""])
def test_a_tenants_link_leads_home_or_to_its_logs(machine: Machine, target: str) -> None:
    link = resource("link", "/home/alice/logs", target=target, **{"as": "alice"})
    assert refused(machine, *ALICE, link)[0] == "invalid"


@pytest.mark.parametrize(
    "body",
    [
        resource("package", "nginx"),
        resource("service", "nginx.service", enabled=True, running=True),
        resource("absent", "/etc/nginx/sites-enabled/default", adopt=True),
        resource("membership", "postfix:mail", user="postfix", group="mail"),
    ],
)
def test_what_only_the_servers_slice_may(machine: Machine, body: Body) -> None:
    assert refused(machine, body)[0] == "invalid"


@pytest.mark.parametrize(
    "body",
    [
        resource("package", "nginx;reboot"),
        resource("package", "-oAPT::Foo=1"),
        resource("service", "-h", enabled=True, running=True),
        resource("service", "nginx.service", enabled="yes", running=True),
        resource("membership", "postfix:sudo", user="postfix", group="sudo"),
        resource("absent", "/etc/passwd", adopt=True),
        resource("mystery", "x"),
    ],
)
def test_what_not_even_the_servers_slice_may(machine: Machine, body: Body) -> None:
    assert refused(machine, body, slice_id="server")[0] == "invalid"


@pytest.mark.parametrize(
    "name", ["a`b", "a'b", "a;b", "a\x00b", "a" * 65, "mysql", "information_schema", "a-b", "ab\n", "", "a b"]
)
def test_a_database_name_that_is_none(machine: Machine, name: str) -> None:
    body = resource("database", name, charset="utf8mb4", collation="utf8mb4_bin")
    assert refused(machine, body)[0] == "invalid"


def login(**attributes: object) -> Body:
    merged = {
        "user": "ab_c",
        "host": "localhost",
        "password_hash": None,
        "grants": [{"database": "ab_c", "privileges": ["ALL"]}],
        "locked": False,
        **attributes,
    }
    return resource("database_user", f"{merged['user']}@{merged['host']}", **merged)


@pytest.mark.parametrize(
    "attributes",
    [
        {"host": "x' IDENTIFIED BY"},
        {"host": "10.%"},
        {"host": ""},
        {"user": "root"},
        {"user": "a" * 33},
        {"user": "a'b"},
        {"password_hash": "plain"},
        {"password_hash": "*abc"},
        {"grants": [{"database": "other", "privileges": ["ALL"]}]},
        {"grants": [{"database": "ab_c", "privileges": ["SUPER"]}]},
        {"grants": [{"database": "ab_c", "privileges": []}]},
        {"grants": "ALL"},
    ],
)
def test_a_login_that_is_not_well_formed(machine: Machine, attributes: Body) -> None:
    database = resource("database", "ab_c", charset="utf8mb4", collation="utf8mb4_bin")
    assert refused(machine, database, login(**attributes))[0] in ("invalid", "foreign")


@pytest.mark.parametrize("name", [".", "com", "Example.org", "example.org.", "a..b", "-a\nb.org", "x" * 64 + ".org"])
def test_a_zone_name_that_is_none(machine: Machine, name: str) -> None:
    assert refused(machine, resource("zone", name, text=zone_text(name)))[0] == "invalid"


@pytest.mark.parametrize(
    "line", ["$INCLUDE /etc/bind/rndc.key", "$GENERATE 1-65535 a$ A 192.0.2.1", "@SERIAL@", "a A 192.0.2.1\r"]
)
def test_a_zone_text_that_reaches_beyond_itself(machine: Machine, line: str) -> None:
    body = resource("zone", "example.org", text=zone_text("example.org") + line + "\n")
    assert refused(machine, body)[0] == "invalid"


@pytest.mark.parametrize(
    "destination", ["|cmd", "/etc/passwd", ":include:/etc/passwd", "a@b.example,|cmd", "a b@c.example", "x", ""]
)
def test_an_alias_leads_to_addresses_only(machine: Machine, destination: str) -> None:
    domain = resource("row", "domain:a.example", table="domain", key="a.example", values={})
    alias = resource("row", "alias:x@a.example", table="alias", key="x@a.example", values={"destinations": destination})
    assert refused(machine, domain, alias)[0] == "invalid"


def test_an_alias_stays_in_the_slices_own_domains(machine: Machine) -> None:
    alias = resource(
        "row", "alias:x@victim.example", table="alias", key="x@victim.example", values={"destinations": "a@b.example"}
    )
    assert refused(machine, alias)[0] == "foreign"


def test_one_host_name_belongs_to_one_slice(machine: Machine) -> None:
    """A daemon would take the second for the first without a word; no daemon is asked."""
    from provisioning.node.kinds import KINDS

    kind = KINDS["file"]
    text = "server { listen 80; server_name Shop.example *.shop.example;\n # server_name no.example;\n}\n"
    claims = kind.claims("/etc/nginx/x", file("/etc/nginx/x", text, service="nginx"))
    assert claims == ["path:/etc/nginx/x", "nginx:*.shop.example", "nginx:shop.example"]
    vhost = "<VirtualHost *:80>\n ServerName shop.example\n ServerAlias a.example b.example\n</VirtualHost>\n"
    claims = kind.claims("/etc/apache2/x", file("/etc/apache2/x", vhost, service="apache2"))
    assert claims[1:] == ["apache2:a.example", "apache2:b.example", "apache2:shop.example"]
