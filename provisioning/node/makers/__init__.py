"""The makers, in the order in which they make; they undo and finish in the opposite one."""

from __future__ import annotations

from .base import Maker
from .certificates import Certificates
from .moves import Moves
from .quotas import Quotas
from .rows import Rows
from .sql import Sql
from .system import Memberships, Packages, Services
from .tree import Tree
from .users import Users
from .zones import Zones

PACKAGES = Packages()
MAKERS: tuple[Maker, ...] = (
    Moves(),
    Services(),
    Users(),
    Memberships(),
    Quotas(),
    Certificates(),
    Tree(),
    Sql(),
    Zones(),
    Rows(),
)
__all__ = ["MAKERS", "PACKAGES", "Maker"]
