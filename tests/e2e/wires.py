"""Asks name servers, mail servers and the API as somebody under a brand does; every byte that they answer is taped."""

from __future__ import annotations

import http.client
import imaplib
import io
import json
import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import dns.message
import dns.query
import dns.rdataclass

from provisioning.leaks.certificates import of_socket
from tests.e2e.recorder import Tape
from tests.provisioning.hosts import ANY_CERTIFICATE

TIMEOUT = 20.0
RECORDS = ("SOA", "NS", "A", "AAAA", "MX", "TXT", "CAA", "ANY")


@dataclass(frozen=True)
class Ear:
    """Somebody under a brand's `host`, who asks the server at `address`."""

    tape: Tape
    host: str
    address: str

    def look_up(self, name: str, kind: str) -> list[str]:
        """Ask the name server; returns the answer's data as text. The whole message is taped as text (RFC 1035 §5)."""
        return self._asked(dns.message.make_query(name, kind))

    def look_around(self, zone: str) -> None:
        """Ask for all of a zone's usual records, for names that are not there, and who the server says it is."""
        for kind in RECORDS:
            self.look_up(zone, kind)
        for name in ("www", "mail", "_dmarc", "default._domainkey", "no-such-name"):
            self.look_up(f"{name}.{zone}", "TXT")
        self.look_up("elsewhere.invalid", "A")
        for name in ("version.bind", "hostname.bind", "id.server"):
            self._asked(dns.message.make_query(name, "TXT", dns.rdataclass.CH))

    def send(self, message: EmailMessage, *, login: tuple[str, str] | None = None) -> dict[str, int]:
        """Send a mail from outside or, with an address and its password, by that mailbox; returns what was said to
        a recipient that is not there and, outside, to relaying.
        """
        said: dict[str, int] = {}
        domain = str(message["To"]).rpartition("@")[2]
        heard = io.BytesIO()
        port = 587 if login else 25
        try:
            with _Smtp(heard, self.address, port) as client:
                client.ehlo()
                client.starttls(context=ANY_CERTIFICATE)
                heard.write(of_socket(client.sock).encode())
                client.ehlo()
                if login:
                    client.login(*login)
                client.docmd("HELP")
                client.verify(f"postmaster@{domain}")
                client.mail(str(message["From"]))
                said["nobody"] = client.rcpt(f"no-such-box@{domain}")[0]
                if not login:
                    said["relay"] = client.rcpt("somebody@elsewhere.invalid")[0]
                client.rset()
                client.send_message(message)
        finally:
            self.tape.add(self.host, "SMTP", f"{port} to {domain}", heard.getvalue())
        return said

    def read(self, mailbox: str, password: str, subject: str) -> bytes:
        """Wait until a mail is in a mailbox and return it as it lies there, to the last header."""
        heard = io.BytesIO()
        deadline = time.monotonic() + TIMEOUT
        try:
            with _Imap(heard, self.address) as client:
                heard.write(of_socket(client.sock).encode())
                client.login(mailbox, password)
                client.xatom("ID", "NIL")
                client.namespace()
                client.getquotaroot("INBOX")
                while not (found := _search(client, subject)):
                    assert time.monotonic() < deadline, f"{subject} did not come to {mailbox}"
                    time.sleep(0.1)
                raw = client.fetch(found[-1].decode(), "(ENVELOPE BODYSTRUCTURE BODY[])")[1][0]
                assert isinstance(raw, tuple)
                client.select("No/Such/Folder", readonly=True)
                return bytes(raw[1])
        finally:
            self.tape.add(self.host, "IMAP", mailbox, heard.getvalue())

    def guess(self, mailbox: str) -> tuple[int, str]:
        """Try a wrong password for a mailbox, by SMTP and by IMAP; returns what was said to each."""
        sending, reading = io.BytesIO(), io.BytesIO()
        try:
            with _Smtp(sending, self.address, 587) as client:
                client.starttls(context=ANY_CERTIFICATE)
                code = _code(lambda: client.login(mailbox, "wrong", initial_response_ok=True))
            with _Imap(reading, self.address) as box:
                return code, _refusal(lambda: box.login(mailbox, "wrong"))
        finally:
            self.tape.add(self.host, "SMTP", f"wrong password of {mailbox}", sending.getvalue())
            self.tape.add(self.host, "IMAP", f"wrong password of {mailbox}", reading.getvalue())

    def call(
        self, port: int, method: str, path: str, *, token: str = "", body: object = None, **headers: str
    ) -> tuple[int, Any]:
        """Ask the panel's API through the tape's proxy; returns status and document, None unless it is JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.tape.port, timeout=TIMEOUT)
        named = {"Host": f"{self.host}:{port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if token:
            named["Authorization"] = f"Bearer {token}"
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if sent is not None:
            named.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, f"http://{self.host}:{port}{path}", sent, named)
            answer = connection.getresponse()
            data = answer.read()
            kind = answer.getheader("Content-Type", "")
            return answer.status, json.loads(data) if "json" in kind and data else None
        finally:
            connection.close()

    def _asked(self, query: dns.message.Message) -> list[str]:
        answer, _tcp = dns.query.udp_with_fallback(query, self.address, timeout=TIMEOUT)
        question = query.question[0]
        self.tape.add(self.host, "DNS", str(question), answer.to_text().encode())
        return [item.to_text() for rrset in answer.answer if rrset.rdtype == question.rdtype for item in rrset]


class _Smtp(smtplib.SMTP):
    """Keeps every line of the server as it came."""

    def __init__(self, heard: io.BytesIO, address: str, port: int) -> None:
        self.heard = heard
        super().__init__(address, port, local_hostname="reader.invalid", timeout=TIMEOUT)

    def getreply(self) -> tuple[int, bytes]:
        """Read an answer."""
        if self.file is None:
            assert self.sock is not None
            self.file = _Copied(self.sock.makefile("rb"), self.heard)
        return super().getreply()


class _Copied:
    """Lines of a file, each written to `copy` as well."""

    def __init__(self, file: Any, copy: io.BytesIO) -> None:
        self.file = file
        self.copy = copy

    def readline(self, size: int = -1) -> bytes:
        """Read a line."""
        line: bytes = self.file.readline(size)
        self.copy.write(line)
        return line

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class _Imap(imaplib.IMAP4_SSL):
    """Keeps everything that the server says as it came, deciphered."""

    def __init__(self, heard: io.BytesIO, address: str) -> None:
        self.heard = heard
        super().__init__(address, 993, ssl_context=ANY_CERTIFICATE, timeout=TIMEOUT)

    def read(self, size: int) -> bytes:
        """Read so many bytes."""
        data = super().read(size)
        self.heard.write(data)
        return data

    def readline(self) -> bytes:
        """Read a line."""
        line = super().readline()
        self.heard.write(line)
        return line


def _search(client: imaplib.IMAP4, subject: str) -> list[bytes]:
    client.select("INBOX")
    return list(client.search(None, "SUBJECT", f'"{subject}"')[1][0].split())


def _refusal(act: Callable[[], object]) -> str:
    try:
        act()
    except imaplib.IMAP4.error as error:
        return str(error)
    return ""


def _code(act: Callable[[], object]) -> int:
    try:
        act()
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    return 0
