"""Speaks BIND's control protocol over one connection: many commands without a process each.

The wire format is that of BIND's isccc library (lib/isccc/cc.c): a length, a version, and a table of named values whose
`_auth` entry is an HMAC over the rest. The first reply carries a nonce that later requests repeat.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import socket
import struct
import time
from typing import Any

from .paths import Paths

KEY_FILE = "/etc/bind/rndc.key"
ADDRESS = ("127.0.0.1", 953)
ALGORITHMS = {
    "hmac-md5": (157, hashlib.md5),
    "hmac-sha1": (161, hashlib.sha1),
    "hmac-sha224": (162, hashlib.sha224),
    "hmac-sha256": (163, hashlib.sha256),
    "hmac-sha384": (164, hashlib.sha384),
    "hmac-sha512": (165, hashlib.sha512),
}
BINARY, TABLE = 1, 2
DIGEST_LENGTH = 88
LIMIT = 1 << 20

Message = dict[str, Any]


class RndcError(Exception):
    """BIND refused a command; the text is BIND's."""


def read_key(text: str) -> tuple[str, bytes]:
    """Algorithm and secret of a `key` statement (rndc.conf(5))."""
    algorithm = re.search(r"\balgorithm\s+\"?([A-Za-z0-9-]+)\"?\s*;", text)
    secret = re.search(r"\bsecret\s+\"([A-Za-z0-9+/=]+)\"\s*;", text)
    if algorithm is None or secret is None or algorithm.group(1).lower() not in ALGORITHMS:
        raise RndcError(f"{KEY_FILE} holds no usable key")
    return algorithm.group(1).lower(), base64.b64decode(secret.group(1))


def encode(table: Message) -> bytes:
    """A table on the wire, without its own header."""
    out = bytearray()
    for key, value in table.items():
        name = key.encode("ascii")
        if isinstance(value, dict):
            kind, data = TABLE, encode(value)
        else:
            kind, data = BINARY, value if isinstance(value, bytes) else str(value).encode("utf-8")
        out += bytes([len(name)]) + name + struct.pack(">BI", kind, len(data)) + data
    return bytes(out)


def decode(data: bytes) -> Message:
    """A table from the wire; values are texts and tables (a list is not decoded: no reply that we read has one)."""
    table: Message = {}
    position = 0
    while position < len(data):
        length = data[position]
        name = data[position + 1 : position + 1 + length].decode("ascii", "replace")
        position += 1 + length
        kind, size = struct.unpack_from(">BI", data, position)
        value = data[position + 5 : position + 5 + size]
        table[name] = decode(value) if kind == TABLE else value.decode("utf-8", "replace")
        position += 5 + size
    return table


AUTH_LENGTH = len(encode({"_auth": {"hsha": bytes(1 + DIGEST_LENGTH)}}))


class Rndc:
    """A control connection. OSError when BIND cannot be reached."""

    def __init__(self, paths: Paths, timeout: float = 15.0) -> None:
        with open(paths.at(KEY_FILE)) as key_file:
            algorithm, self._secret = read_key(key_file.read())
        self._number, self._digest = ALGORITHMS[algorithm]
        self._nonce: str | None = None
        self._connection = socket.create_connection(ADDRESS, timeout=timeout)
        try:
            self._nonce = self._exchange("null")["_ctrl"].get("_nonce")
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Rndc:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()

    def call(self, command: str) -> str:
        """Run a command as `rndc` would; what it prints. RndcError when BIND refuses."""
        reply = self._exchange(command)["_data"]
        if reply.get("result", "1") != "0" or reply.get("err"):
            raise RndcError(str(reply.get("text") or reply.get("err") or "refused"))
        return str(reply.get("text", ""))

    def _exchange(self, command: str) -> Message:
        now = int(time.time())
        control: Message = {"_ser": secrets.randbits(32), "_tim": now, "_exp": now + 60}
        if self._nonce is not None:
            control["_nonce"] = self._nonce
        body = encode({"_ctrl": control, "_data": {"type": command}})
        packet = struct.pack(">I", 1) + encode({"_auth": {"hsha": self._sign(body)}}) + body
        self._connection.sendall(struct.pack(">I", len(packet)) + packet)
        return self._receive()

    def _sign(self, body: bytes) -> bytes:
        digest = base64.b64encode(hmac.new(self._secret, body, self._digest).digest())
        return bytes([self._number]) + digest.ljust(DIGEST_LENGTH, b"\0")

    def _receive(self) -> Message:
        (length,) = struct.unpack(">I", self._read(4))
        if not 4 < length <= LIMIT:
            raise RndcError("BIND sent a message of an impossible length")
        data = self._read(length)
        start = 4 + AUTH_LENGTH
        signature = data[start - DIGEST_LENGTH : start]
        if not hmac.compare_digest(signature, self._sign(data[start:])[1:]):
            raise RndcError("BIND's reply is not signed with our key")
        return decode(data[start:])

    def _read(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            chunk = self._connection.recv(length - len(data))
            if not chunk:
                raise ConnectionResetError("BIND closed the control connection")
            data += chunk
        return bytes(data)
