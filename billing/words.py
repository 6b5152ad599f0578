"""What happens to money, in the words that people read."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HAPPENINGS: dict[str, str | Promise] = {
    "customer.held": _("A customer is held back"),
    "customer.lifted": _("A customer is held back no more"),
    "dispute.closed": _("A dispute is decided"),
    "dispute.opened": _("A payment is disputed"),
    "hook.test": _("Test"),
    "invoice.credited": _("A credit note is issued"),
    "invoice.issued": _("An invoice is issued"),
    "invoice.overdue": _("An invoice is overdue"),
    "invoice.paid": _("An invoice is paid"),
    "payment.failed": _("A payment has failed"),
    "payment.refunded": _("A payment is paid back"),
    "payment.succeeded": _("A payment has arrived"),
    "subscription.ended": _("A subscription has ended"),
    "subscription.started": _("A subscription has begun"),
}


def happening(kind: str) -> str:
    """Return what a kind of happening is, for people; an unknown one is shown as it is."""
    return str(HAPPENINGS.get(kind, kind))
