"""What the search finds in all apps, within the tenant scope; ten of a kind at most. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.selectors import organizations, users
from billing import formats
from billing.models import Invoice
from billing.selectors import customers, parties
from panel.core import policy
from panel.core.actors import Actor
from provisioning.models import HostingAccount
from provisioning.selectors import hosting_accounts, servers

MOST_FOUND = 10


@dataclass(frozen=True)
class Found:
    """One hit of a search."""

    label: str
    note: str
    url: str


@dataclass(frozen=True)
class Group:
    """The hits of one kind; `more` tells that there are others."""

    title: str | Promise
    icon: str
    hits: list[Found]
    more: bool = False


def search(actor: Actor, text: str) -> list[Group]:
    """Return what the actor may see whose name contains the text, by kind; one query for each kind, two for mail."""
    return [group for group in _groups(actor, text) if group.hits]


def _groups(actor: Actor, text: str) -> Iterator[Group]:
    yield _group(_("Accounts"), "world", _accounts(text))
    yield _group(_("Names of sites"), "world-www", _site_names(text))
    yield _group(_("DNS zones"), "route", _zones(text))
    yield _group(_("Mail addresses"), "mail", _mail(text))
    yield _group(_("Databases"), "database", _databases(text))
    if actor.kind != "client":
        yield _group(_("Clients"), "users", _organizations(organizations.clients(), "client", text))
        yield _group(_("Resellers"), "building-store", _organizations(organizations.resellers(actor), "reseller", text))
    if policy.allowed(actor, "invoice.view"):
        yield _group(_("Invoices"), "file-invoice", _invoices(actor, text))
    if actor.kind != "client" and policy.allowed(actor, "seller.view"):
        yield _group(_("Customers"), "receipt", _customers(actor, text))
    if policy.allowed(actor, "membership.view"):
        yield _group(_("People"), "user", _people(text))
    if policy.allowed(actor, "server.view"):
        yield _group(_("Servers"), "server", _servers(text))


def _group(title: str, icon: str, hits: list[Found]) -> Group:
    return Group(title, icon, hits[:MOST_FOUND], more=len(hits) > MOST_FOUND)


def _first(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows[: MOST_FOUND + 1]


def _of_account(tab: str, hosting_id: str) -> str:
    return reverse(f"provisioning:{tab}", args=[hosting_id])


def _accounts(text: str) -> list[Found]:
    wanted = Q(domain__icontains=text) | Q(username__icontains=text)
    rows = _first(hosting_accounts.listed().filter(wanted).order_by("domain"))
    return [
        Found(row.domain, f"{row.username} · {row.organization.name}", _of_account("account", row.pk)) for row in rows
    ]


def _site_names(text: str) -> list[Found]:
    rows = hosting_accounts.site_names().filter(hostname__icontains=text).order_by("hostname")
    return [
        Found(row.hostname, row.site.hosting.domain, _of_account("account_sites", row.site.hosting_id))
        for row in _first(rows)
    ]


def _zones(text: str) -> list[Found]:
    rows = hosting_accounts.zones().filter(name__icontains=text).order_by("name")
    return [Found(row.name, row.hosting.domain, _of_account("account_zones", row.hosting_id)) for row in _first(rows)]


def _databases(text: str) -> list[Found]:
    live = ~Q(hosting__status=HostingAccount.Status.TERMINATED)
    rows = hosting_accounts.databases().prefetch_related(None).filter(live, name__icontains=text).order_by("name")
    return [
        Found(row.name, row.hosting.domain, _of_account("account_databases", row.hosting_id)) for row in _first(rows)
    ]


def _mail(text: str) -> list[Found]:
    local, _at, domain = text.partition("@")
    wanted = Q(local__icontains=local)
    if domain:
        wanted &= Q(mail_domain__name__startswith=domain)
    rows: list[tuple[str, HostingAccount]] = []
    for found in (hosting_accounts.mailboxes(), hosting_accounts.mail_aliases()):
        matching = _first(found.filter(wanted).order_by("local", "id"))
        rows += [(row.address, row.mail_domain.hosting) for row in matching]
    return [Found(address, hosting.domain, _of_account("account_mail", hosting.pk)) for address, hosting in rows]


def _organizations(rows: QuerySet[Any], kind: str, text: str) -> list[Found]:
    return [
        Found(
            row.name,
            row.parent.name if row.parent_id and row.parent else "",
            reverse(f"accounts:{kind}", args=[row.pk]),
        )
        for row in _first(rows.filter(name__icontains=text).order_by("name"))
    ]


def _invoices(actor: Actor, text: str) -> list[Found]:
    wanted = Q(label__icontains=text) | Q(reference__icontains=text)
    rows = parties.of_party(Invoice.objects.filter(status=Invoice.Status.ISSUED), actor).filter(wanted)
    return [
        Found(str(row), f"{row.customer} · {formats.money(row.gross, row.currency)}", _of_invoice(row))
        for row in _first(rows.select_related("customer").order_by("-id"))
    ]


def _of_invoice(row: Invoice) -> str:
    return reverse("billing:invoice", args=[row.pk])


def _customers(actor: Actor, text: str) -> list[Found]:
    wanted = Q(name__icontains=text) | Q(email__icontains=text)
    rows = _first(customers.listed(actor).filter(wanted).order_by("name", "id"))
    return [Found(row.name, row.email, reverse("billing:customer", args=[row.pk])) for row in rows]


def _people(text: str) -> list[Found]:
    wanted = Q(user__name__icontains=text) | Q(user__email__icontains=text)
    rows = _first(users.memberships().filter(wanted).order_by("user__name", "id"))
    return [
        Found(row.user.name or row.user.email, f"{row.user.email} · {row.organization.name}", _of_member(row))
        for row in rows
    ]


def _of_member(row: Any) -> str:
    return reverse("accounts:member_change", args=[row.pk])


def _servers(text: str) -> list[Found]:
    rows = servers.listed().filter(Q(name__icontains=text) | Q(host__icontains=text)).order_by("name")
    return [Found(row.name, row.host, reverse("provisioning:server", args=[row.pk])) for row in _first(rows)]
