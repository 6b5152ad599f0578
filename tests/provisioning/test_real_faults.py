"""What a server refuses, what tenants tamper with, and what was written past every service, stays where it is."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import Brand
from panel.core.scoping import everything
from panel.demo.proofs import http_get
from provisioning import drivers
from provisioning.models import (
    Database,
    DatabaseUser,
    HostingAccount,
    MailAlias,
    Mailbox,
    Operation,
    Record,
    Run,
    Site,
    SiteName,
    Zone,
)
from provisioning.planning.resources import Resource
from provisioning.services import hosting_accounts, operations, servers
from provisioning.spec import AccountSpec, ServerSpec
from tests.provisioning import engine_world
from tests.provisioning.engine_world import SYSTEM, World, prove, rejected, settled
from tests.servers import Server

pytestmark = pytest.mark.server

CHECK = "The server's own check refused this change."
FOREIGN = "Something on the server that the panel did not make is in the way."
UNFIT = "A stored value is not fit for a server's configuration."


@pytest.fixture(scope="module")
def world(
    module_server: Server, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """A server that was set up over SSH, with a neighbour's site: every test has accounts of its own besides."""
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        world = engine_world.make(module_server)
        _hosting, operation = world.order("neighbour.example", "neighbour")
        world.reconcile()
        settled(operation)
        yield world


@contextmanager
def asking(world: World, domain: str) -> Iterator[list[int]]:
    """Ask for a site again and again, each time on a new connection; what it answered, 0 for no answer."""
    answers: list[int] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                answers.append(http_get(world.address, domain)[0])
            except (OSError, http.client.HTTPException):
                answers.append(0)

    client = threading.Thread(target=ask)
    client.start()
    try:
        yield answers
    finally:
        done.set()
        client.join(20)


Spoil = Callable[[HostingAccount, pytest.MonkeyPatch], None]


def _a_driver_that_errs(service: str, line: str) -> Spoil:
    def spoil(hosting: HostingAccount, patch: pytest.MonkeyPatch) -> None:
        honest = drivers.for_account

        def erring(server: ServerSpec, account: AccountSpec) -> list[Resource]:
            made = honest(server, account)
            return [_spoilt(resource) for resource in made] if account.id == hosting.id else made

        def _spoilt(resource: Resource) -> Resource:
            if resource.attributes.get("service") != service or "text" not in resource.attributes:
                return resource
            return replace(resource, attributes={**resource.attributes, "text": resource.attributes["text"] + line})

        patch.setattr(drivers, "for_account", erring)

    return spoil


@pytest.mark.parametrize(
    ("stem", "spoil", "says"),
    [
        ("nginx", _a_driver_that_errs("nginx", "no_such_directive;\n"), 'unknown directive "no_such_directive"'),
        ("apache", _a_driver_that_errs("apache2", "NoSuchDirective on\n"), "Invalid command 'NoSuchDirective'"),
        ("php", _a_driver_that_errs("php8.4-fpm", "no_such = directive\n"), "unknown entry 'no_such'"),
        ("zone", _a_driver_that_errs("named", "x IN CNAME y\nx IN A 203.0.113.7\n"), "CNAME and other data"),
    ],
    ids=["nginx", "apache", "php", "zone"],
)
def test_only_what_a_checker_refuses_is_kept_out(
    world: World, monkeypatch: pytest.MonkeyPatch, stem: str, spoil: Spoil, says: str
) -> None:
    """attacks.md X6: one bad account among good ones of the same run, while a neighbour is asked all the time."""
    before = world.order(f"before-{stem}.example")[1]
    bad, refused = world.order(f"bad-{stem}.example")
    after = world.order(f"after-{stem}.example")[1]
    spoil(bad, monkeypatch)
    with asking(world, "neighbour.example") as answers:
        world.reconcile()
        rejected(refused, CHECK, says=says)
        settled(before)
        settled(after)
        run = Run.objects.filter(server=world.row).latest("id")
        assert run.status == Run.Status.PARTIAL
        assert set(run.reloads.values()) == {1}, "one reload for the good ones"
        assert http_get(world.address, f"after-{stem}.example")[0] == 200
        assert http_get(world.address, bad.domain)[0] == 404

        with everything("test"):
            operations.retry(actor=SYSTEM, operation=engine_world.fresh(refused))
        world.reconcile()
        rejected(refused, CHECK, says=says)
        run = Run.objects.filter(server=world.row).latest("id")
        assert (run.status, run.reloads) == (Run.Status.REJECTED, {})
    assert set(answers) == {200}
    assert not (world.machine.root / f"home/{bad.username}").exists()
    assert world.machine.run(["nginx", "-t"], check=False).returncode == 0
    with everything("test"):
        hosting_accounts.terminate(actor=SYSTEM, hosting=bad, confirm=bad.domain, purge_at=timezone.now())
    world.reconcile()


