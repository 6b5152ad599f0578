"""Starts, stops and asks about units: by systemd where it is init, else by init scripts.

A unit of our own has no init script. Where there is no systemd it is started here from what its file says, in a
session of its own; nobody restarts it, and the container's start-up begins with `recover` as a boot does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time

from .node import Node
from .processes import ENVIRONMENT, Result, alive, command_line, run

SYSTEMD = "/run/systemd/system"
UNITS = "/etc/systemd/system"
PIDS = "/run/hostwright"
ENABLED = ("enabled", "enabled-runtime", "static", "alias", "generated", "indirect")
TIMER = ".timer"
STOP_SECONDS = 10.0


def has_systemd() -> bool:
    """Whether systemd is this system's init (sd_booted(3))."""
    return os.path.isdir(SYSTEMD)


def plain(unit: str) -> str:
    """A unit's name as init scripts have it."""
    return unit[: -len(".service")] if unit.endswith(".service") else unit


def command(verb: str, unit: str) -> list[str]:
    """The command that does something to a unit that a package brought."""
    return ["systemctl", verb, unit] if has_systemd() else ["service", plain(unit), verb]


def state(node: Node, unit: str) -> dict[str, bool]:
    """Whether a unit runs and, where systemd knows of that, starts at boot."""
    if not has_systemd():
        if _is_ours(node, unit):
            return {"running": _is_for_boot(node, unit) or _pid(node, unit) is not None}
        return {"running": run(command("status", unit)).ok}
    return states(node, [unit])[unit]


def _state(told: str) -> dict[str, bool]:
    """One unit's answer of `systemctl show`."""
    facts = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    return {
        "enabled": facts.get("UnitFileState") in ENABLED,
        "running": facts.get("ActiveState") in ("active", "activating", "reloading"),
    }


def states(node: Node, units: list[str]) -> dict[str, dict[str, bool]]:
    """The `state` of several units, asked for in one run of systemctl."""
    if not has_systemd():
        return {unit: state(node, unit) for unit in units}
    told = run(["systemctl", "show", "--property=ActiveState,UnitFileState", *units]).output
    return dict(zip(units, map(_state, told.split("\n\n"))))


def bring(node: Node, unit: str, *, enabled: bool, running: bool) -> Result | None:
    """Enable or disable, then start or stop, where it is not so already; the first command that failed."""
    now = state(node, unit)
    if now.get("enabled", enabled) != enabled:
        result = run(["systemctl", "enable" if enabled else "disable", unit], timeout=90)
        if not result.ok:
            return result
    if now["running"] == running or (not has_systemd() and _is_ours(node, unit) and _is_for_boot(node, unit)):
        return None
    if not has_systemd() and _is_ours(node, unit):
        return _start(node, unit) if running else _stop(node, unit)
    if node.is_booting:  # systemd does it when we have ended; to wait for it here would be for ever.
        result = run(["systemctl", "--no-block", "start" if running else "stop", unit])
    else:
        result = run(command("start" if running else "stop", unit), timeout=90)
    return None if result.ok else result


def _file(node: Node, unit: str) -> str:
    return node.paths.at(f"{UNITS}/{unit if unit.endswith(TIMER) else f'{plain(unit)}.service'}")


def _is_ours(node: Node, unit: str) -> bool:
    return os.path.isfile(_file(node, unit))


def _pid_file(node: Node, unit: str) -> str:
    return node.paths.at(f"{PIDS}/{plain(unit)}.pid")


def _settings(node: Node, unit: str) -> dict[str, list[str]]:
    """Key → values of a unit file's lines (systemd.service(5)); quoting is not understood, for our units need none."""
    found: dict[str, list[str]] = {}
    with open(_file(node, unit), encoding="utf-8") as lines:
        for line in lines:
            key, equals, value = line.strip().partition("=")
            if equals and not key.startswith(("#", ";")):
                found.setdefault(key, []).append(value)
    return found


def _is_for_boot(node: Node, unit: str) -> bool:
    """Whether a unit does something only where systemd is: without it there is nothing to start or stop."""
    return unit.endswith(TIMER) or _settings(node, unit).get("Type") == ["oneshot"]


def _pid(node: Node, unit: str) -> int | None:
    """The process that runs for a unit of ours."""
    try:
        with open(_pid_file(node, unit)) as content:
            pid = int(content.read())
        expected = _settings(node, unit)["ExecStart"][0]
    except (OSError, ValueError, KeyError):
        return None
    return pid if alive(pid) and command_line(pid) == expected else None


def _start(node: Node, unit: str) -> Result | None:
    settings = _settings(node, unit)
    environment = dict(item.split("=", 1) for item in settings.get("Environment", []) if "=" in item)
    os.makedirs(node.paths.at(PIDS), mode=0o755, exist_ok=True)
    try:
        process = subprocess.Popen(
            settings["ExecStart"][0].split(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**ENVIRONMENT, **environment},
            cwd=settings.get("WorkingDirectory", ["/"])[0],
            start_new_session=True,
        )
    except (OSError, KeyError) as error:
        return Result(127, "", f"{unit}: {error}")
    with open(_pid_file(node, unit), "w") as content:
        content.write(str(process.pid))
    return None


def _stop(node: Node, unit: str) -> Result | None:
    pid = _pid(node, unit)
    if pid is None:
        return None
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while alive(pid):
        if time.monotonic() > deadline:
            return Result(124, "", f"{unit} does not stop")
        time.sleep(0.01)
    return None
