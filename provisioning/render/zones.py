"""Writes a zone's master file (RFC 1035 §5) and proves, by parsing it back, that it holds these records and no others.

Not for the serial: the node that serves the zone fills it in.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Collection

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.zone

from provisioning.planning.resources import SERIAL
from provisioning.render import render
from provisioning.spec import RecordSpec, ZoneSpec

Row = tuple[dns.name.Name, int, dns.rdata.Rdata]

_IN = dns.rdataclass.IN
_CHARACTER_STRING = 255
_PROOF_SERIAL = "1"


class ZoneInvalid(ValueError):
    """A zone that cannot be served as described; names zone and reason."""


def master_file(zone: ZoneSpec) -> str:
    """Return the zone's text with `@SERIAL@` for the serial, the same for the same records in any order.

    Records of one name and type get the lowest of their times to live (RFC 2181 §5.2). Raises ZoneInvalid when a record
    is no valid data, the zone has no name server at its apex, a CNAME has company (RFC 1034 §3.6.2), or the text does
    not parse back to exactly these records.
    """
    return _master_file(dataclasses.replace(zone, serial_floor=0))


@functools.lru_cache(maxsize=4096)
def _master_file(zone: ZoneSpec) -> str:
    origin = _absolute(zone.name)
    rows = _rows(zone, origin)
    if not any(owner == origin and data.rdtype == dns.rdatatype.NS for owner, _, data in rows):
        raise ZoneInvalid(f"{zone.name}: no NS record at the apex")
    text = render(
        "bind/zone.j2", origin=origin, mname=_absolute(zone.mname), rname=_mailbox(zone), zone=zone, rows=rows
    )
    _prove(zone, origin, rows, text)
    return text


def _absolute(name: str) -> dns.name.Name:
    return dns.name.from_text(name, dns.name.root)


def _mailbox(zone: ZoneSpec) -> dns.name.Name:
    """The SOA's RNAME: the local part is one label, dots and all (RFC 1035 §8)."""
    local, _, domain = zone.rname.rpartition("@")
    try:
        return dns.name.Name([local.encode(), *_absolute(domain).labels])
    except dns.exception.DNSException as error:
        raise ZoneInvalid(f"{zone.name}: the zone's mail address is too long for an SOA record") from error


def _rows(zone: ZoneSpec, origin: dns.name.Name) -> tuple[Row, ...]:
    ttls: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], int] = {}
    found: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], set[dns.rdata.Rdata]] = defaultdict(set)
    for record in zone.records:
        owner = origin if record.name == "@" else dns.name.from_text(record.name, origin)
        data = _data(zone, record, origin)
        key = owner, data.rdtype
        ttls[key] = min(record.ttl, ttls.get(key, record.ttl))
        found[key].add(data)
    return tuple(
        (owner, ttls[owner, kind], data)
        for owner, kind in sorted(found, key=lambda key: (key[0], int(key[1])))
        for data in sorted(found[owner, kind])
    )


def _data(zone: ZoneSpec, record: RecordSpec, origin: dns.name.Name) -> dns.rdata.Rdata:
    if record.type == "TXT":
        octets = record.content.encode()
        parts = [octets[at : at + _CHARACTER_STRING] for at in range(0, len(octets), _CHARACTER_STRING)]
        return dns.rdtypes.ANY.TXT.TXT(_IN, dns.rdatatype.TXT, parts)
    try:
        return dns.rdata.from_text(_IN, record.type, record.content, origin, relativize=False)
    except dns.exception.DNSException as error:
        raise ZoneInvalid(f"{zone.name}: a {record.type} record holds no valid data") from error


def _prove(zone: ZoneSpec, origin: dns.name.Name, rows: Collection[Row], text: str) -> None:
    """Parse the text without any directive allowed, and compare it with what was to be written.

    Lines are counted, too: a record outside the zone is passed over by parser and name server alike.
    """
    if len(text.splitlines()) != len(rows) + 1:
        raise ZoneInvalid(f"{zone.name}: its text does not have one line for each record")
    if text.count(SERIAL) != 1:
        raise ZoneInvalid(f"{zone.name}: the serial's place is not clear")
    try:
        parsed = dns.zone.from_text(
            text.replace(SERIAL, _PROOF_SERIAL), origin, relativize=False, allow_include=False, allow_directives=False
        )
    except (dns.exception.DNSException, ValueError) as error:
        raise ZoneInvalid(f"{zone.name}: {error}") from error
    soa = parsed.get_rdataset(origin, dns.rdatatype.SOA, create=False)
    if soa is None or len(soa) != 1:
        raise ZoneInvalid(f"{zone.name}: has no single SOA record")
    holds = {(owner, ttl, data) for owner, ttl, data in parsed.iterate_rdatas() if data.rdtype != dns.rdatatype.SOA}
    if holds != set(rows):
        raise ZoneInvalid(f"{zone.name}: its text does not say what its records say")