def test_what_was_damaged_is_restored_and_nothing_else_is_touched(world: World) -> None:
    """attacks.md X7: truncated, changed, made readable, deleted, replaced by a link; and a file of somebody else's."""
    hosting, _operation, live = world.full("damaged.example")
    world.reconcile()
    root = "/etc"
    found = world.machine.run(["grep", "-rl", "damaged.example", root]).stdout.split()
    nginx = next(path for path in found if path.startswith("/etc/nginx/"))
    apache = next(path for path in found if path.startswith("/etc/apache2/"))
    pool = next(
        iter(
            world.machine.run(
                ["sh", "-c", f"ls /etc/php/*/fpm/pool.d/hostwright-{hosting.username}.conf"]
            ).stdout.split()
        )
    )
    zone = "/etc/bind/hostwright-zones/damaged.example.db"
    managed = [nginx, apache, pool, zone, "/etc/nginx/nginx.conf", "/etc/postfix/main.cf"]
    mine = "/etc/nginx/conf.d/mine.conf"
    world.machine.put(mine, "# by hand\n", "0604")
    before = state(world, [*managed, mine])
    world.machine.run(["truncate", "--size=10", nginx])
    world.machine.run(["sh", "-c", f"echo broken >> {apache} && chmod 0666 {pool} && ln -sf /etc/passwd {zone}"])
    world.machine.run(["rm", "/etc/nginx/nginx.conf"])
    world.machine.run(["chown", "nobody", "/etc/postfix/main.cf"])
    with everything("test"):
        repair = servers.reconcile(actor=SYSTEM, server=world.row)
    world.reconcile()
    settled(repair)
    after = state(world, [*managed, mine])
    assert {path: after[path][:3] for path in managed} == {path: before[path][:3] for path in managed}
    assert after[mine] == before[mine]
    prove(live)
    world.machine.run(["rm", mine])


SERIAL = re.compile(r"SOA \S+ \S+ \d+")
"""A zone that is put right gets a higher serial, so that its secondaries fetch it."""


def state(world: World, paths: list[str]) -> dict[str, tuple[str, str, str, str]]:
    """Kind with mode and owner, content, link target; inode with time of the last change."""
    found = {}
    for path in paths:
        kind, identity = world.machine.run(["stat", "-c", "%F %a %U:%G|%i %Z", path]).stdout.strip().split("|")
        text = SERIAL.sub("SOA", world.machine.run(["cat", path]).stdout)
        found[path] = (kind, text, world.machine.run(["readlink", path], check=False).stdout, identity)
    return found


def fingerprint(world: World, place: str) -> str:
    """Names, kinds, modes, owners, sizes and link targets of all in a directory."""
    listing = world.machine.run(["find", place, "-maxdepth", "2", "-printf", "%p %y %m %U:%G %s %T@ %l\n"]).stdout
    return "\n".join(sorted(line for line in listing.splitlines() if not _changes_by_itself(line)))


