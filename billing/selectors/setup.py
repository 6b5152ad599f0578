"""How far an organization has come with billing, as seller and as buyer: what pages offer it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from accounts.models import Organization
from billing.models import Customer, Price, Seller
from panel.core.actors import Actor
from panel.core.scoping import everything


@dataclass(frozen=True)
class Standing:
    """Whether it sells (has said by what), and buys from somebody who bills it."""

    sells: bool = False
    buys: bool = False

    @property
    def to_start(self) -> bool:
        """Whether it has not begun to sell."""
        return not self.sells


def standing(actor: Actor) -> Standing:
    """Return how far the actor's organization has come; one query."""
    own = OuterRef("pk")
    with everything("its own seller stands above"):
        found = (
            Organization.objects.filter(pk=actor.organization_id or "")
            .order_by()
            .values_list(
                Exists(Seller.objects.filter(organization=own)),
                Exists(Customer.objects.filter(buyer=own)),
            )
            .first()
        )
    return Standing(*found) if found else Standing()


def has_prices(organization: Organization) -> bool:
    """Tell whether anything that an organization sells has a price."""
    return Price.objects.filter(product__organization=organization).exists()


def has_customers(organization: Organization) -> bool:
    """Tell whether anybody buys from an organization."""
    return Customer.objects.filter(seller=organization).exists()
