"""The order page of a brand, open to strangers: what is on sale, one product with its form, and an order on its way."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.generic.base import View

from accounts.models import Organization
from billing.formats import money
from billing.gateways.stripe import origins
from billing.models import Order, Price, Product, Seller
from billing.selectors import orders as selectors
from billing.selectors import sellers
from billing.services import order_buyers, order_estimates, orders, payments
from billing.web import order_progress
from billing.web.order_forms import WATCHED, OrderForm
from panel.core.actors import Actor
from panel.core.error_pages import too_many
from panel.core.errors import DomainError
from panel.core.web import refuse


class Shop(View):
    """A page of the brand whose panel this is, for strangers and clients; not there while it takes no orders."""

    organization: Organization
    seller: Seller
    actor: Actor | None
    counts = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find the seller by the host, and count what is sent."""
        self.organization = request.brand.organization  # type: ignore[attr-defined]
        self.seller = sellers.of(self.organization)
        self.actor = getattr(request, "actor", None)
        if not self.is_there():
            raise Http404
        if self.counts and not ratelimit.consume(request, action=self.counts):
            return too_many(request)
        return super().dispatch(request, *args, **kwargs)

    def is_there(self) -> bool:
        """Tell whether the page is there for anybody."""
        return self.seller.is_open

    def show(self, template: str, status: int = 200, **context: Any) -> HttpResponse:
        """Render a page under the seller's brand."""
        return render(self.request, template, {"seller": self.seller, **context}, status=status)

    def is_client(self) -> bool:
        """Tell whether one of the seller's clients is signed in, who orders for itself."""
        actor = self.actor
        return actor is not None and actor.kind == "client" and actor.path.startswith(self.organization.path)

    def is_stranger_here(self) -> bool:
        """Tell whether somebody is signed in who can't order here, such as the seller."""
        return self.actor is not None and not self.is_client()


class ShopPage(Shop):
    """All that is on sale."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show products with their prices."""
        offers = selectors.offers(self.organization, sellers.today(self.seller))
        return self.show("billing/shop.html", offers=offers, inclusive=self.seller.tax_mode == "inclusive")


