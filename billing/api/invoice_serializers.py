"""What papers and books look like to programs. Amounts are decimal strings with the places of their currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.api.fields import Figure
from billing.models import Invoice, LedgerEntry, TaxRate
from billing.pricing.money import unit
from billing.selectors import customers
from billing.selectors import invoices as selectors
from panel.core.api.endpoints import Document
from panel.core.api.fields import Reference, Text
from panel.core.api.serializers import StrictSerializer


@extend_schema_field(str)
class Amount(serializers.Field[Any, Any, str, Any]):
    """An amount of a row that has, or whose parent has, a currency."""

    def __init__(self, currency: str = "currency", **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)
        self.path = currency

    def get_attribute(self, instance: Any) -> Any:
        """Return the amount with its currency."""
        row = instance
        for name in self.path.split("."):
            row = getattr(row, name)
        value = super().get_attribute(instance)
        return None if value is None else (value, row)

    def to_representation(self, value: tuple[Decimal, str]) -> str:
        """Write it."""
        amount, currency = value
        return format(amount.quantize(unit(currency)), "f")


class Paper(Document):
    """An invoice, credit note or pro-forma invoice. A draft has no number; amounts of a credit note are below zero."""

    id = serializers.CharField()
    seller = serializers.CharField(source="seller_id")
    buyer = serializers.CharField(source="buyer_id")
    customer = serializers.CharField(source="customer_id")
    kind = serializers.ChoiceField(choices=Invoice.Kind.choices)
    status = serializers.ChoiceField(choices=Invoice.Status.choices)
    number = serializers.CharField(source="label", help_text="Such as INV-2026-00012; empty for a draft.")
    reference = serializers.CharField(help_text="What a transfer names (ISO 11649).")
    corrects = serializers.CharField(source="corrects_id", allow_null=True, help_text="What a credit note corrects.")
    issued_on = serializers.DateField(allow_null=True)
    due_on = serializers.DateField()
    currency = serializers.CharField()
    tax_mode = serializers.CharField(help_text="Whether prices are `exclusive` of tax or `inclusive`.")
    net = Amount()
    tax = Amount()
    gross = Amount()
    open = Amount(allow_null=True, help_text="What is still to be paid; null where nothing is owed by it.")
    settled_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()
    created_at = serializers.DateTimeField()


class PaperLine(Document):
    """A line. The day on which a period ends is not part of it."""

    id = serializers.CharField()
    text = serializers.CharField()
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)
    quantity = serializers.CharField()
    unit = serializers.CharField()
    unit_price = serializers.CharField()
    amount = Amount("invoice.currency", help_text="What the price says: with tax where prices are inclusive.")
    net = Amount("invoice.currency")
    left = Amount("invoice.currency", help_text="What of its amount was not credited yet.")
    tax_code = serializers.CharField(help_text="UNCL 5305, as in EN 16931.")
    tax_percent = serializers.CharField()


class PaperTax(Document):
    """The tax of one category and rate."""

    code = serializers.CharField()
    percent = serializers.CharField()
    base = Amount("invoice.currency")
    tax = Amount("invoice.currency")
    reason = serializers.CharField(help_text="Why there is none.")


class WholePaper(Paper):
    """A paper with its lines, taxes and parties."""

    seller_party = serializers.DictField(child=serializers.CharField())
    buyer_party = serializers.DictField(child=serializers.CharField())
    lines = serializers.SerializerMethodField()
    taxes = PaperTax(many=True)

    @extend_schema_field(PaperLine(many=True))
    def get_lines(self, invoice: Invoice) -> list[dict[str, Any]]:
        """Return the lines."""
        return PaperLine(selectors.lines(invoice), many=True).data  # type: ignore[return-value]


class PaperQuery(StrictSerializer):
    """Which papers to list."""

    side = serializers.ChoiceField(choices=["sold", "bought"], required=False, help_text="Which party you are.")
    kind = serializers.ChoiceField(choices=Invoice.Kind.choices, required=False)
    status = serializers.ChoiceField(choices=Invoice.Status.choices, required=False)
    customer = Text(required=False, max_length=32)
    number = Text(required=False, max_length=40, help_text="A number as the paper shows it.")
    reference = Text(required=False, max_length=40)


class DraftChange(StrictSerializer):
    """A draft's own values; what is left out stays."""

    note = serializers.CharField(required=False, max_length=500, allow_blank=True)
    due_on = serializers.DateField(
        required=False, allow_null=True, help_text="The earliest due date; null: your usual days after the issue."
    )


class DraftCreate(DraftChange):
    """A new draft."""

    customer = Reference(customers.known, "invoice.create")


class LineCreate(StrictSerializer):
    """A line for a draft."""

    text = serializers.CharField(max_length=300)
    unit_price = Figure(max_digits=14, decimal_places=4, help_text="Of one; below zero it is a discount.")
    quantity = Figure(max_digits=14, decimal_places=4, required=False, help_text="1 unless given.")
    unit = serializers.CharField(max_length=20, required=False, allow_blank=True)
    tax_category = serializers.ChoiceField(choices=TaxRate.Category.choices, required=False)
    starts_on = serializers.DateField(required=False)
    ends_on = serializers.DateField(required=False, help_text="The day after the last one.")


class LineAmount(StrictSerializer):
    """How much of a line is credited."""

    line = Text(max_length=32)
    amount = Figure(max_digits=14, decimal_places=4, help_text="As the line states it, in the paper's currency.")


class WriteOff(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=200)


class CreditCreate(WriteOff):
    """What is credited: all that is left, or parts of lines."""

    lines = LineAmount(many=True, required=False)


class Sent(Document):
    """To how many addresses a paper was mailed."""

    count = serializers.IntegerField()


class BookEntry(Document):
    """An amount that moved from the account `credit` to the account `debit` of your books."""

    id = serializers.CharField()
    on = serializers.DateField()
    debit = serializers.ChoiceField(choices=LedgerEntry.Account.choices)
    credit = serializers.ChoiceField(choices=LedgerEntry.Account.choices)
    amount = Amount()
    currency = serializers.CharField()
    customer = serializers.CharField(source="customer_id", allow_null=True)
    invoice = serializers.CharField(source="invoice_id", allow_null=True)
    payment = serializers.CharField(source="payment_id", allow_null=True)
    text = serializers.CharField()


class BalanceOf(Document):
    """What an account holds in a currency."""

    account = serializers.ChoiceField(choices=LedgerEntry.Account.choices)
    currency = serializers.CharField()
    debit = Amount()
    credit = Amount()
    balance = Amount(help_text="Debit less credit. Those of one currency sum to zero.")


class Balances(Document):
    """The balance of each account."""

    items = BalanceOf(many=True)


class BalanceQuery(StrictSerializer):
    """Up to which day."""

    until = serializers.DateField(required=False, help_text="The day after the last one.")
