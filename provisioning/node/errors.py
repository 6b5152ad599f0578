"""The two ways of saying no: to a whole request, and to one slice of it."""

from __future__ import annotations

import errno
from typing import Any

REASON_LIMIT = 2000


class NodeError(Exception):
    """The whole request fails. `code` is one of the error codes of docs/protocol.md."""

    def __init__(self, code: str, message: str, detail: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail or {}


class RefusedError(Exception):
    """One slice is refused: `code` is foreign, check, invalid, disk_full or failed; `reason` is for a person."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = shorten(reason)


Failures = dict[str, RefusedError]
"""Slice → why it cannot go on."""


def shorten(text: str) -> str:
    """The last part of a long text: what a checker says last is what matters."""
    text = text.strip()
    return text if len(text) <= REASON_LIMIT else "…" + text[1 - REASON_LIMIT :]


def from_os_error(key: str, error: OSError) -> RefusedError:
    """What an operating system error means for the slice that met it."""
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return RefusedError("foreign", f"{key}: one of its directories has been replaced by a link or a file")
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
    return RefusedError("disk_full" if full else "failed", f"{key}: {error.strerror or error}")
