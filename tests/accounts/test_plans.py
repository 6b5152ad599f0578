"""Reseller plans: their limits are counters at once, at every level, with and without overselling."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import LimitCounter, Organization, ResellerPlan
from accounts.selectors import limits as lines
from accounts.selectors import plans as selectors
from accounts.services import limits, plans
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid, LimitReached, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from tests.cast import Cast

GB = 1_000_000_000


def sold(cast: Cast, name: str = "Studio", **values: Any) -> ResellerPlan:
    """Put a plan of the provider on sale."""
    with everything("test"):
        return plans.create(actor=cast.provider.actor, organization=cast.provider.organization, name=name, **values)


def given(cast: Cast, plan: ResellerPlan | None, who: str = "reseller_a") -> Organization:
    """Give it to a reseller."""
    with everything("test"):
        return plans.assign(actor=cast.provider.actor, organization=getattr(cast, who).organization, plan=plan)


def limit(organization: Organization, resource: str) -> tuple[int | None, int]:
    """Return a counter's limit and use."""
    counter = LimitCounter.objects.get(subject=organization.id, resource=resource)
    return counter.limit, counter.used


def test_a_plan_becomes_the_counters_of_its_reseller(cast: Cast) -> None:
    limits.take(organization=cast.client_a.organization, resource="mailboxes", amount=2)
    limits.take(organization=cast.client_sub.organization, resource="mailboxes", amount=1)
    reseller = given(cast, sold(cast, accounts=10, mailboxes=5, databases=0, resellers_allowed=True))
    assert limit(reseller, "mailboxes") == (5, 3)
    assert limit(reseller, "databases") == (0, 0)
    assert limit(reseller, "aliases") == (None, 0)
    with pytest.raises(LimitReached, match="the reseller"):
        limits.take(organization=cast.client_sub.organization, resource="databases")
    limits.take(organization=cast.client_a.organization, resource="mailboxes", amount=2)
    with pytest.raises(LimitReached) as refused:
        limits.take(organization=cast.client_sub.organization, resource="mailboxes")
    assert refused.value.params["used"] == 5
    assert "plan raised" in refused.value.remedy


def test_overselling_counts_what_is_used_not_what_is_promised(cast: Cast) -> None:
    client = cast.client_a.organization
    plan = sold(cast, disk_bytes=100 * GB, bandwidth_bytes=100 * GB, oversell_bandwidth=True, resellers_allowed=True)
    given(cast, plan)
    limits.move({client: {"disk_bytes": 90 * GB, "bandwidth_bytes": 500 * GB}})
    with pytest.raises(LimitReached, match=r"90.GB of 100.GB used, 20.GB wanted"):
        limits.move({client: {"disk_bytes": 20 * GB}})
    with pytest.raises(LimitReached, match="unlimited amount"):
        limits.move({client: {"accounts": 1}}, boundless=["disk_bytes"])
    assert limits.used_by(client, "accounts") == 0
    limits.move({client: {"accounts": 1}}, boundless=["bandwidth_bytes"])
    with everything("test"):
        plans.change(actor=cast.provider.actor, plan=plan, oversell_disk=True)
    limits.move({client: {"disk_bytes": 20 * GB}}, boundless=["bandwidth_bytes"])
    with everything("test"):
        plans.change(actor=cast.provider.actor, plan=plan, oversell_disk=False)
    assert limit(cast.reseller_a.organization, "disk_bytes") == (100 * GB, 110 * GB)


def test_a_change_reaches_all_its_resellers_and_says_first_who_is_over(cast: Cast) -> None:
    plan = sold(cast, accounts=10)
    given(cast, plan), given(cast, plan, "reseller_b")
    limits.take(organization=cast.client_sub.organization, resource="accounts", amount=4)
    limits.take(organization=cast.client_b.organization, resource="accounts", amount=2)
    with everything("test"):
        over = selectors.overs(selectors.resellers_on(plan), {"accounts": 3, "mailboxes": 0, "aliases": None})
        assert [(row.organization.name, row.resource, row.used, row.limit) for row in over] == [
            ("Atelier A", "accounts", 4, 3)
        ]
        plans.change(actor=cast.provider.actor, plan=plan, accounts=3)
    assert limit(cast.reseller_a.organization, "accounts") == (3, 4)
    assert limit(cast.reseller_b.organization, "accounts") == (3, 2)
    with everything("test"):
        entry = AuditEntry.objects.filter(action="plan.change").latest("id")
        assert entry.changes == {"accounts": [10, 3]}


def test_a_plan_taken_away_leaves_no_limits(cast: Cast) -> None:
    plan = sold(cast, accounts=1, resellers_allowed=False)
    assert given(cast, plan).resellers_allowed is False
    assert given(cast, None).plan is None
    assert limit(cast.reseller_a.organization, "accounts")[0] is None


