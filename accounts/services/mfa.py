"""Sealing of second factors at rest."""

from panel.core import vault


def seal(text: str) -> str:
    """Return `text` encrypted."""
    return vault.seal(text)


def unseal(sealed: str) -> str:
    """Return what `seal` was given."""
    return vault.unseal(sealed)
