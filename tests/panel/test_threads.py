"""Threads of the web process: one for each request at a time, kept for the next."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from asgiref.sync import sync_to_async

from panel.core import threads
from panel.core.threads import KeptThreads


class Site:
    """An application whose synchronous part tells its thread, and can be made to wait."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await sync_to_async(self._view)()

    def _view(self) -> None:
        self.seen.append(threading.get_ident())
        self.entered.release()
        assert self.gate.wait(10)


async def ask(application: KeptThreads) -> None:
    await application({"type": "http"}, None, None)  # type: ignore[arg-type]
    while not application._idle:
        await asyncio.sleep(0)


async def enter(site: Site) -> None:
    """Wait until one more request is in its thread."""
    assert await asyncio.get_running_loop().run_in_executor(None, site.entered.acquire, True, 10)


def test_the_next_request_gets_the_same_thread():
    site = Site()
    application = KeptThreads(site)

    async def act() -> None:
        for _ in range(3):
            await ask(application)

    asyncio.run(act())
    assert len(site.seen) == 3
    assert len(set(site.seen)) == 1


def test_requests_side_by_side_have_threads_of_their_own_and_few_are_kept(monkeypatch):
    monkeypatch.setattr(threads, "MOST_KEPT", 2)
    site = Site()
    site.gate.clear()
    application = KeptThreads(site)

    async def act() -> None:
        asked = [asyncio.create_task(ask(application)) for _ in range(4)]
        for _ in asked:
            await enter(site)
        site.gate.set()
        await asyncio.gather(*asked)

    asyncio.run(act())
    assert len(set(site.seen)) == 4
    assert len(application._idle) == 2


def test_a_thread_that_still_works_for_a_cancelled_request_is_not_idle():
    site = Site()
    site.gate.clear()
    application = KeptThreads(site)

    async def act() -> None:
        left = asyncio.create_task(ask(application))
        await enter(site)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        assert application._idle == []
        other = asyncio.create_task(ask(application))
        await enter(site)
        site.gate.set()
        await other

    asyncio.run(act())
    assert len(set(site.seen)) == 2
