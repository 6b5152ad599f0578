"""Payments: begun with a card, charged to a saved one, recorded by hand. What is sent again pays once.

A payment's `key` is unique for its seller. What becomes of payments by card is the affair of services.card_payments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import structlog
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from billing.gateways.base import Refused, Wanted
from billing.models import Customer, Invoice, Payment, PaymentMethod, Receivable
from billing.pricing import money
from billing.selectors import gateways as gateway_selectors
from billing.selectors import sellers
from billing.services import card_payments, gateways, happenings, methods, settlements, texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError, Invalid
from panel.core.queue import ring
from panel.core.scoping import everything

PAGE_LASTS = timedelta(hours=23)
TRIES = (0, 1, 3, 5)
"""Days after the due date on which a saved card is charged."""
LONGEST_KEY = 100
FAILURES = (DatabaseError, DomainError, ArithmeticError, ValueError, LookupError)
"""What one invoice that can't be charged raises; the others are charged all the same."""
Status = Payment.Status

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Collected:
    """What charging cards that are due came to: how many charges were planned, and the invoices left out."""

    planned: int
    failed: list[str]


def pay(*, actor: Actor, invoice: Invoice, key: str, save_card: bool = False, back: str = "") -> Payment:
    """Begin to pay by card what is open of an invoice; people go on at the payment's `checkout_url`, and come back to
    the path `back` at their panel, by default the payment's own page.

    A page of the payment service that was made for this a short while ago is used again, and the same `key` returns
    what it paid, also afterwards. Asks the service within ten seconds. Raises Invalid when nothing is open or no cards
    are taken, Conflict while a saved card is being charged, Unavailable (try again, same key), Refused.
    """
    policy.require(actor, "payment.pay", invoice)
    with settlements.locked(invoice.customer_id) as customer:
        key = _of_buyer(customer, key)
        payment = _ended(customer, key, invoice) or _planned(actor, customer, key, _due(invoice), invoice)
    return _page(payment, save_card=save_card, back=back)


def pay_all(*, actor: Actor, customer: Customer, key: str, save_card: bool = False) -> Payment:
    """Begin to pay by card all that a customer owes, like `pay`; the oldest invoices are paid first."""
    policy.require(actor, "payment.pay", customer)
    with settlements.locked(customer.pk) as held:
        key = _of_buyer(held, key)
        payment = _ended(held, key, None) or _planned(actor, held, key, owed(held), None)
    return _page(payment, save_card=save_card)


def pay_saved(*, actor: Actor, invoice: Invoice, method: PaymentMethod, key: str) -> Payment:
    """Charge what is open of an invoice to a saved card, by a worker; the payment says what became of it.

    The same `key` again returns that payment, and so does another one while it is under way. Raises Conflict while
    another card is being charged.
    """
    policy.require(actor, "payment.pay", invoice)
    policy.require(actor, "payment.pay", method)
    with settlements.locked(invoice.customer_id) as customer:
        key = _of_buyer(customer, key)
        found = _ended(customer, key, invoice, method)
        if found is not None:
            return found
        if method.removed_at is not None or method.customer_id != invoice.customer_id:
            raise Invalid("card_removed", _("This card is not saved any more. Save it again."), "method")
        methods.taking_cards(customer)
        return plan_charge(actor, customer, invoice, method, key)


def pay_from_credit(*, actor: Actor, invoice: Invoice) -> Decimal:
    """Pay an invoice from the customer's credit as far as that goes; returns how much that was."""
    policy.require(actor, "payment.pay", invoice)
    with settlements.locked(invoice.customer_id):
        _due(invoice)
        paid = settlements.use_credit(invoice)
        if not paid:
            raise Invalid("no_credit", _("There is no credit to pay from. Pay by card or bank transfer."))
        audit.record(actor, "payment.from_credit", invoice, {"amount": (None, str(paid))})
    return paid


def record(
    *,
    actor: Actor,
    customer: Customer,
    amount: Decimal,
    currency: str,
    received_on: date,
    reference: str,
    key: str,
    invoice: Invoice | None = None,
    source: str = Payment.Source.MANUAL,
) -> Payment:
    """Record money that came without a payment service: it pays `invoice` first, then what else is open.

    The same `key` again returns what was recorded. Raises Invalid for an amount or day that can't be, or for another
    currency than the customer's.
    """
    policy.require(actor, "receipt.record", customer)
    if source == Payment.Source.MANUAL:
        reference = texts.line(reference, "reference")
    with settlements.locked(customer.pk) as held:
        _check(held, amount, currency, received_on, invoice)
        payment, is_new = _once(
            Payment(
                seller=held.seller,
                customer=held,
                source=source,
                status=Status.SUCCEEDED,
                amount=amount,
                currency=currency,
                invoice=invoice,
                reference=reference,
                key=key[:LONGEST_KEY],
                received_on=received_on,
            )
        )
        if is_new:
            settlements.receive(payment)
            audit.record(actor, "receipt.record", payment, {"amount": (None, str(amount))})
            happenings.tell("payment.succeeded", payment)
    return payment


