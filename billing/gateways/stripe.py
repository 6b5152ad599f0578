"""Stripe, by its own library: Checkout, saved cards, refunds, and what its webhooks tell. It keeps no key globally.

It speaks to api.stripe.com, or where HOSTWRIGHT_STRIPE_API says: a stub on this machine for tests and the demo.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import stripe
from django.conf import settings
from django.utils.translation import gettext as _
from stripe import RequestsClient, StripeClient

from billing.gateways import minor, stripe_objects
from billing.gateways.base import Card, Event, NotGenuine, Page, Refused, Result, Unavailable, Wanted
from panel.core.errors import Invalid

SECONDS = 10
TOLERANCE_SECONDS = 300
CHECKOUT = "https://checkout.stripe.com"
UNREADABLE = (
    stripe.SignatureVerificationError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What reading a message raises that is not of the form that Stripe's have."""
PAGE = 100
"""So many objects are listed at once, the most that Stripe gives."""
PASSING = (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError)
_http = RequestsClient(timeout=SECONDS)


def origins() -> tuple[str, ...]:
    """Return where pages of Stripe are: the only places outside the panel that people are led to."""
    base = settings.STRIPE_API.rstrip("/")
    return (CHECKOUT,) if base == stripe.DEFAULT_API_BASE else (base,)


class Stripe:
    """Stripe with one seller's keys; see `billing.gateways.base.Service`."""

    def __init__(self, key: str, hook_secret: str = "") -> None:
        self._hook_secret = hook_secret
        self._client = StripeClient(
            key,
            base_addresses={"api": settings.STRIPE_API.rstrip("/")},
            http_client=_http,
            max_network_retries=0,
        )

    def checkout(self, wanted: Wanted) -> Page:
        """Make a Checkout Session, which pays or, without an amount, saves a card."""
        values: dict[str, Any] = {
            "client_reference_id": wanted.id,
            "success_url": wanted.success_url,
            "cancel_url": wanted.cancel_url,
            **_payer(wanted),
            **(_setup(wanted) if wanted.amount is None else _purchase(wanted, wanted.amount)),
        }
        with _asking():
            made = self._client.v1.checkout.sessions.create(values, {"idempotency_key": wanted.key})  # type: ignore[arg-type]
        url = made.url or ""
        if not url.startswith(tuple(f"{origin}/" for origin in origins())):
            raise Refused("elsewhere", _("The payment service named a page that is not its own."))
        return Page(made.id, url)

    def charge_saved(
        self, *, payment: str, key: str, amount: Decimal, currency: str, remote_customer: str, remote_card: str
    ) -> Result:
        """Confirm a PaymentIntent off session; a card that wants its owner's word has failed."""
        values: dict[str, Any] = {
            "amount": _minor(amount, currency),
            "currency": currency.lower(),
            "customer": remote_customer,
            "payment_method": remote_card,
            "off_session": True,
            "confirm": True,
            "metadata": {"payment": payment},
        }
        with _asking():
            try:
                made = self._client.v1.payment_intents.create(values, {"idempotency_key": key})  # type: ignore[arg-type]
            except stripe.CardError as error:
                return Result("failed", _intent_of(error), (error.user_message or "")[:300])
        outcome = stripe_objects.charge_outcome(made.status)
        return Result(outcome, made.id, "" if outcome != "failed" else _("The card wants its owner's word."))

    def refund(self, *, refund: str, key: str, remote_payment: str, amount: Decimal, currency: str) -> Result:
        """Make a Refund of a PaymentIntent."""
        values: dict[str, Any] = {
            "payment_intent": remote_payment,
            "amount": _minor(amount, currency),
            "metadata": {"refund": refund},
        }
        with _asking():
            made = _plain(self._client.v1.refunds.create(values, {"idempotency_key": key}))  # type: ignore[arg-type]
        return stripe_objects.refunded(made)

    def find_charge(self, *, payment: str, remote_customer: str, since: datetime) -> Result | None:
        """Look through the PaymentIntents of a Customer, which are told at once, unlike what a search finds."""
        asked: Any = {"customer": remote_customer, "created": {"gte": int(since.timestamp())}, "limit": PAGE}
        with _asking():
            found = _first(self._client.v1.payment_intents.list(asked), "payment", payment)
        if found is None:
            return None
        reason = stripe_objects.words(stripe_objects.at(found, "last_payment_error", "message"), 300)
        return Result(stripe_objects.charge_outcome(found["status"]), found["id"], reason)

    def find_refund(self, *, refund: str, remote_payment: str) -> Result | None:
        """Look through the Refunds of a PaymentIntent."""
        asked: Any = {"payment_intent": remote_payment, "limit": PAGE}
        with _asking():
            found = _first(self._client.v1.refunds.list(asked), "refund", refund)
        return None if found is None else stripe_objects.refunded(found)

    def fee(self, remote_payment: str, currency: str) -> Decimal | None:
        """Return the fee of the balance transaction behind a PaymentIntent."""
        with _asking():
            found = self._client.v1.payment_intents.retrieve(
                remote_payment, {"expand": ["latest_charge.balance_transaction"]}
            )
        told = _plain(found)
        entry = stripe_objects.at(told, "latest_charge", "balance_transaction")
        if not isinstance(entry, dict) or str(entry.get("currency", "")).upper() != currency:
            return None
        return minor.to_amount(int(entry["fee"]), currency)

    def card(self, remote_card: str) -> Card:
        """Return brand, last digits and month of expiry of a PaymentMethod."""
        with _asking():
            found = self._client.v1.payment_methods.retrieve(remote_card)
        return stripe_objects.card(_plain(found))

    def forget_card(self, remote_card: str) -> None:
        """Detach a PaymentMethod."""
        try:
            with _asking():
                self._client.v1.payment_methods.detach(remote_card)
        except Refused as error:
            if error.params.get("code") not in ("resource_missing", "payment_method_unexpected_state"):
                raise

    def test(self) -> str:
        """Return the name of the account that the key is of."""
        with _asking():
            found = _plain(self._client.v1.accounts.retrieve_current())
        name = stripe_objects.at(found, "settings", "dashboard", "display_name") or stripe_objects.at(
            found, "business_profile", "name"
        )
        return str(name or found.get("id", ""))[:100]

    def parse_event(self, body: bytes, signature: str) -> Event:
        """Check the signature (v1, five minutes) and say in the panel's words what happened."""
        try:
            stripe.WebhookSignature.verify_header(body, signature, self._hook_secret, TOLERANCE_SECONDS)
            told = json.loads(body)
            if _signed_at(signature) > time.time() + TOLERANCE_SECONDS:
                raise NotGenuine("The signature is of a time to come.")
            return stripe_objects.event(told)
        except UNREADABLE as error:
            raise NotGenuine(type(error).__name__) from error


