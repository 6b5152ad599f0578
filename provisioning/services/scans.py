"""Scans of brands: asked for, followed and kept. What is looked at is provisioning.scan's affair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.selectors import brands
from panel.core import audit, policy, queue
from panel.core.actors import Actor
from panel.core.errors import Invalid, integrity_as_conflict
from provisioning.leaks.readings import MOST_FINDINGS, Finding
from provisioning.models import BrandScan

RUN = "provisioning.tasks.scan_brand"
LONGEST = timedelta(minutes=10)
"""A scan that is not over by then was left by its worker."""
KEPT = 20
"""So many scans of a brand are kept."""


def start(*, actor: Actor, organization: Organization) -> BrandScan:
    """Ask for a scan of the brand of `organization`; a worker carries it out.

    Raises Invalid for a brand without a panel host, be it a neutral one, and Conflict while one is going on.
    """
    policy.require(actor, "brand.scan", organization)
    brand = getattr(organization, "brand", None)
    if brand is None or not brands.host(brand):
        raise Invalid("no_panel_host", _("Give the brand a panel host first; there is nothing to look at."), "brand")
    with transaction.atomic():
        expire()
        with integrity_as_conflict(_("This brand is being looked at already."), field="brand"):
            scan = BrandScan.objects.create(organization=organization, host=brands.host(brand))
        audit.record(actor, "brand.scan", scan)
        _forget(organization)
        queue.ring(RUN, scan.id)
    return scan


def begin(scan_id: str) -> BrandScan | None:
    """Take a scan that waits; None when there is none or somebody else took it. For the worker."""
    rows = BrandScan._base_manager.filter(pk=scan_id)
    if not rows.filter(status=BrandScan.Status.PENDING).update(status=BrandScan.Status.RUNNING):
        return None
    return rows.select_related("organization__brand").get()


def note(*, scan: BrandScan, steps: Sequence[dict[str, Any]], findings: Sequence[Finding], readings: int) -> None:
    """Keep how far a scan is. For the worker."""
    scan.steps, scan.readings, scan.leaks = list(steps), readings, len(findings)
    scan.findings = [asdict(finding) for finding in findings[:MOST_FINDINGS]]
    scan.save(update_fields=["steps", "readings", "leaks", "findings"])


def finish(*, scan: BrandScan, skipped: Sequence[str]) -> None:
    """End a scan: clean, with names found, or not finished when a step failed. For the worker."""
    failed = any(step["status"] == "failed" for step in scan.steps)
    found = BrandScan.Status.LEAKS if scan.leaks else BrandScan.Status.CLEAN
    scan.status = BrandScan.Status.FAILED if failed and not scan.leaks else found
    scan.skipped, scan.finished_at = list(skipped), timezone.now()
    scan.save(update_fields=["status", "skipped", "finished_at"])


def expire() -> None:
    """End scans whose worker is gone."""
    old = BrandScan._base_manager.filter(created_at__lt=timezone.now() - LONGEST)
    open_ = old.filter(status__in=(BrandScan.Status.PENDING, BrandScan.Status.RUNNING))
    open_.update(status=BrandScan.Status.FAILED, finished_at=timezone.now())


def _forget(organization: Organization) -> None:
    rows = BrandScan._base_manager.filter(organization=organization).order_by("-id")
    keep = list(rows.values_list("pk", flat=True)[:KEPT])
    rows.exclude(pk__in=keep).delete()
