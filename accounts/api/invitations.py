"""Endpoints of invitations. Their links are in the mail only; accepting is done in the panel."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import serializers
from accounts.models import Invitation
from accounts.selectors import invitations as selectors
from accounts.selectors import organizations
from accounts.services import invitations as service
from panel.core.api.views import ApiView

Out = serializers.InvitationSerializer


class Invitations(ApiView):
    """Who was invited to an organization and has not come yet."""

    actions = {"GET": "membership.view", "POST": "membership.add"}
    is_list = True

    @extend_schema(responses=Out(many=True))
    def get(self, request: Request, pk: str) -> Response:
        """List them, newest first; expired ones too."""
        organization = self.find(organizations.listed(), pk)
        return self.page(selectors.of_organization(organization), Out)

    @extend_schema(request=serializers.InvitationCreateSerializer, responses={201: Out})
    def post(self, request: Request, pk: str) -> Response:
        """Invite a person by mail; nothing tells whether the address is known."""
        organization = self.find(organizations.listed(), pk)
        values = self.read(serializers.InvitationCreateSerializer)
        made = service.create(actor=self.actor, organization=organization, **values)
        return self.created(Out(made).data, reverse("accounts_api:invitation", args=[made.id]))


class OneInvitation(ApiView):
    """One invitation."""

    actions = {"GET": "membership.view", "DELETE": "membership.add"}

    @extend_schema(responses=Out)
    def get(self, request: Request, pk: str) -> Response:
        """Show it."""
        return Response(Out(self._invitation(pk)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Take it back."""
        service.revoke(actor=self.actor, invitation=self._invitation(pk))
        return Response(status=204)

    def _invitation(self, pk: str) -> Invitation:
        return self.find(selectors.listed(), pk)


class Resend(ApiView):
    """Sending an invitation again."""

    actions = {"POST": "membership.add"}

    @extend_schema(request=serializers.EmptySerializer, responses=Out)
    def post(self, request: Request, pk: str) -> Response:
        """Send it again with a new link; the one before is dead."""
        invitation = self.find(selectors.listed(), pk)
        self.read(serializers.EmptySerializer)
        return Response(Out(service.resend(actor=self.actor, invitation=invitation)).data)
