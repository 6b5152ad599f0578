"""Recurring revenue: what the running subscriptions bring a month (MRR), what was lost of it, who left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from django.db.models import Count, ExpressionWrapper, F, Q, Sum

from billing.fields import MoneyField
from billing.models import Component, Subscription
from billing.pricing.money import rounded
from billing.selectors import parties
from billing.selectors.recognition import Span
from panel.core.actors import Actor

Kind = Literal["running", "ended"]
VALUE = ExpressionWrapper(F("amount") * F("quantity"), output_field=MoneyField())


@dataclass(frozen=True)
class Recurring:
    """A month: `revenue` a month at its end, `lost` of what there was at its start, and subscriptions likewise."""

    span: Span
    currency: str
    revenue: Decimal
    lost: Decimal
    begun_with: int
    ended: int
    running: int

    @property
    def first(self) -> date:
        """The month's first day."""
        return self.span[0]

    @property
    def churn(self) -> Fraction | None:
        """The share of the subscriptions at the start that ended; None where there were none."""
        return Fraction(self.ended, self.begun_with) if self.begun_with else None

    @property
    def yearly(self) -> Decimal:
        """The revenue of a year at this rate."""
        return self.revenue * 12


@dataclass(frozen=True)
class Share:
    """What a subscription brings a month, or brought. Shares are cut from the sum, so that they sum to it: one that is
    no whole number of smallest units may be one more or less.
    """

    subscription: Subscription
    items: list[str]
    revenue: Decimal
    currency: str


def months(actor: Actor, spans: Sequence[Span], currency: str, today: date) -> list[Recurring]:
    """Return the recurring revenue of months, that of the running one as of `today`; 2 queries.

    A subscription of a year counts with a twelfth; trials, setup fees and use do not count.
    """
    ends = [min(end - timedelta(days=1), today) for _first, end in spans]
    sums: dict[str, Any] = {}
    for index, ((first, end), last) in enumerate(zip(spans, ends, strict=True)):
        left = Q(subscription__ended_on__gte=first, subscription__ended_on__lt=end)
        sums[f"revenue{index}"] = _value(_component_on(last))
        sums[f"lost{index}"] = _value(_component_on(first - timedelta(days=1)) & left)
    rows = parties.sold_by(Component.objects.filter(price__months__gt=0), actor, through="subscription__customer")
    rows = rows.filter(subscription__customer__currency=currency).order_by()
    exact: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows.values("price__months").annotate(**sums):
        for name in sums:
            exact[name] += Fraction(row[name]) / row["price__months"]
    counted = _counted(actor, spans, currency, ends)
    return [
        Recurring(
            span,
            currency,
            rounded(exact[f"revenue{index}"], currency),
            rounded(exact[f"lost{index}"], currency),
            counted[f"before{index}"],
            counted[f"ended{index}"],
            counted[f"running{index}"],
        )
        for index, span in enumerate(spans)
    ]


def behind(actor: Actor, kind: Kind, span: Span, currency: str, today: date) -> list[Share]:
    """Return the subscriptions behind the figures of a month, the newest first, each with its share of them: they sum
    to it. 3 queries.

    Those that run at its end make `revenue` and `running`; those that have ended in it make `lost` and `ended`.
    """
    first, end = span
    day = min(end - timedelta(days=1), today) if kind == "running" else first - timedelta(days=1)
    wanted = _running_on(day)
    if kind == "ended":
        wanted &= Q(ended_on__gte=first, ended_on__lt=end)
    rows = parties.sold_by(Subscription.objects.filter(wanted), actor, through="customer")
    rows = rows.filter(customer__currency=currency).select_related("customer").order_by("-id")
    parts = Component.objects.filter(_component_on(day), subscription__in=rows.order_by())
    names: dict[str, list[str]] = defaultdict(list)
    exact: dict[str, Fraction] = defaultdict(Fraction)
    for part in parts.select_related("product", "price").order_by("-is_main", "id"):
        names[part.subscription_id].append(str(part))
        if part.price.months:
            exact[part.subscription_id] += Fraction(part.amount) * part.quantity / part.price.months
    found, before, whole = [], Decimal(0), Fraction(0)
    for row in rows:
        whole += exact[row.pk]
        until = rounded(whole, currency)
        found.append(Share(row, names[row.pk], until - before, currency))
        before = until
    return found


def _counted(actor: Actor, spans: Sequence[Span], currency: str, ends: Sequence[date]) -> dict[str, int]:
    rows = parties.sold_by(Subscription.objects.all(), actor, through="customer").filter(customer__currency=currency)
    counts: dict[str, Any] = {}
    for index, ((first, end), last) in enumerate(zip(spans, ends, strict=True)):
        before = _running_on(first - timedelta(days=1))
        counts[f"before{index}"] = Count("pk", filter=before)
        counts[f"ended{index}"] = Count("pk", filter=before & Q(ended_on__gte=first, ended_on__lt=end))
        counts[f"running{index}"] = Count("pk", filter=_running_on(last))
    return rows.aggregate(**counts)


def _running_on(day: date, through: str = "") -> Q:
    """Select subscriptions that are paid for on a day."""
    begun = Q(**{f"{through}starts_on__lte": day}) & ~Q(**{f"{through}status": Subscription.Status.PENDING})
    ended = Q(**{f"{through}ended_on__isnull": True}) | Q(**{f"{through}ended_on__gt": day})
    tried = Q(**{f"{through}trial_until__isnull": True}) | Q(**{f"{through}trial_until__lte": day})
    return begun & ended & tried


def _component_on(day: date) -> Q:
    lasting = Q(ends_on__isnull=True) | Q(ends_on__gt=day)
    return _running_on(day, "subscription__") & Q(starts_on__lte=day) & lasting


def _value(wanted: Q) -> Sum:
    return Sum(VALUE, filter=wanted, default=0, output_field=MoneyField())
