"""Bank statements: read in once, matched by reference, by amount and name, or by hand."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing import camt
from billing.models import BankEntry, Payment
from billing.services import payments, settlements, statements
from panel.core.errors import Conflict, Invalid
from panel.core.scoping import everything
from tests.billing.till import Till

SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."
VERSIONS = ("02", "03", "04", "05", "06", "07", "08")


@pytest.fixture(autouse=True)
def _scope() -> Iterator[None]:
    with everything("test"):
        yield


def entry(
    amount: str = "100.00",
    text: str = "",
    *,
    name: str = "Client of A",
    reference: str = "",
    bank: str = "B1",
    currency: str = "USD",
    side: str = "CRDT",
    status: str = "BOOK",
    reversed_: str = "false",
    version: str = "02",
) -> str:
    party = f"<Pty><Nm>{name}</Nm></Pty>" if version == "08" else f"<Nm>{name}</Nm>"
    state = f"<Cd>{status}</Cd>" if version >= "04" else status
    structured = f"<Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd>" if reference else ""
    named = f"<AcctSvcrRef>{bank}</AcctSvcrRef>" if bank else ""
    return f"""<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><RvslInd>{reversed_}</RvslInd>
    <Sts>{state}</Sts><BookgDt><Dt>2026-01-20</Dt></BookgDt>{named}<NtryDtls><TxDtls>
    <RltdPties><Dbtr>{party}</Dbtr></RltdPties><RmtInf><Ustrd>{text}</Ustrd>{structured}</RmtInf>
    </TxDtls></NtryDtls></Ntry>"""


def statement(*entries: str, version: str = "02", iban: str = "DE89370400440532013000") -> bytes:
    return f"""<?xml version="1.0"?><Document xmlns="{SPACE}{version}"><BkToCstmrStmt><Stmt><Id>1</Id>
    <Acct><Id><IBAN>{iban}</IBAN></Id></Acct>{"".join(entries)}</Stmt></BkToCstmrStmt></Document>""".encode()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_read(version: str) -> None:
    (found,) = camt.read(statement(entry(text="Thank you", version=version), version=version))
    assert found == camt.Booking(
        "DE89370400440532013000", "B1", date(2026, 1, 20), Decimal(100), "USD", "Client of A", "Thank you"
    )


@pytest.mark.parametrize(
    "change", [{"side": "DBIT"}, {"status": "PDNG"}, {"reversed_": "true"}, {"amount": "0"}, {"amount": "NaN"}]
)
def test_what_did_not_come_in_is_left_out(change: dict[str, str]) -> None:
    assert camt.read(statement(entry(**change))) == []


def test_a_booking_of_several_payments_is_several() -> None:
    parts = "".join(
        f"<TxDtls><AmtDtls><TxAmt><Amt Ccy='USD'>{amount}</Amt></TxAmt></AmtDtls>"
        f"<RmtInf><Ustrd>{amount}</Ustrd></RmtInf></TxDtls>"
        for amount in ("10.00", "15.00")
    )
    whole = entry("25.00")
    text = whole[: whole.index("<NtryDtls>")] + f"<NtryDtls>{parts}</NtryDtls></Ntry>"
    found = camt.read(statement(text))
    assert [(row.amount, row.reference, row.remittance) for row in found] == [
        (Decimal(10), "B1/0", "10.00"),
        (Decimal(15), "B1/1", "15.00"),
    ]


def test_what_has_no_reference_of_the_bank_gets_the_same_one_each_time() -> None:
    twice = statement(entry(bank=""), entry(bank=""))
    first = [row.reference for row in camt.read(twice)]
    assert len(set(first)) == 2
    assert first == [row.reference for row in camt.read(twice)]


@pytest.mark.parametrize("placeholder", ["NONREF", "NOTPROVIDED", "Not provided"])
def test_what_banks_write_for_no_reference_is_none(placeholder: str) -> None:
    rows = camt.read(statement(entry("1.00", bank=placeholder), entry("2.00", bank=placeholder)))
    assert len({row.reference for row in rows}) == 2
    assert placeholder not in {row.reference for row in rows}


def parts(*parts: tuple[str, str, str], whole: str = "25.00") -> str:
    """An entry of several payments: amount, reference of the bank and text of each."""
    text = "".join(
        f"<TxDtls><Refs><AcctSvcrRef>{bank}</AcctSvcrRef></Refs><Amt Ccy='USD'>{amount}</Amt>"
        f"<RltdPties><Dbtr><Nm>{said}</Nm></Dbtr></RltdPties><RmtInf><Ustrd>{said}</Ustrd></RmtInf></TxDtls>"
        for amount, bank, said in parts
    )
    one = entry(whole)
    return one[: one.index("<NtryDtls>")] + f"<NtryDtls>{text}</NtryDtls></Ntry>"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("P1", "P2", ["P1", "P2"]),
        ("B1", "B1", ["B1/0", "B1/1"]),
        ("NONREF", "NONREF", ["B1/0", "B1/1"]),
        ("P1", "NOTPROVIDED", ["B1/0", "B1/1"]),
    ],
)
def test_parts_of_a_booking_have_references_of_their_own(first: str, second: str, expected: list[str]) -> None:
    found = camt.read(statement(parts(("10.00", first, "a"), ("15.00", second, "b"))))
    assert [row.reference for row in found] == expected


def test_parts_that_do_not_sum_to_the_whole_say_nothing_of_it() -> None:
    (found,) = camt.read(statement(parts(("10.00", "P1", "a"), ("14.00", "P2", "b"))))
    assert (found.amount, found.reference, found.debtor, found.remittance) == (Decimal(25), "B1", "", "")


BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a>&b;</a>"""
EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"""


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "xml"),
        (b"\xff\xfe\x00", "xml"),
        (b"<a", "xml"),
        (BOMB, "xml"),
        (EXTERNAL, "xml"),
        (b"<?xml version='1.0' encoding='no-such'?><a/>", "xml"),
        (b"<a/>", "kind"),
        (statement(version="09"), "kind"),
        (statement(version="01"), "kind"),
        (statement(entry()).replace(b"2026-01-20", b"yesterday"), "date"),
        (b" " * (camt.LARGEST_BYTES + 1), "size"),
    ],
    ids=str,
)
def test_hostile_files_are_refused(data: bytes, why: str) -> None:
    with pytest.raises(camt.Unreadable, match=why):
        camt.read(data)


@pytest.mark.django_db
def test_a_transfer_with_the_reference_finds_its_invoice_once(till: Till) -> None:
    invoice = till.invoice("100")
    spaced = " ".join(invoice.reference[i : i + 4] for i in range(0, len(invoice.reference), 4))
    data = statement(entry(text=f"Invoice {spaced} thanks"))
    actor = till.seller.actor
    assert statements.read_in(actor=actor, statement=data) == statements.Report(1, 0, 0)
    assert statements.read_in(actor=actor, statement=data) == statements.Report(0, 1, 0)
    assert statements.match_sure(actor=actor).booked == 1
    assert statements.match_sure(actor=actor).booked == 0
    assert till.open(invoice) == 0
    assert till.books() == {"cash": 100, "revenue": -100}
    assert BankEntry.objects.get().payment == Payment.objects.get()


@pytest.mark.django_db
def test_structured_references_and_numbers_are_found_too(till: Till) -> None:
    first, second = till.invoice("10"), till.invoice("20")
    rows = [entry("10.00", reference=first.reference, bank="1"), entry("20.00", f"for {second.label},", bank="2")]
    statements.read_in(actor=till.seller.actor, statement=statement(*rows))
    assert statements.match_sure(actor=till.seller.actor).booked == 2
    assert till.open(first) == till.open(second) == 0


@pytest.mark.django_db
def test_a_wrong_check_digit_is_no_reference(till: Till) -> None:
    invoice = till.invoice("100")
    digits = f"{(int(invoice.reference[2:4]) + 1) % 100:02d}"
    wrong = f"RF{digits}{invoice.reference[4:]}"
    statements.read_in(actor=till.seller.actor, statement=statement(entry("1.00", wrong)))
    assert statements.match_sure(actor=till.seller.actor).booked == 0


@pytest.mark.django_db
def test_amount_and_name_suggest_and_a_person_decides(till: Till) -> None:
    invoice = till.invoice("100")
    statements.read_in(actor=till.seller.actor, statement=statement(entry(name="CLIENT OF A LTD")))
    booked = BankEntry.objects.get()
    (option,) = statements.suggestions(booked)
    assert (option.invoice, option.sure) == (invoice, False)
    assert statements.match_sure(actor=till.seller.actor).booked == 0
    payment = statements.match(actor=till.seller.actor, entry=booked, customer=till.customer, invoice=invoice)
    again = statements.match(actor=till.seller.actor, entry=booked, customer=till.customer, invoice=invoice)
    assert payment == again
    assert till.open(invoice) == 0
    with pytest.raises(Conflict):
        statements.ignore(actor=till.seller.actor, entry=booked)


@pytest.mark.django_db
def test_more_than_is_open_becomes_credit(till: Till) -> None:
    invoice = till.invoice("100")
    statements.read_in(actor=till.seller.actor, statement=statement(entry("130.00", reference=invoice.reference)))
    statements.match_sure(actor=till.seller.actor)
    assert settlements.credit_of(till.customer) == 30


@pytest.mark.django_db
def test_what_is_left_out_can_be_taken_back_in(till: Till) -> None:
    statements.read_in(actor=till.seller.actor, statement=statement(entry()))
    booked = statements.ignore(actor=till.seller.actor, entry=BankEntry.objects.get())
    with pytest.raises(Conflict):
        statements.match(actor=till.seller.actor, entry=booked, customer=till.customer)
    assert statements.ignore(actor=till.seller.actor, entry=booked).status == BankEntry.Status.OPEN


@pytest.mark.django_db
def test_the_statement_of_another_account_is_refused(till: Till) -> None:
    from billing.models import Seller

    Seller.objects.filter(organization=till.seller.organization).update(iban="FR14 2004 1010 0505 0001 3M02 606")
    with pytest.raises(Invalid, match="account"):
        statements.read_in(actor=till.seller.actor, statement=statement(entry()))


@pytest.mark.django_db
def test_money_that_can_not_be_is_left_out(till: Till) -> None:
    rows = [entry("1.005", bank="1"), entry(currency="XAU", bank="2"), entry("1.00", bank="3")]
    assert statements.read_in(actor=till.seller.actor, statement=statement(*rows)) == statements.Report(1, 0, 2)


@pytest.mark.django_db
def test_another_sellers_reference_finds_nothing(till: Till) -> None:
    invoice = till.invoice("100")
    statements.read_in(
        actor=till.cast.reseller_b.actor, statement=statement(entry("1.00", reference=invoice.reference))
    )
    assert statements.match_sure(actor=till.cast.reseller_b.actor).booked == 0


@pytest.mark.django_db
def test_one_that_can_not_be_booked_holds_up_no_other(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = till.invoice("10"), till.invoice("20")
    rows = [entry("10.00", bad.label, bank="1"), entry("20.00", good.label, bank="2")]
    statements.read_in(actor=till.seller.actor, statement=statement(*rows))
    record = payments.record

    def fails(**asked: Any) -> Payment:
        if asked["invoice"] == bad:
            raise Conflict("No.")
        return record(**asked)

    monkeypatch.setattr(payments, "record", fails)
    assert statements.match_sure(actor=till.seller.actor) == statements.Booked(1, 1)
    assert [till.open(bad), till.open(good)] == [10, 0]
    assert BankEntry.objects.get(reference="1").status == BankEntry.Status.OPEN


@pytest.mark.django_db
def test_as_many_are_booked_as_are_asked_for_in_few_queries(
    till: Till, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(statements, "TOGETHER", 3)
    invoices = [till.invoice(f"{number + 1}") for number in range(5)]
    strays = [entry("1.00", "Thank you", bank=f"stray {number}") for number in range(4)]
    rows = [entry(f"{number + 1}.00", of.label, bank=f"{number}") for number, of in enumerate(invoices)]
    statements.read_in(actor=till.seller.actor, statement=statement(*strays, *rows))
    with django_assert_max_num_queries(4):
        assert [option.invoice for _entry, option in statements.sure(actor=till.seller.actor)] == invoices
    assert statements.match_sure(actor=till.seller.actor, most=4) == statements.Booked(4, 0)
    assert [till.open(invoice) for invoice in invoices] == [0, 0, 0, 0, 5]
