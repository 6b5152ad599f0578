"""A real server under the panel's configuration: drivers' resources, made by the node program, asked from outside."""

from __future__ import annotations

import hashlib
import http.client
import imaplib
import io
import json
import smtplib
import ssl
import subprocess
import tarfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import bcrypt
import dns.flags
import dns.message
import dns.query

from provisioning.drivers import for_account, for_server
from provisioning.planning.bundle import SliceBundle, bundle
from provisioning.planning.resources import by_key
from provisioning.spec import (
    AccountSpec,
    AddressSpec,
    DatabaseSpec,
    DatabaseUserSpec,
    MailAliasSpec,
    MailboxSpec,
    MailDomainSpec,
    RecordSpec,
    ServerSpec,
    SiteSpec,
    ZoneSpec,
)
from tests.servers import Server

NODE = Path(__file__).resolve().parents[2] / "provisioning" / "node"
ROLES = frozenset({"web", "database", "dns", "mail"})
PLATFORM = "web1.platform.example"
PASSWORD = "a-Pass.word'1"
MAIL_HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
LONG_TEXT = 'v=DKIM1; "quoted" \\ back; é ' * 40
ANY_CERTIFICATE = ssl.create_default_context()
ANY_CERTIFICATE.check_hostname = False
ANY_CERTIFICATE.verify_mode = ssl.CERT_NONE


def native_hash(password: str) -> str:
    """MariaDB's mysql_native_password."""
    inner = hashlib.sha1(password.encode()).digest()  # noqa: S324 -- MariaDB's own scheme
    return "*" + hashlib.sha1(inner).hexdigest().upper()  # noqa: S324


def account(username: str, uid: int, domain: str, php: str = "8.4", **more: Any) -> AccountSpec:
    """An account with one of everything; its database is `<username>_c`, so that `_` must be escaped in its grant."""
    records = (
        RecordSpec("@", "NS", 3600, "ns1.brand.example."),
        RecordSpec("@", "A", 3600, "198.51.100.77"),
        RecordSpec("@", "MX", 3600, f"10 mail.{domain}."),
        RecordSpec("www", "CNAME", 3600, f"{domain}."),
        RecordSpec("long", "TXT", 3600, LONG_TEXT),
    )
    mailboxes = (MailboxSpec("anna", MAIL_HASH, 50_000_000), MailboxSpec("bob", MAIL_HASH))
    values: dict[str, Any] = {
        "default_page": f"<h1>{domain}</h1>",
        "sites": (SiteSpec(domain, (f"www.{domain}",), "public_html", php),),
        "zones": (ZoneSpec(domain, "ns1.brand.example", "hostmaster@brand.example", records),),
        "databases": (DatabaseSpec(f"{username}_c"),),
        "database_users": (DatabaseUserSpec(f"{username}_u", native_hash(PASSWORD), (f"{username}_c",), "%"),),
        "mail_domains": (MailDomainSpec(domain, True, mailboxes, (MailAliasSpec("info", (f"anna@{domain}",)),)),),
        **more,
    }
    return AccountSpec(f"acc_{username}", username, uid, uid, ROLES, **values)


