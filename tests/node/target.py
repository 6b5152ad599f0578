"""A real server with the node program on it, spoken to and looked at as the panel and the world do."""

from __future__ import annotations

import json
import socket
import subprocess
from typing import Any

from tests.node import real
from tests.node.bundles import REPOSITORY, payload, request
from tests.servers import Server

LIBRARY = "/usr/lib/hostwright"


class Target:
    """A server with the node program on it, spoken to as the panel does."""

    def __init__(self, server: Server) -> None:
        self.server = server
        archive = subprocess.run(
            ["tar", "-C", str(REPOSITORY / "provisioning/node"), "--exclude=__pycache__", "-cf", "-", "."],
            capture_output=True,
            check=True,
        ).stdout
        server.run(["mkdir", "-p", f"{LIBRARY}/hostwright_node"])
        server.run(["tar", "-C", f"{LIBRARY}/hostwright_node", "-xf", "-"], input=archive)

    def ask(self, *requests: dict[str, Any], failpoint: str = "") -> list[dict[str, Any]]:
        """Answers of a fresh process to some requests; fewer when it was killed."""
        lines = "".join(json.dumps(item) + "\n" for item in requests)
        environment = [f"PYTHONPATH={LIBRARY}", f"HOSTWRIGHT_FAILPOINT={failpoint}"]
        command = ["env", *environment, "python3", "-m", "hostwright_node", "serve"]
        result = self.server.run(command, input=lines, check=False, timeout=180)
        told = [json.loads(line) for line in result.stdout.splitlines()]
        return [message for message in told if "event" not in message]

    def apply(self, *slices: dict[str, Any], **more: Any) -> dict[str, Any]:
        (answer,) = self.ask(request("apply", payload(*slices, **more)))
        assert "report" in answer, answer
        return dict(answer["report"])

    def plan(self, *slices: dict[str, Any], **more: Any) -> dict[str, Any]:
        (answer,) = self.ask(request("plan", payload(*slices, **more)))
        return dict(answer["report"])

    def get(self, host: str, path: str = "/") -> tuple[int, str]:
        """Status and body of a page, asked from outside by name."""
        with socket.create_connection((self.server.address, 80), timeout=10) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        head, _, body = answer.partition("\r\n\r\n")
        return int(head.split()[1]), body

    def dig(self, name: str, kind: str = "A") -> str:
        return self.server.run(["dig", "+short", "+time=2", "@127.0.0.1", name, kind]).stdout.strip()

    def sql(self, statement: str, *arguments: str) -> str:
        return self.server.run(["mariadb", "-BN", *arguments, "-e", statement], check=False).stdout.strip()

    def mail_rows(self, table: str) -> list[str]:
        query = f"SELECT * FROM {table}"  # noqa: S608 -- a test's own table
        database = "/var/lib/hostwright/mail/mail.sqlite"
        return self.server.run(["sqlite3", database, query], check=False).stdout.splitlines()

    def pid(self, file: str) -> str:
        return self.server.run(["cat", file]).stdout.strip()

    def everything(self) -> str:
        """A fingerprint of all that an apply may touch: files, databases, logins, rows, zones."""
        script = (
            "cd /; find etc home var/lib/extrausers var/log/hostwright"
            " -printf '%p %y %m %U %G %l\\n' 2>/dev/null | sort;"
            " find etc/nginx etc/apache2 etc/php etc/bind home var/lib/extrausers -type f -exec sha256sum {} +"
            " | sort -k2"
        )
        parts = [self.server.run(["sh", "-c", script]).stdout]
        parts.append(
            self.sql(
                "SHOW DATABASES; SELECT User, Host, json_value(Priv, '$.authentication_string')"
                " FROM mysql.global_priv ORDER BY 1, 2;"
                " SELECT grantee, table_schema, privilege_type FROM information_schema.schema_privileges"
                " ORDER BY 1, 2, 3"
            )
        )
        parts += ["\n".join(sorted(self.mail_rows(table))) for table in ("domain", "mailbox", "alias")]
        return "\n".join(parts)


def prepared(server: Server) -> Target:
    """A booted server that has its base configuration."""
    made = Target(server)
    server.wait_booted()
    report = made.apply(real.base())
    assert report["status"] == "applied", report
    return made
