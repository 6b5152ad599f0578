"""Who a real server says it is, read from outside: its platform name, or nothing, and never who runs or sells it."""

from __future__ import annotations

import dataclasses
import poplib
import smtplib
import socket

import dns.message
import dns.query
import dns.rcode
import pytest

from provisioning.spec import BrandPagesSpec
from tests.provisioning.hosts import ANY_CERTIFICATE, PLATFORM, Host, account
from tests.servers import Server

pytestmark = pytest.mark.server

BRAND = "brd_01identity"
PRODUCTS = ("hostwright", "debian", "ubuntu", "php/", "apache/", "nginx/", "openssl", "postfix", "dovecot", "bind")


@pytest.fixture(scope="module")
def host(module_server: Server) -> Host:
    """A server with a brand's account and one of no brand."""
    host = Host.prepare(module_server)
    pages = (BrandPagesSpec(BRAND, "<h1>Atelier rests</h1>", "<h1>Atelier has no such page</h1>"),)
    host.spec = dataclasses.replace(host.spec, brand_pages=pages)
    host.apply(account("ab", 20001, "alpha.example", brand=BRAND), account("xy", 20002, "beta.example"), base=True)
    return host


def told(text: str) -> list[str]:
    """The products and releases that a text gives away."""
    return [name for name in PRODUCTS if name in text.lower()]


@pytest.mark.parametrize("port", [25, 587])
def test_smtp_greets_with_the_platform_name(host: Host, port: int) -> None:
    with smtplib.SMTP(timeout=20, local_hostname="outside.example") as client:
        _code, greeting = client.connect(host.server.address, port)
        _code, answer = client.ehlo()
    assert greeting.decode().split() == [PLATFORM, "ESMTP"]
    assert answer.decode().splitlines()[0] == PLATFORM
    assert told(f"{greeting.decode()} {answer.decode()}") == []


@pytest.mark.parametrize("port", [143, 993, 110, 995])
def test_mailboxes_are_greeted_by_nobody(host: Host, port: int) -> None:
    with socket.create_connection((host.server.address, port), timeout=20) as plain:
        stream = ANY_CERTIFICATE.wrap_socket(plain, server_hostname=PLATFORM) if port in (993, 995) else plain
        with stream, stream.makefile("rb") as answers:
            greeting = answers.readline().decode()
    assert greeting.strip().endswith("Ready.")
    assert told(greeting) == []


def test_pop3_names_no_product(host: Host) -> None:
    client = poplib.POP3(host.server.address, timeout=20)
    try:
        assert told(str(client.capa())) == []
    finally:
        client.quit()


@pytest.mark.parametrize("name", ["version.bind", "version.server", "hostname.bind", "id.server", "authors.bind"])
def test_bind_tells_nothing_of_itself(host: Host, name: str) -> None:
    answer = dns.query.udp(dns.message.make_query(name, "TXT", "CH"), host.server.address, timeout=10)
    assert answer.answer == []
    assert answer.rcode() in (dns.rcode.REFUSED, dns.rcode.NOERROR)


@pytest.mark.parametrize("path", ["/", "/missing", "/missing.php", "/%", "/.htaccess"])
@pytest.mark.parametrize("name", ["alpha.example", "nobody.example"])
def test_web_headers_and_error_pages_name_no_release(host: Host, name: str, path: str) -> None:
    _status, headers, body = host.http(name, path)
    assert headers.get("server", "nginx") in ("nginx", "Apache")
    assert "x-powered-by" not in headers
    assert told(body.replace("nginx</center>", "")) == []


def test_php_does_not_sign_its_answers(host: Host) -> None:
    host.upload("ab", "/home/ab/public_html/sign.php", "<?php echo 'ran';")
    _status, headers, body = host.http("alpha.example", "/sign.php")
    assert body == "ran"
    assert "x-powered-by" not in headers


def test_mariadb_greets_without_the_servers_names(host: Host) -> None:
    with socket.create_connection((host.server.address, 3306), timeout=20) as connection:
        greeting = connection.recv(200).decode("latin-1")
    assert "MariaDB" in greeting
    assert "platform" not in greeting
    assert "ostwright" not in greeting


def test_a_missing_page_is_the_brands_where_there_is_one(host: Host) -> None:
    assert host.http("alpha.example", "/missing.html")[::2] == (404, "<h1>Atelier has no such page</h1>")
    assert "There is no web site here" in host.http("beta.example", "/missing.html")[2]


def test_a_suspended_site_answers_with_its_brands_page_and_nobodys_name_with_nobodys(host: Host) -> None:
    host.apply(account("ab", 20001, "alpha.example", brand=BRAND, suspended=True))
    status, headers, body = host.http("alpha.example")
    assert (status, headers["retry-after"], body) == (503, "3600", "<h1>Atelier rests</h1>")
    status, _headers, body = host.http("nobody.example")
    assert status == 404
    assert "Atelier" not in body
    assert host.http(f"{PLATFORM}", f"/_/{BRAND}/503.html")[0] == 404


def test_a_change_of_the_pages_reloads_nothing(host: Host) -> None:
    pages = (BrandPagesSpec(BRAND, "<h1>Atelier is back soon</h1>", "<h1>Nothing</h1>"),)
    host.spec = dataclasses.replace(host.spec, brand_pages=pages)
    report = host.apply()
    assert report["status"] == "applied"
    assert report.get("reloads", {}) in ({}, [])
    assert host.http("alpha.example")[2] == "<h1>Atelier is back soon</h1>"
