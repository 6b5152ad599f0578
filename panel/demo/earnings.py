"""Another reseller of the demo, on a plan of 30: ten clients pay it 5, then 10, then 25 a month; and what it earned.

What lies back is sold and billed at its own time, on a clock that is put back; the panel beside it keeps the real one.
The proof asks the running panel, as a program does.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from unittest import mock
from urllib.parse import urlencode

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from accounts.services import organizations, plans, tokens
from billing.models import Invoice, Price, Product
from billing.pricing.calendar import add_months
from billing.services import customers, payments, prices, products, repricing, runs, sellers, subscriptions
from panel.core.actors import Actor
from panel.core.scoping import everything
from panel.demo.proofs import NotProven, Proof
from panel.demo.world import make_owners
from provisioning.services import packages

RESELLER = "Southgate Web"
OWNER = ("ruth@southgate.example", "Ruth Gate")
FEE = Decimal(30)
CLIENTS = 10
EARNED = ((Decimal(5), Decimal(20)), (Decimal(10), Decimal(70)), (Decimal(25), Decimal(220)))
"""What each client pays in a month, and what the reseller is left with; the last is the month that it is."""


def make(provider_actor: Actor, provider: Organization) -> dict[str, Any]:
    """Make the reseller and its months in one transaction; returns its sign-in, a token and the months."""
    this = timezone.now().date().replace(day=1)
    months = [add_months(this, number - len(EARNED) + 1) for number in range(len(EARNED))]
    with everything("demo"), transaction.atomic():
        with _clock_at(months[0]):
            reseller = organizations.create_reseller(actor=provider_actor, parent=provider, name=RESELLER)
            logins, actors = make_owners({"earner": OWNER}, {"earner": reseller})
            actor = actors["earner"]
            _buy_plan(provider_actor, provider, reseller, months[0])
            first = _sell(actor, reseller)
        for month, (amount, _left) in zip(months, EARNED, strict=True):
            with _clock_at(month):
                if amount != first.amount:
                    _raise_to(actor, first, amount)
                for seller in (provider, reseller):
                    runs.bill(timezone.now(), seller=seller)
                _settle(provider_actor, actor, reseller)
        token = tokens.create(actor=actor, name="Demo")[1]
    return {"logins": logins, "token": token, "months": [f"{month:%Y-%m}" for month in months]}


def prove(port: int, token: str, months: Sequence[str]) -> Proof:
    """The profit report reads 20, 70 and 220: from ten issued invoices at the month's price, and one of the plan."""
    began = time.monotonic()
    try:
        seen, holds = _earned(port, token, months), True
    except (NotProven, OSError, http.client.HTTPException) as error:
        seen, holds = f"{type(error).__name__}: {error}", False
    return Proof("Profit report", holds, seen, time.monotonic() - began)


@contextmanager
def _clock_at(day: date) -> Iterator[None]:
    """Let services, which all ask Django what time it is, read the morning of a day."""
    moment = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    with mock.patch.object(timezone, "now", return_value=moment):
        yield


def _buy_plan(actor: Actor, provider: Organization, reseller: Organization, first: date) -> None:
    plan = plans.create(actor=actor, organization=provider, name="Reseller 100 flat")
    offer = products.create(actor=actor, organization=provider, kind=Product.Kind.PLAN, name=plan.name, plan=plan)
    price = prices.create(actor=actor, product=offer, currency="USD", amount=FEE, valid_from=first)
    customer = customers.ensure(actor=actor, seller=provider, buyer=reseller, currency="USD")
    subscriptions.start(actor=actor, customer=customer, price=price)


def _sell(actor: Actor, reseller: Organization) -> Price:
    """Sell ten clients a package at the first price."""
    sellers.change(
        actor=actor,
        organization=reseller,
        legal_name=f"{RESELLER} Ltd",
        address="9 South Gate\nYork",
        country="GB",
        currency="USD",
        days_ahead=0,
    )
    package = packages.create(actor=actor, organization=reseller, name="Web")
    product = products.create(
        actor=actor, organization=reseller, kind=Product.Kind.PACKAGE, name="Web", package=package
    )
    price = prices.create(actor=actor, product=product, currency="USD", amount=EARNED[0][0])
    for number in range(1, CLIENTS + 1):
        client = organizations.create_client(actor=actor, parent=reseller, name=f"Shop {number} of South Gate")
        customer = customers.ensure(actor=actor, seller=reseller, buyer=client, currency="USD")
        subscriptions.start(actor=actor, customer=customer, price=price)
    return price


def _raise_to(actor: Actor, first: Price, amount: Decimal) -> None:
    """Let the product cost another amount from today on, for all who have it."""
    price = prices.create(actor=actor, product=first.product, currency=first.currency, amount=amount)
    repricing.apply(actor=actor, price=price, notice_days=0)


def _settle(provider: Actor, reseller: Actor, organization: Organization) -> None:
    """Let the invoices of the day be paid."""
    of_both = Invoice.objects.filter(receivable__settled_at__isnull=True, receivable__isnull=False)
    for actor, rows in (
        (reseller, of_both.filter(seller=organization)),
        (provider, of_both.filter(buyer=organization)),
    ):
        for invoice in rows.select_related("customer"):
            payments.record(
                actor=actor,
                customer=invoice.customer,
                amount=invoice.gross,
                currency=invoice.currency,
                received_on=timezone.now().date(),
                reference=invoice.reference,
                key=f"demo:{invoice.pk}",
                invoice=invoice,
            )


def _earned(port: int, token: str, months: Sequence[str]) -> str:
    for month, (amount, left) in zip(months, EARNED, strict=True):
        (told,) = _ask(port, token, "profit", {"since": month, "until": month})["months"]
        sold, bought = (
            _ask(port, token, "profit/lines", {"since": month, "until": month, "side": side})["lines"]
            for side in ("sales", "purchases")
        )
        if (Decimal(told["profit"]), Decimal(told["cost"])) != (left, FEE):
            raise NotProven(f"{month}: {told}")
        paid = [Decimal(line["net"]) for line in sold]
        if paid != [amount] * CLIENTS or len({line["number"] for line in sold}) != CLIENTS:
            raise NotProven(f"{month}: {len(sold)} lines of {sorted(set(paid))}")
        if [Decimal(line["net"]) for line in bought] != [FEE]:
            raise NotProven(f"{month}: {len(bought)} lines were bought")
    shown = ", ".join(f"{left} in {month}" for month, (_amount, left) in zip(months, EARNED, strict=True))
    return f"{shown}: {CLIENTS} invoices a month, and one of the plan at {FEE}"


def _ask(port: int, token: str, report: str, query: Mapping[str, str]) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"Host": f"127.0.0.1:{port}", "Authorization": f"Bearer {token}"}
        connection.request("GET", f"/api/v1/reports/{report}?{urlencode(query)}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise NotProven(f"{report}: status {answer.status}, {body[:200]!r}")
        return json.loads(body)
    finally:
        connection.close()