@dataclass
class Host:
    """One server, what it was told, and ways to ask it."""

    server: Server
    spec: ServerSpec
    generation: int = 0
    report: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def prepare(cls, server: Server, *, stack: str = "nginx+apache", debian: int = 13) -> Host:
        """Install the node program and the base configuration; every slice must be applied."""
        php = "8.4" if debian == 13 else "8.2"
        addresses = (AddressSpec(server.address, 4, server.address), AddressSpec(server.address6, 6, server.address6))
        host = cls(server, ServerSpec("srv_1", PLATFORM, debian, stack, ROLES, (php,), addresses))
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(NODE, "hostwright_node", filter=lambda item: None if "__pycache__" in item.name else item)
        server.run(["mkdir", "-p", "/usr/lib/hostwright"])
        server.run(["tar", "-x", "-C", "/usr/lib/hostwright"], input=packed.getvalue())
        host.apply()
        return host

    @property
    def php(self) -> str:
        return self.spec.php_versions[0]

    def apply(
        self, *accounts: AccountSpec, base: bool = False, verify: bool = False, refused: bool = False
    ) -> dict[str, Any]:
        """Apply accounts, or the server's own slice, or with `base` both; fails unless all are applied, or with
        `refused` unless none is. `verify` looks at what is really there.
        """
        self.generation += 1
        slices = [SliceBundle(item.id, self.generation, by_key(for_account(self.spec, item))) for item in accounts]
        if base or not accounts:
            slices = [*slices, SliceBundle("server", self.generation, by_key(for_server(self.spec)))]
        payload = bundle(server="srv_1", epoch=1, slices=slices, confirmed=True, verify=verify)
        line = json.dumps({"v": 1, "id": 1, "verb": "apply", "payload": payload}) + "\n"
        command = ["env", "PYTHONPATH=/usr/lib/hostwright", "python3", "-m", "hostwright_node", "serve"]
        done = self.server.run(command, input=line, timeout=600)
        last = json.loads(done.stdout.splitlines()[-1])
        self.report = last.get("report", {})
        wanted = ("rejected",) if refused else ("applied", "unchanged")
        assert self.report.get("status") in wanted, (last, done.stderr)
        return self.report

    def shell(self, script: str, *arguments: str, input: str = "", check: bool = True) -> str:
        """Run a shell script there as root; its output."""
        done = self.server.run(["env", "-C", "/", "sh", "-euc", script, "sh", *arguments], input=input, check=check)
        return done.stdout + done.stderr

    def upload(self, username: str, path: str, text: str) -> None:
        """Write a file of a tenant's, as the tenant."""
        script = 'mkdir -p "$(dirname "$1")"; cat > "$1"'
        self.server.run(["runuser", "-u", username, "--", "sh", "-euc", script, "sh", path], input=text)

    def http(
        self,
        name: str,
        path: str = "/",
        *,
        method: str = "GET",
        body: str | None = None,
        address: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], str]:
        """Ask for a page of the site `name`: status, headers in lower case, body."""
        connection = http.client.HTTPConnection(address or self.server.address, 80, timeout=60)
        try:
            connection.request(method, path, body, {"Host": name, **(headers or {})})
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
            return response.status, {key.lower(): value for key, value in response.getheaders()}, text
        finally:
            connection.close()

    def dns(self, name: str, kind: str) -> dns.message.Message:
        """Ask the name server itself, by TCP when the answer is long."""
        query = dns.message.make_query(name, kind)
        answer = dns.query.udp(query, self.server.address, timeout=10)
        if answer.flags & dns.flags.TC:
            answer = dns.query.tcp(query, self.server.address, timeout=10)
        return answer

    def sql(self, user: str, statement: str) -> str:
        """Log in to MariaDB over the network with a tenant's password; output, or the refusal."""
        arguments = ["mariadb", "-h", self.server.address, "-u", user, f"-p{PASSWORD}", "-N", "-e", statement]
        done = self.server.run(arguments, check=False)
        return (done.stdout + done.stderr).strip()

    def send(
        self, sender: str, recipient: str, subject: str, *, login: str = "", port: int = 25, password: str = PASSWORD
    ) -> None:
        """Send a message by SMTP, with a log-in over STARTTLS if one is given; raises smtplib's refusal."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, recipient, subject
        message.set_content(subject)
        with smtplib.SMTP(self.server.address, port, local_hostname="client.example", timeout=30) as client:
            if login:
                client.starttls(context=ANY_CERTIFICATE)
                client.login(login, password)
            client.send_message(message, sender, [recipient])

    def mailbox(self, address: str, password: str = PASSWORD) -> imaplib.IMAP4:
        """A session with a mailbox by IMAP with STARTTLS; raises imaplib's refusal."""
        client = imaplib.IMAP4(self.server.address, timeout=30)
        try:
            client.starttls(ANY_CERTIFICATE)
            client.login(address, password)
            client.select("INBOX")
        except imaplib.IMAP4.error:
            client.shutdown()
            raise
        return client

    def subjects(self, address: str) -> list[str]:
        """The subjects of all messages in an inbox."""
        client = self.mailbox(address)
        try:
            numbers = client.search(None, "ALL")[1][0].split()
            heads = [client.fetch(number, "(BODY[HEADER.FIELDS (SUBJECT)])")[1][0] for number in numbers]
            return [head[1].decode().partition(":")[2].strip() for head in heads if isinstance(head, tuple)]
        finally:
            client.logout()

    def wait_for_message(self, address: str, subject: str, seconds: float = 20) -> None:
        """Wait until a message is in the inbox."""
        deadline = time.monotonic() + seconds
        while subject not in (found := self.subjects(address)):
            assert time.monotonic() < deadline, f"{subject} did not come; {address} has {found}"
            time.sleep(0.2)

    def check(self, commands: Iterable[list[str]]) -> list[str]:
        """What the daemons' checkers say beyond their usual word of success."""
        usual = ("syntax is ok", "test is successful", "Syntax OK")
        said = []
        for command in commands:
            done: subprocess.CompletedProcess[str] = self.server.run(["env", "-C", "/", *command], check=False)
            output = done.stderr if command[0] in ("doveconf", "postconf") else done.stdout + done.stderr
            lines = [line for line in output.splitlines() if line.strip() and not any(word in line for word in usual)]
            said += [f"{command[0]}: {line}" for line in lines]
            if done.returncode:
                said.append(f"{command[0]}: exit {done.returncode}")
        return said

    def checkers(self) -> list[list[str]]:
        """Every daemon's own check of its configuration."""
        return [
            *([["nginx", "-t"]] if self.spec.has_nginx else []),
            *([["apache2ctl", "-t"]] if self.spec.has_apache else []),
            [f"php-fpm{self.php}", "-t"],
            ["named-checkconf"],
            ["postfix", "check"],
            ["postconf", "-n"],
            ["doveconf", "-n"],
        ]
