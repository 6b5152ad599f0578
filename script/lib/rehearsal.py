"""`script/test compose`: everything in containers of a private engine, one account by the API, five proofs."""

import json
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "script" / "lib")]

from api import Api, ApiError  # noqa: E402
from engine import Engine, compose_argv, engine  # noqa: E402

from tests.servers.commands import CommandError, call  # noqa: E402

TARGET = "203.0.113.10"
DOMAIN = "rehearsal.example"
PROOFS = 5


class Stack:
    """The containers of docker-compose.yml on one engine."""

    def __init__(self, running: Engine) -> None:
        self._compose = compose_argv()
        own = {"DOCKER_HOST": running.docker_host, "COMPOSE_PROJECT_NAME": "hostwright", "HOSTWRIGHT_BIND": "0.0.0.0"}  # noqa: S104
        self.environment = {**os.environ, **own}

    def run(self, *words: str, stdin: str | None = None, seconds: float = 600) -> str:
        """Run Compose and return its output; raises `CommandError` with its last words."""
        argv = [*self._compose, *words]
        done = subprocess.run(
            argv,
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise CommandError(f"{' '.join(argv)}: exit {done.returncode}\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def inside(self, service: str, *words: str, stdin: str | None = None) -> str:
        """Run a command in a container."""
        return self.run("exec", "-T", service, *words, stdin=stdin)

    def rehearse(self, work: dict[str, Any]) -> Any:
        """Run docker/rehearsal.py in the panel's container."""
        text = f"WORK = {work!r}\n" + (ROOT / "docker" / "rehearsal.py").read_text()
        return json.loads(self.inside("web", "python", "-", stdin=text).splitlines()[-1])


def say(words: str) -> None:
    """Tell a person what happens."""
    print(f"  {words}", flush=True)


def add_server(stack: Stack, provider: Api) -> None:
    """Add the target as a person does: compare its host key with its console, put the panel's key there, set it up."""
    server = provider.call("POST", "/servers", {"name": "one", "platform_name": "one.platform.example", "host": TARGET})
    path = f"/servers/{server['id']}"
    deadline = time.monotonic() + 60
    while not server["fingerprint"]:
        if time.monotonic() > deadline:
            raise ApiError(f"the server's host key did not come: {server['unreachable_reason']}")
        time.sleep(0.2)
        server = provider.get(path)
    shown = stack.inside("target", "ssh-keygen", "-l", "-f", "/etc/ssh/ssh_host_ed25519_key.pub")
    if server["fingerprint"] not in shown:
        raise ApiError(f"the panel saw {server['fingerprint']}, the console shows {shown}")
    provider.call("POST", f"{path}/confirm-host-key", {"fingerprint": server["fingerprint"]})
    keep = "umask 077; mkdir -p /root/.ssh; cat >> /root/.ssh/authorized_keys"
    stack.inside("target", "sh", "-c", keep, stdin=f"{server['public_key']}\n")
    provider.order(f"{path}/bootstrap", seconds=300)


def make_account(reseller: Api, organizations: dict[str, str]) -> dict[str, str]:
    """Order a package, an account and what is in it; returns what the proofs need."""
    features = ["site_aliases", "dns", "databases", "remote_databases", "mail"]
    limits = {"mailboxes": 5, "aliases": 5, "databases": 2, "database_users": 2, "features": features}
    package = reseller.call("POST", "/packages", {"organization": organizations["reseller"], "name": "Trial", **limits})
    order = {"client": organizations["client"], "package": package["id"], "domain": DOMAIN}
    began = time.monotonic()
    account = reseller.order("/accounts", order)["account"]
    say(f"account {DOMAIN} live after {time.monotonic() - began:.1f} s")
    path = f"/accounts/{account['id']}"
    passwords = {"database": secrets.token_urlsafe(12), "mailbox": secrets.token_urlsafe(12)}
    database = reseller.order(f"{path}/databases", {"name": "shop"})["database"]
    user = {"name": "shop", "password": passwords["database"], "databases": [database["id"]], "host": "%"}
    database_user = reseller.order(f"{path}/database-users", user)["database_user"]
    mail_domain = reseller.get(f"{path}/mail-domains")["items"][0]["id"]
    wanted = {"mail_domain": mail_domain, "local": "lena", "password": passwords["mailbox"]}
    mailbox = reseller.order("/mailboxes", wanted)["mailbox"]["address"]
    alias = {"mail_domain": mail_domain, "local": "hello", "destinations": [mailbox]}
    return {
        "address": TARGET,
        "domain": DOMAIN,
        "database": database["name"],
        "database_user": database_user["name"],
        "database_password": passwords["database"],
        "mailbox": mailbox,
        "mailbox_password": passwords["mailbox"],
        "alias": reseller.order("/aliases", alias)["alias"]["address"],
    }


def rehearse(stack: Stack, address: str) -> int:
    """Bring everything up, make an account live, prove it; returns how many proofs failed."""
    environment = stack.environment
    subprocess.run([str(ROOT / "script" / "images")], env=environment, check=True)
    say("building the images of docker-compose.yml")
    stack.run("build", seconds=900)
    stack.run("down", "--volumes")  # what a killed rehearsal left
    say("starting the containers")
    stack.run("up", "-d")
    made = stack.rehearse({"do": "people"})
    provider = Api(address, 8000, "localhost", made["tokens"]["provider"])
    reseller = Api(address, 8000, "northwind.localhost", made["tokens"]["reseller"])
    say("setting the target server up")
    add_server(stack, provider)
    live = make_account(reseller, made["organizations"])
    found = stack.rehearse({"do": "proofs", "live": live})
    for name, holds, seen in found:
        say(f"{'✓' if holds else '✗'} {name}: {seen}")
    held = sum(1 for _, holds, _ in found if holds)
    print(f"{held} passed, {PROOFS - held} failed", flush=True)
    return PROOFS - held


def main() -> int:
    """Run it on an engine of its own; what was started is taken down whatever happens."""
    try:
        with engine() as running:
            stack = Stack(running)
            try:
                return rehearse(stack, running.address)
            except (ApiError, CommandError):
                print(stack.run("logs", "--tail=40", "web", "worker", "beat")[-6000:], file=sys.stderr)
                raise
            finally:
                stack.run("down", "--volumes", "--timeout=5")
                call("docker", "--host", running.docker_host, "image", "prune", "--force")
    except (ApiError, CommandError, subprocess.SubprocessError) as error:
        print(f"script/test compose: {error}\n0 passed, 1 failed", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
