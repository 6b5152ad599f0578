"""The verb `usage`: what accounts use and how the server stands. Starts the measuring, tells what is known by now."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from typing import Any

from . import rules
from .errors import NodeError
from .facts import versions
from .load import load
from .measuring import alone, is_measuring
from .meter import Meter
from .node import Node

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
WAIT_SECONDS = 0.5
"""A small server has been measured by then, and one answer is enough."""
PACKAGE = __name__.rpartition(".")[0]
LIBRARY = os.path.abspath(os.path.join(os.path.dirname(__file__), *[".."] * (PACKAGE.count(".") + 1)))

_started: list[subprocess.Popen[bytes]] = []
"""The processes that this one has started and that may not have ended."""


def usage(node: Node, payload: object) -> dict[str, Any]:
    """The report of `usage`. It does not wait for the measuring: ask again while `measuring` is true."""
    data = payload if isinstance(payload, dict) else {}
    since = data.get("since", "")
    slices = data.get("slices")
    _check(node, data.get("server"), since, slices)
    _started[:] = [process for process in _started if process.poll() is None]
    if data.get("measure"):
        _start(node, slices)
    is_under_way = is_measuring(node.paths)
    meter = Meter(node.paths)
    try:
        accounts = _accounts(node, meter, since)
        measured = {name: round(meter.at(name)) or None for name in ("all", "databases")}
    finally:
        meter.close()
    return {
        "at": round(time.time()),
        "measuring": is_under_way,
        "measured": measured,
        "accounts": {name: told for name, told in accounts.items() if slices is None or name in slices},
        "server": {**load(node), "versions": versions()},
    }


def _check(node: Node, server: object, since: object, slices: object) -> None:
    if node.state.server != server:
        raise NodeError("bad_request", f"this node belongs to {node.state.server}", {"server": node.state.server})
    if not isinstance(since, str) or (since and not DAY.fullmatch(since)):
        raise NodeError("bad_request", "since must be a day such as 2026-11-22")
    if slices is not None and not (
        isinstance(slices, list) and all(isinstance(name, str) and rules.SLICE.fullmatch(name) for name in slices)
    ):
        raise NodeError("bad_request", "slices must be null or a list of ids")


def _start(node: Node, slices: list[str] | None) -> None:
    """Start the process that measures, unless one does; it outlives this conversation, and so does its lock."""
    with alone(node.paths) as lock:
        if lock is not None:
            _spawn(node, slices, lock)


def _spawn(node: Node, slices: list[str] | None, lock: int) -> None:
    command = [sys.executable, "-m", PACKAGE, "--root", node.paths.root, "measure"]
    command += [f"--slice={name}" for name in slices or ()]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=(lock,),
        cwd="/",
        env={**os.environ, "PYTHONPATH": LIBRARY},
    )
    _started.append(process)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(WAIT_SECONDS)


def _accounts(node: Node, meter: Meter, since: str) -> dict[str, dict[str, Any]]:
    """Slice → what is known of it; what was never measured is null."""
    homes, databases, web, mail = meter.homes(), meter.databases(), meter.web(since), meter.mail(since)
    users = {slice_id for slice_id, _name in node.state.named("user:")}
    found = {}
    for slice_id in sorted(users | databases.keys() | web.keys() | mail.keys()):
        nothing = (None, None if slice_id in users else meter.at("databases"))
        counted, measured_at = homes.get(slice_id, nothing)
        found[slice_id] = {
            "measured_at": None if measured_at is None else round(measured_at),
            "disk_bytes": counted and counted.disk_bytes,
            "inodes": counted and counted.inodes,
            "mail_bytes": counted and counted.mail_bytes,
            "unread": counted.unread if counted else 0,
            "databases": databases.get(slice_id, {}),
            "web": web.get(slice_id, {}),
            "mail": mail.get(slice_id, {}),
        }
    return found
