"""Base of every endpoint: actor, tenant scope, permission by action, strict input, pages, 202 and idempotent POST."""

from contextlib import ExitStack
from functools import partial
from typing import Any, ClassVar, TypeVar, cast

from django.db.models import Model, QuerySet
from django.http import HttpResponseBase
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from panel.core import audit, exports, scoping
from panel.core.actors import Actor
from panel.core.api.fields import missing
from panel.core.api.idempotency import idempotent
from panel.core.api.pagination import PAGING, page

Row = TypeVar("Row", bound=Model)


class CsvRenderer(JSONRenderer):
    """Lets a list be asked for as CSV; the list sends the file itself, so that only refusals come here, as JSON."""

    media_type = "text/csv"
    format = "csv"


class ApiView(APIView):
    """An endpoint. `actions` names the action of the permission table for each method that it answers. One with
    `while_suspended` answers programs of an organization that is suspended, too.

    A `post` method of a subclass honours the `Idempotency-Key` header without further ado. One that `asks_elsewhere` (a
    payment service) does so outside of a transaction, and does nothing twice by itself.
    """

    actions: ClassVar[dict[str, str]] = {}
    is_list: ClassVar[bool] = False
    while_suspended: ClassVar[bool] = False
    asks_elsewhere: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "post" in cls.__dict__:
            cls.post = idempotent(cls.__dict__["post"])  # type: ignore[attr-defined]

    @property
    def actor(self) -> Actor:
        """Who asks."""
        actor: Actor = self.request._request.actor  # type: ignore[attr-defined]
        return actor

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer within the tenant scope of whoever asks."""
        with ExitStack() as self._scope:
            return super().dispatch(request, *args, **kwargs)

    def get_renderers(self) -> list[BaseRenderer]:
        """Offer lists as CSV, too: `Accept: text/csv` or `?format=csv`."""
        found: list[BaseRenderer] = list(super().get_renderers())
        return [*found, CsvRenderer()] if self.is_list and self.request.method in ("GET", "HEAD") else found

    def perform_authentication(self, request: Request) -> None:
        """Find out who asks and open their tenant scope."""
        super().perform_authentication(request)
        actor = getattr(request._request, "actor", None)
        if actor is not None:
            self._scope.enter_context(scoping.tenant(actor.path))

    def handle_exception(self, exc: Exception) -> Response:
        """Answer with a problem document, and note refused access in the audit log."""
        answer = super().handle_exception(exc)
        actor = getattr(self.request._request, "actor", None)
        if actor is not None and answer.status_code in (403, 404):
            audit.refused(actor, f"{self.request.method} {self.request.path}")
        return answer

    def find(self, rows: QuerySet[Row], pk: str, field: str = "") -> Row:
        """Return the row, or raise NotFound, the same whether there is none or it is another tenant's; `field` names
        it where a body does.
        """
        found = rows.filter(pk=pk).first() if "\0" not in pk else None
        if found is None:
            missing(field)
        return found

    def query(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """Return the query's values; a filter that does not exist is refused, as it would list too much."""
        given = {name: value for name, value in self.request.query_params.items() if name not in PAGING}
        asked = serializer(data=given, context={"actor": self.actor})
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = asked.validated_data
        return values

    def read(self, serializer: type[BaseSerializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """Return the request's values; raises ValidationError naming the fields that are wrong, missing or unknown."""
        given = serializer(data=self.request.data, partial=partial)
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = given.validated_data
        return values

    def page(self, rows: QuerySet[Any], serializer: type[BaseSerializer[Any]], **context: Any) -> Response:
        """Answer with one page of `rows`: `{"items": […], "next": address or null}`; serializers get `context`.

        As CSV it is all rows at once, a column for each field of the items.
        """
        if self.as_file:
            return self.file(rows.order_by("-pk"), serializer, **context)
        items, following = page(self.request, rows)
        return Response({"items": serializer(items, many=True, context=context).data, "next": following})

    @property
    def as_file(self) -> bool:
        """Whether a list is asked for as CSV."""
        return bool(self.request.accepted_renderer.format == CsvRenderer.format)

    def file(self, rows: QuerySet[Any] | list[Any], serializer: type[BaseSerializer[Any]], **context: Any) -> Response:
        """Answer with all of `rows` as a CSV file named by the address."""
        name = self.request.path.rstrip("/").rpartition("/")[2]
        fields = list(serializer().fields)  # type: ignore[attr-defined]
        write = partial(_written, serializer, context)
        # The framework lets every kind of answer through.
        return cast(Response, exports.of_rows(self.request._request, rows, name, fields, write))

    def created(self, body: Any, url: str) -> Response:
        """Answer 201 with the new object and its address."""
        return Response(body, status=201, headers={"Location": url})

    def accepted(self, operation_id: str, url: str, **more: Any) -> Response:
        """Answer 202 with the operation that goes on, and where it can be watched."""
        return Response({"operation": operation_id, "url": url, **more}, status=202, headers={"Location": url})


def _written(serializer: type[BaseSerializer[Any]], context: dict[str, Any], rows: list[Any]) -> Any:
    return serializer(rows, many=True, context=context).data
