"""Bank statements of the kind CAMT.053 (ISO 20022, versions 001.02 to 001.08): the money that came in. Pure.

Who it is from and what it is for is decided elsewhere. XML with a document type, entities or too much of anything is
refused.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

KNOWN = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.0[2-8]")
LARGEST_BYTES = 10_000_000
MOST_BOOKINGS = 10_000
LONGEST_NAME, LONGEST_TEXT, LONGEST_REFERENCE = 140, 500, 100
LARGEST_AMOUNT = Decimal(10) ** 12
NO_REFERENCES = {"NONREF", "NOTPROVIDED", "NOTAVAILABLE", "NONE"}
"""What banks write where they have no reference."""


class Unreadable(Exception):
    """A file that is no such statement; the text says which rule it breaks."""


@dataclass(frozen=True)
class Booking:
    """One amount that came in: `reference` is the bank's name for it, the same in every statement that has it."""

    account: str
    reference: str
    booked_on: date
    amount: Decimal
    currency: str
    debtor: str
    remittance: str


def read(data: bytes) -> list[Booking]:
    """Return what came in, in the order of the file; what went out, was reversed or is only announced is left out.

    Of a booking that stands for several payments, each is one, when their amounts sum to it; when they don't, whose it
    is and what for is left open. Raises Unreadable.
    """
    if len(data) > LARGEST_BYTES:
        raise Unreadable("size")
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Unreadable("xml") from error
    space, _brace, name = root.tag.removeprefix("{").partition("}")
    if name != "Document" or not KNOWN.fullmatch(space):
        raise Unreadable("kind")
    for node in root.iter():
        node.tag = str(node.tag).rpartition("}")[2]
    seen: Counter[str] = Counter()
    found: list[Booking] = []
    for statement in root.iterfind("BkToCstmrStmt/Stmt"):
        account = _text(statement, "Acct/Id/IBAN") or _text(statement, "Acct/Id/Othr/Id")
        for entry in statement.iterfind("Ntry"):
            found += _bookings(account.replace(" ", "")[:34], entry, seen)
            if len(found) > MOST_BOOKINGS:
                raise Unreadable("count")
    return found


def _bookings(account: str, entry: Element, seen: Counter[str]) -> Iterator[Booking]:
    """Yield what an entry brought."""
    booked = (_text(entry, "Sts/Cd") or _text(entry, "Sts")) in ("", "BOOK")
    if _text(entry, "CdtDbtInd") != "CRDT" or _text(entry, "RvslInd") in ("true", "1") or not booked:
        return
    day = _day(_text(entry, "BookgDt/Dt") or _text(entry, "BookgDt/DtTm") or _text(entry, "ValDt/Dt"))
    whole = _amount(entry.find("Amt"))
    details = entry.findall("NtryDtls/TxDtls")
    parts = [_amount(_amount_of(detail)) for detail in details]
    own = _reference(entry, "AcctSvcrRef")
    if len(details) < 2 or None in parts or sum(part[0] for part in parts if part) != (whole or (0,))[0]:
        details, parts = details if len(details) == 1 else [entry], [whole]
    each = [_reference(detail, "Refs/AcctSvcrRef") for detail in details]
    if len(set(each)) < len(each) or "" in each:
        each = [own if len(each) == 1 else own and f"{own}/{number}" for number in range(len(each))]
    for detail, part, named in zip(details, parts, each, strict=True):
        if part is None or not 0 < part[0] < LARGEST_AMOUNT:
            continue
        debtor = _text(detail, "RltdPties/Dbtr/Nm") or _text(detail, "RltdPties/Dbtr/Pty/Nm")
        words = [_said(node) for node in detail.iterfind("RmtInf/Strd/CdtrRefInf/Ref")]
        words += [_said(node) for node in detail.iterfind("RmtInf/Ustrd")]
        text = " ".join(words) or _text(entry, "AddtlNtryInf")
        reference = named or _made_up(seen, account, day, part, debtor, text)
        yield Booking(account, reference[:LONGEST_REFERENCE], day, *part, debtor[:LONGEST_NAME], text[:LONGEST_TEXT])


def _made_up(seen: Counter[str], account: str, day: date, part: tuple[Decimal, str], debtor: str, text: str) -> str:
    """Return a reference for what the bank gave none: by all that is known of it, counted where that is the same."""
    known = "\n".join((account, day.isoformat(), f"{part[0].normalize():f}", part[1], debtor, text))
    digest = hashlib.sha256(known.encode()).hexdigest()[:40]
    seen[digest] += 1
    return f"{digest}/{seen[digest]}"


def _amount_of(detail: Element) -> Element | None:
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        found = detail.find(path)
        if found is not None:
            return found
    return None


def _amount(node: Element | None) -> tuple[Decimal, str] | None:
    """Return amount and currency; None for what is none."""
    if node is None or node.text is None:
        return None
    try:
        number = Decimal(node.text.strip())
    except InvalidOperation:
        return None
    currency = node.get("Ccy", "")
    plain = number.is_finite() and re.fullmatch(r"[0-9]+(\.[0-9]{1,5})?", node.text.strip()) is not None
    return (number, currency) if plain and re.fullmatch(r"[A-Z]{3}", currency) else None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Unreadable("date") from error


def _reference(node: Element, path: str) -> str:
    """Return the bank's reference; "" for none, and for what only says so."""
    text = _text(node, path)
    return "" if text.upper().replace(" ", "") in NO_REFERENCES else text


def _text(node: Element, path: str) -> str:
    return _said(node.find(path))


def _said(node: Element | None) -> str:
    """Return a node's words on one line, without control characters."""
    text = "" if node is None or node.text is None else node.text
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
