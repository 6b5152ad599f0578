"""What would it cost? A rule, or that of a price, applied to a usage document. Nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from accounts.models import Organization
from billing.pricing import rating, rules, usage
from billing.pricing.rating import Rating
from billing.selectors.usage import feeds_of
from panel.core import policy
from panel.core.actors import Actor
from panel.core.errors import Invalid

MOST_EVENTS = 1000
PERIOD = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
"""The period of a use that is told by its quantity alone; its customer began with it."""


def rate(*, actor: Actor, organization: Organization, rule: object, document: object) -> Rating:
    """Return what a usage document costs by a rule, both JSON; feeds that it lacks are the seller's own.

    Raises Invalid at `rule` or `usage` for what is not understood, and at `usage` for use without a price.
    """
    policy.require(actor, "rate.create", organization)
    parsed = _rule(rule)
    try:
        told = usage.parse(document)
    except rules.RuleInvalid as error:
        raise Invalid("usage", str(error), "usage") from error
    if len(told.events) > MOST_EVENTS:
        raise Invalid("usage", f"events: give at most {MOST_EVENTS}.", "usage")
    feeds = {**feeds_of(organization, parsed, told.start, told.end), **told.feeds}
    return _rated(parsed, usage.Usage(told.start, told.end, told.customer_since, told.events, feeds, told.time_zone))


def rate_quantity(*, actor: Actor, organization: Organization, rule: object, quantity: Decimal) -> Rating:
    """Return what a quantity in base units, used at once in the first month of a customer, costs by a rule."""
    policy.require(actor, "rate.create", organization)
    parsed = _rule(rule)
    return _rated(parsed, _used(parsed, organization, Fraction(quantity)))


def curve(
    *, actor: Actor, organization: Organization, rule: object, quantity: Decimal
) -> list[tuple[Decimal, Decimal]]:
    """Return quantity and cost at twenty even steps up to twice a quantity, as far as there are prices."""
    policy.require(actor, "rate.create", organization)
    parsed = _rule(rule)
    used = _used(parsed, organization, Fraction(0))
    found = []
    for step in _steps(quantity):
        event = replace(used.events[0], quantity=Fraction(step))
        try:
            amount = rating.rate(parsed, replace(used, events=(event,))).line
        except rules.RuleInvalid:
            break
        found.append((step, amount))
    return found


def _steps(quantity: Decimal) -> Sequence[Decimal]:
    return [quantity * number / 10 for number in range(21)]


def _rule(rule: object) -> rules.Rule:
    try:
        return rules.parse(rule)
    except rules.RuleInvalid as error:
        raise Invalid("rule", str(error), "rule") from error


def _used(rule: rules.Rule, organization: Organization, quantity: Fraction) -> usage.Usage:
    """Return a use of one quantity. What reads a feed is used now, while the feed has a price."""
    start, end = PERIOD
    if rule.feed:
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        end = start + timedelta(hours=2)
    feeds = feeds_of(organization, rule, start, end)
    event = usage.Event(start, quantity, dict(rule.filter))
    return usage.Usage(start, end, start.date(), (event,), feeds)


def _rated(rule: rules.Rule, document: usage.Usage) -> Rating:
    try:
        return rating.rate(rule, document)
    except rules.RuleInvalid as error:
        raise Invalid("unpriced", str(error), "usage") from error
