"""Fields of request bodies of provisioning, beside those of `panel.core.api.fields`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field

from panel.core.api.fields import Flag, Number, Reference, Text, find, missing
from provisioning.services import passwords

__all__ = ["SERVER_NAME", "Flag", "Number", "Password", "Reference", "Text", "find", "missing"]

SERVER_NAME = "By name, or by what they are for where the reader may not know servers."


@extend_schema_field(
    {
        "type": "string",
        "format": "password",
        "minLength": passwords.SHORTEST,
        "maxLength": passwords.LONGEST_BYTES,
        "writeOnly": True,
    }
)
class Password(Text):
    """A password: taken, hashed by the service, never shown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=200, write_only=True, **kwargs)
