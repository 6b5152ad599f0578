"""Papers in the scripts of the world's names: each is printed as it is written, and what no font has is said."""

from __future__ import annotations

from typing import Any

import pytest
import typst
from django.utils.translation import override

from billing.models import Customer, Document
from billing.services import invoices, papers, typesetting
from panel.core.scoping import everything
from tests.billing.services import books
from tests.billing.services.pdfs import NOW, SYSTEM, issued, opened, text
from tests.cast import Cast

pytestmark = pytest.mark.django_db

NAMES = {
    "Latin": "Łódź Žluťoučký Ğüneş Đặng Văn Ễ",
    "Greek": "Εταιρεία Φιλοξενίας Θεσσαλονίκη",
    "Cyrillic": "Общество Хостинг Київ Љубљана Ґ",
    "Chinese": "北京網絡有限公司 东莞网络",
    "Japanese": "株式会社ひらがなカタカナー",
    "Korean": "한국 호스팅 주식회사",
    "Hebrew": "חברת אירוח",
    "Arabic": "شركة الاستضافة",
    "signs": "€ ₴ ₹ ₺ № “”",
}
RIGHT_TO_LEFT = ("Hebrew", "Arabic")


@pytest.fixture
def customer(cast: Cast) -> Customer:
    return books.customer(cast)


def named(customer: Customer, name: str) -> Any:
    """An invoice of somebody of this name and address, with a line that says it, too."""
    with everything("test"):
        Customer.objects.update(name=name, address=f"{name} 5")
    return issued(customer, "1", text=name)


@pytest.mark.parametrize("script", NAMES)
def test_a_name_is_printed_as_it_is_written(customer: Customer, script: str) -> None:
    """Nothing is replaced, and the text comes out of the PDF again: name, address and line, each word of them."""
    said = text(named(customer, NAMES[script]))
    for word in NAMES[script].split():
        if script in RIGHT_TO_LEFT:
            # A page's text comes in the order in which it is drawn; how letters were joined is taken apart again.
            assert said.count(word) + said.count(word[::-1]) >= 3, (word, said)
        else:
            assert said.count(word) >= 3, (word, said)
    assert typesetting.UNKNOWN not in said


def test_letters_are_drawn_and_not_the_box_for_what_is_missing(customer: Customer) -> None:
    """Every letter has a shape of its own: PDF/A forbids the box, and a paper that had it could not be made."""
    words = [word for name in NAMES.values() for word in name.split()]
    assert typesetting.missing({"words": words}) == frozenset()
    with opened(named(customer, " ".join(NAMES[script] for script in ("Chinese", "Korean", "Arabic")))) as paper:
        page = paper[0]
        fonts = {found.get_font().get_base_name() for found in page.get_objects() if found.type == 1}
        page.close()
    assert {"MicroHei", "Amiri"} <= {name for name in ("MicroHei", "Amiri") for font in fonts if name in font}


def test_what_no_font_has_is_shown_as_a_sign_and_said(customer: Customer) -> None:
    """A paper comes out whatever somebody is called; letters that it has stay, in invoice and credit note alike."""
    invoice = named(customer, "Zoë 😀 ไทย 𓀀 Łódź")
    note = invoices.credit(actor=SYSTEM, invoice=invoice, reason="Hieroglyphs 𓀀", now=NOW)
    for paper in (invoice, note):
        said = text(paper)
        assert "Zoë □ □□□ □ Łódź" in said
        assert "□ stands for a letter that can't be printed here." in said


def test_without_the_fonts_papers_are_made_all_the_same(monkeypatch: pytest.MonkeyPatch, customer: Customer) -> None:
    """On a machine where nobody installed them, the paper says that something is missing."""
    monkeypatch.setattr(typesetting, "FONTS", ())
    said = text(named(customer, "株式会社 Tokyo"))
    assert "□□□□ Tokyo" in said
    assert "can't be printed" in said
    with everything("test"):
        assert Document.objects.count() == 1


def test_looking_for_letters_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of nothing but strange letters is bounded: what is still in doubt counts as missing."""
    monkeypatch.setattr(typesetting, "MOST_TRIES", 20)
    strange = [chr(number) for number in range(0x13000, 0x13400)]
    assert typesetting.missing({"words": strange}) == frozenset(strange)


def test_a_mark_stays_with_its_letter() -> None:
    """A letter and the marks on it are one: they are shown or replaced together."""
    paper = {"words": ["e\u0301 ไ\u0301 ก\u0e31 👩\u200d"], "more": ("x", 1, None)}
    letters = typesetting.missing(paper)
    assert letters == {"ไ\u0301", "ก\u0e31", "👩\u200d"}
    assert typesetting.without(paper, letters) == {"words": ["e\u0301 □ □ □"], "more": ["x", 1, None]}


def test_what_is_wrong_with_the_source_is_told(monkeypatch: pytest.MonkeyPatch, customer: Customer) -> None:
    """A paper that can't be set for another reason is an error, not a paper of signs."""
    invoice = named(customer, "株式会社")
    template = type("Source", (), {"read_bytes": lambda self: b"#panic()"})
    monkeypatch.setattr(papers, "SOURCE", template())
    with override("en"), pytest.raises(typst.TypstError):
        papers.pdf(invoice)
