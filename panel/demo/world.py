"""The demo's cast: provider, reseller and sub-reseller with brands, packages, clients; a server; hosting accounts.

By services alone.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from accounts.models import Organization, User
from accounts.models.plans import FEATURES
from accounts.services import brands, organizations, tokens, users
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import DatabaseUser, HostingAccount, MailDomain, Operation, Server
from provisioning.services import (
    database_users,
    databases,
    hosting_accounts,
    mail_aliases,
    mailboxes,
    packages,
    servers,
)

PROVIDER = "Ferrum Hosting"
RESELLER = "Northwind Studio"
CLIENT = "Lena's Bakery"
BRAND_HOST = "northwind.localhost"
DOMAIN = "lenasbakery.example"
SUB_RESELLER = "Luna Web"
SUB_CLIENT = "Corner Florist"
SUB_BRAND_HOST = "luna.localhost"
SUB_DOMAIN = "cornerflorist.example"
GB = 10**9
SYSTEM = Actor.system("demo")


class DemoFailed(Exception):
    """The demo could not be made; the message says what did not happen."""


def password() -> str:
    """Return a password that a person can type."""
    return "-".join(secrets.token_hex(3) for _ in range(3))


def wait(what: str, ready: Callable[[], bool], seconds: float) -> None:
    """Poll until `ready`; raises DemoFailed after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise DemoFailed(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


def make_people() -> tuple[dict[str, Any], dict[str, Organization], dict[str, Actor]]:
    """Make organizations, brand and one owner each; returns sign-ins, organizations and actors, by role."""
    with everything("demo"):
        provider = organizations.create_provider(actor=SYSTEM, name=PROVIDER)
        reseller = organizations.create_reseller(actor=SYSTEM, parent=provider, name=RESELLER)
        brands.set(
            actor=SYSTEM,
            organization=reseller,
            name=RESELLER,
            panel_host=BRAND_HOST,
            nameservers=["ns1.northwind.example", "ns2.northwind.example"],
            mail_host="mail.northwind.example",
            hostmaster="hostmaster@northwind.example",
            support_email="help@northwind.example",
            primary_color="#0f766e",
        )
        organizations.change(actor=SYSTEM, organization=reseller, mail_vouched=True)
        client = organizations.create_client(actor=SYSTEM, parent=reseller, name=CLIENT)
        nodes = {"provider": provider, "reseller": reseller, "client": client}
        people = {
            "provider": ("olaf@ferrum.example", "Olaf Berg"),
            "reseller": ("nora@northwind.example", "Nora Wind"),
            "client": ("lena@lenasbakery.example", "Lena Baker"),
        }
        logins, actors = make_owners(people, nodes)
    return logins, nodes, actors


def make_sub_reseller(reseller: Organization, on_live: Callable[[str, float], None]) -> dict[str, Any]:
    """Make a reseller below `reseller` with a brand, a package, a client and an account of its own; returns sign-ins.

    The server must be ready. `on_live` gets what was made and how many seconds that took.
    """
    with everything("demo"):
        reseller = organizations.change(actor=SYSTEM, organization=reseller, resellers_allowed=True)
        sub = organizations.create_reseller(actor=SYSTEM, parent=reseller, name=SUB_RESELLER)
        brands.set(
            actor=SYSTEM,
            organization=sub,
            name=SUB_RESELLER,
            panel_host=SUB_BRAND_HOST,
            nameservers=["ns1.luna-web.example", "ns2.luna-web.example"],
            mail_host="mail.luna-web.example",
            hostmaster="hostmaster@luna-web.example",
            support_email="help@luna-web.example",
            primary_color="#6d28d9",
        )
        client = organizations.create_client(actor=SYSTEM, parent=sub, name=SUB_CLIENT)
        people = {
            "sub-reseller": ("sol@luna-web.example", "Sol Vega"),
            "sub-client": ("flo@cornerflorist.example", "Flo Marsh"),
        }
        logins, actors = make_owners(people, {"sub-reseller": sub, "sub-client": client})
        seller = actors["sub-reseller"]
        package = packages.create(actor=seller, organization=sub, name="Bloom", disk_bytes=GB, features=list(FEATURES))
        began = time.monotonic()
        hosting, operation = hosting_accounts.create(
            actor=seller, organization=client, package=package, domain=SUB_DOMAIN
        )
        settle(operation)
        on_live(f"account {hosting.domain} of sub-reseller {SUB_RESELLER}", time.monotonic() - began)
    return logins


def make_tokens(actors: dict[str, Actor]) -> dict[str, str]:
    """Make an API token for each of the three."""
    made = {}
    for role, actor in actors.items():
        with everything("demo"):
            made[role] = tokens.create(actor=actor, name="Demo")[1]
    return made


def add_server(
    actor: Actor,
    provider: Organization,
    address: str,
    host_key_fingerprint: str,
    authorize: Callable[[str], None],
    name: str = "one",
) -> Server:
    """Add a server as the page does: fetch its host key, compare it with what its console shows, confirm, set it up."""
    with everything("demo"):
        server = servers.add(
            actor=actor, organization=provider, name=name, platform_name=f"{name}.platform.example", host=address
        )
        wait("the server's host key", lambda: bool(Server.objects.get(pk=server.pk).host_key), 30)
        server = Server.objects.get(pk=server.pk)
        if server.fingerprint != host_key_fingerprint:
            raise DemoFailed("the server shows another host key than its console")
        servers.confirm_host_key(actor=actor, server=server, fingerprint=server.fingerprint)
        authorize(server.public_key)
    return server


def add_this_machine(actor: Actor, provider: Organization) -> Server:
    """Add the machine that the panel runs on, reached without SSH."""
    with everything("demo"):
        return servers.add(
            actor=actor,
            organization=provider,
            name="one",
            platform_name="one.platform.example",
            transport=Server.Transport.LOCAL,
        )


def set_up(actor: Actor, server: Server, on_step: Callable[[str], None]) -> None:
    """Set the server up and wait until it is ready, telling each step as it begins."""
    with everything("demo"):
        operation = servers.bootstrap(actor=actor, server=server)
        told: set[str] = set()

        def ready() -> bool:
            current = Operation.objects.get(pk=operation.pk)
            for run in server.runs.order_by("id"):
                for step in run.steps.all():
                    if step.name not in told:
                        told.add(step.name)
                        on_step(step.name)
            state = Server.objects.get(pk=server.pk).state
            if state == Server.State.FAILED or current.status == Operation.Status.REJECTED:
                raise DemoFailed(f"the server's set-up: {current.reason} {current.detail}")
            return state == Server.State.READY

        wait("the server's set-up", ready, 300)


def make_account(actor: Actor, nodes: dict[str, Organization], on_live: Callable[[str, float], None]) -> dict[str, Any]:
    """Order the account with database, mailbox and alias; returns what demo.json says of it."""
    with everything("demo"):
        package = packages.create(
            actor=actor,
            organization=nodes["reseller"],
            name="Starter",
            disk_bytes=10 * GB,
            bandwidth_bytes=100 * GB,
            mailboxes=10,
            aliases=50,
            databases=5,
            database_users=5,
            subdomains=10,
            alias_domains=3,
            addon_domains=0,
            features=list(FEATURES),
        )
        began = time.monotonic()
        hosting, operation = hosting_accounts.create(
            actor=actor, organization=nodes["client"], package=package, domain=DOMAIN
        )
        settle(operation)
        on_live(f"account {hosting.domain}", time.monotonic() - began)
        mailbox_password, database_password = password(), password()
        mail_domain = MailDomain.objects.get(hosting=hosting)
        began = time.monotonic()
        database, _first = databases.create(actor=actor, hosting=hosting, name="shop")
        user, _second = database_users.create(
            actor=actor,
            hosting=hosting,
            name="shop",
            password=database_password,
            databases=[database],
            host=DatabaseUser.Host.ANY,
        )
        mailbox, _third = mailboxes.create(
            actor=actor, mail_domain=mail_domain, local="lena", password=mailbox_password, quota_bytes=GB
        )
        alias, last = mail_aliases.create(
            actor=actor, mail_domain=mail_domain, local="hello", destinations=[mailbox.address]
        )
        settle(last)
        on_live("database, user, mailbox, alias", time.monotonic() - began)
    return {
        "id": hosting.id,
        "username": hosting.username,
        "domain": hosting.domain,
        "database": {"name": database.name, "user": user.name, "password": database_password},
        "mailbox": {"address": mailbox.address, "password": mailbox_password},
        "alias": alias.address,
    }


def settle(operation: Operation, seconds: float = 60) -> None:
    """Wait until an operation is done; raises DemoFailed with its reason when it is rejected."""

    def done() -> bool:
        current = Operation.objects.get(pk=operation.pk)
        if current.status == Operation.Status.REJECTED:
            raise DemoFailed(f"{current}: {current.reason} {current.detail}")
        return current.status == Operation.Status.APPLIED

    wait(str(operation), done, seconds)


def make_owners(
    people: dict[str, tuple[str, str]], nodes: dict[str, Organization]
) -> tuple[dict[str, Any], dict[str, Actor]]:
    """Make the owner of each organization, given by address and name; returns sign-ins and actors, by role."""
    logins: dict[str, Any] = {}
    actors: dict[str, Actor] = {}
    for role, (email, name) in people.items():
        chosen = password()
        user = users.create(
            actor=SYSTEM, organization=nodes[role], email=email, name=name, role="owner", password=chosen
        )
        logins[role] = {"email": email, "password": chosen}
        actors[role] = actor_of(user, nodes[role])
    return logins, actors


def exists() -> bool:
    """Whether an earlier demo got as far as its account."""
    return bool(HostingAccount._base_manager.exists())


def actor_of(user: User, organization: Organization) -> Actor:
    """Return who acts when a person who owns an organization does."""
    return Actor(
        user_id=user.id,
        organization_id=organization.id,
        path=organization.path,
        kind=organization.kind,
        role="owner",
        label=user.email,
        via="system",
    )
