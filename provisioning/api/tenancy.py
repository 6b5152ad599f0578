"""What is done to organizations with all that is theirs on servers: suspend, release, close, open again, move."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organization
from accounts.selectors import organizations
from panel.core.api.serializers import StrictSerializer
from provisioning.api.accounts import Account
from provisioning.api.base import Document, Endpoint, Nothing, Operation, describe, naming, started_of
from provisioning.api.fields import Flag, Reference, Text
from provisioning.api.limits import OtherPhp
from provisioning.models import Operation as OperationRow
from provisioning.selectors import hosting_accounts, packages
from provisioning.services import relocations
from provisioning.services import tenancy as service


class Tenant(Document):
    """An organization, as far as it stands."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=Organization.Kind.choices)
    name = serializers.CharField()
    parent = serializers.CharField(source="parent_id")  # type: ignore[assignment]
    status = serializers.ChoiceField(choices=Organization.Status.choices)
    suspended_reason = serializers.CharField()
    accounts_suspended = serializers.BooleanField(help_text="Whether the suspension took the hosting accounts along.")
    closed_at = serializers.DateTimeField(allow_null=True)


class OrganizationSuspend(StrictSerializer):
    """Why, and how far."""

    reason = Text(required=False, max_length=200, allow_blank=True, help_text="Shown to its people.")
    accounts = Flag(required=False, help_text="Suspend the hosting accounts below it, too.")


class OrganizationClose(StrictSerializer):
    """How far."""

    accounts = Flag(
        required=False,
        help_text="Terminate the hosting accounts below it and close everything below; else nothing may be left.",
    )
    confirm = Text(required=False, max_length=100, help_text="The organization's name, with `accounts`.")


class OrganizationMove(StrictSerializer):
    """Where to."""

    parent = Reference(  # type: ignore[assignment]
        organizations.sellers, "organization.create_client", help_text="Id of the new seller."
    )
    package = Reference(
        packages.listed,
        "package.view",
        required=False,
        help_text="For accounts whose package the new seller does not sell.",
    )


class AccountMove(StrictSerializer):
    """Where to."""

    client = Reference(organizations.listed, "account.create", source="organization", help_text="Id of the new client.")
    package = Reference(
        packages.listed, "package.view", required=False, help_text="Needed where the package is not sold there."
    )


class Obstacle(Document):
    """Why a client can't go there."""

    code = serializers.CharField(help_text="As the refusal would have it.")
    rule = serializers.CharField(help_text="What is in the way: `servers`, a feature, a limit.")
    level = serializers.CharField(help_text="Whose rule it is, in words.")
    detail = serializers.CharField(source="message")
    remedy = serializers.CharField(help_text="What would allow it.")


class MoveImpact(Document):
    """What moving a client means beside what servers do, which a preview of `organization.move` tells."""

    brand_before = serializers.CharField()
    brand_after = serializers.CharField()
    nameservers_before = serializers.ListField(child=serializers.CharField())
    nameservers_after = serializers.ListField(child=serializers.CharField())
    accounts = serializers.ListField(child=serializers.CharField(), help_text="Ids of the accounts that move.")
    unsold = serializers.ListField(child=serializers.CharField(), help_text="Ids of those that need another package.")
    people_along = serializers.ListField(child=serializers.CharField(), help_text="Sign in at the new panel.")
    people_anew = serializers.ListField(child=serializers.CharField(), help_text="Get a new invitation.")
    obstacles = Obstacle(many=True, help_text="Why it would be refused; empty when it would not.")
    other_php = OtherPhp(many=True, help_text="Sites whose PHP version the new package does not allow; they keep it.")


STANDS = inline_serializer("OrganizationStands", {"organization": Tenant(), "operation": Operation(allow_null=True)})


class OfOrganization(Endpoint):
    """An endpoint about one organization."""

    def organization(self, pk: str) -> Any:
        """Return it if the caller may do the view's action with it."""
        return self.find(organizations.listed(), pk)

    def stands(self, made: tuple[Organization, OperationRow | None]) -> Response:
        """Answer how it stands; 202 with the operation where servers have to follow, else 200."""
        organization, operation = made
        body = {"organization": Tenant(organization).data, "operation": None}
        if operation is None:
            return Response(body)
        shown = self.shown(operation)
        return Response(body | {"operation": shown}, status=202, headers={"Location": shown["url"]})


