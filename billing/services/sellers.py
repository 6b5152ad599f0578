"""What an organization sells by: who it is on paper, currency, tax, days, series, bank account."""

from __future__ import annotations

import functools
import zoneinfo
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organization
from billing.models import Seller, SeriesCounter
from billing.selectors import sellers as selectors
from billing.services import numbers, texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid, clean_or_invalid, integrity_as_conflict
from panel.core.scoping import everything

IDENTITY = (
    "legal_name",
    "address",
    "country",
    "region",
    "vat_number",
    "tax_number",
    "email",
    "legal_line",
)
MONEY = ("currency", "tax_mode", "is_taxed", "taxes_at_home")
DAYS = ("time_zone", "billing_day", "days_ahead", "due_days", "trial_notice_days", "price_notice_days")
SERIES = ("series", "credit_series")
DUNNING = ("reminder_days", "suspend_days", "terminate_days", "panel_days", "sites_days")
ORDERS = ("is_open", "reviews_orders", "takes_invoices")
FIELDS = (*IDENTITY, *MONEY, *DAYS, *SERIES, *DUNNING, *ORDERS)
BANK = ("bank_holder", "iban", "bic", "bank_details")


def ensure(organization: Organization) -> Seller:
    """Return what an organization sells by, saved with the usual values when it is not yet there."""
    if organization.kind == Organization.Kind.CLIENT:
        raise Invalid("kind", _("A client sells nothing; choose a reseller."), "organization")
    with everything("a seller is made when it is first needed"), transaction.atomic():
        usual = {"legal_name": organization.name}
        return Seller.objects.get_or_create(organization=organization, defaults=usual)[0]


def change(*, actor: Actor, organization: Organization, **values: Any) -> Seller:
    """Change what an organization sells by. Papers that are issued and customers' currencies stay as they are."""
    policy.require(actor, "seller.change", organization)
    texts.known(values, FIELDS)
    return _change(actor, "seller.change", organization, values)


def change_bank(*, actor: Actor, organization: Organization, **values: Any) -> Seller:
    """Change the bank account that buyers are asked to pay to. For owners who have just proved who they are."""
    policy.require(actor, "seller.change_bank", organization)
    texts.known(values, BANK)
    return _change(actor, "seller.change_bank", organization, values)


def _change(actor: Actor, action: str, organization: Organization, values: dict[str, Any]) -> Seller:
    with transaction.atomic():
        ensure(organization)
        rows = Seller.objects.select_for_update(of=("self",), no_key=True).select_related("organization")
        seller = rows.get(organization=organization)
        before = {field: getattr(seller, field) for field in values}
        for field, value in values.items():
            setattr(seller, field, value)
        _normalise(seller)
        clean_or_invalid(seller)
        _check(seller)
        if seller.series != before.get("series", seller.series):
            _check_references(seller)
        with integrity_as_conflict(_("These settings can't be kept together.")):
            seller.save()
        audit.record(actor, action, seller, audit.difference(before, {f: getattr(seller, f) for f in values}))
    return selectors.of(organization)


def _normalise(seller: Seller) -> None:
    seller.country = texts.country(seller.country)
    seller.region = texts.region(seller.region, seller.country)
    seller.vat_number = texts.vat_number(seller.vat_number, seller.country)
    seller.address = texts.lines(seller.address, "address")
    seller.bank_details = texts.lines(seller.bank_details, "bank_details")
    for field in ("legal_line", "tax_number", "bank_holder"):
        setattr(seller, field, texts.line(getattr(seller, field), field))
    seller.iban, seller.bic = texts.iban(seller.iban), texts.bic(seller.bic)
    seller.series = texts.series(seller.series, "series")
    seller.credit_series = texts.series(seller.credit_series, "credit_series")


def _check(seller: Seller) -> None:
    if seller.time_zone not in _zones():
        raise Invalid("time_zone", _("Choose a time zone such as Europe/Berlin."), "time_zone")
    if seller.is_taxed and not seller.country:
        raise Invalid("country", _("Tax depends on where you are: choose your country."), "country")
    for later, earlier, text in (
        ("terminate_days", "suspend_days", _("Accounts are terminated later than they are suspended.")),
        ("sites_days", "panel_days", _("Clients' sites go later than the panel.")),
    ):
        first, last = getattr(seller, earlier), getattr(seller, later)
        if last is not None and (first is None or last <= first):
            raise Invalid("order", text, later)


def _check_references(seller: Seller) -> None:
    """Refuse a series whose payment references, which have no hyphens, would be those of one that was used before."""
    plain = numbers.plain(seller.series)
    used = SeriesCounter.objects.filter(seller=seller.organization_id).exclude(series=seller.series)
    for series in used.values_list("series", flat=True):
        if numbers.plain(series) == plain:
            text = _(
                "Without hyphens this is %(series)s, which you have used, so that payment references would be alike."
            )
            raise Invalid("series", f"{text % {'series': series}} {_('Choose another one.')}", "series")


@functools.cache
def _zones() -> set[str]:
    """Names of time zones; looking them up reads hundreds of files."""
    return zoneinfo.available_timezones()
