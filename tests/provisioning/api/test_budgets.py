"""How many queries each read may take: the same for one row as for many."""

from __future__ import annotations

import re
from functools import partial

from panel.core.scoping import everything
from provisioning.api import urls
from provisioning.models import (
    Address,
    Database,
    DatabaseUser,
    MailAlias,
    Mailbox,
    MailDomain,
    Operation,
    Preview,
    Record,
    Site,
    Zone,
)
from tests.provisioning import factories
from tests.provisioning.api.conftest import Program, Stage, queries

SIGN_IN = 4  # brand of the host, token, membership, organizations above

#: Route → queries of its own, beside those that find out who asks.
BUDGETS: dict[str, int] = {
    "/servers": 1,
    "/servers/{server}": 1,
    "/servers/{server}/addresses": 2,
    "/servers/{server}/addresses/{address}": 2,
    "/packages": 1,
    "/packages/{package}": 1,
    "/accounts": 1,
    "/accounts/{account}": 5,
    "/accounts/{account}/sites": 3,
    "/accounts/{account}/databases": 3,
    "/accounts/{account}/database-users": 3,
    "/accounts/{account}/mail-domains": 2,
    "/accounts/{account}/zones": 2,
    "/sites/{site}": 2,
    "/sites/{site}/aliases": 3,
    "/sites": 2,
    "/zones": 1,
    "/databases": 2,
    "/database-users": 2,
    "/mail-domains": 1,
    "/zones/{zone}": 1,
    "/zones/{zone}/records": 8,
    "/zones/{zone}/records/{record}": 2,
    "/databases/{database}": 2,
    "/database-users/{database_user}": 2,
    "/mail-domains/{mail_domain}": 1,
    "/mailboxes": 1,
    "/mailboxes/{mailbox}": 1,
    "/aliases": 1,
    "/aliases/{alias}": 1,
    "/operations": 1,
    "/operations/{operation}": 4,
    "/previews/{preview}": 1,
}


def fill(stage: Stage, start: int, count: int) -> None:
    """Give the provider and account A more of everything."""
    program = stage.program("reseller_a")
    with everything("test"):
        zone = Zone.objects.get(name="a-example.org").pk
        mail = MailDomain.objects.get(name="a-example.org").pk
        site = Site.objects.get(hosting=stage.account_a).pk
    account = f"/accounts/{stage.account_a.pk}"
    for number in range(start, start + count):
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
            "server": stage.server.pk,
            "address": Address.objects.get(server=stage.server).pk,
            "package": stage.package_a.pk,
            "account": stage.account_a.pk,
            "site": Site.objects.get(hosting=stage.account_a).pk,
            "zone": Zone.objects.get(name="a-example.org").pk,
            "record": Record.objects.earliest("id").pk,
            "database": Database.objects.earliest("id").pk,
            "database_user": DatabaseUser.objects.earliest("id").pk,
            "mail_domain": MailDomain.objects.get(name="a-example.org").pk,
            "mailbox": Mailbox.objects.earliest("id").pk,
            "alias": MailAlias.objects.earliest("id").pk,
            "operation": Operation.objects.filter(hosting=stage.account_a).earliest("id").pk,
            "preview": Preview.objects.get().pk,
        }


def count(program: Program, known: dict[str, str]) -> dict[str, int]:
    """Return the queries of every read."""
    program.get("/operations")  # the token's first use in a minute is noted
    return {route: queries(partial(program.get, route.format(**known))) for route in BUDGETS}


def test_reads_keep_within_their_budgets_however_much_there_is(stage: Stage):
    program = stage.program("provider")
    program.post("/previews", {"verb": "account.unsuspend", "arguments": {"account": stage.account_a.pk}})
    fill(stage, 0, 1)
    few = count(program, ids(stage))
    fill(stage, 1, 3)
    assert count(program, ids(stage)) == few
    over = {route: used - SIGN_IN for route, used in few.items() if used > BUDGETS[route] + SIGN_IN}
    assert over == {}


def test_every_read_has_a_budget():
    nameless = {re.sub(r"\{\w+\}", "{}", route) for route in BUDGETS}
    routes = {
        re.sub(r"<\w+:\w+>", "{}", f"/{route.pattern}")
        for route in urls.urlpatterns
        if "GET" in route.callback.view_class.actions  # type: ignore[attr-defined]
    }
    assert nameless == routes
