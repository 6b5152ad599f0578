"""The generic metered rule as data: read from JSON, checked whole, and told what is wrong with it by name of key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from billing.pricing.money import PLACES

MEASURES = ("count", "sum", "duration")
ROUNDINGS = ("up", "nearest")
MODES = ("graduated", "volume")
WINDOWS = ("period", "month", "day")
KEYS = frozenset(
    "measure currency filter zero_if event_minimum event_step event_rounding per pool_by window month_days allowance "
    "tiers mode feed segment cap_feed".split()
)
MOST_TIERS = 100
MOST_NAMES = 20
SEGMENTS = (Fraction(1), Fraction(366 * 86400))
"""The shortest and the longest segment, in seconds."""
YEARS = (1970, 2200)
"""The first and the last year of days and instants."""
NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")


class RuleInvalid(ValueError):
    """A rule or usage document that can't be understood: `key` says where, the message what would be accepted."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}" if key else message)
        self.key, self.message = key, message


@dataclass(frozen=True)
class Tier:
    """A price for `per` units up to a quantity (None: without end), in base units after the allowance."""

    up_to: Fraction | None
    amount: Fraction


@dataclass(frozen=True)
class Allowance:
    """Base units that cost nothing in each window, for `months` since the customer began (None: for ever), and of these
    days those from `starts_on` until before `ends_on`.
    """

    quantity: Fraction
    months: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True)
class Rule:
    """How use becomes money. All quantities are in base units: seconds, pieces, GB.

    `filter` and `zero_if` are dimensions and their values: events without all of the first do not count, events with
    all of the second are free. `pool_by` names the dimensions whose values are counted apart. A month is one of the
    calendar, or of `month_days` days that are counted from the day on which the customer began.
    """

    measure: str
    tiers: tuple[Tier, ...] = ()
    currency: str = "USD"
    per: Fraction = Fraction(1)
    event_minimum: Fraction = Fraction(0)
    event_step: Fraction = Fraction(0)
    event_rounding: str = "up"
    allowance: Allowance | None = None
    mode: str = "graduated"
    window: str = "period"
    month_days: int | None = None
    pool_by: tuple[str, ...] = ()
    filter: Mapping[str, str] = field(default_factory=dict)
    zero_if: Mapping[str, str] = field(default_factory=dict)
    feed: str = ""
    segment: Fraction = Fraction(3600)
    cap_feed: str = ""


def parse(document: object) -> Rule:
    """Return the rule that a JSON document says; raises RuleInvalid."""
    data = _object("", document)
    unknown = sorted(set(data) - KEYS)
    if unknown:
        raise RuleInvalid(unknown[0], f"a rule has no such key; it has {', '.join(sorted(KEYS))}.")
    measure = _choice(data, "measure", MEASURES, None)
    currency = data.get("currency", "USD")
    if not isinstance(currency, str) or currency not in PLACES:
        raise RuleInvalid("currency", "give a currency by its code, as in EUR.")
    rule = Rule(
        measure=measure,
        currency=currency,
        per=_number(data, "per", Fraction(1), above_zero=True),
        event_minimum=_number(data, "event_minimum", Fraction(0)),
        event_step=_number(data, "event_step", Fraction(0)),
        event_rounding=_choice(data, "event_rounding", ROUNDINGS, "up"),
        allowance=_allowance(data.get("allowance")),
        tiers=_tiers(data.get("tiers")),
        mode=_choice(data, "mode", MODES, "graduated"),
        window=_choice(data, "window", WINDOWS, "period"),
        month_days=_month_days(data),
        pool_by=_names(data.get("pool_by")),
        filter=_dimensions(data, "filter"),
        zero_if=_dimensions(data, "zero_if"),
        feed=_name(data, "feed"),
        segment=_number(data, "segment", Fraction(3600)),
        cap_feed=_name(data, "cap_feed"),
    )
    _together(rule)
    return rule


def _together(rule: Rule) -> None:
    """Refuse keys that say nothing, or two things, together."""
    if rule.month_days and rule.window != "month":
        raise RuleInvalid("month_days", "it says how long a month is; give the window month.")
    if not SEGMENTS[0] <= rule.segment <= SEGMENTS[1]:
        raise RuleInvalid("segment", "give seconds, at least 1 and at most those of 366 days.")
    if rule.feed:
        if rule.measure != "duration":
            raise RuleInvalid("feed", "a price that is read in time goes with the measure duration.")
        if rule.tiers or rule.allowance:
            raise RuleInvalid("feed", "give either a feed, or tiers and an allowance.")
    elif not rule.tiers:
        raise RuleInvalid("tiers", "give at least one tier, or a feed.")
    elif rule.cap_feed:
        raise RuleInvalid("cap_feed", "it caps the price of a feed; give one.")


