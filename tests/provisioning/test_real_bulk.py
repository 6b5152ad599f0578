"""Twenty accounts at once, and a site's PHP version, on a real server: what the world sees, what is reloaded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from panel.core.scoping import everything
from panel.demo.proofs import http_get
from provisioning import preview
from provisioning.models import HostingAccount, Operation, Run, Site
from provisioning.services import bulk, packages, sites
from tests.provisioning import engine_world, second_php
from tests.provisioning.engine_world import GIB, SYSTEM, World, settled
from tests.servers import Server

pytestmark = pytest.mark.server

NAMES = [f"many-{number:02}.example" for number in range(20)]
OTHER = "bystander.example"
SAYS = "<?php echo PHP_SAPI, ' ', php_ini_loaded_file();"


@pytest.fixture(scope="module")
def world(
    module_server: Server, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """A server with two versions of PHP that was set up over SSH, and twenty-one accounts."""
    second_php.install(module_server)
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        world = engine_world.make(module_server)
        assert world.row.php_versions == [second_php.VERSION, "8.4"]
        for domain in (*NAMES, OTHER):
            world.order(domain)
        world.reconcile()
        yield world


def chosen() -> list[HostingAccount]:
    """The twenty accounts as they are now."""
    with everything("test"):
        rows = HostingAccount.objects.select_related("organization", "package").filter(domain__in=NAMES)
        return list(rows.order_by("domain"))


def carried(world: World, operations: list[Operation]) -> Run:
    """All must be done by one run; returns it."""
    before = Run.objects.filter(server=world.row).count()
    world.reconcile()
    for operation in operations:
        settled(operation)
    assert (len(operations), Run.objects.filter(server=world.row).count()) == (20, before + 1)
    return Run.objects.filter(server=world.row).latest("id")


def statuses(world: World) -> set[int]:
    """What the sites answer from outside: first, last and one in between."""
    return {http_get(world.address, name)[0] for name in (NAMES[0], NAMES[9], NAMES[19])}


def test_twenty_accounts_change_in_one_run_with_one_reload_of_each_daemon(world: World) -> None:
    assert statuses(world) == {200}
    with everything("test"):
        arguments = {"hostings": [row.pk for row in chosen()], "reason": "Unpaid"}
        plan = preview.work_out(actor=SYSTEM, verb="accounts.suspend", arguments=arguments)
        assert len({change["subject"] for change in plan.servers[0]["changes"]}) == 20
        operations = bulk.suspend(actor=SYSTEM, hostings=chosen(), reason="Unpaid")
    run = carried(world, operations)
    assert statuses(world) == {503}
    assert set(run.reloads.values()) == {1}
    assert {"nginx", "php8.4-fpm"} <= set(run.reloads)
    assert sorted(run.reloads) == sorted(plan.servers[0]["reloads"])
    with everything("test"):
        run = carried(world, bulk.unsuspend(actor=SYSTEM, hostings=chosen()))
    assert statuses(world) == {200}
    assert set(run.reloads.values()) == {1}
    with everything("test"):
        larger = packages.create(actor=SYSTEM, organization=world.reseller, name="Larger", disk_bytes=2 * GIB)
        run = carried(world, bulk.change_package(actor=SYSTEM, hostings=chosen(), package=larger))
    assert set(run.reloads.values()) <= {1}
    assert {row.package_id for row in chosen()} == {larger.pk}
    assert http_get(world.address, OTHER)[0] == 200


def test_a_site_runs_the_php_version_that_its_owner_chooses_and_its_neighbours_keep_theirs(world: World) -> None:
    with everything("test"):
        site = Site.objects.select_related("hosting__organization").get(domain__name=NAMES[0])
        neighbour = Site.objects.select_related("hosting").get(domain__name=OTHER)
    for row in (site, neighbour):
        world.machine.run(["tee", f"{row.hosting.home}/public_html/which.php"], input=SAYS)
    for version in (second_php.VERSION, "8.4"):
        with everything("test"):
            site, operation = sites.change_php(actor=SYSTEM, site=site, php_version=version)
        world.reconcile()
        settled(operation)
        assert says(world, NAMES[0]) == f"fpm-fcgi /etc/php/{version}/fpm/php.ini"
        assert says(world, OTHER) == "fpm-fcgi /etc/php/8.4/fpm/php.ini"
        pools = world.machine.run(["sh", "-c", f"ls /etc/php/*/fpm/pool.d/hostwright-{site.hosting.username}.conf"])
        assert pools.stdout.split() == [f"/etc/php/{version}/fpm/pool.d/hostwright-{site.hosting.username}.conf"]


def says(world: World, domain: str) -> str:
    """What the site's page tells of the PHP that runs it."""
    status, _headers, body = http_get(world.address, domain, "/which.php")
    assert status == 200, body
    return str(body)
