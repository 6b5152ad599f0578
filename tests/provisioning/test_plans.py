"""Plans: what they rest on, when they have expired, and the plan of a whole server; on the real node program."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from accounts.services import brands
from panel.core.actors import Actor
from panel.core.errors import Conflict
from provisioning import preview as preview_engine
from provisioning.models import HostingAccount, Operation, Placement, Preview, Site
from provisioning.services import addresses, mailboxes, previews
from tests.provisioning.engine import Bench, bench
from tests.provisioning.ground import rows, touch

__all__ = ["bench"]

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"


def planned(bench: Bench, verb: str = "mailbox.create", **arguments: Any) -> Preview:
    """Ask for a plan as the reseller and work it out."""
    wanted = arguments or {"mail_domain": bench.ground.mail_domain.id, "local": "anna", "quota_bytes": 10**9}
    preview = previews.request(actor=bench.ground.cast.reseller_a.actor, verb=verb, arguments=wanted)
    preview_engine.build(preview.id)
    preview.refresh_from_db()
    assert preview.status == "ready", preview.result
    return preview


def confirmed(bench: Bench, preview: Preview) -> Operation:
    """Confirm a plan as the reseller."""
    actor = bench.ground.cast.reseller_a.actor
    operation = previews.confirm(actor=actor, preview=preview, secrets={"password": PASSWORD})[1]
    assert operation is not None
    return operation


def suspend(bench: Bench) -> Preview:
    """Work out the plan of a suspension."""
    return planned(bench, "account.suspend", hosting=bench.ground.account_a.id, reason="")


def by_the_same_person(bench: Bench) -> None:
    mailboxes.create(
        actor=SYSTEM, mail_domain=bench.ground.mail_domain, local="zoe", password=PASSWORD, quota_bytes=10**9
    )


def by_another_carried_out(bench: Bench) -> None:
    touch(bench.ground.account_a)
    bench.run()


def by_the_servers_own_row(bench: Bench) -> None:
    addresses.add(actor=SYSTEM, server=bench.server, ip="198.51.100.77")


def by_the_brand(bench: Bench) -> None:
    brands.set(actor=SYSTEM, organization=bench.ground.cast.reseller_a.organization, hostmaster="dns@a.example")


@pytest.mark.parametrize(
    "change",
    [by_the_same_person, by_another_carried_out, by_the_servers_own_row, by_the_brand],
    ids=lambda it: it.__name__,
)
def test_a_plan_whose_ground_has_changed_is_not_carried_out(bench: Bench, change: Callable[[Bench], Any]):
    bench.run()
    preview = suspend(bench)
    change(bench)
    before = rows()
    for _attempt in range(2):
        with pytest.raises(Conflict) as caught:
            confirmed(bench, preview)
        assert caught.value.code == "plan_outdated"
    assert rows() == before
    preview.refresh_from_db()
    assert preview.status == "outdated"
    assert HostingAccount.objects.get(pk=bench.ground.account_a.pk).status == "active"
    anew = previews.again(actor=bench.ground.cast.reseller_a.actor, preview=preview)
    preview_engine.build(anew.id)
    confirmed(bench, Preview.objects.get(pk=anew.pk))
    bench.run()
    assert HostingAccount.objects.get(pk=bench.ground.account_a.pk).status == "suspended"


def test_a_plan_outlives_what_happens_to_others(bench: Bench):
    bench.run()
    preview = suspend(bench)
    touch(bench.ground.account_b)
    bench.run()
    confirmed(bench, preview)


def test_a_plan_of_what_waits_is_outdated_once_it_has_been_carried(bench: Bench):
    preview = suspend(bench)  # The account's own creation still waits, so that the plan shows it too.
    bench.run()
    with pytest.raises(Conflict):
        confirmed(bench, preview)


def test_the_plan_of_a_whole_server_shows_drift_and_tells_of_what_is_in_the_way(bench: Bench):
    bench.run()
    actor = bench.ground.cast.provider.actor
    with sqlite3.connect(bench.at("/var/lib/hostwright/mail/mail.sqlite")) as database:
        database.execute("DELETE FROM domain WHERE name = 'a-site.org'")
    tree = bench.tree()
    plan = preview_engine.work_out(actor=actor, verb="server.reconcile", arguments={"server": bench.server.id})
    assert bench.tree() == tree
    (shown,) = plan.servers
    of_accounts = [change for change in shown["changes"] if change["subject"] != "web1"]
    assert [(change["subject"], change["key"], change["change"]) for change in of_accounts] == [
        ("a-site.org", "row:domain:a-site.org", "add")
    ]
    assert (shown["counts"]["add"], shown["removals"], shown["problems"]) == (len(shown["changes"]), 0, [])
    Site._base_manager.filter(hosting=bench.ground.account_b).update(docroot="../../etc")
    Placement.objects.create(hosting=bench.ground.account_b, service="web", server=bench.server)
    plan = preview_engine.work_out(actor=actor, verb="server.reconcile", arguments={"server": bench.server.id})
    assert [problem["subject"] for problem in plan.servers[0]["problems"]] == ["b-site.org"]


def test_a_brands_change_reaches_its_accounts_and_no_others(bench: Bench):
    bench.run()
    owner = bench.ground.cast.reseller_a
    plan = preview_engine.work_out(
        actor=owner.actor,
        verb="brand.change",
        arguments={"organization": owner.organization.id, "hostmaster": "dns@a.example"},
    )
    (shown,) = plan.servers
    assert {change["subject"] for change in shown["changes"]} == {"a-site.org"}
    assert any("dns@a.example" in change["diff"] for change in shown["changes"])
    assert not Operation.objects.filter(verb="brand.change").exists()
    brands.set(actor=owner.actor, organization=owner.organization, hostmaster="dns@a.example")
    operation = Operation.objects.get(verb="brand.change")
    assert [target.slice.hosting for target in operation.targets.all()] == [bench.ground.account_a]
    bench.run()
    operation.refresh_from_db()
    assert operation.status == "applied"
    brands.set(actor=owner.actor, organization=owner.organization, name="Other words", hostmaster="dns@a.example")
    assert Operation.objects.filter(verb="brand.change").count() == 1
