"""What a value of a payload must look like. Pure: nothing is asked of the system, nothing repaired, only refused."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from .errors import RefusedError
from .paths import FILE_ROOTS, OWN

Body = dict[str, Any]

USER = re.compile(r"[a-z][a-z0-9_-]{0,31}")
GROUP = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
MODE = re.compile(r"[0-7]{4}")
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
DOMAIN = re.compile(r"(?=.{1,253}\Z)" + LABEL + r"(?:\." + LABEL + ")+")
LOCAL_PART = r"[A-Za-z0-9!#$%&'*+/=?^_`{}~.-]{1,64}"
HASH = re.compile(r"[0-9a-f]{64}")
SLICE = re.compile(r"[a-z0-9_]{1,64}")
STEM = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,199}")
UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]{0,127}")
PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]{1,127}")
SQL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,63}")
SQL_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,31}")
SQL_WORD = re.compile(r"[a-z0-9_]{1,64}")
CRYPT = re.compile(r"!|\*|!?\$[0-9a-z]{1,10}\$[A-Za-z0-9./$=,*-]{1,256}")
COMPONENT = re.compile(r"[^\x00-\x1f\x7f/]{1,230}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
TEXT_LIMIT = 8 * 1024 * 1024
UID_LOWEST = 1000
UID_HIGHEST = 4_000_000_000
UID_RESERVED = (65534, 65535)


def invalid(field: str, rule: str) -> RefusedError:
    """The refusal of a value: which field, and what would be accepted."""
    return RefusedError("invalid", f"{field}: {rule}")


def string(body: Body, field: str, pattern: re.Pattern[str] | None = None, rule: str = "") -> str:
    """The text in `field`; it must match `pattern` as a whole."""
    value = body.get(field)
    if not isinstance(value, str):
        raise invalid(field, "must be a text")
    if pattern is not None and not pattern.fullmatch(value):
        raise invalid(field, rule or f"must match {pattern.pattern}")
    return value


def optional_string(body: Body, field: str, pattern: re.Pattern[str] | None = None, rule: str = "") -> str | None:
    """As `string`; absent and null are None."""
    return None if body.get(field) is None else string(body, field, pattern, rule)


def boolean(body: Body, field: str, default: bool = False) -> bool:
    """True or false; a number is neither."""
    value = body.get(field, default)
    if not isinstance(value, bool):
        raise invalid(field, "must be true or false")
    return value


def integer(body: Body, field: str, low: int, high: int) -> int:
    """A whole number within bounds; true is no number."""
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid(field, f"must be a whole number from {low} to {high}")
    return value


def user_id(body: Body, field: str) -> int:
    """A uid or gid that can belong to a tenant."""
    value = integer(body, field, UID_LOWEST, UID_HIGHEST)
    if value in UID_RESERVED:
        raise invalid(field, f"{value} is reserved")
    return value


def mode(body: Body, *, directory: bool) -> int:
    """Four octal digits; set-group-id and sticky on directories only, writable by all only when sticky."""
    value = int(string(body, "mode", MODE, "must be four octal digits such as 0640"), 8)
    if value & 0o4000 or (not directory and value & 0o7000):
        raise invalid("mode", "set-user-id, and on files set-group-id and sticky, are not allowed")
    if value & 0o002 and not value & 0o1000:
        raise invalid("mode", "must not be writable by everybody")
    return value


def normalised(path: str, field: str = "path") -> str:
    """An absolute path without empty, `.` or `..` components and without control characters."""
    if not path.startswith("/") or len(path) > 1024:
        raise invalid(field, "must be an absolute path of at most 1024 characters")
    for part in path[1:].split("/"):
        if part in ("", ".", "..") or not COMPONENT.fullmatch(part):
            raise invalid(field, f"{path!r} is not a normalised path")
    return path


def is_below(path: str, parent: str) -> bool:
    """Whether `path` is `parent` or lies below it; both normalised."""
    return path == parent or path.startswith(parent + "/")


def root_path(path: str) -> str:
    """A path that root may write: normalised, below one of the allowed roots, and not the node's own."""
    normalised(path)
    if not any(is_below(path, root) for root in FILE_ROOTS):
        raise invalid("path", f"{path!r} is outside the places that the panel manages")
    if any(is_below(path, own) or path.startswith(own + "-") for own in OWN):
        raise invalid("path", f"{path!r} belongs to the node program itself")
    return path


def tenant_path(path: str, user: str) -> str:
    """A path strictly below the user's home."""
    normalised(path)
    if not path.startswith(f"/home/{user}/"):
        raise invalid("path", f"{path!r} is outside the home of {user}")
    return path


def content(body: Body) -> str:
    """The text of a file: UTF-8, no NUL, of bounded size."""
    value = string(body, "text")
    try:
        size = len(value.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise invalid("text", "is not valid UTF-8") from error
    if "\x00" in value or size > TEXT_LIMIT:
        raise invalid("text", f"must hold no NUL and at most {TEXT_LIMIT} bytes")
    return value


def address(value: Any, field: str, *, catch_all: bool = False) -> str:
    """A mail address with an ASCII local part that no mail program takes for a command, file or list."""
    if not isinstance(value, str) or CONTROL.search(value):
        raise invalid(field, "must be a mail address")
    local, at, domain = value.rpartition("@")
    plain = re.fullmatch(LOCAL_PART, local) and local[0] not in "/|.-" and not local.endswith(".") and ".." not in local
    if not at or not DOMAIN.fullmatch(domain) or not (plain or (catch_all and not local)):
        raise invalid(field, f"{value!r} is not a mail address")
    return domain


def sql_host(value: Any) -> str:
    """`localhost`, one address, or `%` alone (every host); no other wildcard."""
    if value in ("localhost", "%"):
        return str(value)
    if not isinstance(value, str):
        raise invalid("host", "must be localhost, % or one IP address")
    try:
        ipaddress.ip_address(value)
    except ValueError as error:
        raise invalid("host", "must be localhost, % or one IP address") from error
    return value
