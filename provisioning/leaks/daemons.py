"""Reads what a server's daemons say to a stranger: greetings, refusals, certificates, DNS answers, reverse names."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence

import dns.exception
import dns.message
import dns.query
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.reversename

from provisioning.leaks.certificates import names_in, of_socket
from provisioning.leaks.readings import Place, Reading

TIMEOUT = 5.0
MOST_BYTES = 16_384
STRANGER = "stranger.invalid"
NOBODY = "nobody@stranger.invalid"
IDENTITIES = ("version.bind", "hostname.bind", "authors.bind", "id.server", "version.server")
SMTP_PORTS = (25, 587)
LINES: dict[int, tuple[Place, tuple[bytes, ...]]] = {
    143: ("imap.greeting", (b"a ID NIL\r\n", b"b CAPABILITY\r\n", b"c LOGIN nobody wrong\r\n", b"d LOGOUT\r\n")),
    110: ("pop.greeting", (b"CAPA\r\n", b"QUIT\r\n")),
    4190: ("imap.greeting", (b"LOGOUT\r\n",)),
}
TLS_PORTS = (443, 465, 993, 995)


class Closed(Exception):
    """Nothing listens there."""


def record(server: str, name: str, kind: str) -> Iterator[Reading]:
    """What a name server answers for a name and type: all sections, names and data as text (RFC 1035)."""
    query = dns.message.make_query(name, kind)
    query.flags &= ~dns.flags.RD
    answer, _tcp = dns.query.udp_with_fallback(query, server, timeout=TIMEOUT)
    lines = [line for section in (answer.answer, answer.authority, answer.additional) for line in _lines(section)]
    yield Reading("dns.record", f"{kind} {name}", "\n".join(lines))


def identity(server: str) -> Iterator[Reading]:
    """What a name server says of itself in class CHAOS (RFC 4892)."""
    for name in IDENTITIES:
        query = dns.message.make_query(name, dns.rdatatype.TXT, dns.rdataclass.CH)
        answer, _tcp = dns.query.udp_with_fallback(query, server, timeout=TIMEOUT)
        yield Reading("dns.identity", f"{name} {server}", "\n".join(_lines(answer.answer)))


def pointer(address: str, resolvers: Sequence[str]) -> Iterator[Reading]:
    """The name that the public DNS gives an address, if any."""
    resolver = dns.resolver.Resolver(configure=not resolvers)
    if resolvers:
        resolver.nameservers = list(resolvers)
    resolver.lifetime = TIMEOUT
    try:
        answer = resolver.resolve(dns.reversename.from_address(address), "PTR")
    except dns.exception.DNSException:
        return
    names = tuple(str(name).rstrip(".").lower() for name in answer)
    yield Reading("dns.pointer", address, "\n".join(names), names)


def smtp(server: str, domain: str) -> Iterator[Reading]:
    """Greeting, EHLO, HELP and the words of refusals on the ports for mail, and the certificate of STARTTLS.

    `domain` is one whose mail the server takes; nothing is sent. Raises Closed when no port answers.
    """
    answered = False
    for port in SMTP_PORTS:
        try:
            client = _Greeting(server, port, local_hostname=STRANGER, timeout=TIMEOUT)
        except ConnectionRefusedError:
            continue
        answered = True
        with client:
            said = _dialogue(client, domain)
            names = (_first_word(client.greeting), _first_word(client.ehlo_resp or b""))
            yield Reading("smtp.greeting", f"{server}:{port}", said, names)
            if client.has_extn("starttls"):
                client.starttls(context=_any_certificate())
                yield _certified(f"{server}:{port}", of_socket(client.sock))
    if not answered:
        raise Closed


def lines(server: str, port: int) -> Iterator[Reading]:
    """Greeting and answers of an IMAP, POP3 or ManageSieve server. Raises Closed when nothing listens."""
    place, questions = LINES[port]
    with _connect(server, port) as sock:
        said = [sock.recv(MOST_BYTES)]
        for question in questions:
            sock.sendall(question)
            said.append(sock.recv(MOST_BYTES))
    yield Reading(place, f"{server}:{port}", b"".join(said).decode("utf-8", "replace"))


def ssh(server: str, port: int) -> Iterator[Reading]:
    """The version line of an SSH server (RFC 4253). Raises Closed when nothing listens."""
    with _connect(server, port) as sock:
        yield Reading("ssh.greeting", f"{server}:{port}", sock.recv(MOST_BYTES).decode("utf-8", "replace"))


def certificate(server: str, port: int) -> Iterator[Reading]:
    """The certificate for no name in particular on a port that begins with TLS. Raises Closed when nothing listens."""
    with _connect(server, port) as sock, _any_certificate().wrap_socket(sock) as secure:
        yield _certified(f"{server}:{port}", of_socket(secure))


def _certified(subject: str, text: str) -> Reading:
    return Reading("server.certificate", subject, text, names_in(text))


def _first_word(said: bytes) -> str:
    """The name with which an SMTP server begins its greeting and its answer to EHLO (RFC 5321 §4.2, §4.1.1.1)."""
    words = said.decode("utf-8", "replace").split()
    return words[0].lower() if words else ""


class _Greeting(smtplib.SMTP):
    """Keeps the greeting, which smtplib throws away."""

    greeting = b""

    def connect(self, host: str = "localhost", port: int = 0, source_address: object = None) -> tuple[int, bytes]:
        """Connect and note the greeting."""
        code, self.greeting = super().connect(host, port)
        return code, self.greeting


def _dialogue(client: _Greeting, domain: str) -> str:
    said = [client.greeting]
    said.append(client.ehlo()[1])
    said.append(client.docmd("HELP")[1])
    said.append(client.docmd("VRFY", f"postmaster@{domain}")[1])
    said.append(client.mail(NOBODY)[1])
    said.append(client.rcpt(f"no-such-box-here@{domain}")[1])
    said.append(client.rcpt("somebody@elsewhere.invalid")[1])
    client.rset()
    return b"\n".join(said).decode("utf-8", "replace")


def _connect(server: str, port: int) -> socket.socket:
    try:
        return socket.create_connection((server, port), timeout=TIMEOUT)
    except ConnectionRefusedError as error:
        raise Closed from error


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _lines(section: Sequence[object]) -> list[str]:
    return [line for rrset in section for line in str(rrset).splitlines()]
