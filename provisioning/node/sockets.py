"""Which sockets a process listens on, and whether somebody answers there. Changes nothing."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

LISTEN = 10
FAMILIES = (socket.AF_INET, socket.AF_INET6)
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY = 4, 20
NLM_F_REQUEST, NLM_F_DUMP, NLMSG_ERROR, NLMSG_DONE = 1, 0x300, 2, 3
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


def tcp_listeners() -> dict[str, Listener]:
    """Inode → listener, of every listening TCP socket of this network namespace."""
    try:
        return {inode: found for family in FAMILIES for inode, found in _from_kernel(family)}
    except OSError:
        return {inode: found for family in FAMILIES for inode, found in _from_proc(family)}


def _from_kernel(family: socket.AddressFamily) -> Iterator[tuple[str, Listener]]:
    """By sock_diag(7): the kernel looks at listening sockets only, where /proc/net/tcp walks its whole table."""
    query = struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 0, 1 << LISTEN) + bytes(48)
    header = struct.pack("=IHHII", 16 + len(query), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as channel:
        channel.settimeout(5)
        channel.bind((0, 0))
        channel.send(header + query)
        while True:
            data = channel.recv(1 << 16)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    raise OSError("sock_diag is not to be had")
                yield _decode(family, data[16:length])
                data = data[(length + 3) & ~3 :]


def _decode(family: socket.AddressFamily, message: bytes) -> tuple[str, Listener]:
    """A `struct inet_diag_msg` (linux/inet_diag.h)."""
    size = 4 if family == socket.AF_INET else 16
    (port,) = struct.unpack_from(">H", message, 4)
    (inode,) = struct.unpack_from("=I", message, 68)
    return str(inode), Listener(family, socket.inet_ntop(family, message[8 : 8 + size]), port)


def _from_proc(family: socket.AddressFamily) -> Iterator[tuple[str, Listener]]:
    """By /proc/net/tcp (proc(5)), where the kernel has no sock_diag."""
    file = "/proc/net/tcp" if family == socket.AF_INET else "/proc/net/tcp6"
    if not os.path.exists(file):
        return
    with open(file) as lines:
        next(lines)
        for line in lines:
            fields = line.split()
            if int(fields[3], 16) == LISTEN:
                address, _, port = fields[1].partition(":")
                words = struct.unpack(f"<{len(address) // 8}I", bytes.fromhex(address))
                raw = struct.pack(f">{len(words)}I", *words)
                yield fields[9], Listener(family, socket.inet_ntop(family, raw), int(port, 16))


def listeners_of(pid: int) -> list[Listener]:
    """The TCP sockets that a process listens on."""
    held = socket_inodes(pid)
    return [listener for inode, listener in tcp_listeners().items() if inode in held]


def speaks_http(listener: Listener, timeout: float = 3.0) -> bool:
    """Whether a connection is taken and a request gets an HTTP answer, or at least a clean end.

    Where IPv6 is switched off a daemon listens on [::] all the same and nobody can ask there: that is no failure.
    """
    try:
        with socket.socket(listener.family, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(listener.target)
            connection.sendall(b"HEAD / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            answer = connection.recv(16)
    except ConnectionResetError:
        return True
    except OSError as error:
        return error.errno == errno.EADDRNOTAVAIL
    return not answer or answer.startswith(b"HTTP/")


def accepts(listener: Listener, timeout: float = 3.0) -> bool:
    """Whether a connection is taken; not to be asked, where IPv6 is switched off, is no failure."""
    try:
        with socket.socket(listener.family, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(listener.target)
    except OSError as error:
        return error.errno == errno.EADDRNOTAVAIL
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
