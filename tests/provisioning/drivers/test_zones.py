"""A zone's text is proven before it leaves: whatever else a template or writer might produce is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from provisioning.planning.resources import SERIAL
from provisioning.render import render, zones
from provisioning.render.zones import ZoneInvalid, master_file
from provisioning.spec import RecordSpec, ZoneSpec
from provisioning.spec.checks import SpecInvalid

APEX = RecordSpec("@", "NS", 3600, "ns1.brand.example.")
ADDRESS = RecordSpec("www", "A", 3600, "198.51.100.2")


def zone(*records: RecordSpec, rname: str = "hostmaster@brand.example", serial_floor: int = 0) -> ZoneSpec:
    return ZoneSpec("example.org", "ns1.brand.example", rname, (APEX, *records), serial_floor=serial_floor)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[str], str]], None]]:
    """Spoils the text that is written, as a faulty template or writer would."""
    honest = render

    def spoil(change: Callable[[str], str]) -> None:
        monkeypatch.setattr(zones, "render", lambda *args, **values: change(honest(*args, **values)))

    zones._master_file.cache_clear()
    yield spoil
    zones._master_file.cache_clear()


@pytest.mark.parametrize(
    "line",
    [
        "evil.example.org. 60 IN A 203.0.113.66",
        "www.example.org. 3600 IN A 203.0.113.66",
        "$INCLUDE /etc/bind/rndc.key",
        "$GENERATE 1-9 host$ 60 IN A 198.51.100.9",
        "$ORIGIN victim.example.",
        "$TTL 60",
        "victim.example. 60 IN A 203.0.113.66",
        "www.example.org. 60 IN CNAME example.org.",
        f"x.example.org. 60 IN TXT {SERIAL}",
        "not a record",
    ],
)
def test_a_line_too_many_is_refused(written: Callable[[Callable[[str], str]], None], line: str) -> None:
    written(lambda text: f"{text}{line}\n")
    with pytest.raises(ZoneInvalid, match=r"^example\.org: "):
        master_file(zone(ADDRESS))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("www.example.org. 3600 IN A 198.51.100.2\n", ""),
        ("198.51.100.2", "198.51.100.3"),
        ("www.example.org. 3600", "www.example.org. 3601"),
        (SERIAL, "1"),
        ("IN SOA", "IN TXT"),
    ],
)
def test_a_record_less_or_other_is_refused(written: Callable[[Callable[[str], str]], None], old: str, new: str) -> None:
    written(lambda text: text.replace(old, new, 1))
    with pytest.raises(ZoneInvalid, match=r"^example\.org: "):
        master_file(zone(ADDRESS))


def test_the_text_does_not_depend_on_order_repetition_or_serial() -> None:
    other = RecordSpec("@", "TXT", 60, "v=spf1 -all")
    text = master_file(zone(ADDRESS, other))
    assert master_file(zone(other, ADDRESS, ADDRESS, serial_floor=7)) == text


@pytest.mark.parametrize("length", [255, 256, 300, 510, 511, 4000, 4096])
def test_a_long_text_is_split_into_strings_of_255_octets(length: int) -> None:
    text = master_file(zone(RecordSpec("@", "TXT", 60, "x" * length)))
    strings = text.splitlines()[-1].split('"')[1::2]
    assert "".join(strings) == "x" * length
    assert [len(part) for part in strings[:-1]] == [255] * (len(strings) - 1)


def test_a_mail_address_too_long_for_an_soa_is_refused() -> None:
    with pytest.raises(ZoneInvalid, match="mail address"):
        master_file(zone(rname="a" * 64 + "@brand.example"))


@pytest.mark.parametrize("kind", ["A", "AAAA", "CNAME", "MX", "SRV", "CAA", "NS", "TLSA", "SSHFP", "DS", "PTR", "TXT"])
def test_a_line_end_in_any_type_is_refused(kind: str) -> None:
    with pytest.raises(SpecInvalid, match="record"):
        zone(RecordSpec("x", kind, 60, "198.51.100.2\nevil 60 IN A 203.0.113.66"))


@pytest.mark.parametrize("owner", ["victim.example.", "www.", "$ORIGIN", "a b", "www\t60\tIN\tA", "*.*", "a..b"])
def test_an_owner_outside_or_malformed_is_refused(owner: str) -> None:
    with pytest.raises(SpecInvalid, match="record"):
        zone(RecordSpec(owner, "A", 60, "198.51.100.2"))
