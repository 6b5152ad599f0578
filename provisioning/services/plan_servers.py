"""The servers that accounts below the resellers of a plan may be on. What is there already stays where it is."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts.models import Organization, ResellerPlan
from panel.core import audit, policy
from panel.core.actors import Actor
from provisioning.models import PlanServer, Server
from provisioning.selectors import servers as selectors


def set(*, actor: Actor, plan: ResellerPlan, servers: Sequence[Server]) -> None:
    """Let new accounts below the plan be on `servers` only; without any, on all. For the provider."""
    policy.require(actor, "plan.change", plan)
    for server in servers:
        policy.require(actor, "server.view", server)
    policy.require(actor, "server.view")
    with transaction.atomic():
        ResellerPlan.objects.select_for_update(of=("self",), no_key=True).get(pk=plan.pk)
        before = [row.name for row in selectors.of_plan(plan)]
        PlanServer.objects.filter(plan=plan).delete()
        PlanServer.objects.bulk_create(PlanServer(plan=plan, server=server) for server in servers)
        after = sorted(server.name for server in servers)
        audit.record(actor, "plan.change", plan, audit.difference(_told(plan, before), _told(plan, after)))


def _told(plan: ResellerPlan, names: Sequence[str]) -> dict[str, object]:
    """Return what the audit log keeps: a reseller reads of their plan how many servers, and none of their names."""
    is_providers = plan.organization.kind == Organization.Kind.PROVIDER
    return {"servers": list(names) if is_providers else len(names)}
