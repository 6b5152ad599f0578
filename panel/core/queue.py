"""The doorbell that wakes workers after a commit. The queue itself is rows: a lost ring loses nothing."""

from functools import partial

from celery import current_app
from django.db import transaction


def ring(task_name: str, *args: str) -> None:
    """Send the Celery task `task_name` once the transaction commits; a broker that is down is logged, never raised."""
    transaction.on_commit(partial(_send, task_name, args), robust=True)


def _send(task_name: str, args: tuple[str, ...]) -> None:
    current_app.send_task(task_name, args=args, ignore_result=True)
