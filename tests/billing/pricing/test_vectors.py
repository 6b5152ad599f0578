"""Every published worked example, as exact fractions and as invoice lines."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing.pricing import profit
from billing.pricing.money import rounded
from billing.pricing.proration import share
from billing.pricing.totals import Line, totals
from tests.billing.pricing.days import DAY, after

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
ARITHMETIC = {vector["id"]: vector for vector in VECTORS["arithmetic"]}


@pytest.mark.parametrize("vector", VECTORS["rating"], ids=lambda vector: vector["id"])
def test_rate_usage_agrees_with_the_vector(vector: dict[str, Any], tmp_path: Path):
    rule, usage = tmp_path / "rule.json", tmp_path / "usage.json"
    rule.write_text(json.dumps(VECTORS["rules"][vector["rule"]]))
    usage.write_text(json.dumps(vector["usage"]))
    if vector["exact"] == "error":
        with pytest.raises(CommandError, match="no price"):
            call_command("rate_usage", rule, usage)
        return
    printed = StringIO()
    call_command("rate_usage", rule, usage, stdout=printed)
    found = json.loads(printed.getvalue())
    assert Fraction(found["exact"]) == Fraction(vector["exact"])
    assert found["exact"] == vector["exact"]
    assert found["line"] == vector["line"]
    assert found["currency"] == "USD"
    assert found["explain"][-1] == {"step": "sum", "amount": found["explain"][-1]["amount"]}


@pytest.mark.parametrize("name", ["profit-5", "profit-10", "profit-25"])
def test_profit_and_break_even(name: str):
    vector = ARITHMETIC[name]
    fee, price = Decimal(vector["fee"]), Decimal(vector["price"])
    found = profit.of_customers(vector["customers"], price, fee)
    assert found.net == Decimal(vector["profit"])
    assert found.margin == Fraction(vector["profit"]) / Fraction(vector["customers"] * price)
    assert profit.break_even(fee, price) == vector["break_even"]


def test_a_price_cut_at_every_day_sums_to_itself():
    vector = ARITHMETIC["proration-month"]
    period = (DAY, after(vector["days"]))
    parts = [
        share(Decimal(vector["price"]), "USD", period, (after(day), after(day + 1))) for day in range(vector["days"])
    ]
    assert sum(parts) == Decimal(vector["sum"])


def test_an_upgrade_within_a_period():
    vector = ARITHMETIC["proration-half"]
    period, rest = (DAY, after(vector["days"])), (after(vector["day"]), after(vector["days"]))
    assert share(Decimal(vector["new"]), "USD", period, rest) == Decimal(vector["charge"])
    assert share(Decimal(vector["old"]), "USD", period, rest) == Decimal(vector["credit"])


@pytest.mark.parametrize("name", ["tax-once-per-rate", "half-up"])
def test_tax_is_computed_once_per_rate_and_rounded_half_up(name: str):
    vector = ARITHMETIC[name]
    net, percent = Decimal(vector["net"]), Decimal(vector["rate"]) * 100
    third = rounded(net / 3, "USD")
    lines = [Line(third, "S", percent), Line(third, "S", percent), Line(net - 2 * third, "S", percent)]
    found = totals(lines, "USD")
    assert found.tax == Decimal(vector["tax"])
    assert (found.net, found.gross) == (net, net + Decimal(vector["tax"]))
    if "exact" in vector:
        assert Fraction(net) * Fraction(vector["rate"]) == Fraction(vector["exact"])


def test_instances_needed():
    vector = ARITHMETIC["instances-needed"]
    assert ceil(Fraction(vector["players"], 40)) == vector["instances"]
