"""Who stands behind an order: a new organization with its owner, or one that is there. Not about what is bought."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Membership, Organization, User
from accounts.selectors import brands
from accounts.services import invitations, organizations, users
from billing import countries
from billing.models import Customer, Order, Product, Seller
from billing.selectors import tax_rates
from billing.services import customers
from panel.core.actors import Actor
from panel.core.errors import Invalid, from_validation
from panel.core.scoping import everything


def acting(seller: Organization) -> Actor:
    """Return the actor of what an order brings about by itself: it has the seller's rights, and no more."""
    return Actor(None, seller.id, seller.path, seller.kind, Membership.Role.OWNER, _("Order"), via="system")


def buying(organization: Organization, label: str, address: str | None = None) -> Actor:
    """Return the actor of a buyer who holds the link of an order: it may see and pay, as billing people may."""
    return Actor(
        None,
        organization.id,
        organization.path,
        organization.kind,
        Membership.Role.BILLING,
        label,
        address=address,
    )


def stranger(seller: Organization) -> Actor:
    """Return somebody below a seller who is nothing there yet: what such a one may have is what an order may ask."""
    return Actor(None, None, f"{seller.path}new/", "client", Membership.Role.OWNER, _("Order"), via="system")


def check_password(order: Order, password: str) -> None:
    """Refuse a password that the policy refuses, whether or not the address is known here."""
    try:
        validate_password(password, User(email=order.email, name=order.person))
    except ValidationError as error:
        refusal = from_validation(error)
        raise Invalid(refusal.code, refusal.message, "password") from error


def make(*, order: Order, password: str = "") -> Organization:
    """Create the organization that an order is for, and its owner, who signs in with `password`.

    Without one, and where somebody is registered with the address already, the owner gets an invitation instead: who
    fills in the form is not told which. A reseller stays suspended until it has paid. Belongs into a transaction.
    """
    seller = order.seller
    actor, name = acting(seller), order.company or order.person
    if order.product.kind == Product.Kind.PLAN:
        made = organizations.create_reseller(actor=actor, parent=seller, name=name)
        reason = _("The order is not set up yet.")
        organizations.suspend(actor=actor, organization=made, reason=reason, cause=order.pk)
    else:
        made = organizations.create_client(actor=actor, parent=seller, name=name)
    home = brands.root_for_member(made)
    known = User.objects.filter(brand_root=home, email__iexact=order.email).exists()
    role = Membership.Role.OWNER
    if known or not password:
        make_password(password or order.key)  # takes as long as for somebody new
        invitations.create(
            actor=actor, organization=made, email=order.email, name=order.person, role=role, locale=order.locale
        )
    else:
        users.create(
            actor=actor,
            organization=made,
            email=order.email,
            name=order.person,
            role=role,
            password=password,
            locale=order.locale,
        )
    return made


def check_place(buyer: Order | Customer, seller: Seller) -> None:
    """Refuse an address, typed or known, without the region that its tax depends on."""
    if not seller.is_taxed or buyer.region or buyer.country not in tax_rates.by_region(seller.organization):
        return
    text = _("Tax depends on where in %(country)s you are. Give the state or province of your address.")
    if isinstance(buyer, Customer):
        text = _(
            "Tax depends on where in %(country)s you are. Give the state or province in your billing details first."
        )
    raise Invalid("required", text % {"country": countries.name(buyer.country)}, "region")


def customer(*, order: Order, seller: Seller, buyer: Organization) -> Customer:
    """Return the buyer as the seller bills it; a new one gets name, address and tax number of the order.

    Raises Conflict when the buyer is billed in another currency already.
    """
    actor = acting(order.seller)
    found = customers.ensure(actor=actor, seller=order.seller, buyer=buyer, currency=order.currency)
    if found.currency != order.currency:
        raise Invalid(
            "currency",
            _("You are billed in %(currency)s. Choose a price in it.") % {"currency": found.currency},
            "price",
        )
    if not order.country and not order.address:
        return found
    return customers.change(
        actor=actor,
        customer=found,
        name=order.company or order.person,
        email=order.email,
        address=order.address,
        country=order.country,
        region=order.region,
        is_business=bool(order.company or order.vat_number),
        vat_number=order.vat_number,
    )


def known(seller: Organization, actor: Actor) -> Customer | None:
    """Return the customer that somebody who is signed in buys as; None while there is none."""
    with everything("a buyer's own customer row"):
        return Customer.objects.filter(seller=seller, buyer=actor.organization_id).first()
