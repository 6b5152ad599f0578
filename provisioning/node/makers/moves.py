"""Moves users and directories of data to new names, before anything is made under them. Not what is below a home."""

from __future__ import annotations

import os
import posixpath
from typing import Any

from .. import fsutil
from ..changes import Change
from ..errors import Failures, RefusedError, from_os_error
from ..failpoints import failpoint
from ..node import Node
from .acting import open_parent
from .base import Failing, Maker
from .users import Table


class Moves(Maker):
    """Kind: move. `before` is the rows of a user, or the identity of a directory, by which undo knows it again."""

    name = "moves"

    def before(self, node: Node, changes: list[Change]) -> Failures:
        failing = Failing()
        table = Table(node.paths, node.accounts)
        for change in changes:
            try:
                if _is_user(change):
                    change.before = _user_before(node, table, change)
                else:
                    change.before = _directory_before(node, change)
            except RefusedError as error:
                failing.add(change, error)
            except OSError as error:
                failing.add(change, from_os_error(change.name, error))
        return failing.found

    def make(self, node: Node, changes: list[Change]) -> Failures:
        failing = Failing()
        table = Table(node.paths, node.accounts)
        for change in filter(_is_user, changes):
            table.rename(_old(change), _new(change), _renamed(change.before["rows"], _new(change)))
        try:
            table.save()
        except OSError as error:
            return {change.slice: from_os_error("users", error) for change in changes}
        failpoint("users-moved")
        for change in changes:
            if not _is_user(change):
                try:
                    _rename(node, change, _old(change), _new(change))
                except OSError as error:
                    failing.add(change, from_os_error(change.name, error))
                failpoint("move-half")
        return failing.found

    def undo(self, node: Node, changes: list[Change]) -> None:
        for change in reversed(changes):
            if not _is_user(change):
                _rename(node, change, _new(change), _old(change))
                failpoint("undo-move-half")
        table = Table(node.paths, node.accounts)
        for change in filter(_is_user, changes):
            table.rename(_new(change), _old(change), change.before["rows"])
        table.save()
        table.clean()


def _is_user(change: Change) -> bool:
    return change.name.startswith("user:")


def _old(change: Change) -> str:
    return change.name.partition(":")[2]


def _new(change: Change) -> str:
    return str(change.body["to"]).partition(":")[2]


def _user_before(node: Node, table: Table, change: Change) -> dict[str, Any]:
    name = _new(change)
    if name in node.accounts.system_users() or name in node.accounts.system_groups():
        raise RefusedError("foreign", f"user {name}: the system already has a user or group of this name")
    if table.rows(name):
        raise RefusedError("foreign", f"user {name}: it exists on this server and is not managed by the panel")
    return {"rows": table.rows(_old(change))}


def _directory_before(node: Node, change: Change) -> dict[str, Any]:
    directory = open_parent(node.paths, posixpath.dirname(_old(change)))
    try:
        if fsutil.snapshot(directory, posixpath.basename(_new(change)), content=False)["type"] != "none":
            raise RefusedError("foreign", f"directory {_new(change)}: it exists and is not managed by the panel")
        return {"identity": _identity(directory, _old(change))}
    finally:
        os.close(directory)


def _identity(directory: int, path: str) -> int | None:
    """Which directory stands at a path, by inode; None when there is none.

    Old and new name lie in one directory, so on one file system, whose device number another boot may change.
    """
    try:
        status = os.stat(posixpath.basename(path), dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return status.st_ino


def _rename(node: Node, change: Change, source: str, target: str) -> None:
    """Rename the very directory that `before` saw, if it is at `source`; else there is nothing to do."""
    directory = open_parent(node.paths, posixpath.dirname(source))
    try:
        if change.before["identity"] is None or _identity(directory, source) != change.before["identity"]:
            return
        os.rename(posixpath.basename(source), posixpath.basename(target), src_dir_fd=directory, dst_dir_fd=directory)
        node.unsynced.add(directory)
    finally:
        os.close(directory)


def _renamed(rows: dict[str, str], name: str) -> dict[str, str]:
    """A user's lines under a new name; in passwd(5) its home as well."""
    new = {}
    for file, line in rows.items():
        fields = line.split(":")
        fields[0] = name
        if file == "passwd" and len(fields) > 5:
            fields[5] = f"/home/{name}"
        new[file] = ":".join(fields)
    return new