def test_who_has_a_plan_has_no_limits_beside_it(cast: Cast) -> None:
    given(cast, sold(cast))
    with everything("test"), pytest.raises(Conflict) as refused:
        limits.change_limits(
            actor=cast.provider.actor, organization=cast.reseller_a.organization, limits={"accounts": 5}
        )
    assert refused.value.code == "has_plan"


def test_sellers_see_and_give_their_own_plans_only(cast: Cast) -> None:
    plan = sold(cast)
    for person in (cast.reseller_a, cast.reseller_b, cast.client_a):
        with tenant(person.actor.path):
            assert list(selectors.listed()) == []
            with pytest.raises(NotFound):
                plans.change(actor=person.actor, plan=plan, accounts=None)
    with tenant(cast.reseller_a.actor.path):
        with pytest.raises(Forbidden):
            plans.assign(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, plan=None)
        own = plans.create(
            actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, name="Sub", accounts=2
        )
        plans.assign(actor=cast.reseller_a.actor, organization=cast.sub_reseller.organization, plan=own)
    assert limit(cast.sub_reseller.organization, "accounts")[0] == 2
    with everything("test"):
        with pytest.raises(Invalid) as refused:
            plans.assign(actor=cast.provider.actor, organization=cast.reseller_b.organization, plan=own)
        assert refused.value.field == "plan"
        with pytest.raises(Invalid):
            plans.assign(actor=cast.provider.actor, organization=cast.client_a.organization, plan=plan)
        with pytest.raises(Forbidden):
            plans.create(actor=Actor.system("test"), organization=cast.reseller_b.organization, name="X")


def test_a_reseller_sells_only_what_its_own_plan_has(cast: Cast) -> None:
    given(cast, sold(cast, features=["dns", "mail"], private_nameservers=False, resellers_allowed=True))
    assert selectors.features(cast.client_sub.organization) == {"dns", "mail"}
    with tenant(cast.reseller_a.actor.path):
        for values, field in (
            ({"features": ["dns", "databases"], "private_nameservers": False}, "features"),
            ({"features": ["dns"]}, "private_nameservers"),
        ):
            with pytest.raises(Invalid) as refused:
                plans.create(
                    actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, name="Sub", **values
                )
            assert refused.value.field == field


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"accounts": -1}, "accounts"),
        ({"disk_bytes": "much"}, "disk_bytes"),
        ({"overuse": "shout"}, "overuse"),
        ({"features": ["root"]}, "features"),
        ({"features": ["dns", "dns"]}, "features"),
        ({"features": "dns"}, "features"),
        ({"name": "two\nlines"}, "name"),
        ({"organization_id": "org_x"}, "organization_id"),
    ],
)
def test_unfit_values_are_refused(cast: Cast, values: dict[str, Any], field: str) -> None:
    plan = sold(cast)
    with everything("test"), pytest.raises(Invalid) as refused:
        plans.change(actor=cast.provider.actor, plan=plan, **values)
    assert refused.value.field == field
    assert ResellerPlan._base_manager.get().name == "Studio"


def test_names_are_once_per_seller_while_on_sale(cast: Cast) -> None:
    plan = sold(cast)
    with pytest.raises(Conflict):
        sold(cast, "sTUDIO")
    given(cast, plan)
    with everything("test"):
        plans.archive(actor=cast.provider.actor, plan=plan)
    assert sold(cast).archived_at is None
    with everything("test"), pytest.raises(Invalid):
        plans.assign(actor=cast.provider.actor, organization=cast.reseller_b.organization, plan=plan)
    assert selectors.of_reseller(Organization._base_manager.get(name="Atelier A")) == plan


def test_every_line_says_whose_limit_it_is_and_why_not(cast: Cast) -> None:
    given(cast, sold(cast, accounts=1, databases=3))
    limits.set_limit(subject=cast.provider.organization.id, resource="mailboxes", limit=0)
    limits.take(organization=cast.client_a.organization, resource="accounts")
    reseller = Organization._base_manager.get(name="Atelier A")
    found = {line.resource: line for line in lines.of_organization(reseller)}
    assert set(found) == set(ResellerPlan.TOTALS)
    accounts, databases, mailboxes = found["accounts"], found["databases"], found["mailboxes"]
    assert (accounts.used, accounts.limit, accounts.source, accounts.one_more) == (1, 1, "plan", False)
    assert "accounts at this organization is reached: 1 of 1 used" in accounts.why_not
    assert (databases.used, databases.limit, databases.one_more, databases.why_not) == (0, 3, True, "")
    assert (mailboxes.limit, mailboxes.source, mailboxes.one_more) == (None, "none", False)
    assert "the provider" in mailboxes.why_not
    client = {line.resource: line for line in lines.of_organization(cast.client_a.organization)}
    assert "the reseller is reached" in client["accounts"].why_not
