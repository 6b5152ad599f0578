"""What a server holds and what the panel's tables want, looked at without the engine: files, SQL, zones, mail."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from panel.demo.proofs import http_get
from provisioning import transport
from provisioning.compile import compile_slices
from provisioning.desired import target
from provisioning.models import HostingAccount, Lease, Operation, Run, Slice, Tombstone, Zone
from provisioning.models import Server as Row
from provisioning.services import servers
from tests.faults.invariants import Account, Comparison, Order, Sighting
from tests.provisioning.engine_world import SYSTEM, World
from tests.servers import Server

TREES = ("etc/nginx", "etc/apache2", "etc/php", "etc/bind", "etc/postfix", "etc/dovecot", "etc/hostwright", "home")
FILES = ("etc/nsswitch.conf", "var/lib/extrausers/passwd", "var/lib/extrausers/group", "var/lib/extrausers/shadow")
TENANTS_OWN = ("/mail/", "/logs/", "/tmp/", "/.hostwright-trash")
OURS_ALONE = ("etc/nginx/hostwright/sites/*", "etc/apache2/hostwright/sites/*", "etc/php/*/fpm/pool.d/hostwright-*")
SYSTEM_SCHEMAS = {"information_schema", "mysql", "performance_schema", "sys"}
SYSTEM_LOGINS = {"root", "mysql", "mariadb.sys", "debian-sys-maint", ""}
MAIL = "/var/lib/hostwright/mail/mail.sqlite"
SEEN_KINDS = {"user", "database", "database_user", "zone", "row", "file", "directory", "link"}
CHECKERS = (
    ("nginx", "-t", "-q"),
    ("apache2ctl", "-t"),
    ("php-fpm8.4", "-t"),
    ("named-checkconf",),
    ("postfix", "check"),
    ("doveconf", "-n"),
)


def tree(machine: Server) -> dict[str, str]:
    """Return what the engine makes on disk, path → owner, mode and a hash of the content."""
    found = {}
    for top in TREES:
        for path in (machine.root / top).rglob("*"):
            name = "/" + str(path.relative_to(machine.root))
            if not any(part in name for part in TENANTS_OWN):
                found[name] = _entry(path)
    found.update({f"/{name}": _entry(machine.root / name) for name in FILES})
    return found


def _entry(path: Path) -> str:
    status = path.lstat()
    content = ""
    if path.is_symlink():
        content = str(path.readlink())
    elif path.is_file():
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{status.st_uid}:{status.st_gid} {status.st_mode:o} {content}"


def wanted(row: Row) -> set[str]:
    """Return the keys that the tables of the panel want on a server, of the kinds that can be looked for."""
    slices = list(Slice.objects.filter(server=row))
    compiled = compile_slices(Row.objects.get(pk=row.pk), slices, "default")
    keys = {key for resources in compiled.resources.values() for key in resources}
    return {key for key in keys if key.partition(":")[0] in SEEN_KINDS}


def leaving(row: Row) -> set[str]:
    """Return the keys of data that waits for the end of its grace period."""
    return set(Tombstone.objects.filter(slice__server=row, destroyed_at=None).values_list("key", flat=True))


def found(machine: Server, looked_for: set[str]) -> set[str]:
    """Return the keys of what is on a server: all that could be ours, and of other paths those that are looked for."""
    keys = {f"user:{line.split(':')[0]}" for line in (machine.root / FILES[1]).read_text().splitlines()}
    keys |= {f"database:{name}" for name in _sql(machine, "SHOW DATABASES")} - _keys("database", SYSTEM_SCHEMAS)
    logins = _sql(machine, "SELECT CONCAT(User, '@', Host) FROM mysql.global_priv")
    keys |= {f"database_user:{login}" for login in logins if login.rpartition("@")[0] not in SYSTEM_LOGINS}
    keys |= {f"zone:{path.stem}" for path in (machine.root / "etc/bind/hostwright-zones").glob("*.db")}
    for table, column in (("domain", "name"), ("mailbox", "address"), ("alias", "address")):
        rows = machine.run(["sqlite3", MAIL, f"SELECT {column} FROM {table}"]).stdout.split()  # noqa: S608 -- fixed
        keys |= {f"row:{table}:{key}" for key in rows}
    for pattern in OURS_ALONE:
        keys |= {f"file:/{path.relative_to(machine.root)}" for path in machine.root.glob(pattern)}
    keys |= {f"directory:/home/{path.name}" for path in (machine.root / "home").iterdir() if path.name[0] != "."}
    for key in looked_for:
        kind, _, name = key.partition(":")
        if kind in ("file", "directory", "link") and _is_there(machine, name):
            keys.add(key)
    return keys


def drift(world: World) -> list[str]:
    """Return what the node program itself finds to be otherwise than it was applied."""
    asked = {"server": world.row.id, "epoch": Lease.objects.get(server=world.row).epoch, "slices": None, "limit": 500}
    items = transport.call(target(world.row), "drift", asked)["items"]
    return [f"{item['drift']}: {item['key']}" for item in items]


def _keys(kind: str, names: set[str]) -> set[str]:
    return {f"{kind}:{name}" for name in names}


def _sql(machine: Server, statement: str) -> list[str]:
    return machine.run(["mariadb", "-N", "-e", statement]).stdout.split()


def _is_there(machine: Server, path: str) -> bool:
    place = machine.root / path.lstrip("/")
    if path.startswith("/run/"):  # Its own memory file system, which only the server sees.
        return machine.run(["test", "-e", path], check=False).returncode == 0
    return place.is_symlink() or place.exists()


def refused_by_checkers(machine: Server) -> list[str]:
    """Return the words of every daemon's checker that refuses what is on disk."""
    asked = [machine.run(["env", "-C", "/", *command], check=False) for command in CHECKERS]
    return [f"{done.args[0]}: {done.stderr[-500:]}" for done in asked if done.returncode]


