"""Orders of the public order page: from a choice to a live site, each step done once."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.fields import CurrencyField
from billing.models.catalogue import Price, Product
from billing.models.customers import Customer
from billing.models.invoices import Invoice
from billing.models.parties import PartyManager, PartyRow
from billing.models.subscriptions import Subscription
from panel.core import fields, names
from panel.core.ids import IdField


class Order(models.Model):
    """What somebody wants to buy, and how far it is. `key` makes an order once, however often its form is sent."""

    class Status(models.TextChoices):
        """How far it is."""

        PLACED = "placed", _("Placed")
        UNPAID = "unpaid", _("Waiting for payment")
        REVIEW = "review", _("Being reviewed")
        BUILDING = "building", _("Being set up")
        LIVE = "live", _("Live")
        FAILED = "failed", _("Needs a look")
        REFUSED = "refused", _("Refused")

    class Payment(models.TextChoices):
        """How the buyer wants to pay. What is paid by card or transfer is set up once the money is there."""

        CARD = "card", _("By card, now")
        TRANSFER = "transfer", _("By bank transfer, in advance")
        INVOICE = "invoice", _("By invoice, later")

    OPEN = (Status.PLACED, Status.UNPAID, Status.REVIEW, Status.BUILDING, Status.FAILED)

    id = IdField(prefix="ord")
    seller = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="orders")
    key = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=Status, default=Status.PLACED)
    product = models.ForeignKey(Product, models.PROTECT, related_name="orders")
    price = models.ForeignKey(Price, models.PROTECT, related_name="orders")
    currency = CurrencyField()
    pays_by = models.CharField(_("payment"), max_length=8, choices=Payment, default=Payment.CARD)
    domain = fields.NameField(rule=names.hostname, max_length=253, blank=True)
    email = fields.NameField(rule=names.mail_address, max_length=254)
    person = fields.NameField(rule=names.label, max_length=100)
    company = models.CharField(max_length=120, blank=True)
    address = models.TextField(max_length=400, blank=True)
    country = models.CharField(max_length=2, blank=True)
    region = models.CharField(max_length=10, blank=True)
    vat_number = models.CharField(max_length=20, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    buyer = models.ForeignKey(
        "accounts.Organization", models.PROTECT, null=True, blank=True, related_name="placed_orders"
    )
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="orders")
    subscription = models.OneToOneField(Subscription, models.PROTECT, null=True, blank=True, related_name="order")
    invoice = models.OneToOneField(Invoice, models.PROTECT, null=True, blank=True, related_name="order")
    operation = models.ForeignKey("provisioning.Operation", models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    locale = models.CharField(max_length=10, default="en")
    created_at = models.DateTimeField(auto_now_add=True)
    live_at = models.DateTimeField(null=True, blank=True)

    objects = PartyManager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(
                fields=("status", "created_at"), condition=Q(status__in=("unpaid", "building")), name="order_to_do"
            ),
        )
        constraints = (models.UniqueConstraint(fields=("seller", "key"), name="order_once"),)

    def __str__(self) -> str:
        return self.domain or str(self.product)

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done about it."""
        return self.status in self.OPEN

    @property
    def parties(self) -> tuple[str, str]:
        """Seller and, once it is known, buyer: who may see it."""
        return self.seller_id, self.buyer_id or self.seller_id

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.seller.path


class OrderAddon(PartyRow):
    """An add-on that is bought with an order's product: so many, at a price of its cycle and currency."""

    id = IdField(prefix="oad")
    order = models.ForeignKey(Order, models.PROTECT, related_name="addons")
    price = models.ForeignKey(Price, models.PROTECT, related_name="ordered")
    quantity = models.PositiveIntegerField(default=1)

    party = "order"
    objects = PartyManager("order__seller", "order__buyer")

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("order", "price"), name="order_addon_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_addon_has_a_quantity"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} {self.price.product}"
