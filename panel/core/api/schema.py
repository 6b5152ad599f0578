"""The OpenAPI document: operation names, tags, the Idempotency-Key header, problem documents as every other answer."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

PROBLEM = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable; for programs."},
        "field": {"type": "string", "nullable": True},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
    "required": ["type", "title", "status", "detail", "code", "field", "errors"],
}
_PAGE = (
    OpenApiParameter("cursor", str, description="From the `next` address of the page before."),
    OpenApiParameter("limit", int, description="1 to 200 items, 50 by default."),
)
_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Repeating the request with the same key within 24 hours gets the same answer and does nothing twice.",
)


class Schema(AutoSchema):
    """Describes an `ApiView`."""

    def get_override_parameters(self) -> list[Any]:
        """Add what every POST and every list takes."""
        if self.method == "POST":
            return [_KEY]
        return list(_PAGE) if self.method == "GET" and getattr(self.view, "is_list", False) else []

    def get_tags(self) -> list[str]:
        """Group by the first part of the path after the version."""
        parts = [part for part in self.path.split("/") if part]
        return [parts[2] if len(parts) > 2 else "api"]

    def get_operation_id(self) -> str:
        """Name the operation by method and path: `organizations_list`, `organizations_suspend`."""
        parts = [part for part in self.path.split("/") if part][2:]
        nouns = [part for part in parts if not part.startswith("{")]
        verbs = {"GET": "get", "PATCH": "change", "PUT": "set", "DELETE": "remove"}
        if self.method == "POST":
            verb = (
                "create" if not parts[-1].startswith("{") and not any(part.startswith("{") for part in parts) else "do"
            )
        else:
            verb = "list" if getattr(self.view, "is_list", False) and self.method == "GET" else verbs[self.method]
        return "_".join([*nouns, verb]).replace("-", "_")


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of the panel's pages."""

    target_class = "panel.core.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the scheme's description."""
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class StrictBodies(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Bodies that take no other fields say so."""

    target_class = "panel.core.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> Any:
        """Return the serializer's description, closed when it is a body."""
        described = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # type: ignore[no-untyped-call]
        return {**described, "additionalProperties": False} if direction == "request" else described


def describe_pages(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe the answer of every list: a page of its items, or all of them as CSV."""
    for path in result.get("paths", {}).values():
        for operation in path.values():
            paged = any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))
            content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
            if paged:
                operation["responses"]["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
            if paged and content.get("schema", {}).get("type") == "array":
                content["schema"] = {
                    "type": "object",
                    "properties": {"items": content["schema"], "next": {"type": "string", "nullable": True}},
                    "required": ["items", "next"],
                }
    return result


def add_problem_responses(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Give every operation the problem document as its default answer."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    reference = {"$ref": "#/components/schemas/Problem"}
    for path in result.get("paths", {}).values():
        for operation in path.values():
            operation["responses"]["default"] = {
                "description": "A refusal.",
                "content": {"application/problem+json": {"schema": reference}},
            }
    return result
