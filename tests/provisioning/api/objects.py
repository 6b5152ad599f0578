"""More on the stage: one and more of everything that account A can hold, and the ids of it."""

from __future__ import annotations

from django.utils import timezone

from panel.core.scoping import everything
from provisioning.models import (
    Address,
    BrandScan,
    Database,
    DatabaseUser,
    DriftCheck,
    DriftItem,
    MailAlias,
    Mailbox,
    MailDomain,
    Operation,
    Pin,
    Preview,
    Rebuild,
    Record,
    Site,
    SiteName,
    Slice,
    Zone,
)
from provisioning.services import drift
from tests.provisioning import factories
from tests.provisioning.api.conftest import Stage


def fill(stage: Stage, start: int, count: int) -> None:
    """Give the provider and account A more of everything."""
    program = stage.program("reseller_a")
    with everything("test"):
        zone = Zone.objects.get(name="a-example.org").pk
        mail = MailDomain.objects.get(name="a-example.org").pk
        site = Site.objects.get(hosting=stage.account_a).pk
    account = f"/accounts/{stage.account_a.pk}"
    part = Slice.objects.get(hosting=stage.account_a)
    if not Rebuild.objects.exists():
        factories.rebuild(stage.server)
    for number in range(start, start + count):
        BrandScan.objects.create(organization=stage.cast.reseller_a.organization, host="a.example", status="clean")
        factories.finding(part, f"file:/etc/{number}")
        drift.pin(actor=factories.SYSTEM, item=factories.finding(part, f"file:/etc/pinned{number}"))
        DriftCheck.objects.create(
            server=stage.server, status="clean", next_at=timezone.now(), finished_at=timezone.now()
        )
        factories.server(stage.cast.provider.organization, f"more{number}", f"203.0.113.{number + 1}", closed=True)
        factories.package(stage.cast.reseller_a.organization, f"More {number}")
        factories.account(stage.cast.client_a.organization, stage.package_a, f"more{number}-example.org")
        program.post(f"{account}/databases", {"name": f"d{number}"})
        program.post(f"{account}/database-users", {"name": f"u{number}", "password": "a-Long-enough-9"})
        program.post(f"/zones/{zone}/records", {"type": "A", "name": f"n{number}", "content": "203.0.113.9"})
        program.post(f"/sites/{site}/aliases", {"hostname": f"alias{number}-example.org"})
        program.post("/mailboxes", {"mail_domain": mail, "local": f"m{number}", "password": "a-Long-enough-9"})
        body = {"mail_domain": mail, "local": f"a{number}", "destinations": ["x@elsewhere.example"]}
        program.post("/aliases", body)


def ids(stage: Stage) -> dict[str, str]:
    """Return one object of each kind, all of account A."""
    with everything("test"):
        return {
            "scan": BrandScan.objects.earliest("id").pk,
            "server": stage.server.pk,
            "address": Address.objects.get(server=stage.server).pk,
            "package": stage.package_a.pk,
            "account": stage.account_a.pk,
            "organization": stage.account_a.organization_id,
            "seller": stage.cast.reseller_a.organization.id,
            "site": Site.objects.get(hosting=stage.account_a).pk,
            "site_name": SiteName.objects.get(hostname="alias0-example.org").pk,
            "zone": Zone.objects.get(name="a-example.org").pk,
            "record": Record.objects.earliest("id").pk,
            "database": Database.objects.earliest("id").pk,
            "database_user": DatabaseUser.objects.earliest("id").pk,
            "mail_domain": MailDomain.objects.get(name="a-example.org").pk,
            "mailbox": Mailbox.objects.earliest("id").pk,
            "alias": MailAlias.objects.earliest("id").pk,
            "operation": Operation.objects.filter(hosting=stage.account_a).earliest("id").pk,
            "preview": Preview.objects.get().pk,
            "rebuild": Rebuild.objects.get().pk,
            "drift": DriftItem.objects.filter(state="open").earliest("id").pk,
            "pin": Pin.objects.earliest("id").pk,
        }
