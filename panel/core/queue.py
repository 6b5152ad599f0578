"""The doorbell that wakes workers after a commit. The queue itself is rows: a lost ring loses nothing."""

from celery import current_app
from django.db import transaction


def ring(task_name: str, *args: str) -> None:
    """Send the Celery task `task_name` once the transaction commits; a broker that is down is logged, never raised."""

    def send() -> None:
        current_app.send_task(task_name, args=args, ignore_result=True)

    transaction.on_commit(send, robust=True)