@contextmanager
def _asking() -> Iterator[None]:
    """Turn Stripe's errors into the panel's."""
    try:
        yield
    except PASSING as error:
        raise Unavailable("gateway_unavailable", _("The payment service does not answer. Try again.")) from error
    except stripe.AuthenticationError as error:
        raise Refused("gateway_keys", _("The payment service does not know this key."), "secret_key") from error
    except stripe.StripeError as error:
        text = _("The payment service refused: %(reason)s") % {"reason": (error.user_message or str(error))[:200]}
        raise Refused("gateway_refused", text, params={"code": error.code or ""}) from error


def _payer(wanted: Wanted) -> dict[str, Any]:
    if wanted.remote_customer:
        return {"customer": wanted.remote_customer}
    email = {"customer_email": wanted.email} if wanted.email else {}
    return {"customer_creation": "always", **email} if wanted.saves_card or wanted.amount is None else email


def _setup(wanted: Wanted) -> dict[str, Any]:
    told = {"customer": wanted.customer}
    return {
        "mode": "setup",
        "currency": wanted.currency.lower(),
        "metadata": told,
        "setup_intent_data": {"metadata": told},
    }


def _purchase(wanted: Wanted, amount: Decimal) -> dict[str, Any]:
    told = {"payment": wanted.id, "customer": wanted.customer}
    later = {"setup_future_usage": "off_session"} if wanted.saves_card else {}
    price = {
        "currency": wanted.currency.lower(),
        "unit_amount": _minor(amount, wanted.currency),
        "product_data": {"name": wanted.text},
    }
    return {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "metadata": told,
        "payment_intent_data": {"metadata": told, "description": wanted.text, **later},
    }


def _minor(amount: Decimal, currency: str) -> int:
    try:
        return minor.from_amount(amount, currency)
    except ValueError as error:
        raise Invalid("amount", _("A card can't pay this amount exactly. Pay by bank transfer."), "amount") from error


def _intent_of(error: stripe.CardError) -> str:
    return str(stripe_objects.at(_plain(error.error), "payment_intent", "id") or "") if error.error is not None else ""


def _first(listed: Any, name: str, value: str) -> dict[str, Any] | None:
    """Return the first object of a list, page by page, whose metadata names one of ours."""
    return next(
        (found for row in listed.auto_paging_iter() if stripe_objects.told(found := _plain(row), name) == value), None
    )


def _plain(thing: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(str(thing))
    return found


def _signed_at(signature: str) -> int:
    return int(next(part[2:] for part in signature.split(",") if part.startswith("t=")))
