"""What happens to money, in the words that people read."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext
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

#: Step of dunning → what it is, for who sells as for who buys; `suspend` is another thing for who sells on.
STEPS: dict[str, str | Promise] = {
    "overdue": _("Overdue"),
    "demand": _("Request to pay"),
    "suspend": _("Access and sites suspended"),
    "suspend.reseller": _("No new accounts"),
    "panel": _("Panel closed but for invoices"),
    "sites_notice": _("Notice that clients' sites go off"),
    "sites": _("Sites of clients suspended"),
    "terminate_notice": _("Notice that accounts end"),
    "terminate": _("Hosting accounts terminated"),
}
#: What is held back → the step that does it, by the kind of the buyer.
STAGES: dict[tuple[str, str], str] = {
    ("client", "sites"): "suspend",
    ("reseller", "orders"): "suspend.reseller",
    ("reseller", "panel"): "panel",
    ("reseller", "sites"): "sites",
}


def step(name: str, kind: str) -> str:
    """Return what a step of dunning is for a buyer of a kind (client, reseller)."""
    if name.startswith("reminder:"):
        return gettext("Reminder")
    return str(STEPS.get(f"{name}.{kind}", STEPS.get(name, name)))


def stage(name: str, kind: str) -> str:
    """Return what is held back of a buyer of a kind."""
    return str(STEPS[STAGES.get((kind, name), name)])


def happening(kind: str) -> str:
    """Return what a kind of happening is, for people; an unknown one is shown as it is."""
    return str(HAPPENINGS.get(kind, kind))