def collect_due(now: datetime, seller: Organization | None = None) -> Collected:
    """Plan to charge the saved cards of customers who owe what is due.

    On the due date, and one, three and five days later. Each try has its key, so that a run that runs twice charges
    once, and one that comes late takes one try a day. An invoice at which something fails is told and left out.
    """
    rows = Receivable.objects.filter(settled_at__isnull=True, due_on__lte=now.date() + timedelta(days=1))
    rows = rows.filter(customer__pays_by_itself=True, customer__methods__is_default=True)
    if seller is not None:
        rows = rows.filter(seller=seller)
    planned, failed = 0, []
    with everything("what is due is charged to saved cards"):
        for receivable in list(rows.select_related("customer__seller", "invoice").order_by("due_on", "id").distinct()):
            try:
                planned += _collect(receivable, now)
            except FAILURES as error:
                log.exception("payments.not_collected", invoice=receivable.invoice_id, error=type(error).__name__)
                failed.append(receivable.invoice_id)
    return Collected(planned, failed)


def owed(customer: Customer) -> Decimal:
    """Return all that is open of a customer's invoices."""
    rows = Receivable.objects.filter(customer=customer, settled_at__isnull=True)
    return rows.aggregate(sum=Sum("open"))["sum"] or Decimal(0)


def plan_charge(actor: Actor, customer: Customer, invoice: Invoice, method: PaymentMethod, key: str) -> Payment:
    """Plan to charge a saved card: one at a time for an invoice. Belongs under the customer's lock."""
    waiting = _charges(customer, invoice).first()
    if waiting is not None and waiting.method_id != method.pk:
        text = _("Another card is being charged for this invoice. Wait until the payment has ended.")
        raise Conflict(text, code="under_way")
    if waiting is not None:
        ring(card_payments.CHARGE, waiting.pk)
        return waiting
    payment, is_new = _once(
        Payment(
            seller=customer.seller,
            customer=customer,
            source=Payment.Source.GATEWAY,
            amount=_due(invoice),
            currency=customer.currency,
            invoice=invoice,
            gateway_id=method.gateway_id,
            method=method,
            key=key[:LONGEST_KEY],
        )
    )
    if is_new:
        audit.record(actor, "payment.pay", payment)
    if payment.status == Status.PENDING:
        ring(card_payments.CHARGE, payment.pk)
    return payment


def _collect(receivable: Receivable, now: datetime) -> bool:
    """Plan the next try of one invoice, if it is its time."""
    customer, invoice = receivable.customer, receivable.invoice
    method = PaymentMethod.objects.filter(customer=customer, is_default=True, removed_at__isnull=True).first()
    if method is None or gateway_selectors.active(customer.seller) is None:
        return False
    with settlements.locked(customer.pk) as held:
        tries = list(Payment.objects.filter(invoice=invoice, key__startswith=f"due:{invoice.pk}:"))
        still = Receivable.objects.filter(pk=receivable.pk, settled_at__isnull=True).exists()
        under_way = _charges(held, invoice).exists()
        if not still or under_way or not _is_time(receivable, tries, now):
            return False
        actor = Actor.system("cards that are due")
        plan_charge(actor, held, invoice, method, f"due:{invoice.pk}:{len(tries)}")
        return True


def _is_time(receivable: Receivable, tries: list[Payment], now: datetime) -> bool:
    """Tell whether the next try is due: none was today, and its day has come."""
    seller = sellers.of(receivable.customer.seller)
    today = sellers.today(seller, now)
    if len(tries) >= len(TRIES):
        return False
    if any(sellers.today(seller, payment.created_at) >= today for payment in tries):
        return False
    return today >= receivable.due_on + timedelta(days=TRIES[len(tries)])


def _planned(actor: Actor, customer: Customer, key: str, amount: Decimal, invoice: Invoice | None) -> Payment:
    """Return a payment that waits for somebody to pay it: one whose page is still good, or a new one."""
    if amount <= 0:
        raise Invalid("nothing_open", _("Nothing is open: everything is paid."))
    gateway = methods.taking_cards(customer)
    if _charges(customer, invoice).filter(failure="").exists():
        text = _("A saved card is being charged. Wait until that has ended, so that nothing is paid twice.")
        raise Conflict(text, code="under_way")
    waiting = Payment.objects.filter(
        customer=customer,
        invoice=invoice,
        amount=amount,
        gateway=gateway,
        method=None,
        status=Status.PENDING,
        created_at__gt=timezone.now() - PAGE_LASTS,
    ).exclude(checkout_url="")
    found = waiting.first()
    if found is not None:
        return found
    payment, is_new = _once(
        Payment(
            seller=customer.seller,
            customer=customer,
            source=Payment.Source.GATEWAY,
            amount=amount,
            currency=customer.currency,
            invoice=invoice,
            gateway=gateway,
            key=key[:LONGEST_KEY],
        )
    )
    if is_new:
        audit.record(actor, "payment.pay", payment)
    return payment


