"""How a server stands: load, memory, disks, uptime, and how much it carries. Reads only, and at once."""

from __future__ import annotations

import os
from typing import Any

from . import quota
from .node import Node

DISKS = ("/", "/home", "/var/lib/mysql", "/var/log")
"""Where daemons and tenants write; those that lie on one file system are told once."""


def load(node: Node) -> dict[str, Any]:
    """Figures of this moment; sizes in bytes, times in seconds."""
    memory = _memory()
    sites = {key.rpartition("/")[2] for _slice, key in node.state.named("file:/etc/nginx/hostwright/sites/")}
    sites |= {key.rpartition("/")[2] for _slice, key in node.state.named("file:/etc/apache2/hostwright/sites/")}
    pools = [key for slice_id, key in node.state.named("file:/etc/php/") if "/pool.d/" in key and slice_id != "server"]
    return {
        "load": [round(value, 2) for value in os.getloadavg()],
        "processors": os.cpu_count() or 1,
        "memory_bytes": memory.get("MemTotal", 0),
        "memory_free_bytes": memory.get("MemAvailable", 0),
        "swap_bytes": memory.get("SwapTotal", 0),
        "swap_free_bytes": memory.get("SwapFree", 0),
        "quota": quota.standing(node.paths.home),
        "uptime_seconds": _uptime(),
        "disks": _disks(node),
        "accounts": len(node.state.named("user:")),
        "sites": len(sites),
        "pools": len(pools),
        "databases": len(node.state.named("database:")),
    }


def _memory() -> dict[str, int]:
    """Name → bytes of proc_meminfo(5)."""
    found = {}
    with open("/proc/meminfo") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            found[name] = int(value.split()[0]) * 1024
    return found


def _uptime() -> int:
    with open("/proc/uptime") as content:
        return int(float(content.read().split()[0]))


def _disks(node: Node) -> list[dict[str, Any]]:
    seen: dict[int, dict[str, Any]] = {}
    for path in DISKS:
        place = node.paths.at(path) or "/"
        if not os.path.isdir(place):
            continue
        status = os.statvfs(place)
        device = os.stat(place).st_dev
        seen.setdefault(
            device,
            {
                "path": path,
                "bytes": status.f_blocks * status.f_frsize,
                "free_bytes": status.f_bavail * status.f_frsize,
                "inodes": status.f_files,
                "free_inodes": status.f_favail,
            },
        )
    return list(seen.values())
