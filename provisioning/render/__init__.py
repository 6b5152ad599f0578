"""Turns templates of templates/config into text, and lets no value in that did not pass its language's filter.

Not for HTML, and not for what a value may be (panel.core.names says that).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from provisioning.render.quoting import FILTERS, Quoted, Unrepresentable

__all__ = ["Quoted", "Unquoted", "Unrepresentable", "render"]

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "config"


class Unquoted(TypeError):
    """A template prints a value without a quoting filter: a mistake in the template."""


def _only_quoted(value: Any) -> Quoted:
    if not isinstance(value, Quoted):
        raise Unquoted(f"an expression yields {type(value).__name__} without a quoting filter")
    return value


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 -- these are no HTML; `finalize` refuses what no filter quoted
        finalize=_only_quoted,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters = dict(FILTERS)  # none of Jinja's own: most turn Quoted into plain text
    return environment


_ENVIRONMENT = _environment()


def render(template: str, **values: Any) -> str:
    """Return the text of `template` (a path below templates/config) with `values`.

    Raises jinja2.UndefinedError for a missing value, Unquoted for one printed without its language's filter, and
    Unrepresentable for one that the language cannot hold.
    """
    return _ENVIRONMENT.get_template(template).render(values)
