"""Reads web pages as a stranger does: at a given address, under a given host name, following nothing off the host."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from provisioning.leaks.certificates import of_socket
from provisioning.leaks.readings import Place, Reading

TIMEOUT = 8.0
MOST_BYTES = 2_000_000
MOST_FILES = 60
BINARY = ("audio/", "font/", "video/", "image/")


@dataclass(frozen=True)
class Front:
    """Where a panel or site answers, and the name that it is asked for: `host` may differ from where it leads."""

    address: str
    port: int
    host: str
    tls: bool = False

    @property
    def named(self) -> str:
        """The Host header."""
        usual = 443 if self.tls else 80
        return self.host if self.port == usual else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """What came back. Headers as they came, in their order."""

    status: int
    reason: str
    headers: list[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as text; nothing of pictures and fonts, except SVG, which is a text."""
        kind = next((value.lower() for name, value in self.headers if name.lower() == "content-type"), "")
        return "" if kind.startswith(BINARY) and "svg" not in kind else self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class Request:
    """One question of a stranger."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    place: Place = "panel.page"
    tag: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}{f' ({self.tag})' if self.tag else ''}"


def ask(front: Front, request: Request) -> Answer:
    """Send a request; raises OSError or http.client.HTTPException when no answer comes."""
    connection = _connection(front)
    try:
        headers = {"Host": front.named, "User-Agent": "Mozilla/5.0", "Accept": "*/*", **request.headers}
        connection.request(request.method, request.path, body=request.body, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.reason, answer.getheaders(), answer.read(MOST_BYTES))
    finally:
        connection.close()


def readings(request: Request, answer: Answer, header_place: Place) -> Iterator[Reading]:
    """What an answer says: status line and headers, each cookie by itself, the body."""
    cookies = [value for name, value in answer.headers if name.lower() == "set-cookie"]
    others = [f"{name}: {value}" for name, value in answer.headers if name.lower() != "set-cookie"]
    yield Reading(header_place, str(request), "\n".join([f"{answer.status} {answer.reason}", *others]))
    for cookie in cookies:
        yield Reading("panel.cookie", str(request), _without_value(cookie))
    if answer.text:
        yield Reading(request.place, str(request), answer.text)


def linked(front: Front, path: str, page: str) -> list[str]:
    """Return the paths of files on the same host that a page loads or links from its head, in order, each once."""
    parser = _Links()
    parser.feed(page)
    base = f"{'https' if front.tls else 'http'}://{front.named}{path}"
    found = []
    for link in parser.found:
        parts = urlsplit(urljoin(base, link))
        if parts.scheme in ("http", "https") and parts.netloc == front.named:
            found.append(f"{parts.path}?{parts.query}" if parts.query else parts.path)
    return list(dict.fromkeys(found))[:MOST_FILES]


def certificate(front: Front) -> Iterator[Reading]:
    """The names in the certificate that is shown for the host."""
    if not front.tls:
        return
    connection = _connection(front)
    try:
        connection.connect()
        yield Reading("panel.certificate", front.host, of_socket(connection.sock))
    finally:
        connection.close()


def _connection(front: Front) -> http.client.HTTPConnection:
    if not front.tls:
        return http.client.HTTPConnection(front.address, front.port, timeout=TIMEOUT)
    return _Named(front)


class _Named(http.client.HTTPSConnection):
    """TLS to an address, asking for another name; whether the certificate is good is not the question here."""

    def __init__(self, front: Front) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        super().__init__(front.address, front.port, timeout=TIMEOUT, context=context)
        self.front = front
        self.names = context

    def connect(self) -> None:
        """Connect and shake hands under the host's name."""
        http.client.HTTPConnection.connect(self)
        self.sock = self.names.wrap_socket(self.sock, server_hostname=self.front.host)


class _Links(HTMLParser):
    """Collects what a browser would load for a page."""

    LOADED = {"link": "href", "script": "src", "img": "src", "source": "src", "use": "href"}

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an address."""
        wanted = self.LOADED.get(tag)
        self.found += [value for name, value in attrs if name == wanted and value and not value.startswith("#")]


def _without_value(cookie: str) -> str:
    """A cookie's name and attributes: its value is random."""
    pair, separator, attributes = cookie.partition(";")
    return f"{pair.partition('=')[0]}={separator}{attributes}"
