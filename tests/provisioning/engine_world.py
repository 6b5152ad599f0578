"""A panel's data in a file of its own, and real servers that it set up over SSH: the engine without pages or Celery."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker

from accounts.models import Organization
from accounts.models.plans import FEATURES
from accounts.services import brands, organizations
from panel.core.actors import Actor
from panel.core.scoping import everything
from panel.demo import proofs
from panel.demo.proofs import Live
from provisioning import bootstrap, reconcile, transport
from provisioning.models import DatabaseUser, HostingAccount, MailDomain, Operation, Package
from provisioning.models import Server as Row
from provisioning.services import (
    database_users,
    databases,
    hosting_accounts,
    mail_aliases,
    mailboxes,
    packages,
    servers,
)
from tests.servers import Server

SYSTEM = Actor.system("test")
PASSWORD = "a-Pass.word'1"
GIB = 1024**3


@contextmanager
def database(folder: Path, blocker: DjangoDbBlocker) -> Iterator[Path]:
    """Let all of this process, and others, work on a new SQLite file in `folder`, as the embedded panel does."""
    path = folder / "hostwright.sqlite3"
    before = {alias: (connections.settings[alias], connections[alias]) for alias in ("default", "snapshot")}
    for alias, mode in (("default", "IMMEDIATE"), ("snapshot", "DEFERRED")):
        options = {"timeout": 30, "transaction_mode": mode, "init_command": "PRAGMA journal_mode=WAL"}
        connections.settings[alias] = {
            **copy.deepcopy(before[alias][0]),
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": path,
            "OPTIONS": options,
        }
        connections[alias] = connections.create_connection(alias)
    try:
        with blocker.unblock():
            call_command("migrate", verbosity=0)
            yield path
    finally:
        transport.close_all()
        for alias, (settings, connection) in before.items():
            connections[alias].close()
            connections.settings[alias] = settings
            connections[alias] = connection


@dataclass
class World:
    """Provider, reseller, client and package; one machine and its row."""

    provider: Organization
    reseller: Organization
    client: Organization
    package: Package
    machine: Server
    row: Row

    @property
    def address(self) -> str:
        return self.machine.address

    def order(self, domain: str, username: str = "", **more: Any) -> tuple[HostingAccount, Operation]:
        """Order an account for the client; nothing is carried to the server yet."""
        with everything("test"):
            return hosting_accounts.create(
                actor=SYSTEM,
                organization=self.client,
                package=self.package,
                domain=domain,
                username=username,
                server=self.row,
                **more,
            )

    def full(self, domain: str, username: str = "") -> tuple[HostingAccount, Operation, Live]:
        """Order an account with database, user, mailbox and alias; what the proofs need to know of it."""
        hosting, operation = self.order(domain, username)
        with everything("test"):
            return hosting, operation, self._fill(hosting)

    def _fill(self, hosting: HostingAccount) -> Live:
        made = databases.create(actor=SYSTEM, hosting=hosting, name="shop")[0]
        user = database_users.create(
            actor=SYSTEM,
            hosting=hosting,
            name="shop",
            password=PASSWORD,
            databases=[made],
            host=DatabaseUser.Host.ANY,
        )[0]
        mail_domain = MailDomain.objects.get(hosting=hosting)
        mailbox = mailboxes.create(
            actor=SYSTEM, mail_domain=mail_domain, local="lena", password=PASSWORD, quota_bytes=GIB
        )[0]
        alias = mail_aliases.create(
            actor=SYSTEM, mail_domain=mail_domain, local="hello", destinations=[mailbox.address]
        )[0]
        return Live(
            self.address, hosting.domain, made.name, user.name, PASSWORD, mailbox.address, PASSWORD, alias.address
        )

    def reconcile(self) -> timedelta | None:
        """Bring the server to its desired state, as the task does."""
        return reconcile.reconcile(self.row.id)


def prove(live: Live) -> None:
    """All five proofs must hold."""
    seen = proofs.run(live)
    assert [proof for proof in seen if not proof.holds] == []
    assert len(seen) == 5


def fresh(operation: Operation) -> Operation:
    """The operation as it is now."""
    return Operation._base_manager.get(pk=operation.pk)


def settled(operation: Operation) -> None:
    """The operation must have been applied."""
    now = fresh(operation)
    assert now.status == Operation.Status.APPLIED, (now.status, now.reason, now.detail)


def rejected(operation: Operation, reason: str, *, says: str) -> None:
    """The operation must have been rejected: `reason` begins what everybody reads, the provider's detail has `says`."""
    now = fresh(operation)
    assert now.status == Operation.Status.REJECTED, (now.status, now.reason, now.detail)
    assert now.reason.startswith(reason)
    assert says in now.detail
    assert says not in now.reason


def until(what: str, ready: Callable[[], object], seconds: float) -> None:
    """Poll until `ready`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)


def make(machine: Server) -> World:
    """Make people and package, add the machine by its address and set it up over SSH, as an operator does."""
    with everything("test"):
        provider = organizations.create_provider(actor=SYSTEM, name="Ferrum Hosting")
        reseller = organizations.create_reseller(actor=SYSTEM, parent=provider, name="Northwind Studio")
        brands.set(
            actor=SYSTEM,
            organization=reseller,
            name="Northwind Studio",
            panel_host="panel.northwind.example",
            nameservers=["ns1.northwind.example", "ns2.northwind.example"],
            mail_host="mail.northwind.example",
            hostmaster="hostmaster@northwind.example",
        )
        organizations.change(actor=SYSTEM, organization=reseller, mail_vouched=True)
        client = organizations.create_client(actor=SYSTEM, parent=reseller, name="Lena's Bakery")
        package = packages.create(
            actor=SYSTEM, organization=reseller, name="Starter", disk_bytes=GIB, features=list(FEATURES)
        )
        row = add(provider, machine)
        operation = servers.bootstrap(actor=SYSTEM, server=row)
        carry_bootstrap(operation)
        settled(operation)
        return World(provider, reseller, client, package, machine, Row.objects.get(pk=row.pk))


def add(provider: Organization, machine: Server) -> Row:
    """Add a machine: its host key is fetched, compared with its console's and pinned; it gets the panel's key."""
    row = servers.add(
        actor=SYSTEM,
        organization=provider,
        name=machine.name,
        platform_name="one.platform.example",
        host=machine.address,
    )
    bootstrap.fetch_host_key(row.id)
    row = Row.objects.get(pk=row.pk)
    assert row.fingerprint == machine.host_key
    servers.confirm_host_key(actor=SYSTEM, server=row, fingerprint=row.fingerprint)
    machine.run(["sh", "-c", "cat >> /root/.ssh/authorized_keys"], input=row.public_key + "\n")
    return Row.objects.get(pk=row.pk)


def carry_bootstrap(operation: Operation) -> None:
    """Do what the task of a set-up does."""
    server_id = bootstrap.install(operation.id, "")
    assert server_id is not None, fresh(operation).reason + fresh(operation).detail
    reconcile.reconcile(server_id)
    bootstrap.finish(server_id)
