"""The HTML of a mail, made from its text: paragraphs, links, the brand's name and colour. Templates hold no HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.template.loader import render_to_string

from accounts.models import Brand

_ADDRESS = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True)
class Block:
    """A paragraph: its lines, or an address that stands alone and becomes a button."""

    lines: tuple[tuple[tuple[str, bool], ...], ...] = ()
    link: str = ""


def of(brand: Brand, subject: str, text: str, locale: str) -> str:
    """Return the HTML part of a mail whose plain part is `text`; every value is escaped."""
    blocks = [_block(part) for part in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").strip())]
    context = {"brand": brand, "subject": subject, "blocks": blocks, "locale": locale}
    return render_to_string("mail/message.html", context)


def _block(paragraph: str) -> Block:
    text = paragraph.strip()
    if _ADDRESS.fullmatch(text):
        return Block(link=text)
    return Block(lines=tuple(_line(line) for line in text.split("\n")))


def _line(line: str) -> tuple[tuple[str, bool], ...]:
    """The pieces of a line, each with whether it is an address to follow."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for found in _ADDRESS.finditer(line):
        address = found.group().rstrip(".,;:!?)")
        pieces += [(line[at : found.start()], False), (address, True)]
        at = found.start() + len(address)
    return (*pieces, (line[at:], False))
