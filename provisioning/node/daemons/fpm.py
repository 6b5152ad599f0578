"""PHP-FPM of one PHP version."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import Any

from ..changes import Change
from ..kinds.paths import COMMENT, POOL_LISTEN
from ..node import Node
from ..processes import Command, Running, allow_files
from ..sockets import unix_accepts
from .piecewise import Piecewise


@dataclass
class Turnover:
    """The pid file before a reload, and when the master was told last."""

    stamp: tuple[int, int]
    told: float


class Fpm(Piecewise):
    """`php8.4-fpm`; on SIGUSR2 the master replaces itself, keeping its sockets, and then writes its pid file anew."""

    patience = 30.0
    again_seconds = 5.0
    """After which a master that has not begun is told again: a signal may be lost that comes while it starts."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"php{version}-fpm",
            program=f"/usr/sbin/php-fpm{version}",
            title="php-fpm",
            pid_file=f"/run/php/php{version}-fpm.pid",
        )
        directory = f"/etc/php/{version}/fpm"
        self.pieces = f"{directory}/pool.d"
        self.others = (directory, f"{directory}/conf.d")
        self.idle = f"{self.pieces}/www.conf"

    def check_command(self) -> list[str]:
        return [os.path.basename(self.program), "-t"]

    def check_pieces(self, node: Node, place: str, names: list[str]) -> Command | None:
        """With the pool that is always there, for PHP-FPM wants one. It reads its files one byte at a time: of a
        thousand pools the others would take it half a second.
        """
        if not os.path.exists(node.paths.at(self.idle)):
            return None
        includes = [f"include={path}" for path in sorted({self.idle, *names})]
        with open(place, "w", encoding="utf-8") as file:
            file.write("\n".join(["[global]", "error_log = /dev/stderr", *includes, ""]))
        return Command([*self.check_command(), "-n", "-y", place])

    def _stamp(self, node: Node) -> tuple[int, int]:
        try:
            status = os.stat(node.paths.at(self.pid_file))
        except FileNotFoundError:
            return (0, 0)
        return status.st_mtime_ns, status.st_ino

    def mark(self, node: Node, pid: int) -> Turnover:
        return Turnover(self._stamp(node), time.monotonic())

    def reload(self, node: Node, pid: int, changes: list[Change]) -> Running | None:
        allow_files(pid)
        os.kill(pid, signal.SIGUSR2)
        return None

    def is_ready(self, node: Node, mark: Any, changes: list[Change]) -> bool:
        has_begun = mark is None or self._stamp(node) != mark.stamp
        if has_begun and self.pid(node) is not None:
            return all(unix_accepts(node.paths.at(path)) for path in pool_sockets(changes))
        if mark is not None and time.monotonic() - mark.told > self.again_seconds:
            mark.told = time.monotonic()
            self._tell_again(node, self.pid(node))
        return False

    def _tell_again(self, node: Node, pid: int | None) -> None:
        """A reload that has begun takes no notice of a second signal; a master that died is started."""
        if pid is None:
            self.start(node)
        else:
            os.kill(pid, signal.SIGUSR2)


def pool_sockets(changes: list[Change]) -> list[str]:
    """The Unix sockets of the pools that changes add or change."""
    texts = [str(change.new["text"]) for change in changes if change.kind == "file" and change.new is not None]
    found = [listen for text in texts for listen in POOL_LISTEN.findall(COMMENT.sub("", text))]
    return [listen for listen in found if listen.startswith("/")]
