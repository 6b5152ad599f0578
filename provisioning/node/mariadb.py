"""Speaks MariaDB's protocol over its local socket, as root: statements without a client process. Knows no resource.

The wire format is that of https://mariadb.com/docs/server/reference/clientserver-protocol: packets of a three-byte
length, a number and a body. The socket itself says who asks (plugin unix_socket), so that no password is sent.
"""

from __future__ import annotations

import socket
import struct

from .paths import Paths

SOCKET = "/run/mysqld/mysqld.sock"
USER = b"root"
LONG_PASSWORD, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH = 1, 0x200, 0x2000, 0x8000, 0x80000
CAPABILITIES = LONG_PASSWORD | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | PLUGIN_AUTH
UTF8MB4 = 45
COM_QUERY = b"\x03"
OK, EOF, ERROR, NULL = 0x00, 0xFE, 0xFF, 0xFB
WHOLE = 0xFFFFFF
"""A body of this many bytes goes on in the next packet."""
WIDTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}
"""First byte of a length → in how many bytes the length follows."""
SWITCHES = 3
"""How many ways to log in are tried."""


class MariadbError(Exception):
    """MariaDB refused something; the text is MariaDB's, followed by its number."""


class Connection:
    """A session. OSError when MariaDB cannot be reached or ends it; `seconds` is how long one answer may take."""

    def __init__(self, paths: Paths, seconds: float = 60.0) -> None:
        self._number = 0
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._channel.settimeout(seconds)
            self._channel.connect(paths.at(SOCKET))
            self._source = self._channel.makefile("rb")
            self._log_in()
        except BaseException:
            self._channel.close()
            raise

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._source.close()
        self._channel.close()

    def run(self, statement: str) -> list[list[str]]:
        """Run one statement; its rows, NULL as an empty text. MariadbError when it is refused."""
        self._number = 0
        self._send(COM_QUERY + statement.encode("utf-8"))
        head = self._answer()
        if head[0] == OK:
            return []
        columns, _ = _length(head, 0)
        for _ in range(columns + 1):
            self._answer()
        rows = []
        while not _is_end(row := self._answer()):
            rows.append(_texts(row, columns))
        return rows

    def _log_in(self) -> None:
        """Greet, and agree to whatever plugin asks nothing but the socket (root has `unix_socket` on Debian)."""
        self._answer()
        settings = struct.pack("<IIB23x", CAPABILITIES, WHOLE, UTF8MB4)
        self._send(settings + USER + b"\0" + b"\0" + b"unix_socket\0")
        for _ in range(SWITCHES):
            if self._answer()[0] == OK:
                return
            self._send(b"")
        raise MariadbError("MariaDB asks for more than the socket to let root in")

    def _send(self, body: bytes) -> None:
        if len(body) >= WHOLE:
            raise MariadbError("the statement is longer than MariaDB takes at once")
        self._channel.sendall(len(body).to_bytes(3, "little") + bytes([self._number]) + body)
        self._number = (self._number + 1) % 256

    def _answer(self) -> bytes:
        """The next body. MariadbError when it is a refusal."""
        body = b""
        while True:
            head = self._read(4)
            part = self._read(int.from_bytes(head[:3], "little"))
            self._number = (head[3] + 1) % 256
            body += part
            if len(part) < WHOLE:
                break
        if not body:
            raise MariadbError("MariaDB sent an empty answer")
        if body[0] == ERROR:
            raise _refusal(body)
        return body

    def _read(self, length: int) -> bytes:
        data = self._source.read(length)
        if len(data) < length:
            raise ConnectionResetError("MariaDB closed the connection")
        return data


def _refusal(body: bytes) -> MariadbError:
    """An ERR packet: number, `#` and the SQL state (not in a greeting), words."""
    (code,) = struct.unpack_from("<H", body, 1)
    words = body[9:] if body[3:4] == b"#" else body[3:]
    return MariadbError(f"{words.decode('utf-8', 'replace')} ({code})")


def _is_end(body: bytes) -> bool:
    return body[0] == EOF and len(body) < 9


def _length(data: bytes, position: int) -> tuple[int, int]:
    """A length-encoded number, and where what follows it begins."""
    first = data[position]
    width = WIDTHS.get(first)
    if width is None:
        return first, position + 1
    end = position + 1 + width
    return int.from_bytes(data[position + 1 : end], "little"), end


def _texts(row: bytes, columns: int) -> list[str]:
    texts: list[str] = []
    position = 0
    for _ in range(columns):
        if row[position] == NULL:
            texts.append("")
            position += 1
        else:
            length, start = _length(row, position)
            position = start + length
            texts.append(row[start:position].decode("utf-8", "replace"))
    return texts
