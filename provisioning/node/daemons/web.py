"""nginx and Apache: reloaded by a signal to the master, ready when only processes of the new configuration accept."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from typing import Any

from ..changes import Change
from ..errors import RefusedError
from ..node import Node
from ..processes import Command, Running, allow_files, children, command_line, environment_of
from ..sockets import listeners_of, socket_inodes, speaks_http, tcp_listeners
from .piecewise import Piecewise, with_pieces

TROUBLE_SECONDS = 0.05
"""How often a daemon on its way to a new configuration is asked whether it is well: its log is read for that."""
PROBES = 8
"""How many listening sockets are asked: every kind of them, not each of a hundred addresses."""


@dataclass
class Generation:
    """The processes and the log's length before a reload."""

    master: int
    workers: frozenset[int]
    log_size: int
    started: float = field(default_factory=time.monotonic)
    asked: float = 0.0


class WebServer(Piecewise):
    """What both have in common."""

    signal_number: signal.Signals
    log = ""

    def mark(self, node: Node, pid: int) -> Generation:
        try:
            size = os.path.getsize(node.paths.at(self.log))
        except OSError:
            size = 0
        return Generation(pid, frozenset(children(pid)), size)

    def reload(self, node: Node, pid: int, changes: list[Change]) -> Running | None:
        allow_files(pid)
        os.kill(pid, self.signal_number)
        return None

    def is_ready(self, node: Node, mark: Any, changes: list[Change]) -> bool:
        if mark is not None:
            has_turned_over = self._has_turned_over(mark)
            if has_turned_over or time.monotonic() - mark.asked > TROUBLE_SECONDS:
                mark.asked = time.monotonic()
                self._require_health(node, mark)
            if not has_turned_over:
                return False
        pid = self.pid(node)
        return pid is not None and self._answers(pid)

    def _require_health(self, node: Node, mark: Generation) -> None:
        """RefusedError when it died of its reload, or refused it."""
        if self.pid(node) is None:
            raise RefusedError("failed", f"{self.name} died when it was reloaded: {self._complaints(node, mark)}")
        complaints = self._complaints(node, mark)
        if complaints and self._has_given_up(complaints):
            raise RefusedError("failed", f"{self.name} refused to reload: {complaints}")

    def _complaints(self, node: Node, mark: Generation) -> str:
        """What it has written as an emergency since the reload."""
        try:
            with open(node.paths.at(self.log), errors="replace") as log:
                log.seek(mark.log_size)
                lines = log.read(65536).splitlines()
        except OSError:
            return ""
        return "\n".join(line for line in lines if "[emerg]" in line or ":emerg]" in line)

    def _has_given_up(self, complaints: str) -> bool:
        """Whether the emergencies are its last word on this reload, and not followed by more."""
        return True

    def _has_turned_over(self, mark: Generation) -> bool:
        raise NotImplementedError

    def _answers(self, pid: int) -> bool:
        listeners = listeners_of(pid)
        ports = {(listener.family, listener.port): listener for listener in listeners}
        asked = list(dict.fromkeys([*ports.values(), *listeners]))[: max(PROBES, len(ports))]
        return bool(asked) and all(speaks_http(listener) for listener in asked)


class Nginx(WebServer):
    """nginx (https://nginx.org/en/docs/control.html, *Changing Configuration*)."""

    signal_number = signal.SIGHUP
    log = "/var/log/nginx/error.log"
    pieces = "/etc/nginx/hostwright/sites"
    others = ("/etc/nginx", "/etc/nginx/hostwright")

    def __init__(self) -> None:
        super().__init__("nginx", program="/usr/sbin/nginx", pid_file="/run/nginx.pid")

    def check_command(self) -> list[str]:
        return ["nginx", "-t", "-q"]

    def check_pieces(self, node: Node, place: str, names: list[str]) -> Command | None:
        main, line = "/etc/nginx/nginx.conf", f"include {self.pieces}/{{}};"
        return Command([*self.check_command(), "-c", place]) if with_pieces(node, main, line, names, place) else None

    def _has_given_up(self, complaints: str) -> bool:
        """A taken address (errno 98) is tried five times, half a second apart; a signal sent meanwhile waits."""
        return "(98: " not in complaints or "still could not bind()" in complaints

    def _has_turned_over(self, mark: Generation) -> bool:
        """A worker renames itself when it stops accepting, and takes its name only when it has begun to."""
        now = {pid: command_line(pid) for pid in children(mark.master)}
        is_new = any(pid not in mark.workers and title == "nginx: worker process" for pid, title in now.items())
        return is_new and not any(pid in mark.workers and "shutting down" not in now[pid] for pid in now)


class Apache(WebServer):
    """Apache httpd (https://httpd.apache.org/docs/2.4/stopping.html, *Graceful Restart*)."""

    signal_number = signal.SIGUSR1
    log = "/var/log/apache2/error.log"
    pieces = "/etc/apache2/hostwright/sites"
    others = ("/etc/apache2", "/etc/apache2/hostwright")
    old_worker_seconds = 3.0
    """An old process that finishes a long request may keep its listening socket open without using it."""

    def __init__(self) -> None:
        super().__init__("apache2", program="/usr/sbin/apache2", pid_file="/run/apache2/apache2.pid")

    def check_command(self) -> list[str]:
        return ["apache2ctl", "-t"]

    def check_all(self, node: Node) -> Command | None:
        return self._check(node) or super().check_all(node)

    def check_pieces(self, node: Node, place: str, names: list[str]) -> Command | None:
        main, line = "/etc/apache2/apache2.conf", f"IncludeOptional {self.pieces}/{{}}"
        command = self._check(node, "-f", place)
        return command if command is not None and with_pieces(node, main, line, names, place) else None

    def _check(self, node: Node, *options: str) -> Command | None:
        """With the environment of the master, which its next configuration is read with as well: apache2ctl, a shell
        script that reads envvars, would take longer than a small server's check. It is asked where no master runs.
        """
        pid = self.pid(node)
        told = {} if pid is None else environment_of(pid)
        given = {name: value for name, value in told.items() if name.startswith("APACHE_") or name == "LANG"}
        return Command([self.program, "-t", *options], environment=given) if given else None

    def _has_turned_over(self, mark: Generation) -> bool:
        now = set(children(mark.master))
        if not now - mark.workers:
            return False
        if time.monotonic() - mark.started > self.old_worker_seconds:
            return True
        listening = tcp_listeners().keys()
        return not any(socket_inodes(pid) & listening for pid in now & mark.workers)
