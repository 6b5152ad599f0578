"""A buyer as a seller knows it: party on invoices, tax standing, currency. Tax rates that sellers set by hand."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.fields import CurrencyField, ExactField
from billing.models.parties import PartyManager, PartyRow
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Customer(models.Model):
    """What one seller bills one buyer by. The currency stays from the first invoice on."""

    class VatState(models.TextChoices):
        """What is known of its VAT number; a service that is down tells nothing."""

        NONE = "none", _("No number")
        UNCHECKED = "unchecked", _("Not checked yet")
        VALID = "valid", _("Valid")
        INVALID = "invalid", _("Not valid")

    id = IdField(prefix="cus")
    seller = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="customers")
    buyer = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="purchases")
    name = fields.NameField(rule=names.label, max_length=120)
    address = models.TextField(_("address"), max_length=400, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    region = models.CharField(_("region"), max_length=10, blank=True)
    is_business = models.BooleanField(_("business"), default=False)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    vat_state = models.CharField(max_length=10, choices=VatState, default=VatState.NONE)
    vat_asked_at = models.DateTimeField(null=True, blank=True)
    exemption = models.CharField(_("reason of tax exemption"), max_length=200, blank=True)
    email = fields.NameField(rule=names.mail_address, max_length=254, blank=True)
    currency = CurrencyField()
    pays_by_itself = models.BooleanField(_("charge the saved card"), default=True)
    since = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PartyManager()

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(fields=("seller", "buyer"), name="customer_once"),
            models.CheckConstraint(condition=~Q(seller=F("buyer")), name="customer_is_somebody_else"),
        )
        indexes = (
            models.Index(fields=("vat_asked_at", "id"), condition=~Q(vat_state="none"), name="customer_vat_asked"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def parties(self) -> tuple[str, str]:
        """Seller and buyer: who may see it."""
        return self.seller_id, self.buyer_id

    @property
    def tenant_path(self) -> str:
        """The place of its buyer in the tree."""
        return self.buyer.path


class VatCheck(PartyRow):
    """One answer about a VAT number, kept as evidence; no row for a service that did not answer."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="vat_checks")
    vat_number = models.CharField(max_length=20)
    is_valid = models.BooleanField()
    request_id = models.CharField(max_length=60, blank=True)
    answer = models.JSONField(default=dict)
    checked_at = models.DateTimeField()

    party = "customer"
    objects = PartyManager("customer__seller", "customer__buyer")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.vat_number


class TaxRate(models.Model):
    """The rate, in percent, of a tax category in a country (and region) from a day on, as a seller has set it."""

    class Category(models.TextChoices):
        """What kind of rate a product has."""

        STANDARD = "standard", _("Standard rate")
        REDUCED = "reduced", _("Reduced rate")
        ZERO = "zero", _("Zero rate")
        EXEMPT = "exempt", _("Exempt")

    id = IdField(prefix="txr")
    seller = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="tax_rates")
    country = models.CharField(_("country"), max_length=2)
    region = models.CharField(_("region"), max_length=10, blank=True)
    category = models.CharField(max_length=10, choices=Category, default=Category.STANDARD)
    percent = ExactField(verbose_name=_("percent"))
    valid_from = models.DateField(_("valid from"))

    objects = TenantManager("seller__path")

    class Meta:
        ordering = ("country", "region", "category", "-valid_from")
        constraints = (
            models.UniqueConstraint(
                fields=("seller", "country", "region", "category", "valid_from"),
                name="tax_rate_once",
                violation_error_message=_("There is a rate from this day on already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.country} {self.percent} %"

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.seller.path
