"""In whose name mail is sent: From, Reply-To, and the domain that its other headers name."""

from __future__ import annotations

from email.utils import formataddr

from django.conf import settings

from accounts.models import Brand, MailSender


def wanted(brand: Brand, sender: MailSender | None = None) -> str:
    """Return the address that a brand's mail is to come from: the one that it has set, else one at its panel's host.

    The installation's stands in where a brand has neither; its customers then sign in at another's host as well.
    """
    if sender is not None and sender.from_address:
        return sender.from_address
    if brand.panel_host:
        return f"panel@{brand.panel_host}"
    return settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].strip("<> ")


def address(brand: Brand, sender: MailSender | None = None) -> str:
    """Return the address that a brand's mail comes from now.

    One that the brand has set counts once its domain shows that it is the brand's, by publishing the key, or when the
    brand's own server sends; nobody gets to speak as somebody else by typing an address.
    """
    if sender is not None and sender.from_address and not is_proved(sender):
        return wanted(brand)
    return wanted(brand, sender)


def is_proved(sender: MailSender) -> bool:
    """Tell whether the address that was set may be used."""
    return sender.has_own_server or sender.dkim_state == MailSender.DkimState.PUBLISHED


def sender(brand: Brand, found: MailSender | None = None) -> str:
    """Return the From of a brand's mail: its name and its address."""
    return formataddr((brand.name, address(brand, found)))


def domain(brand: Brand, sender: MailSender | None = None) -> str:
    """Return the domain of the brand's address: what DKIM, Message-ID and EHLO name."""
    return address(brand, sender).rpartition("@")[2]


def reply_to(brand: Brand, sender: MailSender | None = None) -> str:
    """Return where answers go, or nothing when that is where the mail comes from."""
    return (sender.reply_to if sender is not None else "") or brand.support_email
