"""Drift on a real server: what people do there by hand is found, shown, put back, taken over or left as it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import dns.message
import dns.query
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from panel.core.failpoints import VARIABLE
from panel.core.scoping import everything
from panel.demo.proofs import Live, http_get
from provisioning import drift as engine
from provisioning.models import DriftCheck, DriftItem, HostingAccount, Lease, MailAlias, Operation, Record, Slice
from provisioning.services import drift, drift_checks, mail_aliases, operations, zones
from provisioning.services.reasons import REASONS
from tests import cast
from tests.provisioning import engine_world
from tests.provisioning.engine_world import SYSTEM, World, prove, settled
from tests.servers import Server

pytestmark = pytest.mark.server

ROOT = Path(__file__).resolve().parents[2]
SITES = "/etc/nginx/hostwright/sites"


@dataclass
class Ground:
    """A server with one full account, and the provider at the panel."""

    world: World
    hosting: HostingAccount
    live: Live
    browser: Client
    folder: Path

    @property
    def vhost(self) -> str:
        """Where the account's virtual host is."""
        with everything("test"):
            keys = Slice.objects.get(hosting=self.hosting).manifest
        (path,) = [str(key).partition(":")[2] for key in keys if key.startswith(f"file:{SITES}/")]
        return path

    def shell(self, script: str, *arguments: str) -> str:
        """Do something on the server by hand."""
        return self.world.machine.run(["sh", "-euc", script, "sh", *arguments]).stdout

    def look(self) -> dict[str, DriftItem]:
        """Check, as the task does; the open findings by key."""
        assert engine.check(self.world.row.id) is None
        with everything("test"):
            check = DriftCheck.objects.latest("id")
            assert check.status in ("clean", "drifted"), (check.reason, check.detail)
            rows = DriftItem.objects.filter(state="open").select_related("slice", "server__organization")
            return {item.key: item for item in rows}

    def page(self) -> str:
        """What the provider sees."""
        answer = self.browser.get(reverse("provisioning:drift", args=[self.world.row.pk]))
        assert answer.status_code == 200
        return str(answer.content.decode())

    def killed(self, point: str) -> None:
        """Let another worker look for drift, which loses power at a point; its lease then has run out."""
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "panel.settings.embedded",
            "HOSTWRIGHT_VAR_DIR": str(self.folder),
            "HOSTWRIGHT_VAULT_KEY": settings.VAULT_KEYS[0],
            VARIABLE: point,
        }
        argv = [sys.executable, "manage.py", "drift", self.world.row.pk]
        done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, timeout=60, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    def carried(self, operation: Operation) -> None:
        """Let a worker carry an operation; it must be applied."""
        assert self.world.reconcile() is None
        settled(operation)


@pytest.fixture(scope="module")
def ground(
    module_server: Server, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Ground]:
    """A server that was set up over SSH with one live account, and nothing that differs."""
    folder = tmp_path_factory.mktemp("panel")
    with engine_world.database(folder, django_db_blocker):
        world = engine_world.make(module_server)
        hosting, operation, live = world.full("drift.example", "drift")
        world.reconcile()
        settled(operation)
        with everything("test"):
            provider = cast.person(world.provider, "staff", cast.PROVIDER_HOST)
        made = Ground(world, hosting, live, provider.browser(), folder)
        assert made.look() == {}
        yield made


def serves(ground: Ground, name: str) -> int:
    return http_get(ground.world.address, name)[0]


def test_a_vhost_broken_by_hand_is_shown_restored_and_gone(ground: Ground) -> None:
    """Broken so that nginx would not even load it."""
    ground.shell('sed -i "s/server_name .*/server_nam broken;/" "$1"', ground.vhost)
    (item,) = ground.look().values()
    assert (item.key, item.kind, item.service) == (f"file:{ground.vhost}", "changed", "nginx")
    page = ground.page()
    assert "drift.example" in page
    assert 'class="diff-add">+    server_nam broken;' in page
    answer = ground.browser.post(reverse("provisioning:drift_item_restore", args=[item.pk]))
    assert answer.status_code == 302
    with everything("test"):
        operation = Operation.objects.latest("id")
    ground.carried(operation)
    assert ground.look() == {}
    assert "The server is as the panel made it" in ground.page()
    history = ground.browser.get(reverse("provisioning:drift_history", args=[ground.world.row.pk]))
    assert "Restored" in history.content.decode()
    ground.shell("nginx -t")
    prove(ground.live)


