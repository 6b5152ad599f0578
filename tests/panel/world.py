"""What the permission matrix is tried on: the cast, and objects of reseller A and client A."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import ApiToken, Device, OldHost, OutgoingMail, Session, User
from accounts.services import invitations, plans, tokens
from billing.models import BankEntry, Gateway, Hold, HookDelivery, Invoice, PaymentMethod
from billing.services import (
    addons,
    customers,
    drafts,
    dunning_pauses,
    hook_deliveries,
    hooks,
    invoices,
    meters,
    payments,
    subscriptions,
    tax_rates,
)
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import Address, BrandScan, Operation
from provisioning.services import (
    brand_pages,
    database_users,
    databases,
    drift,
    mail_aliases,
    mailboxes,
    overrides,
    previews,
    sites,
    zones,
)
from tests import cast as cast_module
from tests.accounts.passkeys import SoftKey
from tests.billing import factories as billing
from tests.cast import HOST_A, Cast
from tests.panel.matrix import ROLES
from tests.provisioning import factories

OF_CLIENT_A = frozenset({"provider", "reseller_a", "readonly_a", "client_a"})
OF_RESELLER_A = frozenset({"provider", "reseller_a", "readonly_a"})
OF_PARTIES = frozenset({"reseller_a", "readonly_a", "client_a"})
OF_SELLER = OF_PARTIES - {"client_a"}
OF_PROVIDER = frozenset({"provider"})


@dataclass
class World:
    """The cast, and by name the ids of objects with who can see them."""

    cast: Cast
    objects: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)

    def add(self, name: str, identifier: str, seen_by: frozenset[str]) -> None:
        """Register an object."""
        self.objects[name] = (identifier, seen_by)


def sign_in_of(user: User) -> dict[str, str]:
    """Make a session, a browser and a passkey of a person; returns what they are spoken of by."""
    later = timezone.now() + timedelta(hours=1)
    session = Session.objects.create(session_key="s" * 32, user=user, session_data="", expire_date=later)
    device = Device.objects.create(user=user, digest="d" * 64)
    passkey = SoftKey(HOST_A).owned_by(user)
    return {"session": session.handle, "device": device.id, "passkey": str(passkey.pk)}


def make() -> World:
    """Create it in the database."""
    cast = cast_module.make()
    world = World(cast)
    system = Actor.system("test")
    world.add("client_a", cast.client_a.organization.id, OF_CLIENT_A)
    world.add("reseller_a", cast.reseller_a.organization.id, OF_RESELLER_A)
    world.add("logo", "logo", frozenset(ROLES))  # a slot of every brand, no object
    world.add("member_of_client_a", cast.client_a.membership.id, OF_CLIENT_A)
    world.add("member_of_reseller_a", cast.reseller_a.membership.id, OF_RESELLER_A)
    with everything("test"):
        invited = invitations.create(
            actor=system, organization=cast.client_a.organization, email="new@people.example", role="technician"
        )
        world.add("invitation", invited.id, OF_CLIENT_A)
        token: ApiToken = tokens.create(actor=cast.client_a.actor, name="of client A")[0]
        world.add("token_of_client_a", token.id, frozenset({"client_a"}))
        for name, identifier in sign_in_of(cast.client_a.user).items():
            world.add(f"{name}_of_client_a", identifier, frozenset({"client_a"}))
        failed = OutgoingMail.objects.create(
            brand=cast.reseller_a.organization.brand,
            kind="test",
            recipient="x@y.example",
            sealed="x",
            state="failed",
            next_at=timezone.now(),
        )
        world.add("mail_of_reseller_a", failed.id, OF_RESELLER_A)
        old = OldHost.objects.create(
            brand=cast.reseller_a.organization.brand,
            host="old.reseller-a.example",
            until=timezone.now() + timedelta(days=1),
        )
        world.add("old_host", old.id, OF_RESELLER_A)
        brand_pages.set_skeleton(
            actor=system, brand=cast.reseller_a.organization.brand, files={"robots.txt": "User-agent: *"}
        )
        world.add("file_of_brand", "robots.txt", OF_RESELLER_A)
        world.add("page_of_brand", "first", frozenset(ROLES))
        world.add("welcome", "welcome", frozenset(ROLES))  # a kind of mail of every brand, no object
        server = factories.server(cast.provider.organization)
        world.add("server", server.id, OF_PROVIDER)
        world.add("address", Address.objects.get(server=server).id, OF_PROVIDER)
        scan = BrandScan.objects.create(organization=cast.reseller_a.organization, host="panel.reseller-a.example")
        world.add("scan_of_reseller_a", scan.id, OF_RESELLER_A)
        plan = plans.create(actor=system, organization=cast.reseller_a.organization, name="Sub")
        world.add("plan_of_reseller_a", plan.id, OF_RESELLER_A)
        package = factories.package(cast.reseller_a.organization)
        world.add("package_of_reseller_a", package.id, OF_RESELLER_A)
        hosting = factories.account(cast.client_a.organization, package, "client-a.example")
        world.add("account", hosting.id, OF_CLIENT_A)
        world.add("operation", Operation.objects.filter(hosting=hosting).latest("id").id, OF_CLIENT_A)
        Operation.objects.filter(hosting=hosting).update(batch="bat_of_client_a")
        world.add("batch", "bat_of_client_a", OF_CLIENT_A)
        overrides.set(actor=system, hosting=hosting, resource="databases", limit=9, reason="A gift")
        world.add("databases", "databases", frozenset(ROLES))  # a limit of every account, no object
        part = hosting.slices.get()
        world.add("rebuild", factories.rebuild(server).id, OF_PROVIDER)
        world.add("drift", factories.finding(part).id, OF_PROVIDER)
        pinned = factories.finding(part, "file:/etc/nginx/hostwright-sites/b.conf")
        world.add("pin", drift.pin(actor=system, item=pinned).id, OF_PROVIDER)
        site = hosting.sites.get()
        world.add("site", site.id, OF_CLIENT_A)
        alias = sites.add_alias(actor=system, site=site, hostname="shop.client-a.example")[0]
        world.add("site_alias", alias.id, OF_CLIENT_A)
        zone = hosting.zones.get()
        world.add("zone", zone.id, OF_CLIENT_A)
        record = zones.add_record(actor=system, zone=zone, type="A", name="x", content="198.51.100.9")[0]
        world.add("record", record.id, OF_CLIENT_A)
        mail = hosting.mail_domains.get()
        world.add("mail_domain", mail.id, OF_CLIENT_A)
        mailbox = mailboxes.create(actor=system, mail_domain=mail, local="anna", password="a-Long-enough-9")[0]
        world.add("mailbox", mailbox.id, OF_CLIENT_A)
        address = mail_aliases.create(actor=system, mail_domain=mail, local="info", destinations=["x@y.example"])[0]
        world.add("mail_alias", address.id, OF_CLIENT_A)
        database = databases.create(actor=system, hosting=hosting, name="shop")[0]
        world.add("database", database.id, OF_CLIENT_A)
        user = database_users.create(actor=system, hosting=hosting, name="shop", password="a-Long-enough-9")[0]
        world.add("database_user", user.id, OF_CLIENT_A)
        preview = previews.request(
            actor=cast.client_a.actor,
            verb="site.add_alias",
            arguments={"site": site.id, "hostname": "blog.client-a.example"},
        )
        world.add("preview_of_client_a", preview.id, frozenset({"client_a"}))
        order = previews.request(
            actor=cast.reseller_a.actor,
            verb="account.create",
            arguments={
                "organization": cast.client_a.organization.id,
                "package": package.id,
                "domain": "next.example",
                "username": "",
            },
        )
        world.add("preview_of_reseller_a", order.id, frozenset({"reseller_a"}))
        seller = cast.reseller_a.organization
        meter = meters.create(actor=cast.reseller_a.actor, organization=seller, name="Packets", unit="packets")
        feed = meters.create_feed(actor=cast.reseller_a.actor, organization=seller, name="Spot", currency="USD")
        for name, identifier in (("meter", meter.id), ("feed", feed.id)):
            world.add(f"{name}_of_reseller_a", identifier, frozenset({"reseller_a", "readonly_a"}))
        at = billing.price(cast.reseller_a.organization, "Hosting", kind="package", package=package)
        buyer = billing.customer(cast.reseller_a.organization, cast.client_a.organization)
        placed = billing.order(cast.reseller_a.organization, cast.client_a.organization, at, customer=buyer)
        world.add("order_of_client_a", placed.id, OF_PARTIES)
        add_selling(world)
        add_papers(world)
        add_payments(world)
        add_hooks(world)
        add_dunning(world)
        add_subscription(world)
    return world


def add_selling(world: World) -> None:
    """Add what reseller A sells, and client A as its customer; those above do not find it."""
    seller, buyer = world.cast.reseller_a.organization, world.cast.client_a.organization
    customer = customers.ensure(actor=world.cast.reseller_a.actor, seller=seller, buyer=buyer)
    price = billing.price(seller, "Support by telephone")
    rate = tax_rates.create(
        actor=world.cast.reseller_a.actor,
        organization=seller,
        country="DE",
        percent=Decimal(19),
        valid_from=billing.START,
    )
    own = frozenset({"reseller_a", "readonly_a"})
    for name, identifier in (
        ("customer", customer.id),
        ("product", price.product_id),
        ("price", price.id),
        ("tax_rate", rate.id),
    ):
        world.add(f"{name}_of_reseller_a", identifier, own)
    world.add("addon", "addon", frozenset(ROLES))  # a kind of product, no object


def add_papers(world: World) -> None:
    """Add an invoice that reseller A has issued to client A, and a draft with a line."""
    actor, seller = world.cast.reseller_a.actor, world.cast.reseller_a.organization
    customer = customers.ensure(actor=actor, seller=seller, buyer=world.cast.client_a.organization)
    for name, seen_by in (("draft_of_reseller_a", OF_SELLER), ("invoice_of_client_a", OF_PARTIES)):
        draft = drafts.create(actor=actor, customer=customer)
        line = drafts.add_line(actor=actor, invoice=draft, text="Work", unit_price=Decimal(5))
        world.add(name, draft.id, seen_by)
        if name == "draft_of_reseller_a":
            world.add("line_of_reseller_a", line.id, seen_by)
    invoices.issue(actor=actor, invoice=draft)


def add_subscription(world: World) -> None:
    """Add a subscription of client A at reseller A, with an add-on that is on the order page: so both may remove it."""
    actor, seller = world.cast.reseller_a.actor, world.cast.reseller_a.organization
    customer = customers.ensure(actor=actor, seller=seller, buyer=world.cast.client_a.organization)
    main = billing.price(seller, "Care", currency=customer.currency)
    extra = billing.price(seller, "Backups", currency=customer.currency, is_public=True)
    made = subscriptions.start(actor=actor, customer=customer, price=main)
    added = addons.add(actor=actor, subscription=made, price=extra)
    world.add("subscription_of_client_a", made.id, OF_PARTIES)
    world.add("addon_of_client_a", added.id, OF_PARTIES)


def add_dunning(world: World) -> None:
    """Add a promise of reseller A to wait with client A's invoice, and a hold for it."""
    actor, seller = world.cast.reseller_a.actor, world.cast.reseller_a.organization
    customer = customers.ensure(actor=actor, seller=seller, buyer=world.cast.client_a.organization)
    invoice = Invoice.objects.get(pk=world.objects["invoice_of_client_a"][0])
    until = timezone.localdate() + timedelta(days=9)
    pause = dunning_pauses.hold_off(actor=actor, customer=customer, until=until, reason="Promised", invoice=invoice)
    hold = Hold.objects.create(customer=customer, invoice=invoice, stage="sites", state="done", begun_at=timezone.now())
    world.add("pause_of_reseller_a", pause.id, OF_SELLER)
    world.add("hold_of_client_a", hold.id, OF_PARTIES)
    world.add("bill_of_reseller_a", invoice.id, OF_SELLER)


