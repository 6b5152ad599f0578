"""Normalising what callers hand in, with refusals that name the field and the rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from panel.core import names
from panel.core.errors import Invalid


def normal(field: str, rule: Callable[[Any], Any], value: Any) -> Any:
    """Return `value` in its normal form; raises Invalid with the rule's name as code."""
    try:
        return rule(value)
    except names.NameInvalid as error:
        raise Invalid(error.rule, error.message, field) from error
