"""Mail about unpaid invoices, in the name of the seller's brand: to the buyer's people who see to money."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from stdnum import iso11649

from accounts.mail import Letter, send_all
from accounts.models import Brand, Membership
from accounts.selectors import brands
from billing import formats
from billing.models import Customer, Hold, Invoice
from billing.pricing import dunning as steps
from panel.core.scoping import everything

READERS = (Membership.Role.OWNER, Membership.Role.ADMIN, Membership.Role.BILLING)

HELD: dict[str, Promise] = {
    "client": gettext_lazy("your access and your sites are suspended"),
    Hold.Stage.ORDERS: gettext_lazy("you can't set up new accounts"),
    Hold.Stage.PANEL: gettext_lazy("your panel is closed but for your invoices"),
    Hold.Stage.SITES: gettext_lazy("the sites of your clients are suspended"),
}
BACK: dict[str, Promise] = {
    "client": gettext_lazy("your sites answer again"),
    Hold.Stage.ORDERS: gettext_lazy("you can set up new accounts again"),
    Hold.Stage.PANEL: gettext_lazy("your panel is open again"),
    Hold.Stage.SITES: gettext_lazy("the sites of your clients answer again"),
}
FOLLOWS: dict[str, Promise] = {
    "client": gettext_lazy("Without a payment your access and your sites are suspended from %(day)s on."),
    steps.SUSPEND: gettext_lazy("Without a payment you can't set up new accounts from %(day)s on."),
    steps.PANEL: gettext_lazy("Without a payment your panel is closed but for your invoices from %(day)s on."),
    steps.SITES: gettext_lazy("Without a payment the sites of your clients are suspended from %(day)s on."),
    steps.TERMINATE: gettext_lazy("Without a payment your hosting accounts are terminated on %(day)s or later."),
}


@dataclass(frozen=True)
class Reader:
    """Who gets a mail, and in which language."""

    address: str
    name: str
    locale: str


def asks(invoice: Invoice, step: str, *, today: date, follows: tuple[str, date] | None) -> None:
    """Send the mail of a step that asks for the money; `follows` is the next thing that is taken away, and its day."""
    template = "payment_overdue" if today > invoice.due_on else "payment_reminder"
    if step in steps.ANNOUNCED.values():
        template = "payment_warning"
    _send(invoice, template, once=step, follows=follows)


def held(hold: Hold) -> None:
    """Tell that something is held back, once servers have reported it."""
    _send(hold.invoice, "payment_hold", once=f"held:{_since(hold)}", what=_words(HELD, hold))


def lifted(hold: Hold) -> None:
    """Tell that it is back, once servers have reported it."""
    _send(hold.invoice, "payment_release", once=f"lifted:{_since(hold)}", what=_words(BACK, hold))


def _since(hold: Hold) -> str:
    return f"{hold.stage}:{hold.begun_at.isoformat()}"


def _words(of: dict[str, Promise], hold: Hold) -> Promise:
    return of["client"] if hold.customer.buyer.kind == "client" else of[hold.stage]


def _send(
    invoice: Invoice,
    template: str,
    *,
    once: str,
    follows: tuple[str, date] | None = None,
    what: Promise | None = None,
) -> None:
    with everything("mail to a buyer's people"):
        customer = Customer.objects.select_related("seller", "buyer").get(pk=invoice.customer_id)
        brand = brands.for_organization(customer.seller)
        send_all(
            [
                Letter(
                    brand,
                    reader.address,
                    template,
                    _context(invoice, customer, brand, reader, follows, what),
                    reader.locale,
                    _once(invoice, f"{once}:{reader.address}"),
                )
                for reader in readers(customer, brand)
            ]
        )


def _once(invoice: Invoice, what: str) -> str:
    return f"dunning:{invoice.pk}:{hashlib.sha256(what.encode()).hexdigest()[:32]}"


def readers(customer: Customer, brand: Brand) -> Iterator[Reader]:
    """Return the buyer's people who see to money, and its billing address where that is nobody's of them."""
    people = Membership.objects.filter(organization=customer.buyer, role__in=READERS, user__is_active=True)
    known = set()
    for member in people.select_related("user").order_by("id"):
        known.add(member.user.email.lower())
        yield Reader(member.user.email, member.user.name, member.user.locale)
    if customer.email and customer.email.lower() not in known:
        yield Reader(customer.email, customer.name, brand.locale)


def _context(
    invoice: Invoice,
    customer: Customer,
    brand: Brand,
    reader: Reader,
    follows: tuple[str, date] | None,
    what: Promise | None,
) -> dict[str, str]:
    with translation.override(reader.locale):
        consequence = ""
        if follows is not None:
            key = "client" if (customer.buyer.kind, follows[0]) == ("client", steps.SUSPEND) else follows[0]
            consequence = str(FOLLOWS[key]) % {"day": date_format(follows[1])}
        return {
            "name": reader.name,
            "number": invoice.label,
            "amount": formats.money(invoice.receivable.open, invoice.currency),
            "due": date_format(invoice.due_on),
            "reference": iso11649.format(invoice.reference) if invoice.reference else "",
            "link": brands.base_url(brand) + reverse("billing:invoice", args=[invoice.pk]),
            "consequence": consequence,
            "what": str(what) if what is not None else "",
        }
