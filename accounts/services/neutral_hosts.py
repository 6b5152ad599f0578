"""Host names that name nobody: an opaque label below the installation's neutral domain, one for each brand.

Which brand has which is a column of the brand; who signs in there is decided in `accounts.selectors.brands`.
"""

from __future__ import annotations

import secrets

from django.conf import settings

from accounts.models import Organization

LETTERS = "bcdfghjkmnpqrstvwxz"
"""Without vowels, so that no label reads as a word."""
LENGTH = 12


def make(organization: Organization) -> str:
    """Return a new neutral host for the brand of an organization.

    It is "" for the provider, whose panel answers at `PROVIDER_HOSTS`, and where there is no neutral domain.
    """
    if organization.kind == Organization.Kind.PROVIDER or not settings.NEUTRAL_PANEL_DOMAIN:
        return ""
    label = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    return f"{label}.{settings.NEUTRAL_PANEL_DOMAIN}"
