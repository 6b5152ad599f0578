"""Addresses of servers: shared by many sites, or dedicated to one account or to one brand."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Brand, Organization
from accounts.selectors import brands
from panel.core import audit, names, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, integrity_as_conflict
from provisioning.models import Address, Operation, Server, Slice
from provisioning.selectors.brands import accounts_of
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
    """Remove an address; refused while an account or a brand has it to itself or it is the server's last shared one of
    its family.
    """
    policy.require(actor, "address.remove", address)
    if address.hosting_id:
        raise Conflict(_("An account has this address to itself. Take it back from the account first."), code="in_use")
    if address.brand_id:
        raise Conflict(_("A brand has this address to itself. Take it back from the brand first."), code="in_use")
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


def give(*, actor: Actor, address: Address, organization: Organization) -> tuple[Address, Operation | None]:
    """Give a dedicated address to the brand of `organization`: there the server speaks under the brand's mail host, the
    mail of the brand's domains leaves from it, and the brand's sites answer on it.

    Raises Conflict when it is shared or somebody has it, Invalid when the seller's brand has no mail host.
    """
    policy.require(actor, "address.give", address)
    policy.require(actor, "brand.view", organization)
    with transaction.atomic():
        address = _locked(address)
        servers.refuse_retired(address.server)
        _refuse_taken(address)
        brand = brands.own(organization)
        if brand is None or not brand.mail_host:
            raise Invalid(
                "mail_host",
                _("%(name)s has no mail host yet, so there is no name for the address. Set it in the brand first.")
                % {"name": organization.name},
                "organization",
            )
        other = Address.objects.filter(server=address.server, brand=brand, family=address.family).first()
        if other is not None:
            raise Conflict(
                _("%(name)s has %(ip)s on this server already. Take that back first.")
                % {"name": brand.name, "ip": other.ip},
                code="taken",
            )
        address.brand = brand
        address.save(update_fields=["brand"])
        audit.record(actor, "address.give", address, {"brand": [None, brand.name]})
        return address, _follow(actor, "address.give", address, brand)


def take_back(*, actor: Actor, address: Address) -> tuple[Address, Operation | None]:
    """Take an address back from the brand that has it: mail, sites and DNS use the shared ones again."""
    policy.require(actor, "address.take_back", address)
    with transaction.atomic():
        address = _locked(address)
        brand = address.brand
        if brand is None:
            raise Conflict(_("No brand has this address."), code="not_given")
        address.brand = None
        address.save(update_fields=["brand"])
        audit.record(actor, "address.take_back", address, {"brand": [brand.name, None]})
        return address, _follow(actor, "address.take_back", address, brand)


def _locked(address: Address) -> Address:
    rows = Address.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("server__organization", "brand__organization", "hosting").get(pk=address.pk)


def _refuse_taken(address: Address) -> None:
    if address.kind != Address.Kind.DEDICATED:
        raise Conflict(
            _("Many accounts share this address, and it has one reverse name. Add a dedicated one to the server."),
            code="shared",
        )
    if address.hosting_id:
        raise Conflict(_("An account has this address to itself. Take it back from the account first."), code="in_use")
    if address.brand is not None:
        raise Conflict(
            _("%(name)s has this address. Take it back first.") % {"name": address.brand.name}, code="in_use"
        )


def _follow(actor: Actor, verb: str, address: Address, brand: Brand) -> Operation | None:
    """The server's own slice follows, and wherever the brand's accounts on that server are."""
    server = address.server
    if server.state != Server.State.READY:
        return None
    here = accounts_of(brand).filter(placements__server=server)
    operation = operations.start(
        actor=actor, verb=verb, subject=address.ip, organization=server.organization, server=server
    )
    intents.add_server(server, operation=operation)
    intents.again(Slice.objects.filter(hosting__in=here).order_by("id"), operation=operation)
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
