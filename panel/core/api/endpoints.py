"""What the endpoints of apps share: rows by id, checked values, pages of lists, and how the document describes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers

from panel.core.api import fields
from panel.core.api.serializers import StrictSerializer
from panel.core.api.views import ApiView
from panel.core.errors import DomainError

Method = TypeVar("Method", bound=Callable[..., Any])
Document = serializers.Serializer[Any]


class Nothing(StrictSerializer):
    """No fields: the address says it all."""


class Endpoint(ApiView):
    """An endpoint; `actions` says by method what is asked of the object in the address."""

    @property
    def action(self) -> str:
        """The action of the request's method."""
        method = "GET" if self.request.method in ("HEAD", None) else self.request.method
        return self.actions[str(method)]

    def find(self, rows: QuerySet[Any], pk: str, field: str = "") -> Any:
        """Return the row with this id if the caller may do the view's action with it; raises NotFound or Forbidden."""
        return fields.find(rows, pk, self.actor, self.action, field)

    def read(self, serializer: type[Any], *, partial: bool = False) -> dict[str, Any]:
        """Return the body's values by the names that services have for them."""
        given = serializer(data=self.request.data, partial=partial, context={"actor": self.actor})
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
