"""PDFs of a source of ours and data as JSON, in fonts for the scripts that names are written in. What a paper says is
for `papers`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

import typst

FONTS = tuple(
    f"/usr/share/fonts/{kind}/{name}"
    for kind in ("truetype", "opentype")
    for name in ("wqy", "fonts-hosny-amiri")
)  # fmt: skip
"""Where Debian's fonts-wqy-microhei (Chinese, Japanese, Korean) and fonts-hosny-amiri (Arabic) are, where they are
installed. Latin, Greek, Cyrillic and Hebrew letters come with the typesetter.
"""
UNKNOWN = "\N{WHITE SQUARE}"
"""What stands for a letter that no font has. The typesetter's own fonts have it."""
JOINER = "\N{ZERO WIDTH JOINER}"
MOST_TRIES = 2000
"""So many times the typesetter is asked which letters it has; what is still in doubt then counts as missing."""

_PLAIN = re.compile(r"[\x00-\x7f]*")
_PROBE = b"#for letter in json(bytes(sys.inputs.paper)) [#letter ]"


def pdf(source: bytes, paper: dict[str, Any], issued: int = 0) -> bytes:
    """Return the PDF/A-3 of a source and the data that it finds as JSON in `sys.inputs.paper`: the same bytes for the
    same data and `issued`, a Unix time.

    The source reads no file and reaches no network. Raises typst.TypstError, also for a letter that no font has.
    """
    return _made(source, paper, issued)


def missing(paper: dict[str, Any]) -> frozenset[str]:
    """Return the letters of a paper that no font has, each with the marks on it."""
    used = {letter for text in _texts(paper) if not _PLAIN.fullmatch(text) for letter in _letters(text)}
    strange = {letter for letter in used if not _PLAIN.fullmatch(letter)} - {UNKNOWN}
    # A letter that is missing may vanish under a mark that is not, so each is asked for without its marks, too.
    asked = sorted(strange | {letter[0] for letter in strange if not letter[0].isascii()})
    lacking = set(_missing(asked, iter(range(MOST_TRIES))))
    return frozenset(letter for letter in strange if letter in lacking or letter[0] in lacking)


def without(paper: Any, letters: frozenset[str]) -> Any:
    """Return a paper with UNKNOWN in place of letters."""
    if isinstance(paper, str):
        return "".join(UNKNOWN if letter in letters else letter for letter in _letters(paper))
    if isinstance(paper, dict):
        return {key: without(value, letters) for key, value in paper.items()}
    return [without(value, letters) for value in paper] if isinstance(paper, list | tuple) else paper


def _missing(letters: Sequence[str], tries: Iterator[int]) -> list[str]:
    """Return those that the typesetter refuses, by halves: most papers need one try."""
    if not letters:
        return []
    if next(tries, None) is not None:
        try:
            _made(_PROBE, letters, 0)
        except typst.TypstError:
            pass
        else:
            return []
        if len(letters) > 1:
            middle = len(letters) // 2
            return [*_missing(letters[:middle], tries), *_missing(letters[middle:], tries)]
    return list(letters)


def _letters(text: str) -> list[str]:
    """Cut a text into letters, each with the marks and joiners that follow it."""
    found: list[str] = []
    for char in text:
        if found and (unicodedata.category(char).startswith("M") or char == JOINER):
            found[-1] += char
        else:
            found.append(char)
    return found


def _texts(paper: Any) -> Iterator[str]:
    if isinstance(paper, str):
        yield paper
    elif isinstance(paper, dict | list | tuple):
        for value in paper.values() if isinstance(paper, dict) else paper:
            yield from _texts(value)


def _made(source: bytes, data: Any, issued: int) -> bytes:
    with TemporaryDirectory() as nothing:
        typesetter = typst.Compiler(
            source,
            root=nothing,
            package_path=nothing,
            package_cache_path=nothing,
            font_paths=_fonts(FONTS),
            sys_inputs={"paper": json.dumps(data)},
        )
        made = typesetter.compile(format="pdf", pdf_standards="a-3b", timestamp=issued)
    if not isinstance(made, bytes):
        raise TypeError("A PDF is one file.")
    return made


@cache
def _fonts(places: tuple[str, ...]) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=list(places))
