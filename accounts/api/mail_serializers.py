"""Request and answer formats of a brand's mail."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import MailSender, OutgoingMail
from accounts.selectors import brand_mail as selectors
from accounts.selectors.brand_mail import Text
from panel.core.api.serializers import StrictSerializer


class DnsRecordSerializer(StrictSerializer):
    """A TXT record to publish."""

    name = serializers.CharField(read_only=True)
    content = serializers.CharField(read_only=True)


class SenderSerializer(StrictSerializer):
    """From whom a brand's mail comes, how it is signed and how it leaves. Secrets are never answered."""

    sender = serializers.SerializerMethodField(help_text="The From of its mail.")
    from_address = serializers.CharField(max_length=254, allow_blank=True, required=False)
    reply_to = serializers.CharField(max_length=254, allow_blank=True, required=False)
    smtp_host = serializers.CharField(read_only=True)
    smtp_port = serializers.IntegerField(read_only=True)
    smtp_security = serializers.ChoiceField(choices=MailSender.Security.choices, read_only=True)
    smtp_user = serializers.CharField(read_only=True)
    smtp_state = serializers.ChoiceField(choices=MailSender.SmtpState.choices, read_only=True)
    smtp_detail = serializers.CharField(read_only=True)
    smtp_tested_at = serializers.DateTimeField(read_only=True, allow_null=True)
    private_allowed = serializers.BooleanField(read_only=True)
    dkim_state = serializers.ChoiceField(choices=MailSender.DkimState.choices, read_only=True)
    dkim_detail = serializers.CharField(read_only=True)
    dkim_checked_at = serializers.DateTimeField(read_only=True, allow_null=True)
    dkim_record = serializers.SerializerMethodField()
    spf_record = serializers.SerializerMethodField()

    def get_sender(self, sender: MailSender) -> str:
        """Return the From."""
        return selectors.sender_line(sender.brand)

    @extend_schema_field(DnsRecordSerializer(allow_null=True))
    def get_dkim_record(self, sender: MailSender) -> dict[str, str] | None:
        """Return the record of the key."""
        return _record(selectors.key_record(sender) if sender.dkim_public else None)

    @extend_schema_field(DnsRecordSerializer(allow_null=True))
    def get_spf_record(self, sender: MailSender) -> dict[str, str] | None:
        """Return the SPF record under which the installation may send for the brand."""
        return _record(selectors.spf(sender))


class SmtpSerializer(StrictSerializer):
    """A brand's own SMTP account; without `password` the stored one stays."""

    smtp_host = serializers.CharField(max_length=253)
    smtp_port = serializers.IntegerField(min_value=1, max_value=65535, default=587)
    smtp_security = serializers.ChoiceField(choices=MailSender.Security.choices, default=MailSender.Security.STARTTLS)
    smtp_user = serializers.CharField(max_length=254, allow_blank=True, default="")
    password = serializers.CharField(max_length=256, required=False, trim_whitespace=False, write_only=True)


class PrivateSerializer(StrictSerializer):
    """Whether the own server may be one that is not on the public Internet."""

    allowed = serializers.BooleanField()


class WordSerializer(StrictSerializer):
    """A placeholder."""

    word = serializers.CharField(read_only=True)
    meaning = serializers.CharField(read_only=True)
    required = serializers.BooleanField(read_only=True)  # type: ignore[assignment]


class MailTextSerializer(StrictSerializer):
    """The text of a kind of mail as readers of a language get it; `own` when it is the brand's in that language."""

    kind = serializers.CharField(source="kind.name", read_only=True)
    title = serializers.CharField(source="kind.title", read_only=True)
    language = serializers.CharField(read_only=True)
    own = serializers.BooleanField(read_only=True)
    stands_in = serializers.CharField(
        read_only=True, help_text="The brand's language, where its text in that one stands in; else empty."
    )
    subject = serializers.CharField(max_length=200)
    text = serializers.CharField(max_length=10_000, trim_whitespace=False)
    words = serializers.SerializerMethodField()

    @extend_schema_field(WordSerializer(many=True))
    def get_words(self, text: Text) -> list[dict[str, Any]]:
        """Return the placeholders."""
        kind = text.kind
        return [
            {"word": name, "meaning": str(word.meaning), "required": name in kind.required}
            for name, word in kind.words.items()
        ]


class DraftSerializer(StrictSerializer):
    """Words to look at without storing them; what is left out is taken as it stands."""

    subject = serializers.CharField(max_length=200, required=False)
    text = serializers.CharField(max_length=10_000, required=False, trim_whitespace=False)


class MailPreviewSerializer(StrictSerializer):
    """A mail with sample values."""

    subject = serializers.CharField(read_only=True)
    text = serializers.CharField(read_only=True)
    html = serializers.CharField(read_only=True)


class OutgoingMailSerializer(StrictSerializer):
    """A mail on its way, or of the last month. What it says is not kept."""

    id = serializers.CharField(read_only=True)
    kind = serializers.CharField(read_only=True)
    recipient = serializers.CharField(read_only=True)
    state = serializers.ChoiceField(choices=OutgoingMail.State.choices, read_only=True)
    attempts = serializers.IntegerField(read_only=True)
    detail = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    sent_at = serializers.DateTimeField(read_only=True, allow_null=True)


def _record(record: tuple[str, str] | None) -> dict[str, str] | None:
    return {"name": record[0], "content": record[1]} if record else None
