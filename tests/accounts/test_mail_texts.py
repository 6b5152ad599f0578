"""A brand's words in mail: what may stand in them, what a preview shows, to whom a test goes; values stay values."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.mail import Letter, send, send_all
from accounts.models import Brand, MailTemplate, OutgoingMail
from accounts.selectors import brand_mail as selectors
from accounts.services import mail_templates, outgoing_mails
from accounts.voice import mustache
from accounts.voice.catalogue import COMMON, KINDS, Kind
from panel.core.errors import Invalid, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from tests.cast import Cast


@pytest.fixture
def brand(cast: Cast) -> Brand:
    with everything("test"):
        return cast.reseller_a.organization.brand


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_our_own_texts_are_valid_and_useful(kind: Kind) -> None:
    printed = mustache.check(str(kind.subject), kind.words) | mustache.check(str(kind.text), kind.words)
    assert kind.required <= printed
    assert set(COMMON) <= set(kind.words)
    assert "\n" not in str(kind.subject)


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("{{name}}", {"name": "<b>{{brand}}</b>"}, "<b>{{brand}}</b>"),
        ("{{ name }}!", {"name": "Anna"}, "Anna!"),
        ("{{#name}}Dear {{name}}{{/name}}{{^name}}Hello{{/name}}", {"name": ""}, "Hello"),
        ("{{#name}}Dear {{name}}{{/name}}{{^name}}Hello{{/name}}", {"name": "Anna"}, "Dear Anna"),
        ("a\n{{#name}}\nb\n{{/name}}\nc\n", {"name": ""}, "a\nc\n"),
        ("a\n{{#name}}\nb\n{{/name}}\nc\n", {"name": "x"}, "a\nb\nc\n"),
        ("{ name } }", {"name": "x"}, "{ name } }"),
    ],
)
def test_words_and_sections(template: str, values: dict[str, str], text: str) -> None:
    assert mustache.fill(template, values) == text


HOSTILE = [
    "{{ ''.__class__ }}",
    "{{{name}}}",
    "{{&name}}",
    "{{>secrets}}",
    "{{!comment}}",
    "{{=<% %>=}}",
    "{{name.__class__}}",
    "{{#name}}",
    "{{/name}}",
    "{{#name}}{{#brand}}{{/name}}{{/brand}}",
    "{{#name}}" * 5 + "{{/name}}" * 5,
    "{{password}}",
    "{% for x in range(10**9) %}{{x}}{% endfor %}",
    "{{name}",
    "name}}",
]


@pytest.mark.parametrize("template", HOSTILE)
def test_nothing_else_is_a_template(cast: Cast, brand: Brand, template: str) -> None:
    with everything("test"):
        for field, words in (
            ("subject", {"subject": template, "text": "x"}),
            ("text", {"subject": "x", "text": template}),
        ):
            with pytest.raises(Invalid) as refused:
                mail_templates.set(actor=cast.reseller_a.actor, brand=brand, kind="welcome", **words)
            assert refused.value.field == field
    assert not MailTemplate._base_manager.exists()


@given(st.text(max_size=200), st.text(max_size=50))
def test_a_value_never_changes_the_shape(template: str, value: str) -> None:
    """Whatever is accepted is filled in one pass: a value comes out as it went in."""
    words = {"name": value}
    try:
        mustache.check(template, words)
    except mustache.TemplateInvalid:
        return
    assert mustache.fill(f"[{template}]{{{{name}}}}", words).endswith(f"]{value}")


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS.values() if "link" in kind.required])
def test_a_mail_that_is_for_a_link_has_it(cast: Cast, brand: Brand, kind: str) -> None:
    with everything("test"), pytest.raises(Invalid) as refused:
        mail_templates.set(actor=cast.reseller_a.actor, brand=brand, kind=kind, subject="Hi", text="Hello {{name}}")
    assert (refused.value.code, refused.value.field) == ("missing_placeholder", "text")


def test_a_brands_own_text_is_sent_and_reset(cast: Cast, brand: Brand) -> None:
    owner = cast.reseller_a.actor
    with tenant(owner.path):
        mail_templates.set(
            actor=owner, brand=brand, kind="test", subject="Hi {{name}}", text="From {{brand}}\n\n{{panel}}"
        )
        assert AuditEntry.objects.filter(action="mail_template.set").exists()
        mine = mail_templates.preview(actor=owner, brand=brand, kind="test")
        assert (mine.subject, mine.text) == ("Hi Anna Berg", "From Atelier A\n\nhttps://panel.reseller-a.example\n")
        mail_templates.reset(actor=owner, brand=brand, kind="test")
        text = selectors.text(brand, "test")
        assert text is not None
        assert not text.own
        with pytest.raises(NotFound):
            mail_templates.reset(actor=owner, brand=brand, kind="no_such")


def test_html_escapes_what_people_typed_and_makes_links_of_addresses(cast: Cast, brand: Brand) -> None:
    owner = cast.reseller_a.actor
    with everything("test"):
        shown = mail_templates.preview(
            actor=owner,
            brand=brand,
            kind="test",
            subject="<script>alert(1)</script>",
            text='<img src=x onerror=alert(1)>\n\nhttps://a.example/x?y="><script>\n\nhttps://a.example/ok\n',
        )
    assert "<script" not in shown.html
    assert "<img" not in shown.html
    assert '<a class="button" href="https://a.example/ok">' in shown.html
    assert "onerror=alert(1)&gt;" in shown.html


def test_a_line_break_in_a_value_is_no_header(cast: Cast, brand: Brand) -> None:
    with everything("test"):
        sent = send(
            brand=brand,
            to="anna@people.example",
            template="limit_warning",
            context={"domain": "x.example\r\nBcc: all@people.example", "resource": "disk"},
        )
        assert sent is not None
        outgoing_mails.deliver(sent.id)
    (message,) = mail.outbox
    assert message.subject == "x.example Bcc: all@people.example: disk nearly used up"
    assert message.message()["Bcc"] is None


def test_a_test_goes_to_whoever_asks(cast: Cast, brand: Brand) -> None:
    with everything("test"):
        mail_templates.send_test(actor=cast.reseller_a.actor, brand=brand, kind="suspension")
    assert OutgoingMail._base_manager.get().recipient == cast.reseller_a.user.email


def test_the_preview_is_a_page_without_script_in_a_frame_of_ours(cast: Cast) -> None:
    client = cast.reseller_a.browser()
    url = reverse("accounts:mail_text_preview", args=[cast.reseller_a.organization.pk, "invitation"])
    answer = client.get(url)
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    drafted = client.post(url, {"subject": "Hi", "text": "Come in: {{link}}"})
    assert "Come in" in drafted.content.decode()
    refused = client.post(url, {"subject": "Hi", "text": "{{secret}}"})
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert not MailTemplate._base_manager.exists()


def test_page_and_api_refuse_the_same(cast: Cast) -> None:
    pk = cast.reseller_a.organization.pk
    bad = {"subject": "Hi", "text": "{{nope}}"}
    page = cast.reseller_a.browser().post(reverse("accounts:mail_text", args=[pk, "welcome"]), bad)
    assert page.status_code == 400
    program = cast.reseller_a.program()
    url = f"/api/v1/organizations/{pk}/brand/mail/texts/welcome"
    answer = program.put(url, bad, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_placeholder")
    assert "There is no {{nope}} here." in page.content.decode()
    good = {"subject": "Hi", "text": "{{name}}"}
    assert program.put(url, good, content_type="application/json").json()["own"] is True
    assert program.delete(url).status_code == 204


@pytest.fixture
def two_languages(settings: Any) -> None:
    """A panel that speaks two languages."""
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]


def written(brand: Brand, locale: str) -> tuple[str, str]:
    """Subjects of a mail that is sent to readers of a language: by itself, and with others."""
    context = {"link": "https://panel.example.org/x"}
    with everything("test"):
        send(brand=brand, to="anna@people.example", template="password_reset", context=context, locale=locale)
        once = f"{locale}-{len(mail.outbox)}"
        send_all([Letter(brand, "bo@people.example", "password_reset", context, locale, once=once)])
        for row in OutgoingMail._base_manager.filter(state="waiting"):
            outgoing_mails.deliver(row.id)
    return str(mail.outbox[-2].subject), str(mail.outbox[-1].subject)


@pytest.mark.usefixtures("two_languages")
def test_readers_get_the_text_in_their_language_else_the_brands_else_ours(cast: Cast, brand: Brand) -> None:
    owner, kind = cast.reseller_a.actor, "password_reset"
    words = {"kind": kind, "text": "{{link}}"}
    assert written(brand, "de") == ("Choose a new password",) * 2
    with tenant(owner.path):
        mail_templates.set(actor=owner, brand=brand, subject="New one", **words)
    assert [written(brand, locale) for locale in ("en", "", "de")] == [("New one",) * 2] * 3
    with tenant(owner.path):
        mail_templates.set(actor=owner, brand=brand, subject="Ein neues", language="de", **words)
    assert [written(brand, locale) for locale in ("en", "", "de")] == [("New one",) * 2] * 2 + [("Ein neues",) * 2]
    with tenant(owner.path):
        mail_templates.reset(actor=owner, brand=brand, kind=kind)
    assert [written(brand, locale) for locale in ("en", "de")] == [("Choose a new password",) * 2, ("Ein neues",) * 2]


@pytest.mark.usefixtures("two_languages")
def test_a_text_of_a_language_is_looked_at_and_tried(cast: Cast, brand: Brand) -> None:
    owner = cast.reseller_a.actor
    with tenant(owner.path):
        mail_templates.set(
            actor=owner, brand=brand, kind="release", subject="Wieder da", text="{{name}}", language="de"
        )
        assert mail_templates.preview(actor=owner, brand=brand, kind="release").subject == "example.org is back"
        german = mail_templates.preview(actor=owner, brand=brand, kind="release", language="de")
        assert (german.subject, '<html lang="de"' in german.html) == ("Wieder da", True)
        sent = mail_templates.send_test(actor=owner, brand=brand, kind="release", language="de")
        outgoing_mails.deliver(sent.id)
        assert mail.outbox[-1].subject == "Wieder da"
        for refused in ("fr", "de-AT", "../x"):
            with pytest.raises(Invalid) as wrong:
                mail_templates.set(
                    actor=owner, brand=brand, kind="release", subject="x", text="{{name}}", language=refused
                )
            assert (wrong.value.code, wrong.value.field) == ("unknown_language", "language")


@pytest.mark.usefixtures("two_languages")
def test_page_and_api_know_languages(cast: Cast) -> None:
    pk = cast.reseller_a.organization.pk
    page = reverse("accounts:mail_text", args=[pk, "release"])
    browser, program = cast.reseller_a.browser(), cast.reseller_a.program()
    assert "?language=de" in browser.get(page).content.decode()
    saved = browser.post(f"{page}?language=en", {"subject": "Back", "text": "{{name}}"})
    assert saved.headers["Location"] == f"{page}?language=en"
    german = browser.get(f"{page}?language=de").content.decode()
    assert "its readers get yours in English" in german
    assert reverse("accounts:mail_text_reset", args=[pk, "release"]) not in german
    assert browser.get(f"{page}?language=fr").status_code == 404
    url = f"/api/v1/organizations/{pk}/brand/mail/texts/release"
    told = program.get(f"{url}?language=de").json()
    assert (told["language"], told["own"], told["stands_in"], told["subject"]) == ("de", False, "en", "Back")
    put = program.put(f"{url}?language=de", {"subject": "Da", "text": "{{name}}"}, content_type="application/json")
    assert (put.json()["own"], put.json()["stands_in"]) == (True, "")
    assert program.get(url).json()["subject"] == "Back"
    preview = program.post(f"{url}/preview?language=de", {}, content_type="application/json").json()
    assert preview["subject"] == "Da"
    listed = program.get(f"/api/v1/organizations/{pk}/brand/mail/texts?language=de").json()
    assert {text["subject"] for text in listed if text["own"]} == {"Da"}
    wrong = program.get(f"{url}?language=xx")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "unknown_language")
    assert browser.post(f"{page}reset/?language=de").status_code == 302
    assert program.get(f"{url}?language=de").json()["stands_in"] == "en"
