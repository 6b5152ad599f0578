"""What objects of Stripe say, in the panel's words: events that webhooks tell, cards, refunds. It asks nothing."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from billing.gateways import minor
from billing.gateways.base import Card, Event, Outcome, Result
from billing.pricing import money

LARGEST = 10**15
LAST_SECOND = 4_102_444_800  # of the year 2099


def event(message: dict[str, Any]) -> Event:
    """Return an event; raises what `UNREADABLE` of the client names for one that is not of Stripe's form."""
    name, thing = _name(message["type"], 60), message["data"]["object"]
    values: dict[str, Any] = {"id": _name(message["id"]), "name": name}
    values["at"] = min(max(int(message["created"]), 0), LAST_SECOND)
    read = READERS.get(name)
    values |= read(thing) if read else {"kind": "other"}
    return Event(**values)


def card(method: dict[str, Any]) -> Card:
    """Return brand, last digits and month of expiry of a PaymentMethod."""
    shown = method.get("card") or {}
    month, year = shown.get("exp_month"), shown.get("exp_year")
    until = date(year, month, monthrange(year, month)[1]) if month and year else None
    label = f"{str(shown.get('brand') or 'card').title()} •••• {shown.get('last4') or '????'}"
    return Card(label[:60], until)


def refunded(made: dict[str, Any]) -> Result:
    """Return how far a Refund is."""
    return Result(_refund_outcome(made["status"]), made["id"], words(made.get("failure_reason"), 200))


def charge_outcome(status: object) -> Outcome:
    """Return what the status of a PaymentIntent means for a charge off session."""
    known: dict[object, Outcome] = {"succeeded": "done", "processing": "pending"}
    return known.get(status, "failed")


def told(thing: dict[str, Any], name: str) -> str:
    """Return what the metadata of an object name; "" for nothing."""
    return _name((thing.get("metadata") or {}).get(name) or "", 40)


def words(value: object, longest: int) -> str:
    """Return words for people without signs that can't be shown, cut where they are too long."""
    return "".join(sign for sign in str(value or "") if sign.isprintable())[:longest]


def at(thing: Any, *names: str) -> Any:
    """Return what stands so deep in an object; None where it does not go so deep."""
    for name in names:
        thing = thing.get(name) if isinstance(thing, dict) else None
    return thing


def _refund_outcome(status: object) -> Outcome:
    known: dict[object, Outcome] = {"succeeded": "done", "failed": "failed", "canceled": "failed"}
    return known.get(status, "pending")


def _name(value: object, longest: int = 100) -> str:
    """Return what Stripe calls something; raises ValueError for what no database could keep as it is."""
    if not isinstance(value, str) or not value.isprintable() or len(value) > longest:
        raise ValueError("This is no name of Stripe's.")
    return value


def _session(thing: dict[str, Any]) -> dict[str, Any]:
    if thing["mode"] != "payment" or thing["payment_status"] != "paid":
        return {"kind": "other"}
    found = {
        "kind": "paid",
        "payment": told(thing, "payment"),
        "remote": _text(thing, "payment_intent"),
        "remote_customer": _text(thing, "customer"),
    }
    return found | _money(thing, "amount_total")


def _session_failed(thing: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "failed", "payment": told(thing, "payment"), "reason": _("The bank did not pay.")}


def _session_expired(thing: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "expired", "payment": told(thing, "payment")}


def _intent(thing: dict[str, Any]) -> dict[str, Any]:
    found = {
        "kind": "paid",
        "payment": told(thing, "payment"),
        "remote": _name(thing["id"]),
        "customer": told(thing, "customer"),
        "remote_customer": _text(thing, "customer"),
        "remote_card": _text(thing, "payment_method") if thing.get("setup_future_usage") == "off_session" else "",
    }
    return found | _money(thing, "amount_received")


def _intent_failed(thing: dict[str, Any]) -> dict[str, Any]:
    """Read a failed charge of a saved card; on a page of Checkout people may try another card still."""
    if told(thing, "customer"):
        return {"kind": "other"}
    reason = words(at(thing, "last_payment_error", "message"), 300)
    return {"kind": "failed", "payment": told(thing, "payment"), "remote": _name(thing["id"]), "reason": reason}


def _setup_done(thing: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "card",
        "outcome": "done",
        "customer": told(thing, "customer"),
        "remote_customer": _text(thing, "customer"),
        "remote_card": _text(thing, "payment_method"),
    }


def _card_gone(thing: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "card", "outcome": "failed", "remote_card": _name(thing["id"])}


def _refund(thing: dict[str, Any]) -> dict[str, Any]:
    found = {
        "kind": "refund",
        "remote": _name(thing["id"]),
        "refund": told(thing, "refund"),
        "remote_payment": _text(thing, "payment_intent"),
        "outcome": _refund_outcome(thing["status"]),
        "reason": words(thing.get("failure_reason"), 200),
    }
    return found | _money(thing, "amount")


def _dispute(thing: dict[str, Any]) -> dict[str, Any]:
    """Read a dispute; a bank's mere question (`warning_…`) moves no money and is none."""
    if str(thing["status"]).startswith("warning_"):
        return {"kind": "other"}
    outcomes: dict[object, Outcome] = {"won": "done", "lost": "failed"}
    found = {
        "kind": "dispute",
        "remote": _name(thing["id"]),
        "remote_payment": _text(thing, "payment_intent"),
        "outcome": outcomes.get(thing["status"], "pending"),
        "reason": words(thing.get("reason"), 100),
    }
    return found | _money(thing, "amount")


def _money(thing: dict[str, Any], field: str) -> dict[str, Any]:
    currency = str(thing["currency"]).upper()
    if currency not in money.PLACES or not 0 <= int(thing[field]) < LARGEST:
        return {"kind": "other"}
    return {"amount": minor.to_amount(int(thing[field]), currency), "currency": currency}


def _text(thing: dict[str, Any], name: str) -> str:
    value = thing.get(name)
    found = value.get("id") if isinstance(value, dict) else value
    return _name(found or "")


READERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session_expired,
    "payment_intent.succeeded": _intent,
    "payment_intent.payment_failed": _intent_failed,
    "setup_intent.succeeded": _setup_done,
    "payment_method.detached": _card_gone,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
}
"""What is followed, by Stripe's names of events: what a webhook has to be set up for."""
