"""How many queries each read may take: the same for one row as for many."""

from __future__ import annotations

import re
from functools import partial

from accounts.models.plans import FEATURES
from provisioning.api import urls
from tests.provisioning import factories
from tests.provisioning.api.conftest import Program, Stage, queries
from tests.provisioning.api.objects import fill, ids

SIGN_IN = 5  # brand of the host, token, membership, organizations above and their sign-in policies

#: Route → queries of its own, beside those that find out who asks.
BUDGETS: dict[str, int] = {
    "/brand-scans": 1,
    "/brand-scans/{scan}": 1,
    "/organizations/{seller}/brand/pages": 4,
    "/organizations/{seller}/brand/skeleton": 3,
    "/organizations/{seller}/name-servers": 13,
    "/servers": 1,
    "/servers/{server}": 1,
    "/servers/{server}/addresses": 2,
    "/servers/{server}/addresses/{address}": 2,
    "/servers/{server}/usage": 4,
    "/organizations/{organization}/usage": 4,
    "/servers/{server}/drift": 2,
    "/servers/{server}/drift/checks": 2,
    "/servers/{server}/drift/exceptions": 2,
    "/rebuilds/{rebuild}": 2,
    "/drift/{drift}": 1,
    "/drift-exceptions/{pin}": 1,
    "/packages": 1,
    "/packages/{package}": 1,
    "/accounts": 1,
    "/accounts/{account}": 6,
    "/accounts/{account}/usage": 7,
    "/accounts/{account}/limits": 3,
    "/accounts/{account}/sites": 3,
    "/accounts/{account}/databases": 3,
    "/accounts/{account}/database-users": 3,
    "/accounts/{account}/mail-domains": 2,
    "/accounts/{account}/zones": 2,
    "/sites/{site}": 3,
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
    "/operations/{operation}": 7,
    "/previews/{preview}": 1,
}


ORDER = 102  # an account with a database and a login, savepoints and the look for unpaid sellers included


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


def test_an_order_keeps_within_its_budget(stage: Stage):
    package = factories.package(stage.cast.reseller_a.organization, name="Remote", features=list(FEATURES))
    program = stage.program("reseller_a")
    database = {"name": "shop", "password": "a-Pass.word1", "host": "%"}
    order = {"client": stage.account_a.organization_id, "package": package.pk, "database": database}
    program.post("/accounts", {**order, "domain": "c-example.org"})  # counters are made
    used = queries(partial(program.post, "/accounts", {**order, "domain": "d-example.org"}))
    assert used <= ORDER


def test_every_read_has_a_budget():
    nameless = {re.sub(r"\{\w+\}", "{}", route) for route in BUDGETS}
    routes = {
        re.sub(r"<\w+:\w+>", "{}", f"/{route.pattern}")
        for route in urls.urlpatterns
        if "GET" in route.callback.view_class.actions  # type: ignore[attr-defined]
    }
    assert nameless == routes
