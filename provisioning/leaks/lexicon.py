"""The names that must not show under a brand, and how they are found in a text; where texts come from it knows not."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import idna

Kind = Literal["name", "host", "software"]
SHORTEST_NAME = 4
MASK = "•••"
EXCERPT = 60
"""So many characters stand on either side of a name in an excerpt."""

# Names made of nothing else are in every text of a hosting panel, so looking for them would find nothing but noise.
COMMON = frozenset(
    """
    account accounts admin agency api business client clients cloud company demo design digital dns domain domains email
    example host hosting hosts http internet mail media name names network online page panel platform portal provider
    reseller server servers service services shop site sites software solutions start studio support system systems
    team test web webdesign website websites webs work www
    """.split()
)


@dataclass(frozen=True, slots=True)
class Word:
    """A name to look for: as its owner writes it, what it is, and whose it is (an organization's id, empty for the
    software's own).
    """

    shown: str
    kind: Kind
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A word that was found, and the text around it."""

    word: Word
    excerpt: str


@dataclass(frozen=True)
class _Pattern:
    word: Word
    hint: str
    expression: re.Pattern[str]


@dataclass
class Lexicon:
    """Words to look for, and `own` names of the brand, in which they may be contained; `skipped` are too common."""

    words: Iterable[Word]
    own: Iterable[str] = ()
    skipped: list[Word] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._patterns: list[_Pattern] = []
        for word in self.words:
            made = _patterns(word)
            self._patterns += made
            if not made:
                self.skipped.append(word)
        self._own = [re.compile(_loose(name)) for name in self.own if _tokens(name)]

    def find(self, text: str) -> list[Hit]:
        """Return each word that `text` holds, once, with what stands around it.

        Case, the characters between the parts of a name (`Two Words`, `two-words`, `twowords`) and HTML's character
        references make no difference. A word inside one of the brand's own names is no hit.
        """
        shown = html.unescape(text) if "&" in text else text
        lowered = shown.lower()
        shown = shown if len(shown) == len(lowered) else lowered
        masked: list[tuple[int, int]] | None = None
        hits: dict[Word, Hit] = {}
        for pattern in self._patterns:
            if pattern.word in hits or pattern.hint not in lowered:
                continue
            for match in pattern.expression.finditer(lowered):
                if masked is None:
                    masked = [found.span() for own in self._own for found in own.finditer(lowered)]
                if pattern.word.kind == "name" and any(a <= match.start() and match.end() <= b for a, b in masked):
                    continue
                hits[pattern.word] = Hit(pattern.word, _excerpt(shown, match.start(), match.end()))
                break
        return list(hits.values())

    def mask(self, text: str) -> str:
        """Return `text` with every word that it holds replaced by MASK, however it is written."""
        for pattern in self._patterns:
            text = re.sub(pattern.expression.pattern, MASK, text, flags=re.IGNORECASE)
        return text


def is_common(name: str) -> bool:
    """Whether a name is too short or too common to be looked for."""
    tokens = _tokens(name)
    return len("".join(tokens)) < SHORTEST_NAME or all(token in COMMON for token in tokens)


def _tokens(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.lower())


def _loose(name: str) -> str:
    """An expression for a name however its parts are joined."""
    return r"(?<![^\W_])" + r"[\W_]{0,3}".join(re.escape(token) for token in _tokens(name)) + r"(?![^\W_])"


def _patterns(word: Word) -> list[_Pattern]:
    if word.kind == "software":
        return [_Pattern(word, word.shown.lower(), re.compile(re.escape(word.shown.lower())))]
    if word.kind == "host":
        return [_host(word, spelling) for spelling in _spellings(word.shown)]
    if is_common(word.shown):
        return []
    tokens = _tokens(word.shown)
    return [_Pattern(word, max(tokens, key=len), re.compile(_loose(word.shown)))]


def _host(word: Word, spelling: str) -> _Pattern:
    """A host name, alone or below it; `a.example` is no part of `a.example.org` or `not-a.example`."""
    expression = r"(?<![a-z0-9-])" + re.escape(spelling) + r"(?![a-z0-9-])(?!\.[a-z0-9])"
    return _Pattern(word, spelling, re.compile(expression))


def _spellings(host: str) -> list[str]:
    """A host name as A-labels and as U-labels."""
    lowered = host.lower().rstrip(".")
    spellings = [lowered]
    if "xn--" in lowered:
        with suppress(idna.IDNAError):
            spellings.append(idna.decode(lowered))
    return spellings


def _excerpt(text: str, start: int, end: int) -> str:
    before, after = max(0, start - EXCERPT), min(len(text), end + EXCERPT)
    middle = " ".join(text[before:after].split())
    return f"{'…' if before else ''}{middle}{'…' if after < len(text) else ''}"
