"""In whose name mail is sent: From, Reply-To, and the domain that its other headers name."""

from __future__ import annotations

from email.utils import formataddr

from django.conf import settings

from accounts.models import Brand, MailSender


def address(brand: Brand, sender: MailSender | None = None) -> str:
    """Return the address that a brand's mail comes from.

    The one that the brand has set, else one at its panel's host, its own support or hostmaster's. The installation's
    stands in only where a brand has none of these.
    """
    if sender is not None and sender.from_address:
        return sender.from_address
    if brand.panel_host:
        return f"panel@{brand.panel_host}"
    installation = settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].strip("<> ")
    return brand.support_email or brand.hostmaster or installation


def sender(brand: Brand, found: MailSender | None = None) -> str:
    """Return the From of a brand's mail: its name and its address."""
    return formataddr((brand.name, address(brand, found)))


def domain(brand: Brand, sender: MailSender | None = None) -> str:
    """Return the domain of the brand's address: what DKIM, Message-ID and EHLO name."""
    return address(brand, sender).rpartition("@")[2]


def reply_to(brand: Brand, sender: MailSender | None = None) -> str:
    """Return where answers go, or nothing when that is where the mail comes from."""
    return (sender.reply_to if sender is not None else "") or brand.support_email
