"""Logos and favicons of brands: taken, replaced, removed."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Brand, BrandImage, Organization
from accounts.services import brands
from panel.core import images, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid

#: Slot of a brand → the largest width and height that its pages need, twice over for dense screens.
SLOTS = {"logo": (800, 200), "logo_dark": (800, 200), "favicon": (256, 256)}


def put(*, actor: Actor, organization: Organization, slot: str, content: bytes) -> Brand:
    """Give a brand its logo, its logo for dark pages or its favicon; the first one makes the brand.

    Raises Invalid naming the slot for what is no picture or more than one, see `panel.core.images.clean`.
    """
    policy.require(actor, "brand.change", organization)
    picture = images.clean(content, field=_known(slot), box=SLOTS[slot])
    with transaction.atomic():
        return _put(actor, organization, slot, picture)[0]


def remove(*, actor: Actor, organization: Organization, slot: str) -> Brand:
    """Take a picture away; pages show the brand's name and initial instead."""
    policy.require(actor, "brand.change", organization)
    with transaction.atomic():
        return _use(actor, brands.locked(actor=actor, organization=organization), _known(slot), "")[0]


def dress(
    *, actor: Actor, organization: Organization, pictures: dict[str, bytes], without: list[str], **values: Any
) -> tuple[Brand, bool]:
    """Change fields and pictures of a brand in one go, all of it or nothing; `without` names slots to empty.

    Returns the brand, and whether something else follows it, such as servers.
    """
    policy.require(actor, "brand.change", organization)
    cleaned = {slot: images.clean(content, field=_known(slot), box=SLOTS[slot]) for slot, content in pictures.items()}
    with transaction.atomic():
        brand, done = brands.change(actor=actor, organization=organization, **values)
        for slot in without:
            brand, more = _use(actor, brand, _known(slot), "")
            done += more
        for slot, picture in cleaned.items():
            brand, more = _put(actor, organization, slot, picture)
            done += more
    return brand, any(done)


def _put(actor: Actor, organization: Organization, slot: str, picture: images.Picture) -> tuple[Brand, list[object]]:
    name = f"{sha256(picture.content).hexdigest()}.{picture.extension}"
    brand = brands.locked(actor=actor, organization=organization)
    BrandImage.objects.get_or_create(
        brand=brand,
        name=name,
        defaults={
            "content_type": picture.content_type,
            "content": picture.content,
            "width": picture.width,
            "height": picture.height,
        },
    )
    return _use(actor, brand, slot, name)


def _use(actor: Actor, brand: Brand, slot: str, name: str) -> tuple[Brand, list[object]]:
    """Let a brand show a picture in a slot, or none, and forget those that no slot shows."""
    before = {slot: getattr(brand, slot)}
    setattr(brand, slot, name)
    done = brands.write(actor, brand, before)
    BrandImage.objects.filter(brand=brand).exclude(name__in=[brand.logo, brand.logo_dark, brand.favicon]).delete()
    return brand, done


def _known(slot: str) -> str:
    if slot not in SLOTS:
        raise Invalid("unknown", _("A brand has these pictures: logo, logo_dark, favicon."), "slot")
    return slot
