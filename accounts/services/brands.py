"""Brands: what the customers of an organization see."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Brand, Membership, Organization, User
from accounts.selectors import brands as selectors
from panel.core import audit, names, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid, clean_or_invalid, integrity_as_conflict
from panel.core.names import NameInvalid
from panel.core.scoping import everything

FIELDS = (
    "name",
    "panel_host",
    "nameservers",
    "mail_host",
    "hostmaster",
    "primary_color",
    "support_email",
    "support_url",
    "locale",
)


Follower = Callable[[Actor, Brand, frozenset[str]], object]
_followers: list[Follower] = []


def follow(follower: Follower) -> None:
    """Let `follower` be told, in the transaction of every change of a brand, which fields have other values now.

    For apps above this one, whose rows stand on brands.
    """
    _followers.append(follower)


def set(*, actor: Actor, organization: Organization, **values: Any) -> Brand:
    """Give a seller its brand, or change fields of it.

    With its first brand the people of its clients, who lived under a brand above, become people of this one.
    """
    return change(actor=actor, organization=organization, **values)[0]


def change(*, actor: Actor, organization: Organization, **values: Any) -> tuple[Brand, list[object]]:
    """Do what `set` does; returns the brand, and what the followers did about it."""
    policy.require(actor, "brand.change", organization)
    if organization.kind == Organization.Kind.CLIENT:
        raise Invalid("kind", _("A client has no brand of its own."), "organization")
    for field in values:
        if field not in FIELDS:
            raise Invalid("unknown", _("A brand has no such field."), field)
    if "nameservers" in values:
        values["nameservers"] = [_host(host) for host in values["nameservers"]]
    with transaction.atomic():
        brand = Brand.objects.select_for_update().filter(organization=organization).first()
        created = brand is None
        brand = brand or Brand(organization=organization, name=organization.name)
        before = {field: getattr(brand, field) for field in values}
        for field, value in values.items():
            setattr(brand, field, value)
        clean_or_invalid(brand)
        with integrity_as_conflict(_("This host name is already in use."), field="panel_host"):
            brand.save(force_insert=created)
        if created and organization.parent is not None:
            _adopt_people(organization)
        after = {field: getattr(brand, field) for field in values}
        audit.record(actor, "brand.change", brand, audit.difference(before, after))
        changed = frozenset(FIELDS if created else (field for field in after if before[field] != after[field]))
        done = [follower(actor, brand, changed) for follower in _followers]
    return brand, done


def _adopt_people(organization: Organization) -> None:
    """Move the users who are nothing but people of this seller's customers to its new brand root."""
    if organization.parent is None:
        return
    with everything("people's other memberships decide"):
        above = selectors.for_organization(organization.parent).organization
        inside = Membership.objects.filter(organization__path__startswith=organization.path)
        customers = inside.exclude(organization=organization)
        outside = Membership.objects.exclude(organization__path__startswith=organization.path)
        movers = User.objects.filter(brand_root=above, memberships__in=customers).exclude(memberships__in=outside)
        own_staff = Membership.objects.filter(organization=organization)
        ids = list(movers.exclude(memberships__in=own_staff).values_list("id", flat=True).distinct())
        User.objects.filter(id__in=ids).update(brand_root=organization)


def _host(value: object) -> str:
    try:
        return names.hostname(value)  # type: ignore[arg-type]
    except NameInvalid as error:
        raise Invalid(error.rule, error.message, "nameservers") from error
