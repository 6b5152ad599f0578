"""Pages of a brand's mail: its sender, its texts, and what is on its way."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.models import Brand
from accounts.selectors import brand_mail as selectors
from accounts.selectors import brands as brand_selectors
from accounts.services import mail_senders, mail_templates, outgoing_mails
from accounts.voice import identity
from accounts.web import mail_forms
from accounts.web.brands import OfBrand
from panel.core.errors import DomainError, Invalid
from panel.core.lists import ListsPage
from panel.core.web import Action, ActionPage, FormPage

SHOWN = 25
PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
"""A mail's own style and nothing else: no script, no picture, no form."""


class OfMail(OfBrand):
    """A page about the mail of a brand that there is."""

    brand: Brand

    def find(self) -> Any:
        found = super().find()
        brand = brand_selectors.own(found)
        if brand is None:
            raise Http404
        self.brand = brand
        return found

    def to(self, route: str, *args: str) -> str:
        """Return the address of another page of this brand's mail."""
        return reverse(f"accounts:{route}", args=[self.object.pk, *args])

    def breadcrumbs(self) -> list[tuple[str, str]]:
        way = [*super().breadcrumbs()]
        return way if isinstance(self, MailPage) else [*way, (_("Mail"), self.to("mail"))]


class MailPage(OfMail, ListsPage):
    """The brand's mail at a glance."""

    title = gettext_lazy("Mail")
    template_name = "accounts/brand_mail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add sender, records, texts and outbox, with the ways to change them."""
        sender = selectors.sender(self.brand)
        texts = selectors.texts(self.brand)
        return super().get_context_data(
            brand=self.brand,
            outgoing_export=self._outgoing(),
            texts_export=self.sheet(
                "texts",
                (_("Mail"), _("Subject"), _("Your own")),
                ((text.kind.title, text.subject, text.own) for text in texts),
            ),
            sender=sender,
            sender_line=selectors.sender_line(self.brand),
            waits_for_key=bool(sender.from_address) and not identity.is_proved(sender),
            key_record=selectors.key_record(sender) if sender.dkim_public else None,
            spf=selectors.spf(sender),
            texts=[(text, self.to("mail_text", text.kind.name)) for text in texts],
            outgoing=[
                (mail, selectors.title(mail.kind), self._retry(mail)) for mail in selectors.outgoing(self.brand)[:SHOWN]
            ],
            urls={name: self.to(f"mail_{name}") for name in ("sender", "smtp", "key", "check", "try")},
            private_url=self.to("mail_private") if self.may("brand.allow_private") and sender.smtp_host else "",
            **kwargs,
        )

    def _outgoing(self) -> str:
        header = (_("To"), _("Kind"), _("State"), _("Reason"), _("When"))
        lines = (
            (mail.recipient, selectors.title(mail.kind), mail.get_state_display(), mail.detail, mail.created_at)
            for mail in selectors.outgoing(self.brand)
        )
        return self.sheet("mails", header, lines)

    def _retry(self, mail: Any) -> str:
        failed = mail.state == mail.State.FAILED and mail.sealed
        return self.to("mail_retry", mail.pk) if failed else ""


class SenderPage(OfMail, FormPage):
    """Sets from whom mail comes."""

    title = gettext_lazy("Sender")
    form_class = mail_forms.SenderForm

    def initial(self) -> dict[str, Any]:
        sender = selectors.sender(self.brand)
        return {field: getattr(sender, field) for field in mail_senders.FIELDS}

    def act(self, data: dict[str, Any]) -> str:
        mail_senders.change(actor=self.actor, brand=self.brand, **data)
        messages.success(self.request, _("Saved."))
        return self.to("mail")


class SmtpPage(OfMail, FormPage):
    """Gives the brand a mail account of its own, or takes it away."""

    title = gettext_lazy("Own mail server")
    form_class = mail_forms.SmtpForm
    intro = gettext_lazy("It is tried at once: we connect, encrypted, and sign in. Mail leaves by it once that works.")

    def initial(self) -> dict[str, Any]:
        sender = selectors.sender(self.brand)
        return {field: getattr(sender, field) for field in mail_senders.SMTP_FIELDS}

    def act(self, data: dict[str, Any]) -> str:
        password = data.pop("password") or None
        mail_senders.set_smtp(actor=self.actor, brand=self.brand, password=password, **data)
        messages.success(self.request, _("Saved."))
        return self.to("mail")


class _Ask(OfMail, ActionPage):
    """Something about the sender that one button does."""

    def act(self) -> str:
        self.do()
        return self.to("mail")

    def do(self) -> None:
        """Call the service."""
        raise NotImplementedError


class KeyPage(_Ask):
    """Makes a key to sign mail with."""

    title = gettext_lazy("Signing key")
    question = gettext_lazy(
        "Make a new key? Mail is signed with it once its record is in the DNS; until then it leaves unsigned."
    )
    submit_label = gettext_lazy("Make the key")

    def do(self) -> None:
        mail_senders.make_key(actor=self.actor, brand=self.brand)


class CheckPage(_Ask):
    """Looks for the key in the DNS."""

    title = gettext_lazy("Check the DNS record")
    question = gettext_lazy("Look whether the record of the key is in the DNS?")
    submit_label = gettext_lazy("Check now")

    def do(self) -> None:
        mail_senders.check(actor=self.actor, brand=self.brand)
        messages.success(self.request, _("We are looking. Reload this page in a moment."))


