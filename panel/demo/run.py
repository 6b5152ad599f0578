"""Runs the demo: a server, the panel as a person would start it, the cast, the proofs, and a place to look around."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from panel.demo import local

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
HOME = VAR / "demo"
FACTS = VAR / "demo.json"
PORT = 8000
PANEL = f"http://127.0.0.1:{PORT}"
START_SECONDS = 180.0

BOLD, DIM, GREEN, RED, PLAIN = (
    ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else [""] * 5
)


class Progress:
    """Says what goes on, with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Print one line."""
        print(f"{DIM}{time.monotonic() - self._began:6.1f} s{PLAIN}  {text}", flush=True)


def main() -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="script/demo", description="A whole installation on this machine, to look at."
    )
    parser.add_argument("--once", action="store_true", help="exit after the proofs; 0 only when all hold")
    parser.add_argument("--reset", action="store_true", help="forget the earlier demo and start afresh")
    parser.add_argument("--local", action="store_true", help="make this machine itself the target server")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    progress = Progress()
    if options.reset:
        _forget()
    try:
        with ExitStack() as stack:
            proven = _demo(stack, options, progress)
            if not options.once:
                print(f"\n{BOLD}Ctrl-C stops the demo and everything it started.{PLAIN}", flush=True)
                signal.pause()
            return 0 if proven else 1
    except KeyboardInterrupt:
        progress.say("stopping")
        return 0
    except (DemoError, local.Refused) as error:
        print(f"{RED}The demo could not be made: {error}{PLAIN}", file=sys.stderr)
        print(f"The panel's own words are in {HOME / 'panel.log'}.", file=sys.stderr)
        return 1


class DemoError(Exception):
    """Something that the demo needs did not come up."""


def _forget() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
    FACTS.unlink(missing_ok=True)


def _demo(stack: ExitStack, options: argparse.Namespace, progress: Progress) -> bool:
    known = json.loads(FACTS.read_text()) if FACTS.exists() and (HOME / "hostwright.sqlite3").exists() else None
    if known and (known["server"]["transport"] == "local") != options.local:
        raise DemoError("the earlier demo had another kind of server; start afresh with --reset")
    if known is None:
        _forget()
    HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    machine = _Machine.local() if options.local else _Machine.boot(stack, progress)
    if known and known["server"]["address"] != machine.address:
        progress.say("the earlier server's address is taken by somebody else; starting afresh")
        stack.close()
        _forget()
        return _demo(stack, options, progress)
    _environment(machine)
    stub = stack.enter_context(_till())
    stack.enter_context(_panel(progress))
    import django

    django.setup()
    from panel.demo import earnings, proofs, shopper, strangers, world

    try:
        facts = known or _make(machine, progress, stub)
    except world.DemoFailed as error:
        raise DemoError(str(error)) from error
    _write(facts)
    progress.say("asking the server from outside")
    live = _live(facts)
    stub.account.hook_url = f"{PANEL}{facts['business']['hook']}"
    found = proofs.run(live)
    found.append(shopper.prove(machine.address, facts["business"]["order"]["domain"]))
    found.append(earnings.prove(PORT, **facts["business"]["earned"]))
    progress.say("reading what a stranger can under each brand")
    found += strangers.run()
    _show(found, facts)
    return all(proof.holds for proof in found)


class _Machine:
    """The target server: its address, its host key as its console shows it, and how a key gets into root's
    authorized_keys.
    """

    def __init__(self, address: str, fingerprint: str, server: Any) -> None:
        self.address = address
        self.fingerprint = fingerprint
        self._server = server

    @classmethod
    def boot(cls, stack: ExitStack, progress: Progress) -> _Machine:
        """Boot the demo's server from its image (built once per machine), on the disk of the earlier demo if there
        is one.
        """
        from tests.servers import image
        from tests.servers.server import Server

        if not image.ready("full"):
            progress.say("building the image of a Debian server (once, about a minute and a half)")
        server = Server.create("full", name="demo", directory=HOME / "server")
        stack.callback(server.remove)
        server.wait_booted()
        progress.say(f"a Debian server answers at {server.address}")
        return cls(server.address, server.host_key, server)

    @classmethod
    def local(cls) -> _Machine:
        """This machine itself; refused when it carries somebody else's configuration."""
        local.refuse_foreign()
        return cls(local.own_address(), "", None)

    def authorize(self, public_key: str) -> None:
        """Put the panel's public key where a person would paste it."""
        self._server.run(
            ["sh", "-c", "umask 077; mkdir -p /root/.ssh; cat >> /root/.ssh/authorized_keys"], input=f"{public_key}\n"
        )

    @property
    def is_local(self) -> bool:
        return self._server is None


def _environment(machine: _Machine) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "panel.settings.embedded"
    os.environ["HOSTWRIGHT_VAR_DIR"] = str(HOME)
    os.environ["HOSTWRIGHT_PORT"] = str(PORT)
    os.environ["HOSTWRIGHT_PUBLIC_RESOLVERS"] = machine.address


