"""Invoices, credit notes and pro-forma invoices: papers that nobody changes once they are issued."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.fields import CurrencyField, ExactField, MoneyField
from billing.models.customers import Customer, TaxRate
from billing.models.parties import PartyManager, PartyRow
from billing.models.sellers import Seller
from billing.models.subscriptions import Charge
from panel.core.ids import IdField


class Invoice(models.Model):
    """A paper of a seller to a customer. A draft has no number; one that is issued is never changed or deleted, which
    the database itself refuses. What is still open of it is its `Receivable`.

    A draft that is `due_as_usual` gets the seller's usual days to pay when it is issued. `seller_party` and
    `buyer_party` are name, address and tax numbers as they were at issue. Amounts of a credit note
    are below zero, what they add to what is owed; its paper shows them without the sign.
    """

    class Kind(models.TextChoices):
        """What paper it is."""

        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")
        PRO_FORMA = "pro_forma", _("Pro-forma invoice")

    class Status(models.TextChoices):
        """Whether it can still be changed."""

        DRAFT = "draft", _("Draft")
        ISSUED = "issued", _("Issued")

    id = IdField(prefix="inv")
    seller = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="sales_invoices")
    buyer = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="purchase_invoices")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invoices")
    kind = models.CharField(max_length=11, choices=Kind, default=Kind.INVOICE)
    status = models.CharField(max_length=6, choices=Status, default=Status.DRAFT)
    corrects = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="corrections")
    series = models.CharField(max_length=10, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    number = models.PositiveIntegerField(null=True, blank=True)
    label = models.CharField(max_length=40, blank=True)
    reference = models.CharField(max_length=40, blank=True)
    issued_on = models.DateField(null=True, blank=True)
    issued_at = models.DateTimeField(null=True, blank=True)
    due_on = models.DateField()
    due_as_usual = models.BooleanField(default=False)
    currency = CurrencyField()
    tax_mode = models.CharField(max_length=10, choices=Seller.TaxMode)
    seller_party = models.JSONField(default=dict)
    buyer_party = models.JSONField(default=dict)
    net = MoneyField(default=0)
    tax = MoneyField(default=0)
    gross = MoneyField(default=0)
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PartyManager()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("seller", "issued_on"), name="invoice_of_seller"),)
        constraints = (
            models.UniqueConstraint(
                fields=("seller", "series", "year", "number"),
                condition=Q(number__isnull=False),
                name="invoice_number_once",
            ),
            models.UniqueConstraint(
                fields=("seller", "reference"), condition=~Q(reference=""), name="invoice_reference_once"
            ),
            models.CheckConstraint(
                condition=Q(status="draft", number__isnull=True) | Q(status="issued", issued_on__isnull=False),
                name="invoice_numbered_at_issue",
            ),
            models.CheckConstraint(
                condition=~Q(status="issued") | Q(kind="pro_forma") | Q(number__isnull=False),
                name="invoice_issued_has_a_number",
            ),
            models.CheckConstraint(condition=Q(gross=F("net") + F("tax")), name="invoice_adds_up"),
            models.CheckConstraint(
                condition=Q(kind="credit_note", corrects__isnull=False) | ~Q(kind="credit_note"),
                name="invoice_credit_note_corrects",
            ),
        )

    def __str__(self) -> str:
        return self.label or str(_("Draft"))

    @property
    def parties(self) -> tuple[str, str]:
        """Seller and buyer: who may see it."""
        return self.seller_id, self.buyer_id

    @property
    def standing(self) -> tuple[str, str]:
        """How it stands, as a state's name and words; rows of billing.selectors.invoices know what is `open`."""
        still = getattr(self, "open", None)
        if self.status == self.Status.DRAFT:
            return "pending", gettext("Draft")
        if still is None:
            return "done", gettext("Issued")
        if not still:
            return "active", gettext("Settled")
        if self.due_on < timezone.localdate():
            return "failed", gettext("Overdue")
        return "waiting", gettext("Open")

    @property
    def tenant_path(self) -> str:
        """The place of its buyer in the tree."""
        return self.buyer.path


class InvoiceLine(PartyRow):
    """One line: `amount` is what the price says (with tax in a tax-inclusive invoice), `net` always without it.

    `credits` is the line that this one takes back, in part or whole: on a credit note, or because it was not used.
    """

    id = IdField(prefix="inl")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    charge = models.OneToOneField(Charge, models.PROTECT, null=True, blank=True, related_name="line")
    position = models.PositiveIntegerField()
    text = models.CharField(max_length=300)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    quantity = ExactField()
    unit = models.CharField(max_length=20, blank=True)
    unit_price = ExactField()
    amount = MoneyField()
    net = MoneyField()
    credits = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="credited_by")
    tax_category = models.CharField(max_length=10, choices=TaxRate.Category, default=TaxRate.Category.STANDARD)
    tax_code = models.CharField(max_length=2)
    tax_percent = ExactField()

    party = "invoice"
    objects = PartyManager("invoice__seller", "invoice__buyer")

    class Meta:
        ordering = ("invoice", "position")
        constraints = (models.UniqueConstraint(fields=("invoice", "position"), name="invoice_line_once"),)

    def __str__(self) -> str:
        return self.text


class InvoiceTax(PartyRow):
    """The tax of one category (UNCL 5305: S, Z, E, AE, G, O) and rate of an invoice, computed once (EN 16931 BG-23)."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="taxes")
    code = models.CharField(max_length=2)
    percent = ExactField()
    base = MoneyField()
    tax = MoneyField()
    reason = models.CharField(max_length=200, blank=True)

    party = "invoice"
    objects = PartyManager("invoice__seller", "invoice__buyer")

    class Meta:
        ordering = ("invoice", "code", "percent")
        constraints = (models.UniqueConstraint(fields=("invoice", "code", "percent"), name="invoice_tax_once"),)

    def __str__(self) -> str:
        return f"{self.code} {self.percent}"


class Document(PartyRow):
    """The PDF of an issued invoice: its bytes as they were sent, and their SHA-256."""

    invoice = models.OneToOneField(Invoice, models.PROTECT, related_name="document")
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    party = "invoice"
    objects = PartyManager("invoice__seller", "invoice__buyer")

    def __str__(self) -> str:
        return self.sha256


class Receivable(PartyRow):
    """What is still open of an issued invoice: its gross amount less what was allocated to it."""

    invoice = models.OneToOneField(Invoice, models.PROTECT, related_name="receivable")
    seller = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="receivables")
    currency = CurrencyField()
    due_on = models.DateField()
    open = MoneyField()
    settled_at = models.DateTimeField(null=True, blank=True)

    party = "customer"
    objects = PartyManager("seller", "customer__buyer")

    class Meta:
        ordering = ("due_on", "id")
        indexes = (
            models.Index(fields=("seller", "due_on"), condition=Q(settled_at__isnull=True), name="receivable_open"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(open__gte=0), name="receivable_not_overpaid"),
            models.CheckConstraint(
                condition=Q(open=0, settled_at__isnull=False) | Q(open__gt=0, settled_at__isnull=True),
                name="receivable_settled_at_zero",
            ),
        )

    def __str__(self) -> str:
        return str(self.open)
