"""What homes tell of money: the profit of the month with what other prices would earn, income, invoices to pay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import urlencode

from django.db.models import Q, Sum
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Organization
from billing import formats
from billing.fields import MoneyField
from billing.models import Receivable, Seller
from billing.pricing import profit
from billing.pricing.money import places, rounded
from billing.selectors import parties, reports, sellers
from billing.selectors.reports import Time
from panel.core import policy
from panel.core.actors import Actor

NO_CUSTOMERS_YET = 10
"""So many customers a price is tried with while there are none."""
MOST_CUSTOMERS = 50
LEAST_TOP = Decimal(50)
MOST_SHOWN = 5


@dataclass(frozen=True)
class Figure:
    """An amount on a home and where it leads."""

    label: str
    value: str
    url: str = ""
    note: str = ""


@dataclass(frozen=True)
class Earnings:
    """The month's profit, and what a slider of prices starts with. `fee` is the month's cost."""

    month: date
    time: Time
    currency: str
    customers: int
    price: Decimal
    top: Decimal
    step: Decimal

    @property
    def month_name(self) -> str:
        """The month as people write it."""
        return date_format(self.month, "YEAR_MONTH_FORMAT")

    @property
    def url(self) -> str:
        """The month's report."""
        return _report_of(self.month)

    @property
    def places(self) -> int:
        """The decimal places of the currency."""
        return places(self.currency)

    @property
    def fee(self) -> Decimal:
        """What the month costs."""
        return self.time.profit.cost

    @property
    def lost(self) -> Decimal:
        """What payments cost, and what was written off."""
        return self.time.profit.fees + self.time.profit.losses

    @property
    def tried(self) -> int:
        """How many customers the slider starts with."""
        return self.customers or NO_CUSTOMERS_YET

    @property
    def most(self) -> int:
        """How many it goes to."""
        return max(MOST_CUSTOMERS, self.tried * 3)


def of_reseller(actor: Actor, own: Organization) -> Earnings | None:
    """Return what a reseller earns this month; None for who may not see it, and before there is any document."""
    if not policy.allowed(actor, "report.view"):
        return None
    seller = sellers.of(own)
    today = sellers.today(seller)
    found = reports.of_month(actor, seller.currency, today)
    if seller._state.adding and found.profit == profit.Profit():
        return None
    parts = reports.by_customer(actor, found.span, seller.currency)
    average = reports.average(parts)
    top, step = _scale(average, seller.currency)
    price = (average / step).quantize(Decimal(1), ROUND_HALF_UP) * step if average else top / 5
    customers = sum(part.income > 0 for part in parts)
    return Earnings(found.first, found, seller.currency, customers, price, top, step)


def of_provider(actor: Actor, own: Organization) -> list[Figure]:
    """Return income and cash of this month and what is owed; nothing before a sale, or for who may not see it."""
    if not policy.allowed(actor, "report.view"):
        return []
    seller = sellers.of(own)
    today = sellers.today(seller)
    month = reports.of_month(actor, seller.currency, today)
    owed, overdue = _owed(actor, seller, today)
    if month.profit == profit.Profit() and not owed:
        return []
    url = _report_of(month.first)
    name = date_format(month.first, "YEAR_MONTH_FORMAT")
    late = _("%(sum)s overdue") % {"sum": formats.money(overdue, seller.currency)} if overdue else ""
    to_owed = reverse("billing:overdue_list" if overdue else "billing:report_owed")
    return [
        Figure(_("Income in %(month)s") % {"month": name}, formats.money(month.profit.income, seller.currency), url),
        Figure(_("Cash in %(month)s") % {"month": name}, formats.money(month.cash, seller.currency), url),
        Figure(_("Owed to you"), formats.money(owed, seller.currency), to_owed, late),
    ]


def to_pay(actor: Actor) -> list[Receivable]:
    """Return the invoices that the actor's organization has to pay, the most urgent first; one query."""
    if not policy.allowed(actor, "invoice.view"):
        return []
    rows = Receivable.objects.filter(settled_at__isnull=True).select_related("invoice")
    return list(parties.bought_by(rows, actor, through="invoice").order_by("due_on", "id")[:MOST_SHOWN])


def _report_of(month: date) -> str:
    """Return the address of a month's report."""
    named = month.strftime("%Y-%m")
    return f"{reverse('billing:report_profit')}?{urlencode({'since': named, 'until': named})}"


def _owed(actor: Actor, seller: Seller, today: date) -> tuple[Decimal, Decimal]:
    rows = parties.sold_by(Receivable.objects.filter(settled_at__isnull=True, currency=seller.currency), actor)
    late = Sum("open", filter=Q(due_on__lt=today), default=0, output_field=MoneyField())
    found = rows.aggregate(all=Sum("open", default=0, output_field=MoneyField()), late=late)
    return found["all"], found["late"]


def _scale(average: Decimal, currency: str) -> tuple[Decimal, Decimal]:
    """Return where a slider of prices ends, and its steps: some hundred of them."""
    top = max(LEAST_TOP, average * 3)
    size = Decimal(1).scaleb(top.adjusted())
    top = rounded((top / size).to_integral_value("ROUND_CEILING") * size, currency)
    return top, max(size / 100, Decimal("0.5") if places(currency) else Decimal(1))
