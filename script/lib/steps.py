"""Shows the steps of a long command to a person: one line each with its time, the whole output in a log file."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class StepFailed(RuntimeError):
    """A step failed; the message says what happened and what to do."""


@dataclass(frozen=True)
class Step:
    """One thing to do: skipped, and not shown, when it is done already."""

    title: str
    done: Callable[[], bool]
    do: Callable[[], None]
    remedy: str


class Screen:
    """Writes one line when a step begins and turns it into its result when it ends; safe for several threads."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._running: dict[str, float] = {}

    def begin(self, title: str) -> None:
        """Show that a step began."""
        with self._lock:
            self._running[title] = time.monotonic()
            self._show()

    def end(self, title: str, mark: str) -> None:
        """Show how a step ended."""
        with self._lock:
            seconds = time.monotonic() - self._running.pop(title)
            clear = "\r\033[K" if self._terminal else ""
            print(f"{clear}  {mark} {title} ({seconds:.0f} s)", file=sys.stderr, flush=True)
            self._show()

    def _show(self) -> None:
        if self._terminal and self._running:
            print(f"\r\033[K  … {', '.join(self._running)}", end="", file=sys.stderr, flush=True)


def run_steps(steps: list[Step], screen: Screen, workers: int = 1) -> None:
    """Do the steps that are not done yet, up to `workers` side by side; raises the first `StepFailed`."""

    def one(step: Step) -> None:
        screen.begin(step.title)
        try:
            step.do()
        except (OSError, StepFailed) as error:
            screen.end(step.title, "✗")
            raise StepFailed(f"{step.title} failed: {error}\n{step.remedy}") from error
        screen.end(step.title, "✓")

    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(one, step) for step in steps if not step.done()]
        for future in futures:
            future.result()


def run(argv: list[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a command with its output in `log`; raises `StepFailed` with the output's end when it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [str(word) for word in argv]
    with log.open("a") as out:
        out.write(f"$ {' '.join(words)}\n")
        out.flush()
        start = out.tell()
        whole = {**os.environ, **(environment or {})}
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=ROOT, env=whole, check=False)
    if done.returncode:
        with log.open(errors="replace") as written:
            written.seek(start)
            tail = "".join(written.readlines()[-15:])
        raise StepFailed(f"{words[0]} ended with {done.returncode}; the whole output is in {log}, its end:\n{tail}")
