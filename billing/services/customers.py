"""Buyers as their seller knows them: made when first needed, named by either side, termed by the seller."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organization
from billing.models import Customer
from billing.selectors import customers as selectors
from billing.services import sellers as seller_service
from billing.services import texts, vat_checks
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, insert
from panel.core.scoping import everything

PARTY = ("name", "address", "country", "region", "is_business", "vat_number", "email")
TERMS = ("currency", "exemption")


def ensure(*, actor: Actor, seller: Organization, buyer: Organization, currency: str = "") -> Customer:
    """Return what a seller bills a buyer by, made when it is not yet there: in `currency`, or in the seller's own.

    The seller of an organization is its parent. One that has moved away stays its old seller's customer.
    """
    found = selectors.of(seller, buyer)
    policy.require(actor, "customer.change", found)
    if not found._state.adding:
        return found
    if buyer.parent_id != seller.pk:
        raise Invalid("not_below", _("Only who stands right below a seller is its customer."), "organization")
    seller_service.ensure(seller)
    found.currency = texts.currency(currency or found.currency)
    with everything("a customer has two parties"):
        try:
            with transaction.atomic():
                insert(found, taken=_("This is a customer already."), field="buyer")
                audit.record(actor, "customer.create", found)
        except Conflict:
            found = selectors.of(seller, buyer)
    return found


def take_in(*, actor: Actor, organization: Organization) -> int:
    """Make customers of all organizations right below a seller; return how many there were."""
    policy.require(actor, "seller.change", organization)
    found = list(selectors.missing(organization))
    for buyer in found:
        ensure(actor=actor, seller=organization, buyer=buyer)
    return len(found)


def change(*, actor: Actor, customer: Customer, **values: Any) -> Customer:
    """Change who the customer is on invoices to come. A new VAT number is to be checked anew."""
    policy.require(actor, "customer.change", customer)
    texts.known(values, PARTY)
    with transaction.atomic():
        customer = ensure(actor=actor, seller=customer.seller, buyer=customer.buyer)
        return _change(actor, "customer.change", customer, values)


def set_terms(*, actor: Actor, customer: Customer, **values: Any) -> Customer:
    """Change what is the seller's alone to say: the currency, before anything is charged, and an exemption from tax."""
    policy.require(actor, "customer.set_terms", customer)
    texts.known(values, TERMS)
    return _change(actor, "customer.set_terms", customer, values)


def _change(actor: Actor, action: str, customer: Customer, values: dict[str, Any]) -> Customer:
    with transaction.atomic(), everything("a customer has two parties"):
        rows = Customer.objects.select_for_update(of=("self",), no_key=True).select_related("buyer", "seller")
        found = rows.filter(pk=customer.pk).first()
        if found is None:
            raise Conflict(_("This customer is gone."), code="gone")
        before = {field: getattr(found, field) for field in values}
        number = found.vat_number
        for field, value in values.items():
            setattr(found, field, value)
        _normalise(found)
        if "currency" in values and found.currency != before["currency"] and selectors.is_billed(found):
            raise Invalid("currency_stays", _("The currency stays from the first charge on."), "currency")
        if found.vat_number != number:
            vat_checks.begin(found)
        clean_or_invalid(found)
        found.save()
        audit.record(actor, action, found, audit.difference(before, {f: getattr(found, f) for f in values}))
    return found


def _normalise(customer: Customer) -> None:
    customer.country = texts.country(customer.country)
    customer.region = texts.region(customer.region, customer.country)
    customer.vat_number = texts.vat_number(customer.vat_number, customer.country)
    customer.is_business = customer.is_business or bool(customer.vat_number)
    customer.address = texts.lines(customer.address, "address")
    customer.exemption = texts.line(customer.exemption, "exemption")
    customer.currency = texts.currency(customer.currency)