def _tiers(value: object) -> tuple[Tier, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_TIERS:
        raise RuleInvalid("tiers", f"give a list of 1 to {MOST_TIERS} tiers.")
    tiers: list[Tier] = []
    for index, item in enumerate(value):
        key = f"tiers.{index}"
        data = _object(key, item)
        if set(data) != {"up_to", "amount"}:
            raise RuleInvalid(key, "a tier has up_to (null for without end) and amount.")
        last = tiers[-1].up_to if tiers else Fraction(0)
        if last is None:
            raise RuleInvalid(key, "nothing comes after a tier without end.")
        up_to = None if data["up_to"] is None else exact(f"{key}.up_to", data["up_to"])
        if up_to is not None and up_to <= last:
            raise RuleInvalid(f"{key}.up_to", "each tier ends above the one before.")
        tiers.append(Tier(up_to, exact(f"{key}.amount", data["amount"])))
    return tuple(tiers)


def _allowance(value: object) -> Allowance | None:
    if value is None:
        return None
    data = _object("allowance", value)
    if not {"quantity"} <= set(data) <= {"quantity", "months", "from", "until"}:
        raise RuleInvalid("allowance", "it has quantity, months (null for ever), from and until (days).")
    months = data.get("months")
    if months is not None and (type(months) is not int or not 1 <= months <= 1200):
        raise RuleInvalid("allowance.months", "give a whole number of months, or null for ever.")
    starts_on, ends_on = (data.get(key) and day(f"allowance.{key}", data[key]) for key in ("from", "until"))
    if starts_on and ends_on and starts_on >= ends_on:
        raise RuleInvalid("allowance.until", "it ends after it starts; its last day is the one before.")
    return Allowance(exact("allowance.quantity", data["quantity"]), months, starts_on, ends_on)


def _month_days(data: Mapping[str, Any]) -> int | None:
    value = data.get("month_days")
    if value is not None and (type(value) is not int or not 1 <= value <= 366):
        raise RuleInvalid("month_days", "give a whole number of days, at most 366.")
    return value


def day(key: str, value: object) -> date:
    """Return a day of ISO 8601 within YEARS; raises RuleInvalid."""
    try:
        found = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or not YEARS[0] <= found.year <= YEARS[1]:
        raise RuleInvalid(key, f"give a day of {YEARS[0]} to {YEARS[1]}, as in 2026-01-15.")
    return found


def exact(key: str, value: object) -> Fraction:
    """Return a decimal string as an exact number that is not negative; raises RuleInvalid."""
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        raise RuleInvalid(key, 'give a number as text, as in "0.25", not negative.')
    return Fraction(value)


def _number(data: Mapping[str, Any], key: str, default: Fraction, *, above_zero: bool = False) -> Fraction:
    if key not in data:
        return default
    value = exact(key, data[key])
    if above_zero and not value:
        raise RuleInvalid(key, "give a number above zero.")
    return value


def _choice(data: Mapping[str, Any], key: str, choices: tuple[str, ...], default: str | None) -> str:
    value = data.get(key, default)
    if value not in choices:
        raise RuleInvalid(key, f"choose one of {', '.join(choices)}.")
    return str(value)


def _name(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or not 1 <= len(value) <= 60:
        raise RuleInvalid(key, "give the name of a feed.")
    return value


def _names(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise RuleInvalid("pool_by", "give a list of names of dimensions.")
    if len(value) > MOST_NAMES or len(set(value)) < len(value):
        raise RuleInvalid("pool_by", f"give at most {MOST_NAMES} names, each once.")
    return tuple(value)


def _dimensions(data: Mapping[str, Any], key: str) -> dict[str, str]:
    value = _object(key, {} if data.get(key) is None else data[key])
    if len(value) > MOST_NAMES or not all(isinstance(item, str) for item in value.values()):
        raise RuleInvalid(key, f"give at most {MOST_NAMES} names of dimensions with their values, as text.")
    return {str(name): str(item) for name, item in value.items()}


def _object(key: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RuleInvalid(key, "give an object of keys and values.")
    return value
