"""The certificates by which a server shows itself: one for its platform name, one for each brand's mail host here.

Self-signed, made and kept on the server. What a site shows under its own name is not its concern.
"""

from __future__ import annotations

from provisioning.planning import kinds
from provisioning.planning.resources import Resource
from provisioning.render import render
from provisioning.spec import AccountSpec, ServerSpec, paths

PROGRAM = "/usr/lib/hostwright"
UNITS = ("hostwright-certificates.service", "hostwright-certificates.timer")


def account(server: ServerSpec, account: AccountSpec) -> list[Resource]:
    """Nothing: accounts show no certificate of their own."""
    return []


def base(server: ServerSpec) -> list[Resource]:
    """A certificate for each name of the server, and the timer that makes them anew before they expire."""
    services = readers(server)
    if not services:
        return []
    hosts = sorted({server.platform_name, *(identity.name for identity in server.identities)})
    return [
        kinds.package("openssl"),
        *(kinds.certificate(paths.stem(host), host, services=services) for host in hosts),
        *(kinds.file(f"/etc/systemd/system/{unit}", render(f"unix/{unit}.j2", program=PROGRAM)) for unit in UNITS),
        kinds.service(UNITS[1]),
    ]


def readers(server: ServerSpec) -> list[str]:
    """The daemons that show a certificate to whoever connects."""
    mail = ["dovecot", "postfix"] if "mail" in server.roles else []
    web = ["nginx" if server.has_nginx else "apache2"] if "web" in server.roles else []
    return sorted([*mail, *web])
