"""Records that a brand's mail needs in the DNS, put into its own zones where these are hosted here."""

from __future__ import annotations

import structlog
from django.db import transaction

from accounts.models import Brand
from panel.core.actors import Actor
from panel.core.errors import DomainError
from provisioning.selectors import nameservers
from provisioning.services import zones

log = structlog.get_logger(__name__)


def publish(actor: Actor, brand: Brand, name: str, text: str) -> bool:
    """Add a TXT record to the brand's own zone that holds `name`; tells whether there is one that took it.

    What keeps it out (a limit, a suspended account, a name that stands for another) is no failure of what asks: the
    record is shown, and a person adds it.
    """
    found = nameservers.own_zones(brand, [name])
    zone = next((found[above] for above in nameservers.above(name) if above in found), None)
    if zone is None:
        return False
    try:
        with transaction.atomic():
            zones.add_record(actor=actor, zone=zone, type="TXT", name=name.removesuffix(f".{zone.name}"), content=text)
    except DomainError as error:
        log.info("brand_record.refused", brand=brand.id, zone=zone.id, code=error.code)
        return False
    return True
