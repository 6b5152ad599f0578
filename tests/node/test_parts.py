"""The node program's small parts: wire formats, SQL text, trees, processes, the mail database."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from provisioning.node import dns, fsutil, mail, processes, rndc, sockets, sql
from provisioning.node.errors import RefusedError, shorten
from provisioning.node.facts import upstream
from provisioning.node.fsutil import Unsynced
from provisioning.node.makers.zones import next_serial
from provisioning.node.paths import Paths
from provisioning.node.tenant import Tenant, perform_as
from tests.node.bundles import REPOSITORY, Machine

# --- BIND's control channel


def test_a_control_message_survives_the_wire() -> None:
    message = {"_ctrl": {"_ser": "1", "_nonce": "77"}, "_data": {"type": "addzone a.example { type primary; };"}}
    assert rndc.decode(rndc.encode(message)) == message
    assert rndc.encode({"a": "bc"}) == b"\x01a\x01\x00\x00\x00\x02bc"


def test_a_key_file_is_read() -> None:
    text = 'key "rndc-key" {\n\talgorithm hmac-sha256;\n\tsecret "c2VjcmV0";\n};\n'
    assert rndc.read_key(text) == ("hmac-sha256", b"secret")
    with pytest.raises(rndc.RndcError):
        rndc.read_key('key "x" { algorithm rot13; secret "c2VjcmV0"; };')


# --- DNS


def answer(number: int, flags: int = 0x8400, serial: int = 2026112101) -> bytes:
    soa = b"\x02ns\xc0\x0c" + b"\x0ahostmaster\xc0\x0c" + struct.pack(">5I", serial, 1, 2, 3, 4)
    question = b"\x01a\x07example\x00" + struct.pack(">HH", dns.SOA, dns.IN)
    record = b"\xc0\x0c" + struct.pack(">HHIH", dns.SOA, dns.IN, 60, len(soa)) + soa
    return struct.pack(">6H", number, flags, 1, 1, 0, 0) + question + record


def test_the_serial_is_read_from_an_answer() -> None:
    assert dns.parse_serial(answer(5), 5) == 2026112101
    assert dns.parse_serial(answer(5), 6) is None, "somebody else's answer"
    assert dns.parse_serial(answer(5, flags=0x8405), 5) is None, "refused"
    assert dns.parse_serial(answer(5, flags=0x8000), 5) is None, "not authoritative"
    assert dns.parse_serial(answer(5)[:20], 5) is None, "cut off"
    number, query = dns.soa_query("a.example")
    assert query[12:] == b"\x01a\x07example\x00\x00\x06\x00\x01"
    assert query[:2] == struct.pack(">H", number)


def test_a_serial_grows_and_has_an_end() -> None:
    now = int(time.time())
    assert next_serial(0, 0) in (now, now + 1)
    assert next_serial(4_000_000_000, 0) == 4_000_000_001
    assert next_serial(0, 4_100_000_000) == 4_100_000_000
    with pytest.raises(RefusedError, match="serial_floor"):
        next_serial(0xFFFFFFFF, 0)


# --- SQL


def login(*databases: str, locked: bool = False, secret: str | None = "*" + "A" * 40) -> dict[str, Any]:
    grants = [{"database": name, "privileges": ["ALL"]} for name in databases]
    return {"user": "u", "host": "localhost", "password_hash": secret, "grants": grants, "locked": locked}


def test_names_and_strings_are_quoted() -> None:
    assert sql.identifier("a`b") == "`a``b`"
    assert sql.pattern("a_b%") == "`a\\_b\\%`"
    assert sql.string("a'b\\c") == "'a''b\\\\c'"


def test_a_kept_right_is_never_taken_away() -> None:
    statements = sql.change_user(login("a_b", "c"), login("a_b", "d"))
    assert [line for line in statements if line.startswith(("GRANT", "REVOKE"))] == [
        "REVOKE ALL PRIVILEGES ON `c`.* FROM 'u'@'localhost';",
        "GRANT ALL PRIVILEGES ON `d`.* TO 'u'@'localhost';",
    ]


def test_a_locked_login_loses_its_connections() -> None:
    statements = sql.change_user(login("a"), login("a", locked=True))
    assert statements[0].endswith("ACCOUNT LOCK;")
    assert statements[-1] == "KILL CONNECTION USER 'u'@'localhost';"
    assert "ACCOUNT LOCK" in sql.create_user(login(secret=None))[0]


# --- trees


@pytest.fixture
def place(tmp_path: Path) -> int:
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    os.set_inheritable(descriptor, False)
    return descriptor


def test_what_was_there_comes_back(tmp_path: Path, place: int) -> None:
    (tmp_path / "file").write_bytes(b"\xff\x00old")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("somewhere")
    names = ("file", "link", "nothing")
    before = {name: fsutil.snapshot(place, name) for name in names}
    for name in names:
        fsutil.stage_file(place, name, b"new", 0o600, os.getuid(), os.getgid())
        fsutil.publish(place, name)
    for name in names:
        fsutil.restore(place, name, before[name])
    assert {name: fsutil.snapshot(place, name) for name in names} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]
    os.close(place)


def test_a_staged_file_is_never_readable_by_more(tmp_path: Path, place: int) -> None:
    """attacks.md E10: the mode is right from the first moment, not after a chmod."""
    seen: list[int] = []
    write = fsutil.write_all

    def spy(descriptor: int, data: bytes) -> None:
        seen.append(os.fstat(descriptor).st_mode & 0o777)
        write(descriptor, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fsutil, "write_all", spy)
        fsutil.stage_file(place, "secret", b"x", 0o640, os.getuid(), os.getgid(), Unsynced())
    assert seen == [0o600]
    os.close(place)


def test_a_tree_goes_however_deep_and_links_lead_nowhere(tmp_path: Path, place: int) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").touch()
    home = tmp_path / "home"
    home.mkdir()
    here = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        following = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = following
    os.symlink(outside, "link", dir_fd=here)
    os.mkfifo("pipe", dir_fd=here)
    os.close(here)
    (home / "link").symlink_to(outside)
    fsutil.remove_tree(place, "home")
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert (outside / "keep").exists()
    fsutil.remove_tree(place, "home")
    os.close(place)


def test_another_file_system_is_not_crossed(machine: Machine) -> None:
    inside = machine.at("/home/alice/mounted")
    inside.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", str(inside)], check=True)
    place = os.open(machine.at("/home"), os.O_RDONLY | os.O_DIRECTORY)
    try:
        (inside / "keep").touch()
        with pytest.raises(OSError, match="busy"):
            fsutil.remove_tree(place, "alice")
        (moved,) = machine.at("/home").rglob("keep")
        assert moved.exists()
    finally:
        os.close(place)
        mounted = next(path.parent for path in machine.at("/home").rglob("keep"))
        subprocess.run(["umount", str(mounted)], check=True)


def test_a_tenants_child_is_the_tenant_and_keeps_no_file_of_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 20001, 20001)
    descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    operations: list[dict[str, Any]] = [
        {"do": "stage_file", "path": "a", "text": "x", "mode": 0o640, "uid": 20001, "gid": 33},
        {"do": "publish", "path": "a"},
        {"do": "mkdir", "path": "missing/b", "mode": 0o755, "uid": 20001, "gid": 20001},
        {"do": "unlink", "path": "a"},
    ]
    outcomes = perform_as(Tenant(20001, 20001, (33,), descriptor), operations, stop=True)
    assert [outcome.error is None for outcome in outcomes] == [True, True, False]
    assert ((home / "a").stat().st_uid, (home / "a").stat().st_gid) == (20001, 33)
    stolen = [{"do": "stage_file", "path": "b", "text": "x", "mode": 0o640, "uid": 0, "gid": 0}]
    (refused,) = perform_as(Tenant(20001, 20001, (33,), descriptor), stolen, stop=True)
    assert refused.error == (1, "Operation not permitted")
    os.close(descriptor)


# --- processes


def test_a_program_that_hangs_is_stopped() -> None:
    started = time.monotonic()
    result = processes.run(["sleep", "60"], timeout=0.1)
    assert (result.code, result.ok) == (124, False)
    assert "too long" in result.words
    assert time.monotonic() - started < 30


def test_a_program_that_is_missing_is_a_result() -> None:
    result = processes.run(["/nonexistent/program"])
    assert (result.code, result.words) == (127, "/nonexistent/program: No such file or directory")


def test_input_output_and_language() -> None:
    script = "import os,sys; sys.stdout.write(sys.stdin.read() + os.environ['LC_ALL']); sys.exit(3)"
    result = processes.run([sys.executable, "-c", script], stdin=b"secret ")
    assert (result.code, result.output) == (3, "secret C")


def test_a_program_has_the_environment_that_another_one_was_given() -> None:
    """A checker reads the configuration with the names that the running daemon reads it with."""
    given = {"GIVEN": "a=b", "LANG": "C"}
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=given, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"begun\n")
        process.stdout.readline()
        assert processes.environment_of(process.pid) == given
        process.kill()
    assert processes.environment_of(process.pid) == {}
    told = [processes.Command(["printenv", "GIVEN", "PATH"], environment=more) for more in (given, {})]
    first, second = processes.run_together(told)
    assert first.output.splitlines() == ["a=b", processes.SEARCH]
    assert second.output.splitlines() == [processes.SEARCH]


def test_lines_are_told_as_they_come() -> None:
    lines: list[str] = []
    code = processes.stream([sys.executable, "-c", "print('a'); print('b')"], lines.append, timeout=30)
    assert (code, lines) == (0, ["a", "b"])
    assert processes.stream(["sleep", "60"], lines.append, timeout=0.1) == 124


def test_long_words_keep_their_end() -> None:
    assert len(shorten("x" * 5000 + "end")) == 2000
    assert shorten("x" * 5000 + "end").endswith("end")


@pytest.mark.parametrize(
    ("debian", "expected"),
    [
        ("1.26.3-3+deb13u11", "1.26.3"),
        ("1:2.4.1+dfsg1-6+deb13u7", "2.4.1"),
        ("1:11.8.6-0+deb13u1", "11.8.6"),
        ("1:9.20.30-1~deb13u1", "9.20.30"),
        ("2:8.2+93", "8.2+93"),
    ],
)
def test_versions_are_told_as_upstream_has_them(debian: str, expected: str) -> None:
    assert upstream(debian) == expected


# --- sockets


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_listener_is_found_and_asked(family: socket.AddressFamily, address: str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.bind((address, 0))
        server.listen()
        listener = sockets.Listener(family, address, server.getsockname()[1])
        assert listener in sockets.listeners_of(os.getpid())
        from_proc = dict(sockets._from_proc(family))
        assert listener in from_proc.values()
        assert sockets.accepts(listener)
        assert not sockets.speaks_http(listener, timeout=0.05)
    assert not sockets.accepts(listener)
    assert not sockets.unix_accepts("/nonexistent/socket")


# --- the mail database


def test_rows_and_generation_change_together(machine: Machine) -> None:
    connection = mail.open_database(Paths(str(machine.root)))
    status = machine.at("/var/lib/hostwright/mail/mail.sqlite").stat()
    assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o640, 0, 8)
    folder = machine.at("/var/lib/hostwright/mail").stat()
    assert (folder.st_mode & 0o777, folder.st_gid) == (0o750, 8)
    row = mail.full_row("alias", "a@b.example", {"destinations": "c@d.example"})
    mail.write_rows(connection, [("alias", "a@b.example", row)])
    assert mail.read_row(connection, "alias", "a@b.example") == row
    with pytest.raises(sqlite3.IntegrityError):
        mail.write_rows(
            connection, [("alias", "a@b.example", None), ("mailbox", "x", mail.full_row("mailbox", "x", {}))]
        )
    assert mail.read_row(connection, "alias", "a@b.example") == row
    assert connection.execute("SELECT value FROM generation").fetchall() == [(1,)]
    connection.close()


READER = """
import os, sqlite3, sys
os.setgroups([8]); os.setgid(20005); os.setuid(20005)
connection = sqlite3.connect(sys.argv[1])
print([row[0] for row in connection.execute("SELECT address FROM alias ORDER BY 1")])
try:
    connection.execute("DELETE FROM alias")
except sqlite3.OperationalError as error:
    print(error)
"""


def test_a_reader_needs_no_write_access_while_the_database_is_held(machine: Machine) -> None:
    for folder in (machine.root, *machine.root.parents):
        if folder.stat().st_mode & 0o011 != 0o011:
            folder.chmod(folder.stat().st_mode | 0o011)
    command = [sys.executable, "-m", "provisioning.node", "--root", str(machine.root), "hold-mail"]
    database = machine.at("/var/lib/hostwright/mail/mail.sqlite")

    def read() -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", READER, str(database)], capture_output=True, text=True, timeout=30, check=False
        )
        return (done.stdout + done.stderr).splitlines()

    with subprocess.Popen(command, cwd=REPOSITORY) as holder:
        deadline = time.monotonic() + 20
        while not Path(f"{database}-shm").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        for address in ("a@b.example", "c@b.example"):
            connection = mail.open_database(Paths(str(machine.root)))
            row = mail.full_row("alias", address, {"destinations": "x@y.example"})
            mail.write_rows(connection, [("alias", address, row)])
            connection.close()
        assert read() == ["['a@b.example', 'c@b.example']", "attempt to write a readonly database"]
        holder.send_signal(signal.SIGTERM)
        assert holder.wait(10) == 0
