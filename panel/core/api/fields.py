"""Fields of request bodies: exact types, nothing trimmed or guessed. What a name may be is the services' affair."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from panel.core import policy
from panel.core.actors import Actor
from panel.core.errors import NotFound

_ID = re.compile(r"[a-z]{3}_[0-9a-z]{26}")


class Text(serializers.CharField):
    """A JSON string, kept as it came: a space or line break at its end is for the rule of the name to refuse."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 255)
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Return the string; refuse numbers, which DRF would turn into text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Number(serializers.IntegerField):
    """A JSON integer within 64 bits."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_value", 2**63 - 1)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        """Return the integer; refuse text, booleans and fractions."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class Flag(serializers.BooleanField):
    """true or false, and none of the words that DRF takes for them."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the boolean."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


@extend_schema_field({"type": "string", "maxLength": 32})
class Reference(serializers.Field[Any, Any, str, Any]):
    """The id of an object that the caller may do `action` with; becomes the object.

    What the caller can't see is not found, whether or not it exists.
    """

    default_error_messages = {"invalid": "Give the id of an object."}

    def __init__(self, rows: Callable[[], QuerySet[Any]], action: str, **kwargs: Any) -> None:
        self.rows, self.action = rows, action
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """Return the object."""
        if not isinstance(data, str):
            self.fail("invalid")
        field = self.field_name or getattr(self.parent, "field_name", None) or ""
        return find(self.rows(), data, self.context["actor"], self.action, field)

    def to_representation(self, value: Any) -> str:
        """Return the id, of an object as of an id."""
        return str(value.pk if isinstance(value, Model) else value)


def is_id(text: str) -> bool:
    """Tell whether a text is of the form of an id, whatever it is of."""
    return bool(_ID.fullmatch(text))


def find(rows: QuerySet[Any], pk: str, actor: Actor, action: str, field: str = "") -> Any:
    """Return the row of `rows` with this id that `actor` may do `action` with; raises NotFound or Forbidden."""
    found = rows.filter(pk=pk).first() if is_id(pk) else None
    if found is None:
        missing(field)
    try:
        policy.require(actor, action, found)
    except NotFound:
        missing(field)
    return found


def missing(field: str = "") -> NoReturn:
    """Say that there is no such object; in a body, which field names it."""
    error = NotFound(_("There is no such object.") if field else _("Not found."))
    error.field = field or None
    raise error
