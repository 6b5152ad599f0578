"""One address of a server: given to a reseller's brand, taken back, its reverse name looked up."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Endpoint, Nothing, describe
from provisioning.api.fields import Reference, find
from provisioning.api.servers import Address, Pointer
from provisioning.models import Address as AddressRow
from provisioning.selectors import servers as selectors
from provisioning.services import addresses, pointers


class AddressGiveTo(StrictSerializer):
    """Whose brand it is to belong to."""

    organization = Reference(
        organizations.listed,
        "brand.view",
        help_text="A reseller whose brand has a mail host: that becomes the name of the address.",
    )


class _OfServer(Endpoint):
    """Base: the address in the path."""

    def address(self, server: str, pk: str) -> AddressRow:
        """Return the address of that server; raises NotFound for another one's."""
        of = find(selectors.listed(), server, self.actor, "server.view")
        found: AddressRow = self.find(selectors.addresses().filter(server=of), pk)
        return found


class AddressGive(_OfServer):
    """Gives an address to a brand."""

    actions = {"POST": "address.give"}

    @describe("servers_addresses_give", "Give a dedicated address to a brand", Address, body=AddressGiveTo)
    def post(self, request: Request, server: str, pk: str) -> Response:
        """Greetings and certificates there bear the brand's mail host, and mail of its domains leaves from there."""
        address = self.address(server, pk)
        made, _operation = addresses.give(actor=self.actor, address=address, **self.read(AddressGiveTo))
        return _shown(made)


class AddressTakeBack(_OfServer):
    """Takes an address back."""

    actions = {"POST": "address.take_back"}

    @describe("servers_addresses_take_back", "Take an address back from its brand", Address)
    def post(self, request: Request, server: str, pk: str) -> Response:
        """Mail, sites and DNS records of the brand's accounts use the shared address again."""
        address = self.address(server, pk)
        self.read(Nothing)
        return _shown(addresses.take_back(actor=self.actor, address=address)[0])


class AddressCheck(_OfServer):
    """Looks the reverse name of an address up."""

    actions = {"POST": "address.change"}

    @describe("servers_addresses_check", "Look an address's reverse name up", Pointer)
    def post(self, request: Request, server: str, pk: str) -> Response:
        """Ask the public DNS now, which takes some seconds at most."""
        address = self.address(server, pk)
        self.read(Nothing)
        return Response(Pointer(pointers.check(actor=self.actor, address=address)).data)


def _shown(address: AddressRow) -> Response:
    shown: dict[str, Any] = Address(selectors.addresses().get(pk=address.pk)).data
    return Response(shown)
