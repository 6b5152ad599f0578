"""First step of an installation: the provider, its brand and the person who owns it."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.services import organizations, users
from panel.core.actors import Actor
from panel.core.errors import DomainError
from panel.core.scoping import everything


class Command(BaseCommand):
    """`manage.py create_provider`."""

    help = "Create the provider and its first owner. The password is asked for, or read from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("--name", required=True, help="the provider's name")
        parser.add_argument("--panel-host", default="", help="host name of the provider's panel")
        parser.add_argument("--email", required=True, help="mail address of the first owner")
        parser.add_argument("--person", required=True, help="name of the first owner")

    def handle(self, *, name: str, panel_host: str, email: str, person: str, **_: Any) -> None:
        """Create both, or neither."""
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        actor = Actor.system("create_provider")
        try:
            with everything("there is no tenant yet"), transaction.atomic():
                provider = organizations.create_provider(actor=actor, name=name, panel_host=panel_host)
                users.create(
                    actor=actor, organization=provider, email=email, name=person, role="owner", password=password
                )
        except DomainError as refusal:
            raise CommandError(f"{refusal.field or 'refused'}: {refusal.message}") from refusal
        self.stdout.write(f"{provider.name} is there; sign in with {email}.")
