"""Who owes whom: reseller A and its client, with an account each on a server, and a clock for the run of dunning."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from accounts.models import Organization, OutgoingMail
from billing.models import Charge, Customer, DunningStep, Hold, Invoice, Seller
from billing.services import dunning, holds, invoices, payments
from panel.core import vault
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Operation, Package
from tests.billing import factories
from tests.provisioning import factories as provisioning
from tests.provisioning.ground import Ground

SYSTEM = Actor.system("test")
ISSUED = datetime(2026, 2, 24, 12, tzinfo=UTC)
DUE = date(2026, 3, 10)


def at(day: int, hour: int = 6) -> datetime:
    """Return an hour of the day so many days after the due date."""
    return datetime(DUE.year, DUE.month, DUE.day, hour, tzinfo=UTC) + timedelta(days=day)


def invoice(customer: Customer, amount: str = "10", issued: datetime = ISSUED) -> Invoice:
    """Issue an invoice of one charge that is due two weeks later."""
    day = issued.date()
    with everything("test"):
        charge = Charge.objects.create(
            customer=customer,
            kind="item",
            starts_on=day,
            ends_on=day,
            due_on=day,
            text="Hosting",
            unit_price=Decimal(amount),
            amount=Decimal(amount),
            currency="USD",
        )
        made = invoices.collect(actor=SYSTEM, customer=customer, until=day, charges=[charge], now=issued)
    assert made is not None
    return made


@dataclass
class Debt:
    """A seller, and a customer of it who owes."""

    ground: Ground
    seller: Seller
    customer: Customer

    def invoice(self, amount: str = "10", issued: datetime = ISSUED) -> Invoice:
        """Issue an invoice that is due two weeks later."""
        return invoice(self.customer, amount, issued)

    def run(self, *times: datetime) -> list[str]:
        """Run dunning at each of these times; returns the steps that had an effect."""
        with everything("test"):
            for now in times:
                assert dunning.run(now).failed == []
            return list(DunningStep.objects.filter(passed_over=False).order_by("id").values_list("step", flat=True))

    def pay(self, invoice: Invoice, key: str = "") -> None:
        """Let the money of an invoice come by bank transfer."""
        with everything("test"):
            payments.record(
                actor=SYSTEM,
                customer=self.customer,
                amount=invoice.gross,
                currency="USD",
                received_on=DUE,
                reference="",
                key=key or f"paid:{invoice.pk}",
                invoice=invoice,
            )

    def report(self, now: datetime, status: str = Operation.Status.APPLIED) -> None:
        """Let servers report what they were ordered, and have that noted."""
        with everything("test"):
            Operation.objects.filter(status__in=Operation.OPEN).update(status=status)
            holds.look(now)

    @property
    def seller_actor(self) -> Actor:
        """Return somebody who works for the seller."""
        cast = self.ground.cast
        sellers = (cast.provider, cast.reseller_a)
        return next(person.actor for person in sellers if person.organization.pk == self.customer.seller_id)

    def holds(self) -> dict[str, str]:
        """Return the customer's latest holds by stage."""
        with everything("test"):
            rows = Hold.objects.filter(customer=self.customer).order_by("id")
            return {row.stage: row.state for row in rows}

    def buyer(self) -> Organization:
        """Return the organization that owes as it is now."""
        return Organization._base_manager.get(pk=self.customer.buyer_id)

    def sites(self) -> list[str]:
        """Return how the hosting accounts of the buyer and below it stand."""
        rows = HostingAccount._base_manager.filter(organization__path__startswith=self.buyer().path)
        return list(rows.order_by("id").values_list("status", flat=True))


def of_client(ground: Ground, **terms: object) -> Debt:
    """Let client A owe reseller A."""
    a = ground.cast.reseller_a.organization
    return Debt(ground, factories.seller(a, **terms), factories.customer(a, ground.cast.client_a.organization))


def of_reseller(ground: Ground, **terms: object) -> Debt:
    """Let reseller A owe the provider."""
    provider = ground.cast.provider.organization
    customer = factories.customer(provider, ground.cast.reseller_a.organization)
    return Debt(ground, factories.seller(provider, **terms), customer)


def mails() -> list[tuple[str, str]]:
    """Return kind and reader of the mails about unpaid invoices, in order."""
    with everything("test"):
        rows = OutgoingMail.objects.filter(kind__startswith="payment_").order_by("id")
        return list(rows.values_list("kind", "recipient"))


def letters(kind: str) -> list[str]:
    """Return the texts of the mails of a kind."""
    with everything("test"):
        rows = OutgoingMail.objects.filter(kind=kind).order_by("id")
        return [json.loads(vault.unseal(row.sealed))["text"] for row in rows]


def package_of(organization: Organization) -> Package:
    """Return a package that an organization sells."""
    with everything("test"):
        return Package.objects.filter(organization=organization).first() or provisioning.package(organization)
