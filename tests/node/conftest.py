"""A machine for the node program: a directory with the few files of a system that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node.bundles import Machine

FOLDERS = (
    "etc/nginx/sites-enabled",
    "etc/hostwright",
    "etc/php/8.4/fpm/pool.d",
    "home",
    "var/lib/hostwright",
    "var/lib/extrausers",
    "var/log/hostwright",
    "run",
)


def prepare(root: Path) -> Machine:
    """Make a directory an empty server: root, www-data and a few groups; no daemon."""
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True)
        (root / folder).chmod(0o755)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/bash\nwww-data:x:33:33::/var/www:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\nmail:x:8:\nshadow:x:42:\nwww-data:x:33:\nbind:x:104:\n")
    return Machine(root)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """An empty server."""
    return prepare(tmp_path)
