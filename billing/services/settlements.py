"""What money pays for: every amount goes through a customer's credit, from there to invoices, and back. No network.

In the books money that comes is `cash` against `credit`, and what pays an invoice is `credit` against `receivable`; so
the credit of a customer is what came in less what was used, and it is never below zero. The customer's row is the lock
of all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Case, F, Q, Sum, When
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.fields import MoneyField
from billing.models import Allocation, Customer, Invoice, LedgerEntry, Payment, Receivable
from billing.selectors import sellers
from billing.services import happenings, ledger
from panel.core.errors import Conflict
from panel.core.scoping import everything

ZERO = Decimal(0)
LOSS = "loss:"
"""How the keys of allocations begin that no money is behind: what was given up, and what of that was taken back."""
Account = LedgerEntry.Account


@contextmanager
def locked(customer_id: str) -> Iterator[Customer]:
    """Hold a customer's money still: in a transaction, with the customer's row locked, whatever the scope.

    Its parties are read afterwards: joined to a row that somebody else held, they would be those of before.
    """
    with everything("the money of one customer"), transaction.atomic():
        Customer.objects.select_for_update(no_key=True).only("pk").get(pk=customer_id)
        yield Customer.objects.select_related("seller", "buyer").get(pk=customer_id)


def credit_of(customer: Customer) -> Decimal:
    """Return what the customer has paid, or was credited, and has not used yet, by the books."""
    return credits_of([customer.pk]).get(customer.pk, ZERO)


def credits_of(customer_ids: Iterable[str]) -> dict[str, Decimal]:
    """Return the credit of each of many customers, by id; who has none is left out."""
    side = Case(When(credit=Account.CREDIT, then=F("amount")), default=-F("amount"), output_field=MoneyField())
    with everything("the books of customers"):
        rows = LedgerEntry.objects.filter(Q(debit=Account.CREDIT) | Q(credit=Account.CREDIT))
        sums = rows.filter(customer__in=list(customer_ids)).order_by().values("customer").annotate(sum=Sum(side))
        return {row["customer"]: Decimal(row["sum"]) for row in sums if row["sum"]}


def allocate(
    invoice: Invoice,
    amount: Decimal,
    key: str,
    payment: Payment | None = None,
    credit_note: Invoice | None = None,
    *,
    is_money: bool = True,
) -> Decimal:
    """Pay an invoice from the customer's credit: as much of `amount` as is open and as the credit holds. Returns it.

    The same `key` again does nothing and returns zero. Money of a payment, or of a credit note, has to be in the
    customer's credit before. A credit note takes the place of money that had paid its invoice, which is credit then. At
    nothing left it tells `invoice.settled`, and `invoice.paid` unless it was a credit note, or no money, that did it.
    """
    with locked(invoice.customer_id) as customer:
        if amount <= 0 or Allocation.objects.filter(key=key).exists():
            return ZERO
        was_open = _open(invoice) is not None
        if credit_note is not None:
            _make_room(invoice, amount, key)
        receivable = _open(invoice)
        part = min(amount, receivable.open, credit_of(customer)) if receivable is not None else ZERO
        if part <= 0 or receivable is None:
            return ZERO
        _move(customer, invoice, part, key, payment, credit_note)
        receivable.open -= part
        receivable.settled_at = None if receivable.open else timezone.now()
        receivable.save(update_fields=["open", "settled_at"])
        if was_open and not receivable.open:
            happenings.tell("invoice.settled", invoice)
            if is_money and credit_note is None:
                happenings.tell("invoice.paid", invoice)
        return part


def release(invoice: Invoice, amount: Decimal, key: str, payment: Payment | None = None) -> Decimal:
    """Take back `amount` of what paid an invoice: it is open again, and the amount is credit. Returns the amount.

    The same `key` again does nothing and returns zero. Raises Conflict for more than was paid.
    """
    with locked(invoice.customer_id) as customer:
        if Allocation.objects.filter(key=key).exists():
            return ZERO
        receivable = Receivable.objects.select_for_update(of=("self",)).get(invoice=invoice)
        if amount <= 0 or amount > paid_by(invoice, payment):
            raise Conflict(_("No more can be taken back than was paid."), field="amount")
        _move(customer, invoice, -amount, key, payment, None)
        receivable.open += amount
        receivable.settled_at = None
        receivable.save(update_fields=["open", "settled_at"])
        return amount


def use_credit(invoice: Invoice) -> Decimal:
    """Pay an issued invoice from the customer's credit, as far as that goes; returns how much it paid."""
    with locked(invoice.customer_id):
        count = Allocation.objects.filter(invoice=invoice).count()
        return allocate(invoice, invoice.gross, f"credit:{invoice.pk}:{count}")


def receive(payment: Payment) -> None:
    """Book a payment that has come, once: it pays its invoice first, then what else is open, oldest first.

    The rest stays as the customer's credit.
    """
    with locked(payment.customer_id) as customer:
        on = payment.received_on or day_of(customer)
        key = f"payment:{payment.pk}"
        post(customer, key, Account.CASH, Account.CREDIT, payment.amount, on=on, payment=payment)
        spend(customer, payment.amount, key, payment)


def spend(customer: Customer, amount: Decimal, key: str, payment: Payment) -> None:
    """Pay from a payment's money in the credit: its own invoice first, then what else is open, oldest first."""
    left = amount
    for invoice in _to_pay(customer, payment.invoice_id):
        if left > 0:
            left -= allocate(invoice, left, f"{key}:{invoice.pk}", payment=payment)


