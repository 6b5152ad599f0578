"""The history of one fault test: its seed and everything that happened, written down when the test fails."""

from __future__ import annotations

import json
import random
import re
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FOLDER = Path(__file__).resolve().parents[2] / "var" / "faults"


class History:
    """`with History("name", seed) as history:` keeps what is added; on failure it is a file that the error names.

    Threads may add to it. `random` is seeded: the same seed makes the same choices.
    """

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.seed = seed
        self.random = random.Random(f"{name} {seed}")  # noqa: S311 -- choices of a test
        self._began = time.monotonic()
        self._events: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What happened so far."""
        with self._lock:
            return list(self._events)

    @property
    def path(self) -> Path:
        """Where the history of a failure goes."""
        return FOLDER / f"{re.sub('[^a-z0-9]+', '-', self.name.lower()).strip('-')}-{self.seed}.jsonl"

    def add(self, event: str, **facts: Any) -> None:
        """Note what happened."""
        with self._lock:
            self._events.append({"at": round(time.monotonic() - self._began, 3), "event": event, **facts})

    def check(self, what: str, wrong: list[str]) -> None:
        """Fail when an invariant found something wrong."""
        if wrong:
            self.add("violated", what=what, wrong=wrong)
        assert wrong == [], f"{what}: {'; '.join(wrong[:20])}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        FOLDER.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(event, default=str, ensure_ascii=False) for event in self._events]
        self.path.write_text("".join(f"{line}\n" for line in lines))
        error.add_note(f"seed {self.seed}; the whole history is in {self.path}")
