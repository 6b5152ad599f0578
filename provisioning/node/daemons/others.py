"""BIND, Postfix, Dovecot and MariaDB: their base configuration changes seldom; zones, rows and SQL need no reload."""

from __future__ import annotations

import base64
import re
import socket
from typing import Any

from ..changes import Change
from ..errors import RefusedError
from ..node import Node
from ..processes import Running, run
from ..rndc import Rndc, RndcError
from ..sockets import accepts, listeners_of
from ..units import command
from .base import Daemon

RESTART_ONLY = re.compile(r"^\s*(?:inet_interfaces|inet_protocols)\s*=.*$", re.MULTILINE)
ADDRESS = re.compile(r"(?<![\w.:])(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\])(?![\w.])")
"""An address in main.cf or master.cf, those for IPv6 in brackets."""


class Named(Daemon):
    """BIND; `rndc reconfig` rereads named.conf without touching the zones."""

    def __init__(self) -> None:
        super().__init__("named", program="/usr/sbin/named", pid_file="/run/named/named.pid")

    def check_command(self) -> list[str]:
        return ["named-checkconf"]

    def reload(self, node: Node, pid: int, changes: list[Change]) -> Running | None:
        return Running(["rndc", "reconfig"], timeout=self.patience)

    def is_ready(self, node: Node, mark: Any, changes: list[Change]) -> bool:
        if self.pid(node) is None:
            return False
        try:
            with Rndc(node.paths) as channel:
                channel.call("status")
        except (OSError, RndcError):
            return False
        return True


class Listening(Daemon):
    """A daemon that is ready when its master takes connections on all its sockets."""

    def is_ready(self, node: Node, mark: Any, changes: list[Change]) -> bool:
        pid = self.pid(node)
        return pid is not None and all(accepts(listener) for listener in listeners_of(pid))


class Postfix(Listening):
    """Postfix; what it listens on changes only by a restart (postconf(5), inet_interfaces)."""

    def __init__(self) -> None:
        super().__init__(
            "postfix", program="/usr/sbin/postfix", title="master", pid_file="/var/spool/postfix/pid/master.pid"
        )

    def check_command(self) -> list[str]:
        return ["postfix", "check"]

    def reload(self, node: Node, pid: int, changes: list[Change]) -> Running | None:
        _require_addresses(changes)
        if any(_listening_lines(change) for change in changes):
            return Running(command("restart", self.unit), timeout=60)
        return Running(["postfix", "reload"], timeout=30)


def _require_addresses(changes: list[Change]) -> None:
    """RefusedError when an address that Postfix is to use is on no interface: master(8) would not start again."""
    text = "\n".join(
        change.new["text"]
        for change in changes
        if change.new is not None and change.name in ("/etc/postfix/main.cf", "/etc/postfix/master.cf")
    )
    for address in sorted({match.group(1).strip("[]") for match in ADDRESS.finditer(text)}):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.bind((address, 0))
        except OSError as error:
            reason = f"{address} is on none of this server's interfaces ({error.strerror}); add it there first"
            raise RefusedError("failed", reason) from error


def _listening_lines(change: Change) -> bool:
    """Whether a change touches what Postfix listens on."""
    if change.name != "/etc/postfix/main.cf":
        return False
    before = change.before or {}
    was = base64.b64decode(before["data"]).decode("utf-8", "replace") if "data" in before else ""
    now = change.new["text"] if change.new is not None else ""
    return RESTART_ONLY.findall(was) != RESTART_ONLY.findall(now)


class Dovecot(Listening):
    """Dovecot of either dialect (2.3, 2.4)."""

    def __init__(self) -> None:
        super().__init__("dovecot", program="/usr/sbin/dovecot", pid_file="/run/dovecot/master.pid")

    def check_command(self) -> list[str]:
        return ["doveconf", "-n"]

    def reload(self, node: Node, pid: int, changes: list[Change]) -> Running | None:
        return Running(["doveadm", "reload"], timeout=30)


class Mariadb(Daemon):
    """MariaDB; its options are read at start only, so a changed base configuration restarts it."""

    patience = 60.0

    def __init__(self) -> None:
        super().__init__("mariadb", program="/usr/sbin/mariadbd", pid_file="/run/mysqld/mysqld.pid")

    def check_command(self) -> list[str]:
        return ["mariadbd", "--user=mysql", "--help", "--verbose", "--silent"]

    def reload(self, node: Node, pid: int, changes: list[Change]) -> Running | None:
        return Running(command("restart", self.unit), timeout=120)

    def is_ready(self, node: Node, mark: Any, changes: list[Change]) -> bool:
        return self.pid(node) is not None and run(["mariadb-admin", "--protocol=socket", "ping"], timeout=10).ok
