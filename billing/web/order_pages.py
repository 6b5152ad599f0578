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
from billing.gateways.stripe import origins
from billing.models import Order, Product, Seller
from billing.selectors import orders as selectors
from billing.selectors import sellers, tax_rates
from billing.services import order_buyers, order_estimates, orders, payments, texts
from billing.web import order_progress
from billing.web.order_forms import OrderForm
from panel.core.actors import Actor
from panel.core.error_pages import too_many
from panel.core.errors import DomainError, Invalid
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
    """One product: period, domain, add-ons, who orders, how it is paid; sent, it becomes an order, once. Without
    scripts a button works out the sum.
    """

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
        form.full_clean()
        if "look" in request.POST:
            again = self.form(offer, initial=request.POST.dict())
            return self.show("billing/order_form.html", **self.shown(offer, again, self.summed(form)))
        if self.is_stranger_here() or not form.is_valid():
            return self.page(offer, form, status=400)
        data = form.cleaned_data
        try:
            order = orders.place(
                actor=self.actor,
                price=data["row"],
                wish=self.wish(data),
                password=data.get("password", ""),
            )
        except DomainError as error:
            refuse(form, _for_buyers(error))
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
        typed = ("domain", "company", "address", "country", "region", "vat_number", "email", "person")
        values = {name: data.get(name, "") for name in typed}
        user = self.request.user
        if self.is_client() and user.is_authenticated:
            values |= {"email": user.email, "person": user.name or user.email}
        return orders.Wish(
            key=f"form:{data['key']}",
            pays_by=data["pays_by"],
            locale=get_language() or "en",
            ip=get_adapter().get_client_ip(self.request),
            addons=data["extras"],
            **values,
        )

    def form(self, offer: selectors.Offer, *sent: Any, **options: Any) -> OrderForm:
        """Return the form, with what was sent when something was."""
        brand = self.request.brand  # type: ignore[attr-defined]
        return OrderForm(
            *sent,
            offer=offer,
            addons=selectors.addons(self.organization, sellers.today(self.seller), offer),
            ways=selectors.ways(self.seller),
            wants_domain=offer.product.kind == Product.Kind.PACKAGE,
            wants_country=self.seller.is_taxed,
            wants_region=tax_rates.by_region(self.organization) if self.seller.is_taxed else [],
            wants_terms=bool(brand.terms_url),
            is_known=self.is_client(),
            **options,
        )

    def page(self, offer: selectors.Offer, form: OrderForm, status: int = 200) -> HttpResponse:
        """Render form and summary."""
        return self.show("billing/order_form.html", status=status, **self.shown(offer, form, self.summed(form)))

    def shown(self, offer: selectors.Offer, form: OrderForm, summed: dict[str, Any]) -> dict[str, Any]:
        """Return what the page shows."""
        return {
            "offer": offer,
            "product": offer.product,
            "form": form,
            "signed_in": self.is_client(),
            "stranger_here": self.is_stranger_here(),
            "sign_in_url": f"{reverse('account_login')}?next={self.request.path}",
            **summed,
        }

    def summed(self, form: OrderForm) -> dict[str, Any]:
        """Return as `summary` what is chosen costs who fills in the form, by the functions that will charge it, and as
        `problems` why it can't be told, or can't be had.
        """
        values = form.cleaned_data if form.is_bound else form.initial
        prices = {row.pk: row for row in form.offer.prices}
        customer = order_buyers.known(self.organization, self.actor) if self.is_client() and self.actor else None
        watched = [field for field in form if field.name in ("region", *form.addons)]
        problems = [f"{field.label}: {text}" for field in watched for text in form.errors.get(field.name, [])]
        try:
            summary = order_estimates.of(
                seller=self.seller,
                price=prices.get(str(values.get("price")), form.offer.prices[0]),
                customer=customer,
                addons=values.get("extras", ()),
                country=str(values.get("country", "")),
                region=texts.region(str(values.get("region", "")), str(values.get("country", ""))),
                vat_number="",
                is_business=bool(values.get("company") or values.get("vat_number")),
            )
        except DomainError as error:
            return {"summary": None, "problems": [*problems, _for_buyers(error).message]}
        return {"summary": summary, "problems": problems}


class SummaryPart(OrderPage):
    """The summary beside the form, and whether the domain can be ordered, as somebody types."""

    http_method_names = ["post"]
    counts = "order_look"

    def post(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Answer with the summary alone."""
        offer = self.offer(pk)
        form = self.form(offer, request.POST)
        form.full_clean()
        domain, problem = request.POST.get("domain", "")[:300], ""
        if domain and offer.product.kind == Product.Kind.PACKAGE:
            try:
                orders.may_order(seller=self.organization, domain=domain)
            except DomainError as error:
                problem = error.message
        summed = self.summed(form)
        return self.show("billing/order_summary.html", product=offer.product, domain=domain, problem=problem, **summed)


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


def _for_buyers(error: DomainError) -> DomainError:
    """Return a refusal as buyers may read it: a rate of tax that is not set is the seller's affair."""
    if error.code != "no_tax_rate":
        return error
    text = _("Nothing can be ordered from this country yet: its tax is not known here. Ask us for an offer.")
    return Invalid(error.code, text, "country")
