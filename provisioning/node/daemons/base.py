"""What the node knows of a daemon: how to check its configuration, make it take a new one, and see that it has."""

from __future__ import annotations

import os
from typing import Any

from ..changes import Change
from ..errors import RefusedError
from ..node import Node
from ..processes import Command, Running, alive, command_line, run
from ..units import command, has_systemd


class Daemon:
    """A daemon by the name that resources give as their `service`."""

    patience = 15.0
    """Seconds within which a new configuration must be served."""

    def __init__(self, name: str, *, unit: str = "", program: str = "", title: str = "", pid_file: str = "") -> None:
        self.name = name
        self.unit = unit or name
        self.program = program
        self.title = title or os.path.basename(program)
        self.pid_file = pid_file

    def is_installed(self, node: Node) -> bool:
        """Whether its program is there."""
        return os.path.exists(node.paths.at(self.program))

    def pid(self, node: Node) -> int | None:
        """Its master process, None when it does not run."""
        try:
            with open(node.paths.at(self.pid_file)) as content:
                pid = int(content.read().strip() or "0")
        except (OSError, ValueError):
            return None
        return pid if pid > 1 and alive(pid) and self.title in command_line(pid) else None

    def check_command(self) -> list[str] | None:
        """The program that judges its configuration; None when there is none."""
        return None

    def check(self, node: Node, changes: list[Change]) -> Command | None:
        """How its configuration is judged with these changes in it; None when nothing judges it."""
        return self.check_all(node)

    def check_all(self, node: Node) -> Command | None:
        """How the whole configuration is judged."""
        argv = self.check_command()
        return None if argv is None else Command(argv)

    def look(self, node: Node, changes: list[Change]) -> bool:
        """While `check` is at work: whether it judges all that it has to. If not, `check_all` has the word."""
        return True

    def keep_verdict(self, node: Node, is_good: bool) -> None:
        """Take note of what `check` came to."""

    def start(self, node: Node) -> None:
        """Start it and wait until its init system says that it runs."""
        if has_systemd():
            run(["systemctl", "reset-failed", self.unit], timeout=20)
        result = run(command("start", self.unit), timeout=90)
        if not result.ok:
            told = run(["systemctl", "status", "--no-pager", "--lines=15", self.unit]) if has_systemd() else result
            raise RefusedError("failed", f"{self.name} does not start: {told.words}")

    def mark(self, node: Node, pid: int) -> Any:
        """What tells the old configuration's processes from the new one's."""
        return None

    def reload(self, node: Node, pid: int, changes: list[Change]) -> Running | None:
        """Make it take its new configuration, without waiting; a started program when that takes one."""
        raise NotImplementedError

    def is_ready(self, node: Node, mark: Any, changes: list[Change]) -> bool:
        """Whether the new configuration is what is served now. RefusedError when it never will be."""
        return self.pid(node) is not None


class Unit(Daemon):
    """Any other systemd unit: told to reload or restart if it runs, no check."""

    def is_installed(self, node: Node) -> bool:
        return True

    def pid(self, node: Node) -> int | None:
        """A unit without a known pid file counts as running: systemd decides what to do."""
        return 1

    def reload(self, node: Node, pid: int, changes: list[Change]) -> Running | None:
        verb = "try-reload-or-restart" if has_systemd() else "restart"
        return Running(command(verb, self.unit), timeout=60)

    def is_ready(self, node: Node, mark: Any, changes: list[Change]) -> bool:
        return True
