"""Self-signed certificates: made on the server, root's alone, made anew when they don't fit; the key stays there."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest

from provisioning.node import certificates
from provisioning.node.makers.certificates import renew
from tests.node.bundles import Body, Machine, resource, slice_of

NAME = "one.platform.example"
FILE = f"/var/lib/hostwright/certificates/{NAME}.pem"


def certificate(name: str = NAME, host: str = "", services: object = None) -> Body:
    return resource("certificate", name, host=host or name, services=[] if services is None else services)


def told(path: Path, *asked: str) -> str:
    return subprocess.run(
        ["openssl", "x509", "-in", path, "-noout", *asked], capture_output=True, text=True, check=True
    ).stdout


def age(path: Path, days: str) -> None:
    """Put a certificate of the same key there that is good for `days` only."""
    subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    command = ["openssl", "req", "-x509", "-key", str(path), "-days", days, *subject]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    key = path.read_text().partition("-----BEGIN CERTIFICATE")[0]
    path.write_text(key + made)


def test_a_certificate_is_for_its_host_and_its_key_is_roots_alone(machine: Machine) -> None:
    assert machine.apply(slice_of("server", certificate()))["status"] == "applied"
    path = machine.at(FILE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert f"DNS:{NAME}" in told(path, "-ext", "subjectAltName")
    assert told(path, "-subject").strip() == f"subject=CN = {NAME}"


def test_the_key_is_in_no_report_and_not_in_the_nodes_memory(machine: Machine) -> None:
    report = machine.apply(slice_of("server", certificate()))
    key = machine.at(FILE).read_text().splitlines()[1]
    assert key not in json.dumps(report)
    kept = [path for path in machine.at("/var/lib/hostwright").rglob("*") if path.is_file() and path.suffix != ".pem"]
    assert kept
    assert not [path for path in kept if key.encode() in path.read_bytes()]


def test_a_good_one_stays_and_a_name_of_any_length_gets_one(machine: Machine) -> None:
    long = ".".join(["a" * 60] * 3) + ".example"
    machine.apply(slice_of("server", certificate()))
    before = machine.at(FILE).read_bytes()
    machine.apply(slice_of("server", certificate(), certificate("long", long), generation=2), verify=True)
    assert machine.at(FILE).read_bytes() == before
    assert f"DNS:{long}" in told(machine.at("/var/lib/hostwright/certificates/long.pem"), "-ext", "subjectAltName")


def test_another_host_makes_another_one_and_what_is_no_longer_listed_goes(machine: Machine) -> None:
    machine.apply(slice_of("server", certificate("mail", "old.example")))
    path = machine.at("/var/lib/hostwright/certificates/mail.pem")
    machine.apply(slice_of("server", certificate("mail", "new.example"), generation=2))
    assert "DNS:new.example" in told(path, "-ext", "subjectAltName")
    machine.apply(slice_of("server", certificate(), generation=3))
    assert not path.exists()
    assert machine.at(FILE).exists()


@pytest.mark.parametrize("harm", ["gone", "mode", "expires", "other key", "torn"])
def test_what_no_longer_fits_is_drift_and_made_anew(machine: Machine, harm: str) -> None:
    machine.apply(slice_of("server", certificate()))
    path = machine.at(FILE)
    if harm == "gone":
        path.unlink()
    elif harm == "mode":
        path.chmod(0o644)
    elif harm == "expires":
        age(path, "20")
    elif harm == "torn":
        path.write_text(path.read_text()[:300])
    else:
        key = subprocess.run(["openssl", "genpkey", "-algorithm", "ED25519"], capture_output=True, check=True).stdout
        path.write_bytes(key + path.read_bytes()[path.read_bytes().index(b"-----BEGIN CERTIFICATE") :])
    report = machine.apply(slice_of("server", certificate()), verify=True)
    assert [change["key"] for change in report["slices"]["server"]["changes"]] == [f"certificate:{NAME}"]
    assert certificates.is_good(machine.node_paths(), NAME, NAME)


def test_renewing_makes_only_what_is_due(machine: Machine) -> None:
    other = "two.platform.example"
    machine.apply(slice_of("server", certificate(), certificate(other)))
    path, fresh = machine.at(FILE), machine.at(f"/var/lib/hostwright/certificates/{other}.pem")
    age(path, "20")
    before = fresh.read_bytes()
    with machine.node() as node:
        assert renew(node) == [NAME]
    assert certificates.is_good(machine.node_paths(), NAME, NAME)
    assert fresh.read_bytes() == before


def test_a_refused_slice_leaves_no_certificate(machine: Machine) -> None:
    bad = resource("file", "/etc/hostwright/x", text="x", owner="nobody-here", group="root", mode="0644")
    report = machine.apply(slice_of("server", certificate(), bad))
    assert report["slices"]["server"]["status"] == "rejected"
    assert not machine.at(FILE).exists()


@pytest.mark.parametrize(
    "body",
    [
        certificate("../x", "a.example"),
        certificate("x", "a b"),
        certificate("x", "a.example/CN=b"),
        certificate("x", "a.example", services="nginx"),
        certificate("x", "a.example", services=["; reboot"]),
    ],
)
def test_a_certificate_that_is_not_well_formed(machine: Machine, body: Body) -> None:
    assert machine.apply(slice_of("server", body))["slices"]["server"]["code"] == "invalid"


def test_a_tenant_can_ask_for_none(machine: Machine) -> None:
    assert machine.apply(slice_of("acc_1", certificate()))["slices"]["acc_1"]["code"] == "invalid"
