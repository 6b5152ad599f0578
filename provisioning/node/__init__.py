"""The node program: makes one server be what the panel asks for, whole or not at all. It knows no code of the panel."""

from __future__ import annotations

VERSION = "1.0.0"
PROTOCOLS = (1,)
