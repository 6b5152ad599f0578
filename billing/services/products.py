"""What a seller sells: put on sale, described, taken off the shelf. Prices are another service's."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization, ResellerPlan
from billing.models import Meter, Product
from billing.services import sellers, texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, integrity_as_conflict
from panel.core.scoping import everything
from provisioning.models import Package

FIELDS = ("name", "description", "tax_category", "trial_days", "is_public")
STANDS_FOR = {"package": Product.Kind.PACKAGE, "plan": Product.Kind.PLAN, "meter": Product.Kind.METERED}
"""What a product stands for, if anything → the kind of product that does."""
WITHOUT_TRIAL = (Product.Kind.ITEM, Product.Kind.METERED)


def create(
    *,
    actor: Actor,
    organization: Organization,
    kind: str,
    name: str,
    package: Package | None = None,
    plan: ResellerPlan | None = None,
    meter: Meter | None = None,
    **values: Any,
) -> Product:
    """Put something on sale. A package, a plan and what goes by use say what they stand for: the seller's own.

    It can be bought once it has a price.
    """
    policy.require(actor, "product.create", organization)
    texts.known(values, FIELDS)
    sellers.ensure(organization)
    given = {"package": package, "plan": plan, "meter": meter}
    product = Product(organization=organization, kind=kind, name=name, **given, **values)
    if kind not in Product.Kind.values:
        raise Invalid("kind", _("Choose what kind of product it is."), "kind")
    for field, stands_for in given.items():
        _check_object(product, field, stands_for)
    with transaction.atomic():
        _save(product)
        said = {field: [None, getattr(product, field)] for field in ("kind", *FIELDS)}
        audit.record(actor, "product.create", product, said)
    return product


def change(*, actor: Actor, product: Product, **values: Any) -> Product:
    """Change how a product is called and sold. A new kind of tax holds for what is charged from then on."""
    policy.require(actor, "product.change", product)
    texts.known(values, FIELDS)
    with transaction.atomic():
        product = _locked(product)
        before = {field: getattr(product, field) for field in values}
        for field, value in values.items():
            setattr(product, field, value)
        _save(product)
        audit.record(
            actor, "product.change", product, audit.difference(before, {f: getattr(product, f) for f in values})
        )
    return product


def archive(*, actor: Actor, product: Product) -> None:
    """Take a product off the shelf. Who has it keeps it, at the price that was agreed."""
    policy.require(actor, "product.remove", product)
    with transaction.atomic():
        product = _locked(product)
        product.archived_at, product.is_public = timezone.now(), False
        product.save(update_fields=["archived_at", "is_public"])
        audit.record(actor, "product.remove", product)


def _check_object(product: Product, field: str, stands_for: Any) -> None:
    wanted = product.kind == STANDS_FOR[field]
    if wanted and stands_for is None:
        raise Invalid("missing", _("Choose what is sold."), field)
    if not wanted and stands_for is not None:
        raise Invalid("kind", _("A product of this kind does not stand for this."), field)
    if stands_for is not None and stands_for.organization_id != product.organization_id:
        raise Invalid("not_own", _("Choose one of your own."), field)
    if getattr(stands_for, "archived_at", None):
        raise Invalid("archived", _("This is not on sale any more; choose another one."), field)


def _locked(product: Product) -> Product:
    """Return the product as it is now, locked, unless it is archived."""
    with everything("a product and its seller"):
        rows = Product.objects.select_for_update(of=("self",), no_key=True).select_related("organization")
        found = rows.filter(pk=product.pk, archived_at__isnull=True).first()
    if found is None:
        raise Conflict(_("This product is not on sale any more."), code="gone")
    return found


def _save(product: Product) -> None:
    product.description = texts.lines(product.description, "description", most=20)
    if product.trial_days and product.kind in WITHOUT_TRIAL:
        raise Invalid("trial", _("Only what is paid again and again can be tried first."), "trial_days")
    clean_or_invalid(product)
    with integrity_as_conflict(_("You already have a product of this name."), field="name"):
        product.save()
