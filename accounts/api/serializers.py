"""Request and answer formats of the accounts API."""

from rest_framework import serializers

from accounts.models import Membership, Organization
from accounts.services.limits import RESOURCES
from panel.core.api.serializers import StrictSerializer
from panel.core.models import AuditEntry


class OrganizationSerializer(StrictSerializer):
    """An organization."""

    id = serializers.CharField(read_only=True)
    kind = serializers.ChoiceField(choices=Organization.Kind.choices, read_only=True)
    name = serializers.CharField(read_only=True)
    parent = serializers.SerializerMethodField()  # type: ignore[assignment]
    status = serializers.ChoiceField(choices=Organization.Status.choices, read_only=True)
    suspended_reason = serializers.CharField(read_only=True)
    plan = serializers.CharField(source="plan_id", read_only=True, allow_null=True, help_text="Of a reseller.")
    resellers_allowed = serializers.BooleanField(read_only=True)
    mail_vouched = serializers.BooleanField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)

    def get_parent(self, organization: Organization) -> str | None:
        """Return the parent's id when the caller can see the parent."""
        visible = self.context.get("path")
        path = organization.path.removesuffix(f"{organization.id}/")
        return organization.parent_id if visible and path.startswith(visible) else None


class OrganizationCreateSerializer(StrictSerializer):
    """A new client or reseller; without `parent` it belongs to the caller's own organization."""

    kind = serializers.ChoiceField(choices=["client", "reseller"], default="client")
    name = serializers.CharField(max_length=100)
    parent = serializers.CharField(max_length=32, required=False)  # type: ignore[assignment]
    resellers_allowed = serializers.BooleanField(required=False)
    plan = serializers.CharField(max_length=32, required=False, help_text="The plan of a reseller.")


class OrganizationChangeSerializer(StrictSerializer):
    """What can be changed."""

    name = serializers.CharField(max_length=100, required=False)
    resellers_allowed = serializers.BooleanField(required=False)
    mail_vouched = serializers.BooleanField(required=False)


class ReasonSerializer(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class EmptySerializer(StrictSerializer):
    """No fields at all."""


class ConfirmSerializer(StrictSerializer):
    """The word that says you mean it."""

    confirm = serializers.CharField(
        max_length=254, trim_whitespace=False, help_text="The name of what it is about; of a person the mail address."
    )


LimitsChangeSerializer: type[StrictSerializer] = type(
    "LimitsChangeSerializer",
    (StrictSerializer,),
    {
        "__doc__": "Limits by resource; null is unlimited, 0 none.",
        **{
            name: serializers.IntegerField(min_value=0, max_value=2**62, allow_null=True, required=False)
            for name in RESOURCES
        },
    },
)


class MemberSerializer(StrictSerializer):
    """A person in an organization; the id is the membership's."""

    id = serializers.CharField(read_only=True)
    organization = serializers.CharField(source="organization_id", read_only=True)
    user = serializers.CharField(source="user_id", read_only=True)
    email = serializers.CharField(source="user.email", read_only=True)
    name = serializers.CharField(source="user.name", read_only=True)
    role = serializers.ChoiceField(choices=Membership.Role.choices, read_only=True)
    created_at = serializers.DateTimeField(read_only=True)


class MemberCreateSerializer(StrictSerializer):
    """A new person with a password."""

    email = serializers.CharField(max_length=254)
    name = serializers.CharField(max_length=100)
    role = serializers.ChoiceField(choices=Membership.Role.choices)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    locale = serializers.ChoiceField(choices=["en"], default="en")
    timezone = serializers.CharField(max_length=64, default="UTC")


class InvitationSerializer(StrictSerializer):
    """An invitation, without its link, which only the mail has."""

    id = serializers.CharField(read_only=True)
    organization = serializers.CharField(source="organization_id", read_only=True)
    email = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    role = serializers.CharField(read_only=True)
    status = serializers.CharField(read_only=True, help_text="`open` or `expired`.")
    sent_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)


class InvitationCreateSerializer(StrictSerializer):
    """Whom to invite."""

    email = serializers.CharField(max_length=254)
    role = serializers.ChoiceField(choices=Membership.Role.choices)
    name = serializers.CharField(max_length=100, required=False)
    locale = serializers.ChoiceField(choices=["en"], default="en")


class MemberChangeSerializer(StrictSerializer):
    """Another role."""

    role = serializers.ChoiceField(choices=Membership.Role.choices)


class TokenSerializer(StrictSerializer):
    """A token, without its text."""

    id = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    prefix = serializers.CharField(read_only=True)
    user = serializers.CharField(source="user_id", read_only=True)
    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)
    expires_at = serializers.DateTimeField(read_only=True, allow_null=True)
    last_used_at = serializers.DateTimeField(read_only=True, allow_null=True)
    revoked_at = serializers.DateTimeField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)


class TokenCreateSerializer(StrictSerializer):
    """A new token."""

    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(child=serializers.CharField(max_length=64), max_length=50, required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class TokenTextSerializer(TokenSerializer):
    """A token just made, with its text: the only time that it is shown."""

    text = serializers.CharField(read_only=True)


class AuditSerializer(StrictSerializer):
    """An entry of the audit log. `actor` and `impersonator`, who acted in their name, are empty for people above the
    caller's organization.
    """

    id = serializers.CharField(read_only=True)
    at = serializers.DateTimeField(read_only=True)
    action = serializers.CharField(read_only=True)
    actor = serializers.CharField(source="who", read_only=True)
    impersonated = serializers.SerializerMethodField()
    impersonator = serializers.CharField(source="behind", read_only=True)
    via = serializers.CharField(read_only=True)
    object_type = serializers.CharField(read_only=True)
    object_id = serializers.CharField(read_only=True)
    object_label = serializers.CharField(read_only=True)
    changes = serializers.JSONField(read_only=True)

    def get_impersonated(self, entry: AuditEntry) -> bool:
        """Tell whether somebody else acted in the actor's name."""
        return bool(entry.impersonator_id)


class ImpersonationSerializer(StrictSerializer):
    """That somebody acted as a person of an organization. `by` is empty for people above the caller's organization."""

    id = serializers.CharField(read_only=True)
    organization = serializers.CharField(source="organization_id", read_only=True)
    user = serializers.CharField(source="user_id", read_only=True)
    email = serializers.CharField(source="user.email", read_only=True)
    by = serializers.CharField(source="who", read_only=True)
    reason = serializers.CharField(read_only=True)
    started_at = serializers.DateTimeField(read_only=True)
    ends_at = serializers.DateTimeField(read_only=True)
    ended_at = serializers.DateTimeField(read_only=True, allow_null=True)


class AuditQuery(StrictSerializer):
    """Which entries to list."""

    q = serializers.CharField(required=False, max_length=100, help_text="Part of who, what or to what.")
    actor = serializers.CharField(required=False, max_length=100, help_text="Part of the address of who acted.")
    action = serializers.CharField(
        required=False, max_length=64, help_text="One, as `account.create`, or all of a noun: `account`."
    )
    object = serializers.CharField(required=False, max_length=64, help_text="The id of the object that was changed.")
    since = serializers.DateField(required=False, help_text="From this day on, in your time zone.")
    until = serializers.DateField(required=False, help_text="Up to this day, it included.")


class MeSerializer(StrictSerializer):
    """Who the caller is."""

    user = serializers.CharField(read_only=True)
    email = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    role = serializers.CharField(read_only=True)
    scopes = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)
    organization = OrganizationSerializer(read_only=True)
