"""Where one name alone may show, every other one is found, whoever's it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from accounts.services import brands
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.leaks import certificates
from provisioning.leaks.lexicon import Lexicon
from provisioning.leaks.readings import Place, Reading, compare
from provisioning.models import Address
from provisioning.selectors import scans as selectors
from tests.provisioning.ground import Ground

MAIL = "mail.atelier.example"
NEUTRAL = "one.platform.example"


@pytest.mark.parametrize("place", ["smtp.greeting", "server.certificate", "dns.pointer"])
def test_another_name_than_the_expected_one_is_a_finding(place: Place) -> None:
    nobody = Lexicon([])
    reading = Reading(place, "203.0.113.5", NEUTRAL, (MAIL, NEUTRAL, NEUTRAL), MAIL)
    found = compare([reading], nobody)
    assert [(item.place, item.name, item.kind, item.owner) for item in found] == [(place, NEUTRAL, "host", "")]
    assert MAIL in found[0].excerpt
    assert compare([Reading(place, "203.0.113.5", MAIL, (MAIL,), MAIL)], nobody) == []
    assert compare([Reading(place, "198.51.100.2", NEUTRAL, (NEUTRAL,))], nobody) == []


def test_the_names_of_a_certificate_are_its_alternative_ones() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ignored.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(MAIL), x509.DNSName(NEUTRAL)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    text = certificates.text(made.public_bytes(serialization.Encoding.DER))
    assert certificates.names_in(text) == (MAIL, NEUTRAL)


def test_a_scan_looks_at_the_brands_own_address_and_expects_its_mail_host(ground: Ground) -> None:
    with everything("test"):
        brand = brands.set(actor=Actor.system("test"), organization=ground.cast.reseller_a.organization, mail_host=MAIL)
        Address.objects.create(server=ground.server, ip="203.0.113.5", family=4, kind="dedicated", brand=brand)
        machines = selectors.subject(brand).machines
    assert [(machine.address, machine.name) for machine in machines][1:] == [("203.0.113.5", MAIL)]
    assert machines[0].name == ""
