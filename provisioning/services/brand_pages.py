"""A brand's pages on servers and the files of its new accounts: set, and carried to the servers that show them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Brand, BrandPages, Skeleton
from accounts.models.brand_pages import LONGEST_TEXT
from accounts.voice import mustache
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid, clean_or_invalid
from provisioning.brand_pages import WORDS
from provisioning.models import Operation
from provisioning.selectors import brand_pages as selectors
from provisioning.services import branding

FIELDS = ("first_title", "first_text", "suspended_title", "suspended_text", "missing_title", "missing_text")
FIRST = ("first_title", "first_text")


def change(*, actor: Actor, brand: Brand, **values: Any) -> tuple[BrandPages, Operation | None]:
    """Change words of a brand's pages; an empty one is ours again. The first page is for new sites only.

    Returns the pages and the operation to watch, None where no server shows them.
    """
    policy.require(actor, "brand.change", brand)
    for field in values:
        if field not in FIELDS:
            raise Invalid("unknown", _("A brand's pages have no such field."), field)
    with transaction.atomic():
        pages = BrandPages.objects.select_for_update(of=("self",)).filter(brand=brand).first()
        pages = pages or BrandPages(brand=brand)
        before = {field: getattr(pages, field) for field in values}
        for field, value in values.items():
            setattr(pages, field, value.replace("\r\n", "\n").strip())
        for field in values:
            if len(getattr(pages, field)) > LONGEST_TEXT:
                raise Invalid("max_length", _("Give at most %(count)d characters.") % {"count": LONGEST_TEXT}, field)
        clean_or_invalid(pages)
        for field in FIRST:
            _check(field, getattr(pages, field))
        pages.save()
        after = {field: getattr(pages, field) for field in values}
        changes = audit.difference(before, after)
        audit.record(actor, "brand.pages", pages, changes)
        shown = set(changes) - set(FIRST)
        return pages, branding.spread(actor, brand, frozenset({"pages"})) if shown else None


def set_skeleton(*, actor: Actor, brand: Brand, files: dict[str, str]) -> Skeleton:
    """Let new accounts of a brand begin with these files (text by name) in their web directory. Accounts that are there
    keep what they have.
    """
    policy.require(actor, "brand.change", brand)
    with transaction.atomic():
        newest = selectors.newest_skeleton(brand)
        if newest is not None and newest.files == files:
            return newest
        skeleton = Skeleton(brand=brand, files=files)
        clean_or_invalid(skeleton)
        skeleton.save()
        before = sorted(newest.files) if newest else []
        audit.record(actor, "brand.skeleton", skeleton, {"files": (before, sorted(files))})
    return skeleton


def _check(field: str, text: str) -> None:
    try:
        mustache.check(text, WORDS)
    except mustache.TemplateInvalid as error:
        raise Invalid(error.rule, error.message, field) from error
