"""Pages of what the figures of reports are sums of: bookings, subscriptions, open invoices, taxes of papers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import countries, formats
from billing.pricing.money import PLACES
from billing.pricing.rules import NUMBER
from billing.selectors import ageing, recurring, reports, tax_reports
from billing.web import behind_tables as tables
from billing.web.report_tables import month_name
from billing.web.reports import ReportPage, nothing_in_months
from panel.core.web import Empty

PER_PAGE = 25


class BehindPage(ReportPage):
    """What a figure is the sum of; the address says which figure. Http404 for one that there is not."""

    template_name = "billing/report_behind.html"
    report = "report_profit"
    has_months = True

    def breadcrumbs(self) -> list[tuple[str, str]]:
        """The report."""
        return [(_("Reports"), reverse(f"billing:{self.report}"))]

    @property
    def currency(self) -> str:
        """The currency of the figure."""
        found = self.chosen("currency", self.seller.currency)
        if found not in PLACES:
            raise Http404
        return found

    def said(self, sums: dict[str, Decimal], name: str) -> str:
        """Return an amount of the foot as people read it."""
        return formats.money(sums[name], self.currency)

    def listed(self, table: Any, rows: Any, sums: dict[str, Decimal], lead: str, empty: Empty) -> dict[str, Any]:
        """Return the list with its sums, and what is said above it."""
        made = self.table(table, rows, empty, per_page=PER_PAGE)
        made.sums, made.currency = sums, self.currency
        hidden = {name: value for name, value in self.request.GET.items() if name in self.names}
        return super().get_context_data(rows=made, lead=lead, hidden=hidden, has_months=self.has_months)

    names: tuple[str, ...] = ()
    """What the address says beside the months."""


class BookingsPage(BehindPage):
    """The entries of the books that fees, losses or the cash of a time are the sum of."""

    title = gettext_lazy("Bookings behind the figure")
    names = ("figure", "currency")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the entries and their sum."""
        figure = self.chosen("figure", "cash")
        if figure not in reports.BOOKED:
            raise Http404
        rows = reports.bookings(self.actor, figure, self.whole, self.currency)
        sums = {"part": reports.sum_booked(rows)}
        said = {
            "fees": _("Fees of %(sum)s are the sum of these bookings."),
            "losses": _("Losses of %(sum)s are the sum of these bookings."),
            "lost": _("Fees and losses of %(sum)s are the sum of these bookings."),
            "cash": _("Cash received of %(sum)s is the sum of these bookings: payments less what was paid back."),
        }
        lead = said[figure] % {"sum": self.said(sums, "part")}
        return self.listed(tables.BookingTable, rows, sums, lead, nothing_in_months())


class SubscriptionsPage(BehindPage):
    """The subscriptions that a month's recurring revenue, or what was lost of it, is the sum of."""

    title = gettext_lazy("Subscriptions behind the figure")
    report = "report_recurring"
    has_months = False

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the subscriptions of the last month that the address names."""
        span = self.spans[-1]
        kind: recurring.Kind = "ended" if self.chosen("kind") == "ended" else "running"
        rows = recurring.behind(self.actor, kind, span, self.currency, self.today)
        sums = {"revenue": sum((row.revenue for row in rows), Decimal(0))}
        said = {
            "running": _("Revenue of %(sum)s a month in %(month)s is what these subscriptions bring."),
            "ended": _("Lost in %(month)s were %(sum)s a month, which these subscriptions had brought."),
        }
        lead = said[kind] % {"sum": self.said(sums, "revenue"), "month": month_name(span[0])}
        empty = Empty("refresh", _("No subscriptions in this month"), _("Trials count from the day that they end."))
        return self.listed(tables.ShareTable, rows, sums, lead, empty)


class ReceivablesPage(BehindPage):
    """The open invoices that an amount that is owed is the sum of."""

    title = gettext_lazy("Invoices behind the figure")
    report = "report_owed"
    has_months = False

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the invoices and their sum."""
        part = self.chosen("part")
        if part not in ("", *ageing.PARTS):
            raise Http404
        rows = ageing.behind(self.actor, self.today, self.currency, part, self.chosen("customer"))
        sums = {"open": ageing.sum_of(rows)}
        lead = _("%(sum)s owed is the sum of what is open of these invoices.") % {"sum": self.said(sums, "open")}
        empty = Empty("circle-check", _("Nothing is owed here"), _("These invoices are paid by now."))
        return self.listed(tables.ReceivableTable, rows, sums, lead, empty)


class TaxedPage(BehindPage):
    """The papers that a row of the taxes is the sum of."""

    title = gettext_lazy("Documents behind the figure")
    report = "report_taxes"
    names = ("country", "code", "percent", "currency")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the papers and their sums."""
        told = self.chosen("percent", "0")
        if not NUMBER.fullmatch(told):
            raise Http404
        percent = Decimal(told)
        country, code = self.chosen("country"), self.chosen("code")
        rows = tax_reports.behind(self.actor, self.whole, self.currency, country, code, percent)
        base, tax = tax_reports.sums_of(rows)
        sums = {"base": base, "tax": tax}
        lead = _("Tax of %(tax)s on %(net)s, at %(percent)s %% in %(country)s, is the sum of these documents.") % {
            "tax": self.said(sums, "tax"),
            "net": self.said(sums, "base"),
            "percent": formats.exact(percent),
            "country": countries.name(country) or _("an unknown country"),
        }
        return self.listed(tables.TaxedTable, rows, sums, lead, nothing_in_months())
