"""What the tests of papers share: a seller with a customer, charges, and what has to hold of books and papers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from accounts.models import Organization
from billing.models import Charge, Customer, Invoice, LedgerEntry, Receivable, TaxRate
from billing.selectors import ledger
from billing.services import settlements
from panel.core.scoping import everything
from tests.billing import factories
from tests.cast import Cast

DAY = date(2026, 3, 1)
EARNED = {"revenue", "tax"}


def customer(cast: Cast, **values: Any) -> Customer:
    """Reseller A selling to its client, with 19 % tax at home in euro unless `values` (of the seller) say otherwise."""
    defaults = {
        "country": "DE", "is_taxed": True, "currency": "EUR", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX",
        "bank_holder": "Atelier A", "legal_line": "Registered in Hamburg, HRB 12345",
    }  # fmt: skip
    factories.seller(cast.reseller_a.organization, **{**defaults, **values})
    with everything("test"):
        for category, percent in (("standard", 19), ("reduced", 7)):
            TaxRate.objects.create(
                seller=cast.reseller_a.organization, country="DE", category=category, percent=percent, valid_from=DAY
            )
    return factories.customer(
        cast.reseller_a.organization, cast.client_a.organization, country="DE", currency=values.get("currency", "EUR")
    )


def charge(of: Customer, amount: str | Decimal = "10", **values: Any) -> Charge:
    """An amount that is due, without a component."""
    defaults: dict[str, Any] = {
        "kind": "item", "starts_on": DAY, "ends_on": DAY, "due_on": DAY, "text": "Work", "unit_price": Decimal(amount),
        "amount": Decimal(amount), "currency": of.currency,
    }  # fmt: skip
    with everything("test"):
        return Charge.objects.create(customer=of, **{**defaults, **values})


def check(seller: Organization) -> None:
    """Assert that a seller's books balance, agree with what is open and with the papers, and that papers add up."""
    with everything("test"):
        sums: dict[str, Decimal] = {}
        for balance in ledger.trial_balance(LedgerEntry.objects.filter(seller=seller)):
            sums[balance.currency] = sums.get(balance.currency, Decimal(0)) + balance.balance
        assert set(sums.values()) <= {Decimal(0)}
        for customer in Customer.objects.filter(seller=seller):
            rows = LedgerEntry.objects.filter(customer=customer)
            owed = _side(rows, "debit", "receivable") - _side(rows, "credit", "receivable")
            still = sum((row.open for row in Receivable.objects.filter(customer=customer)), Decimal(0))
            assert owed == still
            assert settlements.credit_of(customer) >= 0
        for invoice in Invoice.objects.filter(seller=seller, status="issued"):
            assert invoice.net == sum(line.net for line in invoice.lines.all())
            assert invoice.net == sum(tax.base for tax in invoice.taxes.all())
            assert invoice.tax == sum(tax.tax for tax in invoice.taxes.all())
            assert invoice.gross == invoice.net + invoice.tax
            booked = LedgerEntry.objects.filter(key__in=[f"{invoice.pk}:net", f"{invoice.pk}:tax"])
            earned = sum((row.amount if row.credit in EARNED else -row.amount for row in booked), Decimal(0))
            assert earned == (Decimal(0) if invoice.kind == "pro_forma" else invoice.gross)


def _side(rows: Any, field: str, account: str) -> Decimal:
    return sum((row.amount for row in rows.filter(**{field: account})), Decimal(0))
