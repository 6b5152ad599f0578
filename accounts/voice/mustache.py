"""The part of Mustache (mustache(5)) that mail is written in: words, and sections that stand or fall with a word.

`{{word}}` is its value; `{{#word}}…{{/word}}` stands where the word has a value, `{{^word}}…{{/word}}` where it has
none. Nothing loops, calls or looks anything up, and a value is never read as a template.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from django.utils.translation import gettext as _

DEEPEST = 4
_TAG = re.compile(r"(?<!\{)\{\{([#^/]?)[ \t]*([a-z_]{1,40})[ \t]*\}\}(?!\})")
_ALONE = re.compile(r"^[ \t]*(\{\{[#^/][ \t]*[a-z_]{1,40}[ \t]*\}\})[ \t]*\r?\n", re.MULTILINE)


class TemplateInvalid(ValueError):
    """A text that is no template: `rule` is the rule's stable name, `message` says what would be accepted."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


class _Part(NamedTuple):
    """A piece of a template: text that stands as it is (`sign` None), or a tag."""

    sign: str | None
    text: str


def check(template: str, words: Collection[str]) -> set[str]:
    """Return the words whose values `template` prints; raises TemplateInvalid when it names others or is not closed."""
    return {part.text for part in _parts(template, words) if part.sign == ""}


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return the text of `template`; a word of `values` that is empty counts as not there.

    Raises TemplateInvalid for a word that `values` does not have.
    """
    found: list[str] = []
    hidden: list[bool] = []
    for part in _parts(template, values):
        if part.sign in ("#", "^"):
            hidden.append(bool(values[part.text]) == (part.sign == "^"))
        elif part.sign == "/":
            hidden.pop()
        elif not any(hidden):
            found.append(part.text if part.sign is None else values[part.text])
    return "".join(found)


def _parts(template: str, words: Collection[str]) -> Iterator[_Part]:
    text = _ALONE.sub(r"\1", template)
    open_sections: list[str] = []
    at = 0
    for tag in _TAG.finditer(text):
        yield _plain(text[at : tag.start()])
        at = tag.end()
        sign, word = tag.groups()
        if word not in words:
            raise TemplateInvalid(
                "unknown_placeholder",
                _("There is no {{%(word)s}} here. Use %(words)s.")
                % {"word": word, "words": ", ".join(f"{{{{{one}}}}}" for one in sorted(words))},
            )
        if sign == "/" and (not open_sections or open_sections.pop() != word):
            raise TemplateInvalid("section", _("{{/%(word)s}} closes nothing that is open.") % {"word": word})
        if sign in ("#", "^"):
            open_sections.append(word)
            if len(open_sections) > DEEPEST:
                raise TemplateInvalid("section", _("Sections lie at most %(count)d deep.") % {"count": DEEPEST})
        yield _Part(sign, word)
    yield _plain(text[at:])
    if open_sections:
        word = open_sections[-1]
        raise TemplateInvalid(
            "section", _("{{#%(word)s}} is not closed. Write {{/%(word)s}} where it ends.") % {"word": word}
        )


def _plain(text: str) -> _Part:
    if "{{" in text or "}}" in text:
        raise TemplateInvalid(
            "placeholder", _("Write placeholders as {{word}}; two braces in a row are not possible otherwise.")
        )
    return _Part(None, text)
