"""Asks the European Union's service for VAT numbers (VIES, its REST interface) whether one is in force."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from billing.tax import numbers
from panel.core import web_client
from panel.core.errors import Invalid

SECONDS = 10.0
MOST_BYTES = 20_000
MOST_KEPT = 400
KEPT = ("countryCode", "vatNumber", "requestDate", "requestIdentifier", "valid", "name", "address")


class NoAnswer(Exception):
    """The service, or the member state behind it, said neither yes nor no."""


@dataclass(frozen=True)
class Answer:
    """What the service said: whether the number is valid, the number of the consultation, and the rest as evidence."""

    is_valid: bool
    request_id: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


def ask(number: str, asker: str = "") -> Answer:
    """Ask about a VAT number with its two letters; raises NoAnswer.

    With the asker's own number the service gives the consultation a number of its own, which proves it later.
    """
    body = {"countryCode": number[:2], "vatNumber": number[2:]}
    if numbers.askable(asker):
        body |= {"requesterMemberStateCode": asker[:2], "requesterNumber": asker[2:]}
    told = _post(body)
    valid = told.get("valid")
    if not isinstance(valid, bool):
        raise NoAnswer(_problem(told))
    evidence = {key: str(told[key])[:MOST_KEPT] if key != "valid" else valid for key in KEPT if key in told}
    return Answer(valid, str(told.get("requestIdentifier") or "")[:60], evidence)


def _post(body: dict[str, str]) -> dict[str, Any]:
    if not settings.VIES_URL:
        raise NoAnswer("off")
    try:
        answer = web_client.post(
            f"{settings.VIES_URL}/check-vat-number",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Accept": "application/json"},
            seconds=SECONDS,
            most_bytes=MOST_BYTES,
            private_allowed=settings.VIES_PRIVATE_ALLOWED,
        )
    except (web_client.Unreachable, Invalid) as error:
        raise NoAnswer("unreachable") from error
    try:
        told = json.loads(answer.body)
    except ValueError as error:
        raise NoAnswer(f"status {answer.status}") from error
    if answer.status != 200 or not isinstance(told, dict):
        raise NoAnswer(_problem(told) if isinstance(told, dict) else f"status {answer.status}")
    return told


def _problem(told: dict[str, Any]) -> str:
    """Return the code of what went wrong, such as MS_UNAVAILABLE."""
    found = told.get("errorWrappers")
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return str(found[0].get("error", ""))[:60]
    return str(told.get("userError", ""))[:60] or "unknown"
