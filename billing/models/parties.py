"""Who may see a row of money: its seller and its buyer, and nobody else, wherever they stand in the tree."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django.db import models
from django.db.models import Q
from django_scopes import get_scope

from panel.core.scoping import TenantManager

Row = TypeVar("Row", bound=models.Model)


class PartyManager(TenantManager[Row]):
    """Rows whose seller or buyer lies inside the current scope; without a scope there are none.

    Wider than what an actor may see: the permission table asks a row's `parties`, and lists begin with
    `billing.selectors.parties`. A client that moved to another seller leaves its rows with the old one.
    """

    def __init__(self, seller: str = "seller", buyer: str = "buyer") -> None:
        super().__init__(f"{buyer}__path")
        self.seller, self.buyer = seller, buyer

    def get_queryset(self) -> models.QuerySet[Row]:
        """Return the rows in scope."""
        current = get_scope()
        if current.get("_enabled", True) and "tenant" in current:
            own: Any = type(self.model._default_manager)
            chosen = self.model._default_manager if issubclass(own, PartyManager) else self
            path = current["tenant"]
            rows: models.QuerySet[Row] = models.Manager.get_queryset(self)
            return rows.filter(
                Q(**{f"{chosen.seller}__path__startswith": path})  # type: ignore[attr-defined]
                | Q(**{f"{chosen.buyer}__path__startswith": path})  # type: ignore[attr-defined]
            )
        return super().get_queryset()


class PartyRow(models.Model):
    """A row that belongs to whom another one belongs to, which its attribute `party` names."""

    party: ClassVar[str]

    class Meta:
        abstract = True

    @property
    def parties(self) -> tuple[str, str]:
        """Seller and buyer: who may see it."""
        return self._owner().parties  # type: ignore[no-any-return]

    @property
    def tenant_path(self) -> str:
        """The place of its buyer in the tree."""
        return self._owner().tenant_path  # type: ignore[no-any-return]

    def _owner(self) -> Any:
        return getattr(self, self.party)
