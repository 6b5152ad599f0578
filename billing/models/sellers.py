"""An organization as a seller: who it is on paper, in what it bills, when, and what follows when nobody pays."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.fields import CurrencyField
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


def usual_reminders() -> list[int]:
    """Return the days, counted from the due date, on which a buyer is reminded."""
    return [-3, 1, 5]


def check_reminders(value: object) -> None:
    """Raise ValidationError unless `value` is a list of at most ten days, each once, a month around the due date."""
    days = value if isinstance(value, list) else None
    if days is None or not all(type(day) is int and -30 <= day <= 60 for day in days):
        raise ValidationError(_("Give whole days between -30 and 60."), code="reminder_days")
    if len(days) > 10 or len(set(days)) != len(days):
        raise ValidationError(_("Give at most ten days, each once."), code="reminder_days")


class Seller(models.Model):
    """What an organization bills by. Days are days of `time_zone`; a day of None never comes."""

    class TaxMode(models.TextChoices):
        """What prices say."""

        EXCLUSIVE = "exclusive", _("Prices without tax")
        INCLUSIVE = "inclusive", _("Prices with tax")

    id = IdField(prefix="slr")
    organization = models.OneToOneField("accounts.Organization", models.PROTECT, related_name="seller")
    legal_name = fields.NameField(rule=names.label, max_length=120, blank=True)
    address = models.TextField(_("address"), max_length=400, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    region = models.CharField(_("region"), max_length=10, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    tax_number = models.CharField(_("tax number"), max_length=40, blank=True)
    is_taxed = models.BooleanField(_("charges tax"), default=False)
    taxes_at_home = models.BooleanField(_("own country's tax for consumers of the Union"), default=False)
    email = fields.NameField(rule=names.mail_address, max_length=254, blank=True)
    currency = CurrencyField(default="USD")
    tax_mode = models.CharField(max_length=10, choices=TaxMode, default=TaxMode.EXCLUSIVE)
    time_zone = models.CharField(_("time zone"), max_length=50, default="UTC")
    billing_day = models.PositiveSmallIntegerField(
        _("fixed billing day"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(28)]
    )
    days_ahead = models.PositiveSmallIntegerField(
        _("invoice days ahead"), default=14, validators=[MaxValueValidator(60)]
    )
    due_days = models.PositiveSmallIntegerField(_("days to pay"), default=14, validators=[MaxValueValidator(120)])
    trial_notice_days = models.PositiveSmallIntegerField(
        _("days before the end of a trial"), default=3, validators=[MaxValueValidator(30)]
    )
    price_notice_days = models.PositiveSmallIntegerField(
        _("days before a new price"), default=30, validators=[MaxValueValidator(366)]
    )
    series = models.CharField(_("invoice series"), max_length=10, default="INV")
    credit_series = models.CharField(_("credit note series"), max_length=10, default="CN")
    legal_line = models.CharField(_("legal line"), max_length=300, blank=True)
    bank_holder = models.CharField(_("account holder"), max_length=120, blank=True)
    iban = models.CharField(_("IBAN"), max_length=34, blank=True)
    bic = models.CharField(_("BIC"), max_length=11, blank=True)
    bank_details = models.TextField(_("other bank details"), max_length=300, blank=True)
    reminder_days = models.JSONField(_("reminders"), default=usual_reminders, blank=True, validators=[check_reminders])
    suspend_days = models.PositiveSmallIntegerField(_("suspend after days"), null=True, blank=True, default=7)
    terminate_days = models.PositiveSmallIntegerField(_("terminate after days"), null=True, blank=True)
    panel_days = models.PositiveSmallIntegerField(
        _("panel for billing only after days"), null=True, blank=True, default=14
    )
    sites_days = models.PositiveSmallIntegerField(_("sites of clients off after days"), null=True, blank=True)
    is_open = models.BooleanField(_("order page"), default=False)
    reviews_orders = models.BooleanField(_("review orders by hand"), default=False)
    takes_invoices = models.BooleanField(_("set orders up before they are paid"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(series=""), name="seller_has_a_series"),
            models.CheckConstraint(
                condition=~Q(series=models.F("credit_series")),
                name="seller_series_differ",
                violation_error_message=_("Invoices and credit notes need different series."),
            ),
        )

    def __str__(self) -> str:
        return self.legal_name or str(self.organization)

    @property
    def tenant_path(self) -> str:
        """The place of its organization in the tree."""
        return self.organization.path


class SeriesCounter(models.Model):
    """The last number that a series of a seller has given in a year: a locked row, since a sequence leaves gaps."""

    seller = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    series = models.CharField(max_length=10)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    objects = TenantManager("seller__path")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("seller", "series", "year"), name="series_counter_once"),)

    def __str__(self) -> str:
        return f"{self.series}-{self.year}"

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.seller.path
