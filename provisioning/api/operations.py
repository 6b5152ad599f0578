"""Operations: where what was asked for stands; tried again or cancelled."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, Nothing, Operation, describe, page_of, started_of
from provisioning.api.fields import Reference, Text
from provisioning.models import Operation as OperationRow
from provisioning.models import OperationTarget, Run, RunStep
from provisioning.selectors import hosting_accounts
from provisioning.selectors import operations as selectors
from provisioning.services import operations as service

PART_STATES = list({**dict(OperationTarget.Status.choices), **dict(Run.Status.choices)}.items())


class Step(Document):
    """A step on one server."""

    name = serializers.CharField()
    status = serializers.ChoiceField(choices=RunStep.Status.choices)
    ms = serializers.FloatField(allow_null=True, help_text="Its duration in milliseconds.")
    detail = serializers.SerializerMethodField(help_text="What the server said, word for word: the provider's only.")

    def get_detail(self, step: RunStep) -> str | None:
        """Return the server's words to the provider."""
        return step.detail if self.context["staff"] else None


class Target(Document):
    """What the operation has to do on one server."""

    server = serializers.CharField(help_text="The server's name.")
    status = serializers.ChoiceField(choices=PART_STATES)
    reason = serializers.CharField()
    steps = Step(many=True)


class OperationDetail(Operation):
    """An operation with its steps, server by server."""

    detail = serializers.SerializerMethodField(help_text="What checkers said, word for word: the provider's only.")
    targets = serializers.SerializerMethodField()

    def get_detail(self, operation: OperationRow) -> str | None:
        """Return the checkers' words to the provider."""
        return operation.detail if self.context["staff"] else None

    @extend_schema_field(Target(many=True))
    def get_targets(self, operation: OperationRow) -> Any:
        """Return its parts."""
        return Target(selectors.parts(operation), many=True, context=self.context).data


class OperationQuery(StrictSerializer):
    """Which operations to list."""

    q = Text(required=False, max_length=100, help_text="Part of the subject or of the account's domain.")
    status = serializers.ChoiceField(choices=OperationRow.Status.choices, required=False)
    account = Reference(hosting_accounts.listed, "account.view", required=False, help_text="Of this account.")


class OperationList(Endpoint):
    """Operations."""

    actions = {"GET": "operation.view"}
    is_list = True

    @describe("operations_list", "List operations, newest first", page_of(Operation), query=OperationQuery)
    def get(self, request: Request) -> Response:
        """Without `status`, in whatever state."""
        wanted = self.query(OperationQuery)
        rows = selectors.listed(self.actor.path)
        if "q" in wanted:
            rows = rows.filter(Q(subject__icontains=wanted["q"]) | Q(hosting__domain__icontains=wanted["q"]))
        if "status" in wanted:
            rows = rows.filter(status=wanted["status"])
        if "account" in wanted:
            rows = rows.filter(hosting=wanted["account"])
        return self.page(rows, Operation)


class OperationItem(Endpoint):
    """One operation."""

    actions = {"GET": "operation.view"}

    @describe("operations_get", "Watch an operation", OperationDetail)
    def get(self, request: Request, pk: str) -> Response:
        """Poll it while its status is `pending`, `running` or `waiting`; twice a second is often enough."""
        operation = self.find(selectors.listed(self.actor.path), pk)
        return Response(OperationDetail(operation, context={"staff": self.actor.kind == "provider"}).data)


class OperationRetry(Endpoint):
    """Tries again."""

    actions = {"POST": "operation.retry"}

    @describe("operations_retry", "Try again", started_of(), status=202)
    def post(self, request: Request, pk: str) -> Response:
        """For what was rejected, cancelled or waits; the state that is desired now is what is tried."""
        operation = self.find(selectors.listed(self.actor.path), pk)
        self.read(Nothing)
        return self.started(service.retry(actor=self.actor, operation=operation))


class OperationCancel(Endpoint):
    """Stops waiting."""

    actions = {"POST": "operation.cancel"}

    @describe("operations_cancel", "Stop waiting for an operation", Operation)
    def post(self, request: Request, pk: str) -> Response:
        """For what no server has begun. What was ordered stays ordered: a later run carries it."""
        operation = self.find(selectors.listed(self.actor.path), pk)
        self.read(Nothing)
        return Response(Operation(service.cancel(actor=self.actor, operation=operation)).data)


class OperationConfirm(Endpoint):
    """Lets a held operation go on."""

    actions = {"POST": "operation.confirm"}

    @describe("operations_confirm", "Let an operation go on that would remove much", started_of(), status=202)
    def post(self, request: Request, pk: str) -> Response:
        """For one that waits because it would remove unusually much from a server; the provider's."""
        operation = self.find(selectors.listed(self.actor.path), pk)
        self.read(Nothing)
        return self.started(service.confirm(actor=self.actor, operation=operation))