class Suspend(OfOrganization):
    """Suspends."""

    actions = {"POST": "organization.suspend"}

    @describe("organizations_suspend", "Suspend an organization", STANDS, body=OrganizationSuspend)
    def post(self, request: Request, pk: str) -> Response:
        """With everything below it; 202 where hosting accounts go along, 200 where no server has to follow."""
        organization = self.organization(pk)
        values = self.read(OrganizationSuspend)
        return self.stands(service.suspend(actor=self.actor, organization=organization, **values))


class Unsuspend(OfOrganization):
    """Lifts a suspension."""

    actions = {"POST": "organization.unsuspend"}

    @describe("organizations_unsuspend", "Lift the suspension of an organization", STANDS, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """Hosting accounts that were suspended along with it are released; others stay."""
        organization = self.organization(pk)
        self.read(Nothing)
        return self.stands(service.unsuspend(actor=self.actor, organization=organization))


class Close(OfOrganization):
    """Closes."""

    actions = {"POST": "organization.close"}

    @describe("organizations_close", "Close an organization", STANDS, body=OrganizationClose)
    def post(self, request: Request, pk: str) -> Response:
        """Its people are out. Until the data of its accounts goes, `reopen` brings everything back."""
        organization = self.organization(pk)
        values = self.read(OrganizationClose)
        return self.stands(service.close(actor=self.actor, organization=organization, **values))


class Reopen(OfOrganization):
    """Opens again."""

    actions = {"POST": "organization.reopen"}

    @describe("organizations_reopen", "Open a closed organization again", STANDS, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """With what closed along with it, as far as data is still there."""
        organization = self.organization(pk)
        self.read(Nothing)
        return self.stands(service.reopen(actor=self.actor, organization=organization))


class Move(OfOrganization):
    """Moves a client to another seller."""

    actions = {"POST": "organization.move"}

    @describe("organizations_move", "Move a client to another seller", STANDS, body=OrganizationMove)
    def post(self, request: Request, pk: str) -> Response:
        """With its accounts and people; zones and mail follow the new brand."""
        organization = self.organization(pk)
        values = self.read(OrganizationMove)
        return self.stands(relocations.move_client(actor=self.actor, organization=organization, **values))


class MoveImpactView(OfOrganization):
    """Tells what a move would mean."""

    actions = {"POST": "organization.move"}

    @describe("organizations_move_impact", "What moving a client would mean", MoveImpact, body=OrganizationMove)
    def post(self, request: Request, pk: str) -> Response:
        """Brand, name servers, accounts, people, and what is in the way; nothing is changed."""
        organization = self.organization(pk)
        values = self.read(OrganizationMove)
        found = relocations.impact(actor=self.actor, organization=organization, **values)
        before, after = found.brands
        body = {
            "brand_before": before.name,
            "brand_after": after.name,
            "nameservers_before": before.nameservers,
            "nameservers_after": after.nameservers,
            "accounts": [row.pk for row in found.accounts],
            "unsold": [row.pk for row in found.unsold],
            "people_along": found.people.along,
            "people_anew": found.people.anew,
            "obstacles": found.obstacles,
            "other_php": found.other_php,
        }
        return Response(MoveImpact(body).data)


class AccountMoveView(Endpoint):
    """Moves an account to another client."""

    actions = {"POST": "account.move"}

    @describe(
        "accounts_move", "Move an account to another client", started_of(account=Account), status=202, body=AccountMove
    )
    def post(self, request: Request, pk: str) -> Response:
        """What it holds is counted there; zones and mail follow the brand that the client lives under."""
        hosting = self.find(hosting_accounts.listed(), pk)
        values = self.read(AccountMove)
        with naming(organization="client"):
            made, operation = relocations.move_account(actor=self.actor, hosting=hosting, **values)
        return self.started(operation, account=Account(made))
