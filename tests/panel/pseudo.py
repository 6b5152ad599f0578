"""A language that nobody speaks: translated messages come back accented, so that plain English stands out."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

from django.utils import translation

PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ACCENTED = "àƀćďéƒĝĥíĵķĺɱñóƥɋŕśţúṽŵẋýžÀɃĆĎÉƑĜĤÍĴĶĹṀÑÓƤɊŔŚŢÚṼŴẊÝŽ"
LETTERS = str.maketrans(PLAIN, ACCENTED)
# Placeholders, tags and entities are no words.
KEPT = re.compile(r"(%\([^)]*\)[a-z]|%[a-z%]|\{[^}]*\}|<[^>]*>|&[a-z]+;)")
# Secrets, senders' policies, colours, host names, paths and identifiers are no words either.
SECRET = re.compile(r"\b[A-Z2-7]{32}\b")
CODES = re.compile(r"\bv=spf1 .*|\{\{[#/^]?\w+\}\}|#[0-9a-f]{6}\b|/?[\w-]+(?:[./_@][\w-]+)+")
WORD = re.compile(r"[A-Za-z]{2,}")
SAID = {"alt", "aria-label", "aria-description", "placeholder", "title", "data-copied", "data-words", "data-label"}
SILENT = {"script", "style", "code", "pre", "svg"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def accent(message: str) -> str:
    """Return a message in accented letters, placeholders and tags as they are."""
    parts = KEPT.split(str(message))
    return "".join(part if number % 2 else part.translate(LETTERS) for number, part in enumerate(parts))


@contextmanager
def spoken() -> Iterator[None]:
    """Let every message that is translated inside the block come back in accented letters."""
    real: Any = translation._trans  # type: ignore[attr-defined]
    pseudo = {
        "gettext": accent,
        "ngettext": lambda one, many, number: accent(one if number == 1 else many),
        "pgettext": lambda _context, message: accent(message),
        "npgettext": lambda _context, one, many, number: accent(one if number == 1 else many),
    }
    before = {name: getattr(real, name) for name in pseudo}
    for name, function in pseudo.items():
        setattr(real, name, function)
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(real, name, function)


class Reader(HTMLParser):
    """Collects what a page says: its text, and the attributes that are read out; not what is shown word for word."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._open: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        literal = tag in SILENT or "mono" in values.get("class", "").split()
        if tag not in VOID:
            self._open.append(literal or self._literal)
        if not literal and not self._literal:
            self.said += [values[name] for name in SAID & values.keys()]
            if tag == "input" and values.get("type") in ("submit", "button"):
                self.said.append(values.get("value", ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            return
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._literal:
            self.said.append(data)

    @property
    def _literal(self) -> bool:
        return bool(self._open) and self._open[-1]


def english(page: str, data: Iterable[str], names: Container[str]) -> list[str]:
    """Return what a page says in plain letters, without `data` that people have written (longest first) and without
    single words that are `names` in every language.
    """
    reader = Reader()
    reader.feed(page)
    reader.close()
    found = []
    for text in reader.said:
        left = SECRET.sub(" ", text)  # First, since a time zone such as NZ may stand in the middle of one.
        if WORD.search(left):
            for value in data:
                left = left.replace(value, " ")
        left = CODES.sub(" ", left)
        if any(word.lower() not in names for word in WORD.findall(left)):
            found.append(" ".join(text.split())[:90])
    return found
