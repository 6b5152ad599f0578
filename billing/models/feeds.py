"""Prices that move: a seller's feeds of prices, each holding from an instant on until the next."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from billing.fields import CurrencyField, ExactField
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class PriceFeed(models.Model):
    """A price in time that rules read by `name`, such as what an instance costs on demand, or on the spot."""

    id = IdField(prefix="fed")
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="price_feeds")
    name = fields.NameField(rule=names.label, max_length=60)
    currency = CurrencyField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                name="price_feed_name_once",
                violation_error_message=_("You already have a price feed of this name."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.organization.path


class PricePoint(models.Model):
    """A price of a feed, for what a rule calls `per`, from an instant on. Never changed: what was rated stays so."""

    feed = models.ForeignKey(PriceFeed, models.PROTECT, related_name="points")
    instant = models.DateTimeField()
    price = ExactField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("feed__organization__path")

    class Meta:
        ordering = ("feed", "instant")
        constraints = (models.UniqueConstraint(fields=("feed", "instant"), name="price_point_once"),)

    def __str__(self) -> str:
        return f"{self.feed} {self.price}"

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.feed.organization.path
