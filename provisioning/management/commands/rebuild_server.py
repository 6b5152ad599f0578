"""Puts a server in a dead one's place from a shell: asks for it and tells how far it is. The worker carries it out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel.core.actors import Actor
from panel.core.errors import DomainError
from panel.core.scoping import everything
from provisioning import words
from provisioning.models import Operation, Rebuild, Server
from provisioning.selectors import rebuilds as selectors
from provisioning.services import rebuilds

ACTOR = Actor.system("rebuild_server")
POLL_SECONDS = 0.5


class Command(BaseCommand):
    """`manage.py rebuild_server NEW --from OLD`."""

    help = (
        "Let the added server NEW, bare or set up but without accounts, take the place of the dead server OLD: all "
        "that OLD carried is made anew on NEW, with the same uids, user names and passwords. Needs a running worker."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("new", metavar="NEW", help="name of the server that takes the place")
        parser.add_argument("--from", dest="old", required=True, metavar="OLD", help="name of the dead server")
        parser.add_argument(
            "--map", action="append", default=[], metavar="OLD_IP=NEW_IP", help="which address follows which"
        )
        parser.add_argument("--plan", action="store_true", help="show what it would do, and do nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask for the name of the dead server")
        parser.add_argument("--password-file", type=Path, help="file with root's password of a bare NEW, used once")
        parser.add_argument("--no-wait", action="store_true", help="do not wait until it is done")

    def handle(self, *, new: str, old: str, **options: Any) -> None:
        """Show the plan, ask, start, and follow it."""
        try:
            with everything("rebuild_server"):
                self._rebuild(_server(old), _server(new), options)
        except DomainError as refusal:
            raise CommandError(f"{refusal.field or 'refused'}: {refusal.message}") from refusal

    def _rebuild(self, old: Server, new: Server, options: dict[str, Any]) -> None:
        addresses = _mapping(options["map"])
        self._show(rebuilds.plan(actor=ACTOR, old=old, new=new, addresses=addresses))
        if options["plan"]:
            return
        confirm = old.name if options["yes"] else input(f"Type {old.name} to replace it for good: ").strip()
        password = options["password_file"].read_text().rstrip("\n") if options["password_file"] else ""
        operation = rebuilds.start(
            actor=ACTOR, old=old, new=new, confirm=confirm, addresses=addresses, password=password
        )
        self.stdout.write(f"Started: {operation.id}")
        if not options["no_wait"]:
            self._follow(operation)

    def _show(self, plan: rebuilds.Plan) -> None:
        write = self.stdout.write
        write(f"{plan.new} takes the place of {plan.old}. It brings back:")
        for kind, count in plan.counts.items():
            write(f"  {words.resource(kind)}: {count}")
        for item in plan.addresses:
            write(f"  {item.old.public} -> {item.new.public if item.new else 'none'}")
        write(f"  {plan.records} records of people's own name a new address")
        for note in plan.notes:
            write(f"Note: {note}")
        if plan.losses:
            write("Only a backup brings back:")
        for loss in plan.losses:
            write(
                f"  {loss.domain}: files of {loss.sites} sites, rows of {loss.databases} databases,"
                f" mail of {loss.mailboxes} mailboxes" + "".join(f", exception {key}" for key in loss.pins)
            )

    def _follow(self, operation: Operation) -> None:
        said = ""
        while True:
            operation.refresh_from_db()
            rebuild = Rebuild.objects.get(operation=operation)
            done, total = selectors.progress(rebuild)
            line = f"{operation.get_status_display()}: {done} of {total} accounts"
            if rebuild.state == Rebuild.State.WAITING:
                line = str(rebuild.get_state_display())
            if line != said:
                self.stdout.write(line)
                said = line
            if not operation.is_open:
                break
            time.sleep(POLL_SECONDS)
        if operation.status != Operation.Status.APPLIED:
            raise CommandError(f"{operation.reason} {operation.detail}".strip())


def _server(name: str) -> Server:
    found = Server.objects.filter(name=name).select_related("organization").first()
    if found is None:
        raise CommandError(f"There is no server {name}.")
    return found


def _mapping(pairs: list[str]) -> dict[str, str]:
    """Split `OLD=NEW` pairs."""
    wrong = [pair for pair in pairs if pair.count("=") != 1]
    if wrong:
        raise CommandError(f"--map takes OLD_IP=NEW_IP, not {wrong[0]}.")
    return dict(pair.split("=") for pair in pairs)
