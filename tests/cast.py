"""The fixed cast of behaviour tests: provider, resellers A and B with brands, their customers, an outsider."""

import time
from dataclasses import dataclass

import pytest
from django.test import Client

from accounts import actors
from accounts.models import Membership, Organization, User
from accounts.services import brands, organizations, tokens, users
from panel.core.actors import Actor
from panel.core.scoping import everything, tenant

PASSWORD = "a-Long-enough-9"
PROVIDER_HOST = "localhost"
HOST_A = "panel.reseller-a.example"
HOST_B = "panel.reseller-b.example"


@dataclass(frozen=True)
class Person:
    """Somebody with one membership, and the host of the panel where they sign in."""

    user: User
    organization: Organization
    membership: Membership
    actor: Actor
    host: str

    def browser(self, *, enforce_csrf: bool = False, fresh: bool = True) -> Client:
        """Return a test client that is signed in as this person at their panel: just now, or not `fresh` any more."""
        client = Client(headers={"host": self.host}, enforce_csrf_checks=enforce_csrf)
        client.force_login(self.user)
        if fresh:
            session = client.session
            session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
            session["account_authentication_methods_user"] = self.user.id
            session.save()
        return client

    def program(self, *scopes: str) -> Client:
        """Return a test client that sends an API token of this person, with all scopes unless some are given."""
        with tenant(self.actor.path):
            text = tokens.create(actor=self.actor, name="test", scopes=scopes or ("*",))[1]
        return Client(headers={"host": self.host, "authorization": f"Bearer {text}"})


@dataclass(frozen=True)
class Cast:
    """Everybody. Each is the owner of their organization unless the name says otherwise."""

    provider: Person
    reseller_a: Person
    readonly_a: Person
    sub_reseller: Person
    reseller_b: Person
    client_a: Person
    client_b: Person
    client_sub: Person
    outsider: Person


def person(organization: Organization, name: str, host: str, role: str = "owner") -> Person:
    """Add somebody to an organization, with the password PASSWORD."""
    system = Actor.system("test")
    user = users.create(
        actor=system,
        organization=organization,
        email=f"{name}@people.example",
        name=name.replace("-", " ").title(),
        role=role,
        password=PASSWORD,
    )
    with everything("test"):
        membership = Membership.objects.select_related("organization", "user").get(user=user)
    return Person(user, organization, membership, actors.for_membership(membership), host)


def make() -> Cast:
    """Create the cast in the database."""
    system = Actor.system("test")
    with everything("test"):
        provider = organizations.create_provider(actor=system, name="Northwind Hosting")
        brands.set(actor=system, organization=provider, nameservers=["ns1.northwind.example", "ns2.northwind.example"])
        a = _reseller(provider, "Atelier A", HOST_A, resellers_allowed=True)
        b = _reseller(provider, "Bureau B", HOST_B)
        sub = organizations.create_reseller(actor=system, parent=a, name="Sub of A")
        client_a = organizations.create_client(actor=system, parent=a, name="Client of A")
        client_b = organizations.create_client(actor=system, parent=b, name="Client of B")
        client_sub = organizations.create_client(actor=system, parent=sub, name="Client of Sub")
        outside = organizations.create_client(actor=system, parent=provider, name="Outsider")
        return Cast(
            provider=person(provider, "provider", PROVIDER_HOST),
            reseller_a=person(a, "reseller-a", HOST_A),
            readonly_a=person(a, "readonly-a", HOST_A, role="readonly"),
            sub_reseller=person(sub, "sub-reseller", HOST_A),
            reseller_b=person(b, "reseller-b", HOST_B),
            client_a=person(client_a, "client-a", HOST_A),
            client_b=person(client_b, "client-b", HOST_B),
            client_sub=person(client_sub, "client-sub", HOST_A),
            outsider=person(outside, "outsider", PROVIDER_HOST),
        )


def _reseller(provider: Organization, name: str, host: str, *, resellers_allowed: bool = False) -> Organization:
    system = Actor.system("test")
    reseller = organizations.create_reseller(
        actor=system, parent=provider, name=name, resellers_allowed=resellers_allowed
    )
    zone = host.partition(".")[2]
    brands.set(
        actor=system,
        organization=reseller,
        name=name,
        panel_host=host,
        nameservers=[f"ns1.{zone}", f"ns2.{zone}"],
        mail_host=f"mail.{zone}",
        hostmaster=f"hostmaster@{zone}",
        support_email=f"help@{zone}",
        support_url=f"https://{zone}/help",
    )
    return reseller


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast, fresh for the test."""
    return make()
