"""Pages of price feeds: what a price was, and what it saves against another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from billing import formats
from billing.models import PriceFeed
from billing.pricing import feeds as pricing
from billing.selectors import meters as selectors
from billing.selectors import sellers
from billing.services import meters
from billing.web.metering_forms import AgainstForm, FeedForm, PointForm
from billing.web.metering_tables import FeedTable, PointTable
from panel.core.lists import ListsPage
from panel.core.web import Action, Empty, FormPage, ListPage

DAYS = 92
"""Three months."""


@dataclass(frozen=True)
class Point:
    """A day and a figure, as charts draw them."""

    date: date
    value: Decimal


class FeedListPage(ListPage):
    """Prices in time."""

    action = "feed.view"
    title = gettext_lazy("Price feeds")
    table_class = FeedTable
    export_name = "price-feeds"

    def list_rows(self) -> QuerySet[PriceFeed]:
        return selectors.feeds(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Meters"), reverse("billing:meter_list"))]

    def actions(self) -> list[Action]:
        if not self.may("feed.create"):
            return []
        return [Action(_("New price feed"), reverse("billing:feed_create"), "plus", "primary")]

    def empty(self) -> Empty:
        may = self.may("feed.create")
        text = _("A feed is a price that moves, such as that of spare capacity. Rules read it where use begins.")
        url = reverse("billing:feed_create") if may else ""
        return Empty("chart-bar", _("No price feeds yet"), text, url, _("New price feed"))


class FeedCreatePage(FormPage):
    """Makes a feed."""

    action = "feed.create"
    title = gettext_lazy("New price feed")
    form_class = FeedForm
    submit_label = gettext_lazy("Create price feed")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Price feeds"), reverse("billing:feed_list"))]

    def initial(self) -> dict[str, Any]:
        return {"currency": sellers.of(organizations.of_actor(self.actor)).currency}

    def act(self, data: dict[str, Any]) -> str:
        own = organizations.of_actor(self.actor)
        made = meters.create_feed(actor=self.actor, organization=own, **data)
        return reverse("billing:feed", args=[made.pk])


class FeedPage(ListsPage):
    """A feed's prices, and what they save against another feed, over the last three months."""

    action = "feed.view"
    template_name = "billing/feed.html"

    def rows(self) -> QuerySet[Any] | None:
        return selectors.feeds(self.actor)

    def get_title(self) -> str:
        return str(self.object)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Price feeds"), reverse("billing:feed_list"))]

    def actions(self) -> list[Action]:
        if not self.may("feed.change"):
            return []
        return [Action(_("Add a price"), reverse("billing:feed_add", args=[self.object.pk]), "plus", "primary")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        others = selectors.feeds(self.actor).exclude(pk=self.object.pk).filter(currency=self.object.currency)
        form = AgainstForm(self.request.GET or None, feeds=others)
        other = form.cleaned_data["against"] if form.is_bound and form.is_valid() else others.first()
        if other is not None and not form.is_bound:
            form = AgainstForm(initial={"against": other.pk}, feeds=others)
        empty = Empty("chart-bar", _("No prices yet"), _("Add them here, or by API."))
        return super().get_context_data(
            form=form,
            other=other,
            table=self.table(PointTable, selectors.points(self.object), empty, "prices-"),
            **self._charts(other),
            **kwargs,
        )

    def _charts(self, other: PriceFeed | None) -> dict[str, Any]:
        zone = sellers.of(self.object.organization).time_zone
        last = timezone.now().astimezone(UTC).date() + timedelta(days=1)
        first = last - timedelta(days=DAYS)
        since = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=1)
        own = selectors.feed(self.object, since)
        against = own if other is None else selectors.feed(other, since)
        days = pricing.savings(own, against, first, last, zone)
        saved = None if other is None else pricing.saved(days)
        return {
            "prices": [Point(day.day, _places(day.price)) for day in days],
            "savings": [] if other is None else [Point(day.day, _places(day.share * 100, 1)) for day in days],
            "saved": "" if saved is None else formats.percent(saved),
        }


class FeedAddPage(FormPage):
    """Adds a price from an instant on."""

    action = "feed.change"
    form_class = PointForm
    submit_label = gettext_lazy("Add price")
    intro = gettext_lazy("A price that was added is not changed any more: use may have been charged by it.")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.feeds(self.actor)

    def get_title(self) -> str:
        return _("Add a price to %(feed)s") % {"feed": self.object}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Price feeds"), reverse("billing:feed_list")),
            (str(self.object), reverse("billing:feed", args=[self.object.pk])),
        ]

    def initial(self) -> dict[str, Any]:
        return {"instant": timezone.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M")}

    def act(self, data: dict[str, Any]) -> str:
        instant = data["instant"].replace(tzinfo=UTC)
        meters.add_points(actor=self.actor, feed=self.object, points=[(instant, data["price"])])
        return self.cancel_url()


def _places(value: Fraction, places: int = 6) -> Decimal:
    return Decimal(round(value * 10**places)).scaleb(-places)
