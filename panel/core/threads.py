"""Threads of the web process that live on from request to request, and with them what a thread keeps open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext

MOST_KEPT = 8
"""Idle threads that a process keeps; each may hold a connection to the database."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class KeptThreads:
    """Runs an ASGI application whose synchronous code gets a thread that served an earlier request, if one is idle.

    Without it Django makes a thread for every request, and a connection to the database with it.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._idle: list[ThreadPoolExecutor] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self._application(scope, receive, send)
        finally:
            # What was cancelled, because the browser went away, may still be at work: the thread is idle after it.
            ended = asyncio.get_running_loop().run_in_executor(thread, _nothing)
            ended.add_done_callback(lambda _: self._keep(thread))

    def _keep(self, thread: ThreadPoolExecutor) -> None:
        if len(self._idle) < MOST_KEPT:
            self._idle.append(thread)
        else:
            thread.shutdown(wait=False)


def _nothing() -> None:
    """Run when all that a thread was given before is done."""