def test_x12_edits_of_every_sort_are_found_and_restored_and_what_is_ours_alone_is_cleared(ground: Ground) -> None:
    database, login = ground.live.database, ground.live.database_user
    ground.shell('chmod 0666 "$1"', ground.vhost)
    ground.shell("rm /etc/nginx/hostwright/acme.conf")
    ground.shell('printf "server { listen 80; server_name evil.example; }\n" > "$1/evil.conf"', SITES)
    ground.shell("echo mine > /etc/nginx/conf.d/mine.conf")
    ground.shell("chmod 0777 /home/drift")
    wild = database.replace("_", "\\_")
    ground.world.machine.run(["mariadb", "-e", f"REVOKE ALL ON `{wild}`.* FROM '{login}'@'%'"])
    mail = "/var/lib/hostwright/mail/mail.sqlite"
    ground.shell(
        "sqlite3 \"$1\" \"UPDATE alias SET destinations = 'thief@evil.example' WHERE address = '$2'\"",
        mail,
        ground.live.alias,
    )
    found = {key: item.kind for key, item in ground.look().items()}
    assert found == {
        f"file:{ground.vhost}": "mode",
        "file:/etc/nginx/hostwright/acme.conf": "missing",
        f"file:{SITES}/evil.conf": "extra",
        "directory:/home/drift": "mode",
        f"database_user:{login}@%": "changed",
        f"row:alias:{ground.live.alias}": "changed",
    }
    with everything("test"):
        operation = drift.restore(actor=SYSTEM, server=ground.world.row)
    ground.carried(operation)
    assert ground.look() == {}
    assert ground.shell("cat /etc/nginx/conf.d/mine.conf; rm /etc/nginx/conf.d/mine.conf") == "mine\n"
    assert ground.shell('ls "$1"', SITES).find("evil") == -1
    prove(ground.live)


def test_a_worker_killed_while_it_looks_leaves_the_check_to_the_next(ground: Ground) -> None:
    ground.shell('chmod 0666 "$1"', ground.vhost)
    for point in ("drift-begun", "drift-reported", "drift-recorded"):
        with everything("test"):
            asked = drift_checks.request(actor=SYSTEM, server=ground.world.row)
        ground.killed(point)
        (item,) = ground.look().values()
        assert item.kind == "mode"
        settled(asked)
        with everything("test"):
            assert not DriftCheck.objects.filter(status="running").exists()
    with everything("test"):
        operation = drift.restore(actor=SYSTEM, server=ground.world.row)
    ground.carried(operation)
    assert ground.look() == {}


def test_what_changed_since_it_was_seen_is_not_removed(ground: Ground) -> None:
    path = f"{SITES}/late.conf"
    ground.shell('echo "# one" > "$1"', path)
    seen = ground.look()[f"file:{path}"]
    ground.shell('echo "# two" > "$1"', path)
    with everything("test"):
        operation = drift.restore(actor=SYSTEM, server=ground.world.row, items=[seen])
    ground.carried(operation)
    assert ground.shell('cat "$1"', path) == "# two\n"
    (again,) = ground.look().values()
    assert again.digest != seen.digest
    ground.shell('rm "$1"', path)
    assert ground.look() == {}


def test_a_foreign_file_in_the_way_is_shown_and_goes_only_when_a_person_says_so(ground: Ground) -> None:
    path = f"{ground.vhost.rpartition('/')[0]}/{Path(ground.vhost).name.replace('drift', 'mine')}"
    ground.shell('echo "# mine" > "$1"', path)
    operation = ground.world.order("mine.example", "mine")[1]
    assert ground.world.reconcile() is None
    refused = engine_world.fresh(operation)
    assert (refused.status, refused.reason) == ("rejected", REASONS["foreign"])
    assert path in refused.detail
    assert ground.shell('cat "$1"', path) == "# mine\n"
    seen = ground.look()[f"file:{path}"]
    assert (seen.kind, "# mine" in seen.diff) == ("extra", True)
    with everything("test"):
        restored = drift.restore(actor=SYSTEM, server=ground.world.row, items=[seen])
    ground.carried(restored)
    with everything("test"):
        again = operations.retry(actor=SYSTEM, operation=refused)
    ground.carried(again)
    assert http_get(ground.live.address, "mine.example")[0] == 200
    assert ground.look() == {}


