"""The conversation with the panel: one JSON message a line on stdin and stdout (docs/protocol.md, *Framing*)."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any, BinaryIO

from . import PROTOCOLS
from .apply import apply
from .drift import drift
from .errors import NodeError
from .facts import facts, hello
from .fsutil import write_all
from .node import Emit, Node
from .paths import Paths
from .plan import plan
from .processes import allow_files
from .recover import recover
from .upgrade import is_replaced, upgrade
from .usage import usage

VERBS: dict[str, Callable[[Node, object, Emit], dict[str, Any]]] = {
    "hello": lambda node, _payload, _emit: hello(node),
    "facts": lambda node, _payload, _emit: facts(node),
    "drift": drift,
    "plan": plan,
    "apply": apply,
    "upgrade": upgrade,
    "usage": lambda node, payload, _emit: usage(node, payload),
}
LINE_LIMIT = 512 * 1024 * 1024


class Conversation:
    """Answers requests in order. A reader that is gone does not stop an apply that has begun."""

    def __init__(self, node: Node, source: BinaryIO, sink: int) -> None:
        self._node = node
        self._source = source
        self._sink = sink
        self._is_busy = False
        self._is_stopping = False
        self._has_reader = True

    def run(self) -> None:
        """Serve until the end of input, SIGTERM between two requests, or another program in the place of this one.

        What comes after that has to be asked again, of a process that runs the new one.
        """
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        while self._has_reader and not self._is_stopping and not is_replaced():
            line = self._source.readline(LINE_LIMIT)
            if not line or is_replaced():
                return
            self._is_busy = True
            self._answer(line)
            self._is_busy = False

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        """An apply that has begun is ended first: half a change is what nobody wants."""
        self._is_stopping = True
        if not self._is_busy:
            sys.exit(0)

    def _send(self, message: dict[str, Any]) -> None:
        if not self._has_reader:
            return
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":")) + "\n"
        try:
            write_all(self._sink, line.encode("utf-8", "backslashreplace"))
        except (BrokenPipeError, ConnectionResetError):
            self._has_reader = False

    def _answer(self, line: bytes) -> None:
        number: Any = None
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise NodeError("bad_request", "a request must be an object")
            number = request.get("id")
            report = self._dispatch(request, lambda event: self._send({"id": number, "event": event}))
        except NodeError as error:
            self._fail(number, error)
        except ValueError as error:
            self._fail(number, NodeError("bad_request", f"not a line of JSON: {error}"))
        except Exception as error:
            sys.stderr.write(traceback.format_exc())
            self._fail(number, NodeError("internal", f"{type(error).__name__}: {error}"))
        else:
            self._send({"id": number, "report": report})

    def _fail(self, number: object, error: NodeError) -> None:
        told = {"code": error.code, "message": error.message, "detail": error.detail}
        self._send({"id": number, "error": told})

    def _dispatch(self, request: dict[str, Any], emit: Emit) -> dict[str, Any]:
        if request.get("v") not in PROTOCOLS:
            raise NodeError("unsupported_version", f"this node speaks {PROTOCOLS}", {"protocols": list(PROTOCOLS)})
        payload = request.get("payload", {})
        verb = request.get("verb")
        if verb not in VERBS:
            raise NodeError("unknown_verb", f"this node does not know {verb!r}", {"verbs": sorted(VERBS)})
        return VERBS[verb](self._node, payload, emit)


def recover_at_start(node: Node, how: Callable[[Node], None] = recover) -> None:
    """Recover now, unless another process is at work; failing that, the next apply tries again and says why."""
    try:
        with node.lock():
            how(node)
    except NodeError as error:
        sys.stderr.write(f"{error.message}\n")


def serve(paths: Paths) -> None:
    """Serve on stdin and stdout. Whatever else would be written there goes to stderr."""
    os.umask(0o022)
    allow_files()
    sink = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(os.dup(0), "rb", buffering=1 << 20) as source:
        node = Node(paths)
        recover_at_start(node)
        Conversation(node, source, sink).run()
        node.close()
    os.close(sink)
