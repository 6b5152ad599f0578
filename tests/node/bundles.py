"""Builds payloads of docs/protocol.md for tests, and runs the node program on them, in this process or in its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioning.node.apply import apply
from provisioning.node.drift import drift
from provisioning.node.facts import facts
from provisioning.node.node import Node
from provisioning.node.paths import Paths
from provisioning.node.plan import plan

REPOSITORY = Path(__file__).resolve().parents[2]
Body = dict[str, Any]


def digest(body: Body) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def resource(kind: str, name: str, **attributes: Any) -> Body:
    return {"kind": kind, "name": name, **attributes}


def file(path: str, text: str = "text\n", **attributes: Any) -> Body:
    return resource("file", path, **{"text": text, "owner": "root", "group": "root", "mode": "0644", **attributes})


def directory(path: str, **attributes: Any) -> Body:
    return resource("directory", path, **{"owner": "root", "group": "root", "mode": "0755", **attributes})


def user(name: str, uid: int = 20001, **attributes: Any) -> Body:
    return resource(
        "user",
        name,
        **{
            "uid": uid,
            "gid": uid,
            "home": f"/home/{name}",
            "shell": "/usr/sbin/nologin",
            "gecos": "",
            "password": "!",
            **attributes,
        },
    )


def home(name: str) -> Body:
    return directory(f"/home/{name}", owner=name, group=name, mode="0711", data=True)


def tenant(name: str, uid: int = 20001, *more: Body, **attributes: Any) -> tuple[Body, ...]:
    """A user with home, document root, logs and the link to them: all of it can move to another name."""
    return (
        user(name, uid, **attributes),
        home(name),
        directory(f"/home/{name}/public_html", owner=name, group=name, **{"as": name}),
        directory(f"/var/log/hostwright/{name}", group=name, mode="0750", data=True),
        resource("link", f"/home/{name}/logs", target=f"/var/log/hostwright/{name}", **{"as": name}),
        *more,
    )


def renaming(old: str, new: str) -> list[list[str]]:
    """The moves that give a tenant another user name."""
    keys = ("user:{}", "directory:/home/{}", "directory:/var/log/hostwright/{}")
    return [[key.format(old), key.format(new)] for key in keys]


def slice_of(slice_id: str, *bodies: Body, generation: int = 1, **more: Any) -> dict[str, Any]:
    resources = {f"{body['kind']}:{body['name']}": body for body in bodies}
    return {
        "slice": slice_id,
        "generation": generation,
        "manifest": {key: digest(body) for key, body in resources.items()},
        "resources": resources,
        **more,
    }


def payload(*slices: dict[str, Any], epoch: int = 1, **more: Any) -> dict[str, Any]:
    return {"server": "srv_1", "epoch": epoch, "slices": list(slices), "confirmed": True, **more}


@dataclass
class Machine:
    """A directory that the node program takes for a server's root."""

    root: Path
    events: list[dict[str, Any]] = field(default_factory=list)

    def apply(self, *slices: dict[str, Any], **more: Any) -> dict[str, Any]:
        """One apply by a new process's eyes: a fresh node on the same disk."""
        self.events.clear()
        node = Node(Paths(str(self.root)))
        try:
            return apply(node, payload(*slices, **more), self.events.append)
        finally:
            node.close()

    def plan(self, *slices: dict[str, Any], **more: Any) -> dict[str, Any]:
        node = Node(Paths(str(self.root)))
        try:
            return plan(node, payload(*slices, **more), self.events.append)
        finally:
            node.close()

    def drift(self, **more: Any) -> dict[str, Any]:
        """What a fresh node finds that is not as it was applied."""
        self.events.clear()
        with self.node() as node:
            return drift(node, {"server": "srv_1", "epoch": 1, **more}, self.events.append)

    def facts(self) -> dict[str, Any]:
        with self.node() as node:
            return facts(node)

    def node_paths(self) -> Paths:
        """Where things lie on this machine."""
        return Paths(str(self.root))

    @contextmanager
    def node(self) -> Iterator[Node]:
        """A fresh node on this disk."""
        node = Node(Paths(str(self.root)))
        try:
            yield node
        finally:
            node.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """As if another process were in the middle of an apply."""
        with self.node() as node, node.lock():
            yield

    def spawn(self, *requests: dict[str, Any], failpoint: str = "") -> subprocess.CompletedProcess[bytes]:
        """The real program on its own, fed with requests on stdin."""
        environment = {**os.environ, "HOSTWRIGHT_FAILPOINT": failpoint}
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        return subprocess.run(
            [sys.executable, "-m", "provisioning.node", "--root", str(self.root), "serve"],
            input=lines.encode(),
            capture_output=True,
            env=environment,
            cwd=REPOSITORY,
            timeout=60,
            check=False,
        )

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def users(self) -> list[str]:
        """The names in the extrausers' passwd."""
        passwd = self.at("/var/lib/extrausers/passwd")
        return [line.split(":")[0] for line in passwd.read_text().splitlines()] if passwd.exists() else []

    def tree(self) -> dict[str, tuple[str, int, int, int, str]]:
        """Every path but the node's own memory → type, mode, uid, gid, content."""
        found: dict[str, tuple[str, int, int, int, str]] = {}
        for path in sorted(self.root.rglob("*")):
            name = "/" + str(path.relative_to(self.root))
            if name.startswith(("/var/lib/hostwright/node.db", "/var/lib/hostwright/lock")):
                continue
            status = path.lstat()
            if path.is_symlink():
                kind, content = "link", str(path.readlink())
            elif path.is_dir():
                kind, content = "directory", ""
            else:
                kind, content = "file", path.read_text(errors="backslashreplace")
            found[name] = (kind, status.st_mode & 0o7777, status.st_uid, status.st_gid, content)
        return found


def request(verb: str, body: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return {"v": 1, "id": number, "verb": verb, "payload": body}


def answers(result: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    """The program's answers without its events."""
    return [message for message in map(json.loads, result.stdout.decode().splitlines()) if "event" not in message]