class OrderPage(Shop):
    """One product: period, domain, who orders, how it is paid; sent, it becomes an order, once."""

    http_method_names = ["get", "post"]
    counts = "order"

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the form."""
        offer = self.offer(pk)
        first = request.GET.get("price") or offer.prices[0].pk
        ways = selectors.ways(self.seller)
        initial = {"key": secrets.token_urlsafe(24), "price": first, "pays_by": ways[0] if ways else ""}
        return self.page(offer, self.form(offer, initial=initial))

    def post(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """Place the order and lead on to its page, which asks for the money."""
        offer = self.offer(pk)
        form = self.form(offer, request.POST)
        if self.is_stranger_here() or not form.is_valid():
            return self.page(offer, form, status=400)
        data = form.cleaned_data
        try:
            order = orders.place(
                actor=self.actor,
                price=next(row for row in offer.prices if row.pk == data["price"]),
                wish=self.wish(data),
                password=data.get("password", ""),
            )
        except DomainError as error:
            refuse(form, error)
            return self.page(offer, form, status=error.status)
        return HttpResponseRedirect(reverse("billing:order_watch", args=[selectors.token(order)]))

    def offer(self, pk: str) -> selectors.Offer:
        """Return the product in the address with its prices; raises Http404 when it is not on sale here."""
        offers = selectors.offers(self.organization, sellers.today(self.seller))
        found = next((offer for offer in offers if offer.product.pk == pk), None)
        if found is None:
            raise Http404
        return found

    def wish(self, data: dict[str, Any]) -> orders.Wish:
        """Return what was typed, or what is known of who is signed in, as the service takes it."""
        texts = ("domain", "company", "address", "country", "vat_number", "email", "person")
        values = {name: data.get(name, "") for name in texts}
        user = self.request.user
        if self.is_client() and user.is_authenticated:
            values |= {"email": user.email, "person": user.name or user.email}
        return orders.Wish(
            key=f"form:{data['key']}",
            pays_by=data["pays_by"],
            locale=get_language() or "en",
            ip=get_adapter().get_client_ip(self.request),
            **values,
        )

    def form(self, offer: selectors.Offer, *sent: Any, **options: Any) -> OrderForm:
        """Return the form, with what was sent when something was."""
        brand = self.request.brand  # type: ignore[attr-defined]
        return OrderForm(
            *sent,
            prices=[(price, self.words(price)) for price in offer.prices],
            ways=selectors.ways(self.seller),
            wants_domain=offer.product.kind == Product.Kind.PACKAGE,
            wants_country=self.seller.is_taxed,
            wants_terms=bool(brand.terms_url),
            is_known=self.is_client(),
            **options,
        )

    @staticmethod
    def words(price: Price) -> str:
        """Return a price as one chooses it."""
        text = _("%(amount)s per %(cycle)s") % {
            "amount": money(price.amount, price.currency),
            "cycle": price.get_months_display(),
        }
        if price.setup:
            text += _(", setup %(amount)s") % {"amount": money(price.setup, price.currency)}
        return text

    def page(self, offer: selectors.Offer, form: OrderForm, status: int = 200) -> HttpResponse:
        """Render form and summary."""
        values = form.data if form.is_bound else form.initial
        return self.show(
            "billing/order_form.html",
            status=status,
            offer=offer,
            product=offer.product,
            form=form,
            summary=self.summary(offer, values),
            signed_in=self.is_client(),
            stranger_here=self.is_stranger_here(),
            sign_in_url=f"{reverse('account_login')}?next={self.request.path}",
        )

    def summary(self, offer: selectors.Offer, values: Any) -> order_estimates.Estimate:
        """Return what the chosen price costs who fills in the form, by the functions that will charge it."""
        price = next((row for row in offer.prices if row.pk == values.get("price")), offer.prices[0])
        customer = order_buyers.known(self.organization, self.actor) if self.is_client() and self.actor else None
        return order_estimates.of(
            seller=self.seller,
            price=price,
            customer=customer,
            country=str(values.get("country", ""))[:2],
            vat_number="",
            is_business=bool(values.get("company") or values.get("vat_number")),
        )


class SummaryPart(OrderPage):
    """The summary beside the form, and whether the domain can be ordered, as somebody types."""

    http_method_names = ["post"]
    counts = "order_look"

    def post(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Answer with the summary alone."""
        offer = self.offer(pk)
        values = {name: request.POST.get(name, "")[:300] for name in WATCHED}
        problem = ""
        if values["domain"] and offer.product.kind == Product.Kind.PACKAGE:
            try:
                orders.may_order(seller=self.organization, domain=values["domain"])
            except DomainError as error:
                problem = error.message
        summary = self.summary(offer, values)
        return self.show(
            "billing/order_summary.html",
            summary=summary,
            product=offer.product,
            domain=values["domain"],
            problem=problem,
        )


@method_decorator(never_cache, name="dispatch")
class WatchPage(Shop):
    """An order on its way, opened by the link alone: what is to be paid, and how far it is. It stays open to who is
    suspended until it is paid.
    """

    while_suspended = True
    http_method_names = ["get"]
    template_name = "billing/order_watch.html"

    def is_there(self) -> bool:
        """An order is to be seen whether or not further ones are taken."""
        return True

    def order(self, token: str) -> Order:
        """Return the order that the link opens at this panel; raises Http404."""
        found = selectors.by_token(token)
        if found is None or not found.seller.path.startswith(self.organization.path):
            raise Http404
        return found

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show it."""
        order = self.order(token)
        request.csp_form_action = origins()  # type: ignore[attr-defined]
        return self.show(self.template_name, order=order, progress=order_progress.of(order), token=token)


class WatchPart(WatchPage):
    """The part of an order's page that fetches itself again while something goes on."""

    template_name = "billing/order_part.html"


class PayPage(WatchPage):
    """Leads on to the payment service."""

    http_method_names = ["post"]
    counts = "order"

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Begin a payment of what is open."""
        order = self.order(token)
        back = reverse("billing:order_watch", args=[token])
        if order.invoice is None or order.buyer is None:
            return HttpResponseRedirect(back)
        actor = order_buyers.buying(order.buyer, order.person, get_adapter().get_client_ip(request))
        try:
            payment = payments.pay(
                actor=actor, invoice=order.invoice, key=f"order:{order.pk}:{secrets.token_hex(4)}", back=back
            )
        except DomainError as error:
            return self.show(
                "billing/order_watch.html",
                status=error.status,
                order=order,
                progress=order_progress.of(order),
                token=token,
                problem=error.message,
            )
        return HttpResponseRedirect(payment.checkout_url or back)
