"""Packages: what a reseller sells, and how a change reaches what was sold."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import LimitCounter
from panel.core.scoping import everything
from provisioning.services import packages
from tests.provisioning.ground import Ground, acting, entries, refused


def limit(subject: str, resource: str) -> int | None:
    """Return the limit of a counter."""
    return LimitCounter.objects.get(subject=subject, resource=resource).limit


def test_a_change_reaches_the_accounts_at_once(ground: Ground):
    assert limit(ground.account_a.id, "mailboxes") is None
    with acting(ground.cast.reseller_a):
        actor = ground.cast.reseller_a.actor
        packages.change(actor=actor, package=ground.package_a, mailboxes=3, databases=0, name="Better")
    assert (limit(ground.account_a.id, "mailboxes"), limit(ground.account_a.id, "databases")) == (3, 0)
    assert limit(ground.account_b.id, "mailboxes") is None
    assert entries("package.change") == 1


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"mailboxes": -1}, "min_value", "mailboxes"),
        ({"mailboxes": "many"}, "invalid", "mailboxes"),
        ({"disk_bytes": -5}, "package_disk_not_negative", None),
        ({"name": ""}, "label", "name"),
        ({"name": "two\nlines"}, "label_characters", "name"),
        ({"organization": "org_x"}, "unknown", "organization"),
        ({"archived_at": None}, "unknown", "archived_at"),
        ({"is_staff": True}, "unknown", "is_staff"),
    ],
)
def test_unfit_values_are_refused(ground: Ground, values: dict[str, Any], code: str, field: str | None):
    actor, new = ground.cast.reseller_a.actor, {"organization": ground.cast.reseller_a.organization, "name": "New"}
    with acting(ground.cast.reseller_a):
        with refused(code, field):
            packages.change(actor=actor, package=ground.package_a, **values)
        if "organization" not in values:
            with refused(code, field):
                packages.create(actor=actor, **{**new, **values})


def test_names_are_once_per_seller_while_on_sale(ground: Ground):
    actor, own = ground.cast.reseller_a.actor, ground.cast.reseller_a.organization
    with acting(ground.cast.reseller_a):
        with refused("conflict", "name", 409):
            packages.create(actor=actor, organization=own, name="bASIC")
        packages.remove(actor=actor, package=ground.package_a)
        assert packages.create(actor=actor, organization=own, name="Basic").archived_at is None


def test_only_sellers_have_packages_and_only_their_own(ground: Ground):
    people = ground.cast
    with acting(people.reseller_a), refused("kind", "organization"):
        packages.create(actor=people.reseller_a.actor, organization=people.client_a.organization, name="X")
    with everything("test"):
        for person in (people.reseller_b, people.client_b, people.outsider, people.sub_reseller):
            with refused("not_found", None, 404):
                packages.change(actor=person.actor, package=ground.package_a, mailboxes=1)
        for person in (people.readonly_a,):
            with refused("forbidden", None, 403):
                packages.remove(actor=person.actor, package=ground.package_a)
