"""Files that go out with a mail, fetched when it is sent and kept nowhere twice: a mail only says which one it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Attachment:
    """A file as the reader gets it."""

    name: str
    content: bytes
    content_type: str


class AttachmentGone(Exception):
    """There is no such file any more, or nobody gives files of that kind."""


_givers: dict[str, Callable[[str], Attachment]] = {}


def give(kind: str, giver: Callable[[str], Attachment]) -> None:
    """Let `giver` return the file of each key of a kind; it raises AttachmentGone for what is not there."""
    _givers[kind] = giver


def fetch(reference: str) -> Attachment:
    """Return the file that a mail names as `kind:key`; raises AttachmentGone."""
    kind, _colon, key = reference.partition(":")
    if kind not in _givers:
        raise AttachmentGone(reference)
    return _givers[kind](key)
