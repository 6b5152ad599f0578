"""Makes users: rows of libnss-extrausers, all of an apply in one rewrite of its three files."""

from __future__ import annotations

import os
import signal
from typing import Any

from ..accounts import Accounts
from ..changes import ADD, DESTROY, Change
from ..errors import Failures, RefusedError
from ..failpoints import failpoint
from ..fsutil import DIRECTORY, Unsynced, publish, stage_file, temporary_name, unlink
from ..node import Node
from ..paths import Paths
from ..rules import Body
from ..state import Remembered
from .base import Extra, Failing, Known, Maker

FILES = ("group", "passwd", "shadow")
"""In the order in which they are written: a user never names a group that is not there."""

Rows = dict[str, str]
"""File → line."""


def rows_of(name: str, body: Body) -> Rows:
    """The three lines of one user (passwd(5), group(5), shadow(5)); without dates, so that nothing ages."""
    return {
        "group": f"{name}:x:{body['gid']}:",
        "passwd": f"{name}:x:{body['uid']}:{body['gid']}:{body['gecos']}:{body['home']}:{body['shell']}",
        "shadow": f"{name}:{body['password']}:::::::",
    }


def _read(paths: Paths, file: str) -> list[str]:
    try:
        with open(f"{paths.extrausers}/{file}", encoding="utf-8", errors="surrogateescape") as lines:
            return lines.read().splitlines()
    except FileNotFoundError:
        return []


def _fields(line: str) -> list[str]:
    return line.split(":")


class Table:
    """The three files in memory."""

    def __init__(self, paths: Paths, accounts: Accounts) -> None:
        self._paths = paths
        self._accounts = accounts
        self._lines = {file: _read(paths, file) for file in FILES}
        self._were = {file: list(lines) for file, lines in self._lines.items()}
        self._places = {
            file: {_fields(line)[0]: number for number, line in enumerate(lines)} for file, lines in self._lines.items()
        }

    def rows(self, name: str) -> Rows:
        """The lines there are for a name."""
        return {file: self._lines[file][places[name]] for file, places in self._places.items() if name in places}

    def names(self) -> list[str]:
        """Every name that has a line in one of the files."""
        return sorted({name for places in self._places.values() for name in places})

    def holder(self, file: str, number: int) -> str | None:
        """Whose uid (file passwd) or gid (file group) a number is."""
        for line in self._lines[file]:
            fields = _fields(line)
            if len(fields) > 2 and fields[2] == str(number):
                return fields[0]
        return None

    def put(self, name: str, rows: Rows) -> None:
        """Set a name's lines; a file without one loses the name."""
        for file in FILES:
            lines, places = self._lines[file], self._places[file]
            if file in rows and name in places:
                lines[places[name]] = rows[file]
            elif file in rows:
                places[name] = len(lines)
                lines.append(rows[file])
            elif name in places:
                del lines[places.pop(name)]
                self._places[file] = {_fields(line)[0]: number for number, line in enumerate(lines)}

    def rename(self, old: str, new: str, rows: Rows) -> None:
        """Let `new` have the lines of `old`, in their places; `rows` is what they then are."""
        for places in self._places.values():
            if old in places and new not in places:
                places[new] = places.pop(old)
        self.put(old, {})
        self.put(new, rows)

    def save(self) -> None:
        """Write the files that changed: 0644, and shadow 0640 with the group shadow; one without a row goes.

        Their new content is durable before it takes its place: an undo puts rows back, not whole files.
        """
        changed = [file for file in FILES if self._lines[file] != self._were[file]]
        if not changed:
            return
        os.makedirs(self._paths.extrausers, mode=0o755, exist_ok=True)
        directory = os.open(self._paths.extrausers, DIRECTORY)
        try:
            unsynced = Unsynced()
            for file in changed:
                self._stage(directory, file, unsynced)
            unsynced.flush()
            for file in changed:
                if self._lines[file]:
                    publish(directory, file)
                else:
                    unlink(directory, temporary_name(file))
                    unlink(directory, file)
                failpoint("users-half-written")
            os.fsync(directory)
        finally:
            os.close(directory)
        self._were = {file: list(lines) for file, lines in self._lines.items()}

    def clean(self) -> None:
        """Remove what a killed `save` may have left prepared."""
        if os.path.isdir(self._paths.extrausers):
            directory = os.open(self._paths.extrausers, DIRECTORY)
            try:
                for file in FILES:
                    unlink(directory, temporary_name(file))
            finally:
                os.close(directory)

    def _stage(self, directory: int, file: str, unsynced: Unsynced) -> None:
        data = "".join(line + "\n" for line in self._lines[file]).encode("utf-8", "surrogateescape")
        shadow = self._accounts.system_groups().get("shadow", 0)
        mode, gid = (0o640, shadow) if file == "shadow" else (0o644, 0)
        stage_file(directory, file, data, mode, 0, gid, unsynced)


