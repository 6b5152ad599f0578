"""Orders as their parties see them, and what an order page offers. Placing and carrying out is the services' affair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.core.signing import BadSignature, Signer
from django.db.models import Prefetch, Q, QuerySet, Sum
from django.urls import reverse

from accounts.models import Organization
from accounts.selectors import brands
from billing.models import Gateway, Order, OrderAddon, Payment, Price, Product, Seller
from billing.selectors.parties import bought_by, of_party, sold_by
from panel.core.actors import Actor
from panel.core.scoping import everything

KINDS = (Product.Kind.PACKAGE, Product.Kind.PLAN)
"""What is sold on an order page."""
ADDED = (Product.Kind.ADDON,)
"""What is sold there with it; the rest is added to what somebody has."""

_signer = Signer(salt="billing.order")


@dataclass(frozen=True)
class Offer:
    """A product with the prices that are in force, cheapest cycle first."""

    product: Product
    prices: list[Price] = field(default_factory=list)


def listed(actor: Actor) -> QuerySet[Order]:
    """Return the orders that the actor's organization sold or placed, newest first."""
    return of_party(_rows(), actor)


def sold(actor: Actor) -> QuerySet[Order]:
    """Return the orders that the actor's organization sold, newest first."""
    return sold_by(_rows(), actor)


def bought(actor: Actor) -> QuerySet[Order]:
    """Return the orders that the actor's organization placed, newest first."""
    return bought_by(_rows(), actor)


def found(rows: QuerySet[Order], *, status: str = "", q: str = "") -> QuerySet[Order]:
    """Narrow orders down to a state, and to those with a text in domain, buyer or mail address."""
    if status:
        rows = rows.filter(status=status)
    named = Q(domain__icontains=q) | Q(person__icontains=q) | Q(email__icontains=q) | Q(company__icontains=q)
    return rows.filter(named) if q else rows


def addons(seller: Organization, on: date, offer: Offer) -> list[Offer]:
    """Return the add-ons that an order page offers with a product: those that go with one of its prices."""
    found = offers(seller, on, kinds=ADDED)
    return [each for each in found if any(fitting(each, price) for price in offer.prices)]


def fitting(addon: Offer, price: Price) -> Price | None:
    """Return the price of an add-on that goes with a price: of its currency and cycle; None where there is none."""
    wanted = (price.currency, price.months)
    return next((row for row in addon.prices if (row.currency, row.months) == wanted), None)


def offers(seller: Organization, on: date, *, public: bool = True, kinds: Sequence[str] = KINDS) -> list[Offer]:
    """Return what a seller has on sale on a day: with `public` what its order page shows, else all packages and plans
    (or products of other `kinds`).

    Two queries, however much there is.
    """
    with everything("an order page is read by strangers"):
        products = Product.objects.filter(organization=seller, kind__in=kinds, archived_at__isnull=True)
        if public:
            products = products.filter(is_public=True)
        if seller.kind == Organization.Kind.RESELLER and not seller.resellers_allowed:
            products = products.exclude(kind=Product.Kind.PLAN)
        rows = Price.objects.filter(product__in=products, months__gt=0, valid_from__lte=on)
        rows = rows.select_related("product__package", "product__plan", "product__organization")
        found: dict[tuple[str, str, int], Price] = {}
        for row in rows.order_by("product__name", "product_id", "currency", "months", "-valid_from"):
            found.setdefault((row.product_id, row.currency, row.months), row)
    by_product: dict[str, list[Price]] = defaultdict(list)
    for row in found.values():
        if row.ended_on is None or row.ended_on > on:
            by_product[row.product_id].append(row)
    return [Offer(prices[0].product, prices) for prices in by_product.values()]


def ways(seller: Seller) -> list[str]:
    """Return how a seller's buyers may pay: by card with a gateway, in advance to a bank, later where it says so."""
    found = []
    with everything("how one may pay is told to strangers"):
        if Gateway.objects.filter(organization=seller.organization_id, is_active=True).exists():
            found.append(Order.Payment.CARD)
    if seller.iban or seller.bank_details:
        found.append(Order.Payment.TRANSFER)
    if seller.takes_invoices:
        found.append(Order.Payment.INVOICE)
    return [str(way) for way in found]


def token(order: Order) -> str:
    """Return the text that opens an order's page without a sign-in."""
    return _signer.sign(order.pk)


def link(order: Order) -> str:
    """Return the address of an order's page, for a mail: at the panel where the buyer's people sign in."""
    place = order.buyer or order.seller
    with everything("a brand may belong to an ancestor"):
        home = brands.for_organization(brands.root_for_member(place))
    return brands.base_url(home) + reverse("billing:order_watch", args=[token(order)])


def by_token(text: str) -> Order | None:
    """Return the order that a link opens, or None."""
    try:
        pk = _signer.unsign(text)
    except BadSignature:
        return None
    with everything("whoever holds the link may read it"):
        return _rows().filter(pk=pk).first()


def paid(order: Order) -> Decimal:
    """Return what was paid for an order and not paid back: what its refusal leaves to return."""
    rows = Payment.objects.filter(invoice=order.invoice_id, status=Payment.Status.SUCCEEDED)
    sums = rows.aggregate(came=Sum("amount"), went=Sum("refunded")) if order.invoice_id else {}
    return (sums.get("came") or Decimal(0)) - (sums.get("went") or Decimal(0))


def to_do() -> list[str]:
    """Return the ids of orders that are to be set up, or whose setting up may have ended."""
    with everything("orders in hand"):
        waiting = Order.objects.filter(status=Order.Status.BUILDING)
        mended = Order.objects.filter(status=Order.Status.FAILED, operation__status="applied")
        return [*waiting.order_by("id").values_list("id", flat=True)[:200], *mended.values_list("id", flat=True)[:50]]


def _rows() -> QuerySet[Order]:
    return (
        Order.objects.select_related(
            "product__package",
            "product__plan",
            "price",
            "seller",
            "buyer",
            "customer",
            "invoice__receivable",
            "subscription__hosting",
            "operation",
        )
        .prefetch_related(Prefetch("addons", OrderAddon.objects.select_related("price__product")))
        .order_by("-id")
    )
