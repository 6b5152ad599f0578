"""Where everything lies on a server, below a root that tests may set. No file is opened here."""

from __future__ import annotations

from dataclasses import dataclass

FILE_ROOTS = (
    "/etc/nginx",
    "/etc/apache2",
    "/etc/php",
    "/etc/bind",
    "/etc/postfix",
    "/etc/dovecot",
    "/etc/hostwright",
    "/etc/systemd/system",
    "/etc/nsswitch.conf",
    "/etc/mysql",
    "/etc/logrotate.d",
    "/etc/tmpfiles.d",
    "/var/lib/hostwright",
    "/var/log/hostwright",
    "/run/hostwright",
)
"""What root may write below (a tenant's home is written by the tenant)."""

LOGS = "/var/log/hostwright"
"""Where web logs lie, a directory for each account."""

ZONES = "/etc/bind/hostwright-zones"
"""Where zones lie: root's own, and read by BIND also under Debian's AppArmor profile, which allows `/etc/bind/** r`."""

OWN = (
    "/var/lib/hostwright/node.db",
    "/var/lib/hostwright/lock",
    "/var/lib/hostwright/originals",
    "/var/lib/hostwright/usage.db",
    "/var/lib/hostwright/usage.lock",
    "/var/lib/hostwright/certificates",
    ZONES,
    "/var/lib/hostwright/mail/mail.sqlite",
)
"""What only the node program itself writes: no resource of a payload may name it."""


@dataclass(frozen=True)
class Paths:
    """Absolute paths of one server; `root` is empty on a real one."""

    root: str = ""

    def at(self, path: str) -> str:
        """The place of an absolute path of the server in this process's view."""
        return self.root + path

    @property
    def state_directory(self) -> str:
        return self.at("/var/lib/hostwright")

    @property
    def database(self) -> str:
        return self.at("/var/lib/hostwright/node.db")

    @property
    def lock(self) -> str:
        return self.at("/var/lib/hostwright/lock")

    @property
    def originals(self) -> str:
        return self.at("/var/lib/hostwright/originals")

    @property
    def usage_database(self) -> str:
        return self.at("/var/lib/hostwright/usage.db")

    @property
    def usage_lock(self) -> str:
        return self.at("/var/lib/hostwright/usage.lock")

    @property
    def certificates(self) -> str:
        return self.at("/var/lib/hostwright/certificates")

    @property
    def zones(self) -> str:
        return self.at(ZONES)

    @property
    def mail_database(self) -> str:
        return self.at("/var/lib/hostwright/mail/mail.sqlite")

    @property
    def extrausers(self) -> str:
        return self.at("/var/lib/extrausers")

    @property
    def home(self) -> str:
        return self.at("/home")

    @property
    def trash(self) -> str:
        return self.at("/home/.hostwright-trash")
