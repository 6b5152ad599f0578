"""Endpoints of a brand's mail: sender, key, own SMTP account, texts, and what is on its way."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import mail_serializers as formats
from accounts.api.serializers import EmptySerializer
from accounts.models import Brand, MailSender
from accounts.selectors import brand_mail as selectors
from accounts.selectors import brands, organizations
from accounts.services import mail_senders, mail_templates, outgoing_mails
from accounts.voice.catalogue import KINDS
from panel.core.api.views import ApiView
from panel.core.errors import NotFound

KIND = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(KINDS))
LANGUAGE = OpenApiParameter(
    "language",
    str,
    OpenApiParameter.QUERY,
    description="A language code such as `en`; by default the brand's language.",
)


class MailView(ApiView):
    """Base: the own brand of the organization in the path."""

    def brand(self, pk: str) -> Brand:
        """Return the brand; raises NotFound when the organization lives under one from above."""
        brand = brands.own(self.find(organizations.listed(), pk))
        if brand is None:
            raise NotFound()
        return brand

    def language(self, brand: Brand) -> str:
        """Return the language that the query names. Raises Invalid where mail is not written in it."""
        return mail_templates.chosen_language(brand, self.request.query_params.get("language", ""))

    def shown(self, sender: MailSender) -> Response:
        """Return the answer for a sender."""
        return Response(formats.SenderSerializer(sender).data)


class Sender(MailView):
    """From whom a brand's mail comes."""

    actions = {"GET": "brand.view", "PATCH": "brand.change"}

    @extend_schema(responses=formats.SenderSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it, with the records to publish."""
        return self.shown(selectors.sender(self.brand(pk)))

    @extend_schema(request=formats.SenderSerializer, responses=formats.SenderSerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Set the sender's address, or where answers go; empty is the usual one."""
        brand = self.brand(pk)
        values = self.read(formats.SenderSerializer, partial=True)
        return self.shown(mail_senders.change(actor=self.actor, brand=brand, **values))


class Smtp(MailView):
    """A brand's own SMTP account."""

    actions = {"PUT": "brand.change", "DELETE": "brand.change"}

    @extend_schema(request=formats.SmtpSerializer, responses=formats.SenderSerializer)
    def put(self, request: Request, pk: str) -> Response:
        """Set it. It is tried at once; mail leaves by it when `smtp_state` is `working`."""
        brand = self.brand(pk)
        values = self.read(formats.SmtpSerializer)
        return self.shown(mail_senders.set_smtp(actor=self.actor, brand=brand, **values))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Take it away: mail leaves by the installation's server again."""
        mail_senders.set_smtp(actor=self.actor, brand=self.brand(pk), smtp_host="")
        return Response(status=204)


class SmtpTry(MailView):
    """A trial of the own SMTP account."""

    actions = {"POST": "brand.change"}

    @extend_schema(request=EmptySerializer, responses=formats.SenderSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Try it once more."""
        self.read(EmptySerializer)
        return self.shown(mail_senders.try_again(actor=self.actor, brand=self.brand(pk)))


class Private(MailView):
    """Whether a brand's own server may be one of a private network."""

    actions = {"POST": "brand.allow_private"}

    @extend_schema(request=formats.PrivateSerializer, responses=formats.SenderSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Allow it, or no longer."""
        brand = self.brand(pk)
        allowed = self.read(formats.PrivateSerializer)["allowed"]
        return self.shown(mail_senders.allow_private(actor=self.actor, brand=brand, allowed=allowed))


class Key(MailView):
    """The key that a brand's mail is signed with."""

    actions = {"POST": "brand.change"}

    @extend_schema(request=EmptySerializer, responses=formats.SenderSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Make a new one; nothing is signed until `dkim_record` is in the DNS."""
        self.read(EmptySerializer)
        return self.shown(mail_senders.make_key(actor=self.actor, brand=self.brand(pk)))


class KeyCheck(MailView):
    """A look for the key in the DNS."""

    actions = {"POST": "brand.change"}

    @extend_schema(request=EmptySerializer, responses=formats.SenderSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Have a worker look; `dkim_checked_at` says when it last did."""
        self.read(EmptySerializer)
        return self.shown(mail_senders.check(actor=self.actor, brand=self.brand(pk)))


class Texts(MailView):
    """The texts of a brand's mail."""

    actions = {"GET": "brand.view"}

    @extend_schema(
        operation_id="organizations_brand_mail_texts_list",
        parameters=[LANGUAGE],
        responses=formats.MailTextSerializer(many=True),
    )
    def get(self, request: Request, pk: str) -> Response:
        """List every kind of mail with its text in a language."""
        brand = self.brand(pk)
        return Response(formats.MailTextSerializer(selectors.texts(brand, self.language(brand)), many=True).data)


class OneText(MailView):
    """The text of one kind of mail."""

    actions = {"GET": "brand.view", "PUT": "brand.change", "DELETE": "brand.change"}

    @extend_schema(parameters=[KIND, LANGUAGE], responses=formats.MailTextSerializer)
    def get(self, request: Request, pk: str, kind: str) -> Response:
        """Show it."""
        return self._text(self.brand(pk), kind)

    @extend_schema(
        parameters=[KIND, LANGUAGE], request=formats.MailTextSerializer, responses=formats.MailTextSerializer
    )
    def put(self, request: Request, pk: str, kind: str) -> Response:
        """Give it the brand's own text in a language.

        Placeholders are `{{word}}`, `{{#word}}…{{/word}}` and `{{^word}}…{{/word}}`.
        """
        brand = self.brand(pk)
        values = self.read(formats.MailTextSerializer)
        mail_templates.set(actor=self.actor, brand=brand, kind=kind, language=self.language(brand), **values)
        return self._text(brand, kind)

    @extend_schema(parameters=[KIND, LANGUAGE], responses={204: None})
    def delete(self, request: Request, pk: str, kind: str) -> Response:
        """Give up the brand's own text in a language."""
        brand = self.brand(pk)
        mail_templates.reset(actor=self.actor, brand=brand, kind=kind, language=self.language(brand))
        return Response(status=204)

    def _text(self, brand: Brand, kind: str) -> Response:
        text = selectors.text(brand, kind, self.language(brand))
        if text is None:
            raise NotFound()
        return Response(formats.MailTextSerializer(text).data)


class TextPreview(MailView):
    """What a mail looks like."""

    actions = {"POST": "brand.view"}

    @extend_schema(
        parameters=[KIND, LANGUAGE], request=formats.DraftSerializer, responses=formats.MailPreviewSerializer
    )
    def post(self, request: Request, pk: str, kind: str) -> Response:
        """Show it with sample values, as it stands or with other words; nothing is stored."""
        brand = self.brand(pk)
        draft = self.read(formats.DraftSerializer)
        language = self.language(brand)
        shown = mail_templates.preview(actor=self.actor, brand=brand, kind=kind, language=language, **draft)
        return Response(formats.MailPreviewSerializer(shown).data)


class TextTest(MailView):
    """A trial of a mail."""

    actions = {"POST": "brand.change"}

    @extend_schema(parameters=[KIND, LANGUAGE], request=EmptySerializer, responses=formats.OutgoingMailSerializer)
    def post(self, request: Request, pk: str, kind: str) -> Response:
        """Send it with sample values to the person behind the token, and to nobody else."""
        self.read(EmptySerializer)
        brand = self.brand(pk)
        mail = mail_templates.send_test(actor=self.actor, brand=brand, kind=kind, language=self.language(brand))
        return Response(formats.OutgoingMailSerializer(mail).data)


class Outgoing(MailView):
    """A brand's mail of the last month."""

    actions = {"GET": "brand.view"}
    is_list = True

    @extend_schema(responses=formats.OutgoingMailSerializer(many=True))
    def get(self, request: Request, pk: str) -> Response:
        """List it, newest first."""
        return self.page(selectors.outgoing(self.brand(pk)), formats.OutgoingMailSerializer)


class Retry(MailView):
    """Another try of a mail that was given up."""

    actions = {"POST": "brand.change"}

    @extend_schema(request=EmptySerializer, responses=formats.OutgoingMailSerializer)
    def post(self, request: Request, pk: str, mail: str) -> Response:
        """Send it again."""
        self.read(EmptySerializer)
        found = self.find(selectors.outgoing(self.brand(pk)), mail)
        return Response(formats.OutgoingMailSerializer(outgoing_mails.retry(actor=self.actor, mail=found)).data)
