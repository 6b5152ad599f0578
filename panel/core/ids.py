"""Opaque, time-ordered identifiers and the primary key field that carries them; knows nothing of what they name."""

import os
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    CharField = models.CharField[str, str]
else:
    CharField = models.CharField

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80
_lock = threading.Lock()
_last = 0


def new(prefix: str) -> str:
    """Return `<prefix>_` and a ULID: 48 bits of milliseconds, 80 random bits, in lower-case Crockford base 32.

    Identifiers made by one process sort in the order of their making, also within a millisecond.
    """
    global _last
    now = time.time_ns() // 1_000_000
    with _lock:
        if _last >> _RANDOM_BITS >= now:
            _last += 1 + int.from_bytes(os.urandom(4))
        else:
            _last = (now << _RANDOM_BITS) | int.from_bytes(os.urandom(_RANDOM_BITS // 8))
        value = _last
    return f"{prefix}_" + "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


def first(prefix: str, moment: datetime) -> str:
    """Return what sorts before every identifier made at `moment` or later, and after all made before."""
    value = int(moment.timestamp() * 1000) << _RANDOM_BITS
    return f"{prefix}_" + "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


class IdField(CharField):
    """Primary key `<prefix>_<ulid>` that makes its own default."""

    def __init__(self, prefix: str = "", **kwargs: Any) -> None:
        self.prefix = prefix
        kwargs |= {"primary_key": True, "max_length": 32, "editable": False, "default": self.make}
        super().__init__(**kwargs)

    def make(self) -> str:
        """Return a fresh identifier with this field's prefix."""
        return new(self.prefix)

    def deconstruct(self) -> Any:
        """Describe the field for migrations by its prefix alone."""
        name, path, args, kwargs = super().deconstruct()
        for implied in ("primary_key", "max_length", "editable", "default"):
            kwargs.pop(implied, None)
        return name, path, args, kwargs | {"prefix": self.prefix}
