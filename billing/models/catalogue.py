"""What a seller sells: products, and their prices by currency, cycle and day."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from billing.fields import CurrencyField, MoneyField
from billing.models.customers import TaxRate
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Meter(models.Model):
    """What is counted for a seller's rules: measured by the panel itself (`source`), or fed by API.

    `event_count` and `last_at` are kept with each batch of events: there are too many of these to count them.
    """

    class Source(models.TextChoices):
        """Where its figures come from."""

        API = "api", _("Fed by API")
        DISK = "disk", _("Disk space of hosting accounts, GB")
        BANDWIDTH = "bandwidth", _("Bandwidth of hosting accounts, GB")

    id = IdField(prefix="mtr")
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="meters")
    name = fields.NameField(rule=names.label, max_length=60)
    unit = models.CharField(_("unit"), max_length=20)
    source = models.CharField(max_length=10, choices=Source, default=Source.API)
    event_count = models.PositiveBigIntegerField(default=0, editable=False)
    last_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                name="meter_name_once",
                violation_error_message=_("You already have a meter of this name."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.organization.path


class Product(models.Model):
    """Something on sale: a package, a reseller plan, an add-on, a metered thing, or an item that is sold once."""

    class Kind(models.TextChoices):
        """What the buyer gets."""

        PACKAGE = "package", _("Hosting package")
        PLAN = "plan", _("Reseller plan")
        ADDON = "addon", _("Add-on")
        METERED = "metered", _("By use")
        ITEM = "item", _("One-off item")

    id = IdField(prefix="prd")
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="products")
    kind = models.CharField(max_length=8, choices=Kind)
    name = fields.NameField(rule=names.label, max_length=80)
    description = models.TextField(_("description"), max_length=1000, blank=True)
    package = models.ForeignKey(
        "provisioning.Package",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("package"),
    )
    plan = models.ForeignKey(
        "accounts.ResellerPlan", models.PROTECT, null=True, blank=True, related_name="products", verbose_name=_("plan")
    )
    meter = models.ForeignKey(
        Meter, models.PROTECT, null=True, blank=True, related_name="products", verbose_name=_("meter")
    )
    tax_category = models.CharField(
        _("tax category"), max_length=10, choices=TaxRate.Category, default=TaxRate.Category.STANDARD
    )
    trial_days = models.PositiveSmallIntegerField(_("trial days"), default=0, validators=[MaxValueValidator(365)])
    is_public = models.BooleanField(_("on the order page"), default=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                condition=Q(archived_at__isnull=True),
                name="product_name_live",
                violation_error_message=_("You already have a product of this name."),
            ),
            models.CheckConstraint(
                condition=Q(kind="package", package__isnull=False) | (~Q(kind="package") & Q(package__isnull=True)),
                name="product_of_a_package",
                violation_error_message=_("Choose the package that is sold."),
            ),
            models.CheckConstraint(
                condition=Q(kind="plan", plan__isnull=False) | (~Q(kind="plan") & Q(plan__isnull=True)),
                name="product_of_a_plan",
                violation_error_message=_("Choose the plan that is sold."),
            ),
            models.CheckConstraint(
                condition=Q(kind="metered", meter__isnull=False) | (~Q(kind="metered") & Q(meter__isnull=True)),
                name="product_of_a_meter",
                violation_error_message=_("Choose what is measured."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.organization.path


class Price(models.Model):
    """What a product costs in a currency and cycle from a day on; the newest that has begun is in force.

    `months` is the cycle, 0 for what is paid once. What goes by use has a `rule` (billing.pricing.rules) and no amount.
    """

    class Cycle(models.IntegerChoices):
        """How often it is paid."""

        ONCE = 0, _("once")
        MONTH = 1, _("month")
        QUARTER = 3, _("quarter")
        HALF = 6, _("half-year")
        YEAR = 12, _("year")
        TWO_YEARS = 24, _("two years")
        THREE_YEARS = 36, _("three years")

    id = IdField(prefix="prc")
    product = models.ForeignKey(Product, models.PROTECT, related_name="prices")
    currency = CurrencyField()
    months = models.PositiveSmallIntegerField(_("cycle"), choices=Cycle, default=Cycle.MONTH)
    amount = MoneyField(_("price"), default=0)
    setup = MoneyField(_("setup fee"), default=0)
    rule = models.JSONField(_("rule"), null=True, blank=True)
    valid_from = models.DateField(_("valid from"))
    ended_on = models.DateField(_("not sold from"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("product__organization__path")

    class Meta:
        ordering = ("product", "currency", "months", "-valid_from")
        constraints = (
            models.UniqueConstraint(
                fields=("product", "currency", "months", "valid_from"),
                name="price_once",
                violation_error_message=_("There is a price from this day on already."),
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0, setup__gte=0),
                name="price_not_negative",
                violation_error_message=_("A price can't be negative."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.product.organization.path
