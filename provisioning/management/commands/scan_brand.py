"""Looks at a brand as a stranger does, and fails where another brand's, the provider's or the software's name shows."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.selectors import brands
from panel.core.scoping import everything
from provisioning import scan
from provisioning.scan import Result
from provisioning.services.scan_words import place, remedy, step

LEAKS = 1
NOT_FINISHED = 2


class Command(BaseCommand):
    """`manage.py scan_brand`."""

    help = (
        "Look at a brand of this installation as a stranger does: panel, API, error pages, mail, name servers, mail "
        "servers, sites. Exit status 0 when nobody else's name shows, 1 when one does, 2 when not everything could be "
        "looked at."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("host", help="the panel host of the brand")
        parser.add_argument("--json", action="store_true", help="print what was found as JSON")

    def handle(self, *, host: str, **options: Any) -> None:
        """Look, print, and say by the exit status how it went."""
        with everything("scan_brand command"):
            brand = brands.for_host(host.lower().rstrip("."))
            if brand is None or not brands.host(brand):
                raise CommandError(f"No brand of this installation has its panel at {host}.")
            result = scan.look(brand)
        if options["json"]:
            self._document(brands.host(brand), result)
        else:
            self._table(brands.host(brand), result)
        if result.findings:
            sys.exit(LEAKS)
        if not result.complete:
            sys.exit(NOT_FINISHED)

    def _document(self, host: str, result: Result) -> None:
        findings = [{**asdict(found), "remedy": str(remedy(found.place))} for found in result.findings]
        document = {
            "host": host,
            "clean": result.complete and not findings,
            "readings": result.readings,
            "steps": result.steps,
            "findings": findings,
            "skipped": result.skipped,
        }
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))

    def _table(self, host: str, result: Result) -> None:
        for row in result.steps:
            fine = row["status"] == "ok" and not row["findings"]
            mark = self.style.SUCCESS("clean ") if fine else self.style.ERROR("LEAKS " if row["findings"] else "FAILED")
            line = f"{mark}  {step(row['name'])!s:<44} {row['readings']:4} read {row['ms']:7} ms  {row['detail']}"
            self.stdout.write(line.rstrip())
        for found in result.findings:
            self.stdout.write(self.style.ERROR(f"\n{found.name}") + f"  {place(found.place)}: {found.subject}")
            self.stdout.write(f"    {found.excerpt}\n    {remedy(found.place)}")
        for name in result.skipped:
            self.stdout.write(f"Not looked for, since it is too short or too common: {name}")
        self.stdout.write(f"\n{host}: {len(result.findings)} names found in {result.readings} texts")
