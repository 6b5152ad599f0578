"""The doorbell that wakes workers after a commit. The queue itself is rows: a lost ring loses nothing."""

from collections.abc import Callable
from functools import lru_cache

from celery import current_app
from django.db import transaction


def ring(task_name: str, *args: str) -> None:
    """Send the Celery task `task_name` once the transaction commits; a broker that is down is logged, never raised.

    The same ring, however often it is asked for in one transaction, is sent once.
    """
    send = _sender(task_name, args)
    if not any(waiting is send for _savepoints, waiting, _robust in transaction.get_connection().run_on_commit):
        transaction.on_commit(send, robust=True)


@lru_cache(maxsize=1024)
def _sender(task_name: str, args: tuple[str, ...]) -> Callable[[], None]:
    """What sends a task: the same for the same task, so that it is known again."""

    def send() -> None:
        current_app.send_task(task_name, args=args, ignore_result=True)

    return send
