"""Endpoints of one's own sign-in, sessions, browsers and passkeys, and of organizations' sign-in policies."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import browsers
from accounts.api import sign_in_serializers as serializers
from accounts.api.serializers import EmptySerializer
from accounts.models import Organization, SignInPolicy
from accounts.selectors import organizations
from accounts.selectors import sign_in as selectors
from accounts.services import devices, mfa, sessions, sign_in_policies
from panel.core.api.views import ApiView
from panel.core.errors import NotFound


class MySessions(ApiView):
    """The caller's own sessions in the panel."""

    actions = {"GET": "profile.inspect"}

    @extend_schema(responses=serializers.SessionsSerializer)
    def get(self, request: Request) -> Response:
        """List them, newest first."""
        current = request._request.session.session_key
        rows = [
            {
                "id": row.handle,
                "browser": browsers.describe(row.agent),
                "address": row.address,
                "started_at": row.started_at,
                "last_seen_at": row.last_seen_at,
                "expires_at": row.expire_date,
                "current": row.session_key == current,
            }
            for row in selectors.sessions(str(self.actor.user_id))
        ]
        return Response(serializers.SessionsSerializer({"items": rows}).data)


class MySession(ApiView):
    """One of the caller's own sessions."""

    actions = {"DELETE": "profile.secure"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """End it at once."""
        row = selectors.sessions(str(self.actor.user_id)).filter(handle=pk).first()
        if row is None:
            raise NotFound()
        sessions.end(actor=self.actor, session=row)
        return Response(status=204)


class MyOtherSessions(ApiView):
    """All of the caller's own sessions but the one that asks."""

    actions = {"POST": "profile.secure"}

    @extend_schema(request=EmptySerializer, responses=serializers.EndedSerializer)
    def post(self, request: Request) -> Response:
        """End them; asked with a token, all sessions end."""
        self.read(EmptySerializer)
        keep = None if self.actor.via == "api" else request._request.session.session_key
        return Response({"ended": sessions.end_others(actor=self.actor, keep=keep)})


class MyDevices(ApiView):
    """The browsers in which the caller has signed in."""

    actions = {"GET": "profile.inspect"}
    is_list = True

    @extend_schema(responses=serializers.DeviceSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List them, newest first; a remembered one needs no second factor until the time that it says."""
        return self.page(selectors.devices(str(self.actor.user_id)), serializers.DeviceSerializer)


class MyDevice(ApiView):
    """One of the browsers in which the caller has signed in."""

    actions = {"DELETE": "profile.secure"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Forget it: it needs the second factor again."""
        devices.forget(actor=self.actor, device=self.find(selectors.devices(str(self.actor.user_id)), pk))
        return Response(status=204)


class MyPasskeys(ApiView):
    """The caller's own passkeys."""

    actions = {"GET": "profile.inspect"}
    is_list = True

    @extend_schema(responses=serializers.PasskeySerializer(many=True))
    def get(self, request: Request) -> Response:
        """List them, newest first."""
        return self.page(selectors.passkeys(str(self.actor.user_id)), serializers.PasskeySerializer)


class MyPasskey(ApiView):
    """One of the caller's own passkeys."""

    actions = {"DELETE": "profile.weaken"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Remove it. Wants the session of the panel, freshly signed in; a token can't."""
        row = self.find(selectors.passkeys(str(self.actor.user_id)), str(pk))
        mfa.remove_passkey(actor=self.actor, passkey=row)
        return Response(status=204)


class Policy(ApiView):
    """What an organization demands of those who sign in."""

    actions = {"GET": "sign_in_policy.view", "PATCH": "sign_in_policy.change"}

    @extend_schema(responses=serializers.PolicySerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show its own policy, and what those above demand as well: the strictest counts."""
        organization = self.find(organizations.listed(), pk)
        return Response(self._shown(organization, selectors.policy_of(organization)))

    @extend_schema(request=serializers.PolicyChangeSerializer, responses=serializers.PolicySerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Change it; it binds from the next request of everybody concerned."""
        organization = self.find(organizations.listed(), pk)
        values = self.read(serializers.PolicyChangeSerializer, partial=True)
        row = sign_in_policies.change(actor=self.actor, organization=organization, **values)
        return Response(self._shown(organization, row))

    @staticmethod
    def _shown(organization: Organization, row: SignInPolicy) -> Any:
        body = {field: getattr(row, field) for field in sign_in_policies.CHANGEABLE}
        above = selectors.inherited(organization)
        inherited = {field: getattr(above, field) for field in sign_in_policies.CHANGEABLE}
        return serializers.PolicySerializer(body | {"inherited": inherited}).data
