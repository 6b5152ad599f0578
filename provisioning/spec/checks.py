"""Checks that every specification makes of its own values, so that no stored row is trusted. Not for user messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from panel.core import names

SERVICES = frozenset({"web", "database", "dns", "mail"})
STACKS = frozenset({"nginx+apache", "nginx", "apache"})

_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_BRAND = re.compile(r"brd_[0-9a-z]{1,28}")
_MYSQL_NATIVE = re.compile(r"\*[0-9A-F]{40}")


class SpecInvalid(ValueError):
    """A value in the desired state that no driver may ever see; names the field and the rule, never the value."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


def canonical(field: str, value: str, normalise: Callable[[str], str]) -> None:
    """Refuse a value that its own normaliser would change or reject."""
    try:
        normal = normalise(value)
    except names.NameInvalid as error:
        raise SpecInvalid(field, error.rule) from error
    if normal != value:
        raise SpecInvalid(field, "is not stored in its normal form")


def hostname(field: str, value: str) -> None:
    canonical(field, value, names.hostname)


def hostnames(field: str, values: Iterable[str]) -> None:
    for value in values:
        hostname(field, value)


def username(value: str) -> None:
    canonical("username", value, names.username)


def brand(value: str) -> None:
    """A brand's id, which names a directory."""
    if not _BRAND.fullmatch(value):
        raise SpecInvalid("brand", "is no identifier")


def plain_file(field: str, name: str, text: object) -> None:
    """A file right in the web directory, and its text."""
    canonical(field, name, names.relative_path)
    if "/" in name or not isinstance(text, str) or "\0" in text:
        raise SpecInvalid(field, "is no plain text file")


def identity(field: str, value: object) -> None:
    """A uid or gid that cannot be a system account's: 1000 and above, below the 32 bit nobody."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1000 <= value < 2**32 - 2:
        raise SpecInvalid(field, "is not a tenant's number")


def member(field: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise SpecInvalid(field, "is not one of the known values")


def bcrypt_hash(field: str, value: str) -> None:
    if not _BCRYPT.fullmatch(value):
        raise SpecInvalid(field, "is not a bcrypt hash")


def mysql_native_hash(field: str, value: str) -> None:
    if not _MYSQL_NATIVE.fullmatch(value):
        raise SpecInvalid(field, "is not a mysql_native_password hash")


def size(field: str, value: object) -> None:
    """A size in bytes; None means unlimited."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63):
        raise SpecInvalid(field, "is not a size in bytes")
