"""The walk of a stranger through a brand, in steps: pages, errors, files, name servers, greetings, sites."""

from __future__ import annotations

import http.client
import smtplib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import product

import dns.exception

from provisioning.leaks import daemons, web
from provisioning.leaks.readings import Reading
from provisioning.leaks.subject import Subject
from provisioning.leaks.web import Front, Request

NOWHERE = "nothing-is-here.invalid"
TOO_MUCH = b"x=" + b"y" * 3_000_000
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
RECORDS = ("SOA", "NS", "MX", "TXT", "CAA")
BELOW = (("_dmarc", "TXT"), ("mail", "A"), ("www", "A"), ("autoconfig", "CNAME"), ("default._domainkey", "TXT"))

PAGES = [
    Request("/"),
    Request("/sign-in/"),
    Request("/password/reset/"),
    Request("/healthz", place="panel.file"),
    Request("/robots.txt", place="panel.file"),
    Request("/favicon.ico", place="panel.file"),
    Request("/manifest.webmanifest", place="panel.file"),
    Request("/.well-known/security.txt", place="panel.file"),
    Request("/api/", place="panel.api"),
    Request("/api/v1/", place="panel.api"),
    Request("/api/v1/me", place="panel.api"),
    Request("/api/docs/", place="panel.api"),
    Request("/api/docs/?script=", place="panel.api"),
    Request("/api/schema/", place="panel.api"),
]
ERRORS = [
    Request("/no-such-page/", place="panel.error", tag="404"),
    Request("/api/v1/no-such-thing", place="panel.error", tag="404"),
    Request("/sign-in/", "POST", FORM, b"email=x", place="panel.error", tag="403"),
    Request("/sign-in/", "POST", {"Content-Type": "multipart/form-data"}, b"x", place="panel.error", tag="400"),
    Request("/sign-in/", "TRACE", place="panel.error", tag="405"),
    Request("/api/schema/", "DELETE", place="panel.error", tag="405"),
    Request("/api/v1/accounts", "POST", JSON, b"{", place="panel.error", tag="400"),
    Request("/api/v1/me", "GET", {"Authorization": "Bearer wrong"}, place="panel.error", tag="401"),
    Request("/sign-in/", "POST", FORM, TOO_MUCH, place="panel.error", tag="413"),
    Request("/%ff%fe", place="panel.error", tag="400"),
]

# What a daemon may do that is no answer: close, time out, speak another protocol.
SILENCE = (
    OSError,
    http.client.HTTPException,
    smtplib.SMTPException,
    dns.exception.DNSException,
    daemons.Closed,
)


def pages(subject: Subject) -> Iterator[Reading]:
    """The panel before sign-in, its API's entrance and documents. Raises when the panel does not answer at all."""
    yield from web.certificate(subject.front)
    for request in PAGES:
        yield from web.readings(request, web.ask(subject.front, request), "panel.header")


def errors(subject: Subject) -> Iterator[Reading]:
    """What the panel says to requests that are wrong, and to hosts that are none of its own."""
    for request in ERRORS:
        # A server may close before all of a request that is too long was sent: nothing was read then.
        with suppress(OSError, http.client.HTTPException):
            yield from web.readings(request, web.ask(subject.front, request), "panel.header")
    front = subject.front
    stranger = Front(front.address, front.port, NOWHERE, front.tls)
    for path in ("/", "/sign-in/", "/api/v1/me"):
        request = Request(path, place="panel.unknown", tag=NOWHERE)
        yield from web.readings(request, web.ask(stranger, request), "panel.unknown")


def files(subject: Subject) -> Iterator[Reading]:
    """Every style sheet, script and picture that the pages before sign-in load: names, headers, texts."""
    found: dict[str, None] = {}
    for path in ("/sign-in/", "/api/docs/", "/no-such-page/"):
        answer = web.ask(subject.front, Request(path))
        found |= dict.fromkeys(web.linked(subject.front, path, answer.text))
    for path in list(found)[: web.MOST_FILES]:
        request = Request(path, place="panel.file")
        yield from web.readings(request, web.ask(subject.front, request), "panel.header")


def name_servers(subject: Subject) -> Iterator[Reading]:
    """Records of zones under the brand as its name servers give them, what they say of themselves, reverse names."""
    for zone in subject.zones:
        for server in zone.servers:
            for kind in RECORDS:
                yield from _heard(daemons.record, server, zone.name, kind)
            for label, kind in BELOW:
                yield from _heard(daemons.record, server, f"{label}.{zone.name}", kind)
    for machine in subject.machines:
        if "dns" in machine.roles:
            yield from _heard(daemons.identity, machine.address)
        yield from _expecting(machine.name, _heard(daemons.pointer, machine.address, subject.resolvers))


def greetings(subject: Subject) -> Iterator[Reading]:
    """What mail, file transfer and log-in daemons say before anybody has signed in."""
    domains = {domain.address: domain.name for domain in subject.mail_domains}
    for machine in subject.machines:
        if "mail" in machine.roles:
            domain = domains.get(machine.address, NOWHERE)
            yield from _expecting(machine.name, _heard(daemons.smtp, machine.address, domain))
            for port in daemons.LINES:
                yield from _heard(daemons.lines, machine.address, port)
        yield from _heard(daemons.ssh, machine.address, machine.ssh_port)
        for port in daemons.TLS_PORTS:
            yield from _expecting(machine.name, _heard(daemons.certificate, machine.address, port))


def sites(subject: Subject) -> Iterator[Reading]:
    """Sites under the brand: the page, a page that is missing, a suspended one, and a name that nobody has."""
    for site in subject.sites:
        front = Front(site.address, 80, site.hostname)
        for path in ("/", "/no-such-page"):
            request = Request(path, place="site.suspended" if site.suspended else "site.page", tag=site.hostname)
            yield from _heard(_fetched, front, request)
    for machine in subject.machines:
        if "web" in machine.roles:
            for host, path in product((NOWHERE, machine.address), ("/", "/no-such-page")):
                request = Request(path, place="site.unknown", tag=host)
                yield from _heard(_fetched, Front(machine.address, 80, host), request)


STEPS: dict[str, Callable[[Subject], Iterator[Reading]]] = {
    "pages": pages,
    "errors": errors,
    "files": files,
    "dns": name_servers,
    "greetings": greetings,
    "sites": sites,
}


def _fetched(front: Front, request: Request) -> Iterator[Reading]:
    yield from web.readings(request, web.ask(front, request), "site.header")


def _expecting(name: str, readings: Iterator[Reading]) -> Iterator[Reading]:
    """The readings of an address that is to bear one name alone."""
    for reading in readings:
        yield replace(reading, expected=name) if name else reading


def _heard(probe: Callable[..., Iterator[Reading]], *asked: object) -> Iterator[Reading]:
    """What a probe reads until the other end falls silent: a port that is shut shows nobody's name."""
    with suppress(*SILENCE):
        yield from probe(*asked)
