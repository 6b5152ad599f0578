"""Previews as pages and the API read them."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Brand
from panel.core.actors import Actor
from provisioning import words
from provisioning.models import Preview
from provisioning.selectors import servers
from provisioning.spec import paths


def of_actor(actor: Actor) -> QuerySet[Preview]:
    """Previews that this very actor asked for; nobody else sees them."""
    rows = Preview.objects.filter(organization_id=actor.organization_id, actor__user_id=actor.user_id)
    return rows.select_related("organization")


def plans(preview: Preview, actor: Actor) -> list[dict[str, Any]]:
    """Return what a preview would change, server by server, as `actor` may read it.

    Who may not know servers reads what each is for, and of what is the server's own sees the pages of their brands
    only: its other files speak of the machine and of other people's brands.
    """
    found: list[dict[str, Any]] = preview.result.get("servers", [])
    if servers.shown_to(actor) or not found:
        return found
    brands = Brand.objects.filter(organization__path__startswith=actor.path).values_list("pk", flat=True)
    return [_veiled(plan, {f"{paths.PAGES}/{brand}" for brand in brands}) for plan in found]


def _veiled(plan: Mapping[str, Any], pages: Set[str]) -> dict[str, Any]:
    name, shown = plan["server"], words.server(plan.get("roles", ()))

    def change(row: Mapping[str, Any]) -> dict[str, Any]:
        if row.get("subject") != name:
            return dict(row)
        path = row["key"].partition(":")[2]
        if any(path == page or path.startswith(f"{page}/") for page in pages):
            return {**row, "subject": shown}
        return {**row, "subject": shown, "diff": "", "reason": _("Part of the server itself: the provider reads it.")}

    problems = [
        {**problem, "subject": shown if problem["subject"] == name else problem["subject"]}
        for problem in plan.get("problems", ())
    ]
    return {**plan, "server": shown, "changes": [change(row) for row in plan["changes"]], "problems": problems}