def orders(ids: list[str]) -> list[Order]:
    """Return how accepted orders stand."""
    rows = Operation._base_manager.filter(pk__in=ids)
    return [Order(str(row), row.status, row.reason) for row in rows]


def accounts(world: World) -> list[Account]:
    """Return every account with what the world gets to see of it; a name that was used again is its last account's."""
    last = {}
    for row in HostingAccount._base_manager.order_by("id"):
        rejected = Operation._base_manager.filter(hosting=row, verb="account.create", status="rejected")
        if not rejected.exists():
            last[row.domain] = row
    return [
        Account(row.domain, row.status, http_status(world.address, row.domain), soa(world.address, row.domain) > 0)
        for row in last.values()
    ]


def http_status(address: str, domain: str) -> int | None:
    """Return the status of a site's first page, None when nothing answers."""
    try:
        return http_get(address, domain)[0]
    except OSError:
        return None


def soa(address: str, zone: str) -> int:
    """Return the serial that is served of a zone; 0 when it is not served with authority."""
    try:
        answer = dns.query.udp(dns.message.make_query(zone, "SOA"), address, timeout=5)
    except (OSError, dns.exception.DNSException):
        return 0
    rows = [row for rrset in answer.answer if rrset.rdtype == dns.rdatatype.SOA for row in rrset]
    return int(rows[0].serial) if rows else 0


def sighting(world: World) -> Sighting:
    """Return which generations are applied, by panel and by server, and which serials are served."""
    generations = {f"panel {part.pk}": part.applied for part in Slice.objects.filter(server=world.row)}
    path = f"file:{world.machine.root}/var/lib/hostwright/node.db?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as memory:
        for name, generation in memory.execute("SELECT slice, generation FROM slice"):
            generations[f"node {name}"] = generation
    zones = Zone._base_manager.values_list("name", flat=True)
    return Sighting(generations, {name: serial for name in zones if (serial := soa(world.address, name))})


def compared(world: World) -> Comparison:
    """Let the engine compare everything with what is there, and return what that came to."""
    before = tree(world.machine)
    earlier = Run.objects.filter(server=world.row).latest("id")
    servers.reconcile(actor=SYSTEM, server=world.row)
    world.reconcile()
    run = Run.objects.filter(server=world.row, id__gt=earlier.id).latest("id")
    return Comparison(run.status, run.changes, run.reloads, before, tree(world.machine))
