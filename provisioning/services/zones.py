"""DNS zones and the records that people add to them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from panel.core import audit, names
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, NotFound, Stale, clean_or_invalid, insert, integrity_as_conflict
from provisioning.models import Domain, HostingAccount, Operation, Record, Zone
from provisioning.selectors import zones as zone_selectors
from provisioning.services import holding
from provisioning.services.inputs import normal


def make(*, hosting: HostingAccount, domain: Domain) -> Zone:
    """Make the zone of a domain; its default records are computed. Runs in the caller's transaction."""
    zone = Zone(hosting=hosting, domain=domain, name=domain.name)
    insert(zone, taken=_("This zone exists already."), field="domain")
    return zone


def add_record(
    *,
    actor: Actor,
    zone: Zone,
    type: str,
    name: str,
    content: str,
    ttl: int = 3600,
) -> tuple[Record, Operation]:
    """Add a record to a zone; it takes the place of the default records of its name and type."""
    with holding.changing(actor, "record.create", zone.hosting, feature="dns") as hosting:
        holding.take(hosting, "records")
        record = Record(zone=zone, **_clean(zone, type, name, content, ttl))
        _check(zone, record)
        _save(record)
        operation = holding.finish(
            actor=actor,
            action="record.create",
            hosting=hosting,
            obj=record,
            services=("dns",),
            changes={"content": [None, record.content]},
        )
    return record, operation


def change_record(
    *, actor: Actor, record: Record, version: str | None = None, **values: Any
) -> tuple[Record, Operation]:
    """Change name, type, content or ttl of a record; raises Stale when it is no longer the `version` that was seen."""
    unknown = sorted(set(values) - {"type", "name", "content", "ttl"})
    if unknown:
        raise Invalid("unknown", _("A record has no such field."), unknown[0])
    zone = record.zone
    with holding.changing(actor, "record.change", zone.hosting, feature="dns") as hosting:
        record = _seen(record, version)
        before = {field: getattr(record, field) for field in ("type", "name", "content", "ttl")}
        after = _clean(zone, **(before | values))
        for field, value in after.items():
            setattr(record, field, value)
        _check(zone, record)
        _save(record)
        operation = holding.finish(
            actor=actor,
            action="record.change",
            hosting=hosting,
            obj=record,
            services=("dns",),
            changes=audit.difference(before, after),
        )
    return record, operation


def remove_record(*, actor: Actor, record: Record, version: str | None = None) -> Operation:
    """Remove a record; default records of its name and type come back. Raises Stale as `change_record` does."""
    with holding.changing(actor, "record.remove", record.zone.hosting, feature="dns") as hosting:
        record = _seen(record, version)
        holding.give_back(hosting, "records")
        operation = holding.finish(
            actor=actor,
            action="record.remove",
            hosting=hosting,
            obj=record,
            services=("dns",),
            changes={"content": [record.content, None]},
        )
        record.delete()
    return operation


def _seen(record: Record, version: str | None) -> Record:
    """Return the record as it is now; its account is held, so it stays so."""
    found = Record.objects.select_for_update(of=("self",)).filter(pk=record.pk).first()
    if found is None:
        raise NotFound
    if version is not None and version != found.version:
        raise Stale(_("Somebody else has changed this record since you read it. Read it again."))
    return found


def _clean(zone: Zone, type: str, name: str, content: str, ttl: int) -> dict[str, Any]:
    try:
        parts = names.record(type, name, content, zone.name)
    except names.NameInvalid as error:
        if error.rule == "record_cname_apex":
            raise Conflict(error.message, field="name", code="cname_beside_others") from error
        starts = {"record_type": "type", "record_name": "name", "record_outside_zone": "name"}
        field = next((field for start, field in starts.items() if error.rule.startswith(start)), "content")
        raise Invalid(error.rule, error.message, field) from error
    return {**parts._asdict(), "ttl": normal("ttl", names.ttl, ttl)}


def _check(zone: Zone, record: Record) -> None:
    """Refuse a CNAME beside other records, defaults included, and others beside a CNAME (RFC 1034 §3.6.2)."""
    if record.type == Record.Type.NS and record.name == "@":
        raise Invalid("brand_nameservers", _("The zone's own name servers come from the brand."), "type")
    others = [
        other for other in zone_selectors.records(zone) if other.name == record.name and other.record_id != record.pk
    ]
    beside = [other for other in others if "CNAME" in (other.type, record.type)]
    if beside:
        kinds = ", ".join(sorted({other.type for other in beside}))
        raise Conflict(
            _("A CNAME can't stand beside other records, and this name has: %s. Remove them or choose another name.")
            % kinds,
            field="name",
            code="cname_beside_others",
        )


def _save(record: Record) -> None:
    clean_or_invalid(record)
    with integrity_as_conflict(_("The zone already has this record."), field="content"):
        record.save()
