"""In whose name mail is sent."""

from email.utils import formataddr

from django.conf import settings

from accounts.models import Brand


def sender(brand: Brand) -> str:
    """Return the From of a brand's mail: its name, and an address at its panel's host or else the installation's."""
    installation = settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].strip("<> ")
    return formataddr((brand.name, f"panel@{brand.panel_host}" if brand.panel_host else installation))
