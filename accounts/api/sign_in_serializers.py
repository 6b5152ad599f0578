"""Request and answer formats of the sign-in endpoints."""

from allauth.mfa.models import Authenticator
from rest_framework import serializers

from accounts import browsers
from accounts.models import Device, SignInPolicy
from accounts.models.sign_in import LONGEST_SESSION, SHORTEST_SESSION
from panel.core.api.serializers import StrictSerializer


class SessionSerializer(StrictSerializer):
    """A session of the panel."""

    id = serializers.CharField(read_only=True)
    browser = serializers.CharField(read_only=True)
    address = serializers.CharField(read_only=True, allow_null=True)
    started_at = serializers.DateTimeField(read_only=True)
    last_seen_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)
    current = serializers.BooleanField(read_only=True)


class SessionsSerializer(StrictSerializer):
    """All sessions of a person."""

    items = SessionSerializer(many=True, read_only=True)


class EndedSerializer(StrictSerializer):
    """How many sessions ended."""

    ended = serializers.IntegerField(read_only=True)


class DeviceSerializer(StrictSerializer):
    """A browser."""

    id = serializers.CharField(read_only=True)
    browser = serializers.SerializerMethodField()
    address = serializers.CharField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)
    last_seen_at = serializers.DateTimeField(read_only=True)
    remembered_until = serializers.DateTimeField(read_only=True, allow_null=True)

    def get_browser(self, device: Device) -> str:
        """Return what the browser says of itself, in a few words."""
        return browsers.describe(device.agent)


class PasskeySerializer(StrictSerializer):
    """A passkey; `passwordless` when it signs in without a password."""

    id = serializers.CharField(read_only=True)
    name = serializers.CharField(source="wrap.name", read_only=True)
    passwordless = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    last_used_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def get_passwordless(self, passkey: Authenticator) -> bool:
        """Tell whether it is enough by itself."""
        return bool(passkey.wrap().is_passwordless)


class InheritedSerializer(StrictSerializer):
    """What those above demand; `second_factor` of everybody or of nobody."""

    second_factor = serializers.BooleanField(read_only=True)
    session_minutes = serializers.IntegerField(read_only=True)
    remember_devices = serializers.BooleanField(read_only=True)


class PolicyChangeSerializer(StrictSerializer):
    """A sign-in policy; on change only the fields given change."""

    second_factor = serializers.ChoiceField(choices=SignInPolicy.SecondFactor.choices)
    session_minutes = serializers.IntegerField(min_value=SHORTEST_SESSION, max_value=LONGEST_SESSION)
    remember_devices = serializers.BooleanField()


class PolicySerializer(PolicyChangeSerializer):
    """A sign-in policy, with what those above demand."""

    inherited = InheritedSerializer(read_only=True)
