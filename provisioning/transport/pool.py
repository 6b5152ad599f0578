"""Warm connections, one per server and worker process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from panel.core.failures import Temporary
from provisioning.spec import Target
from provisioning.transport.base import Connection, OnEvent
from provisioning.transport.local import LocalConnection
from provisioning.transport.ssh import SshConnection

_connections: dict[Target, Connection] = {}
_guard = threading.Lock()


def call(target: Target, verb: str, payload: Mapping[str, Any], on_event: OnEvent | None = None) -> dict[str, Any]:
    """Ask the node program of `target`, over the warm connection if there is one; raises Temporary or NodeError.

    A warm connection may have died unnoticed, so after its failure a fresh one is tried once: every verb may be
    repeated.
    """
    with _guard:
        warm = _connections.get(target)
    if warm is not None and not warm.closed:
        try:
            return warm.call(verb, payload, on_event)
        except Temporary:
            warm.close()
    return _open(target).call(verb, payload, on_event)


def _open(target: Target) -> Connection:
    connection = LocalConnection(target) if target.transport == "local" else SshConnection(target)
    with _guard:
        _connections[target] = connection
    return connection


def close_all() -> None:
    """Close every warm connection of this process."""
    with _guard:
        connections = list(_connections.values())
        _connections.clear()
    for connection in connections:
        connection.close()
