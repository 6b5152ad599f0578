"""Ten thousand accounts in the database, with what lists, dashboards and charts read of them; no server has them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Organization
from accounts.models.plans import FEATURES
from accounts.services import organizations
from panel.core.scoping import everything
from panel.demo import world
from provisioning.models import (
    Address,
    Domain,
    HostingAccount,
    Operation,
    Package,
    Placement,
    Server,
    Site,
    SiteName,
    Slice,
    UsageDay,
    UsageNow,
    Zone,
)
from provisioning.services import databases, hosting_accounts, packages

ACCOUNTS = 10_000
CLIENTS = 200
DAYS = 14
FIRST_UID = 500_000
GB = 10**9
BATCH = 2_000


def make(provider: Organization, reseller: Organization) -> tuple[Organization, HostingAccount]:
    """Fill the database below `reseller`; returns a client and an account of it that was ordered as people do."""
    with everything("bench"):
        server = _server(provider)
        package = packages.create(
            actor=world.SYSTEM, organization=reseller, name="Bench", disk_bytes=10 * GB, features=list(FEATURES)
        )
        clients = [
            organizations.create_client(actor=world.SYSTEM, parent=reseller, name=f"Client {number:03}")
            for number in range(CLIENTS)
        ]
        _fill(server, package, clients)
        hosting, _operation = hosting_accounts.create(
            actor=world.SYSTEM, organization=clients[0], package=package, domain="ordered.example"
        )
        for name in ("shop", "blog"):
            databases.create(actor=world.SYSTEM, hosting=hosting, name=name)
    return clients[0], hosting


def _server(provider: Organization) -> Server:
    made = Server.objects.create(
        organization=provider,
        name="web1",
        platform_name="web1.platform.example",
        host="198.51.100.2",
        state=Server.State.READY,
        debian=13,
        php_versions=["8.4"],
    )
    Address.objects.create(server=made, ip="198.51.100.2", family=4)
    return made


def _fill(server: Server, package: Package, clients: list[Organization]) -> None:
    hostings = _keep(
        HostingAccount(
            organization=clients[number % CLIENTS],
            package=package,
            username=f"u{number}",
            uid=FIRST_UID + number,
            domain=f"site-{number:05}.example",
        )
        for number in range(ACCOUNTS)
    )
    domains = _keep(Domain(hosting=item, name=item.domain, kind="primary") for item in hostings)
    sites = _keep(
        Site(hosting=item, domain=domain, php_version="8.4") for item, domain in zip(hostings, domains, strict=True)
    )
    _keep(
        SiteName(site=site, hostname=domain.name, kind="primary", domain=domain)
        for site, domain in zip(sites, domains, strict=True)
    )
    _keep(Zone(hosting=item, domain=domain, name=domain.name) for item, domain in zip(hostings, domains, strict=True))
    _keep(Placement(hosting=item, service=name, server=server) for item in hostings for name in Placement.Service)
    _keep(Slice(server=server, hosting=item, generation=1, applied=1) for item in hostings)
    _keep(
        Operation(
            organization=item.organization,
            hosting=item,
            verb="account.create",
            subject=item.domain,
            status=Operation.Status.APPLIED,
        )
        for item in hostings
    )
    _usage(server, hostings)


def _usage(server: Server, hostings: list[HostingAccount]) -> None:
    today = timezone.now().date()
    figures = {"disk_bytes": 2 * GB, "inodes": 5_000, "mail_bytes": GB // 10, "database_bytes": GB // 20}
    traffic = {"web_bytes": GB, "web_requests": 4_000, "measured_at": timezone.now()}
    _keep(UsageNow(hosting=item, server=server, month=today.replace(day=1), **figures, **traffic) for item in hostings)
    _keep(
        UsageDay(hosting=item, server=server, date=today - timedelta(days=day), **figures, **traffic)
        for item in hostings
        for day in range(DAYS)
    )


def _keep(rows: Any) -> list[Any]:
    """Insert rows of one model; returns them."""
    made = list(rows)
    return list(type(made[0])._base_manager.bulk_create(made, batch_size=BATCH))
