"""The records that a zone has by default: from its addresses, its brand's name servers and its mail. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from provisioning.spec.account import RecordSpec


@dataclass(frozen=True)
class ZoneFacts:
    """What default records are made of: public addresses of web and mail, host names without a dot at the end."""

    zone: str
    nameservers: tuple[str, ...]
    web: tuple[str, ...]
    mail: tuple[str, ...]
    spf_include: str = ""
    has_mail: bool = True
    aliases: tuple[str, ...] = ()


def default_records(facts: ZoneFacts, ttl: int = 3600) -> list[RecordSpec]:
    """Return apex, `www` and alias addresses, `mail` and MX (RFC 5321 §5), SPF (RFC 7208) and DMARC (RFC 7489)."""
    records = [RecordSpec("@", "NS", ttl, f"{host}.") for host in facts.nameservers]
    for name in ("@", "www", *facts.aliases):
        records += [RecordSpec(name, _type(ip), ttl, ip) for ip in facts.web]
    if facts.has_mail:
        records += [RecordSpec("mail", _type(ip), ttl, ip) for ip in facts.mail]
        records.append(RecordSpec("@", "MX", ttl, f"10 mail.{facts.zone}."))
        include = f" include:{facts.spf_include}" if facts.spf_include else ""
        records.append(RecordSpec("@", "TXT", ttl, f"v=spf1 mx a{include} ~all"))
        records.append(RecordSpec("_dmarc", "TXT", ttl, "v=DMARC1; p=none"))
    return records


def merge(defaults: Sequence[RecordSpec], custom: Iterable[RecordSpec]) -> tuple[RecordSpec, ...]:
    """Return the zone's records: a custom record replaces the defaults of its name and type; SPF only another SPF
    record.
    """
    custom = list(custom)
    replaced = {place(record) for record in custom}
    kept = [record for record in defaults if place(record) not in replaced]
    return tuple(dict.fromkeys([*kept, *custom]))


def place(record: RecordSpec) -> tuple[str, str, str]:
    """What a custom record takes from a default one; of texts, those of the same purpose (`v=spf1`, `v=DMARC1`)."""
    purpose = record.content.split(";")[0].split(" ")[0].lower() if record.type == "TXT" else ""
    return record.name, record.type, purpose


def _type(ip: str) -> str:
    return "AAAA" if ":" in ip else "A"