def take_out(payment: Payment, amount: Decimal, key: str) -> Decimal:
    """Make `amount` of a payment free for going back: from the customer's credit, then by opening what it paid.

    Invoices that the payment itself paid come first, the newest first, then such as were paid from credit. Returns how
    much is in the credit then, at most `amount`. The caller books where it goes.
    """
    with locked(payment.customer_id) as customer:
        missing = amount - max(credit_of(customer), ZERO)
        for source in (payment, None):
            for invoice, paid in _paid_from(customer, source):
                part = min(missing, paid)
                if part > 0:
                    missing -= release(invoice, part, f"{key}:{invoice.pk}:{bool(source):d}", source)
        return min(amount, max(credit_of(customer), ZERO))


def paid_by(invoice: Invoice, payment: Payment | None = None) -> Decimal:
    """Return what a payment has paid of an invoice, or what was paid from credit, less what was taken back."""
    rows = Allocation.objects.filter(invoice=invoice, payment=payment, credit_note=None)
    return rows.exclude(key__startswith=LOSS).aggregate(sum=Sum("amount"))["sum"] or ZERO


def post(
    customer: Customer,
    key: str,
    debit: LedgerEntry.Account,
    credit: LedgerEntry.Account,
    amount: Decimal,
    *,
    on: date | None = None,
    invoice: Invoice | None = None,
    payment: Payment | None = None,
    text: str = "",
) -> None:
    """Write a row of the seller's books about a customer, once for each key; nothing for an amount of zero."""
    made = ledger.entry(
        seller=customer.seller,
        key=key,
        on=on or day_of(customer),
        debit=debit,
        credit=credit,
        amount=amount,
        currency=customer.currency,
        customer=customer,
        invoice=invoice,
        payment=payment,
        text=text,
    )
    ledger.post(made)


def day_of(customer: Customer) -> date:
    """Return today's date in the time zone of a customer's seller."""
    return sellers.today(sellers.of(customer.seller))


def _open(invoice: Invoice) -> Receivable | None:
    rows = Receivable.objects.select_for_update(of=("self",))
    return rows.filter(invoice=invoice, settled_at__isnull=True).first()


def _make_room(invoice: Invoice, amount: Decimal, key: str) -> None:
    """Open as much of an invoice as a credit note needs: what was given up, then what was paid, the newest first."""
    receivable = Receivable.objects.select_for_update(of=("self",)).filter(invoice=invoice).first()
    if receivable is None:
        return
    missing = amount - receivable.open
    missing -= _find_again(receivable, missing, f"{LOSS}{key}")
    rows = Allocation.objects.filter(invoice=invoice, credit_note=None).exclude(key__startswith=LOSS).values("payment")
    for row in rows.annotate(sum=Sum("amount")).filter(sum__gt=0).order_by("-payment"):
        part = min(missing, row["sum"])
        if part > 0:
            payment = Payment.objects.filter(pk=row["payment"]).first()
            missing -= release(invoice, part, f"{key}:{row['payment'] or 'credit'}", payment)


def _find_again(receivable: Receivable, most: Decimal, key: str) -> Decimal:
    """Open again at most `most` of what was given up of an invoice, which is no loss then; returns how much."""
    rows = Allocation.objects.filter(invoice=receivable.invoice_id, key__startswith=LOSS)
    part = min(most, rows.aggregate(sum=Sum("amount"))["sum"] or ZERO)
    if part <= 0:
        return ZERO
    customer, invoice = receivable.customer, receivable.invoice
    _move(customer, invoice, -part, key, None, None)
    post(customer, key, Account.CREDIT, Account.LOSS, part, invoice=invoice)
    receivable.open += part
    receivable.settled_at = None
    receivable.save(update_fields=["open", "settled_at"])
    return part


def _move(
    customer: Customer,
    invoice: Invoice,
    amount: Decimal,
    key: str,
    payment: Payment | None,
    credit_note: Invoice | None,
) -> None:
    Allocation.objects.create(invoice=invoice, payment=payment, credit_note=credit_note, amount=amount, key=key)
    sides = (Account.CREDIT, Account.RECEIVABLE) if amount > 0 else (Account.RECEIVABLE, Account.CREDIT)
    post(customer, f"allocation:{key}", *sides, abs(amount), invoice=invoice, payment=payment)


def _to_pay(customer: Customer, first: str | None) -> list[Invoice]:
    rows = Receivable.objects.filter(customer=customer, currency=customer.currency, settled_at__isnull=True)
    found = [row.invoice for row in rows.select_related("invoice").order_by("due_on", "id")]
    return sorted(found, key=lambda invoice: invoice.pk != first)


def _paid_from(customer: Customer, payment: Payment | None) -> list[tuple[Invoice, Decimal]]:
    """Return what a payment, or credit of the customer, has paid, the newest invoice first."""
    rows = Allocation.objects.filter(invoice__customer=customer, payment=payment, credit_note=None)
    rows = rows.exclude(key__startswith=LOSS)
    sums = rows.values("invoice").annotate(sum=Sum("amount")).filter(sum__gt=0).order_by("-invoice")
    invoices = Invoice.objects.in_bulk([row["invoice"] for row in sums])
    return [(invoices[row["invoice"]], row["sum"]) for row in sums]
