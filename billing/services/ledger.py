"""Writing the books: one row for each cause, never changed. Reading them is the affair of billing.selectors.ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction

from accounts.models import Organization
from billing.models import Customer, Invoice, LedgerEntry, Payment
from panel.core.scoping import everything


def post(made: LedgerEntry | None) -> None:
    """Keep a row that `entry` has made, once for each key of a seller: the same key again does nothing.

    The database holds that, so that it may be asked for by two at once.
    """
    if made is None:
        return
    with everything("the books of a seller"):
        try:
            with transaction.atomic():
                made.save(force_insert=True)
        except IntegrityError:
            if not LedgerEntry.objects.filter(seller=made.seller_id, key=made.key).exists():
                raise


def entry(
    seller: Organization,
    key: str,
    on: date,
    debit: str,
    credit: str,
    amount: Decimal,
    currency: str,
    customer: Customer | None = None,
    invoice: Invoice | None = None,
    payment: Payment | None = None,
    text: str = "",
) -> LedgerEntry | None:
    """Return the row that moves `amount` from the account `credit` to the account `debit` in a seller's books, not yet
    kept; `key` names its cause. An amount below zero goes the other way, one of zero has no row.
    """
    if not amount:
        return None
    if amount < 0:
        debit, credit, amount = credit, debit, -amount
    return LedgerEntry(
        seller=seller,
        key=key,
        on=on,
        debit=debit,
        credit=credit,
        amount=amount,
        currency=currency,
        customer=customer,
        invoice=invoice,
        payment=payment,
        text=text[:200],
    )
