"""What lists across accounts have in common: a search by name, and one account's own."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from panel.core.api.serializers import StrictSerializer
from provisioning.api.fields import Reference, Text
from provisioning.selectors import hosting_accounts


class HoldingQuery(StrictSerializer):
    """Which of the things that accounts hold to list."""

    q = Text(required=False, max_length=100, help_text="Part of the name.")
    account = Reference(hosting_accounts.listed, "account.view", required=False, help_text="Of this account.")


def narrowed(rows: QuerySet[Any], wanted: dict[str, Any], name: str = "name") -> QuerySet[Any]:
    """Return the rows that a `HoldingQuery` asks for; `name` is the field that its `q` looks in."""
    if "q" in wanted:
        rows = rows.filter(**{f"{name}__icontains": wanted["q"]})
    return rows.filter(hosting=wanted["account"]) if "account" in wanted else rows