def _changes_by_itself(line: str) -> bool:
    managed = ("nginx", "apache2", "php", "bind", "postfix", "dovecot", "mysql", "systemd", "hostwright")
    return line.startswith(tuple(f"/etc/{name}" for name in managed))


@pytest.mark.parametrize("place", ["/etc", "/home/neighbour/public_html"])
@pytest.mark.parametrize("name", ["public_html", "tmp", "logs"])
def test_a_tenants_link_leads_root_nowhere(world: World, name: str, place: str) -> None:
    """attacks.md E1, E2: suspension and termination work, a comparison refuses; what the link shows stays as it is."""
    hosting, operation = world.order(f"{name.replace('_', '-')}-{len(place)}.example")
    world.reconcile()
    settled(operation)
    before = fingerprint(world, place)
    as_tenant = ["runuser", "-u", hosting.username, "--", "sh", "-euc"]
    world.machine.run([*as_tenant, 'cd "$1" && rm -rf "$2" && ln -s "$3" "$2"', "sh", hosting.home, name, place])
    with everything("test"):
        verification = servers.reconcile(actor=SYSTEM, server=world.row)
    world.reconcile()
    assert fingerprint(world, place) == before
    if name == "logs":
        settled(verification)
        link = world.machine.run(["readlink", f"{hosting.home}/{name}"]).stdout.strip()
        assert link == f"/var/log/hostwright/{hosting.username}"
    else:
        rejected(verification, FOREIGN, says=f"{hosting.home}/{name}")
    with everything("test"):
        suspension = hosting_accounts.suspend(actor=SYSTEM, hosting=hosting)
    world.reconcile()
    settled(suspension)
    assert http_get(world.address, hosting.domain)[0] == 503
    world.machine.run([*as_tenant, 'cd "$1" && rm logs && mkdir logs', "sh", hosting.home])
    with everything("test"):
        ending = hosting_accounts.terminate(
            actor=SYSTEM, hosting=hosting, confirm=hosting.domain, purge_at=timezone.now()
        )
    world.reconcile()
    settled(ending)
    assert not (world.machine.root / hosting.home.lstrip("/")).exists()
    assert fingerprint(world, place) == before
    assert http_get(world.address, "neighbour.example")[0] == 200


def test_a_link_in_the_place_of_a_new_home_is_never_followed(world: World) -> None:
    before = fingerprint(world, "/home/neighbour")
    world.machine.run(["ln", "-s", "/home/neighbour", "/home/planted"])
    _hosting, operation = world.order("planted.example", "planted")
    world.reconcile()
    rejected(operation, FOREIGN, says="/home/planted")
    assert fingerprint(world, "/home/neighbour") == before
    assert world.machine.run(["readlink", "/home/planted"]).stdout == "/home/neighbour\n"


def test_destroying_a_home_that_became_a_link_destroys_nothing_else(world: World) -> None:
    hosting, operation = world.order("swapped.example", "swapped")
    world.reconcile()
    settled(operation)
    world.machine.run(["mv", "/home/swapped", "/home/elsewhere"])
    world.machine.run(["ln", "-s", "/home/neighbour", "/home/swapped"])
    before = fingerprint(world, "/home/neighbour")
    with everything("test"):
        hosting_accounts.terminate(actor=SYSTEM, hosting=hosting, confirm=hosting.domain, purge_at=timezone.now())
    world.reconcile()
    assert fingerprint(world, "/home/neighbour") == before
    assert fingerprint(world, "/home/elsewhere")
    assert http_get(world.address, "neighbour.example")[0] == 200
    world.machine.run(["rm", "-f", "/home/swapped"])


EVIL = 'x";\n}\nserver { listen 81; } #'


def _first(model: type, path: str = "hosting") -> Callable[[HostingAccount, str, object], None]:
    def write(hosting: HostingAccount, column: str, value: object) -> None:
        rows = model._base_manager.filter(**{path: hosting.pk}).order_by("id")  # type: ignore[attr-defined]
        assert model._base_manager.filter(pk=rows[0].pk).update(**{column: value}) == 1  # type: ignore[attr-defined]

    return write


