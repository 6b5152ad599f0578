"""Compares a server with what should be: shows the differences, or orders the repair and follows it."""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from panel.core.actors import Actor
from panel.core.errors import DomainError
from panel.core.failures import Permanent, Temporary
from panel.core.scoping import everything
from provisioning import preview, words
from provisioning.models import Operation, RunStep, Server
from provisioning.selectors import operations
from provisioning.services import operations as operation_service
from provisioning.services import servers

DIFFERENCES = 2
NOT_DONE = 1
POLL_SECONDS = 0.3
SIGNS = {"add": "+", "change": "~", "remove": "-", "destroy": "-"}


class Command(BaseCommand):
    """`manage.py reconcile`."""

    help = (
        "Compare a server with what should be and repair it: all accounts and the server's own configuration. "
        "With --plan nothing is changed: the differences are printed, and the exit status is 0 for none and 2 for some."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("server", help="its name or id")
        parser.add_argument("--plan", action="store_true", help="only show what would change")
        parser.add_argument(
            "--verify",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="look at what is really on the server, not only at what it remembers that it was given (default)",
        )
        parser.add_argument(
            "--wait", action="store_true", help="show the steps until it is over; exit status 1 unless done"
        )

    def handle(self, *, server: str, plan: bool, verify: bool, wait: bool, **_: Any) -> None:
        """Plan, or order and follow."""
        actor = Actor.system("manage.py reconcile")
        with everything("reconcile command"):
            row = Server.objects.filter(name=server).first() or Server.objects.filter(pk=server).first()
            if row is None:
                raise CommandError(f"There is no server {server}. `manage.py reconcile` takes a name or an id.")
            try:
                if plan:
                    self._plan(actor, row, verify)
                else:
                    self._order(actor, row, verify, wait)
            except DomainError as refusal:
                raise CommandError(refusal.message) from refusal

    def _plan(self, actor: Actor, server: Server, verify: bool) -> None:
        try:
            found = preview.work_out(
                actor=actor, verb="server.reconcile", arguments={"server": server.pk, "verify": verify}
            )
        except (Temporary, Permanent) as error:
            raise CommandError(str(error)) from error
        except preview.Overtaken as error:
            raise CommandError("The server is being changed all the time. Try again.") from error
        different = [self._show(part) for part in found.servers]
        if any(different):
            sys.exit(DIFFERENCES)

    def _show(self, part: Mapping[str, Any]) -> bool:
        """Print one server's plan; tell whether anything differs or stands in the way."""
        by_subject: dict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for change in part["changes"]:
            by_subject[change["subject"]][words.service(change.get("service") or "")[1]].append(change)
        for subject, by_service in by_subject.items():
            self.stdout.write(self.style.MIGRATE_HEADING(subject))
            for service, changes in by_service.items():
                self.stdout.write(f"  {service}")
                for change in changes:
                    self._change(change)
        for problem in part["problems"]:
            self.stdout.write(self.style.ERROR(f"{problem['subject']}: {problem['message']}"))
        if part["truncated"]:
            self.stdout.write(self.style.WARNING("There is more than is shown here; the sums count all of it."))
        counts = part["counts"]
        removed = counts["remove"] + counts["destroy"]
        self.stdout.write(
            f"{part['server']}: {counts['add']} to add, {counts['change']} to change, {removed} to remove; "
            f"reloads: {', '.join(part['reloads']) or 'none'}"
        )
        return bool(part["changes"] or part["problems"])

    def _change(self, change: Mapping[str, Any]) -> None:
        styles = {"+": self.style.SUCCESS, "~": self.style.WARNING, "-": self.style.ERROR}
        sign = SIGNS[change["change"]]
        drifted = " (changed on the server)" if change.get("reason") == "drift" else ""
        self.stdout.write(styles[sign](f"    {sign} {change['key'].replace(':', ' ', 1)}{drifted}"))
        for line in change["diff"].splitlines():
            style = styles.get(line[:1], str)
            self.stdout.write(style(f"        {line}"))

    def _order(self, actor: Actor, server: Server, verify: bool, wait: bool) -> None:
        operation = servers.reconcile(actor=actor, server=server, verify=verify)
        self.stdout.write(f"{operation.id}: {words.title(operation.verb, operation.subject)}")
        if wait and self._follow(operation).status != Operation.Status.APPLIED:
            sys.exit(NOT_DONE)

    def _follow(self, operation: Operation) -> Operation:
        """Print the steps of an operation as they end, until it is over."""
        shown: set[int] = set()
        while True:
            now = Operation.objects.get(pk=operation.pk)
            for part in operations.parts(now, Actor.system("reconcile")):
                for step in part.steps:
                    if step.pk not in shown and step.status != RunStep.Status.STARTED:
                        shown.add(step.pk)
                        self._step(step)
            if not now.is_open or operation_service.is_held(now):
                took = ((now.finished_at or timezone.now()) - now.created_at).total_seconds()
                style = self.style.SUCCESS if now.status == Operation.Status.APPLIED else self.style.ERROR
                self.stdout.write(
                    style(f"{now.get_status_display()} after {took:.1f} s {now.reason} {now.detail}".strip())
                )
                return now
            time.sleep(POLL_SECONDS)

    def _step(self, step: RunStep) -> None:
        style = self.style.ERROR if step.status == RunStep.Status.FAILED else str
        took = f"{step.ms:8.0f} ms" if step.ms is not None else " " * 11
        self.stdout.write(style(f"{took}  {words.step(step.name)}  {step.detail}".rstrip()))
