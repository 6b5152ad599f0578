"""Takes a zone's records over from what a server serves: the panel's rows become what somebody wrote there by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.utils.translation import gettext as _

from panel.core import names
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid
from provisioning.models import Operation, Record, Zone
from provisioning.render import zone_reading
from provisioning.render.zones import ZoneInvalid
from provisioning.selectors import zones as zone_selectors
from provisioning.services import zones
from provisioning.spec import RecordSpec
from provisioning.spec.zone_defaults import place

Key = tuple[str, str, str]
Place = tuple[str, str, str]


def adopt(*, actor: Actor, zone: Zone, text: str) -> Operation:
    """Add, change and remove records until `zone` says what the master file `text` says; returns the last operation.

    A set of records that is what the panel makes by default needs no rows. Raises Invalid for what no row can say: a
    default record that is missing, a type or name that the panel does not take; Conflict when no record differs.
    """
    try:
        found = [_normal(zone, item) for item in zone_reading.read(zone.name, text)]
    except ZoneInvalid as error:
        raise Invalid(
            "zone_text", _("The zone's file on the server can't be read (%s). Restore it.") % error, "actual"
        ) from error
    wanted = _wanted(zone, found)
    own = {_key(record): record for record in Record.objects.filter(zone=zone).select_related("zone__hosting")}
    operation = None
    for key in sorted(own.keys() - wanted.keys()):
        operation = zones.remove_record(actor=actor, record=own[key])
    for key in sorted(wanted.keys() - own.keys()):
        name, type_, content = key
        operation = zones.add_record(actor=actor, zone=zone, name=name, type=type_, content=content, ttl=wanted[key])[1]
    for key in sorted(wanted.keys() & own.keys()):
        if own[key].ttl != wanted[key]:
            operation = zones.change_record(actor=actor, record=own[key], ttl=wanted[key])[1]
    if operation is None:
        raise Conflict(
            _("No record differs; the rest of a zone is made by the panel. Restore it, or make it an exception."),
            code="nothing_to_adopt",
        )
    return operation


def _wanted(zone: Zone, found: Iterable[RecordSpec]) -> dict[Key, int]:
    """The rows that make the zone serve `found`, with their times to live."""
    defaults: dict[Place, set[RecordSpec]] = defaultdict(set)
    actual: dict[Place, set[RecordSpec]] = defaultdict(set)
    for record in zone_selectors.defaults(zone):
        defaults[place(record)].add(_normal(zone, record))
    for record in found:
        actual[place(record)].add(record)
    for where in defaults.keys() - actual.keys():
        name, type_, _purpose = where
        raise Invalid(
            "default_record",
            _(
                "The server's zone lacks the %(type)s record of %(name)s, which the panel always makes. Restore it, or "
                "make it an exception."
            )
            % {"type": type_, "name": name},
            "actual",
        )
    return {
        (record.name, record.type, record.content): record.ttl
        for where, records in actual.items()
        if records != defaults.get(where)
        for record in records
    }


def _normal(zone: Zone, record: RecordSpec) -> RecordSpec:
    try:
        parts = names.record(record.type, record.name, record.content, zone.name)
    except names.NameInvalid as error:
        said = _("%(name)s %(type)s: %(rule)s Restore it, or make it an exception.")
        message = said % {"name": record.name, "type": record.type, "rule": error.message}
        raise Invalid(error.rule, message, "actual") from error
    return RecordSpec(parts.name, parts.type, record.ttl, parts.content)


def _key(record: Record) -> Key:
    return record.name, record.type, record.content
