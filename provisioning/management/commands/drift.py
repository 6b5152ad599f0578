"""Compares a server with what the panel made so, and prints what differs: for people at a shell, and for cron."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel.core.scoping import everything
from provisioning import drift
from provisioning.models import DriftCheck, DriftItem, Server
from provisioning.selectors import drift as selectors

BUSY_SECONDS = 120


class Command(BaseCommand):
    """`manage.py drift SERVER`."""

    help = "Look for drift on a server; the exit code is 1 when something differs, 2 when it could not be compared."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the arguments."""
        parser.add_argument("server", help="name or id of the server")
        parser.add_argument("--no-diff", action="store_true", help="one line for each difference")

    def handle(self, *, server: str, no_diff: bool, **_: Any) -> None:
        """Check, print, and end with the exit code."""
        with everything("drift command"):
            row = Server.objects.filter(pk=server).first() or Server.objects.filter(name=server).first()
            if row is None:
                raise CommandError(f"There is no server {server}.", returncode=2)
            check = self._check(row)
            if check.status == DriftCheck.Status.FAILED:
                raise CommandError(f"{check.reason} {check.detail}".strip(), returncode=2)
            for item in selectors.open_items(row):
                self._print(item, with_diff=not no_diff)
            self.stdout.write(f"{row.name}: {check.checked} things compared, {check.found} differ.")
            if check.found:
                raise SystemExit(1)

    def _check(self, server: Server) -> DriftCheck:
        deadline = time.monotonic() + BUSY_SECONDS
        while (delay := drift.check(server.id)) is not None:
            if time.monotonic() > deadline:
                raise CommandError("A worker is busy on this server. Try again later.", returncode=2)
            time.sleep(delay.total_seconds())
        return selectors.checks(server)[0]

    def _print(self, item: DriftItem, *, with_diff: bool) -> None:
        owner = item.slice.hosting.domain if item.slice and item.slice.hosting else "server"
        self.stdout.write(f"{item.kind:8} {owner}  {item.key}")
        if with_diff and item.diff:
            self.stdout.write("".join(f"    {line}\n" for line in item.diff.splitlines()), ending="")
