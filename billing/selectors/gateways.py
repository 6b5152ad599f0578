"""Payment services of sellers: a seller's own, the one that takes payments, the one that a message is for."""

from __future__ import annotations

from accounts.models import Organization
from accounts.selectors import brands
from billing.models import Gateway
from panel.core.scoping import everything

HOOKS = "/hooks/payments/"
"""Where payment services tell what happened: this, and the gateway's own secret name."""


def of(organization: Organization) -> Gateway | None:
    """Return an organization's own gateway, in use or not."""
    with everything("a seller's own gateway"):
        return Gateway.objects.select_related("organization").filter(organization=organization).first()


def active(seller: Organization) -> Gateway | None:
    """Return the gateway by which a seller takes cards now; who buys may not see it, but pays by it."""
    found = of(seller)
    return found if found is not None and found.is_active and found.key_secret else None


def by_hook(hook: str) -> Gateway | None:
    """Return the gateway that a message at this address is for, in use or not: old payments go on."""
    if not hook.isascii() or not hook.isprintable():
        return None
    with everything("a payment service has no tenant"):
        return Gateway.objects.select_related("organization").filter(hook=hook).first()


def hook_url(gateway: Gateway) -> str:
    """Return the address that the payment service has to be told."""
    return brands.base_url(brands.for_organization(gateway.organization)) + f"{HOOKS}{gateway.hook}"
