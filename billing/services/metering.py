"""What the use of a metered product comes to, as charges that nothing has kept yet. It reads, and writes nothing.

Use is charged when a period is over. What becomes known later is another part, due when the next period ends: all that
is known now, less what was charged before. So parts and periods sum to what the whole use costs, however they are cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from billing.models import Charge, Component, Meter, MeterEvent, Price
from billing.pricing import calendar, rating, rules
from billing.pricing.money import rounded
from billing.selectors import sellers
from billing.selectors.usage import Scope
from billing.services import charges as charging
from panel.core.errors import Invalid

MARGIN = timedelta(hours=1)
"""So long before a charge was kept its use may have been read at the earliest."""
MEASURED_AGAIN = timedelta(days=92)
"""Measured days are looked at again for so long; later they are forgotten by and by."""
MOST_STEPS = 200
TEXT = 300


@dataclass
class _Span:
    """Days of a component that are charged at once, with the charges that were made for them."""

    start: date
    end: date
    parts: list[Charge] = field(default_factory=list)


def charges(component: Component, until: date) -> list[Charge]:
    """Return charges for the use of all periods that were over by `until` and were not charged yet, oldest first, and
    for use of earlier ones that became known since. `due_on` is the end of a period.

    Raises Invalid (`unpriced`) for use that the price's rule has no price for, and for a rule that is none.
    """
    product, subscription = component.product, component.subscription
    if not charging.is_metered(component) or product.meter is None:
        return []
    rule = rule_of(component.price)
    zone = sellers.of(subscription.customer.seller).time_zone
    months = component.price.months or subscription.months or 1
    scope = Scope(subscription, product.meter, zone, subscription.anchor, months)
    spans = list(_spans(component, scope, until))
    came = _came(scope, spans, until)
    made = []
    for span in spans:
        due_on = _due_on(scope, span, came.get(span.start)) if span.parts else span.end
        if due_on is not None and due_on <= until:
            charge = _charge(component, scope, rule, span, due_on)
            made += [charge] if charge else []
    return made


def came_late(component: Component, since: date, until: date, zone: ZoneInfo) -> bool:
    """Tell whether use of a charged component may have become known from the day `since` until before `until`.

    When measured days became known isn't kept: they may have, as long as they are looked at again.
    """
    meter, ended = component.product.meter, component.ends_on
    if meter is None or meter.source != Meter.Source.API:
        return ended is not None and until - ended < MEASURED_AGAIN
    known = (datetime.combine(since, time(), zone) - MARGIN, datetime.combine(until, time(), zone))
    rows = MeterEvent.objects.filter(subscription=component.subscription_id, meter=meter)
    return rows.filter(received_at__gte=known[0], received_at__lt=known[1]).exists()


def rule_of(price: Price) -> rules.Rule:
    """Return the rule of a price, in the price's currency; raises Invalid at the field `rule`."""
    return parsed(price.rule, price.currency)


def parsed(document: object, currency: str) -> rules.Rule:
    """Return the rule that a JSON document says, in a currency, which it may name itself; raises Invalid (`rule`)."""
    try:
        rule = rules.parse({"currency": currency, **document} if isinstance(document, dict) else document)
    except rules.RuleInvalid as error:
        raise Invalid("rule", str(error), "rule") from error
    if rule.currency != currency:
        raise Invalid("rule", _("The price is in %(currency)s; leave the rule's out.") % {"currency": currency}, "rule")
    return rule


def _spans(component: Component, scope: Scope, until: date) -> Iterator[_Span]:
    """Cut the days of a component at the ends of periods, as far as they were over by `until`.

    What was charged stays cut as it was, whatever became of anchor and end since.
    """
    subscription = component.subscription
    charged: dict[tuple[date, date], list[Charge]] = {}
    rows = component.charges.filter(kind=Charge.Kind.USAGE).order_by("starts_on", "part")
    for row in rows:
        charged.setdefault((row.starts_on, row.ends_on), []).append(row)
    stop = min(filter(None, (component.ends_on, subscription.cancel_on, subscription.ended_on)), default=None)
    start = max(component.starts_on, charging.first_day(subscription))
    for (first, last), parts in charged.items():
        yield from _cut(scope, start, first)
        yield _Span(first, last, parts)
        start = last
    yield from (span for span in _cut(scope, start, stop or until, ends=stop is not None) if span.end <= until)


def _cut(scope: Scope, start: date, stop: date, *, ends: bool = True) -> Iterator[_Span]:
    """Cut days at the ends of periods; what is left at the end is a span of its own where something `ends` there."""
    while start < stop:
        end = calendar.period_at(scope.anchor, scope.months, start)[1]
        if end > stop:
            if not ends:
                return
            end = stop
        yield _Span(start, end)
        start = end


