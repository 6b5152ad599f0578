"""What `--local` needs: this machine as the target server, unless it carries somebody else's configuration."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

STATE = Path("/var/lib/hostwright")
FOREIGN = (
    "/etc/nginx/sites-enabled",
    "/etc/apache2/sites-enabled",
    "/etc/postfix/main.cf",
    "/etc/dovecot/dovecot.conf",
    "/etc/bind/named.conf.local",
)


class Refused(Exception):
    """This machine must not be made a target server; the message says why."""


def refuse_foreign() -> None:
    """Raise Refused when a web, mail or name server has been configured here by somebody else."""
    if STATE.exists():
        return
    for name in FOREIGN:
        path = Path(name)
        found = sorted(path.iterdir()) if path.is_dir() else [path] if path.exists() else []
        if [item for item in found if item.name not in ("default", "000-default.conf")]:
            raise Refused(f"{name} is in use on this machine; --local is for an empty one")


def own_address() -> str:
    """Return this machine's first global IPv4 address, or loopback when it has none."""
    shown = subprocess.run(
        ["ip", "-json", "-4", "address", "show", "scope", "global"], capture_output=True, check=True, text=True
    ).stdout
    addresses = [info["local"] for link in json.loads(shown) for info in link.get("addr_info", [])]
    return addresses[0] if addresses else "127.0.0.1"
