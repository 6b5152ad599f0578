"""A5, F3, I1, K4 and money for every write of billing's API: text, figures, days, unknown fields, broken bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from billing.models import InvoiceLine, Price
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from tests.panel.world import World, world  # noqa: F401 (a fixture)
from tests.provisioning.api import contract
from tests.provisioning.api.conftest import API, Program, texts

#: Tags of the API that are billing's; those of test_selling.py are asked there.
TAGS = frozenset(
    "bank-entries cards gateway invoices items meter-events meters orders payments price-feeds rate subscriptions"
    " webhook-messages webhooks".split()
)
TODAY = timezone.now().date()
RULE = {"currency": "USD", "measure": "count", "per": "1", "tiers": [{"up_to": None, "amount": "0.10"}]}
USAGE = {"customer_since": "2026-01-01", "period": ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"], "events": []}
EVENT = {
    "source": "shop",
    "id": "1",
    "meter": "{meter}",
    "subscription": "{subscription}",
    "at": "2026-10-01T00:00:00Z",
    "quantity": "1.5",
    "dimensions": {"region": "eu"},
}

#: Every write with a body → one that is taken, or refused for no fault of the body.
WRITES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/bank-entries"): {"statement": "<Document/>"},
    ("POST", "/bank-entries/{entry}/match"): {"customer": "{customer}", "invoice": "{invoice}"},
    ("POST", "/cards"): {"key": "a"},
    ("POST", "/customers/{customer}/pro-forma"): {},
    ("PUT", "/gateway"): {"public_key": "pk_test_1", "secret_key": "sk_test_1", "hook_secret": "whsec_1"},
    ("PATCH", "/gateway"): {"is_active": False},
    ("POST", "/invoices"): {"customer": "{customer}", "note": "Thanks", "due_on": f"{TODAY + timedelta(days=5)}"},
    ("PATCH", "/invoices/{draft}"): {"note": "Thanks", "due_on": f"{TODAY + timedelta(days=5)}"},
    ("POST", "/invoices/{invoice}/credit"): {"reason": "Late", "lines": [{"line": "{line}", "amount": "1.00"}]},
    ("POST", "/invoices/{draft}/issue"): {},
    ("POST", "/invoices/{draft}/lines"): {
        "text": "Work",
        "unit_price": "1.50",
        "quantity": "2",
        "unit": "h",
        "tax_category": "standard",
        "starts_on": "2026-01-01",
        "ends_on": "2026-02-01",
    },
    ("POST", "/invoices/{invoice}/pay"): {"key": "a", "card": "{card}", "save_card": False},
    ("POST", "/invoices/{invoice}/send"): {},
    ("POST", "/invoices/{invoice}/write-off"): {"reason": "Lost"},
    ("POST", "/items"): {
        "customer": "{customer}",
        "text": "Work",
        "amount": "5.00",
        "quantity": 1,
        "on": f"{TODAY}",
        "tax_category": "standard",
    },
    ("POST", "/meter-events"): {"events": [EVENT]},
    ("POST", "/meters"): {"name": "Hours", "unit": "h", "source": "api"},
    ("PATCH", "/meters/{meter}"): {"name": "Hours", "unit": "h"},
    ("POST", "/orders"): {
        "price": "{package_price}",
        "key": "1",
        "email": "new@people.example",
        "person": "Nora New",
        "pays_by": "invoice",
        "domain": "fresh-example.org",
        "company": "New Ltd",
        "address": "1 Quay",
        "country": "DE",
        "vat_number": "DE136695976",
        "locale": "en",
    },
    ("POST", "/orders/{order}/approve"): {},
    ("POST", "/orders/{order}/refuse"): {"reason": "No"},
    ("POST", "/orders/{order}/retry"): {},
    ("POST", "/payments"): {
        "customer": "{customer}",
        "amount": "1.00",
        "currency": "USD",
        "received_on": "2026-01-01",
        "reference": "R",
        "invoice": "{invoice}",
        "key": "a",
    },
    ("POST", "/payments/{payment}/keep"): {"invoice": "{invoice}", "amount": "1.00", "key": "a"},
    ("POST", "/payments/{payment}/refunds"): {"amount": "1.00", "reason": "Asked", "key": "a"},
    ("POST", "/price-feeds"): {"name": "Other", "currency": "USD"},
    ("POST", "/price-feeds/{feed}/points"): {"points": [{"at": "2026-01-01T00:00:00Z", "price": "0.5"}]},
    ("POST", "/rate"): {"rule": RULE, "usage": USAGE},
    ("POST", "/subscriptions"): {
        "customer": "{customer}",
        "price": "{package_price}",
        "quantity": 1,
        "account": "{account}",
        "starts_on": f"{TODAY}",
        "label": "Care",
        "trial": False,
    },
    ("POST", "/subscriptions/{subscription}/addons"): {"price": "{price}", "quantity": 1, "on": f"{TODAY}"},
    ("POST", "/subscriptions/{subscription}/cancel"): {"at_end": True},
    ("POST", "/subscriptions/{subscription}/change"): {"price": "{price}", "quantity": 1, "on": f"{TODAY}"},
    ("POST", "/subscriptions/{subscription}/preview"): {"price": "{price}", "quantity": 1, "on": f"{TODAY}"},
    ("POST", "/subscriptions/{subscription}/resume"): {},
    ("POST", "/subscriptions/{subscription}/unpark"): {},
    ("POST", "/webhook-messages/{message}/resend"): {},
    ("POST", "/webhooks"): {"url": "https://shop.example/other", "kinds": ["invoice.paid"]},
    ("PATCH", "/webhooks/{hook}"): {"url": "https://shop.example/other", "kinds": [], "is_active": True},
    ("POST", "/webhooks/{hook}/secret"): {},
    ("POST", "/webhooks/{hook}/test"): {},
}
BUYERS = ("/cards", "/invoices/{invoice}/pay")

HOSTILE = "{{7*7}}{% %}$()%0a;}#\"'\\`id`|<img onerror=x>"
#: Where anything that can be printed may stand: it is data wherever it is shown.
FREE = {
    "note",
    "reason",
    "text",
    "name",
    "unit",
    "label",
    "reference",
    "person",
    "company",
    "address",
    "url",
    "key",
} | {
    "source",
    "id",
    "region",
}
#: What is no text of anybody's, wherever text goes.
NO_TEXT: tuple[Any, ...] = ("a\x00b", "a\ud800b", "a\u202eb", "a\x1b[31mb", "x" * 6000, {}, ["x"])
FIGURES = {"amount", "unit_price", "quantity", "price"}
NO_FIGURE: tuple[Any, ...] = (
    "NaN",
    "Infinity",
    "1e400",
    "9" * 400,
    "١٢",
    " 1",
    "1_0",
    "+1",
    "1,5",
    "",
    True,
    0.1,
    10**30,
    None,
    [],
)
NO_WHOLE = ("1", "١٢", "1_0", True, 1.5, 10**30, -1, 0, None)
NO_FLAG: tuple[Any, ...] = ("yes", "true", 1, None, [])
NO_DAY = ("9999-12-31", "2026-13-01", 20260101, "a\x00", None)
#: Of what a key may be: any text, which nobody reads.
TAKEN_AWAY = {"due_on"}
"""Days that null takes away."""
NO_KEY: tuple[Any, ...] = ("a\x00b", "a\ud800b", "x" * 6000, {}, None)
UNKNOWN = ("seller", "owner", "organization", "role", "gross", "status", "number", "settled_at", "__proto__")
BROKEN = ("[]", "[{}]", '"x"', "7", "null", "{", '{"a":NaN}', "\xff", "[" * 9999 + "]" * 9999, '{"a":"\\ud800"}')
#: Refusals that come from the state of what is spoken of.
OF_STATE = {
    "no_gateway",
    "statement_kind",
    "not_failed",
    "not_cancelled",
    "not_parked",
    "currency",
    "subscription",
    "period",
}


@pytest.fixture
def known(world: World, db: None) -> dict[str, str]:  # noqa: F811
    """The ids that paths and bodies name."""
    cache.clear()
    found = {name: identifier for name, (identifier, _seen_by) in world.objects.items()}
    short = {name.partition("_of_")[0]: identifier for name, identifier in found.items() if "_of_" in name}
    seller = world.cast.reseller_a.organization
    with everything("test"):
        package = Price.objects.get(product__organization=seller, product__kind="package")
        line = InvoiceLine.objects.get(invoice=short["invoice"])
    ids = {"account": found["account"], "payment": short["receipt"], "package_price": package.pk, "line": line.pk}
    return {**short, **ids}


def filled(node: Any, known: dict[str, str]) -> Any:
    """Return a body with the ids that it speaks of."""
    if isinstance(node, dict):
        return {key: filled(value, known) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value, known) for value in node]
    return node.format(**known) if isinstance(node, str) and re.fullmatch(r"\{\w+\}", node) else node


@contextmanager
def undone() -> Iterator[None]:
    """Take back what happens inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def program(world: World, path: str) -> Program:  # noqa: F811
    """Return the program of whoever may write there."""
    return Program((world.cast.client_a if path in BUYERS else world.cast.reseller_a).program())


