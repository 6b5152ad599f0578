"""Bills by hand what the scheduler bills every few minutes, or shows what would be billed."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import Organization
from billing.services import runs
from panel.core.scoping import everything


class Command(BaseCommand):
    """`manage.py bill [--dry-run] [--seller ID] [--at INSTANT]`; exits with 1 when something was left out."""

    help = "Charge, invoice and collect what is due. With --dry-run: show it, and change nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what may follow."""
        parser.add_argument("--dry-run", action="store_true", help="show what would happen, and take it back")
        parser.add_argument("--seller", metavar="ID", help="only what this organization sells")
        parser.add_argument("--at", metavar="INSTANT", help="as if it were then, such as 2026-12-01T06:00:00+00:00")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and print what was done."""
        report = runs.bill(self._instant(options["at"]), self._seller(options["seller"]), options["dry_run"])
        for paper in report.papers:
            self.stdout.write(paper)
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(
            f"{report.subscriptions} subscriptions {would}looked at, {report.charges} charges {would}made, "
            f"{report.invoices} papers {would}issued, {report.ended} subscriptions {would}ended, "
            f"{report.steps} steps of dunning {would}taken."
        )
        for row, reason in report.parked:
            self.stderr.write(f"Parked: {row}: {reason}")
        for row, reason in report.failed:
            self.stderr.write(f"Left out: {row}: {reason}")
        if not report.is_clean:
            raise CommandError("Something was left out. Look at it, and bill again.")

    def _instant(self, text: str | None) -> datetime:
        if text is None:
            return timezone.now()
        try:
            instant = datetime.fromisoformat(text)
        except ValueError as error:
            raise CommandError(f"--at: {error}") from error
        if instant.tzinfo is None:
            raise CommandError("--at: give the offset, as in 2026-12-01T06:00:00+00:00")
        return instant

    def _seller(self, pk: str | None) -> Organization | None:
        if pk is None:
            return None
        with everything("bill"):
            found = Organization.objects.filter(pk=pk).first()
        if found is None:
            raise CommandError(f"--seller: there is no organization {pk}")
        return found