def test_a_zone_changed_by_hand_becomes_the_accounts_records(ground: Ground) -> None:
    file = "/etc/bind/hostwright-zones/drift.example.db"
    ground.shell(
        'printf "shop 300 IN A 203.0.113.7\nshop 300 IN TXT \\"by hand; really\\"\n" >> "$1";'
        " rndc reload drift.example",
        file,
    )
    item = ground.look()["zone:drift.example"]
    assert "+shop 300 IN A 203.0.113.7" in item.diff
    answer = ground.browser.post(reverse("provisioning:drift_item_adopt", args=[item.pk]))
    assert answer.status_code == 302
    with everything("test"):
        rows = set(Record.objects.filter(zone__name="drift.example").values_list("name", "type", "content", "ttl"))
        operation = Operation.objects.latest("id")
    assert rows == {("shop", "A", "203.0.113.7", 300), ("shop", "TXT", "by hand; really", 300)}
    ground.carried(operation)
    assert ground.look() == {}
    query = dns.message.make_query("shop.drift.example", "A")
    reply = dns.query.udp(query, ground.world.address, timeout=10)
    assert "203.0.113.7" in reply.answer[0].to_text()


def test_an_alias_that_somebody_added_becomes_the_accounts_own(ground: Ground) -> None:
    ground.shell(
        "sqlite3 /var/lib/hostwright/mail/mail.sqlite"
        " \"INSERT INTO alias VALUES ('sales@drift.example', 'lena@drift.example')\""
    )
    item = ground.look()["row:alias:sales@drift.example"]
    assert item.slice is not None
    assert item.slice.hosting_id == ground.hosting.pk
    with everything("test"):
        operation = drift.adopt(actor=SYSTEM, item=item)
    ground.carried(operation)
    with everything("test"):
        assert MailAlias.objects.get(local="sales").destinations == ["lena@drift.example"]
    assert ground.look() == {}


def test_a_database_that_somebody_made_becomes_the_accounts_own_with_what_it_holds(ground: Ground) -> None:
    statements = "CREATE DATABASE drift_wiki; CREATE TABLE drift_wiki.t (a INT); INSERT INTO drift_wiki.t VALUES (7)"
    ground.world.machine.run(["mariadb", "-e", statements])
    item = ground.look()["database:drift_wiki"]
    with everything("test"):
        operation = drift.adopt(actor=SYSTEM, item=item)
    ground.carried(operation)
    assert ground.look() == {}
    assert ground.world.machine.run(["mariadb", "-BN", "-e", "SELECT a FROM drift_wiki.t"]).stdout == "7\n"
    with everything("test"):
        assert ground.hosting.databases.filter(name="drift_wiki").exists()


def test_an_exception_survives_applies_of_its_slice_and_ends_with_it(ground: Ground) -> None:
    ground.shell('echo "# kept by hand" >> "$1"; nginx -s reload', ground.vhost)
    (item,) = ground.look().values()
    with everything("test"):
        pin = drift.pin(actor=SYSTEM, item=item, note="a test")
    assert ground.look() == {}
    with everything("test"):
        zone = ground.hosting.zones.get()
        domain = ground.hosting.mail_domains.get()
        first = zones.add_record(actor=SYSTEM, zone=zone, type="A", name="p", content="203.0.113.9")[1]
        second = mail_aliases.create(actor=SYSTEM, mail_domain=domain, local="p", destinations=["x@y.example"])[1]
    ground.carried(first)
    settled(second)
    assert ground.shell('tail -n 1 "$1"', ground.vhost) == "# kept by hand\n"
    assert ground.look() == {}
    with everything("test"):
        drift.unpin(actor=SYSTEM, pin=pin)
    (again,) = ground.look().values()
    assert again.key == item.key
    with everything("test"):
        operation = drift.restore(actor=SYSTEM, server=ground.world.row)
    ground.carried(operation)
    assert ground.look() == {}
    assert serves(ground, "drift.example") == 200
