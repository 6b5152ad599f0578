"""The servers that accounts below the resellers of a plan may be on. What is there already stays where it is."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts.models import ResellerPlan
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
        audit.record(actor, "plan.change", plan, audit.difference({"servers": before}, {"servers": after}))
