"""Endpoints of addresses for programs: added, changed, tested, given a new secret, and what they were told."""

from __future__ import annotations

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from billing.models import Hook as HookRow
from billing.models import HookDelivery
from billing.selectors import hooks as selectors
from billing.services import hook_deliveries, hooks
from panel.core.api.endpoints import Document, Endpoint, Nothing, describe, page_of
from panel.core.api.fields import Flag
from panel.core.api.serializers import StrictSerializer


class Webhook(Document):
    """An address that is told of what happens to your organization's money."""

    id = serializers.CharField()
    url = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField(), help_text="What it is told of; none: everything.")
    is_active = serializers.BooleanField(help_text="Off after an answer 410, too.")
    created_at = serializers.DateTimeField()


class WebhookWithSecret(Webhook):
    """The same with its secret, which is in this answer and nowhere else."""

    secret = serializers.CharField(help_text="`whsec_…`, as Standard Webhooks has it.")


class WebhookCreate(StrictSerializer):
    """A new address."""

    url = serializers.CharField(max_length=500, help_text="https, on the public Internet.")
    kinds = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="What it is told of; none: everything."
    )


class WebhookChange(WebhookCreate):
    """What is to be different."""

    url = serializers.CharField(max_length=500, required=False)
    is_active = Flag(required=False)


class WebhookMessage(Document):
    """A message to an address."""

    id = serializers.CharField(help_text="The `webhook-id` that it bears, however often it is sent.")
    webhook = serializers.CharField(source="hook_id")
    kind = serializers.CharField()
    body = serializers.JSONField()
    status = serializers.ChoiceField(choices=HookDelivery.Status.choices)
    tries = serializers.IntegerField()
    answer = serializers.CharField(help_text="What came back last, such as `HTTP 500`.")
    next_at = serializers.DateTimeField(help_text="When it is tried next, while it waits.")
    created_at = serializers.DateTimeField()


class WebhookList(Endpoint):
    """Addresses of your own organization."""

    actions = {"GET": "hook.view", "POST": "hook.create"}
    is_list = True

    @describe("webhooks_list", "List the addresses that are told, newest first", page_of(Webhook))
    def get(self, request: Request) -> Response:
        """Of your own organization only."""
        return self.page(selectors.own(self.actor), Webhook)

    @describe("webhooks_create", "Let an address be told", WebhookWithSecret, status=201, body=WebhookCreate)
    def post(self, request: Request) -> Response:
        """Messages are signed as Standard Webhooks has it; the secret is in this answer and nowhere else."""
        own = organizations.of_actor(self.actor)
        return _secret(*hooks.create(actor=self.actor, organization=own, **self.read(WebhookCreate)), status=201)


class WebhookItem(Endpoint):
    """One address."""

    actions = {"GET": "hook.view", "PATCH": "hook.change", "DELETE": "hook.remove"}

    @describe("webhooks_get", "Get an address that is told", Webhook)
    def get(self, request: Request, pk: str) -> Response:
        """Without its secret."""
        return Response(Webhook(self.find(selectors.own(self.actor), pk)).data)

    @describe("webhooks_change", "Change what an address is told", Webhook, body=WebhookChange)
    def patch(self, request: Request, pk: str) -> Response:
        """What waits goes to the new address."""
        hook = self.find(selectors.own(self.actor), pk)
        return Response(Webhook(hooks.change(actor=self.actor, hook=hook, **self.read(WebhookChange))).data)

    @describe("webhooks_remove", "Tell an address nothing any more", status=204)
    def delete(self, request: Request, pk: str) -> Response:
        """Its messages go with it."""
        hooks.remove(actor=self.actor, hook=self.find(selectors.own(self.actor), pk))
        return Response(status=204)


class WebhookRotate(Endpoint):
    """A new secret."""

    actions = {"POST": "hook.rotate"}

    @describe("webhooks_rotate", "Give an address a new secret", WebhookWithSecret, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """For a day the one before signs, too."""
        self.read(Nothing)
        return _secret(*hooks.rotate(actor=self.actor, hook=self.find(selectors.own(self.actor), pk)))


class WebhookTest(Endpoint):
    """A message that means nothing."""

    actions = {"POST": "hook.test"}

    @describe("webhooks_test", "Send an address a test message", WebhookMessage, status=201, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """Of the kind `hook.test`; a worker sends it."""
        self.read(Nothing)
        sent = hook_deliveries.send_test(actor=self.actor, hook=self.find(selectors.own(self.actor), pk))
        return Response(WebhookMessage(sent).data, status=201)


class WebhookMessageList(Endpoint):
    """What an address was told."""

    actions = {"GET": "hook.view"}
    is_list = True

    @describe("webhook_messages_list", "List the messages to an address, newest first", page_of(WebhookMessage))
    def get(self, request: Request, pk: str) -> Response:
        """Those of a month."""
        return self.page(selectors.of(self.find(selectors.own(self.actor), pk)), WebhookMessage)


class WebhookMessageResend(Endpoint):
    """One message again."""

    actions = {"POST": "hook.resend"}

    @describe("webhook_messages_resend", "Send a message again", WebhookMessage, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """Under the id that it had; not while it is on its way."""
        self.read(Nothing)
        delivery = self.find(selectors.deliveries(self.actor), pk)
        return Response(WebhookMessage(hook_deliveries.resend(actor=self.actor, delivery=delivery)).data)


def _secret(hook: HookRow, text: str, *, status: int = 200) -> Response:
    body = {**Webhook(hook).data, "secret": text}
    headers = {"Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = reverse("billing_api:webhook", args=[hook.pk])
    return Response(body, status=status, headers=headers)
