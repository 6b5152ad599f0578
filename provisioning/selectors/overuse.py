"""Which resellers really use more than their plans have, as dashboards tell it."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import Organization
from provisioning.models import Overuse


def listed() -> QuerySet[Overuse]:
    """What is over within the scope: one's own, and that of resellers below."""
    return Overuse.objects.select_related("organization__plan")


def of_organization(organization: Organization) -> QuerySet[Overuse]:
    """What an organization itself is over in."""
    return listed().filter(organization=organization)
