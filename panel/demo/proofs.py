"""Proofs that an account is live, each by its own protocol from outside the server. Used by the demo and by tests."""

from __future__ import annotations

import http.client
import imaplib
import smtplib
import ssl
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

import dns.message
import dns.query
import dns.rdatatype
import pymysql

TIMEOUT = 10.0


class NotProven(Exception):
    """A proof did not hold; the message says what was seen instead."""


@dataclass(frozen=True)
class Proof:
    """What was asked, by which protocol, what came back, and how long it took (seconds)."""

    name: str
    holds: bool
    seen: str
    seconds: float


@dataclass(frozen=True)
class Live:
    """What the proofs need to know of an account; `address` is the server's."""

    address: str
    domain: str
    database: str
    database_user: str
    database_password: str
    mailbox: str
    mailbox_password: str
    alias: str


def run(live: Live) -> list[Proof]:
    """Perform all five proofs, the IMAP one last since it reads what the SMTP one sent."""
    mark = uuid.uuid4().hex
    checks: list[tuple[str, Callable[[], str]]] = [
        ("HTTP by name", lambda: http_by_name(live.address, live.domain)),
        ("DNS A, NS, MX", lambda: dns_records(live.address, live.domain)),
        ("MariaDB login", lambda: mariadb_login(live)),
        ("SMTP to alias", lambda: smtp_delivery(live.address, live.alias, mark)),
        ("IMAP reading", lambda: imap_reading(live.address, live.mailbox, live.mailbox_password, mark)),
    ]
    return [_perform(name, check) for name, check in checks]


def _perform(name: str, check: Callable[[], str]) -> Proof:
    began = time.monotonic()
    try:
        seen, holds = check(), True
    except (NotProven, OSError, http.client.HTTPException, smtplib.SMTPException, imaplib.IMAP4.error) as error:
        seen, holds = f"{type(error).__name__}: {error}", False
    except (pymysql.MySQLError, dns.exception.DNSException) as error:
        seen, holds = f"{type(error).__name__}: {error}", False
    return Proof(name, holds, seen, time.monotonic() - began)


def http_get(address: str, host: str, path: str = "/") -> tuple[int, dict[str, str], str]:
    """Ask the server at `address` for `path` of the virtual host `host`; returns status, headers and body."""
    connection = http.client.HTTPConnection(address, 80, timeout=TIMEOUT)
    try:
        connection.request("GET", path, headers={"Host": host, "User-Agent": "proof"})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read().decode(errors="replace")
    finally:
        connection.close()


def http_by_name(address: str, domain: str) -> str:
    """The site answers 200 to its name and to `www`, and the page is its own."""
    for host in (domain, f"www.{domain}"):
        status, _headers, body = http_get(address, host)
        if status != 200 or domain not in body:
            raise NotProven(f"{host}: status {status}, {body[:80]!r}")
    return f"200 for {domain} and www.{domain}"


def dns_answer(address: str, name: str, kind: str) -> list[str]:
    """Ask the server at `address` itself; returns the answer's data in text, sorted.

    Raises NotProven unless authoritative.
    """
    answer = dns.query.udp(dns.message.make_query(name, kind), address, timeout=TIMEOUT)
    if not answer.flags & dns.flags.AA:
        raise NotProven(f"{name} {kind}: not authoritative ({dns.rcode.to_text(answer.rcode())})")
    wanted = dns.rdatatype.from_text(kind)
    return sorted(item.to_text() for rrset in answer.answer if rrset.rdtype == wanted for item in rrset)


def dns_records(address: str, domain: str) -> str:
    """The server answers for the zone: A is its own address, NS and MX are there."""
    found = {kind: dns_answer(address, domain, kind) for kind in ("A", "NS", "MX")}
    if address not in found["A"] or not found["NS"] or not found["MX"]:
        raise NotProven(str(found))
    return "; ".join(f"{kind} {', '.join(values)}" for kind, values in found.items())


def mariadb_login(live: Live) -> str:
    """The account's user signs in from outside and can make a table in its database."""
    connection = pymysql.connect(
        host=live.address,
        user=live.database_user,
        password=live.database_password,
        database=live.database,
        connect_timeout=int(TIMEOUT),
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS proof (id INT PRIMARY KEY)")
        cursor.execute("SELECT CURRENT_USER(), DATABASE()")
        row = cursor.fetchone()
    return f"signed in as {row[0]}, using {row[1]}" if row else "signed in"


def smtp_delivery(address: str, recipient: str, mark: str) -> str:
    """The server takes a message for the alias from a stranger."""
    message = EmailMessage()
    message["From"] = "visitor@sender.example"
    message["To"] = recipient
    message["Subject"] = f"Proof {mark}"
    message["Message-ID"] = f"<{mark}@sender.example>"
    message.set_content("Sent from outside to an alias.")
    with smtplib.SMTP(address, 25, local_hostname="sender.example", timeout=TIMEOUT) as client:
        client.send_message(message, from_addr="visitor@sender.example", to_addrs=[recipient])
    return f"accepted for {recipient}"


def imap_reading(address: str, mailbox: str, password: str, mark: str) -> str:
    """The message is in the mailbox within ten seconds, read by IMAP over TLS (the server's own certificate)."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    deadline = time.monotonic() + TIMEOUT
    with imaplib.IMAP4_SSL(address, 993, ssl_context=context, timeout=TIMEOUT) as client:
        client.login(mailbox, password)
        while True:
            client.select("INBOX")
            found = client.search(None, "SUBJECT", mark)[1][0].split()
            if found:
                break
            if time.monotonic() > deadline:
                raise NotProven("the message has not arrived")
            time.sleep(0.05)
        client.store(found[-1], "+FLAGS", "\\Deleted")
        client.expunge()
    return f"read in {mailbox}"
