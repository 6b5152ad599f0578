"""Runs the whole panel on one machine: web and worker as two processes that this one starts, watches and stops."""

import os
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel.core import file_broker
from panel.core.supervisor import Child, Supervisor


class Command(BaseCommand):
    """`manage.py serve`."""

    help = "Run the panel: web and worker, until Ctrl-C."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    def handle(self, *, host: str, port: int, migrate: bool, **_: Any) -> None:
        """Run until SIGINT or SIGTERM."""
        if not settings.CELERY_BROKER_URL.startswith("hostwright-files:"):
            raise CommandError("serve is for the embedded settings; in production run gunicorn and `manage.py worker`.")
        if migrate:
            call_command("migrate", interactive=False, verbosity=0)
        file_broker.clear(settings.MESSAGES_DIR)
        environment = os.environ | {"HOSTWRIGHT_PORT": str(port), "PYTHONUNBUFFERED": "1"}
        manage = str(settings.BASE_DIR / "manage.py")
        web = [
            *(sys.executable, "-m", "uvicorn", "panel.asgi:application"),
            *("--host", host, "--port", str(port), "--lifespan", "off", "--log-level", "warning"),
            *("--no-access-log", "--no-server-header", "--no-proxy-headers", "--timeout-graceful-shutdown", "5"),
        ]
        worker = [sys.executable, manage, "worker", "--beat"]
        supervisor = Supervisor(
            [Child("web", web), Child("worker", worker)], directory=settings.BASE_DIR, environment=environment
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: supervisor.stop())
        self.stdout.write(f"Hostwright is at http://{host}:{port}/ (Ctrl-C stops it).")
        supervisor.run()
