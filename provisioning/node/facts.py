"""The verbs `hello` and `facts`: what this server is and runs, and what the node remembers. Reads only."""

from __future__ import annotations

import array
import contextlib
import fcntl
import functools
import hashlib
import ipaddress
import os
import platform
import re
import socket
import struct
from typing import Any

from . import PROTOCOLS, VERSION
from .node import Node
from .payload import body_hash
from .processes import run
from .state import LIVE, ORPHANED
from .units import has_systemd

FEATURES = ("discard", "drift", "facts", "moves", "pinned", "upgrade", "usage")
SIOCGIFCONF = 0x8912
INTERFACE_SIZE = 40
PACKAGES = {
    "nginx": "nginx",
    "apache2": "apache2",
    "dovecot": "dovecot-core",
    "mariadb": "mariadb-server",
    "bind9": "bind9",
    "postfix": "postfix",
}
PHP = re.compile(r"php(\d\.\d)-fpm")


@functools.lru_cache(maxsize=1)
def digest() -> str:
    """The digest of the program that this process has loaded."""
    return digest_of(os.path.dirname(os.path.abspath(__file__)))


def digest_of(root: str) -> str:
    """SHA-256 over the names and contents of a node program's files, in order of name."""
    total = hashlib.sha256()
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(name for name in files if name.endswith(".py")):
            path = os.path.join(folder, name)
            with open(path, "rb") as content:
                data = content.read()
            total.update(f"{os.path.relpath(path, root)}\0{len(data)}\0".encode() + data)
    return total.hexdigest()


def hello(node: Node) -> dict[str, Any]:
    """What the panel needs to know before it sends anything."""
    installed = _packages()
    disk = os.statvfs(node.paths.at("/"))
    return {
        "node": VERSION,
        "digest": digest(),
        "protocols": list(PROTOCOLS),
        "os": _system(node),
        "python": platform.python_version(),
        "hostname": socket.gethostname(),
        "machine_id": _first_line(node.paths.at("/etc/machine-id")),
        "epoch": node.state.epoch,
        "server": node.state.server,
        "php": sorted(match.group(1) for match in map(PHP.fullmatch, installed) if match),
        "versions": _versions(installed),
        "addresses": addresses(),
        "systemd": has_systemd(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "disk_bytes": disk.f_blocks * disk.f_frsize,
        "disk_free_bytes": disk.f_bavail * disk.f_frsize,
        "load1": round(os.getloadavg()[0], 2),
        "features": list(FEATURES),
    }


def facts(node: Node) -> dict[str, Any]:
    """What the node remembers, slice by slice, without a look at the server."""
    with node.state.reading():
        return {
            "server": node.state.server,
            "epoch": node.state.epoch,
            "digest": digest(),
            "journal": node.state.journal_length(),
            "slices": slices(node),
            "users": node.state.users(),
        }


def slices(node: Node) -> dict[str, dict[str, Any]]:
    """Slice → generation, digest of its live manifest, and how many of its resources are live, orphaned and leaving."""
    manifests: dict[str, dict[str, str]] = {name: {} for name in node.state.generations()}
    orphaned: dict[str, int] = {}
    leaving: dict[str, int] = {}
    for name, key, hashed, state in node.state.known():
        if state == LIVE:
            manifests.setdefault(name, {})[key] = hashed
        else:
            counted = orphaned if state == ORPHANED else leaving
            counted[name] = counted.get(name, 0) + 1
    generations = node.state.generations()
    return {
        name: {
            "generation": generations.get(name, 0),
            "manifest": body_hash(manifest),
            "resources": len(manifest),
            "orphaned": orphaned.get(name, 0),
            "leaving": leaving.get(name, 0),
        }
        for name, manifest in manifests.items()
    }


def _first_line(path: str) -> str:
    with contextlib.suppress(OSError), open(path) as content:
        return content.readline().strip()
    return ""


def _system(node: Node) -> dict[str, str]:
    """ID and version of os-release(5)."""
    facts: dict[str, str] = {}
    with contextlib.suppress(OSError), open(node.paths.at("/etc/os-release")) as lines:
        for line in lines:
            name, _, value = line.strip().partition("=")
            facts[name] = value.strip("\"'")
    return {"id": facts.get("ID", ""), "version": facts.get("VERSION_ID", "")}


def _packages() -> dict[str, str]:
    """Installed packages that matter here → upstream version."""
    pattern = ["php*-fpm", "nginx*", *sorted(set(PACKAGES.values()) - {"nginx"})]
    shown = "--showformat=${Package} ${db:Status-Status} ${Version}\\n"
    found: dict[str, str] = {}
    for line in run(["dpkg-query", "--show", shown, *pattern]).output.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] == "installed":
            found[fields[0]] = upstream(fields[2])
    return found


def versions() -> dict[str, str]:
    """Upstream versions of the daemons that are installed, PHP's aside."""
    return _versions(_packages())


def _versions(installed: dict[str, str]) -> dict[str, str]:
    return {name: installed[package] for name, package in PACKAGES.items() if package in installed}


def upstream(version: str) -> str:
    """The upstream part of a Debian version: no epoch, no revision, no repacking mark (deb-version(7))."""
    return re.split(r"[+~]dfsg|\+ds", version.partition(":")[2] or version)[0].rsplit("-", 1)[0]


def addresses() -> list[str]:
    """The global addresses of this machine's interfaces, IPv4 first."""
    return [*_ipv4(), *_ipv6()]


def _ipv4() -> list[str]:
    """By SIOCGIFCONF (netdevice(7)): one entry an address, labels included."""
    buffer = array.array("B", bytes(INTERFACE_SIZE * 1024))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        request = struct.pack("iL", len(buffer), buffer.buffer_info()[0])
        length = struct.unpack("iL", fcntl.ioctl(channel.fileno(), SIOCGIFCONF, request))[0]
    data = buffer.tobytes()[:length]
    found = [socket.inet_ntoa(data[start + 20 : start + 24]) for start in range(0, length, INTERFACE_SIZE)]
    return [address for address in found if not ipaddress.ip_address(address).is_loopback]


def _ipv6() -> list[str]:
    """By /proc/net/if_inet6: scope 0 is global."""
    found = []
    with contextlib.suppress(OSError), open("/proc/net/if_inet6") as lines:
        for line in lines:
            fields = line.split()
            if fields[3] == "00":
                found.append(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(fields[0])))
    return found
