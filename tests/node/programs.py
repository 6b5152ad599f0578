"""Node programs to install and to upgrade to: this tree's own, and versions of it made by editing a copy."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provisioning.node.facts import digest_of
from tests.node.bundles import REPOSITORY

PACKAGE = "hostwright_node"
SOURCE = REPOSITORY / "provisioning/node"
OLDER = {"__init__.py": 'VERSION = "0.9.0"\nPROTOCOLS = (1,)\n'}
"""Files that make a copy of the program an older one."""


def copy(directory: Path, edits: Mapping[str, str] | None = None) -> Path:
    """A copy of the program below a directory, with some of its files written anew."""
    program = directory / PACKAGE
    shutil.copytree(SOURCE, program, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in (edits or {}).items():
        (program / name).write_text(text)
    return program


def archive(program: Path) -> bytes:
    """The tar of a program, as an upgrade takes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(program.rglob("*.py")):
            tar.add(path, f"{PACKAGE}/{path.relative_to(program)}")
    return buffer.getvalue()


def order(program: Path) -> dict[str, str]:
    """The payload of an upgrade to a program."""
    return {"archive": base64.b64encode(archive(program)).decode(), "digest": digest_of(str(program))}


class Installed:
    """A program below a library directory, run as a server runs it, on a machine that is a directory."""

    def __init__(self, library: Path, root: Path, edits: Mapping[str, str] | None = None) -> None:
        self.library = library
        self.root = root
        self.program = copy(library, edits)

    def start(self, failpoint: str = "") -> subprocess.Popen[bytes]:
        """A conversation that stays open."""
        environment = {**os.environ, "PYTHONPATH": str(self.library), "HOSTWRIGHT_FAILPOINT": failpoint}
        return subprocess.Popen(
            [sys.executable, "-m", PACKAGE, "--root", str(self.root), "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd="/",
        )

    def ask(self, *requests: dict[str, Any], failpoint: str = "") -> list[dict[str, Any]]:
        """The answers of a fresh process."""
        lines = "".join(json.dumps(item) + "\n" for item in requests)
        output, _ = self.start(failpoint).communicate(lines.encode(), timeout=60)
        return [message for message in map(json.loads, output.splitlines()) if "event" not in message]

    @property
    def digest(self) -> str:
        """What is installed now."""
        return digest_of(str(self.program))