class TryPage(_Ask):
    """Tries the own mail server again."""

    title = gettext_lazy("Try the mail server")
    question = gettext_lazy("Connect to the mail server and sign in once more?")
    submit_label = gettext_lazy("Try it")

    def do(self) -> None:
        mail_senders.try_again(actor=self.actor, brand=self.brand)
        messages.success(self.request, _("We are trying it. Reload this page in a moment."))


class PrivatePage(_Ask):
    """Lets the own mail server be one that is not on the Internet, or no longer."""

    action = "brand.allow_private"
    title = gettext_lazy("Private mail server")
    submit_label = gettext_lazy("Change it")
    danger = True

    def get_question(self) -> str:
        if selectors.sender(self.brand).private_allowed:
            return _("Let this brand's mail leave only by servers on the public Internet again?")
        return _("Let this brand's mail leave by a server of a private network? The panel will connect to it.")

    def do(self) -> None:
        allowed = not selectors.sender(self.brand).private_allowed
        mail_senders.allow_private(actor=self.actor, brand=self.brand, allowed=allowed)


class RetryPage(_Ask):
    """Sends once more what was given up."""

    title = gettext_lazy("Send again")
    question = gettext_lazy("Send this mail again?")
    submit_label = gettext_lazy("Send again")

    def do(self) -> None:
        mail = selectors.outgoing(self.brand).filter(pk=self.kwargs["mail"]).first()
        if mail is None:
            raise Http404
        outgoing_mails.retry(actor=self.actor, mail=mail)


class _OfText(OfMail):
    """A page about the text of one kind of mail in a language (`?language=`), by default the brand's."""

    text: selectors.Text

    def find(self) -> Any:
        found = super().find()
        try:
            language = mail_templates.chosen_language(self.brand, self.request.GET.get("language", ""))
        except Invalid as error:
            raise Http404 from error
        text = selectors.text(self.brand, self.kwargs["kind"], language)
        if text is None:
            raise Http404
        self.text = text
        return found

    def to_text(self, route: str = "mail_text", language: str = "") -> str:
        """Return the address of a page about this text, in its language or another one."""
        address = self.to(route, self.text.kind.name)
        return f"{address}?{urlencode({'language': language or self.text.language})}"

    def get_title(self) -> str:
        return str(self.text.kind.title)


class TextPage(_OfText, FormPage):
    """Changes a text, beside what it looks like."""

    form_class = mail_forms.TextForm
    template_name = "accounts/mail_text.html"

    def actions(self) -> list[Action]:
        found = [Action(_("Send to myself"), self.to_text("mail_text_test"), "mail")]
        if self.text.own:
            found.append(Action(_("Give up your text"), self.to_text("mail_text_reset"), "rotate-clockwise"))
        return found

    def initial(self) -> dict[str, Any]:
        return {"subject": self.text.subject, "text": self.text.text}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add languages, placeholders and the preview."""
        kind, code = self.text.kind, self.text.language
        names = dict(selectors.languages())
        return super().get_context_data(
            languages=[(name, self.to_text(language=key), key == code) for key, name in names.items()],
            stands_in=names.get(self.text.stands_in, self.text.stands_in),
            words=[(f"{{{{{name}}}}}", word.meaning, name in kind.required) for name, word in kind.words.items()],
            preview=mail_templates.preview(actor=self.actor, brand=self.brand, kind=kind.name, language=code),
            preview_url=self.to_text("mail_text_preview"),
            **kwargs,
        )

    def act(self, data: dict[str, Any]) -> str:
        text = self.text
        mail_templates.set(actor=self.actor, brand=self.brand, kind=text.kind.name, language=text.language, **data)
        messages.success(self.request, _("Saved."))
        return self.to_text()


@method_decorator(xframe_options_sameorigin, name="dispatch")
class TextPreviewPage(_OfText):
    """The HTML of a mail with sample values, for a frame: as it stands, or with what was sent, which is not stored."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show it as it stands."""
        return self._shown()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show it with the words that were sent, or why they can't stand."""
        form = mail_forms.TextForm(request.POST)
        if not form.is_valid():
            return self._framed(HttpResponse(_("Give a subject and a text."), content_type="text/plain", status=400))
        try:
            return self._shown(**form.cleaned_data)
        except DomainError as error:
            return self._framed(
                HttpResponse(error.message, content_type="text/plain; charset=utf-8", status=error.status)
            )

    def _shown(self, **words: str) -> HttpResponseBase:
        text = self.text
        shown = mail_templates.preview(
            actor=self.actor, brand=self.brand, kind=text.kind.name, language=text.language, **words
        )
        return self._framed(HttpResponse(shown.html))

    @staticmethod
    def _framed(response: HttpResponse) -> HttpResponse:
        response.headers["Content-Security-Policy"] = PREVIEW_POLICY
        return response


class TextResetPage(_OfText, _Ask):
    """Gives up the brand's own text."""

    question = gettext_lazy("Give up your own text? It is lost, and the one that stood before stands again.")
    submit_label = gettext_lazy("Give up your text")
    danger = True

    def do(self) -> None:
        text = self.text
        mail_templates.reset(actor=self.actor, brand=self.brand, kind=text.kind.name, language=text.language)


class TextTestPage(_OfText, _Ask):
    """Sends a text with sample values to whoever asks."""

    question = gettext_lazy("Send this mail with sample values to your own address?")
    submit_label = gettext_lazy("Send to myself")

    def act(self) -> str:
        text = self.text
        mail = mail_templates.send_test(actor=self.actor, brand=self.brand, kind=text.kind.name, language=text.language)
        messages.success(self.request, _("It is on its way to %(address)s.") % {"address": mail.recipient})
        return self.to_text()
