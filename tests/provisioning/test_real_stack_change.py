"""A server changes its web stack: the web server that is no longer used stops for good, the one that stays answers."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.provisioning.hosts import Host, account
from tests.servers import Server

pytestmark = pytest.mark.server

ALPHA = account("ab", 20001, "alpha.example")


def units(host: Host) -> dict[str, str]:
    """Whether each web server runs and starts at boot."""
    script = "for unit in nginx apache2; do echo $unit $(systemctl is-active $unit) $(systemctl is-enabled $unit); done"
    lines = host.shell(script, check=False).splitlines()
    return {line.split()[0]: " ".join(line.split()[1:]) for line in lines}


def change(host: Host, stack: str) -> None:
    """Change the stack as the panel does: the server and its accounts in one apply."""
    host.spec = dataclasses.replace(host.spec, stack=stack)
    host.apply(ALPHA, base=True)


@contextmanager
def asking(host: Host) -> Iterator[list[str]]:
    """Ask for a page all the time; what came instead of it."""
    wrong: list[str] = []
    asked = threading.Event()
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                status, _headers, body = host.http("alpha.example")
            except OSError as error:
                wrong.append(str(error))
            else:
                if (status, body) != (200, "<h1>alpha.example</h1>"):
                    wrong.append(f"{status} {body[:80]}")
            asked.set()

    visitor = threading.Thread(target=ask)
    visitor.start()
    asked.wait(30)
    try:
        yield wrong
    finally:
        done.set()
        visitor.join(60)


def test_the_web_server_that_is_no_longer_used_stops_and_the_other_one_answers(module_server: Server) -> None:
    host = Host.prepare(module_server)
    host.apply(ALPHA)
    assert units(host) == {"nginx": "active enabled", "apache2": "active enabled"}
    master = host.shell("cat /run/nginx.pid")
    with asking(host) as wrong:
        change(host, "nginx")
    assert wrong == []
    assert units(host) == {"nginx": "active enabled", "apache2": "inactive disabled"}
    assert host.shell("cat /run/nginx.pid") == master
    change(host, "nginx+apache")
    assert units(host) == {"nginx": "active enabled", "apache2": "active enabled"}
    master = host.shell("cat /run/apache2/apache2.pid")
    change(host, "apache")
    assert units(host) == {"nginx": "inactive disabled", "apache2": "active enabled"}
    assert host.shell("cat /run/apache2/apache2.pid") == master
    assert host.http("alpha.example")[2] == "<h1>alpha.example</h1>"
    assert host.check(host.checkers()) == []
