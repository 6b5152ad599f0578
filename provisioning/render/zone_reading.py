"""Reads a master file back into records: what somebody wrote into a zone by hand. Not for writing one."""

from __future__ import annotations

import dns.exception
import dns.name
import dns.rdata
import dns.rdatatype
import dns.rdtypes.txtbase
import dns.zone

from provisioning.planning.resources import SERIAL
from provisioning.render.zones import ZoneInvalid
from provisioning.spec import RecordSpec

DIRECTIVES = ("$TTL", "$ORIGIN")
_ANY_SERIAL = "1"


def read(name: str, text: str) -> list[RecordSpec]:
    """Return the records of the zone `name` but for its SOA, owners relative to it, in the form that people enter.

    Raises ZoneInvalid when the text is no master file (RFC 1035 §5) or has a directive that reads other files or makes
    records by itself.
    """
    origin = dns.name.from_text(name, dns.name.root)
    try:
        zone = dns.zone.from_text(
            text.replace(SERIAL, _ANY_SERIAL, 1), origin, relativize=False, allow_directives=DIRECTIVES
        )
        rows = [row for row in zone.iterate_rdatas() if row[2].rdtype != dns.rdatatype.SOA]
        return [RecordSpec(_owner(owner, origin), _type(data), ttl, _content(data)) for owner, ttl, data in rows]
    except (dns.exception.DNSException, ValueError) as error:
        raise ZoneInvalid(f"{name}: {error}") from error


def _owner(owner: dns.name.Name, origin: dns.name.Name) -> str:
    return str(owner.relativize(origin))


def _type(data: dns.rdata.Rdata) -> str:
    return dns.rdatatype.to_text(data.rdtype)


def _content(data: dns.rdata.Rdata) -> str:
    if isinstance(data, dns.rdtypes.txtbase.TXTBase):
        return b"".join(data.strings).decode()
    return data.to_text(relativize=False)