def _charges(customer: Customer, invoice: Invoice | None) -> QuerySet[Payment]:
    """Return the charges of saved cards that are under way: for an invoice, or for any of a customer."""
    rows = Payment.objects.filter(customer=customer, method__isnull=False, status=Status.PENDING)
    return rows if invoice is None else rows.filter(invoice=invoice)


def _of_buyer(customer: Customer, key: str) -> str:
    """Return a buyer's key as it is kept: no other customer's, nor one of the panel's own, is the same."""
    return f"{customer.pk}:{sha256(key.encode()).hexdigest()}"


def _ended(
    customer: Customer, key: str, invoice: Invoice | None, method: PaymentMethod | None = None
) -> Payment | None:
    """Return what a key has paid, or failed to; None for a key that is new or whose payment is under way.

    Raises Conflict for the key of another payment.
    """
    rows = Payment.objects.select_related("customer__seller", "gateway", "invoice", "method")
    found = rows.filter(seller=customer.seller_id, key=key).first()
    if found is None:
        return None
    if (found.customer_id, found.invoice, found.method) != (customer.pk, invoice, method):
        raise Conflict(_("This key was used for another payment. Use a new one."), field="key")
    return None if found.status == Status.PENDING else found


def _page(payment: Payment, *, save_card: bool, back: str = "") -> Payment:
    """Give a payment its page at the payment service, outside of any transaction of ours."""
    if payment.checkout_url or payment.status != Status.PENDING or payment.gateway is None:
        return payment
    customer = payment.customer
    home = methods.home_of(customer)
    back = home + (back or reverse("billing:payment", args=[payment.pk]))
    wanted = Wanted(
        id=payment.pk,
        key=f"checkout:{payment.pk}",
        customer=customer.pk,
        text=_purpose(payment),
        currency=payment.currency,
        success_url=back,
        cancel_url=back,
        amount=payment.amount,
        email=customer.email,
        remote_customer=methods.remote_customer(customer, payment.gateway),
        saves_card=save_card,
    )
    try:
        page = gateways.service(payment.gateway).checkout(wanted)
    except (Refused, Invalid) as error:
        with settlements.locked(customer.pk):
            payment = card_payments.again(payment)
            if payment.status == Status.PENDING:
                card_payments.end(payment, Status.FAILED, error.message)
        raise
    with settlements.locked(customer.pk):
        payment = card_payments.again(payment)
        if payment.status == Status.PENDING:
            payment.checkout_url = page.url
            payment.remote_id = payment.remote_id or page.remote_id
            payment.save(update_fields=["checkout_url", "remote_id"])
    return payment


def _purpose(payment: Payment) -> str:
    if payment.invoice is not None:
        return _("Invoice %(number)s") % {"number": payment.invoice.label}
    return _("Open invoices")


def _due(invoice: Invoice) -> Decimal:
    """Return what is open of an invoice; raises Invalid when nothing is, or it was not issued."""
    receivable = Receivable.objects.filter(invoice=invoice, settled_at__isnull=True).first()
    if receivable is None:
        raise Invalid("nothing_open", _("Nothing is open: this invoice is paid, or not issued."))
    return Decimal(receivable.open)


def _check(customer: Customer, amount: Decimal, currency: str, received_on: date, invoice: Invoice | None) -> None:
    if currency != customer.currency:
        text = _("This customer is billed in %(currency)s. Record the amount in it.") % {"currency": customer.currency}
        raise Invalid("currency", text, "currency")
    if amount <= 0 or money.rounded(amount, currency) != amount:
        raise Invalid("amount", _("Give an amount above zero, in whole units of the currency."), "amount")
    if received_on > settlements.day_of(customer):
        raise Invalid("received_on", _("Give the day on which it came: today or before."), "received_on")
    if invoice is not None and (invoice.customer_id != customer.pk or invoice.status != Invoice.Status.ISSUED):
        raise Invalid("invoice", _("Choose an issued invoice of this customer."), "invoice")


def _once(payment: Payment) -> tuple[Payment, bool]:
    """Keep a payment unless there is one of its key already, and return that; raises Conflict when that is another."""
    try:
        with transaction.atomic():
            payment.save(force_insert=True)
            return payment, True
    except IntegrityError:
        rows = Payment.objects.select_related("customer__seller", "gateway", "invoice", "method")
        found = rows.filter(seller=payment.seller_id, key=payment.key).first()
        if found is None:
            raise
    same = (found.customer_id, found.invoice_id, found.amount, found.currency, found.source)
    if same != (payment.customer_id, payment.invoice_id, payment.amount, payment.currency, payment.source):
        raise Conflict(_("This key was used for another payment. Use a new one."), field="key")
    return found, False
