"""A stand-in for Stripe on this machine, for tests and the demo: as much of its API as the panel uses. No real money.

Like Stripe it answers a repeated Idempotency-Key with what it answered first, and 400 when the request is another. Its
events are signed (Stripe-Signature, v1) and delivered to the webhook that it was given; tests let it lose answers, and
deliver events twice, late and out of order.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_stub"
HOOK_SECRET = "whsec_stub"  # noqa: S105 - of a stand-in
DECLINED = "pm_declined"
Thing = dict[str, Any]


class Problem(Exception):
    """A refusal as Stripe words it."""

    def __init__(self, status: int, kind: str, message: str, code: str = "", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **({"code": code} if code else {}), **more}}


@dataclass
class Account:
    """What the stand-in holds: objects by id, answers by idempotency key, and events in their order."""

    hook_url: str = ""
    hook_secret: str = HOOK_SECRET
    fee_percent: int = 3
    deliver: bool = True
    lose_answers: int = 0
    things: dict[str, Thing] = field(default_factory=dict)
    answers: dict[str, tuple[str, int, Thing]] = field(default_factory=dict)
    events: list[Thing] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    deliveries: list[int] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def make(self, kind: str, prefix: str, **values: Any) -> Thing:
        """Keep a new object."""
        thing = {"id": f"{prefix}_{secrets.token_hex(12)}", "object": kind, "created": int(time.time()), **values}
        self.things[thing["id"]] = thing
        return thing

    def find(self, identifier: str) -> Thing:
        """Return an object; raises Problem for one that there is not."""
        if identifier not in self.things:
            raise Problem(404, "invalid_request_error", f"No such object: {identifier}", "resource_missing")
        return self.things[identifier]

    def tell(self, name: str, thing: Thing) -> Thing:
        """Let an event happen, and deliver it unless deliveries are held back."""
        body = {"object": "event", "type": name, "data": {"object": dict(thing)}, "livemode": False}
        event = {"id": f"evt_{secrets.token_hex(12)}", "created": int(time.time()), **body}
        self.events.append(event)
        if self.deliver and self.hook_url:
            threading.Thread(target=self.send, args=(event,), daemon=True).start()
        return event

    def send(self, event: Thing, *, at: int | None = None) -> int:
        """Deliver an event to the webhook, signed now or at an instant; returns the HTTP status, 0 for no answer."""
        body = json.dumps(event).encode()
        headers = {"Content-Type": "application/json", "Stripe-Signature": sign(body, self.hook_secret, at)}
        request = urllib.request.Request(self.hook_url, body, headers)  # noqa: S310 - the panel's own webhook
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                status = int(answer.status)
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = 0
        self.deliveries.append(status)
        return status

    def pay(self, session: Thing, card: str = "4242") -> None:
        """Do what somebody does at a session's page: pay, or save a card; a card that ends in 0002 is declined."""
        with self.lock:
            if session["status"] != "open":
                return
            method = self._card(card)
            customer = session["customer"] or self.make("customer", "cus", email=session["customer_email"])["id"]
            method["customer"] = session["customer"] = customer
            if session["mode"] == "setup":
                told = {"customer": customer, "payment_method": method["id"], "metadata": session["setup_metadata"]}
                intent = self.make("setup_intent", "seti", status="succeeded", **told)
                session.update(status="complete", setup_intent=intent["id"])
                self.tell("setup_intent.succeeded", intent)
            else:
                intent = self.find(session["payment_intent"])
                intent["customer"] = customer
                if not self.charge(intent, method):
                    return
                session.update(status="complete", payment_status="paid")
            self.tell("checkout.session.completed", session)

    def charge(self, intent: Thing, method: Thing) -> bool:
        """Charge a payment intent to a card; False when the card is declined."""
        intent["payment_method"] = method["id"]
        if method["card"]["last4"] == "0002":
            intent.update(status="requires_payment_method")
            intent["last_payment_error"] = {"code": "card_declined", "message": "Your card was declined."}
            self.tell("payment_intent.payment_failed", intent)
            return False
        kept = {"fee": intent["amount"] * self.fee_percent // 100, "currency": intent["currency"]}
        entry = self.make("balance_transaction", "txn", amount=intent["amount"], **kept)
        charge = self.make("charge", "ch", amount=intent["amount"], balance_transaction=entry["id"])
        intent.update(status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"])
        self.tell("payment_intent.succeeded", intent)
        return True

    def dispute(self, intent_id: str, amount: int | None = None) -> Thing:
        """Let the buyer's bank dispute a payment."""
        intent = self.find(intent_id)
        told = {"amount": amount or intent["amount"], "currency": intent["currency"], "reason": "fraudulent"}
        made = self.make("dispute", "dp", payment_intent=intent_id, status="needs_response", **told)
        self.tell("charge.dispute.created", made)
        return made

    def decide(self, dispute: Thing, status: str) -> None:
        """Let the bank decide a dispute: won or lost."""
        dispute["status"] = status
        self.tell("charge.dispute.closed", dispute)

    def _card(self, digits: str) -> Thing:
        card = {"brand": "visa", "last4": digits[-4:], "exp_month": 12, "exp_year": 2034}
        return self.make("payment_method", "pm", type="card", card=card, customer=None)


def sign(body: bytes, secret: str, at: int | None = None) -> str:
    """Return the Stripe-Signature header of a body."""
    stamp = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def create_session(account: Account, values: Thing, base: str) -> Thing:
    """POST /v1/checkout/sessions."""
    mode, intent = values["mode"], None
    if mode == "payment":
        line = values["line_items"]["0"]
        amount = int(line["price_data"]["unit_amount"]) * int(line["quantity"])
        currency = line["price_data"]["currency"]
        data = values.get("payment_intent_data", {})
        intent = _intent(account, amount, currency, data.get("metadata", {}), values.get("customer"))
        intent["setup_future_usage"] = data.get("setup_future_usage")
    session = account.make(
        "checkout.session",
        "cs_test",
        mode=mode,
        status="open",
        payment_status="unpaid" if intent else "no_payment_required",
        payment_intent=intent["id"] if intent else None,
        amount_total=intent["amount"] if intent else None,
        currency=intent["currency"] if intent else values.get("currency"),
        customer=values.get("customer"),
        customer_email=values.get("customer_email"),
        metadata=values.get("metadata", {}),
        setup_metadata=values.get("setup_intent_data", {}).get("metadata", {}),
        success_url=values["success_url"],
        cancel_url=values["cancel_url"],
        name=values["line_items"]["0"]["price_data"]["product_data"]["name"] if intent else "",
    )
    session["url"] = f"{base}/pay/{session['id']}"
    return session


def create_intent(account: Account, values: Thing, base: str) -> Thing:
    """POST /v1/payment_intents, confirmed with a saved card."""
    told = (int(values["amount"]), values["currency"], values.get("metadata", {}), values.get("customer"))
    intent = _intent(account, *told)
    if not account.charge(intent, account.find(values["payment_method"])):
        more = {"payment_intent": dict(intent), "decline_code": "generic_decline"}
        raise Problem(402, "card_error", "Your card was declined.", "card_declined", **more)
    return intent


def create_refund(account: Account, values: Thing, base: str) -> Thing:
    """POST /v1/refunds."""
    intent, amount = account.find(values["payment_intent"]), int(values["amount"])
    if intent["status"] != "succeeded" or intent["refunded"] + amount > intent["amount"]:
        raise Problem(400, "invalid_request_error", "Refund amount is greater than what is left.", "charge_too_large")
    intent["refunded"] += amount
    told = {"payment_intent": intent["id"], "amount": amount, "currency": intent["currency"]}
    refund = account.make("refund", "re", status="succeeded", metadata=values.get("metadata", {}), **told)
    account.tell("refund.created", refund)
    return refund


CREATE: dict[str, Callable[[Account, Thing, str], Thing]] = {
    "/v1/checkout/sessions": create_session,
    "/v1/payment_intents": create_intent,
    "/v1/refunds": create_refund,
}


LISTS = {"/v1/payment_intents": ("payment_intent", "customer"), "/v1/refunds": ("refund", "payment_intent")}
"""What can be listed: the kind of object, and what of it is asked for."""


class Handler(BaseHTTPRequestHandler):
    """One request of the panel, or of somebody at a page where one pays."""

    server: Stub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Show a page, or return an object."""
        path = urlsplit(self.path).path
        if path.startswith("/pay/"):
            self._page(self.server.account.things.get(path.removeprefix("/pay/")))
        else:
            self._answer(lambda values: self._read(path, values))

    def do_POST(self) -> None:
        """Make an object, or take what was sent at a page."""
        path = urlsplit(self.path).path
        if path.startswith("/pay/"):
            self._paid(self.server.account.things.get(path.removeprefix("/pay/")))
        else:
            self._answer(lambda values: self._write(path, values))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what was asked is kept in `requests`."""

    def _read(self, path: str, values: Thing) -> Thing:
        account = self.server.account
        if path == "/v1/account":
            return {"id": "acct_stub", "object": "account", "settings": {"dashboard": {"display_name": "Stub shop"}}}
        if path in LISTS:
            return _listed(account, path, values)
        found = dict(account.find(path.rpartition("/")[2]))
        if "latest_charge.balance_transaction" in json.dumps(values) and found.get("latest_charge"):
            charge = dict(account.find(found["latest_charge"]))
            charge["balance_transaction"] = account.find(charge["balance_transaction"])
            found["latest_charge"] = charge
        return found

    def _write(self, path: str, values: Thing) -> Thing:
        account = self.server.account
        if path.startswith("/v1/payment_methods/") and path.endswith("/detach"):
            method = account.find(path.split("/")[3])
            method["customer"] = None
            account.tell("payment_method.detached", method)
            return method
        if path not in CREATE:
            raise Problem(404, "invalid_request_error", f"Unrecognized request URL ({path}).")
        return CREATE[path](account, values, self.server.url)

    def _answer(self, work: Callable[[Thing], Thing]) -> None:
        account = self.server.account
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        values = nested(body or urlsplit(self.path).query)
        key = self.headers.get("Idempotency-Key") or ""
        with account.lock:
            account.requests.append(f"{self.command} {urlsplit(self.path).path}")
            status, answer = self._once(key, body, values, work)
            lost = account.lose_answers > 0 and self.command == "POST"
            account.lose_answers -= lost
        if lost:
            self.close_connection = True
            return
        self._send(status, json.dumps(answer).encode(), "application/json")

    def _once(self, key: str, body: str, values: Thing, work: Callable[[Thing], Thing]) -> tuple[int, Thing]:
        """Do the work, or return what was answered to this key before; a failure of ours would not be kept."""
        account = self.server.account
        if not self.headers.get("Authorization", "").startswith("Bearer sk_test_"):
            problem = Problem(401, "invalid_request_error", "Invalid API Key provided.")
            return problem.status, problem.body
        asked = hashlib.sha256(f"{self.path}\n{body}".encode()).hexdigest()
        if key and key in account.answers:
            before, status, answer = account.answers[key]
            if before == asked:
                return status, answer
            problem = Problem(400, "idempotency_error", "Keys for idempotent requests can only be used once.")
            return problem.status, problem.body
        try:
            status, answer = 200, dict(work(values))
        except Problem as problem:
            status, answer = problem.status, problem.body
        if key:
            account.answers[key] = (asked, status, answer)
        return status, answer

    def _page(self, session: Thing | None) -> None:
        if session is None:
            self._send(404, b"No such page.", "text/plain")
            return
        amount = f"{session['amount_total']} {session['currency']}" if session["amount_total"] else "a card to save"
        text = PAGE.format(
            name=html.escape(session["name"] or "Save a card"),
            amount=html.escape(amount),
            back=html.escape(session["cancel_url"], quote=True),
        )
        self._send(200, text.encode(), "text/html; charset=utf-8")

    def _paid(self, session: Thing | None) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if session is None:
            self._send(404, b"No such page.", "text/plain")
            return
        self.server.account.pay(session, dict(parse_qsl(body)).get("card", "4242"))
        done = session["status"] == "complete"
        self.send_response(303)
        self.send_header("Location", session["success_url"] if done else f"/pay/{session['id']}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Request-Id", f"req_{secrets.token_hex(6)}")
        self.end_headers()
        self.wfile.write(body)


class Stub(ThreadingHTTPServer):
    """The stand-in on a port of this machine; `account` is what it holds."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.account = Account()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"


def nested(text: str) -> Thing:
    """Return form values by Stripe's names: `a[b][0]=c` is {"a": {"b": {"0": "c"}}}."""
    found: Thing = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        place = found
        *outer, last = name.replace("]", "").split("[")
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = value
    return found


def _listed(account: Account, path: str, values: Thing) -> Thing:
    """Return a page of a list, the newest first."""
    kind, by = LISTS[path]
    since, most = int(values.get("created", {}).get("gte", 0)), int(values.get("limit", 10))
    rows = [row for row in account.things.values() if row["object"] == kind and row[by] == values[by]]
    rows = [row for row in reversed(rows) if row["created"] >= since]
    names = [row["id"] for row in rows]
    first = names.index(values["starting_after"]) + 1 if "starting_after" in values else 0
    more = len(rows) > first + most
    return {"object": "list", "url": path, "has_more": more, "data": rows[first : first + most]}


def _intent(account: Account, amount: int, currency: str, metadata: Thing, customer: str | None) -> Thing:
    told = {"amount": amount, "currency": currency, "metadata": metadata, "customer": customer}
    more: Thing = {"amount_received": 0, "refunded": 0, "payment_method": None, "latest_charge": None}
    return account.make("payment_intent", "pi", status="requires_payment_method", **told, **more)


PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pay (stand-in)</title>
<meta name="viewport" content="width=device-width"></head><body><main><h1>{name}</h1><p>{amount}</p>
<p>No real payment service, and no real money.</p><form method="post">
<label>Card <input name="card" value="4242424242424242"></label> <button>Pay</button></form>
<p><a href="{back}">Back</a></p></main></body></html>"""
