"""What the endpoints of provisioning share: rows by id, checked values, answers that name an operation."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from panel.core.api import endpoints
from panel.core.api.endpoints import Document, Nothing, describe, naming, page_of
from provisioning.models import Operation as OperationRow
from provisioning.selectors import servers

__all__ = ["Document", "Endpoint", "Nothing", "Operation", "describe", "naming", "page_of", "started_of"]


class Operation(Document):
    """What was asked for and where it stands. `pending`, `running` and `waiting` are open; the others are final."""

    id = serializers.CharField()
    url = serializers.SerializerMethodField(help_text="Where it can be watched.")
    verb = serializers.CharField(help_text="What was asked for, such as `account.create`.")
    subject = serializers.CharField(help_text="What it is about, in words: a domain, an address.")
    status = serializers.ChoiceField(choices=OperationRow.Status.choices)
    reason = serializers.CharField(help_text="Why it waits or was rejected; else empty.")
    account = serializers.CharField(source="hosting_id", allow_null=True)
    server = serializers.SerializerMethodField(help_text="Null too for who may not know servers.")
    batch = serializers.CharField(help_text="Common to what was asked for at once; empty for what stands alone.")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_url(self, operation: OperationRow) -> str:
        """Return its address."""
        return reverse("provisioning_api:operation", args=[operation.pk])

    def get_server(self, operation: OperationRow) -> str | None:
        """Return the server's id to who may know it."""
        return operation.server_id if servers.shown_to(self.context["actor"]) else None


class Endpoint(endpoints.Endpoint):
    """An endpoint of provisioning, which answers with operations."""

    def shown(self, operation: OperationRow) -> Any:
        """Return an operation as the caller may read it."""
        return Operation(operation, context={"actor": self.actor}).data

    def started(self, operation: OperationRow, **made: Document) -> Response:
        """Answer 202: what was made, and the operation that makes it so, at Location."""
        parts = {name: document.data for name, document in made.items()}
        body = {**parts, "operation": self.shown(operation)}
        return Response(body, status=202, headers={"Location": body["operation"]["url"]})


@cache
def started_of(**made: type[Document]) -> type[Document]:
    """Describe an answer 202: what was made, and the operation."""
    name = "".join(document.__name__ for document in made.values()) or "Operation"
    parts = {key: document() for key, document in made.items()}
    return type(inline_serializer(f"{name}Started", {**parts, "operation": Operation()}))
