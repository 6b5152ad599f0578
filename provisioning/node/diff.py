"""Shows a change as a person reads it: a unified diff, with everything secret masked. Pure."""

from __future__ import annotations

import difflib
import json
import re

from .changes import MOVE, Change
from .rules import Body

MASK = "••••"
SECRET_ATTRIBUTES = ("password", "password_hash", "secret")
NOT_SHOWN = ("kind", "name")


def _attributes(body: Body) -> list[str]:
    """`attribute: value` lines."""
    lines = []
    for name in sorted(body.keys() - set(NOT_SHOWN) - {"text"}):
        value = body[name]
        if name == "values" and isinstance(value, dict):
            lines += [f"{column}: {_shown(column, value[column])}" for column in sorted(value)]
        else:
            lines.append(f"{name}: {_shown(name, value)}")
    return lines


def _shown(name: str, value: object) -> str:
    if name in SECRET_ATTRIBUTES and value is not None and not isinstance(value, bool):
        return MASK
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _secret_part(old: Body | None, new: Body | None) -> list[str]:
    """A line for each masked value that differs: that it changes is no secret."""
    lines = []
    for name in SECRET_ATTRIBUTES:
        was, will = _values(old).get(name), _values(new).get(name)
        if was != will and isinstance(was, str) and isinstance(will, str):
            lines += [f"-{name}: {MASK}", f"+{name}: {MASK}"]
    return lines


def _values(body: Body | None) -> Body:
    if body is None:
        return {}
    values = body.get("values")
    return {**body, **values} if isinstance(values, dict) else body


def _unified(old: list[str], new: list[str]) -> list[str]:
    lines = list(difflib.unified_diff(old, new, "applied", "wanted", lineterm="", n=3))
    return lines[2:]


def text_diff(change: Change) -> str:
    """The change of one resource: its attributes, then its text."""
    if change.change == MOVE:
        return f"-{change.name}\n+{change.body['to']}\n"
    old, new = change.old, change.new
    lines = _unified(_attributes(old or {}), _attributes(new or {})) + _secret_part(old, new)
    was, will = (old or {}).get("text"), (new or {}).get("text")
    if was != will:
        if any(body is not None and body.get("secret") for body in (old, new)):
            lines += [f"-{MASK}"] * (was is not None) + [f"+{MASK}"] * (will is not None)
        else:
            lines += _unified((was or "").splitlines(), (will or "").splitlines())
    return "\n".join(lines) + "\n" if lines else ""


def secrets_of(changes: list[Change]) -> list[str]:
    """Every secret text that a checker might repeat, longest first."""
    found: set[str] = set()
    for change in changes:
        for body in (change.old, change.new):
            if body is None:
                continue
            values = _values(body)
            found.update(str(values[name]) for name in SECRET_ATTRIBUTES if isinstance(values.get(name), str))
            if body.get("secret"):
                lines = str(body.get("text", "")).splitlines()
                found.update(line.strip() for line in lines)
                found.update(word for line in lines for word in re.split(r"[\s\"'=;]+", line) if len(word) >= 8)
    return sorted((secret for secret in found if len(secret) >= 4), key=len, reverse=True)


def masked(text: str, changes: list[Change]) -> str:
    """A checker's words without the secrets of the changes."""
    for secret in secrets_of(changes):
        text = text.replace(secret, MASK)
    return text
