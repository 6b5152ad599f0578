"""Which PHP versions a site can have: those of its server that its package includes; for the others, why not."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts import words
from provisioning.models import Placement, Site
from provisioning.selectors.servers import php_order


@dataclass(frozen=True)
class Choice:
    """A version: whether the site runs it now, and why it can't have it: code, level, words; empty where it can."""

    version: str
    is_current: bool
    code: str = ""
    level: str = ""
    reason: str = ""
    remedy: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the site can have it."""
        return not self.code


def choices(site: Site) -> list[Choice]:
    """Return every version that the site's server has, its package names or it runs now, oldest first."""
    there, sold = _of_server(site), set(site.hosting.package.php_versions)
    known = there | sold | {site.php_version}
    return [_choice(site, version, there, sold) for version in sorted(known, key=php_order)]


def choice(site: Site, version: str) -> Choice:
    """Return whether a site can have one version, or why not."""
    return _choice(site, version, _of_server(site), set(site.hosting.package.php_versions))


def _choice(site: Site, version: str, there: set[str], sold: set[str]) -> Choice:
    open_to = ", ".join(sorted(there & sold if sold else there, key=php_order)) or _("none")
    current = version == site.php_version
    if version not in there:
        return Choice(
            version,
            current,
            "php_not_there",
            _("the server"),
            _("The server of this account has no PHP %(version)s.") % {"version": version},
            _("Choose one of these: %(versions)s.") % {"versions": open_to},
        )
    if sold and version not in sold:
        return Choice(
            version,
            current,
            "not_included",
            str(words.LEVELS["account"]),
            _("The package of this account does not include PHP %(version)s.") % {"version": version},
            _("Choose one of these: %(versions)s. Or have the account moved to a package that includes it.")
            % {"versions": open_to},
        )
    return Choice(version, current)


def _of_server(site: Site) -> set[str]:
    """Return the versions of the server that carries the account's sites."""
    rows = Placement.objects.filter(hosting=site.hosting, service=Placement.Service.WEB)
    found = [set(versions) for versions in rows.values_list("server__php_versions", flat=True)]
    return set.intersection(*found) if found else set()
