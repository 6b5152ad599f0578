"""Sites and the host names that they answer to."""

from __future__ import annotations

from django.utils.translation import gettext as _

from panel.core import names
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, insert
from provisioning.models import Domain, HostingAccount, Operation, Record, Site, SiteName, Zone
from provisioning.selectors import hosting_accounts, ownership, php_versions
from provisioning.services import domains, holding, zones
from provisioning.services.inputs import normal


def make(*, hosting: HostingAccount, domain: Domain, php_version: str, docroot: str = "public_html") -> Site:
    """Make the site of a domain with its `www` name. Runs in the caller's transaction."""
    site = Site(hosting=hosting, domain=domain, docroot=docroot, php_version=php_version)
    insert(site, taken=_("This site exists already."), field="domain")
    _serve(
        SiteName(site=site, domain=domain, hostname=domain.name, kind=SiteName.Kind.PRIMARY),
        SiteName(site=site, domain=domain, hostname=f"www.{domain.name}", kind=SiteName.Kind.WWW),
    )
    return site


def add_alias(*, actor: Actor, site: Site, hostname: str) -> tuple[SiteName, Operation]:
    """Let a site answer to one more name: a name below a domain of the account, or a domain of its own, which then
    gets a zone.
    """
    hostname = normal("hostname", names.hostname, hostname)
    with holding.changing(actor, "site.change", site.hosting, feature="site_aliases") as hosting:
        site = holding.current(site)
        domain = _domain_above(hosting, hostname)
        if domain is None:
            holding.take(hosting, "alias_domains")
            domain = domains.claim(
                actor=actor, hosting=hosting, name=hostname, kind=Domain.Kind.ALIAS, field="hostname"
            )
            zones.make(hosting=hosting, domain=domain)
        else:
            domains.refuse_platform(actor=actor, name=hostname, field="hostname")
            holding.take(hosting, "subdomains")
            _refuse_other_accounts(hosting, domain, hostname)
            _refuse_cname(domain, hostname)
        added = SiteName(site=site, domain=domain, hostname=hostname, kind=SiteName.Kind.ALIAS)
        _serve(added)
        operation = holding.finish(
            actor=actor,
            action="site.change",
            hosting=hosting,
            obj=added,
            services=("web", "dns"),
            changes={"alias": [None, hostname]},
        )
    return added, operation


def remove_alias(*, actor: Actor, alias: SiteName, confirm: str = "") -> Operation:
    """Take an alias from a site; a domain that was held only for it is let go with its zone.

    Where records go with it that people added, `confirm` must be the alias: nobody gets them back.
    """
    with holding.changing(actor, "site.change", alias.site.hosting) as hosting:
        alias = holding.current(alias)
        if alias.kind != SiteName.Kind.ALIAS:
            raise Invalid("not_an_alias", _("The site's own name stays as long as the site does."), "hostname")
        own_domain = alias.domain.kind == Domain.Kind.ALIAS and alias.domain.name == alias.hostname
        if own_domain and alias.domain.site_names.exclude(pk=alias.pk).exists():
            raise Conflict(_("Other names of the site stand below this domain. Remove them first."), code="in_use")
        records = hosting_accounts.records_with(alias).count()
        if records and confirm != alias.hostname:
            raise Invalid("confirm", _("Records go with this name. Type it to confirm."), "confirm")
        holding.give_back(hosting, "alias_domains" if own_domain else "subdomains")
        if records:
            holding.give_back(hosting, "records", records)
        operation = holding.finish(
            actor=actor,
            action="site.change",
            hosting=hosting,
            obj=alias,
            services=("web", "dns"),
            changes={"alias": [alias.hostname, None]},
        )
        if own_domain:
            alias.domain.delete()
        else:
            alias.delete()
    return operation


def change_php(*, actor: Actor, site: Site, php_version: str) -> tuple[Site, Operation]:
    """Let a site run another PHP version, from the next run of its server on.

    Raises Conflict when the server does not have it or the package does not include it (`selectors.php_versions`).
    """
    php_version = normal("php_version", names.php_version, php_version)
    with holding.changing(actor, "site.change", site.hosting) as hosting:
        site = holding.current(site)
        site.hosting = hosting
        before, wanted = site.php_version, php_versions.choice(site, php_version)
        if wanted.is_current:
            raise Conflict(_("The site runs this version already."), field="php_version", code="same")
        if not wanted.is_open:
            params = {"rule": "php_versions", "level": wanted.level, "remedy": wanted.remedy}
            raise Conflict(f"{wanted.reason} {wanted.remedy}", field="php_version", code=wanted.code, params=params)
        site.php_version = php_version
        site.save(update_fields=["php_version"])
        operation = holding.finish(
            actor=actor,
            action="site.change_php",
            hosting=hosting,
            obj=site,
            services=("web",),
            changes={"php_version": [before, php_version]},
        )
    return site, operation


def _domain_above(hosting: HostingAccount, hostname: str) -> Domain | None:
    held = {domain.name: domain for domain in hosting.domains.all()}
    labels = hostname.split(".")
    candidates = (".".join(labels[start:]) for start in range(len(labels)))
    return next((held[name] for name in candidates if name in held), None)


def _refuse_other_accounts(hosting: HostingAccount, domain: Domain, hostname: str) -> None:
    """A client may hold a name below `domain` in another account; what lies below that name is served there."""
    for holder in ownership.holders(hostname):
        above = f".{hostname}".endswith(f".{holder.name}") and len(holder.name) > len(domain.name)
        if above and holder.hosting_id != hosting.id:
            raise Conflict(_("Another account holds a domain above this name. Add it there."), field="hostname")


def _refuse_cname(domain: Domain, hostname: str) -> None:
    """A name of a site gets address records, which can't stand beside a CNAME (RFC 1034 §3.6.2)."""
    zone = Zone.objects.filter(domain=domain).first()
    relative = hostname.removesuffix(f".{domain.name}")
    if zone and Record.objects.filter(zone=zone, name=relative, type=Record.Type.CNAME).exists():
        raise Conflict(_("The zone has a CNAME record of this name. Remove it first."), field="hostname")


def _serve(*names: SiteName) -> None:
    insert(*names, taken=_("This host name is already served here."), field="hostname")
