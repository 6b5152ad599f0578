"""The tax of what a seller sells a customer: the rule of `billing.tax` on what both have said, its reasons in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import countries
from billing.models import Customer, Seller
from billing.selectors import tax_rates
from billing.tax import treatment as rule
from billing.tax.treatment import Treatment
from panel.core.errors import Invalid

__all__ = ["REASONS", "Treatment", "treatment"]

REASONS = {
    rule.REVERSE_CHARGE: gettext_lazy("Reverse charge: the customer owes the tax"),
    rule.OUTSIDE_UNION: gettext_lazy("Supplied outside the European Union"),
    rule.NOT_SUBJECT: gettext_lazy("Not subject to tax"),
    rule.EXEMPT: gettext_lazy("Exempt from tax"),
}
"""Reason of the rule → words for an invoice; a buyer's own exemption is in words already."""


def treatment(seller: Seller, customer: Customer, category: str, on: date) -> Treatment:
    """Return the tax of a sale on a day: code, percent, and why there is none, as an invoice says it.

    Raises Invalid when a rate is due that the seller has not set: nobody is billed without a tax that is owed.
    """
    selling = rule.Selling(seller.country, seller.region, seller.is_taxed, seller.taxes_at_home)
    valid = customer.vat_state == Customer.VatState.VALID
    buying = rule.Buying(customer.country, customer.region, valid, customer.exemption)
    rates = tax_rates.of_seller(seller.organization) if seller.is_taxed else []
    try:
        found = rule.treatment(selling, buying, category, rates, on)
    except rule.NoRate as error:
        name = countries.name(error.country)
        text = _("No tax rate of %(country)s is set; set one, or adopt those of the European Union.")
        raise Invalid("no_tax_rate", text % {"country": name}, "tax_rate") from error
    return replace(found, reason=_in_words(found.reason))


def _in_words(reason: str) -> str:
    if reason not in REASONS:
        return reason
    code = f" ({reason})" if reason.startswith("VATEX") else ""
    return f"{REASONS[reason]}{code}"
