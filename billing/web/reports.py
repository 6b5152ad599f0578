"""Pages of reports: profit, the documents behind a figure, recurring revenue, what is owed, taxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from billing.models import Seller
from billing.pricing.calendar import add_months
from billing.pricing.money import PLACES
from billing.pricing.profit import Profit
from billing.selectors import ageing, recurring, reports, sellers, tax_reports
from billing.selectors.recognition import Span
from billing.selectors.reports import Part, Time
from billing.web import report_tables as tables
from billing.web.behind_tables import bookings_url, receivables_url, subscriptions_url
from billing.web.report_forms import MONTH, MonthsForm
from panel.core.lists import ListsPage
from panel.core.web import Empty

USUAL_MONTHS = 12


class Point(NamedTuple):
    """What a chart draws: a month and an amount."""

    date: date
    value: Decimal


@dataclass(frozen=True)
class TimeRow:
    """A month, or more, as tables show it; `since` and `until` are months as addresses write them."""

    first: date
    since: str
    until: str
    currency: str
    income: Decimal
    cost: Decimal
    fees: Decimal
    net: Decimal
    margin: Fraction | None
    cash: Decimal

    @property
    def margin_order(self) -> Fraction:
        """What its margin is sorted by."""
        return Fraction(-1) if self.margin is None else self.margin


@dataclass(frozen=True)
class PartRow:
    """The income of a customer or product; `chosen` names it for the address of its documents."""

    name: str
    income: Decimal
    share: Fraction | None
    currency: str
    since: str
    until: str
    chosen: dict[str, str]


class ReportPage(ListsPage):
    """A report on months: those that the address names, or else the last twelve."""

    action = "report.view"
    heading: ClassVar[str | Promise] = ""
    title = gettext_lazy("Reports")
    form_class = MonthsForm
    report = ""
    """The report that the page is a part of, when it is none itself."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the report; with months that are none, what is wrong with them."""
        if not self.form.is_valid():
            return self.render_to_response(self.frame(), status=400)
        return super().get(request, *args, **kwargs)

    def chosen(self, name: str, usual: str = "") -> str:
        """Return what the address says beside the months. Http404 for a text that no row can hold."""
        found = self.request.GET.get(name, usual)
        if "\0" in found:
            raise Http404
        return found

    def frame(self, **kwargs: Any) -> dict[str, Any]:
        """Return what every report shows: tabs and months."""
        names = {
            "report_profit": _("Profit"),
            "report_recurring": _("Recurring revenue"),
            "report_owed": _("Owed"),
            "report_taxes": _("Taxes"),
        }
        tabs = [(reverse(f"billing:{name}"), label) for name, label in names.items()]
        at = reverse(f"billing:{self.report}") if self.report else self.request.path
        return super().get_context_data(
            form=self.form, tabs=tabs, tab=at, seller=self.seller, heading=self.heading, **kwargs
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what every report shows."""
        return self.frame(**kwargs)

    @cached_property
    def form(self) -> MonthsForm:
        """The months that the address names."""
        return self.form_class(
            self.request.GET if set(self.request.GET) & {"since", "until"} else None, usual=self.usual
        )

    @cached_property
    def seller(self) -> Seller:
        """What the actor's organization sells by."""
        return sellers.of(organizations.of_actor(self.actor))

    @cached_property
    def today(self) -> date:
        """The seller's date."""
        return sellers.today(self.seller)

    @cached_property
    def usual(self) -> tuple[date, date]:
        """The months that are shown when none are named."""
        return add_months(self.today.replace(day=1), 1 - USUAL_MONTHS), self.today.replace(day=1)

    @cached_property
    def spans(self) -> list[Span]:
        """The months of the report."""
        return reports.months(*self.form.months)

    @property
    def whole(self) -> Span:
        """All of them as one span."""
        return self.spans[0][0], self.spans[-1][1]

    def months_named(self, span: Span) -> dict[str, str]:
        """Return the first and last month of a span as addresses write them."""
        return {"since": span[0].strftime(MONTH), "until": add_months(span[1], -1).strftime(MONTH)}


class ProfitPage(ReportPage):
    """What selling earned, by month, customer and product."""

    heading = gettext_lazy("Profit")
    template_name = "billing/report_profit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the figures of the time, of its months, of customers and products, and of other currencies."""
        own = self.seller.currency
        found = reports.times(self.actor, self.spans)
        times = found.pop(own, None) or [Time(span, Profit()) for span in self.spans]
        total = _sum(times)
        customers = reports.by_customer(self.actor, self.whole, own)
        products = reports.by_product(self.actor, self.whole, own)
        rows = [self._row(time, own) for time in times]
        is_month = len(rows) == 1
        return super().get_context_data(
            total=self._row(total, own),
            is_month=is_month,
            period=tables.month_name(self.whole[0]) if is_month else "",
            break_even=reports.break_even(total.profit.cost, customers) if is_month else None,
            paying=sum(part.income > 0 for part in customers),
            profits=[Point(row.first, row.net) for row in rows],
            incomes=[Point(row.first, row.income) for row in rows],
            months=None if is_month else self.table(tables.TimeTable, rows, nothing_in_months()),
            customers=self._parts(customers, total, "customer"),
            products=self._parts(products, total, "product"),
            others=self._others(found),
            documents={side: tables.documents_url(self._row(total, own), side=side) for side in ("sales", "purchases")},
            bookings={figure: bookings_url(self._row(total, own), figure) for figure in ("lost", "cash")},
            **kwargs,
        )

    def _row(self, time: Time, currency: str) -> TimeRow:
        found = time.profit
        lost = found.fees + found.losses
        months = self.months_named(time.span)
        return TimeRow(
            time.first,
            months["since"],
            months["until"],
            currency,
            found.income,
            found.cost,
            lost,
            found.net,
            found.margin,
            time.cash,
        )

    def _parts(self, parts: Sequence[Part], total: Time, kind: str) -> Any:
        income, months = total.profit.income, self.months_named(self.whole)
        rows = [
            PartRow(
                part.name,
                part.income,
                Fraction(part.income) / Fraction(income) if income > 0 else None,
                self.seller.currency,
                **months,
                chosen={kind: part.key},
            )
            for part in parts
            if part.income
        ]
        return self.table(tables.PartTable, rows, nothing_in_months(), prefix=f"{kind}s-")

    def _others(self, found: dict[str, list[Time]]) -> Any:
        rows = [self._row(_sum(times), currency) for currency, times in sorted(found.items())]
        shown = [row for row in rows if row.income or row.cost or row.fees or row.cash]
        return self.table(tables.ForeignTable, shown, nothing_in_months(), prefix="currencies-") if shown else None


class DocumentsPage(ReportPage):
    """The lines of invoices and credit notes that a figure is the sum of."""

    title = gettext_lazy("Documents behind the figure")
    report = "report_profit"
    template_name = "billing/report_documents.html"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        """The report."""
        return [(_("Reports"), reverse("billing:report_profit"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the lines and their sum. Http404 for a side or currency that there is not."""
        query = self.request.GET
        side, currency = self.chosen("side", "sales"), self.chosen("currency", self.seller.currency)
        if side not in ("sales", "purchases") or currency not in PLACES:
            raise Http404
        product = self.chosen("product") if "product" in query else None
        chosen = {"customer": self.chosen("customer"), "product": product}
        rows = reports.documents(self.actor, side, self.whole, currency, **chosen)  # type: ignore[arg-type]
        table = tables.PurchasedLineTable if side == "purchases" else tables.SoldLineTable
        lines = self.table(table, rows, nothing_in_months(), per_page=25)
        lines.sums, lines.currency = {"part": reports.sum_of(rows, self.whole)}, currency
        return super().get_context_data(
            side=side,
            currency=currency,
            total=lines.sums["part"],
            hidden={name: query[name] for name in ("side", "currency", "customer", "product") if name in query},
            lines=lines,
            **kwargs,
        )


class RecurringPage(ReportPage):
    """What running subscriptions bring a month, and what was lost of it."""

    heading = gettext_lazy("Recurring revenue")
    template_name = "billing/report_recurring.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the months."""
        currency = self.seller.currency
        rows = recurring.months(self.actor, self.spans, currency, self.today)
        return super().get_context_data(
            newest=rows[-1],
            running_url=subscriptions_url(rows[-1], "running") if rows[-1].running else "",
            ended_url=subscriptions_url(rows[-1], "ended") if rows[-1].ended else "",
            revenues=[Point(row.first, row.revenue) for row in rows],
            months=self.table(tables.RecurringTable, rows, nothing_in_months()),
            **kwargs,
        )


class OwedPage(ReportPage):
    """Who owes what, by how long it is overdue."""

    heading = gettext_lazy("Owed")
    template_name = "billing/report_owed.html"

    @cached_property
    def form(self) -> MonthsForm:
        """No months: it is told of today."""
        return self.form_class(None, usual=self.usual)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the customers and the sums by currency."""
        rows = ageing.owed(self.actor, self.today)
        labels = [column.verbose_name for name, column in tables.OwedTable.base_columns.items() if name in ageing.PARTS]
        sums = [
            (
                currency,
                [
                    (label, amount, receivables_url(currency, part) if amount else "")
                    for label, amount, part in zip(labels, amounts, ageing.PARTS, strict=True)
                ],
                sum(amounts, Decimal(0)),
                receivables_url(currency),
            )
            for currency, amounts in ageing.totals(rows).items()
        ]
        empty = Empty("circle-check", _("Nobody owes you anything"), _("Every invoice that you have issued is paid."))
        return super().get_context_data(sums=sums, customers=self.table(tables.OwedTable, rows, empty), **kwargs)


class TaxesPage(ReportPage):
    """Taxes of issued documents by month, country and rate."""

    heading = gettext_lazy("Taxes")
    template_name = "billing/report_taxes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the rows."""
        rows = tax_reports.taxes(self.actor, self.whole)
        return super().get_context_data(
            taxes=self.table(tables.TaxTable, rows, nothing_in_months(), per_page=25), **kwargs
        )


def _sum(times: Sequence[Time]) -> Time:
    return Time(
        (times[0].span[0], times[-1].span[1]),
        sum((time.profit for time in times), Profit()),
        sum((time.cash for time in times), Decimal(0)),
    )


def nothing_in_months() -> Empty:
    """Return what a report says of months without any document."""
    return Empty("chart-bar", _("Nothing in these months"), _("Figures come from invoices that were issued."))
