"""Measures what the accounts of a server use, and prints it: for people at a shell."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel.core.scoping import everything
from panel.core.sizes import size
from provisioning import usage
from provisioning.models import HostingAccount, Server, ServerReading
from provisioning.selectors import usage as selectors

MOST_SECONDS = 1200


class Command(BaseCommand):
    """`manage.py usage SERVER`."""

    help = "Measure a server and all its accounts, and print what they use; exit code 2 when it cannot be measured."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the arguments."""
        parser.add_argument("server", help="name or id of the server")

    def handle(self, *, server: str, **_: Any) -> None:
        """Measure and print."""
        with everything("usage command"):
            row = Server.objects.filter(pk=server).first() or Server.objects.filter(name=server).first()
            if row is None:
                raise CommandError(f"There is no server {server}.", returncode=2)
            self._measure(row)
            self._print(row)

    def _measure(self, server: Server) -> None:
        deadline = time.monotonic() + MOST_SECONDS
        while (delay := usage.measure(server.id)) is not None:
            if time.monotonic() > deadline:
                raise CommandError("The server is still measuring. Ask again later.", returncode=2)
            time.sleep(delay.total_seconds())
        reading = ServerReading.objects.filter(server=server).latest("id")
        if reading.reason:
            raise CommandError(reading.reason, returncode=2)

    def _print(self, server: Server) -> None:
        accounts = list(HostingAccount.objects.filter(usage_now__server=server).order_by("domain"))
        uses = selectors.now_of(accounts)
        for hosting in accounts:
            use = uses[hosting.pk]
            self.stdout.write(
                f"{hosting.domain}: {size(use.disk_bytes)} of files (mail {size(use.mail_bytes)}),"
                f" {size(use.database_bytes)} of databases; this month {size(use.web_bytes)} sent by sites,"
                f" {use.mails_sent} mails out, {use.mails_received} in"
            )
        total = selectors.totals(server)
        self.stdout.write(f"{server.name}: {size(total.storage_bytes)} in {total.accounts} accounts.")
