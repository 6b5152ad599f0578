"""Which sockets a process listens on, and whether somebody answers there. Read from /proc; changes nothing."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass

LISTEN = "0A"
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- what a wildcard listener is reached by


@dataclass(frozen=True)
class Listener:
    """A TCP socket that waits for connections."""

    family: socket.AddressFamily
    address: str
    port: int

    @property
    def target(self) -> tuple[str, int]:
        """Where to connect to reach it from this machine."""
        return ANY.get(self.address, self.address), self.port


def socket_inodes(pid: int) -> set[str]:
    """The inodes of the sockets that a process holds; empty when it is gone."""
    inodes: set[str] = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            target = os.readlink(entry.path)
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:
        return inodes
    return inodes


def _decode(family: socket.AddressFamily, text: str) -> str:
    raw = bytes.fromhex(text)
    words = struct.unpack(f"<{len(raw) // 4}I", raw)
    return socket.inet_ntop(family, struct.pack(f">{len(words)}I", *words))


def tcp_listeners() -> dict[str, Listener]:
    """Inode → listener, of every listening TCP socket of this network namespace (proc(5), /proc/net/tcp)."""
    found: dict[str, Listener] = {}
    for file, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        try:
            with open(f"/proc/net/{file}") as lines:
                next(lines)
                for line in lines:
                    fields = line.split()
                    if fields[3] == LISTEN:
                        address, _, port = fields[1].partition(":")
                        found[fields[9]] = Listener(family, _decode(family, address), int(port, 16))
        except FileNotFoundError:
            continue
    return found


def listeners_of(pid: int) -> list[Listener]:
    """The TCP sockets that a process listens on."""
    held = socket_inodes(pid)
    return [listener for inode, listener in tcp_listeners().items() if inode in held]


def speaks_http(listener: Listener, timeout: float = 3.0) -> bool:
    """Whether a connection is taken and a request gets an HTTP answer, or at least a clean end."""
    try:
        with socket.socket(listener.family, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(listener.target)
            connection.sendall(b"HEAD / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            answer = connection.recv(16)
    except ConnectionResetError:
        return True
    except OSError:
        return False
    return not answer or answer.startswith(b"HTTP/")


def accepts(listener: Listener, timeout: float = 3.0) -> bool:
    """Whether a connection is taken."""
    try:
        with socket.socket(listener.family, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(listener.target)
    except OSError:
        return False
    return True


def unix_accepts(path: str, timeout: float = 3.0) -> bool:
    """Whether a Unix socket takes a connection."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(path)
    except OSError:
        return False
    return True
