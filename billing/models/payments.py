"""Money that comes and goes: gateways, saved ways to pay, payments, what they pay for, refunds, disputes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.fields import CurrencyField, MoneyField
from billing.models.customers import Customer
from billing.models.invoices import Invoice
from billing.models.parties import PartyManager, PartyRow
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Gateway(models.Model):
    """A seller's own account at a payment service. Secrets lie in the vault; `hook` is the address of its webhook."""

    class Kind(models.TextChoices):
        """Which service it is."""

        STRIPE = "stripe", "Stripe"

    id = IdField(prefix="gtw")
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="gateways")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.STRIPE)
    public_key = models.CharField(max_length=200, blank=True)
    key_secret = models.CharField(max_length=32, blank=True)
    hook_secret = models.CharField(max_length=32, blank=True)
    hook = models.CharField(max_length=40, unique=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization", "kind"), name="gateway_once"),)

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.organization.path


class PaymentMethod(PartyRow):
    """A card that a customer has saved at a gateway, known here by the gateway's names for it.

    Removed, it is charged no more; `forgotten_at` is when the gateway has forgotten it, too.
    """

    id = IdField(prefix="pmt")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="methods")
    gateway = models.ForeignKey(Gateway, models.PROTECT, related_name="methods")
    remote_customer = models.CharField(max_length=100)
    remote_id = models.CharField(max_length=100)
    label = models.CharField(max_length=60)
    expires_on = models.DateField(null=True, blank=True)
    is_default = models.BooleanField(default=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    forgotten_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    party = "customer"
    objects = PartyManager("customer__seller", "customer__buyer")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("gateway", "remote_id"), name="payment_method_once"),
            models.UniqueConstraint(
                fields=("customer",),
                condition=Q(is_default=True, removed_at__isnull=True),
                name="payment_method_one_default",
            ),
        )

    def __str__(self) -> str:
        return self.label or str(_("Card"))


class Payment(PartyRow):
    """One attempt to pay, or money that has come. `key` makes an attempt once, whatever is sent again."""

    class Source(models.TextChoices):
        """Which way it came."""

        GATEWAY = "gateway", _("Card")
        BANK = "bank", _("Bank transfer")
        MANUAL = "manual", _("Entered by hand")

    class Status(models.TextChoices):
        """What became of it."""

        PENDING = "pending", _("Under way")
        SUCCEEDED = "succeeded", _("Received")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Given up")

    id = IdField(prefix="pay")
    seller = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="payments")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="payments")
    source = models.CharField(max_length=8, choices=Source)
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    amount = MoneyField()
    fee = MoneyField(default=0)
    refunded = MoneyField(default=0)
    currency = CurrencyField()
    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, blank=True, related_name="payments")
    gateway = models.ForeignKey(Gateway, models.PROTECT, null=True, blank=True, related_name="payments")
    method = models.ForeignKey(PaymentMethod, models.PROTECT, null=True, blank=True, related_name="payments")
    remote_id = models.CharField(max_length=100, blank=True)
    checkout_url = models.CharField(max_length=2000, blank=True)
    reference = models.CharField(max_length=200, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    key = models.CharField(max_length=120)
    received_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    party = "customer"
    objects = PartyManager("seller", "customer__buyer")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("seller", "key"), name="payment_once"),
            models.UniqueConstraint(
                fields=("gateway", "remote_id"), condition=~Q(remote_id=""), name="payment_of_gateway_once"
            ),
            models.UniqueConstraint(
                fields=("invoice",),
                condition=Q(status="pending", method__isnull=False),
                name="payment_one_charge",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=models.F("amount")), name="payment_refunded_within"
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class Allocation(PartyRow):
    """An amount of a payment, of a credit note or of the customer's credit that pays an invoice. Append-only; taken
    back by a row with a negative amount.
    """

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="allocations")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, blank=True, related_name="allocations")
    credit_note = models.ForeignKey(Invoice, models.PROTECT, null=True, blank=True, related_name="+")
    amount = MoneyField()
    key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    party = "invoice"
    objects = PartyManager("invoice__seller", "invoice__buyer")

    def __str__(self) -> str:
        return str(self.amount)


class Refund(PartyRow):
    """Money of a payment that goes back."""

    class Status(models.TextChoices):
        """What became of it."""

        PENDING = "pending", _("Under way")
        DONE = "done", _("Paid back")
        FAILED = "failed", _("Failed")

    id = IdField(prefix="rfd")
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    amount = MoneyField()
    status = models.CharField(max_length=7, choices=Status, default=Status.PENDING)
    reason = models.CharField(max_length=200, blank=True)
    remote_id = models.CharField(max_length=100, blank=True)
    key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    party = "payment"
    objects = PartyManager("payment__seller", "payment__customer__buyer")

    class Meta:
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),)

    def __str__(self) -> str:
        return str(self.amount)


class Dispute(PartyRow):
    """A payment that the buyer's bank takes back until it is decided."""

    class Status(models.TextChoices):
        """How it stands."""

        OPEN = "open", _("Open")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")

    id = IdField(prefix="dsp")
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    remote_id = models.CharField(max_length=100, unique=True)
    amount = MoneyField()
    status = models.CharField(max_length=4, choices=Status, default=Status.OPEN)
    reason = models.CharField(max_length=100, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    party = "payment"
    objects = PartyManager("payment__seller", "payment__customer__buyer")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.remote_id


class GatewayEvent(models.Model):
    """An event that a gateway told, in the transaction of its effect: told again, it does nothing."""

    gateway = models.ForeignKey(Gateway, models.PROTECT, related_name="events")
    event_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=60)
    received_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("gateway__organization__path")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("gateway", "event_id"), name="gateway_event_once"),)

    def __str__(self) -> str:
        return self.event_id

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.gateway.organization.path


class BankEntry(models.Model):
    """A booking of a bank statement that was read in (CAMT.053), once for each reference of the bank."""

    class Status(models.TextChoices):
        """What became of it."""

        OPEN = "open", _("To be matched")
        MATCHED = "matched", _("Matched")
        IGNORED = "ignored", _("Left out")

    id = IdField(prefix="bke")
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="bank_entries")
    reference = models.CharField(max_length=120)
    booked_on = models.DateField()
    amount = MoneyField()
    currency = CurrencyField()
    debtor = models.CharField(max_length=140, blank=True)
    remittance = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=7, choices=Status, default=Status.OPEN)
    payment = models.OneToOneField(Payment, models.PROTECT, null=True, blank=True, related_name="bank_entry")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ("-booked_on", "-id")
        constraints = (models.UniqueConstraint(fields=("organization", "reference"), name="bank_entry_once"),)

    def __str__(self) -> str:
        return self.reference

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.organization.path
