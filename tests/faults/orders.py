"""Random orders as people give them, by the services; the same seed gives the same orders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from panel.core.errors import DomainError
from provisioning.models import Database, HostingAccount, Mailbox, MailDomain, Operation, Record, Zone
from provisioning.services import (
    database_users,
    databases,
    hosting_accounts,
    mail_aliases,
    mailboxes,
    renames,
    zones,
)
from tests.faults.history import History
from tests.provisioning.engine_world import PASSWORD, SYSTEM, World

GRACE = timedelta(days=7)


@dataclass
class Orders:
    """Gives orders to a world and notes each, accepted or refused."""

    world: World
    history: History
    accepted: list[str] = field(default_factory=list)
    number: int = 0
    spared: set[str] = field(default_factory=set)

    def some(self, count: int) -> None:
        """Give `count` orders of any kind, the first of them an account."""
        self.give(account)
        for _number in range(count - 1):
            kinds, weights = zip(*KINDS, strict=True)
            self.give(self.history.random.choices(kinds, weights)[0])

    def full(self) -> None:
        """Give one order of every kind: a run that carries them comes to every step, moves and destruction too."""
        self.give(account)
        self.give(account)
        moved, ended = HostingAccount._base_manager.filter(operations__in=self.accepted[-2:]).order_by("id")
        self.world.reconcile()
        self.spared = {moved.pk, ended.pk}
        self._took("renaming", renames.rename(actor=SYSTEM, hosting=moved, **self.new_names()))
        for order, _weight in KINDS:
            self.give(order)
        ending = hosting_accounts.terminate(actor=SYSTEM, hosting=ended, confirm=ended.domain, purge_at=timezone.now())
        self._took("termination", ending)
        for order in (account, _database, _mailbox, _record):  # The last ones, so that nothing takes them away again.
            self.give(order)

    def new_names(self) -> dict[str, str]:
        """Return a domain and a user name that nobody has."""
        self.number += 1
        return {"domain": f"new-{self.domain()}", "username": f"mv{self.history.random.randrange(10**9)}"}

    def give(self, order: Callable[[Orders], Operation]) -> None:
        """Give one order."""
        self.number += 1
        name = order.__name__.strip("_")
        try:
            operation = order(self)
        except DomainError as error:
            self.history.add("refused", order=name, code=error.code, message=str(error.message))
        else:
            self._took(name, operation)

    def _took(self, name: str, operation: Operation) -> None:
        self.accepted.append(operation.id)
        self.history.add("accepted", order=name, subject=operation.subject, operation=operation.id)

    def domain(self) -> str:
        """Return a domain that nobody has."""
        name = "".join(character for character in self.history.name.lower() if character.isalnum())[:30]
        return f"f{self.number}-{name}{self.history.seed}.example"

    def living(self) -> HostingAccount:
        """Choose an account of this history that is active; a new one when there is none."""
        mine = HostingAccount._base_manager.filter(operations__in=self.accepted, status="active").distinct()
        chosen = list(mine.exclude(pk__in=self.spared).order_by("id"))
        if chosen:
            return self.history.random.choice(chosen)
        hosting, operation = self.world.order(f"more-{self.domain()}")
        self._took("account", operation)
        return hosting


def account(orders: Orders) -> Operation:
    """Order an account."""
    return orders.world.order(orders.domain())[1]


def _mailbox(orders: Orders) -> Operation:
    domain = MailDomain.objects.get(hosting=orders.living())
    return mailboxes.create(actor=SYSTEM, mail_domain=domain, local=f"box{orders.number}", password=PASSWORD)[1]


def _mailbox_removal(orders: Orders) -> Operation:
    boxes = list(Mailbox.objects.filter(mail_domain__hosting=orders.living()).order_by("id"))
    if not boxes:
        return _mailbox(orders)
    box = orders.history.random.choice(boxes)
    return mailboxes.remove(actor=SYSTEM, mailbox=box, confirm=box.address)


def _alias(orders: Orders) -> Operation:
    domain = MailDomain.objects.get(hosting=orders.living())
    local = f"alias{orders.number}"
    return mail_aliases.create(actor=SYSTEM, mail_domain=domain, local=local, destinations=["a@elsewhere.example"])[1]


def _record(orders: Orders) -> Operation:
    zone = Zone.objects.get(hosting=orders.living())
    content = f"text {orders.history.random.randrange(10**6)}"
    return zones.add_record(actor=SYSTEM, zone=zone, type="TXT", name=f"t{orders.number}", content=content)[1]


def _record_removal(orders: Orders) -> Operation:
    records = list(Record.objects.filter(zone__hosting=orders.living(), type="TXT").order_by("id"))
    if not records:
        return _record(orders)
    return zones.remove_record(actor=SYSTEM, record=orders.history.random.choice(records))


def _database(orders: Orders) -> Operation:
    return databases.create(actor=SYSTEM, hosting=orders.living(), name=f"d{orders.number}")[1]


def _login(orders: Orders) -> Operation:
    hosting = orders.living()
    mine: list[Any] = list(Database.objects.filter(hosting=hosting).order_by("id")[:1])
    return database_users.create(
        actor=SYSTEM, hosting=hosting, name=f"u{orders.number}", password=PASSWORD, databases=mine
    )[1]


def _renaming(orders: Orders) -> Operation:
    return renames.rename(actor=SYSTEM, hosting=orders.living(), **orders.new_names())


def _suspension(orders: Orders) -> Operation:
    return hosting_accounts.suspend(actor=SYSTEM, hosting=orders.living())


def _release(orders: Orders) -> Operation:
    mine = HostingAccount._base_manager.filter(operations__in=orders.accepted, status="suspended").order_by("id")
    hosting = mine.first()
    return hosting_accounts.unsuspend(actor=SYSTEM, hosting=hosting) if hosting else _suspension(orders)


def _termination(orders: Orders) -> Operation:
    hosting = orders.living()
    due = orders.history.random.choice([timezone.now(), timezone.now() + GRACE])
    return hosting_accounts.terminate(actor=SYSTEM, hosting=hosting, confirm=hosting.domain, purge_at=due)


KINDS: list[tuple[Callable[[Orders], Operation], int]] = [
    (account, 3),
    (_mailbox, 3),
    (_mailbox_removal, 1),
    (_alias, 2),
    (_record, 3),
    (_record_removal, 1),
    (_database, 2),
    (_login, 2),
    (_renaming, 1),
    (_suspension, 1),
    (_release, 1),
    (_termination, 2),
]
