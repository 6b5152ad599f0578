"""Where the public registers names (publicsuffix.org): which domain somebody registered. No Django, no look-ups."""

from functools import lru_cache

from publicsuffixlist import PublicSuffixList


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def is_public_suffix(name: str) -> bool:
    """Whether `name` (an A-label) is a top-level domain or another name under which the public registers names."""
    return bool(_suffixes().publicsuffix(name) == name)


def registrable(name: str) -> str | None:
    """Return the domain that someone registered of which `name` is a part; None for a public suffix."""
    domain = _suffixes().privatesuffix(name)
    return str(domain) if domain else None
