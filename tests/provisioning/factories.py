"""Rows that behaviour tests stand on: a server that is ready without a machine behind it, packages, accounts."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import Organization
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import Address, DriftItem, HostingAccount, Operation, Package, Rebuild, Server, Slice
from provisioning.services import hosting_accounts, packages

SYSTEM = Actor.system("test")


def server(provider: Organization, name: str = "web1", ip: str = "198.51.100.2", **values: Any) -> Server:
    """Make a server in state ready with a shared address; services only leave intents for it."""
    made = Server.objects.create(
        organization=provider,
        name=name,
        platform_name=f"{name}.platform.example",
        host=ip,
        **{"state": Server.State.READY, "debian": 13, "php_versions": ["8.4"], **values},
    )
    Address.objects.create(server=made, ip=ip, family=4)
    return made


def finding(part: Slice, key: str = "file:/etc/nginx/hostwright-sites/a.conf", **values: Any) -> DriftItem:
    """Make an open finding of drift in a slice."""
    now = timezone.now()
    defaults = {"kind": "changed", "service": "nginx", "diff": "-listen 80;\n+listen 81;\n", "digest": "d" * 64}
    return DriftItem.objects.create(
        server=part.server, slice=part, key=key, first_seen_at=now, last_seen_at=now, **{**defaults, **values}
    )


def rebuild(new: Server, name: str = "dead1") -> Rebuild:
    """Make a rebuild that is over: `new` has taken a dead server's place."""
    old = server(new.organization, name, "203.0.113.200", state=Server.State.RETIRED, closed=True)
    operation = Operation.objects.create(
        organization=new.organization, verb="server.rebuild", subject=name, server=new, status="applied"
    )
    return Rebuild.objects.create(
        old=old, new=new, operation=operation, state="switched", switched_at=timezone.now(), accounts=1
    )


def package(owner: Organization, name: str = "Basic", **values: Any) -> Package:
    """Make a package; its limits are generous unless given."""
    with everything("test"):
        return packages.create(actor=SYSTEM, organization=owner, name=name, **values)


def account(client: Organization, of: Package, domain: str, **values: Any) -> HostingAccount:
    """Order an account for a client; it needs a ready server."""
    with everything("test"):
        return hosting_accounts.create(actor=SYSTEM, organization=client, package=of, domain=domain, **values)[0]
