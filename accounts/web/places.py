"""Where things of the accounts app are found, for the pages that lead there."""

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Organization


def home_of(organization: Organization, own: str | None) -> tuple[str, str]:
    """Return label and address of the page where the people of an organization are listed; `own` is the reader's."""
    if organization.pk == own:
        return _("Team"), reverse("accounts:member_list")
    return organization.name, page_of(organization)


def page_of(organization: Organization) -> str:
    """Return the address of the page of an organization below the reader's."""
    kind = "client" if organization.kind == Organization.Kind.CLIENT else "reseller"
    return reverse(f"accounts:{kind}", args=[organization.pk])
