"""Makes self-signed certificates where they are missing, for another name, or about to expire."""

from __future__ import annotations

import os

from .. import certificates
from ..changes import Change
from ..daemons import reload
from ..errors import Failures, RefusedError, from_os_error
from ..node import Node
from ..rules import Body
from ..state import Remembered
from .base import Failing, Maker


class Certificates(Maker):
    """Kind: certificate. A new one is as right as the old one was, so only those that were not there are undone."""

    name = "certificates"

    def before(self, node: Node, changes: list[Change]) -> Failures:
        for change in changes:
            change.before = {"there": os.path.exists(certificates.place(node.paths, change.name))}
        return {}

    def make(self, node: Node, changes: list[Change]) -> Failures:
        failing = Failing()
        for change in changes:
            if change.new is None:
                continue
            try:
                if not certificates.is_good(node.paths, change.name, change.new["host"]):
                    certificates.make(node.paths, change.name, change.new["host"], node.unsynced)
            except RefusedError as error:
                failing.add(change, error)
            except OSError as error:
                failing.add(change, from_os_error(change.key, error))
        return failing.found

    def undo(self, node: Node, changes: list[Change]) -> None:
        for change in changes:
            if not change.before["there"]:
                certificates.discard(node.paths, change.name)

    def finish(self, node: Node, changes: list[Change]) -> dict[str, str]:
        for change in changes:
            certificates.discard(node.paths, change.name)
        return {}

    def differs(self, node: Node, resources: list[Remembered]) -> dict[str, Body | None]:
        return {
            resource.key: None
            for resource in resources
            if not certificates.is_good(node.paths, resource.body["name"], resource.body["host"])
        }


def renew(node: Node) -> list[str]:
    """Make anew what is missing or expires within 30 days, and reload what reads it; the names. Takes the lock."""
    with node.lock():
        due = [
            item
            for item in node.state.live()
            if item.key.startswith("certificate:")
            and not certificates.is_good(node.paths, item.body["name"], item.body["host"])
        ]
        readers: dict[str, list[Change]] = {}
        for item in due:
            certificates.make(node.paths, item.body["name"], item.body["host"], node.unsynced)
            change = Change(item.slice, item.key, "change", item.body, item.body)
            for service in change.services:
                readers.setdefault(service, []).append(change)
        node.unsynced.flush()
        reload(node, readers, {})
        return [item.body["name"] for item in due]
