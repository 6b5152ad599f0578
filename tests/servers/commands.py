"""Runs host commands for the test servers; not for anything inside a server."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path


class CommandError(RuntimeError):
    """A host command failed; the message holds the command and its last words."""


def call(*argv: str | Path, stdin: str | None = None, check: bool = True, timeout: float = 60) -> str:
    """Run `argv` on the host and return its stdout; raises `CommandError` when `check` and it fails or hangs."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    except FileNotFoundError as error:
        raise CommandError(f"{words[0]} is not installed; run script/setup") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{' '.join(words)}: no answer within {timeout:.0f} s") from error
    if check and done.returncode:
        tail = (done.stderr or done.stdout).strip()[-2000:]
        raise CommandError(f"{' '.join(words)}: exit {done.returncode}: {tail}")
    return done.stdout


def spawn(argv: list[str], environment: Mapping[str, str], output: Path) -> int:
    """Start a command in a session of its own, its output appended to a file; returns its process id."""
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), append, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawnp(argv[0], argv, environment, file_actions=files, setsid=True)
