"""What a use costs by a rule: exact, rounded nowhere but at the end, and explained step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any
from zoneinfo import ZoneInfo

from billing.pricing.calendar import add_months
from billing.pricing.money import rounded
from billing.pricing.rules import Allowance, Rule, RuleInvalid
from billing.pricing.usage import Event, Usage

Step = dict[str, Any]
Member = tuple[Event, Fraction, Fraction]
"""An event with the part of it, from and to which quantity, that lies in a window."""
MOST_SEGMENTS = 100_000


@dataclass(frozen=True)
class Rating:
    """The exact amount, the quantity that counted, and how it came about. `line` is the amount on an invoice line."""

    exact: Fraction
    currency: str
    quantity: Fraction
    explanation: tuple[Step, ...]

    @property
    def line(self) -> Decimal:
        """The amount, rounded once."""
        return rounded(self.exact, self.currency)


class Unpriced(RuleInvalid):
    """There is use that the rule has no price for: never 0."""


def rate(rule: Rule, usage: Usage, most: int = MOST_SEGMENTS) -> Rating:
    """Return what `usage` costs by `rule`; raises Unpriced for use above the last tier, or before a feed's first price.

    An event that goes on beyond the period counts with its part in it: what was counted until its end, less what was
    counted until its start, so that neither a minimum nor a rounding is taken twice. Raises RuleInvalid for more than
    `most` segments at a price in time, or windows.
    """
    steps: list[Step] = []
    pools: dict[tuple[str, ...], list[Member]] = {}
    free, windows, left = 0, 0, Fraction(most)
    for event in usage.events:
        parts = _within(rule, usage, event)
        if parts is None or not _has(event, rule.filter):
            continue
        if rule.zero_if and _has(event, rule.zero_if):
            free += event.repeat
            continue
        for window, start, end in _windows(rule, usage, event, *parts):
            windows += 1
            if windows > most:
                raise RuleInvalid("events", f"they lie in more than {most} windows; rate a shorter period.")
            name = (window, *(event.dimensions.get(part, "") for part in rule.pool_by))
            pools.setdefault(name, []).append((event, start, end))
    if free:
        steps.append({"step": "zero_if", "events": free})
    total, counted = Fraction(0), Fraction(0)
    for name in sorted(pools):
        if rule.feed:
            left -= _segments(rule, pools[name])
            if left < 0:
                raise RuleInvalid("events", f"they have more than {most} segments; rate a shorter period.")
        amount, quantity, told = _feed(rule, usage, pools[name]) if rule.feed else _pool(rule, usage, pools[name])
        total, counted = total + amount, counted + quantity
        title: Step = {"step": "pool", "window": name[0], "quantity": text(quantity)}
        if rule.pool_by:
            title["dimensions"] = dict(zip(rule.pool_by, name[1:], strict=True))
        steps += [title, *told]
    steps.append({"step": "sum", "amount": text(total)})
    return Rating(total, rule.currency, counted, tuple(steps))


def rate_part(rule: Rule, usage: Usage, start: datetime, most: int = MOST_SEGMENTS) -> Rating:
    """Return what the use from `start` on costs, where `usage` begins with the window that `start` lies in.

    It is what all of it costs less what came before, so that the parts of a window sum to the window however it is cut:
    an allowance is given, and a tier gone through, once. Raises Unpriced.
    """
    whole = rate(rule, usage, most)
    if start <= usage.start:
        return whole
    before = rate(rule, replace(usage, end=start), most)
    exact = whole.exact - before.exact
    earlier = {"step": "before", "until": start.isoformat(), "amount": text(before.exact)}
    told = (*whole.explanation[:-1], earlier, {"step": "sum", "amount": text(exact)})
    return Rating(exact, rule.currency, whole.quantity - before.quantity, told)


def window_days(rule: Rule, since: date, day: date) -> tuple[date, date]:
    """Return the first day of the window that `day` lies in, and of the next; `since` is when the customer began.

    For the windows day and month; the window period is the usage document's.
    """
    if rule.window == "day":
        return day, day + timedelta(days=1)
    if rule.month_days:
        into = (day - since).days % rule.month_days
        return day - timedelta(days=into), day + timedelta(days=rule.month_days - into)
    return day.replace(day=1), add_months(day.replace(day=1), 1)


def text(value: Fraction) -> str:
    """Return an exact number as people read it: decimal where it ends, else as a fraction."""
    left, places = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while left % prime == 0:
            left, power = left // prime, power + 1
        places = max(places, power)
    if left != 1:
        return str(value)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    whole, rest = (digits[:-places], f".{digits[-places:]}") if places else (digits, "")
    return f"{'-' if value < 0 else ''}{whole}{rest}"


def _has(event: Event, wanted: Any) -> bool:
    return all(event.dimensions.get(name) == value for name, value in wanted.items())


def _within(rule: Rule, usage: Usage, event: Event) -> tuple[Fraction, Fraction] | None:
    """Return from which to which quantity of an event lies in the period; None when nothing does."""
    if event.end is None or rule.measure != "duration":
        return (Fraction(0), event.quantity) if usage.start <= event.at < usage.end else None
    if event.at >= usage.end or (event.end <= usage.start and event.at < usage.start):
        return None
    start = max(Fraction(0), _seconds(usage.start - event.at))
    return start, min(event.quantity, _seconds(usage.end - event.at))


def _windows(
    rule: Rule, usage: Usage, event: Event, start: Fraction, end: Fraction
) -> Iterator[tuple[str, Fraction, Fraction]]:
    """Cut what counts of an event at the borders of windows."""
    if rule.window == "period":
        yield "period", start, end
        return
    if event.end is None or rule.measure != "duration":
        yield _label(rule, usage, event.at), start, end
        return
    while start < end or start == end == event.quantity == 0:
        moment = event.at + timedelta(microseconds=int(start * 1_000_000))
        border = _seconds(usage.midnight(_window_days(rule, usage, moment)[1]) - event.at)
        yield _label(rule, usage, moment), start, min(end, border)
        if min(end, border) == end:
            return
        start = border


def _window_days(rule: Rule, usage: Usage, moment: datetime) -> tuple[date, date]:
    return window_days(rule, usage.customer_since, moment.astimezone(ZoneInfo(usage.time_zone)).date())


def _label(rule: Rule, usage: Usage, moment: datetime) -> str:
    day = _window_days(rule, usage, moment)[0].isoformat()
    return day if rule.window == "day" or rule.month_days else day[:7]


def _counted(rule: Rule, quantity: Fraction) -> Fraction:
    """Return what `quantity` of one event counts as: at least the minimum, rounded to whole steps."""
    if not quantity and rule.measure == "duration":
        return Fraction(0)
    quantity = max(quantity, rule.event_minimum)
    if rule.event_step:
        steps = quantity / rule.event_step
        half = Fraction(1, 2) if rule.event_rounding == "nearest" else 0
        whole = floor(steps + half) if half else ceil(steps)
        quantity = whole * rule.event_step
    return quantity


def _quantity(rule: Rule, event: Event, start: Fraction, end: Fraction) -> Fraction:
    return (_counted(rule, end) - (_counted(rule, start) if start else 0)) * event.repeat


def _pool(rule: Rule, usage: Usage, members: list[Member]) -> tuple[Fraction, Fraction, list[Step]]:
    """Price what a pool holds by allowance and tiers."""
    quantity = sum((_quantity(rule, *member) for member in members), Fraction(0))
    steps: list[Step] = []
    billable = quantity
    if rule.allowance:
        span = _validity(rule.allowance, usage)
        given = min(rule.allowance.quantity, sum((_valid(rule, member, span) for member in members), Fraction(0)))
        billable -= given
        steps.append({"step": "allowance", "free": text(given), "left": text(billable)})
    amount = Fraction(0)
    for size, tier in _tiers(rule, billable):
        cost = size * tier / rule.per
        amount += cost
        steps.append({"step": "tier", "quantity": text(size), "price": text(tier), "amount": text(cost)})
    return amount, quantity, steps


def _validity(allowance: Allowance, usage: Usage) -> tuple[datetime | None, datetime | None]:
    """Return from when to when an allowance is given."""
    ends = [usage.midnight(allowance.ends_on)] if allowance.ends_on else []
    if allowance.months is not None:
        ends.append(usage.expiry(allowance.months))
    return usage.midnight(allowance.starts_on) if allowance.starts_on else None, min(ends, default=None)


def _valid(rule: Rule, member: Member, span: tuple[datetime | None, datetime | None]) -> Fraction:
    """Return what counts of a member of a pool between two instants."""
    (event, start, end), (first, last) = member, span
    if event.end is None or rule.measure != "duration":
        inside = (first is None or first <= event.at) and (last is None or event.at < last)
        return _quantity(rule, *member) if inside else Fraction(0)
    start = start if first is None else max(start, _seconds(first - event.at))
    end = end if last is None else min(end, _seconds(last - event.at))
    return _quantity(rule, event, start, end) if start < end else Fraction(0)


def _tiers(rule: Rule, quantity: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    """Deal a quantity out over the tiers: each its part (graduated), or all of it the one it reaches (volume)."""
    last = rule.tiers[-1].up_to
    if last is not None and quantity > last:
        raise Unpriced("tiers", f"there is no price above {text(last)}: {text(quantity)} were used.")
    if rule.mode == "volume":
        tier = next(tier for tier in rule.tiers if tier.up_to is None or quantity <= tier.up_to)
        yield quantity, tier.amount
        return
    below = Fraction(0)
    for tier in rule.tiers:
        top = quantity if tier.up_to is None else min(quantity, tier.up_to)
        if top > below:
            yield top - below, tier.amount
        below = max(below, top)


def _segments(rule: Rule, members: list[Member]) -> Fraction:
    """Return how many segments events have, begun ones in part."""
    counts = ((_counted(rule, start) if start else 0, _counted(rule, end)) for _event, start, end in members)
    return sum(((last - first) / rule.segment + 1 for first, last in counts), Fraction(0))


def _feed(rule: Rule, usage: Usage, members: list[Member]) -> tuple[Fraction, Fraction, list[Step]]:
    """Price each segment of each event at the price in force at the segment's start, which it keeps."""
    amount, quantity = Fraction(0), Fraction(0)
    steps: list[Step] = []
    for event, start, end in members:
        first, last = _counted(rule, start) if start else Fraction(0), _counted(rule, end)
        quantity += (last - first) * event.repeat
        position = first
        while position < last:
            number = floor(position / rule.segment)
            upto = min(last, (number + 1) * rule.segment)
            moment = event.at + timedelta(microseconds=int(number * rule.segment * 1_000_000))
            price, capped = _price(rule, usage, moment)
            cost = (upto - position) * price / rule.per * event.repeat
            amount += cost
            told = {"step": "segment", "at": moment.isoformat(), "quantity": text(upto - position)}
            steps.append({**told, "price": text(price), "capped": capped, "amount": text(cost)})
            position = upto
    return amount, quantity, steps


def _price(rule: Rule, usage: Usage, moment: datetime) -> tuple[Fraction, bool]:
    feed = usage.feeds.get(rule.feed)
    price = feed.at(moment) if feed else None
    if price is None:
        raise Unpriced("feed", f"there is no price of {rule.feed} at {moment.isoformat()}.")
    if not rule.cap_feed:
        return price, False
    cap = usage.feeds[rule.cap_feed].at(moment) if rule.cap_feed in usage.feeds else None
    if cap is None:
        raise Unpriced("cap_feed", f"there is no price of {rule.cap_feed} at {moment.isoformat()}.")
    return min(price, cap), price > cap


def _seconds(span: timedelta) -> Fraction:
    return Fraction(span.days * 86400 + span.seconds) + Fraction(span.microseconds, 1_000_000)
