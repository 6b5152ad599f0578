"""What homes and the search tell of money, and to whom."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from html import unescape

from django.urls import reverse
from django.utils import timezone

from billing.models import Invoice, Receivable
from billing.selectors import reports
from billing.services import meters
from panel.core.scoping import everything, tenant
from tests.billing import factories
from tests.cast import Cast, Person


def read(person: Person, url: str = "/") -> str:
    """Return a page, its no-break spaces as spaces."""
    page = person.browser().get(url, follow=True).content.decode()
    return unescape(page).replace("\N{NO-BREAK SPACE}", " ")


def this_month() -> tuple[date, date]:
    """Return the month that it is."""
    return reports.month_of(timezone.now().date())


def owed(invoice: Invoice) -> Receivable:
    """Let an invoice be open."""
    with everything("test"):
        return Receivable.objects.create(
            invoice=invoice,
            seller=invoice.seller,
            customer=invoice.customer,
            currency=invoice.currency,
            due_on=date(2026, 1, 1),
            open=invoice.gross,
        )


def test_a_reseller_sees_the_month_s_profit_and_what_other_prices_would_earn(cast: Cast):
    reseller = cast.reseller_a.organization
    factories.seller(reseller)
    bought = factories.customer(cast.provider.organization, reseller)
    factories.paper(bought, ("30.00", *this_month()))
    factories.paper(factories.customer(reseller, cast.client_a.organization), ("12.50", *this_month()))
    page = read(cast.reseller_a)
    assert "\N{MINUS SIGN}17.50 USD" in page
    assert 'data-fee="30.0000"' in page
    assert 'type="range" id="profit-price" data-price min="0" max="50.00" step="0.5" value="12.5"' in page
    assert 'data-customers min="0" max="50" step="1" value="1"' in page
    assert "profit.js" in page


def test_a_reseller_who_has_not_begun_is_led_to_the_beginning(cast: Cast):
    page = read(cast.reseller_b)
    assert "profit-price" not in page
    assert reverse("billing:start") in page
    assert reverse("billing:report_profit") not in page
    steps = read(cast.reseller_b, reverse("billing:start"))
    for route in ("seller", "product_list", "customer_list"):
        assert f'<a href="{reverse(f"billing:{route}")}">' in steps
    factories.seller(cast.reseller_b.organization)
    page = read(cast.reseller_b)
    assert reverse("billing:start") not in page
    assert reverse("billing:report_profit") in page


METERING = ("meter_list", "feed_list", "calculator", "hook_list")


def test_a_seller_finds_what_is_billed_by_use_and_its_webhooks_in_the_menu(cast: Cast):
    for person in (cast.reseller_a, cast.provider):
        factories.seller(person.organization)
        page = read(person)
        for route in METERING:
            assert f'<a class="nav-link" href="{reverse(f"billing:{route}")}">' in page
    for other in (cast.reseller_b, cast.client_a):
        page = read(other)
        for route in METERING:
            assert reverse(f"billing:{route}") not in page


def test_who_prices_what_is_sold_by_use_is_led_to_meters_and_the_calculator(cast: Cast):
    own = cast.reseller_a
    with tenant(own.actor.path):
        meter = meters.create(actor=own.actor, organization=own.organization, name="Packets", unit="packets")
    metered = factories.price(own.organization, "Packets", kind="metered", meter=meter, months=0).product
    addon = factories.price(cast.reseller_a.organization, "Support").product
    ways = {
        reverse("billing:price_create", args=[metered.pk]): ("meter_list", "calculator"),
        reverse("billing:product", args=[metered.pk]): ("calculator",),
        reverse("billing:product_create", args=["metered"]): ("meter_list",),
        reverse("billing:price_create", args=[addon.pk]): (),
    }
    for url, routes in ways.items():
        actions = read(cast.reseller_a, url).partition("page-actions")[2].partition("</div>")[0]
        found = [route for route in ("meter_list", "calculator") if reverse(f"billing:{route}") in actions]
        assert tuple(found) == routes, url


def test_a_provider_sees_income_and_what_is_owed(cast: Cast):
    factories.seller(cast.provider.organization)
    customer = factories.customer(cast.provider.organization, cast.reseller_a.organization)
    owed(factories.paper(customer, ("30.00", *this_month())))
    page = read(cast.provider)
    assert "Income in" in page
    assert "30.00 USD overdue" in page


def test_who_has_an_invoice_to_pay_sees_it_at_home_and_nobody_else_does(cast: Cast):
    customer = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    invoice = factories.paper(customer, ("44.00", *this_month()))
    open_row = owed(invoice)
    assert "44.00 USD" in read(cast.client_a)
    assert reverse("billing:invoice", args=[invoice.pk]) in read(cast.client_a)
    for other in (cast.client_b, cast.client_sub, cast.outsider):
        assert "44.00" not in read(other)
    with everything("test"):
        Receivable.objects.filter(pk=open_row.pk).update(open=Decimal(0), settled_at=timezone.now())
    assert "Invoices to pay" not in read(cast.client_a)


def test_the_search_finds_invoices_and_customers_of_one_s_own(cast: Cast):
    customer = factories.customer(cast.reseller_a.organization, cast.client_a.organization, name="Quayside Cafe")
    invoice = factories.paper(customer, ("44.00", *this_month()), label="INV-QUAY-7")
    search = reverse("dashboard:search")
    found = read(cast.reseller_a, f"{search}?q=quay")
    assert reverse("billing:invoice", args=[invoice.pk]) in found
    assert reverse("billing:customer", args=[customer.pk]) in found
    assert "INV-QUAY-7" in read(cast.client_a, f"{search}?q=quay")
    for other in (cast.provider, cast.reseller_b, cast.client_b):
        assert "Nothing found" in read(other, f"{search}?q=quay")
