"""The bench of pages: what a person waits for with ten thousand accounts, and how many queries a page takes."""

from __future__ import annotations

import http.client
import os
import secrets
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import services

from tests.bench import panel
from tests.bench.figures import Figures, Line, percentile

MOST_MS = 150
WARM_UP = 6
ROUNDS = 40


def run(*, quick: bool) -> Figures:
    """Start PostgreSQL, Redis and two web processes, fill the database, ask for each page over and over."""
    figures = Figures()
    with _running() as port:
        people, account = _fill()
        print(f"  {account['accounts']} accounts; asking", flush=True)
        for role, pages in _pages(account).items():
            cookie = _sign_in(people[role])
            for name, path in pages.items():
                _measure(figures, port, people[role], cookie, f"{role}: {name}", path, ROUNDS // 4 if quick else ROUNDS)
    return figures


def _pages(account: dict[str, Any]) -> dict[str, dict[str, str]]:
    lists = {
        "account list": "/accounts/",
        "account list, page 200": "/accounts/?page=200",
        "account list, searched": "/accounts/?q=site-0042",
    }
    one = f"/accounts/{account['id']}/"
    return {
        "provider": {"dashboard": "/", **lists, "account": one, "operations": "/operations/", "servers": "/servers/"},
        "reseller": {"dashboard": "/", **lists, "account": one, "clients": "/clients/", "packages": "/packages/"},
        "client": {"dashboard": "/", "account": one, "sites": f"{one}sites/", "records": f"{one}dns/"},
    }


@contextmanager
def _running() -> Iterator[int]:
    with ExitStack() as stack:
        database, queue = stack.enter_context(services.postgresql()), stack.enter_context(services.redis())
        port = services.free_port()
        os.environ.update(
            {
                "DJANGO_SETTINGS_MODULE": "panel.settings.production",
                "HOSTWRIGHT_SECRET_KEY": secrets.token_hex(32),
                "HOSTWRIGHT_VAULT_KEY": panel.vault_key(),
                "HOSTWRIGHT_DATABASE_URL": database,
                "HOSTWRIGHT_REDIS_URL": queue,
                "HOSTWRIGHT_PLAIN_HTTP": "1",
                "HOSTWRIGHT_PORT": str(port),
                "HOSTWRIGHT_LOG_LEVEL": "WARNING",
            }
        )
        panel.manage("migrate", "--verbosity=0")
        panel.manage("collectstatic", "--noinput", "--verbosity=0")
        web = ["-m", "uvicorn", "panel.asgi:application", "--host=127.0.0.1", f"--port={port}", "--workers=2"]
        web += ["--lifespan=off", "--log-level=warning", "--no-access-log", "--no-server-header", "--no-proxy-headers"]
        stack.enter_context(panel.process("web", web))
        panel.wait_for(port)
        stack.callback(panel.let_go)
        yield port


def _fill() -> tuple[dict[str, Any], dict[str, Any]]:
    import django

    django.setup()
    from django.db import connection

    from accounts.models import User
    from accounts.services import users
    from panel.core.scoping import everything
    from panel.demo import world
    from tests.bench import crowd

    _logins, nodes, _actors = world.make_people()
    print("  making accounts", flush=True)
    client, hosting = crowd.make(nodes["provider"], nodes["reseller"])
    with everything("bench"):
        email = "owner@client.example"
        users.create(
            actor=world.SYSTEM, organization=client, email=email, name="Cleo", role="owner", password=world.password()
        )
        people = {
            "provider": (User.objects.get(memberships__organization=nodes["provider"]), "localhost"),
            "reseller": (User.objects.get(memberships__organization=nodes["reseller"]), world.BRAND_HOST),
            "client": (User.objects.get(memberships__organization=client), world.BRAND_HOST),
        }
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return people, {"id": hosting.id, "accounts": crowd.ACCOUNTS}


def _browser(person: Any) -> Any:
    from django.test import Client

    user, host = person
    browser = Client(headers={"host": host})
    browser.force_login(user)
    return browser


def _sign_in(person: Any) -> str:
    from django.conf import settings

    return f"{settings.SESSION_COOKIE_NAME}={_browser(person).cookies[settings.SESSION_COOKIE_NAME].value}"


def _queries(person: Any, path: str) -> int:
    """How many queries a page takes in this process, the second time that it is asked for."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = _browser(person)
    browser.get(path)
    with CaptureQueriesContext(connection) as taken:
        browser.get(path)
    return len(taken)


def _measure(figures: Figures, port: int, person: Any, cookie: str, name: str, path: str, rounds: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Host": f"{person[1]}:{port}", "Cookie": cookie}
    taken: list[float] = []
    for turn in range(WARM_UP + rounds):
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if turn >= WARM_UP:
            taken.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise panel.BenchFailed(f"{name}: {path} answers {answer.status} {answer.getheader('location')}")
    connection.close()
    median, slowest = statistics.median(taken), percentile(taken, 0.95)
    queries = _queries(person, path)
    shown = f"{median:.0f} ms (p95 {slowest:.0f} ms), {queries} queries, {len(body) / 1000:.0f} kB"
    value = {"median_ms": median, "p95_ms": slowest, "queries": queries, "bytes": len(body)}
    figures.add(name, Line(name, shown, "", f"≤ {MOST_MS} ms", median <= MOST_MS), value)
