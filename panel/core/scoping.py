"""Tenant scope of queries, failing closed: outside a scope no tenant's rows can be read. Not a permission check."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from django.db import models
from django_scopes import get_scope, scope, scopes_disabled
from django_scopes.manager import DisabledQuerySet

log = structlog.get_logger(__name__)
Row = TypeVar("Row", bound=models.Model)


@contextmanager
def tenant(path: str) -> Iterator[None]:
    """Limit every tenant-owned model to the subtree at `path` (as in `/org_a/org_b/`) inside the block."""
    if not (path.startswith("/") and path.endswith("/")):
        raise ValueError("A tenant path begins and ends with a slash.")
    with scope(tenant=path):
        yield


@contextmanager
def everything(reason: str) -> Iterator[None]:
    """Lift the scope inside the block; `reason` says why the code may look across tenants."""
    log.debug("scope.everything", reason=reason)
    with scopes_disabled():
        yield


class TenantManager(models.Manager[Row]):
    """Default manager of tenant-owned models: rows whose `path_field` lies inside the current scope.

    What django-scopes' ScopedManager does, as a class that type checkers and reverse relations understand.
    """

    def __init__(self, path_field: str = "") -> None:
        super().__init__()
        self.path_field = path_field

    def get_queryset(self) -> models.QuerySet[Row]:
        """Return the rows in scope; without a scope, a query set that raises ScopeError whenever it is used."""
        current = get_scope()
        if not current.get("_enabled", True):
            return super().get_queryset()
        if "tenant" not in current:
            disabled: models.QuerySet[Row] = DisabledQuerySet(self.model, using=self._db, missing_scopes={"tenant"})
            return disabled
        return super().get_queryset().filter(**{f"{self._path_field()}__startswith": current["tenant"]})

    def all(self) -> models.QuerySet[Row]:
        """Return the rows in scope; raises ScopeError without one."""
        rows = super().all()
        return rows.all() if isinstance(rows, DisabledQuerySet) else rows

    def _path_field(self) -> str:
        """Managers of reverse relations are made from this class without arguments; they ask the model's own."""
        own = self.path_field or getattr(self.model._default_manager, "path_field", "")
        if not own:
            raise TypeError(f"{self.model.__name__} has no tenant path.")
        return str(own)
