"""A worker process of the fault tests: `reconcile SERVER`, `drift SERVER`, `bootstrap OPERATION SECRET`, `celery`.

Leases run out and retries come in seconds instead of minutes; nothing else differs from `manage.py worker`.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import django


def hurry() -> None:
    """Shorten what an operator waits for."""
    from provisioning.services import leases, runs

    leases.DURATION = timedelta(seconds=4)
    leases.RENEW_SECONDS = 1.0
    runs.FIRST_RETRY = timedelta(seconds=0.5)
    runs.LONGEST_RETRY = timedelta(seconds=3)


def main(mode: str, *words: str) -> None:
    """Do one worker's work."""
    django.setup()
    hurry()
    if mode == "celery":
        from django.conf import settings
        from django.core.management import call_command

        settings.CELERY_BEAT_SCHEDULE["sweep"]["schedule"] = 1.0
        call_command("worker", *words)
    else:
        from provisioning import tasks

        names = {"reconcile": "reconcile", "bootstrap": "bootstrap", "drift": "check_drift"}
        getattr(tasks, names[mode])(*words)


if __name__ == "__main__":
    main(*sys.argv[1:])
