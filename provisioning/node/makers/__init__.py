"""The makers, in the order in which they make; they undo and finish in the opposite one."""

from __future__ import annotations

from .base import Maker
from .rows import Rows
from .sql import Sql
from .system import Memberships, Packages, Services
from .tree import Tree
from .users import Users
from .zones import Zones

PACKAGES = Packages()
MAKERS: tuple[Maker, ...] = (Services(), Users(), Memberships(), Tree(), Sql(), Zones(), Rows())
AFTER_RELOAD = ("services",)
"""What goes live only when the daemons have their new configuration."""

__all__ = ["AFTER_RELOAD", "MAKERS", "PACKAGES", "Maker"]
