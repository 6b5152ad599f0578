"""What counted resources, limits and features are called on pages. Names only: nothing is decided here."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panel.core.sizes import size

#: Counted resource → its label.
RESOURCES: dict[str, str | Promise] = {
    "accounts": gettext_lazy("Accounts"),
    "disk_bytes": gettext_lazy("Disk space"),
    "bandwidth_bytes": gettext_lazy("Bandwidth per month"),
    "mailboxes": gettext_lazy("Mailboxes"),
    "aliases": gettext_lazy("Mail aliases"),
    "databases": gettext_lazy("Databases"),
    "database_users": gettext_lazy("Database users"),
    "subdomains": gettext_lazy("Subdomains"),
    "alias_domains": gettext_lazy("Alias domains"),
    "addon_domains": gettext_lazy("Addon domains"),
    "records": gettext_lazy("DNS records"),
    "sites": gettext_lazy("Sites"),
    "zones": gettext_lazy("DNS zones"),
    "site_aliases": gettext_lazy("Site aliases"),
    "mail_per_hour": gettext_lazy("Mails per hour"),
    "sftp_users": gettext_lazy("SFTP users"),
    "cron_jobs": gettext_lazy("Cron jobs"),
}

#: Counted resource → how it is called within a sentence.
AMOUNTS: dict[str, str | Promise] = {
    "accounts": gettext_lazy("accounts"),
    "disk_bytes": gettext_lazy("disk space"),
    "bandwidth_bytes": gettext_lazy("bandwidth per month"),
    "mailboxes": gettext_lazy("mailboxes"),
    "aliases": gettext_lazy("mail aliases"),
    "databases": gettext_lazy("databases"),
    "database_users": gettext_lazy("database users"),
    "subdomains": gettext_lazy("subdomains"),
    "alias_domains": gettext_lazy("alias domains"),
    "addon_domains": gettext_lazy("addon domains"),
    "records": gettext_lazy("DNS records"),
    "sites": gettext_lazy("sites"),
    "zones": gettext_lazy("DNS zones"),
}

#: Feature of a package or plan → its label.
FEATURES: dict[str, str | Promise] = {
    "site_aliases": gettext_lazy("More names for sites"),
    "dns": gettext_lazy("DNS records"),
    "databases": gettext_lazy("Databases"),
    "remote_databases": gettext_lazy("Remote database logins"),
    "mail": gettext_lazy("Mailboxes and mail aliases"),
}

#: Whose limit it is → how that is said; what is above is not named, since clients must not learn who is there.
LEVELS: dict[str, str | Promise] = {
    "account": gettext_lazy("this hosting account"),
    "organization": gettext_lazy("this organization"),
    "reseller": gettext_lazy("the reseller"),
    "provider": gettext_lazy("the provider"),
}


def resource(name: str) -> str:
    """Return the label of a counted resource."""
    return str(RESOURCES.get(name, name.replace("_", " ")))


def within(name: str) -> str:
    """Return what a counted resource is called within a sentence."""
    return str(AMOUNTS.get(name, name.replace("_", " ")))


def feature(name: str) -> str:
    """Return the label of a feature."""
    return str(FEATURES.get(name, name.replace("_", " ")))


def amount(resource: str, count: int | None) -> str:
    """Write how much of a resource: bytes as a size, nothing as unlimited."""
    if count is None:
        return _("unlimited")
    return size(count) if resource.endswith("_bytes") else str(count)


def remedy(resource: str, level: str) -> str:
    """Return what would allow more of a resource where the limit of `level` (a key of LEVELS) is in the way."""
    if level == "account":
        return _("Remove what is no longer needed, or have the account moved to a package with more.")
    if resource.endswith("_bytes"):
        return _("Choose a package with less, move other accounts to smaller ones, or have the plan raised.")
    return _("Remove what is no longer needed, or have the plan raised.")
