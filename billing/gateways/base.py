"""What the panel asks of a payment service, in the panel's own words; each service speaks its own behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol

from panel.core.errors import DomainError

Outcome = Literal["done", "pending", "failed"]


class Unavailable(DomainError):
    """The payment service did not answer, or not in time (HTTP 503): try again, by the same key."""

    status = 503


class Refused(DomainError):
    """The payment service answered that it will not do this (HTTP 409)."""

    status = 409


class NotGenuine(Exception):
    """A message that does not come from the service, or came too late."""


@dataclass(frozen=True)
class Wanted:
    """What a page of the service is to ask for: an amount (None: only a card to save), and where people come back."""

    id: str
    key: str
    customer: str
    text: str
    currency: str
    success_url: str
    cancel_url: str
    amount: Decimal | None = None
    email: str = ""
    remote_customer: str = ""
    saves_card: bool = False


@dataclass(frozen=True)
class Page:
    """A page of the service where somebody pays, and what the service calls it."""

    remote_id: str
    url: str


@dataclass(frozen=True)
class Result:
    """What became of a charge or refund, what the service calls it, and its reason where it failed."""

    outcome: Outcome
    remote_id: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Card:
    """A saved card as people know it."""

    label: str
    expires_on: date | None


@dataclass(frozen=True)
class Event:
    """Something that the service told, of this `kind`:

    `paid`, `failed`, `expired`: a payment (`payment` is its id here, `remote` the service's);
    `card`: a card was saved for `customer` (its id here), or is gone when `outcome` is failed;
    `refund`: money went back (`refund`: its id here, "" when it was begun there);
    `dispute`: a payment was disputed; `outcome` is pending while it is open, done when it was won, failed when lost;
    `other`: nothing that the panel follows.
    """

    id: str
    name: str
    kind: Literal["paid", "failed", "expired", "card", "refund", "dispute", "other"]
    at: int
    remote: str = ""
    payment: str = ""
    refund: str = ""
    customer: str = ""
    remote_payment: str = ""
    remote_customer: str = ""
    remote_card: str = ""
    amount: Decimal = Decimal(0)
    currency: str = ""
    outcome: Outcome = "pending"
    reason: str = ""


class Service(Protocol):
    """A payment service with one seller's keys. Every call ends within ten seconds; the same key does nothing twice.

    Raises Unavailable when there was no answer, Refused when the answer was no.
    """

    def checkout(self, wanted: Wanted) -> Page:
        """Make a page where somebody pays, or saves a card."""

    def charge_saved(
        self, *, payment: str, key: str, amount: Decimal, currency: str, remote_customer: str, remote_card: str
    ) -> Result:
        """Charge a saved card while its owner is away."""

    def refund(self, *, refund: str, key: str, remote_payment: str, amount: Decimal, currency: str) -> Result:
        """Send money of a payment back to the card that it came from."""

    def find_charge(self, *, payment: str, remote_customer: str, since: datetime) -> Result | None:
        """Return what became of a charge that was asked for since an instant; None when the service has none such."""

    def find_refund(self, *, refund: str, remote_payment: str) -> Result | None:
        """Return what became of a refund; None when the service has none such."""

    def fee(self, remote_payment: str, currency: str) -> Decimal | None:
        """Return what the service kept of a payment; None while it does not know, or in another currency."""

    def card(self, remote_card: str) -> Card:
        """Return what a saved card looks like."""

    def forget_card(self, remote_card: str) -> None:
        """Let the service forget a saved card; again is the same."""

    def test(self) -> str:
        """Ask whose account the keys are of; returns its name."""

    def parse_event(self, body: bytes, signature: str) -> Event:
        """Return what the service told; raises NotGenuine for what it did not sign just now."""
