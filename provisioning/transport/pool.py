"""Warm connections, one per server and worker process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from panel.core.failures import Temporary
from provisioning.spec import Target
from provisioning.transport.base import Connection, OnEvent
from provisioning.transport.local import LocalConnection
from provisioning.transport.ssh import SshConnection

_connections: dict[str, tuple[Target, Connection]] = {}
_guard = threading.Lock()


def call(target: Target, verb: str, payload: Mapping[str, Any], on_event: OnEvent | None = None) -> dict[str, Any]:
    """Ask the node program of `target`, over the warm connection if there is one; raises Temporary or NodeError.

    A warm connection may have died unnoticed, so after its failure a fresh one is tried once: every verb may be
    repeated.
    """
    return _with_connection(target, lambda connection: connection.call(verb, payload, on_event))


def hello(target: Target) -> dict[str, Any]:
    """What the node program behind the warm connection said when that was opened; raises Temporary or NodeError."""
    return _with_connection(target, lambda connection: connection.hello())


def _with_connection(target: Target, ask: Callable[[Connection], dict[str, Any]]) -> dict[str, Any]:
    warm = _warm(target)
    if warm is not None:
        try:
            return ask(warm)
        except Temporary:
            warm.close()
    return ask(_open(target))


def forget(target: Target) -> None:
    """Close the warm connection to a server, whose node program is another one now."""
    with _guard:
        known = _connections.pop(target.id, None)
    if known is not None:
        known[1].close()


def close_all() -> None:
    """Close every warm connection of this process."""
    with _guard:
        connections = [connection for _target, connection in _connections.values()]
        _connections.clear()
    for connection in connections:
        connection.close()


def _warm(target: Target) -> Connection | None:
    with _guard:
        known = _connections.get(target.id)
    return known[1] if known is not None and known[0] == target and not known[1].closed else None


def _open(target: Target) -> Connection:
    """Open a connection and keep it, unless another thread was faster: then that one serves both."""
    opened: Connection = LocalConnection(target) if target.transport == "local" else SshConnection(target)
    spare: Connection | None
    with _guard:
        known = _connections.get(target.id)
        if known is not None and known[0] == target and not known[1].closed:
            kept, spare = known[1], opened
        else:
            kept, spare = opened, known[1] if known is not None else None
            _connections[target.id] = (target, opened)
    if spare is not None:
        spare.close()
    return kept