def _a_record(hosting: HostingAccount, column: str, value: object) -> None:
    values = {"name": "extra", "type": "A", "content": "203.0.113.9", column: value}
    Record._base_manager.create(zone=Zone._base_manager.get(hosting=hosting), **values)


HOSTILE = [
    (_first(SiteName, "site__hosting"), "hostname", f"a.example {EVIL}"),
    (_first(Site), "docroot", "../../etc"),
    (_first(Site), "docroot", f"public_html{EVIL}"),
    (_first(Site), "php_version", "8.4/../../x"),
    (_first(Zone), "name", "evil.example\n$INCLUDE /etc/shadow"),
    (_a_record, "content", "203.0.113.9\n$INCLUDE /etc/shadow"),
    (_a_record, "name", "a\nb"),
    (_a_record, "type", "A 203.0.113.9\n@ NS"),
    (_first(Database), "name", "x`; DROP DATABASE mysql; --"),
    (_first(DatabaseUser), "password_hash", "' OR ''='"),
    (_first(DatabaseUser), "name", "root"),
    (_first(DatabaseUser), "host", "%' IDENTIFIED VIA unix_socket; --"),
    (_first(Mailbox, "mail_domain__hosting"), "local", "../../neighbour/mail"),
    (_first(Mailbox, "mail_domain__hosting"), "password_hash", "{PLAIN}x"),
    (_first(MailAlias, "mail_domain__hosting"), "destinations", ["|/bin/sh", "a@b.example\nroot"]),
    (_first(MailAlias, "mail_domain__hosting"), "destinations", {"not": "a list"}),
    (_first(HostingAccount, "pk"), "username", "x:0:0::/:/bin/sh\nroot"),
    (_first(HostingAccount, "pk"), "uid", 0),
]


def test_hostile_rows_stop_their_own_account_alone(world: World) -> None:
    """attacks.md D5: values that no service took; each in the rows of one account, all carried by the same run."""
    made = []
    for number, (write, column, value) in enumerate(HOSTILE):
        hosting, _order, _live = world.full(f"hostile{number}.example", f"hostile{number}")
        write(hosting, column, value)
        made.append((hosting, f"{column}={value!r}"))
    _good, good = world.order("harmless.example", "harmless")
    before = fingerprint(world, "/home"), world.machine.run(["cat", "/etc/passwd", "/etc/shadow"]).stdout
    world.reconcile()
    settled(good)
    for hosting, what in made:
        part = hosting.slices.get()
        assert (part.applied, bool(part.rejected_reason)) == (0, True), what
        for operation in Operation._base_manager.filter(hosting=hosting):
            assert (operation.status, operation.reason.startswith(UNFIT)) == ("rejected", True), what
        assert http_get(world.address, hosting.domain)[0] == 404
    after = fingerprint(world, "/home"), world.machine.run(["cat", "/etc/passwd", "/etc/shadow"]).stdout
    assert [line for line in after[0].splitlines() if "/home/harmless" not in line][1:] == before[0].splitlines()[1:]
    assert after[1] == before[1]
    assert world.machine.run(["getent", "passwd", "harmless"]).returncode == 0
    assert "hostile" not in world.machine.run(["cat", "/var/lib/extrausers/passwd"]).stdout
    assert http_get(world.address, "harmless.example")[0] == 200


def test_a_hostile_brand_stops_its_own_accounts_alone(world: World) -> None:
    _hosting, operation = world.order("branded.example", "branded")
    with everything("test"):
        brand = Brand.objects.get(organization=world.reseller)
        Brand.objects.filter(pk=brand.pk).update(nameservers=["ns1.x.example. IN A 1.2.3.4\n@ IN NS evil"])
        try:
            world.reconcile()
        finally:
            Brand.objects.filter(pk=brand.pk).update(nameservers=brand.nameservers)
    rejected(operation, UNFIT, says="mname")
    assert http_get(world.address, "neighbour.example")[0] == 200
