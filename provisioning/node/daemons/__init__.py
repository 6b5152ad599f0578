"""The daemons by name, and what is done with several: check side by side, reload in stages, wait until served."""

from __future__ import annotations

import os
import re
import time
from typing import Any

from ..changes import Change
from ..errors import RefusedError
from ..failpoints import failpoint
from ..node import Node
from ..processes import Running, run
from ..units import has_systemd, plain
from .base import Daemon, Unit
from .fpm import Fpm
from .others import Dovecot, Mariadb, Named, Postfix
from .web import Apache, Nginx

FPM = re.compile(r"php(\d\.\d)-fpm")
POLL_SECONDS = 0.005
AT_ONCE = max(2, os.cpu_count() or 1)
WEB = ("apache2", "nginx")

DAEMONS: dict[str, Daemon] = {
    daemon.name: daemon for daemon in (Nginx(), Apache(), Named(), Postfix(), Dovecot(), Mariadb())
}


def daemon(name: str) -> Daemon:
    """The daemon that resources call `name`; an unknown name is that of a systemd unit."""
    known = DAEMONS.get(name)
    if known is not None:
        return known
    version = FPM.fullmatch(name)
    return Fpm(version.group(1)) if version else Unit(name)


def is_reloaded(unit: str) -> bool:
    """Whether a unit is one of the daemons that are checked and reloaded here."""
    return not isinstance(daemon(plain(unit)), Unit)


def ensure_running(node: Node, name: str) -> None:
    """Start a daemon unless it runs. RefusedError when it is not installed or does not start."""
    found = daemon(name)
    if not found.is_installed(node):
        raise RefusedError("failed", f"{name} is not installed on this server")
    if found.pid(node) is None:
        if node.is_planning:
            raise RefusedError("failed", f"{name} does not run, and a plan starts nothing")
        found.start(node)


LIVE_KINDS = frozenset({"zone", "database", "database_user", "row"})


def by_service(changes: list[Change]) -> dict[str, list[Change]]:
    """The changes for which each daemon is reloaded; what is told to a daemon or looked up by it live needs none."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        if change.kind in LIVE_KINDS:
            continue
        for service in change.services:
            found.setdefault(service, []).append(change)
    return found


def only_removes(changes: list[Change]) -> bool:
    """Whether a daemon only loses configuration."""
    return all(change.new is None for change in changes)


def stages(changes: dict[str, list[Change]]) -> list[list[str]]:
    """The order of reloads: what others connect to first; pools that only go, last, when nobody asks for them.

    New pools come up beside the web servers when these only gain or lose sites: nobody has asked yet for a site that
    was not there.
    """
    first: list[str] = []
    second = [name for name in sorted(changes) if name in WEB]
    last: list[str] = []
    is_changed = any(item.old is not None and item.new is not None for name in second for item in changes[name])
    for name, items in sorted(changes.items()):
        if name in WEB:
            continue
        if not FPM.fullmatch(name):
            first.append(name)
        elif only_removes(items):
            last.append(name)
        else:
            (first if is_changed else second).append(name)
    return [stage for stage in (first, second, last) if stage]


def reload(node: Node, changes: dict[str, list[Change]], counts: dict[str, int]) -> None:
    """Make daemons take their new configuration and wait until they serve it. RefusedError when one does not.

    Of a stage as many are on their way at a time as there are processors, the first in its order first: on a full
    server each of them reads for a while, and three at once on two processors are all as late as the last.
    """
    for stage in stages(changes):
        waiting = [_Reload(node, daemon(name), changes[name]) for name in stage]
        waiting = [item for item in waiting if item.is_wanted()]
        running: list[_Reload] = []
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                item = waiting.pop(0)
                item.begin()
                counts[item.daemon.name] = counts.get(item.daemon.name, 0) + 1
                running.append(item)
                failpoint("reload-sent")
            running = [item for item in running if not item.is_over()]
            if running:
                time.sleep(POLL_SECONDS)


def settle_systemd(node: Node, changes: list[Change]) -> None:
    """Tell systemd of changed unit files and of changed tmpfiles.d lines."""
    names = {change.name for change in changes if change.kind in ("file", "link", "absent")}
    if not has_systemd() or node.paths.root:
        return
    if any(name.startswith("/etc/systemd/system/") for name in names):
        run(["systemctl", "daemon-reload"])
    created = sorted(name for name in names if name.startswith("/etc/tmpfiles.d/"))
    if created:
        run(["systemd-tmpfiles", "--create", *created])


class _Reload:
    """One daemon on its way to a new configuration; its step lasts from when it was asked for, its patience from when
    it was told."""

    def __init__(self, node: Node, which: Daemon, changes: list[Change]) -> None:
        self.daemon = which
        self._node = node
        self._changes = changes
        self._running: Running | None = None
        self._mark: Any = None
        self._asked = time.monotonic()
        self._begun = 0.0

    def is_wanted(self) -> bool:
        """A daemon that does not run is started, unless all that happens is that its configuration goes."""
        return self.daemon.pid(self._node) is not None or not only_removes(self._changes)

    def begin(self) -> None:
        """Send the signal, or start it when it does not run."""
        self._begun = time.monotonic()
        pid = self.daemon.pid(self._node)
        if pid is None:
            self.daemon.start(self._node)
            return
        self._mark = self.daemon.mark(self._node, pid)
        self._running = self.daemon.reload(self._node, pid, self._changes)

    def is_over(self) -> bool:
        """Whether the new configuration is served. RefusedError when it failed or took too long."""
        if self._running is not None:
            result = self._running.poll()
            if result is None:
                return False
            if not result.ok:
                raise RefusedError("failed", f"{self.daemon.name} refused to reload: {result.words}")
            self._running = None
        if self.daemon.is_ready(self._node, self._mark, self._changes):
            self._node.steps.note(f"reload {self.daemon.name}", time.monotonic() - self._asked)
            return True
        if time.monotonic() - self._begun > self.daemon.patience:
            raise RefusedError(
                "failed", f"{self.daemon.name} does not serve its new configuration after {self.daemon.patience:.0f} s"
            )
        return False
