"""What a kind of mail is made of, and the words that several kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True)
class Word:
    """A placeholder: what it stands for, and a value to preview with."""

    meaning: Text
    sample: Text


@dataclass(frozen=True)
class Kind:
    """A kind of mail. `required` are the words without which it would be of no use."""

    name: str
    title: Text
    subject: Text
    text: Text
    words: Mapping[str, Word]
    required: frozenset[str] = field(default_factory=frozenset)


COMMON: dict[str, Word] = {
    "name": Word(_("the reader's name"), "Anna Berg"),
    "brand": Word(_("the brand's name"), ""),
    "panel": Word(_("the address of the brand's panel"), ""),
    "support": Word(_("the brand's support address or page"), ""),
}
LINK = Word(_("the link to follow"), "https://panel.example.org/welcome/x")
DOMAIN = Word(_("the account's domain"), "example.org")


def kind(
    name: str, title: Text, subject: Text, text: Text, /, *, required: tuple[str, ...] = (), **words: Word
) -> Kind:
    """Return a kind with the words that every mail has beside its own."""
    return Kind(name, title, subject, text, {**COMMON, **words}, frozenset(required))
