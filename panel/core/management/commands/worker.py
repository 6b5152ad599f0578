"""Runs the worker: takes tasks from the broker in threads, and with --beat also rings them by the clock."""

from typing import Any

from celery import bootsteps, current_app
from celery.beat import EmbeddedService
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class BeatThread(bootsteps.StartStopStep):
    """The schedule as a thread of the worker: it ends with the process, also by kill -9, and keeps no state on disk."""

    def create(self, worker: Any) -> Any:
        """Return the thread, which the worker starts and stops."""
        return EmbeddedService(worker.app, thread=True, scheduler_cls=settings.CELERY_BEAT_SCHEDULER)


class Command(BaseCommand):
    """`manage.py worker`."""

    help = "Run the worker that carries changes to the servers."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("--beat", action="store_true", help="ring scheduled tasks, too (in one worker only)")
        parser.add_argument("--threads", type=int, default=settings.CELERY_WORKER_CONCURRENCY)

    def handle(self, *, beat: bool, threads: int, **_: Any) -> None:
        """Work until a signal says to stop."""
        if beat:
            current_app.steps["worker"].add(BeatThread)
        current_app.worker_main(
            [
                "worker",
                "--pool=threads",
                f"--concurrency={threads}",
                "--loglevel=INFO",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ]
        )