def add_hooks(world: World) -> None:
    """Add an address that reseller A's program is told at, with a message that was given up."""
    seller = world.cast.reseller_a
    hook, _secret = hooks.create(actor=seller.actor, organization=seller.organization, url="https://shop.example/hook")
    message = hook_deliveries.send_test(actor=seller.actor, hook=hook)
    HookDelivery.objects.filter(pk=message.pk).update(status=HookDelivery.Status.FAILED)
    world.add("hook_of_reseller_a", hook.id, OF_SELLER)
    world.add("message_of_reseller_a", message.id, OF_SELLER)


def add_payments(world: World) -> None:
    """Add a payment of client A, a card that it has saved, and a booking of reseller A's bank."""
    actor, seller = world.cast.reseller_a.actor, world.cast.reseller_a.organization
    customer = customers.ensure(actor=actor, seller=seller, buyer=world.cast.client_a.organization)
    paid = payments.record(
        actor=actor,
        customer=customer,
        amount=Decimal(1),
        currency=customer.currency,
        received_on=billing.START,
        reference="",
        key="world",
    )
    gateway = Gateway.objects.create(organization=seller, hook="world")
    card = PaymentMethod.objects.create(
        customer=customer, gateway=gateway, remote_customer="cus_1", remote_id="pm_1", label="Visa"
    )
    entry = BankEntry.objects.create(
        organization=seller, reference="1", booked_on=billing.START, amount=Decimal(1), currency=customer.currency
    )
    world.add("payment_of_client_a", paid.id, OF_PARTIES)
    world.add("receipt_of_reseller_a", paid.id, OF_SELLER)
    world.add("bill_of_client_a", world.objects["invoice_of_client_a"][0], frozenset({"client_a"}))
    world.add("card_of_client_a", card.id, frozenset({"client_a"}))
    world.add("entry_of_reseller_a", entry.id, OF_SELLER)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """The world, made once for a module; what a test does to it has to be rolled back."""
    with django_db_blocker.unblock():
        made = make()
    yield made
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)
