"""VAT numbers: one form for each, whatever people type; shapes and check digits."""

from __future__ import annotations

import pytest

from billing.tax import numbers

GOOD = [
    ("DE 136 695 976", "DE", "DE136695976"),
    ("136695976", "DE", "DE136695976"),
    ("de-136.695.976", "DE", "DE136695976"),
    ("EL094259216", "GR", "EL094259216"),
    ("094259216", "GR", "EL094259216"),
    ("FR 40 303 265 045", "MC", "FR40303265045"),
    ("CHE-107.787.577 IVA", "CH", "CHE107787577IVA"),
    ("12-3456789", "ZZ", "123456789"),
]
BAD = [
    ("DE136695977", "DE", "shape"),
    ("136695976", "FR", "shape"),
    ("DE136695976", "FR", "country"),
    ("CHE107787578IVA", "CH", "shape"),
    ("'; drop", "ZZ", "shape"),
    ("١٢٣٤٥٦", "ZZ", "shape"),
    ("1" * 21, "ZZ", "shape"),
    ("", "ZZ", "shape"),
]


@pytest.mark.parametrize(("typed", "country", "kept"), GOOD)
def test_a_number_has_one_form(typed: str, country: str, kept: str) -> None:
    assert numbers.normal(typed, country) == kept
    assert numbers.normal(kept, country) == kept


@pytest.mark.parametrize(("typed", "country", "code"), BAD)
def test_what_is_no_number_is_refused(typed: str, country: str, code: str) -> None:
    with pytest.raises(numbers.NumberInvalid) as caught:
        numbers.normal(typed, country)
    assert caught.value.code == code


def test_the_unions_service_knows_the_unions_numbers() -> None:
    assert numbers.askable("EL094259216")
    assert not any(numbers.askable(number) for number in ("GB123456789", "GR094259216", "CHE107787577IVA", ""))
