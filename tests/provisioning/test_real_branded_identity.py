"""A real server with an address that a brand has to itself, read from outside: each address says who it is."""

from __future__ import annotations

import dataclasses
import queue
import smtplib
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from cryptography import x509

from provisioning.leaks import daemons
from provisioning.leaks.certificates import of_socket
from provisioning.spec import AddressSpec, IdentitySpec, SiteSpec
from tests.provisioning.hosts import ANY_CERTIFICATE, PLATFORM, Host, account
from tests.servers import Server

pytestmark = pytest.mark.server

BRAND = "brd_01identity"
MAIL_HOST = "mail.atelier.example"
OWN, OTHER = "alpha.example", "beta.example"


@dataclass(frozen=True)
class Arrived:
    """A mail that reached a stranger's server: from which address, under which names."""

    peer: str
    helo: str
    sender: str


class Stranger(socketserver.TCPServer):
    """A mail server of somebody else's (RFC 5321, the least that a client needs)."""

    allow_reuse_address = True

    def __init__(self, address: str) -> None:
        super().__init__((address, 25), Dialogue)
        self.mails: queue.Queue[Arrived] = queue.Queue()


class Dialogue(socketserver.StreamRequestHandler):
    """One connection."""

    timeout = 20
    server: Stranger

    def handle(self) -> None:
        helo = sender = ""
        self.wfile.write(b"220 stranger.example\r\n")
        while line := self.rfile.readline(1024):
            verb = line[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                helo = line[4:].strip().decode()
            elif verb == b"MAIL":
                sender = line.partition(b"<")[2].partition(b">")[0].decode()
            elif verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline(65536) not in (b".\r\n", b""):
                    pass
                self.server.mails.put(Arrived(self.client_address[0], helo, sender))
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 stranger.example\r\n")


@contextmanager
def stranger(address: str) -> Iterator[Stranger]:
    with Stranger(address) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(20)


def second_address(server: Server) -> str:
    """Give the server one more address of the documentation range (RFC 5737), reached from this machine."""
    address = f"203.0.113.{server.address.rpartition('.')[2]}"
    server.run(["ip", "address", "add", f"{address}/32", "dev", "eth0"])
    subprocess.run(["ip", "route", "replace", f"{address}/32", "via", server.address], check=True)
    return address


@pytest.fixture(scope="module")
def host(module_server: Server) -> Host:
    """A server with a brand's account and address, and an account of nobody's brand."""
    host = Host.prepare(module_server)
    address = second_address(module_server)
    host.spec = dataclasses.replace(
        host.spec,
        addresses=(*host.spec.addresses, AddressSpec(address, 4, address, dedicated=True)),
        identities=(IdentitySpec(BRAND, MAIL_HOST, (address,)),),
    )
    site = SiteSpec(OWN, (f"www.{OWN}",), "public_html", "8.4", also=(address,))
    branded = account("ab", 20001, OWN, brand=BRAND, sites=(site,))
    host.apply(branded, account("xy", 20002, OTHER), base=True)
    return host


@pytest.fixture(scope="module")
def address(host: Host) -> str:
    """The brand's address."""
    return host.spec.identities[0].ips[0]


def face(host: Host, address: str) -> str:
    """Whose face an address has to show."""
    return MAIL_HOST if address in host.spec.identities[0].ips else PLATFORM


def both(host: Host, address: str) -> list[str]:
    """The shared addresses and the brand's."""
    return [host.server.address, host.server.address6, address]


@pytest.mark.parametrize("port", [25, 587])
def test_smtp_greets_with_the_name_of_the_address(host: Host, address: str, port: int) -> None:
    for asked in both(host, address):
        with socket.create_connection((asked, port), timeout=20) as plain, plain.makefile("rb") as lines:
            greeting = lines.readline().decode().removeprefix("220 ")
        with smtplib.SMTP(asked, port, local_hostname="outside.example", timeout=20) as client:
            answer = client.ehlo()[1].decode()
            client.starttls(context=ANY_CERTIFICATE)
            shown = of_socket(client.sock)
        assert greeting.split() == [face(host, asked), "ESMTP"]
        assert answer.splitlines()[0] == face(host, asked)
        assert names(shown) == {face(host, asked)}


@pytest.mark.parametrize("port", [443, 465, 993, 995])
def test_certificates_are_for_the_name_of_the_address(host: Host, address: str, port: int) -> None:
    for asked in both(host, address):
        with (
            socket.create_connection((asked, port), timeout=20) as plain,
            ANY_CERTIFICATE.wrap_socket(plain) as secure,
        ):
            shown = of_socket(secure)
        assert names(shown) == {face(host, asked)}


def names(shown: str) -> set[str]:
    """Every name that a certificate bears."""
    return {line.partition(" ")[2].removeprefix("CN=") for line in shown.splitlines()}


def test_a_scan_reads_the_expected_name_and_no_other(host: Host, address: str) -> None:
    readings = [*daemons.smtp(address, OWN)]
    readings += [reading for port in daemons.TLS_PORTS for reading in daemons.certificate(address, port)]
    assert {reading.place for reading in readings} == {"smtp.greeting", "server.certificate"}
    assert {name for reading in readings for name in reading.names} == {MAIL_HOST}
    assert {name for reading in daemons.smtp(host.server.address, OWN) for name in reading.names} == {PLATFORM}


def test_mail_of_the_brands_domains_leaves_under_its_name_and_other_mail_does_not(host: Host, address: str) -> None:
    gateway = host.server.gateway
    with stranger(gateway) as outside:
        host.send(f"anna@{OWN}", f"who@[{gateway}]", "ours", login=f"anna@{OWN}", port=587)
        host.send(f"anna@{OTHER}", f"who@[{gateway}]", "theirs", login=f"anna@{OTHER}", port=587)
        found = {mail.sender: mail for mail in (outside.mails.get(timeout=30), outside.mails.get(timeout=30))}
        script = 'printf "Subject: x\\n\\nx\\n" | runuser -u ab -- sendmail -i "$1"'
        host.shell(script, f"who@[{gateway}]")
        program = outside.mails.get(timeout=30)
    assert found[f"anna@{OWN}"] == Arrived(address, MAIL_HOST, f"anna@{OWN}")
    assert found[f"anna@{OTHER}"] == Arrived(host.server.address, PLATFORM, f"anna@{OTHER}")
    assert program == Arrived(host.server.address, PLATFORM, f"ab@{PLATFORM}")


def test_mail_comes_in_by_either_address(host: Host, address: str) -> None:
    for number, asked in enumerate(both(host, address)):
        with smtplib.SMTP(asked, 25, local_hostname="outside.example", timeout=20) as client:
            client.sendmail("friend@outside.example", [f"bob@{OWN}"], f"Subject: number {number}\n\nhello")
        host.wait_for_message(f"bob@{OWN}", f"number {number}")


def test_the_brands_sites_answer_on_its_address_and_no_others_do(host: Host, address: str) -> None:
    assert host.http(OWN, address=address)[::2] == (200, f"<h1>{OWN}</h1>")
    assert host.http(OWN)[::2] == (200, f"<h1>{OWN}</h1>")
    assert host.http(OTHER, address=address)[0] == 404
    assert host.http(OTHER)[0] == 200


def test_keys_are_roots_alone_and_drift_and_another_name_make_new_ones(host: Host, address: str) -> None:
    place = "/var/lib/hostwright/certificates"
    assert host.shell(f'stat -c "%a %U" {place} {place}/*').split() == ["700", "root", *["600", "root"] * 2]
    before = shown_by(address)
    host.shell(f"rm {place}/{MAIL_HOST}.pem")
    report = host.apply(base=True, verify=True)
    assert [change["key"] for change in report["slices"]["server"]["changes"]] == [f"certificate:{MAIL_HOST}"]
    after = shown_by(address)
    assert before.public_key() != after.public_key()
    assert after.subject == before.subject


def shown_by(address: str) -> x509.Certificate:
    """The certificate that the mailbox server shows there."""
    with (
        socket.create_connection((address, 993), timeout=20) as plain,
        ANY_CERTIFICATE.wrap_socket(plain) as secure,
    ):
        shown = secure.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown)


