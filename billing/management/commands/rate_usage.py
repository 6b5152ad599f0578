"""What would it cost? A rule and a usage document in, the exact amount and each step of it out."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.pricing import rating, rules, usage


class Command(BaseCommand):
    """`manage.py rate_usage RULE.json USAGE.json`."""

    help = "Rate a usage document by a rule, both JSON: prints exact amount, invoice line and each step."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the arguments."""
        parser.add_argument("rule", type=Path, help="a rule, as docs/rating.md describes it")
        parser.add_argument("usage", type=Path, help="a usage document")

    def handle(self, *, rule: Path, usage: Path, **_: Any) -> None:
        """Print one line of JSON; exit 1 with the reason when a document, or a price, is not there."""
        try:
            found = rate(json.loads(rule.read_text()), json.loads(usage.read_text()))
        except rules.RuleInvalid as error:
            raise CommandError(str(error)) from error
        except (OSError, ValueError) as error:
            raise CommandError(f"This can't be read: {error}") from error
        self.stdout.write(json.dumps(found))


def rate(rule: object, document: object) -> dict[str, Any]:
    """Return what the command prints; raises RuleInvalid."""
    found = rating.rate(rules.parse(rule), usage.parse(document))
    line = format(found.line, "f")
    return {"exact": str(found.exact), "line": line, "currency": found.currency, "explain": list(found.explanation)}
