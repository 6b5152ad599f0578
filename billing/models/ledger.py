"""The books: rows that move an amount from one account to another, written once. Each row balances by itself."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.fields import CurrencyField, MoneyField
from billing.models.customers import Customer
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class LedgerEntry(models.Model):
    """`amount` (always positive) on the debit of one account and the credit of another, in one seller's books.

    Append-only, which the database itself enforces; a mistake is corrected by a row the other way round. `key` names
    the cause, so that nothing is booked twice.
    """

    class Account(models.TextChoices):
        """The accounts of a seller's books."""

        RECEIVABLE = "receivable", _("Owed by customers")
        CASH = "cash", _("Received payments")
        CREDIT = "credit", _("Credit of customers")
        REVENUE = "revenue", _("Revenue")
        TAX = "tax", _("Tax owed")
        FEES = "fees", _("Payment fees")
        DISPUTED = "disputed", _("Disputed payments")
        LOSS = "loss", _("Written off")

    id = IdField(prefix="led")
    seller = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="ledger")
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="ledger")
    key = models.CharField(max_length=120)
    on = models.DateField()
    debit = models.CharField(max_length=10, choices=Account)
    credit = models.CharField(max_length=10, choices=Account)
    amount = MoneyField()
    currency = CurrencyField()
    invoice = models.ForeignKey("billing.Invoice", models.PROTECT, null=True, blank=True, related_name="ledger")
    payment = models.ForeignKey("billing.Payment", models.PROTECT, null=True, blank=True, related_name="ledger")
    text = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("seller__path")

    class Meta:
        ordering = ("on", "id")
        indexes = (models.Index(fields=("seller", "on"), name="ledger_of_seller"),)
        constraints = (
            models.UniqueConstraint(fields=("seller", "key"), name="ledger_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_amount_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="ledger_two_sided"),
        )

    def __str__(self) -> str:
        return f"{self.debit} → {self.credit}: {self.amount} {self.currency}"

    @property
    def parties(self) -> tuple[str, str]:
        """The seller alone: its books are nobody else's."""
        return self.seller_id, self.seller_id

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.seller.path
