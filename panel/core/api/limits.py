"""How a limit is answered, of an organization or of an account: use, limit, and why one more would be refused."""

from rest_framework import serializers

from panel.core.api.serializers import StrictSerializer

SOURCES = ("limit", "none", "override", "oversold", "package", "plan")
"""Where a limit comes from."""


class WhyNotSerializer(StrictSerializer):
    """Why one more would be refused: which rule, whose, its use and limit, and what would allow it."""

    rule = serializers.CharField(read_only=True)
    level = serializers.CharField(read_only=True)
    used = serializers.IntegerField(read_only=True)
    limit = serializers.IntegerField(read_only=True)
    remedy = serializers.CharField(read_only=True)
    detail = serializers.CharField(source="message", read_only=True)


class LimitSerializer(StrictSerializer):
    """A limit and its use; `why_not` is null when one more would be accepted."""

    resource = serializers.CharField(read_only=True)
    limit = serializers.IntegerField(read_only=True, allow_null=True, help_text="null is unlimited, 0 none.")
    used = serializers.IntegerField(read_only=True)
    level = serializers.ChoiceField(choices=["account", "organization"], read_only=True)
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=SOURCES, read_only=True, help_text="Where the limit comes from."
    )
    reason = serializers.CharField(read_only=True, help_text="Why there is an exception.")
    one_more = serializers.BooleanField(read_only=True, help_text="Whether one more would be accepted.")
    why_not = WhyNotSerializer(source="refusal", read_only=True, allow_null=True)
