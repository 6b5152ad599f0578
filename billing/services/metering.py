"""What the use of a metered product comes to, as charges. All but `keep` reads, and writes nothing.

Use is charged when a period is over, as far as it was told before that day. What is told later is another part, due
when the next period ends: all that is known then, less what was charged before. So parts and periods sum to what the
whole use costs, however they are cut, and nothing follows from when a run came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db.models import Max
from django.utils.translation import gettext as _

from billing.models import Charge, Component, Meter, Price
from billing.pricing import calendar, rating, rules
from billing.pricing.money import rounded
from billing.selectors import sellers
from billing.selectors.usage import LATE, Scope
from billing.services import charges as charging
from panel.core.errors import Invalid

MARGIN = timedelta(hours=1)
"""What was told so long before the end of a period may not have been there yet when that was charged."""
MEASURED_AGAIN = timedelta(days=92)
"""Measured days are looked at again for so long; later they are forgotten by and by."""
LONGEST = timedelta(days=31)
"""A period by use has no more days."""
MOST_STEPS = 200
MOST_SEGMENTS = 1_000_000
"""So many segments at a price in time are charged at once."""
TEXT = 300


@dataclass
class _Span:
    """Days of a component that are charged at once, with the charges that were made for them.

    Use from the day `counted` on counts against their allowance and tiers.
    """

    start: date
    end: date
    counted: date = date.min
    parts: list[Charge] = field(default_factory=list)


def keep(component: Component, until: date) -> list[Charge]:
    """Keep what `charges` returns, and how far that goes; the caller has locked the subscription. For the run."""
    made = charges(component, until)
    charging.keep(made)
    component.rated_until = max(_borders(component, until), default=component.rated_until)
    component.save(update_fields=["rated_until"])
    return made


def is_due(component: Component, until: date) -> bool:
    """Tell whether a period of a component was over by a day whose use was not charged, or whose late use."""
    return bool(_borders(component, until))


def charges(component: Component, until: date) -> list[Charge]:
    """Return charges for the use of all periods that were over by `until` and were not charged yet, oldest first, and
    for use of earlier ones that became known since. `due_on` is the end of a period.

    Each end of a period is gone through for itself, with what was told before that day: so runs that come late charge
    what timely ones would have. Raises Invalid (`unpriced`) for use that the price's rule has no price for, and for a
    rule that is none.
    """
    product = component.product
    if not charging.is_metered(component) or product.meter is None:
        return []
    rule = rule_of(component.price)
    scope = _scope(component, product.meter)
    borders, since = _borders(component, until), component.rated_until
    spans = _spans(component, scope, rule, until, since)
    made: list[Charge] = []
    for border in borders:
        is_last = border == borders[-1]
        touched = _touched(scope, spans, since, border, is_last=is_last)
        for span in sorted(touched, key=lambda span: span.start):
            charge = _charge(component, scope, rule, span, border)
            if charge:
                span.parts.append(charge)
                made.append(charge)
        since = border
    return made


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


def _scope(component: Component, meter: Meter) -> Scope:
    subscription = component.subscription
    zone = sellers.of(subscription.customer.seller).time_zone
    return Scope(subscription, meter, zone, subscription.anchor, _months(component))


def _months(component: Component) -> int:
    return component.price.months or component.subscription.months or 1


def _start(component: Component) -> date:
    return max(component.starts_on, charging.first_day(component.subscription))


def _stop(component: Component) -> date | None:
    subscription = component.subscription
    return min(filter(None, (component.ends_on, subscription.cancel_on, subscription.ended_on)), default=None)


def _borders(component: Component, until: date) -> list[date]:
    """Return the ends of periods, and of the component, on which use is charged: after the last one that was, by
    `until`. What has ended has some more, as long as use of it may be told.
    """
    start, stop = _start(component), _stop(component)
    day = max(component.rated_until or start, start)
    found = []
    while stop is None or (start < stop and day < stop + LATE):
        end = calendar.period_at(component.subscription.anchor, _months(component), day)[1]
        day = stop if stop is not None and day < stop < end else end
        if day > until:
            break
        found.append(day)
    return found


def _spans(component: Component, scope: Scope, rule: rules.Rule, until: date, since: date | None) -> list[_Span]:
    """Return the days of a component, cut at the ends of periods, as far as they were over by `until` and use of them
    may have become known after the day `since`.

    What was charged stays cut as it was, whatever became of anchor and end since.
    """
    oldest = (since or component.starts_on) - LATE - LONGEST
    rows = component.charges.filter(kind=Charge.Kind.USAGE).order_by("starts_on", "part")
    before = rows.filter(ends_on__lte=oldest).aggregate(end=Max("ends_on"))["end"]
    start = max(_start(component), before or _start(component))
    charged: dict[tuple[date, date], list[Charge]] = {}
    for row in rows.filter(ends_on__gt=oldest):
        charged.setdefault((row.starts_on, row.ends_on), []).append(row)
    found: list[_Span] = []
    for (first, last), parts in charged.items():
        found += [*_cut(scope, start, first), _Span(first, last, parts=parts)]
        start = last
    stop = _stop(component)
    if since is not None:
        found += _cut(scope, start, min(since, stop or since))
        start = max(start, since)
    found += _cut(scope, start, stop or until, ends=stop is not None)
    found = [span for span in found if oldest < span.end <= until]
    for span in found:
        span.counted = _counted_from(component, scope, rule, span)
    return found


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


def _touched(scope: Scope, spans: Sequence[_Span], since: date | None, border: date, *, is_last: bool) -> list[_Span]:
    """Return the spans that something may be charged for at a border: those that end there, and earlier ones of which
    use became known since the border before. When measured days became known isn't kept: at the last border they may.
    """
    early = [span for span in spans if span.end < border]
    found = [span for span in spans if span.end == border]
    if since is None or not early:
        return found
    if scope.meter.source != Meter.Source.API:
        return found + [span for span in early if is_last and border - span.end < MEASURED_AGAIN]
    told = scope.events().filter(
        received_at__gte=scope.midnight(since) - MARGIN,
        received_at__lt=scope.midnight(border),
        at__gte=scope.midnight(since) - LATE - timedelta(days=1),
        at__lt=scope.midnight(max(span.end for span in early)),
    )
    left = early
    for at, ends_at in told.values_list("at", "ends_at").iterator():
        until = ends_at or at
        hit = [span for span in left if at < scope.midnight(span.end) and until >= scope.midnight(span.counted)]
        found += hit
        left = [span for span in left if span not in hit]
    return found


def _charge(component: Component, scope: Scope, rule: rules.Rule, span: _Span, due_on: date) -> Charge | None:
    """Return what is still to be charged for a span by what was told before `due_on`; None when that is nothing."""
    usage = scope.document(rule, span.counted, span.end, due_on)
    try:
        found = rating.rate_part(rule, usage, scope.midnight(span.start), MOST_SEGMENTS)
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
        text=_text(component, scope, found, late=span.end < due_on),
        quantity=Decimal(1 if amount >= 0 else -1),
        unit_price=abs(amount),
        amount=amount,
        currency=component.price.currency,
        tax_category=component.product.tax_category,
        explanation=_explanation(found, span),
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


def _explanation(found: rating.Rating, span: _Span) -> list[rating.Step]:
    """Return how a charge came about: what was counted, each step as far as they can be read, and earlier parts."""
    steps: list[rating.Step] = [{"step": "use", "from": span.counted.isoformat(), "until": span.end.isoformat()}]
    steps += found.explanation[:-1][:MOST_STEPS]
    if len(found.explanation) - 1 > MOST_STEPS:
        steps.append({"step": "more", "count": len(found.explanation) - 1 - MOST_STEPS})
    steps.append(found.explanation[-1])
    if span.parts:
        charged = sum((part.amount for part in span.parts), Decimal(0))
        steps.append({"step": "charged_before", "amount": rating.text(Fraction(charged))})
    return steps