def places(node: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value of a body."""
    if way:
        yield way
    if isinstance(node, dict):
        for key, value in node.items():
            yield from places(value, (*way, key))
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from places(value, (*way, position))


def at(node: Any, way: tuple[Any, ...]) -> Any:
    """Return what stands in a place of a body."""
    for step in way:
        node = node[step]
    return node


def put(node: Any, way: tuple[Any, ...], value: Any) -> Any:
    """Return a body with another value in a place."""
    copy = json.loads(json.dumps(node))
    target = copy
    for step in way[:-1]:
        target = target[step]
    target[way[-1]] = value
    return copy


def hostile(way: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """Return what nobody may put in the place of a value that is taken."""
    if isinstance(value, bool):
        return NO_FLAG
    if isinstance(value, int):
        return NO_WHOLE
    if value is None:
        return ()
    if isinstance(value, dict | list):
        return ("x", 7, None)
    if re.fullmatch(r"\{\w+\}", value):
        return ("a\x00b", "a\ud800b", "x", "inv_" + "0" * 26, {}, None)
    if way[-1] == "key":
        return NO_KEY
    if way[-1] in FIGURES:
        return NO_FIGURE
    if re.match(r"\d{4}-", value):
        of = NO_DAY[1:] if way[-1] == "ends_on" else NO_DAY
        return tuple(day for day in of if day is not None) if way[-1] in TAKEN_AWAY else of
    return NO_TEXT if way[-1] in FREE else (*NO_TEXT, HOSTILE)


CASES = [pytest.param(*key, id=f"{key[0]} {key[1]}") for key in WRITES]


def test_every_write_with_a_body_is_here() -> None:
    written = {
        (method.upper(), path.removeprefix(API))
        for path, methods in contract.document()["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation and (operation["tags"][0] in TAGS or path.endswith("/pro-forma"))
    }

    def nameless(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        return {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in pairs}

    assert nameless(WRITES) == nameless(written)


@pytest.mark.parametrize(("method", "path"), CASES)
def test_what_nobody_may_write_is_refused_by_field(
    world: World,  # noqa: F811
    known: dict[str, str],
    method: str,
    path: str,
) -> None:
    body, who, url = filled(WRITES[method, path], known), program(world, path), path.format(**known)
    with undone():
        taken = who.send(method, url, body)
        assert taken.status_code < 300 or taken.json()["code"] in OF_STATE, taken.content
    wrong = []
    before = _audited()
    for way in places(body):
        for value in hostile(way, at(WRITES[method, path], way)):
            with undone():
                answer = who.send(method, url, put(body, way, value))
            said = f"{way} {value!r:.30}: {answer.status_code} {answer.content[:120]!r}"
            if answer.status_code not in (400, 404, 409):
                wrong.append(said)
            elif "ud800" not in repr(value):
                problem = answer.json()
                named = (problem["field"] or "").partition(".")[0] == way[0]
                if not texts(problem) or not (named or problem["code"] in OF_STATE):
                    wrong.append(said)
    assert wrong == []
    assert _audited() == before


@pytest.mark.parametrize(("method", "path"), CASES)
def test_unknown_fields_and_broken_bodies_are_refused(
    world: World,  # noqa: F811
    known: dict[str, str],
    method: str,
    path: str,
) -> None:
    body, who, url = filled(WRITES[method, path], known), program(world, path), path.format(**known)
    before = _audited()
    for field in UNKNOWN:
        with undone():
            answer = who.send(method, url, {**body, field: "x"})
        assert (answer.status_code, answer.json()["field"]) == (400, field)
    for broken in BROKEN:
        with undone():
            send = who.client.generic
            answer = send(method, f"{API}{url}", broken.encode("latin-1"), content_type="application/json")
        assert answer.status_code == 400, (broken[:9], answer.content)
    assert _audited() == before


def _audited() -> int:
    return AuditEntry._base_manager.exclude(action__in=["token.create", "access.refused"]).count()
