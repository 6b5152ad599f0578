"""Addresses of servers: shared by many sites, or dedicated to one account."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from panel.core import audit, names, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, integrity_as_conflict
from provisioning.models import Address, Operation, Server
from provisioning.services import intents, operations, servers
from provisioning.services.inputs import normal


def add(
    *, actor: Actor, server: Server, ip: str, kind: str = Address.Kind.SHARED, public_ip: str | None = None
) -> tuple[Address, Operation | None]:
    """Add an address that `server` answers on; `public_ip` is what the world sees when the server stands behind NAT.

    There is an operation once the server is set up.
    """
    policy.require(actor, "address.add", server)
    servers.refuse_retired(server)
    ip = normal("ip", names.ip_address, ip)
    public_ip = normal("public_ip", names.ip_address, public_ip) if public_ip else None
    if public_ip and (":" in public_ip) != (":" in ip):
        raise Invalid("family", _("The public address must be of the same family as the address."), "public_ip")
    with transaction.atomic():
        address = Address(server=server, ip=ip, family=6 if ":" in ip else 4, kind=kind, public_ip=public_ip)
        clean_or_invalid(address)
        with integrity_as_conflict(_("This server already has this address."), field="ip"):
            address.save(force_insert=True)
        audit.record(actor, "address.add", address, {"ip": [None, ip], "public_ip": [None, public_ip]})
        operation = _spread(actor, "address.add", address)
    return address, operation


def remove(*, actor: Actor, address: Address) -> Operation | None:
    """Remove an address; refused while an account has it to itself or it is the server's last shared one of its
    family.
    """
    policy.require(actor, "address.remove", address)
    if address.hosting_id:
        raise Conflict(_("An account has this address to itself. Take it back from the account first."), code="in_use")
    shared = Address.objects.filter(server=address.server, family=address.family, kind=Address.Kind.SHARED)
    last = address.kind == Address.Kind.SHARED and not shared.exclude(pk=address.pk).exists()
    if last and address.server.placements.exists():
        raise Conflict(
            _("This is the last shared address of its kind, and accounts use it. Add another one first."), code="in_use"
        )
    with transaction.atomic():
        audit.record(actor, "address.remove", address, {"ip": [address.ip, None]})
        operation = _spread(actor, "address.remove", address)
        address.delete()
    return operation


def _spread(actor: Actor, verb: str, address: Address) -> Operation | None:
    """Zones and virtual hosts name the addresses, so every slice of the server follows."""
    server = address.server
    if server.state != Server.State.READY:
        return None
    operation = operations.start(
        actor=actor, verb=verb, subject=address.ip, organization=server.organization, server=server
    )
    intents.add_server(server, operation=operation, accounts=True)
    return operation
