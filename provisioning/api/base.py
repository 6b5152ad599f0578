"""What the endpoints of provisioning share: rows by id, checked values, answers that name an operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from panel.core.api.pagination import PAGING
from panel.core.api.serializers import StrictSerializer
from panel.core.api.views import ApiView
from panel.core.errors import DomainError
from provisioning.api import fields
from provisioning.models import Operation as OperationRow
from provisioning.selectors import servers

Method = TypeVar("Method", bound=Callable[..., Any])
Document = serializers.Serializer[Any]


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


class Nothing(StrictSerializer):
    """No fields: the address says it all."""


class Endpoint(ApiView):
    """An endpoint of provisioning; `actions` says by method what is asked of the object in the address."""

    @property
    def action(self) -> str:
        """The action of the request's method."""
        method = "GET" if self.request.method in ("HEAD", None) else self.request.method
        return self.actions[str(method)]

    def find(self, rows: QuerySet[Any], pk: str) -> Any:
        """Return the row with this id if the caller may do the view's action with it; raises NotFound or Forbidden."""
        return fields.find(rows, pk, self.actor, self.action)

    def read(self, serializer: type[Any], *, partial: bool = False) -> dict[str, Any]:
        """Return the body's values by the names that services have for them."""
        return self._checked(serializer(data=self.request.data, partial=partial, context={"actor": self.actor}))

    def query(self, serializer: type[StrictSerializer]) -> dict[str, Any]:
        """Return the query's values; a filter that does not exist is refused, as it would list too much."""
        given = {name: value for name, value in self.request.query_params.items() if name not in PAGING}
        return self._checked(serializer(data=given, context={"actor": self.actor}))

    def shown(self, operation: OperationRow) -> Any:
        """Return an operation as the caller may read it."""
        return Operation(operation, context={"actor": self.actor}).data

    def started(self, operation: OperationRow, **made: Document) -> Response:
        """Answer 202: what was made, and the operation that makes it so, at Location."""
        parts = {name: document.data for name, document in made.items()}
        body = {**parts, "operation": self.shown(operation)}
        return Response(body, status=202, headers={"Location": body["operation"]["url"]})

    @staticmethod
    def _checked(given: Document) -> dict[str, Any]:
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = given.validated_data
        return values


@contextmanager
def naming(**names: str) -> Iterator[None]:
    """Let refusals from inside the block name fields as bodies do: `naming(organization="client")`."""
    try:
        yield
    except DomainError as error:
        error.field = names.get(error.field, error.field) if error.field else None
        error.errors = {names.get(name, name): texts for name, texts in error.errors.items()}
        raise


def describe(
    name: str,
    summary: str,
    answer: type[Document] | Document | None = None,
    *,
    status: int = 200,
    body: type[Document] | None = None,
    query: type[Document] | None = None,
) -> Callable[[Method], Method]:
    """Say what a method takes and answers, for the OpenAPI document, where `name` is its operationId."""
    mark: Callable[[Method], Method] = extend_schema(
        operation_id=name,
        summary=summary,
        request=body,
        parameters=[query] if query else [],
        responses={status: answer},
    )
    return mark


@cache
def page_of(document: type[Document]) -> type[Document]:
    """Describe a page of a list."""
    parts = {"items": document(many=True), "next": serializers.CharField(allow_null=True)}
    return type(inline_serializer(f"{document.__name__}Page", parts))


@cache
def started_of(**made: type[Document]) -> type[Document]:
    """Describe an answer 202: what was made, and the operation."""
    name = "".join(document.__name__ for document in made.values()) or "Operation"
    parts = {key: document() for key, document in made.items()}
    return type(inline_serializer(f"{name}Started", {**parts, "operation": Operation()}))
