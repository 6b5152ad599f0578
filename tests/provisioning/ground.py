"""What behaviour tests of provisioning stand on: the cast with a server and accounts, and how a refusal is checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model

from accounts.models import LimitCounter, LimitUse, Organization
from accounts.models.plans import FEATURES
from panel.core.actors import Actor
from panel.core.errors import DomainError
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from provisioning.models import HostingAccount, Intent, MailDomain, Operation, Package, Server, Site, Zone
from provisioning.services import intents, operations
from tests.cast import Cast, Person
from tests.provisioning import factories


@dataclass(frozen=True)
class Ground:
    """A ready server; a package and an account of a client of reseller A, and the same of reseller B."""

    cast: Cast
    server: Server
    package_a: Package
    package_b: Package
    account_a: HostingAccount
    account_b: HostingAccount

    @property
    def site(self) -> Site:
        """The site of client A."""
        return Site._base_manager.get(hosting=self.account_a)

    @property
    def zone(self) -> Zone:
        """The zone of client A."""
        return Zone._base_manager.get(hosting=self.account_a, name=self.account_a.domain)

    @property
    def mail_domain(self) -> MailDomain:
        """The mail domain of client A."""
        return MailDomain._base_manager.get(hosting=self.account_a)


def make(cast: Cast) -> Ground:
    """Make it in the database; the mail of both accounts is vouched for."""
    server = factories.server(cast.provider.organization)
    Organization._base_manager.filter(kind=Organization.Kind.RESELLER).update(mail_vouched=True)
    package_a = factories.package(cast.reseller_a.organization, features=list(FEATURES))
    package_b = factories.package(cast.reseller_b.organization)
    return Ground(
        cast,
        server,
        package_a,
        package_b,
        factories.account(cast.client_a.organization, package_a, "a-site.org", username="asite"),
        factories.account(cast.client_b.organization, package_b, "b-site.org", username="bsite"),
    )


@contextmanager
def acting(person: Person) -> Iterator[None]:
    """See what the pages and the API of this person see."""
    with tenant(person.actor.path):
        yield


def rows() -> dict[str, object]:
    """Return how many rows every table of provisioning has, the audit entries, and what the counters say."""
    counted: list[type[Model]] = [*apps.get_app_config("provisioning").get_models(), AuditEntry]
    tables = [connection.ops.quote_name(model._meta.db_table) for model in counted]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables))  # noqa: S608
        counts: dict[str, object] = dict(zip(tables, cursor.fetchone(), strict=True))
    counts["counters"] = sorted(LimitCounter.objects.values_list("subject", "resource", "limit", "used"))
    uses = LimitUse.objects.exclude(amount=0)
    counts["uses"] = sorted(uses.values_list("organization", "resource", "amount"))
    return counts


@contextmanager
def refused(code: str | None, field: str | None = None, status: int = 400, *, says: str = "") -> Iterator[None]:
    """Expect a refusal: its code (any for None), field, status and a message; not one row, count or entry changed."""
    before = rows()
    with pytest.raises(DomainError) as caught:
        yield
    error = caught.value
    assert (error.code, error.field, error.status) == (code or error.code, field, status), error.message
    assert error.message
    assert says in error.message
    assert rows() == before


def used(subject: str, resource: str) -> int:
    """Return what a counter of an account or organization says; 0 without one."""
    return LimitCounter.objects.filter(subject=subject, resource=resource).values_list("used", flat=True).first() or 0


def dirty(hosting: HostingAccount) -> list[Intent]:
    """Return the intents of an account's slices."""
    return list(Intent.objects.filter(slice__hosting=hosting).order_by("id"))


def touch(*accounts: HostingAccount, server: Server | None = None, verify: bool = False) -> Operation:
    """Let the slices of accounts, or all slices of `server`, be looked at again; returns the operation."""
    asked = server or accounts[0]
    with everything("test"):
        operation = operations.start(
            actor=Actor.system("test"), verb="server.reconcile", subject=str(asked), organization=asked.organization
        )
        for hosting in accounts:
            intents.add(hosting, operation=operation)
        if server is not None:
            intents.add_server(server, operation=operation, accounts=True, verify=verify)
    return operation


def last_operation(hosting: HostingAccount) -> Operation:
    """Return the newest operation of an account."""
    return Operation._base_manager.filter(hosting=hosting).latest("id")


def entries(action: str) -> int:
    """Return how many audit entries an action has."""
    return int(AuditEntry._base_manager.filter(action=action).count())