class Users(Maker):
    """Kind: user."""

    name = "users"

    def before(self, node: Node, changes: list[Change]) -> Failures:
        table = Table(node.paths, node.accounts)
        failing = Failing()
        for change in changes:
            change.before = {"rows": table.rows(change.name)}
            try:
                self._refuse_foreign(node, table, change)
            except RefusedError as error:
                failing.add(change, error)
        return failing.found

    def _refuse_foreign(self, node: Node, table: Table, change: Change) -> None:
        if change.new is None:
            return
        name, uid, gid = change.name, change.new["uid"], change.new["gid"]
        users, groups = node.accounts.system_users(), node.accounts.system_groups()
        if name in users or name in groups:
            raise RefusedError("foreign", f"user {name}: the system already has a user or group of this name")
        if uid in users.values() or gid in groups.values():
            raise RefusedError("foreign", f"user {name}: uid {uid} or gid {gid} belongs to the system")
        if change.change == ADD and change.before["rows"]:
            raise RefusedError("foreign", f"user {name}: it exists on this server and is not managed by the panel")
        own = (None, name, change.was[0].partition(":")[2] if change.was else name)
        if table.holder("passwd", uid) not in own or table.holder("group", gid) not in own:
            raise RefusedError("foreign", f"user {name}: uid {uid} or gid {gid} belongs to another user")

    def make(self, node: Node, changes: list[Change]) -> Failures:
        table = Table(node.paths, node.accounts)
        for change in changes:
            table.put(change.name, {} if change.new is None else rows_of(change.name, change.new))
        try:
            table.save()
        except OSError as error:
            full = RefusedError("disk_full" if error.errno == 28 else "failed", f"users: {error.strerror}")
            return {change.slice: full for change in changes}
        failpoint("after-users")
        return {}

    def undo(self, node: Node, changes: list[Change]) -> None:
        table = Table(node.paths, node.accounts)
        for change in changes:
            table.put(change.name, change.before["rows"])
        table.save()
        table.clean()

    def finish(self, node: Node, changes: list[Change]) -> dict[str, str]:
        table = Table(node.paths, node.accounts)
        for change in changes:
            if change.change == DESTROY:
                kill_processes(change.body["uid"])
                table.put(change.name, {})
        table.save()
        return {}

    def differs(self, node: Node, resources: list[Remembered]) -> dict[str, Body | None]:
        table = Table(node.paths, node.accounts)
        found: dict[str, Body | None] = {}
        for resource in resources:
            name = resource.key.partition(":")[2]
            actual = table.rows(name)
            if actual != rows_of(name, resource.body):
                found[resource.key] = _body_of(resource.body, actual) if "passwd" in actual else None
        return found

    def extras(self, node: Node, known: Known) -> list[Extra]:
        table = Table(node.paths, node.accounts)
        found = []
        for name in table.names():
            if f"user:{name}" not in known.slices:
                rows = table.rows(name)
                body = _body_of({"kind": "user", "name": name, "files": sorted(rows)}, rows)
                found.append(Extra(f"user:{name}", body))
        return found


def _body_of(wanted: Body, rows: Rows) -> Body:
    """A body as the files tell it; what they do not tell is as wanted."""
    actual: dict[str, Any] = dict(wanted)
    fields = _fields(rows.get("passwd", ""))
    if len(fields) == 7 and fields[2].isdecimal() and fields[3].isdecimal():
        actual.update(uid=int(fields[2]), gid=int(fields[3]), gecos=fields[4], home=fields[5], shell=fields[6])
    shadow = _fields(rows.get("shadow", ":"))
    actual["password"] = shadow[1] if len(shadow) > 1 else ""
    return actual


def kill_processes(uid: int) -> None:
    """Kill whatever runs with a tenant's uid, before the uid stops meaning anybody."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{entry}").st_uid == uid:
                os.kill(int(entry), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue
