"""What a customer has bought for a time: subscriptions, their components, and what was charged for them."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.fields import CurrencyField, ExactField, MoneyField
from billing.models.catalogue import Price, Product
from billing.models.customers import Customer, TaxRate
from billing.models.parties import PartyManager, PartyRow
from panel.core.ids import IdField


class Subscription(PartyRow):
    """One thing that is paid for again and again, with its add-ons. Days are the seller's; an end is not included.

    Period k begins k cycles after `anchor`. `billed_until` is the end of the last period that was charged for: what
    the run asks, and where it goes on. `parked_reason` says its seller why a run left it out until a person looks. An
    account has one at a time that has not ended.
    """

    class Status(models.TextChoices):
        """Where it stands. Whether a server has suspended its account is the account's own status."""

        PENDING = "pending", _("Not begun")
        TRIAL = "trial", _("Trial")
        ACTIVE = "active", _("Active")
        ENDED = "ended", _("Ended")

    id = IdField(prefix="sub")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="subscriptions")
    hosting = models.ForeignKey(
        "provisioning.HostingAccount", models.SET_NULL, null=True, blank=True, related_name="subscriptions"
    )
    label = models.CharField(max_length=253, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    months = models.PositiveSmallIntegerField(choices=Price.Cycle, default=Price.Cycle.MONTH)
    anchor = models.DateField()
    starts_on = models.DateField()
    trial_until = models.DateField(null=True, blank=True)
    trial_told_at = models.DateTimeField(null=True, blank=True)
    billed_until = models.DateField()
    cancel_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True)
    parked_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    party = "customer"
    objects = PartyManager("customer__seller", "customer__buyer")

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("billed_until", "id"), condition=~Q(status="ended"), name="subscription_due"),)
        constraints = (
            models.CheckConstraint(condition=Q(billed_until__gte=F("starts_on")), name="subscription_billed_forward"),
            models.UniqueConstraint(fields=("hosting",), condition=~Q(status="ended"), name="subscription_of_account"),
        )

    def __str__(self) -> str:
        return self.label or str(_("Subscription"))

    @property
    def pause(self) -> str:
        """What a buyer may know of why runs leave it out: that they do. `parked_reason` is the seller's."""
        return gettext("It is not charged at the moment. Your provider is looking into it.") if self.parked_at else ""


class Component(PartyRow):
    """A product within a subscription from a day to another (None: on and on), at the price that was agreed.

    A change of product, quantity or price ends one component and begins another on the same day. `rated_until` is the
    last end of a period whose use was charged for, of what goes by use; None: none yet.
    """

    id = IdField(prefix="cmp")
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="components")
    product = models.ForeignKey(Product, models.PROTECT, related_name="components")
    price = models.ForeignKey(Price, models.PROTECT, related_name="components")
    is_main = models.BooleanField(default=True)
    quantity = models.PositiveIntegerField(default=1)
    amount = MoneyField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    rated_until = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    party = "subscription"
    objects = PartyManager("subscription__customer__seller", "subscription__customer__buyer")

    class Meta:
        ordering = ("starts_on", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="component_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="component_has_a_quantity"),
            models.UniqueConstraint(
                fields=("subscription",),
                condition=Q(is_main=True, ends_on__isnull=True),
                name="component_one_main",
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} {self.product}"


class Charge(PartyRow):
    """An amount that a customer owes, or gets back, for a span of days: a line of an invoice to come. Never changed.

    `amount` is what the price says: without tax, or with it where the seller's prices hold it. `part` counts what came
    later for the same span, such as late usage. That a component is charged once for a kind and span is the database's
    to guarantee.
    """

    class Kind(models.TextChoices):
        """What it is for."""

        PERIOD = "period", _("Period")
        SETUP = "setup", _("Setup")
        CHANGE = "change", _("Change within a period")
        CREDIT = "credit", _("Unused part of a period")
        USAGE = "usage", _("Use")
        ITEM = "item", _("Item")

    id = IdField(prefix="chg")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="charges")
    component = models.ForeignKey(Component, models.PROTECT, null=True, blank=True, related_name="charges")
    kind = models.CharField(max_length=6, choices=Kind)
    starts_on = models.DateField()
    ends_on = models.DateField()
    part = models.PositiveIntegerField(default=0)
    due_on = models.DateField()
    text = models.CharField(max_length=300)
    quantity = ExactField(default=Decimal(1))
    unit = models.CharField(max_length=20, blank=True)
    unit_price = ExactField()
    amount = MoneyField()
    currency = CurrencyField()
    tax_category = models.CharField(max_length=10, choices=TaxRate.Category, default=TaxRate.Category.STANDARD)
    explanation = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    party = "customer"
    objects = PartyManager("customer__seller", "customer__buyer")

    class Meta:
        ordering = ("due_on", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("component", "kind", "starts_on", "ends_on", "part"),
                condition=Q(component__isnull=False),
                name="charge_once",
            ),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="charge_ends_after_start"),
        )

    def __str__(self) -> str:
        return self.text


class MeterEvent(PartyRow):
    """One use that was reported: counts once, however often it is told. `quantity`, or `starts_at` to `ends_at`."""

    seller = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="meter_events")
    subscription = models.ForeignKey(Subscription, models.PROTECT, null=True, blank=True, related_name="meter_events")
    meter = models.ForeignKey("billing.Meter", models.PROTECT, related_name="events")
    source = models.CharField(max_length=60)
    event_id = models.CharField(max_length=100)
    at = models.DateTimeField()
    quantity = ExactField(null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    dimensions = models.JSONField(default=dict, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    party = "customer"
    objects = PartyManager("seller", "customer__buyer")

    class Meta:
        ordering = ("at", "id")
        indexes = (models.Index(fields=("customer", "meter", "at"), name="meter_event_window"),)
        constraints = (models.UniqueConstraint(fields=("seller", "source", "event_id"), name="meter_event_once"),)

    def __str__(self) -> str:
        return f"{self.source}/{self.event_id}"
