"""Buyers as their seller knows them, and what is known of their VAT numbers."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Organization
from billing.models import Charge, Customer, Invoice, VatCheck
from billing.selectors import parties, sellers
from billing.tax.places import EU, prefix
from panel.core.actors import Actor
from panel.core.scoping import everything


def listed(actor: Actor) -> QuerySet[Customer]:
    """Return those who buy from the actor's organization."""
    return parties.sold_by(Customer.objects.select_related("buyer"), actor)


def visible(actor: Actor) -> QuerySet[Customer]:
    """Return the customers of which the actor's organization is seller or buyer."""
    return parties.of_party(Customer.objects.select_related("buyer"), actor)


def known() -> QuerySet[Customer]:
    """Return the customers within the scope; who may do what with one is the permission table's to say."""
    return Customer.objects.select_related("seller", "buyer")


def of(seller: Organization, buyer: Organization) -> Customer:
    """Return what one bills the other by, whatever the scope: as it is saved, or as it would be made, unsaved."""
    with everything("a customer has two parties"):
        found = Customer.objects.filter(seller=seller, buyer=buyer).first()
    if found is None:
        own = sellers.of(seller)
        return Customer(seller=seller, buyer=buyer, name=buyer.name, currency=own.currency, since=sellers.today(own))
    found.seller, found.buyer = seller, buyer
    return found


def own(buyer: Organization) -> Customer | None:
    """Return what an organization is billed by its seller by, saved or as it would be made; None for the provider."""
    seller = sellers.of_buyer(buyer)
    return None if seller is None else of(seller, buyer)


def missing(organization: Organization) -> QuerySet[Organization]:
    """Return the organizations right below a seller that are not its customers yet."""
    known = Customer._base_manager.filter(seller=organization, buyer=OuterRef("pk"))
    rows = Organization.objects.filter(parent=organization).exclude(status=Organization.Status.CLOSED)
    return rows.filter(~Exists(known)).order_by("name", "id")


def is_billed(customer: Customer) -> bool:
    """Tell whether anything was charged to a customer, after which its currency stays."""
    with everything("all papers of a customer"):
        charged = Charge.objects.filter(customer=customer).exists()
        return charged or Invoice.objects.filter(customer=customer).exists()


def last_check(customer: Customer) -> VatCheck | None:
    """Return the newest answer about a customer's VAT number as it is now."""
    with everything("evidence of a customer"):
        rows = VatCheck.objects.filter(customer_id=customer.pk, vat_number=customer.vat_number)
        return rows.order_by("-id").first()


def to_ask(unanswered: datetime, settled: datetime) -> QuerySet[Customer]:
    """Return whose VAT number the Union's service is to be asked about, longest waiting first: those without an answer
    that were not asked since `unanswered`, and those with one from before `settled`.
    """
    of_union = Q()
    for country in EU:
        of_union |= Q(vat_number__startswith=prefix(country))
    state = Customer.VatState
    waiting = Q(vat_state=state.UNCHECKED) & (Q(vat_asked_at=None) | Q(vat_asked_at__lte=unanswered))
    old = Q(vat_state=state.VALID, vat_asked_at__lte=settled)
    return Customer.objects.filter(waiting | old).filter(of_union).order_by("vat_asked_at", "id")
