"""What a dead server carried: what a rebuild brings back, and what only a backup could."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from provisioning.models import (
    Database,
    DatabaseUser,
    HostingAccount,
    MailAlias,
    Mailbox,
    Operation,
    OperationTarget,
    Pin,
    Placement,
    Rebuild,
    Record,
    Server,
    Site,
    Zone,
)


@dataclass(frozen=True)
class Loss:
    """What only a backup brings back of one account: its files, the rows of its databases, the mail in its mailboxes.

    How much that was is not known, so it is counted; `pins` are keys of exceptions, which end with the server.
    """

    account: str
    domain: str
    home: str
    sites: int
    databases: int
    mailboxes: int
    pins: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.sites or self.databases or self.mailboxes or self.pins)

    def document(self) -> dict[str, Any]:
        """Return it as it is kept with a rebuild."""
        return {**asdict(self), "pins": list(self.pins)}


def listed() -> QuerySet[Rebuild]:
    """All rebuilds, newest first."""
    return Rebuild.objects.select_related("old", "new__organization", "operation")


def candidates(old: Server) -> QuerySet[Server]:
    """Servers that carry nothing and whose host key is confirmed, so that they may take the place of `old`."""
    states = [Server.State.CONFIRMED, Server.State.READY, Server.State.FAILED]
    free = Server.objects.filter(state__in=states, placements=None).exclude(pk=old.pk)
    return free.exclude(slices__hosting__isnull=False).order_by("name")


def counts(old: Server) -> dict[str, int]:
    """Return how much of each kind a rebuild brings back; terminated accounts are not among it."""
    carried = _carried(old)
    return {
        "accounts": Placement._base_manager.filter(carried).values("hosting").distinct().count(),
        "sites": _of(Site, old, "web").count(),
        "zones": _of(Zone, old, "dns").count(),
        "records": Record._base_manager.filter(zone__in=_of(Zone, old, "dns")).count(),
        "databases": _of(Database, old, "database").count(),
        "database_users": _of(DatabaseUser, old, "database").count(),
        "mailboxes": Mailbox._base_manager.filter(mail_domain__hosting__in=_hostings(old, "mail")).count(),
        "aliases": MailAlias._base_manager.filter(mail_domain__hosting__in=_hostings(old, "mail")).count(),
    }


def services(old: Server) -> set[str]:
    """Return the services for which accounts are placed on a server."""
    return set(Placement._base_manager.filter(_carried(old)).values_list("service", flat=True).distinct())


def php_versions(old: Server) -> list[str]:
    """Return the PHP versions that sites on a server use."""
    return sorted(_of(Site, old, "web").values_list("php_version", flat=True).distinct())


def losses(old: Server) -> list[Loss]:
    """Return by account what only a backup brings back; the number of queries is fixed."""
    sites = _by_account(_of(Site, old, "web"), "hosting")
    databases = _by_account(_of(Database, old, "database"), "hosting")
    boxes = Mailbox._base_manager.filter(mail_domain__hosting__in=_hostings(old, "mail"))
    mailboxes = _by_account(boxes, "mail_domain__hosting")
    pins: dict[str, list[str]] = {}
    for hosting_id, key in _pins(old).order_by("key").values_list("slice__hosting", "key"):
        pins.setdefault(hosting_id or "", []).append(key)
    carried = HostingAccount._base_manager.filter(placements__in=Placement._base_manager.filter(_carried(old)))
    found = [
        Loss(
            account=hosting.id,
            domain=hosting.domain,
            home=hosting.home,
            sites=sites.get(hosting.id, 0),
            databases=databases.get(hosting.id, 0),
            mailboxes=mailboxes.get(hosting.id, 0),
            pins=tuple(pins.get(hosting.id, ())),
        )
        for hosting in carried.distinct().order_by("domain")
    ]
    if "" in pins:
        found.append(Loss("", str(old), "", 0, 0, 0, tuple(pins[""])))
    return [loss for loss in found if not loss.is_empty]


def mentions(ips: Iterable[str]) -> list[str]:
    """Return the zones with texts that name one of `ips`, such as an SPF record of a person's own."""
    wanted = Q()
    for ip in ips:
        wanted |= Q(content__contains=ip)
    if not wanted:
        return []
    rows = Record._base_manager.filter(wanted, type="TXT").order_by("zone__name")
    return list(rows.values_list("zone__name", flat=True).distinct())


def progress(rebuild: Rebuild) -> tuple[int, int]:
    """Return how many accounts are live on the new server again, and of how many."""
    targets = OperationTarget.objects.filter(
        operation=rebuild.operation_id, slice__server=rebuild.new_id, slice__hosting__isnull=False
    )
    live = targets.exclude(slice__hosting__status=HostingAccount.Status.TERMINATED)
    return live.filter(status=OperationTarget.Status.APPLIED).count(), rebuild.accounts


def setting_up(rebuild: Rebuild) -> Operation | None:
    """Return the set-up of the new server that a rebuild waits for or waited for; None when it was set up before."""
    found = Operation.objects.filter(verb="server.bootstrap", server=rebuild.new, created_at__gte=rebuild.created_at)
    if rebuild.switched_at:
        found = found.filter(created_at__lt=rebuild.switched_at)
    return found.order_by("id").first()


def _pins(old: Server) -> QuerySet[Pin]:
    return Pin.objects.filter(slice__server=old)


def _carried(old: Server) -> Q:
    return Q(server=old) & ~Q(hosting__status=HostingAccount.Status.TERMINATED)


def _hostings(old: Server, service: str) -> QuerySet[Placement, Any]:
    return Placement._base_manager.filter(_carried(old), service=service).values("hosting")


def _of(model: Any, old: Server, service: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._base_manager.filter(hosting__in=_hostings(old, service))
    return rows


def _by_account(rows: QuerySet[Any], path: str) -> dict[str, int]:
    return dict(rows.order_by().values(path).annotate(count=Count("pk")).values_list(path, "count"))
