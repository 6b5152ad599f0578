"""Operations: where what was asked for stands; tried again or cancelled."""

from __future__ import annotations

import time
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, Nothing, Operation, describe, page_of, started_of
from provisioning.api.fields import SERVER_NAME, Reference, Text
from provisioning.models import Operation as OperationRow
from provisioning.models import OperationEvent, OperationTarget, Run, RunStep
from provisioning.selectors import hosting_accounts, servers
from provisioning.selectors import operations as selectors
from provisioning.services import operations as service
from provisioning.services import reasons

LONGEST_WAIT = 5
POLL_SECONDS = 0.2
PART_STATES = list({**dict(OperationTarget.Status.choices), **dict(Run.Status.choices)}.items())


class Step(Document):
    """A step on one server."""

    name = serializers.CharField()
    status = serializers.ChoiceField(choices=RunStep.Status.choices)
    ms = serializers.FloatField(allow_null=True, help_text="Its duration in milliseconds.")
    detail = serializers.SerializerMethodField(help_text="What the server said, word for word: the provider's only.")

    def get_detail(self, step: RunStep) -> str | None:
        """Return the server's words to the provider."""
        return step.detail if self.context["actor"].kind == "provider" else None


class Target(Document):
    """What the operation has to do on one server in one run."""

    server = serializers.CharField(help_text=f"Its server. {SERVER_NAME}")
    status = serializers.ChoiceField(choices=PART_STATES)
    reason = serializers.CharField()
    slices = serializers.IntegerField(help_text="How many accounts, and the server's own part, it is about.")
    over = serializers.IntegerField(help_text="How many of them are over, well or not.")
    steps = Step(many=True)


class Progress(Document):
    """How far it is."""

    over = serializers.IntegerField(help_text="Slices that are over, well or not.")
    slices = serializers.IntegerField(help_text="All of them: accounts, and servers' own parts.")
    percent = serializers.IntegerField()
    waiting_since = serializers.DateTimeField(allow_null=True)
    next_try_at = serializers.DateTimeField(allow_null=True, help_text="Null too where a person has to act.")


class LogEntry(Document):
    """Something that happened to it."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=OperationEvent.Kind.choices)
    by = serializers.CharField(help_text="By whom; empty for servers and workers, and for people above you.")
    reason = serializers.CharField()
    server = serializers.CharField(help_text="On which server, called as in `targets`; empty where none is meant.")
    steps = Step(many=True)


class OperationDetail(Operation):
    """An operation with its steps, server by server, and its log."""

    remedy = serializers.SerializerMethodField(
        help_text="What to do about `reason`; empty when nothing has to be done."
    )
    progress = serializers.SerializerMethodField()
    log = serializers.SerializerMethodField(help_text="What happened to it, oldest first.")
    detail = serializers.SerializerMethodField(help_text="What checkers said, word for word: the provider's only.")
    targets = serializers.SerializerMethodField()

    def get_detail(self, operation: OperationRow) -> str | None:
        """Return the checkers' words to the provider."""
        return operation.detail if self.context["actor"].kind == "provider" else None

    def get_remedy(self, operation: OperationRow) -> str:
        """Return what to do, in the reader's language."""
        found = reasons.remedy(operation.reason)
        return _(found) if found else ""

    @extend_schema_field(Progress())
    def get_progress(self, operation: OperationRow) -> Any:
        """Return how far it is."""
        return Progress(selectors.standing(operation)).data

    @extend_schema_field(LogEntry(many=True))
    def get_log(self, operation: OperationRow) -> Any:
        """Return its log."""
        return LogEntry(selectors.log(operation, self.context["actor"]), many=True, context=self.context).data

    @extend_schema_field(Target(many=True))
    def get_targets(self, operation: OperationRow) -> Any:
        """Return its parts."""
        return Target(selectors.parts(operation, self.context["actor"]), many=True, context=self.context).data


class OperationQuery(StrictSerializer):
    """Which operations to list."""

    q = Text(required=False, max_length=100, help_text="Part of the subject or of the account's domain.")
    status = serializers.ChoiceField(
        choices=[("open", "Open"), *OperationRow.Status.choices],
        required=False,
        help_text="`open` is whatever is not over.",
    )
    account = Reference(hosting_accounts.listed, "account.view", required=False, help_text="Of this account.")
    server = Reference(servers.listed, "server.view", required=False, help_text="About this server, or to reach it.")
    batch = Text(required=False, max_length=32, help_text="Asked for at once with others: the `batch` of one of them.")


class OperationWait(StrictSerializer):
    """How long to wait."""

    wait = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LONGEST_WAIT,
        help_text="Answer when it is over, or else after so many seconds.",
    )


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
            asked = wanted["status"]
            rows = rows.filter(status__in=OperationRow.OPEN if asked == "open" else [asked])
        if "server" in wanted:
            rows = selectors.reaching(rows, wanted["server"].pk)
        if "account" in wanted:
            rows = rows.filter(hosting=wanted["account"])
        if "batch" in wanted:
            rows = rows.filter(batch=wanted["batch"])
        return self.page(rows, Operation, actor=self.actor)


class OperationItem(Endpoint):
    """One operation."""

    actions = {"GET": "operation.view"}

    @describe("operations_get", "Watch an operation", OperationDetail, query=OperationWait)
    def get(self, request: Request, pk: str) -> Response:
        """Ask again while its status is `pending`, `running` or `waiting`: with `wait`, or twice a second."""
        until = time.monotonic() + self.query(OperationWait).get("wait", 0)
        operation = self.find(selectors.listed(self.actor.path), pk)
        while operation.is_open and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
            operation = self.find(selectors.listed(self.actor.path), pk)
        return Response(OperationDetail(operation, context={"actor": self.actor}).data)


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
        """For those parts that no server has begun. What was ordered stays ordered: a later run carries it."""
        operation = self.find(selectors.listed(self.actor.path), pk)
        self.read(Nothing)
        return Response(self.shown(service.cancel(actor=self.actor, operation=operation)))


class OperationConfirm(Endpoint):
    """Lets a held operation go on."""

    actions = {"POST": "operation.confirm"}

    @describe("operations_confirm", "Let an operation go on that would remove much", started_of(), status=202)
    def post(self, request: Request, pk: str) -> Response:
        """For one that waits because it would remove unusually much from a server; the provider's."""
        operation = self.find(selectors.listed(self.actor.path), pk)
        self.read(Nothing)
        return self.started(service.confirm(actor=self.actor, operation=operation))
