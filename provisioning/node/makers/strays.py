"""Files, links and directories in directories that are all ours, and that nobody asked for. Only looks."""

from __future__ import annotations

import base64
import os
import posixpath
import re
from collections.abc import Callable

from .. import fsutil
from ..node import Node
from ..rules import Body, is_below
from ..tenant import perform
from .base import Extra, Known

SHARED = "/etc/systemd"
"""Below /etc, but others put drop-ins into our directories there."""
POOLS = re.compile(r"file:(/etc/php/\d\.\d/fpm/pool\.d)/[^/]+\.conf")
PHP = re.compile(r"/etc/php/(\d\.\d)/fpm/")
READERS = {"/etc/nginx": "nginx", "/etc/apache2": "apache2", "/etc/postfix": "postfix", "/etc/dovecot": "dovecot"}
HOME = re.compile(r"/home/([a-z][a-z0-9_-]*)/")
STEM = re.compile(r"(?:hostwright-)?([a-z][a-z0-9_-]*?)(?:\.[a-z]+)?")
KINDS = {"file": "file", "link": "link", "directory": "directory"}

OpenParent = Callable[[str], int]


def places(known: Known) -> dict[str, str]:
    """Directory → the end of the names that count there."""
    made = [path for path in known.made if is_below(path, "/etc") and not is_below(path, SHARED)]
    pools = {match.group(1) for match in map(POOLS.fullmatch, known.slices) if match}
    return {**dict.fromkeys(made, ""), **dict.fromkeys(sorted(pools), ".conf")}


def strays(node: Node, known: Known, open_parent: OpenParent) -> list[Extra]:
    """What lies in those directories and is not known."""
    paths = {
        key.partition(":")[2] for key in known.slices if key.startswith(("file:", "link:", "directory:", "absent:"))
    }
    wanted = []
    for directory, end in places(known).items():
        if os.path.isdir(node.paths.at(directory)):
            names = [name for name in os.listdir(node.paths.at(directory)) if name.endswith(end)]
            wanted += [path for path in (f"{directory}/{name}" for name in names) if path not in paths]
    operations = [{"do": "snapshot", "path": path, "content": True} for path in sorted(wanted)]
    found = []
    for operation, outcome in zip(operations, perform(operations, open_parent, node.unsynced)):
        if outcome.error is None and outcome.value["type"] in KINDS:
            found.append(_extra(node, known, str(operation["path"]), outcome.value))
    return found


def reader_of(path: str) -> str | None:
    """The daemon that reads a file at this place."""
    match = PHP.match(path)
    if match:
        return f"php{match.group(1)}-fpm"
    return next((service for root, service in READERS.items() if is_below(path, root)), None)


def _extra(node: Node, known: Known, path: str, found: fsutil.Snapshot) -> Extra:
    kind = KINDS[found["type"]]
    owner, group = node.accounts.owner_names(found["uid"], found["gid"])
    body: Body = {"kind": kind, "name": path}
    service = reader_of(path)
    if service is not None:
        body["service"] = service
    text = ""
    if kind == "link":
        body["target"] = found["target"]
    else:
        body.update(owner=owner, group=group, mode=f"{found['mode']:04o}")
    if kind == "file":
        text = base64.b64decode(found["data"]).decode("utf-8", "backslashreplace")
        body["text"] = text
        if not found["mode"] & 0o004:
            body["secret"] = True
    kept = "it may hold somebody's files" if kind == "directory" else ""
    return Extra(f"{kind}:{path}", body, _near(known, path, text), kept)


def _near(known: Known, path: str, text: str) -> str:
    """The user whose home it names, or whose name it bears."""
    users = [user for user in HOME.findall(text) if user in known.users]
    stem = STEM.fullmatch(posixpath.basename(path))
    if not users and stem is not None and stem.group(1) in known.users:
        users = [stem.group(1)]
    return f"user:{users[0]}" if users else ""
