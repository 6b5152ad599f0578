"""Waits a little while many orders come in, so that few runs carry them all and daemons reload seldom.

For the worker only.
"""

from __future__ import annotations

import time

from django.db.models import Count, Max, Q
from django.db.models.functions import Now

from provisioning.models import Intent

FEWEST_SLICES = 3
"""Fewer slices than this are no burst: nobody who changes one account waits for others."""
QUIET_SECONDS = 0.3
MOST_SECONDS = 1.5
POLL_SECONDS = 0.05


def gather(server_id: str) -> bool:
    """Return when no order has come for 0.3 s, after 1.5 s at the latest; at once unless several slices wait.

    Tells whether any order waits.
    """
    began = changed = time.monotonic()
    newest, slices = _waiting(server_id)
    while slices >= FEWEST_SLICES and time.monotonic() < min(began + MOST_SECONDS, changed + QUIET_SECONDS):
        time.sleep(POLL_SECONDS)
        seen, newest = newest, _waiting(server_id)[0]
        if newest != seen:
            changed = time.monotonic()
    return slices > 0


def _waiting(server_id: str) -> tuple[str, int]:
    """The newest intent that is due (ids grow), and how many slices such intents are for."""
    due = Intent.objects.filter(Q(retry_at__isnull=True) | Q(retry_at__lte=Now()), slice__server=server_id)
    found = due.aggregate(newest=Max("id"), slices=Count("slice", distinct=True))
    return found["newest"] or "", found["slices"]
