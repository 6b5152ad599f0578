"""Packages as pages and the API list them."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from provisioning.models import HostingAccount, Package


def listed() -> QuerySet[Package]:
    """Packages on sale within the scope, with the number of accounts that have each (`account_count`)."""
    live = ~Q(hosting_accounts__status=HostingAccount.Status.TERMINATED)
    return (
        Package.objects.filter(archived_at__isnull=True)
        .select_related("organization")
        .annotate(account_count=Count("hosting_accounts", filter=live))
    )
