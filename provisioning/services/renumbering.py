"""The addresses of a dead server mapped to those of the server that takes its place, and the records that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from panel.core import names
from panel.core.errors import Invalid
from provisioning.models import Address, Record
from provisioning.services.inputs import normal

BATCH = 200
SHARED, DEDICATED = Address.Kind.SHARED, Address.Kind.DEDICATED


@dataclass(frozen=True)
class Match:
    """An address of the dead server and what stands for it; `new` is None where the other server has none."""

    old: Address
    new: Address | None

    @property
    def is_degraded(self) -> bool:
        """Whether an account or a brand loses an address of its own."""
        return bool(self.old.hosting_id or self.old.brand_id) and (self.new is None or self.new.kind == SHARED)

    @property
    def changes_records(self) -> bool:
        return self.new is not None and self.new.public != self.old.public


def match(old: Sequence[Address], new: Sequence[Address], wanted: Mapping[str, str]) -> list[Match]:
    """Find a new address for each old one: the one that `wanted` names (old → new); else shared for shared, and for a
    dedicated one a dedicated one that is free, or a shared one; always of the same family.

    Raises Invalid for the field `addresses` where `wanted` names what is not there or does not fit.
    """
    named = _named(old, new, wanted)
    free = [item for item in new if item.kind == DEDICATED and not _is_held(item) and item not in named.values()]
    found = []
    for item in old:
        chosen = named.get(item)
        if chosen is None and _is_held(item):
            chosen = next((other for other in free if other.family == item.family), None)
            if chosen is not None:
                free.remove(chosen)
        if chosen is None:
            chosen = next((other for other in new if other.kind == SHARED and other.family == item.family), None)
        found.append(Match(item, chosen))
    return found


def _named(old: Sequence[Address], new: Sequence[Address], wanted: Mapping[str, str]) -> dict[Address, Address]:
    named: dict[Address, Address] = {}
    for before, after in wanted.items():
        source, target = _find(old, before), _find(new, after)
        if source is None:
            raise _refusal(_("%(ip)s is no address of the server that is replaced.") % {"ip": before})
        if target is None:
            raise _refusal(_("%(ip)s is no address of the new server. Add it there first.") % {"ip": after})
        if source.family != target.family:
            raise _refusal(
                _("%(old)s and %(new)s are not of one family. Map IPv4 to IPv4 and IPv6 to IPv6.")
                % {"old": before, "new": after}
            )
        if source.kind == SHARED and target.kind == DEDICATED:
            raise _refusal(
                _("Many accounts share %(old)s. Map it to a shared address; %(new)s is for one account alone.")
                % {"old": before, "new": after}
            )
        if target.kind == DEDICATED and (_is_held(target) or target in named.values()):
            raise _refusal(_("%(ip)s is taken. Map to a free dedicated address.") % {"ip": after})
        named[source] = target
    return named


def _is_held(address: Address) -> bool:
    return bool(address.hosting_id or address.brand_id)


def _find(addresses: Sequence[Address], ip: str) -> Address | None:
    wanted = normal("addresses", names.ip_address, ip)
    return next((item for item in addresses if wanted in (item.ip, item.public)), None)


def _refusal(message: str) -> Invalid:
    return Invalid("addresses", message, "addresses")


def hand_over(matches: Sequence[Match]) -> None:
    """Give accounts and brands the new dedicated addresses, and take the old ones from them."""
    held = [item for item in matches if _is_held(item.old)]
    given = []
    for item in held:
        if item.new is not None and item.new.kind == DEDICATED:
            item.new.hosting_id, item.new.brand_id = item.old.hosting_id, item.old.brand_id
            given.append(item.new)
    Address.objects.filter(pk__in=[item.old.pk for item in held]).update(hosting=None, brand=None)
    Address.objects.bulk_update(given, ["hosting", "brand"], batch_size=BATCH)


def naming(matches: Sequence[Match]) -> Q:
    """Select the records, of all tenants, whose content is an old address that has got a new one."""
    return Q(type__in=["A", "AAAA"], content__in=[item.old.public for item in matches if item.changes_records])


def rewrite(matches: Sequence[Match]) -> list[str]:
    """Let A and AAAA records that people added name the new addresses; returns the accounts whose zones changed.

    A record that would then be there twice is kept once. The number of queries does not depend on how many there are.
    """
    new = {item.old.public: item.new.public for item in matches if item.new is not None and item.changes_records}
    rows = list(Record._base_manager.filter(naming(matches)).select_related("zone").order_by("id"))
    there = set(
        Record._base_manager.filter(zone__in={row.zone_id for row in rows}, content__in=set(new.values())).values_list(
            "zone_id", "name", "type", "content"
        )
    )
    double, changed = [], []
    for row in rows:
        place = (row.zone_id, row.name, row.type, new[row.content])
        if place in there:
            double.append(row.pk)
        else:
            there.add(place)
            row.content = new[row.content]
            changed.append(row)
    Record._base_manager.filter(pk__in=double).delete()
    Record._base_manager.bulk_update(changed, ["content"], batch_size=BATCH)
    return sorted({row.zone.hosting_id for row in rows})
