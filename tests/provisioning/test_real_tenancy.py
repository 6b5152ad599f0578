"""A client that gets another seller, is suspended, closed and opened again, on a real server: what the world sees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from accounts.models import Organization
from accounts.services import brands, organizations
from panel.core.scoping import everything
from panel.demo.proofs import dns_answer, http_get
from provisioning import preview
from provisioning.models import Operation, Package
from provisioning.services import packages, relocations, tenancy
from tests.provisioning import engine_world
from tests.provisioning.engine_world import SYSTEM, World, settled
from tests.servers import Server

pytestmark = pytest.mark.server

NAMES = ("one-shop.example", "two-shop.example")


@pytest.fixture(scope="module")
def world(
    module_server: Server, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """A server that was set up over SSH."""
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        yield engine_world.make(module_server)


def other_seller(world: World) -> tuple[Organization, Package]:
    """A second reseller with a brand and a package of its own."""
    seller = organizations.create_reseller(actor=SYSTEM, parent=world.provider, name="Harbour Web")
    brands.set(
        actor=SYSTEM,
        organization=seller,
        name="Harbour Web",
        nameservers=["ns1.harbour.example", "ns2.harbour.example"],
        mail_host="mail.harbour.example",
        hostmaster="hostmaster@harbour.example",
    )
    return seller, packages.create(actor=SYSTEM, organization=seller, name="Berth")


def carried(world: World, operation: Operation | None) -> None:
    """The operation must exist, and be done with the next run."""
    assert operation is not None
    world.reconcile()
    settled(operation)


def test_the_world_sees_what_is_done_to_a_client(world: World) -> None:
    for domain, username in zip(NAMES, ("oneshop", "twoshop"), strict=True):
        world.order(domain, username)
    world.reconcile()
    assert dns_answer(world.address, NAMES[0], "NS") == ["ns1.northwind.example.", "ns2.northwind.example."]
    with everything("test"):
        seller, package = other_seller(world)
        arguments = {"organization": world.client.pk, "parent": seller.pk, "package": package.pk}
        plan = preview.work_out(actor=SYSTEM, verb="organization.move", arguments=arguments)
        said = {change["key"]: change.get("diff", "") for change in plan.servers[0]["changes"]}
        assert all("+" in said[f"zone:{name}"] and "ns1.harbour.example" in said[f"zone:{name}"] for name in NAMES)
        client, operation = relocations.move_client(
            actor=SYSTEM, organization=world.client, parent=seller, package=package
        )
    carried(world, operation)
    for name in NAMES:
        assert dns_answer(world.address, name, "NS") == ["ns1.harbour.example.", "ns2.harbour.example."]
        (soa,) = dns_answer(world.address, name, "SOA")
        assert soa.startswith("ns1.harbour.example. hostmaster.harbour.example. ")
        assert "northwind" not in str(dns_answer(world.address, name, "TXT"))
        assert http_get(world.address, name)[0] == 200

    with everything("test"):
        client, operation = tenancy.suspend(actor=SYSTEM, organization=client, reason="Unpaid", accounts=True)
    carried(world, operation)
    assert [http_get(world.address, name)[0] for name in NAMES] == [503, 503]
    with everything("test"):
        client, operation = tenancy.unsuspend(actor=SYSTEM, organization=client)
    carried(world, operation)
    assert [http_get(world.address, name)[0] for name in NAMES] == [200, 200]

    identity = world.machine.run(["stat", "-c", "%i %u", "/home/oneshop/public_html"]).stdout
    with everything("test"):
        client, operation = tenancy.close(actor=SYSTEM, organization=client, accounts=True, confirm=client.name)
    carried(world, operation)
    assert [http_get(world.address, name)[0] for name in NAMES] == [404, 404]
    assert world.machine.run(["rndc", "zonestatus", NAMES[0]], check=False).returncode != 0
    with everything("test"):
        client, operation = tenancy.reopen(actor=SYSTEM, organization=client)
    carried(world, operation)
    assert [http_get(world.address, name)[0] for name in NAMES] == [200, 200]
    assert dns_answer(world.address, NAMES[1], "NS") == ["ns1.harbour.example.", "ns2.harbour.example."]
    assert world.machine.run(["stat", "-c", "%i %u", "/home/oneshop/public_html"]).stdout == identity