@contextmanager
def _till() -> Iterator[Any]:
    """Run the stand-in for the payment service, and let the panel speak to it."""
    from panel.demo.stripe_stub import Stub

    stub = Stub()
    thread = threading.Thread(target=stub.serve_forever, daemon=True)
    thread.start()
    os.environ["HOSTWRIGHT_STRIPE_API"] = stub.url
    try:
        yield stub
    finally:
        stub.shutdown()
        stub.server_close()
        thread.join()


@contextmanager
def _panel(progress: Progress) -> Iterator[None]:
    """Start the panel, web and worker, by the command that an operator uses, and stop it at the end."""
    with (HOME / "panel.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--migrate", "--port", str(PORT)],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers():
            if process.poll() is not None:
                raise DemoError(f"the panel ended at once (is port {PORT} taken?)")
            if time.monotonic() > deadline:
                raise DemoError("the panel does not answer")
            time.sleep(0.1)
        progress.say(f"the panel answers at {PANEL}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _make(machine: _Machine, progress: Progress, stub: Any) -> dict[str, Any]:
    from panel.demo import business, earnings, shopper, world

    logins, nodes, actors = world.make_people()
    progress.say(f"provider {world.PROVIDER}, reseller {world.RESELLER} with brand, client {world.CLIENT}")
    if machine.is_local:
        server = world.add_this_machine(actors["provider"], nodes["provider"])
    else:
        server = world.add_server(
            actors["provider"], nodes["provider"], machine.address, machine.fingerprint, machine.authorize
        )
    progress.say("server added, host key compared and confirmed; setting it up")
    world.set_up(actors["provider"], server, lambda step: progress.say(f"  {step}"))
    account = world.make_account(
        actors["reseller"], nodes, lambda what, seconds: progress.say(f"{what}: live after {seconds:.2f} s")
    )
    below = world.make_sub_reseller(
        nodes["reseller"], lambda what, seconds: progress.say(f"{what}: live after {seconds:.2f} s")
    )
    sold = business.make(actors, nodes)
    progress.say(f"{business.MONTHS_BACK + 1} months billed: the plan at 30, ten clients at 10")
    earned = earnings.make(actors["provider"], nodes["provider"])
    progress.say(f"reseller {earnings.RESELLER}: the plan at 30, ten clients at 5, then 10, then 25")
    stub.account.hook_url = f"{PANEL}{sold['hook']}"
    began = time.monotonic()
    order = shopper.buy(PORT, f"{world.BRAND_HOST}:{PORT}", sold["product"])
    progress.say(
        f"{order['domain']} ordered by a stranger and paid by card: live after {time.monotonic() - began:.2f} s"
    )
    logins |= earned["logins"]
    for role, login in logins.items():
        login["url"] = PANEL if role in ("provider", "earner") else f"http://{world.BRAND_HOST}:{PORT}"
    for login in below.values():
        login["url"] = f"http://{world.SUB_BRAND_HOST}:{PORT}"
    return {
        "panel": PANEL,
        "api": f"{PANEL}/api/v1",
        "brand_host": f"{world.BRAND_HOST}:{PORT}",
        "logins": logins | below,
        "tokens": world.make_tokens(actors),
        "server": {"name": server.name, "address": machine.address, "transport": server.transport, "id": server.id},
        "clients": {"id": nodes["client"].id, "name": nodes["client"].name},
        "account": account,
        "business": {**sold, "order": order, "earned": {name: earned[name] for name in ("token", "months")}},
    }


def _write(facts: dict[str, Any]) -> None:
    draft = FACTS.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(facts, file, indent=2)
    draft.rename(FACTS)


def _live(facts: dict[str, Any]) -> Any:
    from panel.demo.proofs import Live

    account = facts["account"]
    return Live(
        address=facts["server"]["address"],
        domain=account["domain"],
        database=account["database"]["name"],
        database_user=account["database"]["user"],
        database_password=account["database"]["password"],
        mailbox=account["mailbox"]["address"],
        mailbox_password=account["mailbox"]["password"],
        alias=account["alias"],
    )


def _show(found: list[Any], facts: dict[str, Any]) -> None:
    print(f"\n{BOLD}Proofs, each from outside the server {facts['server']['address']}{PLAIN}")
    for proof in found:
        word = f"{GREEN}holds {PLAIN}" if proof.holds else f"{RED}FAILED{PLAIN}"
        print(f"  {word}  {proof.name:<14} {proof.seconds * 1000:7.0f} ms   {proof.seen}")
    print(f"\n{BOLD}Sign in{PLAIN}")
    for role, login in facts["logins"].items():
        print(f"  {role:<12} {login['url']:<31} {login['email']:<26} {login['password']}")
    print(f"\n  API {facts['api']} and tokens: {FACTS.relative_to(ROOT)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
