"""What the limits of a hosting account say, line by line, as `accounts.selectors.limits` does for organizations."""

from __future__ import annotations

from accounts.models import LimitCounter
from accounts.selectors.limits import Line, along, first_refusal
from provisioning.models import HostingAccount, Package
from provisioning.selectors import packages


def of_account(hosting: HostingAccount) -> list[Line]:
    """Return a line for each limit of an account's package, and why one more would be refused, by itself or above."""
    organization = hosting.organization
    counters = along(organization, hosting.id)
    reasons = {row.resource: row.reason for row in packages.overrides_of(hosting)}
    lines = []
    for resource in Package.LIMITS:
        own = counters.get((hosting.id, resource)) or LimitCounter(subject=hosting.id, resource=resource)
        above = () if resource in Package.PROMISED else organization.lineage
        way = [counters[key, resource] for key in above if (key, resource) in counters]
        source = "override" if resource in reasons else "none" if own.limit is None else "package"
        refused = first_refusal([*way, own], organization)
        lines.append(Line(resource, own.used, own.limit, source, "account", refused, reasons.get(resource, "")))
    return lines