def _due_on(scope: Scope, span: _Span, came: date | None) -> date | None:
    """Return when a later part of a span is due whose use became known on a day: at the first end of a period after
    that, and after the last part was due. None when none did.
    """
    if came is None:
        return None
    return calendar.period_at(scope.anchor, scope.months, max(came, *(part.due_on for part in span.parts)))[1]


def _came(scope: Scope, spans: Iterable[_Span], until: date) -> dict[date, date]:
    """Return, by first days of charged spans, since when use of theirs may have become known that is not charged."""
    charged = [span for span in spans if span.parts]
    if not charged:
        return {}
    if scope.meter.source != Meter.Source.API:
        newest, last = max(span.end for span in charged), until - timedelta(days=1)
        known = calendar.period_at(scope.anchor, scope.months, last)[0]
        return {span.start: known for span in charged if newest - span.end < MEASURED_AGAIN}
    since = min(span.parts[-1].created_at for span in charged) - MARGIN
    rows = scope.events().filter(received_at__gte=since, at__lt=scope.midnight(max(span.end for span in charged)))
    found: dict[date, date] = {}
    for row in rows.order_by("received_at", "id").values_list("at", "ends_at", "received_at").iterator():
        for span in charged:
            if span.start not in found and _touches(scope, span, row):
                found[span.start] = row[2].astimezone(ZoneInfo(scope.zone)).date()
    return found


def _touches(scope: Scope, span: _Span, row: tuple[datetime, datetime | None, datetime]) -> bool:
    at, ends_at, received_at = row
    inside = at < scope.midnight(span.end) and (ends_at or at) >= scope.midnight(span.start)
    return inside and received_at >= span.parts[-1].created_at - MARGIN


def _charge(component: Component, scope: Scope, rule: rules.Rule, span: _Span, due_on: date) -> Charge | None:
    """Return what is still to be charged for a span; None when that is nothing."""
    first = _counted_from(component, scope, rule, span)
    usage = scope.document(rule, first, span.end)
    try:
        found = rating.rate_part(rule, usage, scope.midnight(span.start))
    except rules.RuleInvalid as error:
        shown = {"what": component.product, "reason": error.message}
        raise Invalid("unpriced", _("The use of %(what)s can't be charged: %(reason)s") % shown, "rule") from error
    amount = rounded(found.exact, component.price.currency) - sum((part.amount for part in span.parts), Decimal(0))
    if not amount or (amount < 0 and scope.meter.source != Meter.Source.API):
        return None
    return Charge(
        customer=component.subscription.customer,
        component=component,
        kind=Charge.Kind.USAGE,
        starts_on=span.start,
        ends_on=span.end,
        part=max((part.part for part in span.parts), default=-1) + 1,
        due_on=due_on,
        text=_text(component, scope, found, late=bool(span.parts)),
        quantity=Decimal(1 if amount >= 0 else -1),
        unit_price=abs(amount),
        amount=amount,
        currency=component.price.currency,
        tax_category=component.product.tax_category,
        explanation=_explanation(found, span, first),
    )


def _counted_from(component: Component, scope: Scope, rule: rules.Rule, span: _Span) -> date:
    """Return the day from which on use counts against the allowance and the tiers of a span: the start of its window,
    no sooner than the subscription's first day that costs something.
    """
    if span.parts:
        return date.fromisoformat(span.parts[0].explanation[0]["from"])
    subscription = component.subscription
    earliest = charging.first_day(subscription)
    start = span.start
    if rule.window == "period" and start == max(component.starts_on, earliest):
        start = calendar.period_at(scope.anchor, scope.months, start)[0]
    elif rule.window != "period":
        start = min(start, rating.window_days(rule, subscription.customer.since, start)[0])
    return max(start, min(earliest, span.start))


def _text(component: Component, scope: Scope, found: rating.Rating, *, late: bool) -> str:
    shown = {
        "what": charging.name_of(component.subscription, component),
        "quantity": rating.text(Fraction(round(found.quantity * 1000), 1000)),
        "unit": scope.meter.unit,
    }
    text = _("%(what)s: %(quantity)s %(unit)s") % shown
    return (_("Reported late: %(text)s") % {"text": text} if late else text)[:TEXT]


def _explanation(found: rating.Rating, span: _Span, first: date) -> list[rating.Step]:
    """Return how a charge came about: what was counted, each step as far as they can be read, and earlier parts."""
    steps: list[rating.Step] = [{"step": "use", "from": first.isoformat(), "until": span.end.isoformat()}]
    steps += found.explanation[:-1][:MOST_STEPS]
    if len(found.explanation) - 1 > MOST_STEPS:
        steps.append({"step": "more", "count": len(found.explanation) - 1 - MOST_STEPS})
    steps.append(found.explanation[-1])
    if span.parts:
        charged = sum((part.amount for part in span.parts), Decimal(0))
        steps.append({"step": "charged_before", "amount": rating.text(Fraction(charged))})
    return steps
