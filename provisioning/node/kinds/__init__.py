"""Every kind of resource by name (docs/protocol.md, *Resources*)."""

from __future__ import annotations

from .base import SERVER_SLICE, Kind, Scope
from .paths import Absent, Directory, File, Link
from .services import Database, DatabaseUser, Row, Zone
from .system import Certificate, Membership, Move, Package, Quota, Service, User

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Package(),
        User(),
        Quota(),
        Membership(),
        Certificate(),
        Move(),
        Directory(),
        File(),
        Link(),
        Absent(),
        Database(),
        DatabaseUser(),
        Zone(),
        Row(),
        Service(),
    )
}

__all__ = ["KINDS", "SERVER_SLICE", "Kind", "Scope"]
