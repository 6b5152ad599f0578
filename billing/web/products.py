"""Pages of products and their prices."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Organization
from accounts.selectors import organizations
from billing import formats
from billing.models import Product
from billing.selectors import prices as price_selectors
from billing.selectors import products as selectors
from billing.selectors import sellers
from billing.services import products
from billing.web.catalogue_tables import ProductFilter, ProductPriceTable, ProductTable
from billing.web.product_forms import NewProductForm, ProductForm
from panel.core.lists import ListsPage
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage, Page

KINDS: list[tuple[str, Any, Any, str]] = [
    (
        "package",
        gettext_lazy("Hosting package"),
        gettext_lazy("A hosting account with the limits of a package."),
        "world",
    ),
    (
        "plan",
        gettext_lazy("Reseller plan"),
        gettext_lazy("What a reseller can sell, across all accounts."),
        "building-store",
    ),
    ("addon", gettext_lazy("Add-on"), gettext_lazy("Something paid beside a subscription, such as support."), "plus"),
    (
        "metered",
        gettext_lazy("By use"),
        gettext_lazy("What is counted and charged each month, such as traffic."),
        "gauge",
    ),
    ("item", gettext_lazy("One-off item"), gettext_lazy("Something that is paid once, such as a transfer."), "tag"),
]


def trail(product: Product) -> list[tuple[str, str]]:
    """Return the way up from a page about something of a product."""
    return [
        (_("Products"), reverse("billing:product_list")),
        (str(product), reverse("billing:product", args=[product.pk])),
    ]


def meters() -> Action:
    """Return the way to what is counted, for what is sold by use."""
    return Action(_("Meters"), reverse("billing:meter_list"), "gauge")


def calculator() -> Action:
    """Return the way to what use would cost."""
    return Action(_("Calculator"), reverse("billing:calculator"), "calculator")


class ProductListPage(ListPage):
    """What the organization sells."""

    action = "product.view"
    title = gettext_lazy("Products")
    table_class = ProductTable
    filter_class = ProductFilter
    export_name = "products"

    def list_rows(self) -> QuerySet[Product]:
        return selectors.listed(self.actor)

    def actions(self) -> list[Action]:
        found = [
            meters(),
            Action(_("Price list"), reverse("billing:price_list"), "list-details"),
        ]
        if self.may("product.create"):
            found.append(Action(_("New product"), reverse("billing:product_kinds"), "plus", "primary"))
        return found

    def empty(self) -> Empty:
        may = self.may("product.create")
        text = _("A product is what stands on an invoice: a package, a plan, an add-on, with its prices.")
        return Empty(
            "tag", _("No products yet"), text, reverse("billing:product_kinds") if may else "", _("New product")
        )


class ProductKindsPage(Page):
    """What can be put on sale."""

    action = "product.create"
    title = gettext_lazy("New product")
    template_name = "billing/product_kinds.html"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Products"), reverse("billing:product_list"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kinds = [
            (label, text, sign, reverse("billing:product_create", args=[kind])) for kind, label, text, sign in KINDS
        ]
        return super().get_context_data(kinds=kinds, **kwargs)


class ProductCreatePage(FormPage):
    """Puts something on sale."""

    action = "product.create"
    form_class = NewProductForm
    submit_label = gettext_lazy("Create product")

    def find(self) -> Any:
        if self.kwargs["kind"] not in Product.Kind.values:
            raise Http404
        return None

    def get_title(self) -> str:
        return next(str(label) for kind, label, _text, _sign in KINDS if kind == self.kwargs["kind"])

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Products"), reverse("billing:product_list")),
            (_("New product"), reverse("billing:product_kinds")),
        ]

    def actions(self) -> list[Action]:
        return [meters()] if self.kwargs["kind"] == Product.Kind.METERED else []

    def form_options(self) -> dict[str, Any]:
        return {
            "kind": self.kwargs["kind"],
            "choices": choices(organizations.of_actor(self.actor), self.kwargs["kind"]),
        }

    def act(self, data: dict[str, Any]) -> str:
        own = organizations.of_actor(self.actor)
        made = products.create(actor=self.actor, organization=own, kind=self.kwargs["kind"], **data)
        messages.success(self.request, _("The product is there. Give it a price, and it can be bought."))
        return reverse("billing:price_create", args=[made.pk])


class ProductPage(ListsPage):
    """A product with all its prices."""

    action = "product.view"
    template_name = "billing/facts_table.html"

    def rows(self) -> QuerySet[Any] | None:
        return selectors.every(self.actor)

    def get_title(self) -> str:
        return str(self.object)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Products"), reverse("billing:product_list"))]

    def actions(self) -> list[Action]:
        found = [calculator()] if self.object.kind == Product.Kind.METERED and self.may("rate.create") else []
        if self.object.archived_at is None and self.may("product.remove"):
            found.append(
                Action(_("Archive"), reverse("billing:product_archive", args=[self.object.pk]), "trash", "danger")
            )
        if self.object.archived_at is None and self.may("product.change"):
            found.append(Action(_("Change"), reverse("billing:product_change", args=[self.object.pk]), "pencil"))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        today = sellers.today(sellers.of(self.object.organization))
        may = self.object.archived_at is None and self.may("price.change")
        lines = price_selectors.lines(self.object, today, may_change=may)
        create = Action(_("New price"), reverse("billing:price_create", args=[self.object.pk]), "plus", "primary")
        empty = Empty("tag", _("No prices yet"), _("It can be bought once it has a price."))
        return super().get_context_data(
            facts=self.facts(),
            table=self.table(ProductPriceTable, lines, empty, "prices-"),
            table_title=_("Prices"),
            table_actions=[create] if may else [],
            table_note=self.coming(lines),
            **kwargs,
        )

    def facts(self) -> list[tuple[str, Any]]:
        """Return what is to be known of the product."""
        stands_for = self.object.package or self.object.plan or self.object.meter
        found = [(_("Kind"), self.object.get_kind_display())]
        if stands_for is not None:
            found.append((_("What is sold"), str(stands_for)))
        found += [
            (_("Tax"), self.object.get_tax_category_display()),
            (_("Trial days"), self.object.trial_days or "\N{EN DASH}"),
            (_("On the order page"), _("yes") if self.object.is_public else _("no")),
            (_("Subscriptions"), self.object.subscription_count),
        ]
        if self.object.archived_at is not None:
            found.append((_("Archived"), date_format(self.object.archived_at, "DATE_FORMAT")))
        return found

    def coming(self, lines: list[price_selectors.Line]) -> str:
        """Say which price follows next."""
        coming = [line.price for line in lines if line.state == "pending" and line.price.rule is None]
        if not coming:
            return ""
        price = min(coming, key=lambda price: price.valid_from)
        said = {
            "day": date_format(price.valid_from, "DATE_FORMAT"),
            "amount": formats.money(price.amount, price.currency),
            "cycle": price.get_months_display(),
        }
        return _("From %(day)s it costs %(amount)s (%(cycle)s).") % said


class ProductChangePage(FormPage):
    """Changes how a product is called and sold."""

    action = "product.change"
    title = gettext_lazy("Change product")
    form_class = ProductForm

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return trail(self.object)

    def form_options(self) -> dict[str, Any]:
        return {"kind": self.object.kind}

    def initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in self.form_class.base_fields}

    def act(self, data: dict[str, Any]) -> str:
        products.change(actor=self.actor, product=self.object, **data)
        return self.cancel_url()


class ProductArchivePage(ActionPage):
    """Takes a product off the shelf."""

    action = "product.remove"
    title = gettext_lazy("Archive product")
    submit_label = gettext_lazy("Archive the product")
    danger = True

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return trail(self.object)

    def get_question(self) -> str:
        return _("Take %(name)s off the shelf?") % {"name": self.object}

    def consequences(self) -> list[str]:
        count = self.object.subscription_count
        words = ngettext(
            "%(count)s subscription has it and keeps it.", "%(count)s subscriptions have it and keep it.", count
        )
        return [words % {"count": count}, _("Nobody can buy it any more. It does not come back.")]

    def act(self) -> str:
        products.archive(actor=self.actor, product=self.object)
        return reverse("billing:product_list")


def choices(seller: Organization, kind: str) -> dict[str, QuerySet[Any]]:
    """Return by field what a product of a kind can stand for."""
    if kind == Product.Kind.PACKAGE:
        return {"package": selectors.packages_of(seller)}
    if kind == Product.Kind.PLAN:
        return {"plan": selectors.plans_of(seller)}
    if kind == Product.Kind.METERED:
        return {"meter": selectors.meters_of(seller)}
    return {}
