"""Target servers: added by address, host key confirmed by a person, set up, opened and closed to new accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncssh
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from panel.core import audit, names, policy, queue, vault
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, integrity_as_conflict
from provisioning.models import Address, Operation, OperationEvent, Server
from provisioning.services import events, intents, operations
from provisioning.services.inputs import normal

FIELDS = ("name", "platform_name", "stack", "role_web", "role_database", "role_dns", "role_mail", "closed")
FETCH_HOST_KEY = "provisioning.tasks.fetch_host_key"
BOOTSTRAP = "provisioning.tasks.bootstrap"


def add(
    *,
    actor: Actor,
    organization: Organization,
    name: str,
    platform_name: str,
    host: str = "",
    port: int = 22,
    transport: str = Server.Transport.SSH,
    stack: str = Server.Stack.NGINX_APACHE,
    roles: frozenset[str] = frozenset({"web", "database", "dns", "mail"}),
) -> Server:
    """Add a server and make the panel's key for it.

    By SSH its host key is fetched next, shown, and has to be confirmed; the machine of the panel itself needs no key.
    """
    policy.require(actor, "server.add", organization)
    local = transport == Server.Transport.LOCAL
    with transaction.atomic():
        server = Server(
            organization=organization,
            name=normal("name", names.label, name),
            platform_name=normal("platform_name", names.hostname, platform_name),
            host="" if local else _host(host),
            port=port,
            transport=transport,
            stack=stack,
            state=Server.State.CONFIRMED if local else Server.State.NEW,
            **{f"role_{role}": role in roles for role in ("web", "database", "dns", "mail")},
        )
        if local:
            server.host = "localhost"
        else:
            private = asyncssh.generate_private_key("ssh-ed25519", comment="hostwright")
            server.key = vault.put(f"ssh key for {server.name}", private.export_private_key())
            server.public_key = private.export_public_key().decode().strip()
        clean_or_invalid(server)
        with integrity_as_conflict(_("There is a server of this name already."), field="name"):
            server.save(force_insert=True)
        audit.record(actor, "server.add", server, {"host": [None, server.host], "port": [None, port]})
        if not local:
            queue.ring(FETCH_HOST_KEY, server.id)
    return server


def offer_host_key(*, server_id: str, host_key: str) -> None:
    """Keep the key that an unconfirmed server showed, for a person to compare. A confirmed key is never replaced."""
    Server.objects.filter(pk=server_id, state=Server.State.NEW).update(host_key=host_key, unreachable_reason="")


def report_no_host_key(*, server_id: str, reason: str) -> None:
    """Keep why no host key could be fetched, for the page."""
    Server.objects.filter(pk=server_id, state=Server.State.NEW).update(unreachable_reason=reason)


def fetch_host_key(*, actor: Actor, server: Server) -> None:
    """Ask an unconfirmed server for its host key again."""
    policy.require(actor, "server.add", server)
    queue.ring(FETCH_HOST_KEY, server.id)


def confirm_host_key(*, actor: Actor, server: Server, fingerprint: str) -> Server:
    """Pin the host key that was shown. Raises Conflict when the server has shown another one since."""
    policy.require(actor, "server.confirm", server)
    with transaction.atomic():
        server = Server.objects.select_for_update(no_key=True).get(pk=server.pk)
        if server.state != Server.State.NEW or not server.host_key:
            raise Conflict(_("There is no host key waiting to be confirmed."), code="not_waiting")
        if fingerprint != server.fingerprint:
            raise Conflict(_("The server shows another host key by now. Compare it again."), code="host_key_changed")
        server.state = Server.State.CONFIRMED
        server.save(update_fields=["state"])
        audit.record(actor, "server.confirm", server, {"fingerprint": [None, fingerprint]})
    return server


def bootstrap(*, actor: Actor, server: Server, password: str = "") -> Operation:
    """Turn a bare Debian machine into a target server.

    The panel signs in as root by its own key (its public half put into root's authorized_keys beforehand) or by
    `password`, which is kept in the vault until the task has taken it.
    """
    policy.require(actor, "server.bootstrap", server)
    with transaction.atomic():
        server = Server.objects.select_for_update(no_key=True).get(pk=server.pk)
        refuse_retired(server)
        if server.state in (Server.State.NEW, Server.State.PREPARING):
            raise Conflict(_("Confirm the server's host key first, and let a running set-up end."), code="not_ready")
        server.state = Server.State.PREPARING
        server.save(update_fields=["state"])
        operation = operations.start(
            actor=actor, verb="server.bootstrap", subject=server.name, organization=server.organization, server=server
        )
        secret = vault.put(f"root password of {server.name}", password.encode()).id if password else ""
        audit.record(actor, "server.bootstrap", server)
        queue.ring(BOOTSTRAP, operation.id, secret)
    return operation


def take_password(secret_id: str) -> str:
    """Return the root password that a person gave for a set-up, and forget it; empty when there is none (any more)."""
    try:
        return vault.get(secret_id).decode() if secret_id else ""
    except ObjectDoesNotExist:
        return ""
    finally:
        vault.forget(secret_id)


def keep_facts(*, server_id: str, facts: Mapping[str, Any], php: str = "") -> None:
    """Keep what a server said of itself; its global addresses become shared ones when it has none yet.

    For the worker.
    """
    with transaction.atomic():
        server = Server.objects.select_for_update(no_key=True).get(pk=server_id)
        server.facts = dict(facts)
        server.debian = int(facts["os"]["version"])
        server.php_versions = list(facts.get("php") or ([php] if php else server.php_versions))
        server.seen_at = timezone.now()
        server.save(update_fields=["facts", "debian", "php_versions", "seen_at"])
        if not server.addresses.exists():
            Address.objects.bulk_create(
                Address(server=server, ip=ip, family=6 if ":" in ip else 4) for ip in facts.get("addresses", ())
            )


def upgrade_refused(*, server_id: str, digest: str, reason: str) -> None:
    """Keep why a server would not take the panel's node program; with a `digest` it is not offered that one again.

    For the worker.
    """
    with transaction.atomic():
        server = Server.objects.select_for_update(no_key=True).get(pk=server_id)
        server.facts = {**server.facts, "refused_upgrade": {"digest": digest, "reason": reason}}
        server.save(update_fields=["facts"])


def prepared(*, operation: Operation) -> None:
    """The node program answers: the server's own slice follows as part of the same operation. For the worker."""
    if operation.server is None:
        raise ValueError("The operation has no server.")
    with transaction.atomic():
        intents.add_server(operation.server, operation=operation)


def preparation_failed(*, operation: Operation, reason: str, detail: str) -> None:
    """End a set-up that could not go on. For the worker."""
    with transaction.atomic():
        Server.objects.filter(pk=operation.server_id).update(state=Server.State.FAILED)
        Operation.objects.filter(pk=operation.pk).update(
            status=Operation.Status.REJECTED, reason=reason, detail=detail, finished_at=timezone.now()
        )
        events.note(OperationEvent.Kind.REJECTED, [operation.pk], reason=reason, detail=detail)


def change(*, actor: Actor, server: Server, **values: object) -> tuple[Server, Operation | None]:
    """Change names, stack, roles or openness; a change of stack or roles reaches every account of the server.

    Without an operation nothing has to follow on the server.
    """
    policy.require(actor, "server.change", server)
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise Invalid("unknown", _("This can't be changed."), unknown[0])
    with transaction.atomic():
        server = Server.objects.select_for_update(no_key=True).get(pk=server.pk)
        refuse_retired(server)
        before = {field: getattr(server, field) for field in values}
        for field, value in values.items():
            setattr(server, field, value)
        for role in ("web", "database", "dns", "mail"):
            gone = before.get(f"role_{role}") and not getattr(server, f"role_{role}")
            if gone and server.placements.filter(service=role).exists():
                raise Conflict(
                    _("Accounts on this server use this role. Move them first."), field=f"role_{role}", code="in_use"
                )
        clean_or_invalid(server)
        with integrity_as_conflict(_("There is a server of this name already."), field="name"):
            server.save()
        changes = audit.difference(before, values)
        audit.record(actor, "server.change", server, changes)
        operation = None
        if server.state == Server.State.READY and set(changes) - {"name", "closed"}:
            operation = operations.start(
                actor=actor, verb="server.change", subject=server.name, organization=server.organization, server=server
            )
            intents.add_server(server, operation=operation, accounts=True)
    return server, operation


def reconcile(*, actor: Actor, server: Server, verify: bool = True) -> Operation:
    """Compare everything on the server with the desired state and put right what differs: what is really there, or
    without `verify` only what the server remembers that it was given.
    """
    policy.require(actor, "server.reconcile", server)
    refuse_retired(server)
    if server.state not in (Server.State.READY, Server.State.FAILED):
        raise Conflict(_("This server is not set up. Set it up first."), code="not_ready")
    with transaction.atomic():
        operation = operations.start(
            actor=actor, verb="server.reconcile", subject=server.name, organization=server.organization, server=server
        )
        intents.add_server(server, operation=operation, accounts=True, verify=verify)
        audit.record(actor, "server.reconcile", server)
    return operation


def refuse_retired(server: Server) -> None:
    """Raise Conflict when another server has taken this one's place: nothing is sent to it any more."""
    if server.state == Server.State.RETIRED:
        raise Conflict(
            _("Another server has taken this server's place. To use the machine again, install it anew and add it."),
            code="retired",
        )


def _host(value: str) -> str:
    try:
        return names.ip_address(value)
    except names.NameInvalid:
        host: str = normal("host", names.hostname, value)
        return host
