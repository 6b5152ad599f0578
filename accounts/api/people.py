"""Endpoints of people: who one is, members of organizations, tokens."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import serializers
from accounts.models import ApiToken, Membership
from accounts.selectors import impersonations, organizations
from accounts.selectors import tokens as token_selectors
from accounts.selectors import users as people
from accounts.services import memberships, tokens, users
from panel.core.api.views import ApiView


class Me(ApiView):
    """The caller."""

    actions = {"GET": "profile.view"}

    @extend_schema(responses=serializers.MeSerializer)
    def get(self, request: Request) -> Response:
        """Show who the caller is and for whom they act."""
        user = people.one(self.actor.user_id)
        scopes = self.actor.scopes
        body = {
            "user": user.id,
            "email": user.email,
            "name": user.name,
            "role": self.actor.role,
            "scopes": None if scopes is None else sorted(scopes),
            "organization": organizations.of_actor(self.actor),
        }
        return Response(serializers.MeSerializer(body, context={"path": self.actor.path}).data)


class Members(ApiView):
    """The people of an organization."""

    actions = {"GET": "membership.view", "POST": "membership.add"}
    is_list = True

    @extend_schema(responses=serializers.MemberSerializer(many=True))
    def get(self, request: Request, pk: str) -> Response:
        """List them, newest first."""
        organization = self.find(organizations.listed(), pk)
        rows = people.members(organization.path)
        return self.page(rows, serializers.MemberSerializer)

    @extend_schema(request=serializers.MemberCreateSerializer, responses={201: serializers.MemberSerializer})
    def post(self, request: Request, pk: str) -> Response:
        """Add a person with a password; to let people choose their own, invite them."""
        organization = self.find(organizations.listed(), pk)
        values = self.read(serializers.MemberCreateSerializer)
        user = users.create(actor=self.actor, organization=organization, **values)
        membership = people.memberships().get(user=user, organization=organization)
        url = reverse("accounts_api:member", args=[membership.id])
        return self.created(serializers.MemberSerializer(membership).data, url)


class OneMember(ApiView):
    """One membership."""

    actions = {"GET": "membership.view", "PATCH": "membership.change", "DELETE": "membership.remove"}

    @extend_schema(responses=serializers.MemberSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it."""
        return Response(serializers.MemberSerializer(self._membership(pk)).data)

    @extend_schema(request=serializers.MemberChangeSerializer, responses=serializers.MemberSerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Change the role."""
        membership = self._membership(pk)
        values = self.read(serializers.MemberChangeSerializer)
        changed = memberships.change(actor=self.actor, membership=membership, role=values["role"])
        return Response(serializers.MemberSerializer(changed).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """End it."""
        memberships.remove(actor=self.actor, membership=self._membership(pk))
        return Response(status=204)

    def _membership(self, pk: str) -> Membership:
        return self.find(people.memberships(), pk)


class Transfer(ApiView):
    """Handing over the ownership."""

    actions = {"POST": "membership.change"}

    @extend_schema(request=serializers.ConfirmSerializer, responses=serializers.MemberSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Make the member owner in the caller's place, who stays as administrator; `confirm` is their mail address."""
        membership = self.find(people.memberships(), pk)
        given = self.read(serializers.ConfirmSerializer)
        heir = memberships.transfer(actor=self.actor, membership=membership, **given)
        return Response(serializers.MemberSerializer(heir).data)


class Impersonations(ApiView):
    """Who acted as people of the caller's organization and everything below it; begun from a page only."""

    actions = {"GET": "impersonation.view"}
    is_list = True

    @extend_schema(responses=serializers.ImpersonationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List them, newest first."""
        return self.page(impersonations.listed(self.actor), serializers.ImpersonationSerializer)


class Tokens(ApiView):
    """The tokens of the caller's own organization."""

    actions = {"GET": "token.view", "POST": "token.create"}
    is_list = True

    @extend_schema(responses=serializers.TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List them, newest first."""
        rows = token_selectors.own(self.actor)
        return self.page(rows, serializers.TokenSerializer)

    @extend_schema(request=serializers.TokenCreateSerializer, responses={201: serializers.TokenTextSerializer})
    def post(self, request: Request) -> Response:
        """Create one; its text is in this answer and nowhere else."""
        token, text = tokens.create(actor=self.actor, **self.read(serializers.TokenCreateSerializer))
        token.text = text  # type: ignore[attr-defined]
        answer = self.created(
            serializers.TokenTextSerializer(token).data, reverse("accounts_api:token", args=[token.id])
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer


class OneToken(ApiView):
    """One token of the caller's own organization."""

    actions = {"GET": "token.view", "DELETE": "token.revoke"}

    @extend_schema(responses=serializers.TokenSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it."""
        return Response(serializers.TokenSerializer(self._token(pk)).data)

    @extend_schema(responses={204: None}, parameters=[serializers.ConfirmSerializer])
    def delete(self, request: Request, pk: str) -> Response:
        """Revoke it; `confirm` is its name."""
        token = self._token(pk)
        given = serializers.ConfirmSerializer(data=request.query_params.dict())
        given.is_valid(raise_exception=True)
        tokens.revoke(actor=self.actor, token=token, **given.validated_data)
        return Response(status=204)

    def _token(self, pk: str) -> ApiToken:
        return self.find(token_selectors.own(self.actor), pk)
