"""Makes limits of disk space and inodes that the kernel holds users to, on the file system of the homes.

Where that has no quotas in force there is nothing to make and nothing that differs: what is used is measured only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from .. import quota
from ..changes import Change
from ..errors import Failures, RefusedError, from_os_error
from ..node import Node
from ..quota import Limits
from ..rules import Body
from ..state import Remembered
from .base import Failing, Maker

NOTHING = Limits(None, None)


class Quotas(Maker):
    """Kind: quota."""

    name = "quotas"
    is_checked = False

    def before(self, node: Node, changes: list[Change]) -> Failures:
        with _homes(node) as homes:
            for change in changes:
                now = quota.limits(homes, int(change.name))
                change.before = None if now is None else {"bytes": now.bytes, "inodes": now.inodes}
        return {}

    def make(self, node: Node, changes: list[Change]) -> Failures:
        failing = Failing()
        with _homes(node) as homes:
            for change in changes:
                if change.new is not None and node.accounts.extra_users().get(change.new["user"]) != int(change.name):
                    reason = f"{change.key}: {change.new['user']} is another user"
                    failing.add(change, RefusedError("foreign", reason))
                    continue
                try:
                    quota.set_limits(homes, int(change.name), wanted(change.new))
                except OSError as error:
                    failing.add(change, from_os_error(change.key, error))
        return failing.found

    def undo(self, node: Node, changes: list[Change]) -> None:
        with _homes(node) as homes:
            for change in changes:
                uid, was = int(change.name), change.before and Limits(change.before["bytes"], change.before["inodes"])
                if was and quota.limits(homes, uid) != was:
                    quota.set_limits(homes, uid, was)

    def differs(self, node: Node, resources: list[Remembered]) -> dict[str, Body | None]:
        found: dict[str, Body | None] = {}
        with _homes(node) as homes:
            for resource in resources:
                now = quota.limits(homes, int(resource.body["name"]))
                if now is not None and now != quota.rounded(wanted(resource.body)):
                    found[resource.key] = {**resource.body, "bytes": now.bytes, "inodes": now.inodes}
        return found


def wanted(body: Body | None) -> Limits:
    """The limits that a body asks for; none without one."""
    return NOTHING if body is None else Limits(body.get("bytes"), body.get("inodes"))


@contextmanager
def _homes(node: Node) -> Iterator[int]:
    """The directory of homes, open."""
    descriptor = os.open(node.paths.home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
