"""User names of accounts: which are free. A name is never two people's, on disk or before their databases' names."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from panel.core import names, reserved
from panel.core.errors import Conflict
from provisioning.models import Database, DatabaseUser, HostingAccount, Move, Tombstone
from provisioning.services.inputs import normal

REST = timedelta(days=30)


def choose(*, wanted: str, domain: str) -> str:
    """Return `wanted` in its normal form, or without it a free name made from `domain`; raises Conflict."""
    if wanted:
        return free(wanted)
    stem = re.sub(r"[^a-z0-9]", "", domain.removeprefix("xn--").partition(".")[0])[:8].lstrip("0123456789") or "site"
    taken = set(_in_use().filter(username__startswith=stem).values_list("username", flat=True))
    for candidate in (stem, *(f"{stem}{number}" for number in range(1, 10_000))):
        if candidate not in taken and candidate not in reserved.USERNAMES and not _is_left_over(candidate, None):
            return candidate
    raise Conflict(_("Give a user name: every name made from this domain is taken."), field="username")


def free(wanted: str, *, but: HostingAccount | None = None) -> str:
    """Return `wanted` in its normal form; raises Conflict when another account than `but` has it, had it lately, or
    holds databases named after it.
    """
    username: str = normal("username", names.username, wanted)
    others = _in_use() if but is None else _in_use().exclude(pk=but.pk)
    if _is_left_over(username, but, others.filter(username=username)):
        raise Conflict(_("This user name is taken or was used lately. Choose another one."), field="username")
    return username


def _in_use() -> QuerySet[HostingAccount]:
    """Accounts, of all tenants, whose user names can't be given again.

    A name rests for a while after its account is gone, and at least until all servers have destroyed the data.
    """
    undestroyed = Tombstone.objects.filter(slice__hosting=OuterRef("pk"), destroyed_at__isnull=True)
    rested = Q(terminated_at__lt=timezone.now() - REST) & ~Exists(undestroyed)
    return HostingAccount._base_manager.exclude(rested)


def _is_left_over(username: str, but: HostingAccount | None, *others: QuerySet[HostingAccount]) -> bool:
    """Whether an account other than `but` gave the name up lately, or has databases and logins that begin with it, or
    there are any `others`. One query.
    """
    prefix = f"{username}_"
    own = but.pk if but else ""
    moved = Move.objects.filter(from_key=f"user:{username}", created_at__gt=timezone.now() - REST)
    doomed = Tombstone.objects.filter(key__startswith=f"database:{prefix}", destroyed_at__isnull=True)
    databases = Database._base_manager.filter(name__startswith=prefix)
    logins = DatabaseUser._base_manager.filter(name__startswith=prefix)
    first, *more = (
        rows.order_by().values_list(Value(1))
        for rows in (
            moved.exclude(slice__hosting=own),
            doomed.exclude(slice__hosting=own),
            databases.exclude(hosting=own),
            logins.exclude(hosting=own),
            *others,
        )
    )
    return bool(first.union(*more, all=True)[:1])
