"""What the home and search pages read from the apps, within the tenant scope. They change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import LimitCounter
from accounts.selectors import audit, organizations
from panel.core.actors import Actor
from panel.core.models import AuditEntry
from provisioning.models import HostingAccount, Operation, Server
from provisioning.selectors import drift, hosting_accounts, operations, packages
from provisioning.selectors import servers as server_selectors

MOST_FOUND = 10


@dataclass(frozen=True)
class Figure:
    """A number on the home page and where it leads."""

    label: str
    value: int
    url: str
    note: str = ""


@dataclass(frozen=True)
class Found:
    """One hit of a search."""

    label: str
    note: str
    url: str


@dataclass(frozen=True)
class Group:
    """The hits of one kind."""

    title: str | Promise
    icon: str
    hits: list[Found]


def only_account() -> HostingAccount | None:
    """Return the account in scope if there is exactly one."""
    found = list(hosting_accounts.listed().exclude(status=HostingAccount.Status.TERMINATED)[:2])
    return found[0] if len(found) == 1 else None


def figures(actor: Actor) -> list[Figure]:
    """Return how much there is of what the actor works with."""
    live = hosting_accounts.listed().exclude(status=HostingAccount.Status.TERMINATED)
    suspended = live.filter(status=HostingAccount.Status.SUSPENDED).count()
    note = _("%(count)s suspended") % {"count": suspended} if suspended else ""
    found = [Figure(_("Accounts"), live.count(), reverse("provisioning:account_list"), note)]
    if actor.kind != "client":
        found.append(Figure(_("Clients"), organizations.clients().count(), reverse("accounts:client_list")))
        found.append(Figure(_("Packages"), packages.listed().count(), reverse("provisioning:package_list")))
    if actor.kind == "provider":
        drifted = drift.drifted_servers().count()
        note = ngettext("%(count)s has drifted", "%(count)s have drifted", drifted) % {"count": drifted}
        url = reverse("provisioning:server_list")
        found.append(Figure(_("Servers"), server_selectors.listed().count(), url, note if drifted else ""))
    else:
        working = operations.listed(actor.path).filter(status__in=Operation.OPEN).count()
        url = reverse("provisioning:operation_list")
        found.append(Figure(_("Operations at work"), working, url))
    return found


def attention(actor: Actor) -> list[Operation]:
    """Return the newest operations that were rejected or wait."""
    stuck = [Operation.Status.REJECTED, Operation.Status.WAITING]
    return list(operations.listed(actor.path).filter(status__in=stuck)[:5])


def newest_operations(actor: Actor) -> list[Operation]:
    """Return what was asked for last."""
    return list(operations.listed(actor.path)[:8])


def unreachable_servers() -> QuerySet[Server]:
    """Return the servers that the panel cannot reach."""
    return server_selectors.listed().filter(unreachable_since__isnull=False)


def drifted_servers() -> QuerySet[Server]:
    """Return the servers on which something differs from what the panel made so."""
    return drift.drifted_servers()


def limits(actor: Actor) -> list[LimitCounter]:
    """Return the limits of the actor's own organization."""
    return organizations.limits(organizations.of_actor(actor))


def first_steps(actor: Actor) -> list[dict[str, Any]]:
    """Return the way to the first account, with what is done of it; empty once there is one."""
    if actor.kind == "client" or hosting_accounts.listed().exists():
        return []
    steps = []
    if actor.kind == "provider":
        steps.append((_("Add a server"), "provisioning:server_add", server_selectors.ready().exists()))
    steps += [
        (_("Put a package on sale"), "provisioning:package_create", packages.listed().exists()),
        (_("Add a client"), "accounts:client_create", organizations.clients().exists()),
        (_("Create the first account"), "provisioning:account_create", False),
    ]
    return [{"label": label, "url": reverse(route), "done": done} for label, route, done in steps]


def activity(actor: Actor) -> QuerySet[AuditEntry]:
    """Audit entries within the scope, newest first, with `who` acted as far as the actor may know."""
    return audit.entries(actor)


def search(actor: Actor, text: str) -> list[Group]:
    """Return what the actor may see whose name contains the text, by kind, ten of each at most."""
    groups = [
        Group(_("Accounts"), "world", _accounts(text)),
        Group(_("Names of sites"), "world-www", _site_names(text)),
        Group(_("Mail addresses"), "mail", _mail(text)),
    ]
    if actor.kind != "client":
        clients = organizations.clients().filter(name__icontains=text)[:MOST_FOUND]
        hits = [Found(row.name, "", reverse("accounts:client", args=[row.pk])) for row in clients]
        groups.append(Group(_("Clients"), "users", hits))
    if actor.kind == "provider":
        servers = server_selectors.listed().filter(Q(name__icontains=text) | Q(host__icontains=text))[:MOST_FOUND]
        hits = [Found(row.name, row.host, reverse("provisioning:server", args=[row.pk])) for row in servers]
        groups.append(Group(_("Servers"), "server", hits))
    return [group for group in groups if group.hits]


def _accounts(text: str) -> list[Found]:
    rows = hosting_accounts.listed().filter(Q(domain__icontains=text) | Q(username__icontains=text))
    return [
        Found(row.domain, f"{row.username} · {row.organization.name}", reverse("provisioning:account", args=[row.pk]))
        for row in rows.order_by("domain")[:MOST_FOUND]
    ]


def _site_names(text: str) -> list[Found]:
    rows = hosting_accounts.site_names().filter(hostname__icontains=text).order_by("hostname")
    return [
        Found(row.hostname, row.site.hosting.domain, reverse("provisioning:account_sites", args=[row.site.hosting_id]))
        for row in rows[:MOST_FOUND]
    ]


def _mail(text: str) -> list[Found]:
    local, _at, domain = text.partition("@")
    wanted = Q(local__icontains=local)
    if domain:
        wanted &= Q(mail_domain__name__startswith=domain)
    rows = [(row.address, row.mail_domain.hosting) for row in hosting_accounts.mailboxes().filter(wanted)[:MOST_FOUND]]
    aliases = hosting_accounts.mail_aliases().filter(wanted)[:MOST_FOUND]
    rows += [(row.address, row.mail_domain.hosting) for row in aliases]
    return [
        Found(address, hosting.domain, reverse("provisioning:account_mail", args=[hosting.pk]))
        for address, hosting in rows[:MOST_FOUND]
    ]
