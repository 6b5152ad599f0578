"""Sellers, customers and tax rates: made when first needed, kept in one form, refused by field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import transaction

from accounts.actors import for_membership
from accounts.models import Membership
from billing.models import Charge, Customer, Seller, TaxRate
from billing.selectors import customers as customer_selectors
from billing.selectors import sellers as selectors
from billing.selectors import tax_rates as rate_selectors
from billing.services import customers, numbers, sellers, tax_rates, taxes
from billing.tax import rates
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from tests.billing import factories
from tests.cast import Cast

TODAY = date(2026, 3, 1)


@pytest.fixture(autouse=True)
def _everywhere() -> Iterator[None]:
    """Services are called in a scope; where it matters, a test opens another."""
    with everything("test"):
        yield


def test_a_seller_has_usual_values_until_it_is_saved(cast: Cast) -> None:
    own = cast.reseller_a.organization
    found = selectors.of(own)
    assert (found.legal_name, found.currency, found.due_days, found._state.adding) == ("Atelier A", "USD", 14, True)
    assert Seller._base_manager.count() == 0
    made = sellers.ensure(own)
    assert sellers.ensure(own).pk == made.pk == selectors.of(own).pk


def test_a_buyer_sees_its_sellers_days(cast: Cast) -> None:
    factories.seller(cast.reseller_a.organization, time_zone="Asia/Tokyo")
    with tenant(cast.client_a.actor.path):
        seller = selectors.of(cast.reseller_a.organization)
        late = datetime(2026, 2, 28, 15, 30, tzinfo=UTC)
        assert selectors.today(seller, late) == TODAY
        assert selectors.today(Seller(), late) == date(2026, 2, 28)


def test_a_client_sells_nothing(cast: Cast) -> None:
    with pytest.raises(Invalid):
        sellers.ensure(cast.client_a.organization)


def test_what_a_seller_says_is_kept_in_one_form(cast: Cast) -> None:
    made = sellers.change(
        actor=cast.reseller_a.actor,
        organization=cast.reseller_a.organization,
        country="de",
        vat_number="136 695 976",
        address="1 Quay Road\r\n\r\n  Hamburg ",
        series="re-",
        is_taxed=True,
        reminder_days=[-5, 2],
    )
    assert (made.country, made.vat_number, made.address) == ("DE", "DE136695976", "1 Quay Road\nHamburg")
    assert (made.series, made.reminder_days) == ("RE-", [-5, 2])
    bank = sellers.change_bank(
        actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, iban="de89 3704 0044 0532 0130 00"
    )
    assert bank.iban == "DE89370400440532013000"
    entry = AuditEntry.objects.get(action="seller.change_bank")
    assert entry.changes["iban"] == ["", "DE89370400440532013000"]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"country": "XX"}, "country"),
    ({"vat_number": "DE136695976"}, "country"),
    ({"country": "DE", "vat_number": "DE136695977"}, "vat_number"),
    ({"country": "FR", "vat_number": "DE136695976"}, "vat_number"),
    ({"region": "T X"}, "region"),
    ({"address": "\n".join("x" * 9)}, "address"),
    ({"address": "a\x00b"}, "address"),
    ({"address": "x" * 401}, "address"),
    ({"legal_line": "a\u202eb"}, "legal_line"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"currency": "XBT"}, "currency"),
    ({"series": "IN V"}, "series"),
    ({"series": "CN"}, "non_field"),
    ({"billing_day": 29}, "billing_day"),
    ({"days_ahead": 61}, "days_ahead"),
    ({"due_days": -1}, "due_days"),
    ({"reminder_days": [1, 1]}, "reminder_days"),
    ({"reminder_days": [True]}, "reminder_days"),
    ({"terminate_days": 7}, "terminate_days"),
    ({"suspend_days": None, "terminate_days": 9}, "terminate_days"),
    ({"sites_days": 14}, "sites_days"),
    ({"is_taxed": True}, "country"),
    ({"email": "nobody"}, "email"),
    ({"iban": "DE89370400440532013000"}, "iban"),
    ({"quota": 1}, "quota"),
]


@pytest.mark.parametrize(("values", "field"), REFUSED, ids=str)
def test_what_makes_no_seller_is_refused_by_field(cast: Cast, values: dict[str, Any], field: str) -> None:
    with pytest.raises((Invalid, Conflict)) as caught:
        sellers.change(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, **values)
    assert (caught.value.field or "non_field") == field
    assert not AuditEntry.objects.filter(action="seller.change").exists()


@pytest.mark.parametrize(
    ("field", "value"), [("iban", "DE89370400440532013001"), ("iban", "x"), ("bic", "DEUTDE"), ("bank_holder", "a\nb")]
)
def test_a_bank_account_with_a_mistake_is_refused(cast: Cast, field: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        sellers.change_bank(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, **{field: value})
    assert caught.value.field == field


def as_role(cast: Cast, role: str) -> Actor:
    """Return somebody of reseller A with another role."""
    with everything("test"):
        Membership.objects.filter(pk=cast.reseller_a.membership.pk).update(role=role)
        membership = Membership.objects.select_related("organization", "user").get(pk=cast.reseller_a.membership.pk)
    return for_membership(membership)


def test_the_bank_account_is_owners_affair(cast: Cast) -> None:
    actor = as_role(cast, "billing")
    own = cast.reseller_a.organization
    assert sellers.change(actor=actor, organization=own, due_days=7).due_days == 7
    with pytest.raises(Forbidden):
        sellers.change_bank(actor=actor, organization=own, iban="")
    with pytest.raises(Forbidden):
        sellers.change(actor=as_role(cast, "technician"), organization=own, due_days=8)


def test_who_stands_above_does_not_sell_for_those_below(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        sellers.change(actor=cast.provider.actor, organization=cast.reseller_a.organization, due_days=1)


def test_a_customer_is_made_once_in_its_sellers_currency(cast: Cast) -> None:
    seller, buyer = cast.reseller_a.organization, cast.client_a.organization
    factories.seller(seller, currency="EUR")
    made = customers.ensure(actor=cast.reseller_a.actor, seller=seller, buyer=buyer)
    assert (made.name, made.currency, made.vat_state) == ("Client of A", "EUR", "none")
    assert customers.ensure(actor=cast.client_a.actor, seller=seller, buyer=buyer, currency="USD").currency == "EUR"
    assert Customer._base_manager.count() == 1
    assert AuditEntry.objects.filter(action="customer.create").count() == 1


def test_only_who_stands_right_below_is_a_customer(cast: Cast) -> None:
    with pytest.raises(Invalid):
        customers.ensure(
            actor=cast.reseller_a.actor, seller=cast.reseller_a.organization, buyer=cast.client_sub.organization
        )
    with pytest.raises(NotFound):
        customers.ensure(
            actor=cast.reseller_b.actor, seller=cast.reseller_a.organization, buyer=cast.client_a.organization
        )
    with pytest.raises(NotFound):
        customers.ensure(
            actor=cast.provider.actor, seller=cast.reseller_a.organization, buyer=cast.client_a.organization
        )


def test_all_below_are_taken_in_at_once(cast: Cast) -> None:
    own = cast.reseller_a.organization
    with tenant(cast.reseller_a.actor.path):
        assert customers.take_in(actor=cast.reseller_a.actor, organization=own) == 2
        assert not customer_selectors.missing(own).exists()
        names = set(customer_selectors.listed(cast.reseller_a.actor).values_list("name", flat=True))
    assert names == {"Client of A", "Sub of A"}
    with tenant(cast.provider.actor.path):
        assert not customer_selectors.listed(cast.provider.actor).exists()


def test_a_client_says_who_it_is_and_not_on_which_terms(cast: Cast) -> None:
    made = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    changed = customers.change(actor=cast.client_a.actor, customer=made, name="Anna Ltd", address="2 Rue\nParis")
    assert (changed.name, changed.address) == ("Anna Ltd", "2 Rue\nParis")
    with pytest.raises(Forbidden):
        customers.set_terms(actor=cast.client_a.actor, customer=made, exemption="I am good")
    for field in ("exemption", "vat_state", "currency", "seller"):
        with pytest.raises(Invalid) as caught:
            customers.change(actor=cast.client_a.actor, customer=made, **{field: "x"})
        assert caught.value.field == field
    for stranger in (cast.client_b, cast.reseller_b, cast.provider, cast.sub_reseller):
        with pytest.raises(NotFound):
            customers.change(actor=stranger.actor, customer=made, name="Mine")
    with pytest.raises(Forbidden):
        customers.change(actor=cast.readonly_a.actor, customer=made, name="Mine")


def test_a_currency_stays_from_the_first_charge_on(cast: Cast) -> None:
    made = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    changed = customers.set_terms(actor=cast.reseller_a.actor, customer=made, currency="EUR", exemption="Embassy")
    assert (changed.currency, changed.exemption) == ("EUR", "Embassy")
    Charge.objects.create(
        customer=changed,
        kind="item",
        starts_on=TODAY,
        ends_on=TODAY,
        due_on=TODAY,
        unit_price=1,
        amount=1,
        currency="EUR",
    )
    with pytest.raises(Invalid) as caught:
        customers.set_terms(actor=cast.reseller_a.actor, customer=changed, currency="USD")
    assert (caught.value.code, caught.value.field) == ("currency_stays", "currency")
    assert customers.set_terms(actor=cast.reseller_a.actor, customer=changed, currency="EUR").currency == "EUR"


def test_the_unions_rates_are_adopted_once_and_ones_own_stay(cast: Cast) -> None:
    own = cast.reseller_a.organization
    actor = cast.reseller_a.actor
    tax_rates.create(actor=actor, organization=own, country="de", percent=Decimal("16"), valid_from=rates.AS_OF)
    adopted = tax_rates.adopt(actor=actor, organization=own)
    assert len(adopted) == 26
    assert tax_rates.adopt(actor=actor, organization=own) == []
    percents = {rate.country: rate.percent for rate in rate_selectors.of_seller(own)}
    assert (percents["DE"], percents["FI"], len(percents)) == (Decimal(16), Decimal("25.5"), 27)
    assert rate_selectors.of_seller(cast.reseller_b.organization) == []


@time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False)
def test_a_rate_that_has_begun_stays(cast: Cast) -> None:
    actor, own = cast.reseller_a.actor, cast.reseller_a.organization
    begun = tax_rates.create(
        actor=actor, organization=own, country="US", region="tx", percent=Decimal(8), valid_from=TODAY
    )
    coming = tax_rates.create(
        actor=actor, organization=own, country="US", region="TX", percent=Decimal(9), valid_from=date(2026, 3, 2)
    )
    with pytest.raises(Conflict):
        tax_rates.create(actor=actor, organization=own, country="US", region="TX", percent=Decimal(7), valid_from=TODAY)
    with pytest.raises(Conflict):
        tax_rates.remove(actor=actor, rate=begun)
    with pytest.raises(NotFound):
        tax_rates.remove(actor=cast.reseller_b.actor, rate=coming)
    tax_rates.remove(actor=actor, rate=coming)
    assert TaxRate._base_manager.count() == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"country": ""}, "country"),
        ({"country": "XX"}, "country"),
        ({"percent": Decimal(-1)}, "percent"),
        ({"percent": Decimal("100.01")}, "percent"),
        ({"percent": Decimal("1.00001")}, "percent"),
        ({"category": "zero"}, "category"),
        ({"region": "../"}, "region"),
    ],
    ids=str,
)
def test_what_is_no_rate_is_refused_by_field(cast: Cast, values: dict[str, Any], field: str) -> None:
    given = {"country": "DE", "percent": Decimal(19), "valid_from": TODAY, **values}
    with pytest.raises(Invalid) as caught:
        tax_rates.create(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, **given)
    assert caught.value.field == field


def test_nobody_is_billed_without_a_tax_that_is_due(cast: Cast) -> None:
    seller = factories.seller(cast.reseller_a.organization, country="DE", is_taxed=True)
    buyer = factories.customer(cast.reseller_a.organization, cast.client_a.organization, country="DE")
    with pytest.raises(Invalid) as caught:
        taxes.treatment(seller, buyer, "standard", TODAY)
    assert (caught.value.code, caught.value.field) == ("no_tax_rate", "tax_rate")
    assert "Germany" in caught.value.message
    tax_rates.adopt(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization)
    assert taxes.treatment(seller, buyer, "standard", TODAY).percent == 19
    assert taxes.treatment(seller, buyer, "exempt", TODAY).reason == "Exempt from tax"


def test_tax_is_looked_up_in_any_scope(cast: Cast) -> None:
    seller = factories.seller(cast.reseller_a.organization, country="DE", is_taxed=True)
    tax_rates.adopt(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization)
    buyer = factories.customer(cast.reseller_a.organization, cast.client_a.organization, country="DE")
    with tenant(cast.client_a.actor.path):
        assert taxes.treatment(seller, buyer, "standard", TODAY).percent == 19


def test_series_of_a_seller_differ_without_hyphens(cast: Cast) -> None:
    """They make the references of payments, which have none: what was used before is not used by another name."""
    own: dict[str, Any] = {"actor": cast.reseller_a.actor, "organization": cast.reseller_a.organization}
    sellers.change(series="A-B", **own)
    sellers.change(series="AB", **own)
    with transaction.atomic():
        numbers.next_number(cast.reseller_a.organization, "AB", 2026)
    sellers.change(series="ABC", **own)
    with pytest.raises(Invalid, match="AB, which you have used") as refusal:
        sellers.change(series="A-B", **own)
    assert refusal.value.field == "series"
    assert sellers.change(series="AB", **own).series == "AB"
    sellers.change(actor=cast.reseller_b.actor, organization=cast.reseller_b.organization, series="A-B")
