"""Hashing tenants' passwords the way their servers check them; no password is ever stored."""

from __future__ import annotations

import hashlib

import bcrypt
from django.utils.translation import gettext as _

from panel.core.errors import Invalid

SHORTEST = 10
LONGEST_BYTES = 72
_BCRYPT_COST = 10


def check(password: str, field: str = "password") -> None:
    """Refuse a password that is too short, longer than bcrypt reads, or that a person can't type."""
    if not isinstance(password, str):
        raise Invalid("required", _("Give a password."), field)
    if len(password) < SHORTEST:
        raise Invalid("too_short", _("A password needs at least %d characters.") % SHORTEST, field)
    if len(password.encode()) > LONGEST_BYTES:
        raise Invalid("too_long", _("A password may have at most %d bytes.") % LONGEST_BYTES, field)
    if not password.isprintable():
        raise Invalid("not_printable", _("A password may not hold control characters."), field)


def mysql_native(password: str) -> str:
    """Return MariaDB's mysql_native_password hash: `*` and the upper-case hex SHA-1 of the password's SHA-1."""
    inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(inner, usedforsecurity=False).hexdigest().upper()


def mail(password: str) -> str:
    """Return the bcrypt hash that Dovecot checks as `{BLF-CRYPT}`."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(_BCRYPT_COST, prefix=b"2b")).decode()
