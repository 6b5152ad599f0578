"""From an order to a live account and back to nothing, on a real server, as the worker does it over SSH."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pymysql
import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from panel.core.scoping import everything
from panel.demo.proofs import dns_answer, http_get
from provisioning.models import DatabaseUser, HostingAccount, Operation, Run
from provisioning.selectors import usage
from provisioning.services import database_users, databases, hosting_accounts, servers
from tests.cast import person
from tests.provisioning import engine_world
from tests.provisioning.engine_world import PASSWORD, SYSTEM, World, fresh, prove, rejected, settled
from tests.servers import Server

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def world(
    module_server: Server, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """A server that was set up over SSH, shared by this module: every test has accounts of its own."""
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        yield engine_world.make(module_server)


def test_an_order_becomes_a_live_account_and_the_same_again_changes_nothing(world: World) -> None:
    _hosting, operation, live = world.full("alpha.example")
    assert world.reconcile() is None
    settled(operation)
    prove(live)
    with everything("test"):
        again = servers.reconcile(actor=SYSTEM, server=world.row)
    assert world.reconcile() is None
    settled(again)
    run = Run.objects.filter(server=world.row).latest("id")
    assert (run.status, run.changes, run.reloads) == (Run.Status.APPLIED, 0, {})
    prove(live)


def test_what_an_account_uses_is_measured_over_ssh(world: World) -> None:
    hosting, operation, live = world.full("measured.example")
    world.reconcile()
    settled(operation)
    prove(live)
    printed = StringIO()
    call_command("usage", world.row.name, stdout=printed)
    assert "measured.example: " in printed.getvalue()
    with everything("test"):
        use = usage.now_of([hosting])[hosting.pk]
        (site,) = usage.sites_of(hosting)
        databases = usage.databases_of(hosting)
        load = usage.server_load(world.row)
    assert use.mail_bytes
    assert use.disk_bytes
    assert use.disk_bytes > use.mail_bytes
    assert site[0] == "measured.example"
    assert site[2] >= 1
    assert databases[live.database] > 0
    assert load is not None
    assert load.memory_bytes


def test_suspended_and_released(world: World) -> None:
    hosting, _operation, live = world.full("susi.example")
    world.reconcile()
    with everything("test"):
        suspension = hosting_accounts.suspend(actor=SYSTEM, hosting=hosting)
    world.reconcile()
    settled(suspension)
    status, headers, body = http_get(world.address, "www.susi.example")
    assert (status, "retry-after" in headers, "susi.example" in body) == (503, True, False)
    assert world.address in dns_answer(world.address, "susi.example", "A")
    with pytest.raises(pymysql.err.OperationalError):
        login(live.database_user, world.address)
    with everything("test"):
        release = hosting_accounts.unsuspend(actor=SYSTEM, hosting=hosting)
    world.reconcile()
    settled(release)
    prove(live)


def test_the_words_that_a_reseller_types_into_its_page_are_what_the_server_shows(world: World) -> None:
    hosting, _operation, _live = world.full("words.example")
    world.reconcile()
    with everything("test"):
        owner = person(world.reseller, "words-owner", "panel.northwind.example")
    words = {
        "suspended_title": "Closed for today",
        "suspended_text": "Call & ask.",
        "missing_title": "Nothing baked here",
        "missing_text": "Try the <front> door.",
    }
    assert "Nothing baked here" not in http_get(world.address, "words.example", "/nothing")[2]
    page = reverse("provisioning:brand_pages", args=[world.reseller.pk])
    assert owner.browser().post(page, words).status_code == 302
    world.reconcile()
    status, _headers, body = http_get(world.address, "words.example", "/nothing")
    assert (status, "Nothing baked here" in body, "Try the &lt;front&gt; door." in body) == (404, True, True)
    with everything("test"):
        suspension = hosting_accounts.suspend(actor=owner.actor, hosting=hosting)
    world.reconcile()
    settled(suspension)
    status, headers, body = http_get(world.address, "words.example")
    assert (status, "retry-after" in headers) == (503, True)
    assert "Closed for today" in body
    assert "Call &amp; ask." in body
    assert "Nothing baked here" not in body


def test_terminated_with_its_data_and_its_names_are_free_again(world: World) -> None:
    hosting, _operation, live = world.full("gone.example")
    world.reconcile()
    prove(live)
    with everything("test"):
        ending = hosting_accounts.terminate(
            actor=SYSTEM, hosting=hosting, confirm="gone.example", purge_at=timezone.now()
        )
    world.reconcile()
    settled(ending)
    status, _headers, body = http_get(world.address, "gone.example")
    assert status == 404
    assert "gone" not in body
    assert world.machine.run(["ls", "-A", "/home/.hostwright-trash"], check=False).stdout == ""
    assert not (world.machine.root / f"home/{hosting.username}").exists()
    assert world.machine.run(["getent", "passwd", hosting.username], check=False).returncode == 2
    schemas = world.machine.run(["mariadb", "-N", "-e", "SHOW DATABASES"]).stdout.split()
    users = world.machine.run(["mariadb", "-N", "-e", "SELECT User FROM mysql.global_priv"]).stdout.split()
    assert live.database not in schemas
    assert live.database_user not in users
    assert world.machine.run(["rndc", "zonestatus", "gone.example"], check=False).returncode != 0
    assert not list((world.machine.root / "etc/bind/hostwright-zones").glob("gone.example*"))
    _hosting, operation, reborn = world.full("gone.example")
    world.reconcile()
    settled(operation)
    prove(reborn)


def test_a_plan_shows_what_was_changed_by_hand_and_touches_nothing(world: World) -> None:
    world.full("plan.example")
    world.reconcile()
    assert plan(world) == (f"{world.row.name}: 0 to add, 0 to change, 0 to remove; reloads: none\n", 0)
    vhost = world.machine.run(["sh", "-c", "grep -rl 'server_name plan.example' /etc/nginx/hostwright"]).stdout.strip()
    world.machine.run(["sh", "-c", f"echo '# by hand' >> {vhost}"])
    printed, status = plan(world)
    assert status == 2
    assert f"~ file {vhost} (changed on the server)" in printed
    assert "        -# by hand\n" in printed
    assert "0 to add, 1 to change, 0 to remove; reloads: nginx\n" in printed
    assert "# by hand" in world.machine.run(["cat", vhost]).stdout
    with everything("test"):
        repair = servers.reconcile(actor=SYSTEM, server=world.row)
    world.reconcile()
    settled(repair)
    assert "# by hand" not in world.machine.run(["cat", vhost]).stdout
    assert plan(world)[1] == 0


def test_an_existing_user_of_the_server_is_never_adopted(world: World) -> None:
    """attacks.md K3: the name exists on that target alone, so only the target can refuse it."""
    world.machine.run(["useradd", "--create-home", "--uid", "3456", "carpenter"])
    world.machine.put("/home/carpenter/plans", "by hand")
    before = world.machine.run(["cat", "/etc/passwd", "/etc/group", "/etc/shadow"]).stdout
    _hosting, operation = world.order("carpenter.example", "carpenter")
    _other, good = world.order("joiner.example", "joiner")
    world.reconcile()
    rejected(operation, "Something on the server that the panel did not make is in the way.", says="carpenter")
    settled(good)
    assert world.machine.run(["cat", "/etc/passwd", "/etc/group", "/etc/shadow"]).stdout == before
    assert world.machine.run(["stat", "-c", "%U %a", "/home/carpenter"]).stdout.startswith("carpenter ")
    assert world.machine.run(["ls", "/home/carpenter"]).stdout == "plans\n"
    assert world.machine.run(["cat", "/home/carpenter/plans"]).stdout == "by hand"
    assert http_get(world.address, "carpenter.example")[0] == 404


@pytest.mark.parametrize("name", ["bind", "www-data", "root", "_apt"])
def test_a_system_user_written_past_every_service_is_never_adopted(world: World, name: str) -> None:
    """attacks.md K3 and D5: no service took this name; the worker and the target refuse it all the same."""
    before = world.machine.run(["getent", "passwd", name]).stdout
    hosting, operation = world.order(f"like-{name.strip('_')}.example")
    HostingAccount._base_manager.filter(pk=hosting.pk).update(username=name)
    world.reconcile()
    assert fresh(operation).status == Operation.Status.REJECTED
    assert world.machine.run(["getent", "passwd", name]).stdout == before
    assert not (world.machine.root / f"home/{name}").exists()


def test_a_database_whose_name_another_ones_wildcards_match_stays_shut(world: World) -> None:
    """attacks.md C3: `_` in a granted name is a wildcard of MariaDB unless it is escaped."""
    first, _one = world.order("under.example", "ab")
    second, _two = world.order("score.example", "abxx")
    with everything("test"):
        mine, _ = databases.create(actor=SYSTEM, hosting=first, name="x_y")
        theirs, _ = databases.create(actor=SYSTEM, hosting=second, name="y")
        user, operation = database_users.create(
            actor=SYSTEM,
            hosting=first,
            name="u",
            password=PASSWORD,
            databases=[mine],
            host=DatabaseUser.Host.ANY,
        )
    assert (mine.name, theirs.name) == ("ab_x_y", "abxx_y")
    world.reconcile()
    settled(operation)
    assert theirs.name in world.machine.run(["mariadb", "-N", "-e", "SHOW DATABASES"]).stdout.split()
    with login(user.name, world.address) as connection, connection.cursor() as cursor:
        cursor.execute("USE `ab_x_y`")
        with pytest.raises(pymysql.err.OperationalError) as refused:
            cursor.execute("USE `abxx_y`")
        assert refused.value.args[0] == 1044
        cursor.execute("SHOW DATABASES")
        assert {row[0] for row in cursor.fetchall()} == {"ab_x_y", "information_schema"}


def login(user: str, address: str) -> pymysql.Connection[pymysql.cursors.Cursor]:
    """A session of a tenant's user from outside."""
    return pymysql.connect(host=address, user=user, password=PASSWORD, connect_timeout=10)


def plan(world: World) -> tuple[str, int]:
    """Return what `manage.py reconcile --plan` prints, and its exit status."""
    out, status = StringIO(), 0
    try:
        call_command("reconcile", world.row.name, "--plan", stdout=out, no_color=True)
    except SystemExit as ended:
        status = int(str(ended.code))
    return out.getvalue(), status
