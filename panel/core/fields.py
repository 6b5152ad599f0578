"""Django model fields and validators made from the pure rules in `panel.core.names`."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.deconstruct import deconstructible

from panel.core.ids import CharField
from panel.core.names import NameInvalid

Rule = Callable[[Any], Any]


@deconstructible
class validate:  # noqa: N801 (reads as a function where it is used)
    """Validator that accepts only values which `rule` accepts and leaves as they are."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __call__(self, value: Any) -> None:
        """Raise ValidationError, with the rule's name as code, when `value` is refused or not in its normal form."""
        normal = normalised(self.rule, value)
        if normal != value:
            raise ValidationError(f"Write this as {normal}.", code="not_normal")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, validate) and other.rule is self.rule

    def __hash__(self) -> int:
        return hash(self.rule)


class NameField(CharField):
    """A CharField whose `clean()` brings the value into the normal form of `rule`, or refuses it."""

    def __init__(self, rule: Rule = str, **kwargs: Any) -> None:
        self.rule = rule
        super().__init__(**kwargs)

    def clean(self, value: Any, model_instance: models.Model | None) -> str:
        """Return the normal form; raises ValidationError with the rule's name as code."""
        if value in self.empty_values:
            return str(super().clean(value, model_instance))
        return str(super().clean(normalised(self.rule, value), model_instance))

    def deconstruct(self) -> Any:
        """Describe the field for migrations."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"rule": self.rule}


def normalised(rule: Rule, value: Any) -> Any:
    """Return `rule(value)`, its refusal turned into a ValidationError."""
    try:
        return rule(value)
    except NameInvalid as error:
        raise ValidationError(error.message, code=error.rule) from error
