"""What waits to be done and may have lost its ring: the sweep's questions to the tables. For the worker only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from panel.core import audit
from panel.core.actors import Actor
from provisioning.models import HostingAccount, Intent, Operation, Preview, Server, Slice
from provisioning.services import holding, intents, operations

# A ring that is not lost has been heard by then.
PATIENCE = timedelta(seconds=30)
PURGE = "account.purge"
PURGE_AGAIN = timedelta(hours=1)


def destroy() -> None:
    """Dirty every slice with data whose grace period is over, one operation per account; whoever removed the data
    confirmed that. Where a server refused it, it is asked again after `PURGE_AGAIN`.
    """
    actor = Actor.system("end of the grace period")
    due = Slice.objects.filter(tombstones__due_at__lte=Now(), tombstones__destroyed_at__isnull=True, intents=None)
    refused = Operation.objects.filter(
        verb=PURGE, status=Operation.Status.REJECTED, finished_at__gt=timezone.now() - PURGE_AGAIN
    )
    accounts = HostingAccount.objects.filter(slices__in=due).exclude(operations__in=refused)
    for hosting in accounts.distinct().order_by("id"):
        with transaction.atomic():
            hosting = holding.locked(hosting)
            slices = list(due.filter(hosting=hosting).distinct().order_by("id"))
            if slices:  # Else another sweep was here first.
                audit.record(actor, PURGE, hosting)
                operation = operations.start(
                    actor=actor, verb=PURGE, subject=hosting.domain, organization=hosting.organization, hosting=hosting
                )
                intents.again(slices, operation=operation, confirmed=True)


def servers() -> Iterable[str]:
    """Servers with intents whose time has come."""
    due = Q(retry_at__isnull=True) | Q(retry_at__lte=Now())
    waiting = Intent.objects.filter(due).values("slice__server")
    return Server.objects.filter(due, pk__in=waiting).order_by("id").values_list("id", flat=True)


def without_host_key() -> Iterable[str]:
    """New servers whose host key was never asked for."""
    unasked = Server.objects.filter(state=Server.State.NEW, transport=Server.Transport.SSH, host_key="")
    return unasked.filter(unreachable_reason="", created_at__lt=Now() - PATIENCE).values_list("id", flat=True)


def left_bootstraps() -> Iterable[str]:
    """Set-ups that nobody works on: the ring was lost, or the worker ended. A password given for them is gone."""
    begun = Operation.objects.filter(verb="server.bootstrap", status__in=Operation.OPEN, targets=None)
    busy = Q(server__lease__expires_at__gt=Now())
    return begun.filter(created_at__lt=Now() - PATIENCE).exclude(busy).values_list("id", flat=True)


def previews() -> Iterable[str]:
    """Previews that nobody has worked out."""
    pending = Preview.objects.filter(status=Preview.Status.PENDING, expires_at__gt=Now())
    return pending.filter(created_at__lt=Now() - PATIENCE).values_list("id", flat=True)
