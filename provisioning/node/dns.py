"""Asks one question of the name server on this machine: the SOA serial of a zone (RFC 1035). No resolver."""

from __future__ import annotations

import secrets
import select
import socket
import struct
import time
from collections.abc import Iterable

SOA, IN = 6, 1
WINDOW = 64
"""How many questions are open at once: few enough for every answer to fit into the socket's buffer."""


def soa_query(zone: str) -> tuple[int, bytes]:
    """Identifier and bytes of a non-recursive SOA query."""
    number = secrets.randbits(16)
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in zone.split("."))
    return number, struct.pack(">6H", number, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", SOA, IN)


def _skip_name(data: bytes, position: int) -> int:
    while data[position]:
        if data[position] >= 0xC0:
            return position + 2
        position += 1 + data[position]
    return position + 1


def parse_serial(data: bytes, number: int) -> int | None:
    """The serial in an authoritative answer; None when it holds none (refused, not loaded, not ours)."""
    try:
        answer_number, flags, _, answers = struct.unpack_from(">4H", data)
        if answer_number != number or flags & 0x000F or not flags & 0x0400 or not answers:
            return None
        position = _skip_name(data, 12) + 4
        position = _skip_name(data, position)
        kind, _, _, length = struct.unpack_from(">HHIH", data, position)
        if kind != SOA or length < 20:
            return None
        return int(struct.unpack_from(">I", data, position + 10 + length - 20)[0])
    except (struct.error, IndexError):
        return None


def served_serial(zone: str, address: str = "127.0.0.1", timeout: float = 1.0) -> int | None:
    """The serial that is served at an address now, None when the zone is not."""
    number, query = soa_query(zone)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(timeout)
        try:
            channel.connect((address, 53))
            channel.send(query)
            return parse_serial(channel.recv(4096), number)
        except OSError:
            return None


def served_serials(zones: Iterable[str], address: str = "127.0.0.1", timeout: float = 1.0) -> dict[str, int]:
    """Zone → serial of those zones that are served now; asked side by side, twice where no answer came in time."""
    found: dict[str, int] = {}
    missing = list(dict.fromkeys(zones))
    for _attempt in range(2):
        answered = _ask(missing, address, timeout)
        found.update({zone: serial for zone, serial in answered.items() if serial is not None})
        missing = [zone for zone in missing if zone not in answered]
    return found


def _ask(zones: list[str], address: str, timeout: float) -> dict[str, int | None]:
    """Zone → serial (None: none is served) for what was answered before nothing came for `timeout` seconds."""
    answered: dict[str, int | None] = {}
    waiting = list(reversed(zones))
    open_questions: dict[int, str] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.connect((address, 53))
        deadline = time.monotonic() + timeout
        while waiting or open_questions:
            try:
                while waiting and len(open_questions) < WINDOW:
                    number, query = soa_query(waiting[-1])
                    if number not in open_questions:
                        channel.send(query)
                        open_questions[number] = waiting.pop()
                ready, _, _ = select.select([channel], [], [], max(0.0, deadline - time.monotonic()))
                if not ready:
                    return answered
                data = channel.recv(4096)
            except OSError:
                return answered
            number = int.from_bytes(data[:2], "big")
            zone = open_questions.pop(number, None)
            if zone is not None:
                answered[zone] = parse_serial(data, number)
                deadline = time.monotonic() + timeout
    return answered
