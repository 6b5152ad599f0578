"""Tenant scope of queries, failing closed: outside a scope no tenant's rows can be read. Not a permission check."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import models
from django_scopes import ScopedManager, scope, scopes_disabled

log = structlog.get_logger(__name__)


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


def TenantManager(path_field: str) -> models.Manager[Any]:
    """Return a manager whose rows are those with `path_field` inside the current tenant scope."""
    manager: models.Manager[Any] = ScopedManager(tenant=f"{path_field}__startswith")
    return manager
