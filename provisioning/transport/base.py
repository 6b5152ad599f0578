"""What every way to a node program has in common: framing, ids, errors (docs/protocol.md)."""

from __future__ import annotations

import itertools
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from panel.core.failpoints import failpoint
from panel.core.failures import Permanent, Temporary

VERSION = 1
IDLE_SECONDS = 300.0

OnEvent = Callable[[Mapping[str, Any]], None]


class NodeError(Permanent):
    """The node program refused a request as a whole; `code` as in docs/protocol.md, `words` what a program said."""

    def __init__(self, code: str, message: str, words: str = "") -> None:
        super().__init__(message, code)
        self.code = code
        self.words = words


class Connection(ABC):
    """One conversation with one node program; calls of several threads take turns."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._turn = threading.Lock()
        self._greeting: dict[str, Any] | None = None
        self.closed = False

    @abstractmethod
    def _send(self, line: bytes) -> None: ...

    @abstractmethod
    def _receive(self, timeout: float) -> bytes: ...

    @abstractmethod
    def close(self) -> None: ...

    def call(self, verb: str, payload: Mapping[str, Any], on_event: OnEvent | None = None) -> dict[str, Any]:
        """Send one request and return its report; `on_event` sees the steps on the way.

        Raises Temporary when the connection breaks or nothing is heard for five minutes, NodeError when it is refused.
        """
        request = next(self._ids)
        line = json.dumps({"v": VERSION, "id": request, "verb": verb, "payload": payload}, separators=(",", ":"))
        with self._turn:
            try:
                self._send(line.encode() + b"\n")
                failpoint("request-sent")
                while True:
                    answer = self._parse(self._receive(IDLE_SECONDS))
                    if answer.get("id") != request:
                        continue
                    if "event" in answer:
                        if on_event is not None:
                            on_event(answer["event"])
                        continue
                    break
            except Temporary:
                self.close()
                raise
        if "error" in answer:
            told = answer["error"]
            words = (told.get("detail") or {}).get("words", "")
            raise NodeError(str(told.get("code")), str(told.get("message")), str(words))
        report: dict[str, Any] = answer["report"]
        return report

    def hello(self) -> dict[str, Any]:
        """What the node program said of itself when this conversation began; asked once, for it stays the same one."""
        if self._greeting is None:
            self._greeting = self.call("hello", {})
        return self._greeting

    @staticmethod
    def _parse(line: bytes) -> dict[str, Any]:
        if not line:
            raise Temporary("The node program ended the conversation.")
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise Temporary("The node program sent something that is no message.") from error
        if not isinstance(answer, dict):
            raise Temporary("The node program sent something that is no message.")
        return answer
