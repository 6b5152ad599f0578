"""A seller who takes cards by a stand-in for Stripe, a customer who owes, and the webhook between them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.test import Client

from accounts.models import Organization
from billing.models import Charge, Customer, Gateway, Invoice, LedgerEntry, Payment, Receivable
from billing.services import gateways, invoices
from panel.core.actors import Actor
from panel.core.scoping import everything
from panel.demo.stripe_stub import HOOK_SECRET, KEY, Account, Stub, sign
from tests.billing import factories
from tests.cast import Cast, Person

SYSTEM = Actor.system("test")
DAY = date(2026, 1, 1)


@dataclass
class Till:
    """What the tests of payments stand on."""

    cast: Cast
    customer: Customer
    gateway: Gateway
    account: Account

    @property
    def seller(self) -> Person:
        """Who sells."""
        return self.cast.reseller_a

    @property
    def buyer(self) -> Person:
        """Who buys."""
        return self.cast.client_a

    def invoice(self, amount: str, of: Customer | None = None) -> Invoice:
        """Issue an invoice of one charge."""
        return invoice(of or self.customer, amount)

    def open(self, invoice: Invoice) -> Decimal:
        """Return what is open of an invoice."""
        with everything("test"):
            return Decimal(Receivable.objects.get(invoice=invoice).open)

    def books(self) -> dict[str, Decimal]:
        """Return what each account of the seller holds: debit less credit, without those that hold nothing."""
        return books(self.seller.organization)

    def deliver(self, event: dict[str, Any], *, at: int | None = None, secret: str = HOOK_SECRET, **how: Any) -> int:
        """Deliver an event to the webhook as Stripe does; returns the HTTP status."""
        body = json.dumps(event).encode()
        return deliver(self.gateway, body, sign(body, secret, at), **how)

    def deliver_all(self) -> list[int]:
        """Deliver all that the stand-in had to tell, in order, and forget it."""
        told, self.account.events = self.account.events, []
        return [self.deliver(event) for event in told]

    def session(self, payment: Payment) -> dict[str, Any]:
        """Return the page of a payment as the stand-in holds it."""
        return self.account.things[payment.checkout_url.rpartition("/")[2]]


def deliver(gateway: Gateway, body: bytes, signature: str, host: str = "hooks.invalid", hook: str = "") -> int:
    """Post a body to a gateway's webhook, by a host that is no panel's."""
    client = Client(headers={"host": host, "stripe-signature": signature}, enforce_csrf_checks=True)
    answer = client.post(f"/hooks/payments/{hook or gateway.hook}", body, content_type="application/json")
    assert answer.content == b""
    assert not answer.cookies
    return answer.status_code


def invoice(of: Customer, amount: str) -> Invoice:
    """Issue an invoice of one charge."""
    with everything("test"):
        charge = Charge.objects.create(
            customer=of,
            kind="item",
            starts_on=DAY,
            ends_on=DAY,
            due_on=DAY,
            text="Work",
            unit_price=Decimal(amount),
            amount=Decimal(amount),
            currency=of.currency,
        )
        made = invoices.collect(actor=SYSTEM, customer=of, until=DAY, charges=[charge])
    assert made is not None
    return made


def books(seller: Organization) -> dict[str, Decimal]:
    """Return what each account of a seller holds: debit less credit, without those that hold nothing."""
    with everything("test"):
        rows = LedgerEntry.objects.filter(seller=seller)
        found = {}
        for account in LedgerEntry.Account.values:
            debit = rows.filter(debit=account).aggregate(sum=Sum("amount"))["sum"] or 0
            credit = rows.filter(credit=account).aggregate(sum=Sum("amount"))["sum"] or 0
            if debit != credit:
                found[account] = Decimal(debit - credit)
    return found


@contextmanager
def stub() -> Iterator[Stub]:
    """Run the stand-in on a port of this machine; its events are kept, not sent."""
    server = Stub()
    server.account.deliver = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make(cast: Cast, server: Stub, currency: str = "USD") -> Till:
    """Let reseller A take cards and client A be a customer."""
    with everything("test"):
        factories.seller(cast.reseller_a.organization, currency=currency)
        customer = factories.customer(cast.reseller_a.organization, cast.client_a.organization, currency=currency)
        gateway = gateways.set_keys(
            actor=cast.reseller_a.actor, public_key="pk_test_stub", secret_key=KEY, hook_secret=HOOK_SECRET
        )
    return Till(cast, customer, gateway, server.account)