def test_checkers_find_nothing_to_complain_of(host: Host) -> None:
    assert host.check(host.checkers()) == []


def test_an_address_that_no_interface_has_is_refused_and_mail_goes_on(host: Host, address: str) -> None:
    elsewhere = "203.0.113.253"
    spec = host.spec
    host.spec = dataclasses.replace(
        spec,
        addresses=(*spec.addresses, AddressSpec(elsewhere, 4, elsewhere, dedicated=True)),
        identities=(*spec.identities, IdentitySpec("brd_02", "mail.other.example", (elsewhere,))),
    )
    report = host.apply(refused=True)
    host.spec = spec
    assert elsewhere in report["slices"]["server"]["reason"]
    with smtplib.SMTP(address, 25, local_hostname="outside.example", timeout=20) as client:
        assert client.ehlo()[1].decode().splitlines()[0] == MAIL_HOST


def test_taken_back_the_address_is_nobodys(host: Host, address: str) -> None:
    host.spec = dataclasses.replace(host.spec, identities=())
    host.apply(account("ab", 20001, OWN, brand=BRAND), base=True)
    with smtplib.SMTP(timeout=20, local_hostname="outside.example") as client:
        assert client.connect(address, 25)[1].decode().split()[0] == PLATFORM
    assert host.http(OWN, address=address)[0] == 404
    assert host.http(OWN)[0] == 200
    assert host.shell("ls /var/lib/hostwright/certificates").split() == [f"{PLATFORM}.pem"]
