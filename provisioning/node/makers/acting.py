"""Does operations on paths as who owns them: root's by root, each tenant's by a child that has become that tenant."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from .. import fsutil
from ..changes import Change
from ..errors import from_os_error
from ..kinds.paths import SHARED_GROUPS
from ..node import Node
from ..paths import FILE_ROOTS, Paths
from ..rules import is_below
from ..tenant import Acting, Operation, Outcome, Tenant, perform
from ..visits import Visit, visit
from .base import Failing

TOGETHER = 4
"""How many tenants are acted for at the same time."""
Planned = list[tuple[Change, Operation]]


def open_parent(paths: Paths, parent: str) -> int:
    """Open a directory in which root may write: below a managed root every directory on the way must be root's own."""
    root = next((root for root in FILE_ROOTS if is_below(parent, root)), None)
    if root is None:
        return os.open(paths.at(parent), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    base = os.open(paths.at(root), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return fsutil.walk(base, [part for part in parent[len(root) :].split("/") if part], owner=os.geteuid())
    finally:
        os.close(base)


def by_actor(planned: Planned) -> dict[str | None, Planned]:
    """Operations by who does them: a tenant, or root (None)."""
    actors: dict[str | None, Planned] = {}
    for change, operation in planned:
        actors.setdefault(change.body.get("as"), []).append((change, operation))
    return actors


def carry_out(
    node: Node, planned: Planned, failing: Failing, *, backwards: bool = False
) -> list[tuple[Change, Outcome]]:
    """Do operations, root's by root, each tenant's by one child. Errors go to `failing`; results in the given order.

    `backwards` is for undoing, removing and looking: tenants first, since root made what they build on; an error stops
    none of the others, and what has no user or no home any more has nothing to be undone.
    """
    results: dict[int, Outcome] = {}
    actors = by_actor(planned)
    mine = actors.pop(None, [])

    def keep(items: Planned, outcomes: list[Outcome]) -> None:
        for (change, operation), outcome in zip(items, outcomes):
            results[id(operation)] = outcome
            error = outcome.as_error()
            if error is not None:
                failing.add(change, from_os_error(change.key, error))

    def as_root() -> None:
        operations = [operation for _change, operation in mine]
        keep(mine, perform(operations, lambda parent: open_parent(node.paths, parent), node.unsynced))

    if not backwards:
        as_root()
    tenants = list(actors.items())
    for first in range(0, len(tenants), TOGETHER):
        acting = [
            (items, _act_as(node, str(user), items, backwards)) for user, items in tenants[first : first + TOGETHER]
        ]
        for items, outcomes in acting:
            keep(items, outcomes())
    if backwards:
        as_root()
    return [(change, results[id(operation)]) for change, operation in planned if id(operation) in results]


def see(node: Node, planned: Planned) -> list[tuple[Change, Outcome]]:
    """What is at some places: root's looked at by root, all tenants' by one child that takes their rights in turn."""
    actors = by_actor(planned)
    results: dict[int, Outcome] = {}
    own = [operation for _change, operation in actors.pop(None, [])]
    visits = []
    for user, items in actors.items():
        uid = node.accounts.extra_users().get(str(user))
        if uid is None:
            results.update({id(operation): Outcome({"type": "none"}) for _change, operation in items})
        else:
            looks = [operation for _change, operation in items]
            visits.append(Visit(str(user), uid, node.accounts.gid(str(user)), (), looks))
    theirs = visit(visits, lambda user, uid: open_home(node.paths, user, uid))
    found = perform(own, lambda parent: open_parent(node.paths, parent), node.unsynced)
    results.update({id(operation): outcome for operation, outcome in zip(own, found)})
    for item, outcomes in zip(visits, theirs()):
        results.update({id(operation): outcome for operation, outcome in zip(item.operations, outcomes)})
    return [(change, results[id(operation)]) for change, operation in planned]


def _act_as(node: Node, user: str, items: Planned, backwards: bool) -> Callable[[], list[Outcome]]:
    """Start a child that does operations as a tenant; what waits for its end."""
    operations = [operation for _change, operation in items]
    nothing = [Outcome({"type": "none"} if operation["do"] == "snapshot" else True) for operation in operations]
    is_optional = backwards or all(operation["do"] == "snapshot" for operation in operations)
    uid = node.accounts.extra_users().get(user)
    if uid is None:
        missing = _failed(errno.ENOENT, f"there is no user {user!r} on this server")
        return lambda: nothing if is_optional else [missing]
    try:
        home = open_home(node.paths, user, uid)
    except FileNotFoundError:
        missing = _failed(errno.ENOENT, f"/home/{user} does not exist")
        return lambda: nothing if is_optional else [missing]
    except OSError as error:
        failed = [_failed(error.errno or errno.EIO, f"/home/{user}: {error.strerror}") for _ in operations]
        return lambda: failed
    try:
        shared = tuple(gid for gid in map(node.accounts.system_groups().get, SHARED_GROUPS) if gid is not None)
        tenant = Tenant(uid, node.accounts.gid(user), shared, home)
        possible = [_possible(tenant, operation) for operation in operations]
        return Acting(tenant, possible, stop=not backwards, keep=node.lock_descriptors).outcomes
    finally:
        os.close(home)


def _failed(number: int, text: str) -> Outcome:
    return Outcome(error=(number, text))


def _possible(tenant: Tenant, operation: Operation) -> Operation:
    """What a tenant can bring back: its own, with a group that it may give."""
    was = operation.get("was")
    if was is None or was["type"] == "none":
        return operation
    gid = was["gid"] if was["gid"] in tenant.groups else tenant.gid
    return {**operation, "was": {**was, "uid": tenant.uid, "gid": gid}}


def open_home(paths: Paths, user: str, uid: int) -> int:
    """Open a tenant's home, which must be a directory of its own and the tenant's."""
    parent = os.open(paths.home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        home = os.open(user, fsutil.DIRECTORY, dir_fd=parent)
    finally:
        os.close(parent)
    if os.fstat(home).st_uid != uid:
        os.close(home)
        raise PermissionError(errno.EPERM, "it does not belong to this user")
    return home
