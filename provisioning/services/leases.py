"""Leases: one worker per server at a time, by the database's clock, with an epoch that the server itself checks."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import DatabaseError, connection, models
from django.db.models import F, Q
from django.db.models.functions import Now

from panel.core.failpoints import failpoint
from provisioning.models import Lease

DURATION = timedelta(seconds=30)
RENEW_SECONDS = 8.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Held:
    """A lease that this worker holds; `epoch` is larger than that of anyone who held it before."""

    server_id: str
    owner: str
    epoch: int


def _until() -> models.Expression:
    return models.ExpressionWrapper(Now() + models.Value(DURATION), output_field=models.DateTimeField())


def acquire(server_id: str) -> Held | None:
    """Take the lease of a server if it is free or has run out; None while another worker holds it."""
    owner = f"{socket.gethostname()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:16]}"
    free = Q(owner="") | Q(expires_at__lt=Now())
    unheld = Lease.objects.filter(free, server_id=server_id)
    taken = {"owner": owner, "epoch": F("epoch") + 1, "expires_at": _until()}
    if not unheld.update(**taken):
        _lease, is_new = Lease.objects.get_or_create(server_id=server_id)
        if not is_new or not unheld.update(**taken):
            return None
    return Held(server_id, owner, Lease.objects.values_list("epoch", flat=True).get(server_id=server_id, owner=owner))


def renew(held: Held) -> bool:
    """Keep the lease for another while; False when it has been lost."""
    mine = Lease.objects.filter(server_id=held.server_id, owner=held.owner, epoch=held.epoch)
    return bool(mine.update(expires_at=_until()))


def release(held: Held) -> None:
    """Give the lease back; nothing happens when it has been lost."""
    mine = Lease.objects.filter(server_id=held.server_id, owner=held.owner, epoch=held.epoch)
    mine.update(owner="", expires_at=None)


@contextmanager
def hold(server_id: str) -> Iterator[Held | None]:
    """Hold the lease of a server for the block, renewing it in the background; gives None while another worker
    holds it.
    """
    held = acquire(server_id)
    if held is None:
        yield None
        return
    failpoint("lease-taken")
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(held, done), name=f"lease {server_id}", daemon=True)
    keeper.start()
    try:
        yield held
    finally:
        done.set()
        failpoint("before-release")
        release(held)


def _keep(held: Held, done: threading.Event) -> None:
    while not done.wait(RENEW_SECONDS):
        try:
            if not renew(held):
                return
        except DatabaseError as error:
            log.warning("lease.renew_failed", server=held.server_id, error=str(error))
        finally:
            connection.close()
