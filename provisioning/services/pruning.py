"""Forgets old history: operations that are over, runs and their steps. What is open, and what was lost in a rebuild,
stays. For the worker only.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from panel.core import ids
from provisioning.models import Operation, OperationTarget, Run

BATCH = 200


def prune() -> int:
    """Delete up to a batch of operations and a batch of runs that ended more than `HISTORY_DAYS` ago; returns how many
    operations and runs that were.

    Identifiers grow with time, so that only old rows are looked at.
    """
    limit = timezone.now() - timedelta(days=settings.HISTORY_DAYS)
    over = Operation._base_manager.filter(pk__lt=ids.first("opr", limit), finished_at__lt=limit)
    over = over.exclude(status__in=Operation.OPEN).filter(intents=None, rebuild=None)
    operations = list(over.order_by("id").values_list("id", flat=True)[:BATCH])
    Operation._base_manager.filter(pk__in=operations).delete()
    needed = Q(targets__operation__status__in=Operation.OPEN) | Q(operation__isnull=False)
    ended = Run.objects.filter(pk__lt=ids.first("run", limit), finished_at__lt=limit)
    needed_ids = ended.filter(needed).values("pk")
    runs = list(ended.exclude(pk__in=needed_ids).order_by("id").values_list("id", flat=True)[:BATCH])
    OperationTarget.objects.filter(run__in=runs).update(run=None)
    Run.objects.filter(pk__in=runs).delete()
    return len(operations) + len(runs)
