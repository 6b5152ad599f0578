"""Name servers of brands: looked at in the public DNS, their address records added where the zone is here."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Brand
from panel.core import policy
from panel.core.actors import Actor
from panel.core.errors import Conflict
from provisioning import nameserver_look
from provisioning.models import NameServerCheck, Operation
from provisioning.selectors import brand_names
from provisioning.selectors import nameservers as selectors
from provisioning.services import zones

LATER = timedelta(days=1)
SOONER = timedelta(hours=1)


def check(*, actor: Actor, brand: Brand) -> selectors.Overview:
    """Ask the public DNS and the parent zones now, which takes some seconds at most, and keep what they say."""
    policy.require(actor, "brand.change", brand)
    findings = nameserver_look.look(selectors.hosts(brand))
    with transaction.atomic():
        row, _created = NameServerCheck.objects.update_or_create(
            brand=brand,
            defaults={"findings": [found.plain() for found in findings], "checked_at": timezone.now()},
        )
        found = selectors.overview(brand)
        row.complete = found.complete
        row.save(update_fields=["complete"])
    return found


def check_due() -> None:
    """Look at the brands whose turn it is: daily, and hourly while something is missing."""
    now = timezone.now()
    for brand in selectors.due(now, now - LATER, now - SOONER):
        check(actor=Actor.system("sweep"), brand=brand)


def add_records(*, actor: Actor, brand: Brand) -> list[Operation]:
    """Add the records of the brand's name servers, panel and mail to its own zones that are hosted here, all or none.

    Raises Conflict when nothing is left to add.
    """
    policy.require(actor, "brand.change", brand)
    missing = selectors.overview(brand).addable
    others = [record for record in brand_names.records(brand) if record.zone is not None and not record.present]
    if not missing and not others:
        raise Conflict(_("There is nothing to add: no zone here lacks a record of the brand."), code="nothing_to_add")
    started = []
    with transaction.atomic():
        for server in missing:
            if server.zone is None:
                continue
            name = server.host.removesuffix(f".{server.zone.name}")
            held = set(server.zone.records.filter(name=name).values_list("type", "content"))
            for _host, kind, address in server.records:
                if (kind, address) not in held:
                    started.append(
                        zones.add_record(actor=actor, zone=server.zone, type=kind, name=name, content=address)[1]
                    )
        for record in others:
            if record.zone is not None:
                added = zones.add_record(
                    actor=actor, zone=record.zone, type=record.type, name=record.relative, content=record.content
                )
                started.append(added[1])
    return started
