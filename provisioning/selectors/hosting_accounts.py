"""Hosting accounts and what they hold, as pages and the API list them."""

from __future__ import annotations

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from accounts.models import LimitCounter, Organization
from provisioning.models import (
    Database,
    DatabaseUser,
    Domain,
    HostingAccount,
    MailAlias,
    Mailbox,
    MailDomain,
    Placement,
    Record,
    Server,
    Site,
    SiteName,
    Tombstone,
    Zone,
)
from provisioning.selectors import brands
from provisioning.selectors import zones as zone_selectors


def listed() -> QuerySet[HostingAccount]:
    """Accounts within the scope, with their client and package; `purge_at` is when a terminated one's data goes."""
    graves = Tombstone.objects.filter(
        slice__hosting=OuterRef("pk"), created_at__gte=OuterRef("terminated_at"), destroyed_at__isnull=True
    )
    rows = HostingAccount.objects.select_related("organization", "package", "suspended_by")
    return rows.annotate(purge_at=Subquery(graves.order_by("due_at").values("due_at")[:1]))


def below(organization: Organization) -> QuerySet[HostingAccount]:
    """Return the accounts of an organization and everything below it that are not terminated, by domain."""
    rows = HostingAccount.objects.filter(organization__path__startswith=organization.path)
    return rows.exclude(status=HostingAccount.Status.TERMINATED).order_by("domain")


def servers(hosting: HostingAccount) -> list[Server]:
    """Return the servers that carry an account, each once."""
    rows = Placement.objects.filter(hosting=hosting).select_related("server").order_by("server__name")
    return list({row.server_id: row.server for row in rows}.values())


def counters(hosting: HostingAccount) -> dict[str, tuple[int, int | None]]:
    """Return use and limit by resource; a limit of None is unlimited."""
    rows = LimitCounter.objects.filter(subject=hosting.id)
    return {row.resource: (row.used, row.limit) for row in rows}


def web_addresses(hosting: HostingAccount) -> list[str]:
    """Return the public addresses that an account's sites answer on."""
    brand = brands.of_organizations([hosting.organization]).get(hosting.organization_id)
    web, _mail = zone_selectors.public_addresses([hosting.id], "default", {hosting.id: brand.id} if brand else {})
    return web[hosting.id]


def holdings(hosting: HostingAccount) -> dict[str, list[str]]:
    """Return the names of what an account holds, by kind: what a termination takes away."""
    return {
        "site": list(SiteName.objects.filter(site__hosting=hosting).values_list("hostname", flat=True)),
        "zone": list(Zone.objects.filter(hosting=hosting).values_list("name", flat=True)),
        "database": list(Database.objects.filter(hosting=hosting).values_list("name", flat=True)),
        "mailbox": [str(row) for row in mailboxes().filter(mail_domain__hosting=hosting)],
        "alias": [str(row) for row in mail_aliases().filter(mail_domain__hosting=hosting)],
    }


def sites(hosting: HostingAccount | None = None) -> QuerySet[Site]:
    """Sites within the scope (of one account), with their names."""
    rows = Site.objects.select_related("domain", "hosting__organization", "hosting__package")
    rows = rows.prefetch_related(Prefetch("names", SiteName.objects.order_by("id")))
    return rows.filter(hosting=hosting) if hosting else rows


def site_names(site: Site | None = None) -> QuerySet[SiteName]:
    """Names that sites answer to, within the scope (of one site)."""
    rows = SiteName.objects.select_related("domain", "site__hosting__organization", "site__hosting__package")
    return rows.filter(site=site) if site else rows


def records_with(alias: SiteName) -> QuerySet[Record]:
    """Return the records that people added to the zone which goes with an alias; none where its domain stays."""
    goes = alias.domain.kind == Domain.Kind.ALIAS and alias.domain.name == alias.hostname
    return Record.objects.filter(zone__domain=alias.domain) if goes else Record.objects.none()


def databases(hosting: HostingAccount | None = None) -> QuerySet[Database]:
    """Databases within the scope (of one account), with their users."""
    rows = Database.objects.select_related("hosting__organization", "hosting__package")
    rows = rows.prefetch_related(Prefetch("users", DatabaseUser.objects.order_by("name")))
    return rows.filter(hosting=hosting) if hosting else rows


def database_users(hosting: HostingAccount | None = None) -> QuerySet[DatabaseUser]:
    """Database logins within the scope (of one account), with their databases."""
    rows = DatabaseUser.objects.select_related("hosting__organization", "hosting__package")
    rows = rows.prefetch_related(Prefetch("databases", Database.objects.order_by("name")))
    return rows.filter(hosting=hosting) if hosting else rows


def mail_domains(hosting: HostingAccount | None = None) -> QuerySet[MailDomain]:
    """Mail domains within the scope (of one account)."""
    rows = MailDomain.objects.select_related("hosting__organization", "hosting__package")
    return rows.filter(hosting=hosting) if hosting else rows


def mailboxes(mail_domain: MailDomain | None = None) -> QuerySet[Mailbox]:
    """Mailboxes within the scope (of one mail domain)."""
    rows = Mailbox.objects.select_related("mail_domain__hosting__organization", "mail_domain__hosting__package")
    return rows.filter(mail_domain=mail_domain) if mail_domain else rows


def mail_aliases(mail_domain: MailDomain | None = None) -> QuerySet[MailAlias]:
    """Mail aliases within the scope (of one mail domain)."""
    rows = MailAlias.objects.select_related("mail_domain__hosting__organization", "mail_domain__hosting__package")
    return rows.filter(mail_domain=mail_domain) if mail_domain else rows


def zones(hosting: HostingAccount | None = None) -> QuerySet[Zone]:
    """Zones within the scope (of one account)."""
    rows = Zone.objects.select_related("hosting__organization", "hosting__package", "domain")
    return rows.filter(hosting=hosting) if hosting else rows
