"""Servers: host keys that a person confirms, set-up that survives lost rings, roles, addresses."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from panel.core import vault
from panel.core.models import Secret
from panel.core.scoping import everything
from provisioning import tasks
from provisioning.models import Address, Intent, Lease, Operation, Preview, Server, Slice, Tombstone
from provisioning.services import addresses, dues, leases, runs, servers
from tests.provisioning.ground import Ground, entries, refused

KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519" + b"\0\0\0 " + bytes(32)).decode()
OTHER_KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519" + b"\0\0\0 " + bytes(31) + b"x").decode()


def add(ground: Ground, **values: Any) -> Server:
    """Add a server as the provider does."""
    with everything("test"):
        return servers.add(
            actor=ground.cast.provider.actor,
            **{
                "organization": ground.cast.provider.organization,
                "name": "new",
                "platform_name": "new.platform.example",
                "host": "203.0.113.20",
                **values,
            },
        )


def confirmed(ground: Ground) -> Server:
    """Add a server and confirm its key."""
    server = add(ground)
    servers.offer_host_key(server_id=server.id, host_key=KEY)
    server.refresh_from_db()
    with everything("test"):
        return servers.confirm_host_key(actor=ground.cast.provider.actor, server=server, fingerprint=server.fingerprint)


def test_the_panels_key_for_a_server_is_sealed(ground: Ground):
    server = add(ground)
    assert server.state == Server.State.NEW
    assert server.public_key.startswith("ssh-ed25519 ")
    sealed = Secret.objects.get(pk=server.key_id)
    assert b"PRIVATE" not in bytes(sealed.ciphertext)
    assert b"OPENSSH PRIVATE KEY" in vault.get(sealed.id)


def test_a_host_key_is_pinned_by_the_fingerprint_that_was_compared(ground: Ground):
    server, actor = add(ground), ground.cast.provider.actor
    with everything("test"):
        with refused("not_waiting", None, 409):
            servers.confirm_host_key(actor=actor, server=server, fingerprint="")
        servers.offer_host_key(server_id=server.id, host_key=KEY)
        server.refresh_from_db()
        seen = server.fingerprint
        assert seen.startswith("SHA256:")
        servers.offer_host_key(server_id=server.id, host_key=OTHER_KEY)
        with refused("host_key_changed", None, 409):
            servers.confirm_host_key(actor=actor, server=server, fingerprint=seen)
        servers.offer_host_key(server_id=server.id, host_key=KEY)
        servers.confirm_host_key(actor=actor, server=server, fingerprint=seen)
        servers.offer_host_key(server_id=server.id, host_key=OTHER_KEY)
    server.refresh_from_db()
    assert (server.state, server.host_key) == (Server.State.CONFIRMED, KEY)
    assert entries("server.confirm") == 1


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"host": "-oProxyCommand=id"}, "hostname_characters", "host"),
        ({"host": "a.example; reboot"}, "hostname_characters", "host"),
        ({"host": ""}, "hostname", "host"),
        ({"platform_name": "one\nname.example"}, "hostname_characters", "platform_name"),
        ({"name": "a\x1b[31m"}, "label_characters", "name"),
        ({"port": 0}, "port", "port"),
        ({"port": 70000}, "port", "port"),
        ({"transport": "telnet"}, "invalid_choice", "transport"),
        ({"stack": "iis"}, "invalid_choice", "stack"),
    ],
)
def test_d1_d2_unfit_servers_are_refused(ground: Ground, values: dict[str, Any], code: str, field: str):
    with refused(code, field):
        add(ground, **values)


def test_servers_are_the_providers_alone(ground: Ground):
    with everything("test"):
        for person in (ground.cast.reseller_a, ground.cast.client_a, ground.cast.outsider):
            with refused("not_found", None, 404):
                servers.change(actor=person.actor, server=ground.server, closed=True)
            with refused("not_found", None, 404):
                servers.bootstrap(actor=person.actor, server=ground.server)
            with refused("not_found", None, 404):
                addresses.add(actor=person.actor, server=ground.server, ip="203.0.113.9")
            with refused("not_found", None, 404):
                servers.reconcile(actor=person.actor, server=ground.server)


def test_a_set_up_begins_only_behind_a_confirmed_key(ground: Ground):
    server, actor = add(ground), ground.cast.provider.actor
    with everything("test"):
        with refused("not_ready", None, 409):
            servers.bootstrap(actor=actor, server=server)
        server = Server.objects.get(pk=confirmed_state(server))
        operation = servers.bootstrap(actor=actor, server=server, password="root secret 1")
        assert operation.verb == "server.bootstrap"
        with refused("not_ready", None, 409):
            servers.bootstrap(actor=actor, server=server)
        assert Secret.objects.filter(name=f"root password of {server.name}").count() == 1


def confirmed_state(server: Server) -> str:
    """Move a server past the confirmation of its key."""
    Server.objects.filter(pk=server.pk).update(state=Server.State.CONFIRMED, host_key=KEY)
    return server.pk


def test_a_root_password_is_forgotten_once_taken(ground: Ground):
    secret = vault.put("root password of x", b"root secret 1")
    assert servers.take_password(secret.id) == "root secret 1"
    assert servers.take_password(secret.id) == ""
    assert servers.take_password("") == ""


def test_a_server_is_ready_once_its_own_slice_is_applied(ground: Ground):
    server = confirmed(ground)
    with everything("test"):
        operation = servers.bootstrap(actor=ground.cast.provider.actor, server=server)
        servers.prepared(operation=operation)
        for status, state in (("rejected", "failed"), ("applied", "ready")):
            part = Slice.objects.get(server=server)
            held = leases.acquire(server.id)
            assert held is not None
            runs.give_generations(held, [part.id])
            taken = [runs.Taken(row.id, part.id, operation.id) for row in Intent.objects.filter(slice=part)]
            run = runs.begin(held, taken, 1)
            report = {"slices": {"server": {"status": status, "changes": []}}, "reloads": {}}
            runs.finish(held, run, taken, {part.id: runs.Outcome(status, "check", "nginx: no", {})}, report)
            leases.release(held)
            server.refresh_from_db()
            assert server.state == state
            servers.prepared(operation=operation)


def test_lost_rings_are_rung_again(ground: Ground, monkeypatch: pytest.MonkeyPatch):
    rung: list[tuple[str, ...]] = []
    for task in (tasks.reconcile, tasks.fetch_host_key, tasks.bootstrap, tasks.build_preview, tasks.check_mail_domains):
        name = task.name.rpartition(".")[2]
        monkeypatch.setattr(task, "delay", lambda *args, name=name: rung.append((name, *args)))
    new, waiting = add(ground), add(ground, name="two")
    confirmed_state(waiting)
    with everything("test"):
        operation = servers.bootstrap(actor=ground.cast.provider.actor, server=waiting)
        preview = Preview.objects.create(
            organization=ground.cast.client_a.organization,
            actor={},
            verb="x",
            arguments={},
            expires_at=timezone.now() + timedelta(minutes=30),
        )
    quiet = [("reconcile", ground.server.id), ("check_mail_domains",)]
    tasks.sweep()
    assert rung == quiet
    rung.clear()
    long_ago = timezone.now() - timedelta(minutes=1)
    for model, key in ((Server, new.pk), (Operation, operation.pk), (Preview, preview.pk)):
        model._base_manager.filter(pk=key).update(created_at=long_ago)
    tasks.sweep()
    late = [("fetch_host_key", new.id), ("bootstrap", operation.id, ""), ("build_preview", preview.id)]
    assert rung == [quiet[0], *late, quiet[1]]
    Lease.objects.create(server=waiting, owner="somebody", expires_at=timezone.now() + timedelta(minutes=1))
    Intent.objects.update(retry_at=timezone.now() + timedelta(minutes=1))
    with everything("test"):
        assert list(dues.left_bootstraps()) == []
        assert list(dues.servers()) == []


def test_data_whose_time_has_come_dirties_its_slice_once(ground: Ground):
    with everything("test"):
        part = Slice.objects.get(hosting=ground.account_a)
        Intent.objects.all().delete()
        now = timezone.now()
        for key, due in (("user:a", now), ("directory:/home/a", now), ("database:b", now + timedelta(days=1))):
            Tombstone.objects.create(slice=part, key=key, due_at=due)
        dues.destroy()
        dues.destroy()
        assert [(row.slice_id, row.confirmed) for row in Intent.objects.all()] == [(part.id, True)]
        operation = Intent.objects.get().operation
        assert (operation.verb, operation.subject, operation.hosting) == ("account.purge", "a-site.org", part.hosting)
        assert entries("account.purge") == 1


def test_destruction_that_a_server_refused_is_asked_for_again_after_an_hour(ground: Ground):
    with everything("test"):
        Intent.objects.all().delete()
        Tombstone.objects.create(slice=Slice.objects.get(hosting=ground.account_a), key="user:a", due_at=timezone.now())
        dues.destroy()
        refused_then = Operation.objects.filter(verb="account.purge")
        Intent.objects.all().delete()
        refused_then.update(status="rejected", finished_at=timezone.now())
        dues.destroy()
        assert not Intent.objects.exists()
        refused_then.update(finished_at=timezone.now() - timedelta(hours=1, seconds=1))
        dues.destroy()
        assert Intent.objects.count() == 1


def test_a_role_in_use_stays(ground: Ground):
    with everything("test"):
        actor = ground.cast.provider.actor
        with refused("in_use", "role_mail", 409):
            servers.change(actor=actor, server=ground.server, role_mail=False)
        with refused("unknown", "state"):
            servers.change(actor=actor, server=ground.server, state="ready")
        with refused("unknown", "host_key"):
            servers.change(actor=actor, server=ground.server, host_key=KEY)


def test_a_change_of_stack_reaches_every_account_and_one_of_name_none(ground: Ground):
    with everything("test"):
        actor = ground.cast.provider.actor
        Intent.objects.all().delete()
        servers.change(actor=actor, server=ground.server, name="renamed", closed=True)
        assert not Intent.objects.exists()
        servers.change(actor=actor, server=ground.server, stack="nginx")
        dirty = {row.slice.hosting_id for row in Intent.objects.select_related("slice")}
    assert dirty == {None, ground.account_a.id, ground.account_b.id}


def test_addresses_are_once_per_server_and_the_last_shared_one_stays(ground: Ground):
    actor = ground.cast.provider.actor
    with everything("test"):
        first = Address.objects.get(server=ground.server)
        with refused("in_use", None, 409):
            addresses.remove(actor=actor, address=first)
        with refused("conflict", "ip", 409):
            addresses.add(actor=actor, server=ground.server, ip="198.51.100.2")
        for ip in ("198.51.100.300", "::ffff:198.51.100.9", "fe80::1%eth0", "198.51.100.9; x", ""):
            with refused("ip_address", "ip"):
                addresses.add(actor=actor, server=ground.server, ip=ip)
        with refused("family", "public_ip"):
            addresses.add(actor=actor, server=ground.server, ip="2001:db8::5", public_ip="203.0.113.4")
        Intent.objects.all().delete()
        second = addresses.add(actor=actor, server=ground.server, ip="198.51.100.3", public_ip="203.0.113.3")[0]
        assert (second.family, second.public) == (4, "203.0.113.3")
        assert Intent.objects.count() == 3
        addresses.remove(actor=actor, address=first)
