"""What Postfix and Dovecot read: their whole configurations, and the account's rows of the mail database."""

from __future__ import annotations

from provisioning.planning import kinds
from provisioning.planning.resources import Resource
from provisioning.render import render
from provisioning.spec import AccountSpec, MailboxSpec, MailDomainSpec, ServerSpec, addresses, paths

MAPS = ("aliases", "domains", "mailboxes", "senders")
TRANSPORTS = "transports"
GROUP = "mail"
PROGRAM = "/usr/lib/hostwright"
PACKAGES = (
    "postfix",
    "postfix-sqlite",
    "dovecot-imapd",
    "dovecot-lmtpd",
    "dovecot-pop3d",
    "dovecot-sqlite",
    "ca-certificates",
)
USERNAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@+=~'"


def account(server: ServerSpec, account: AccountSpec) -> list[Resource]:
    """The account's mail: a place in its home, and rows for its domains, mailboxes and aliases.

    Dovecot makes each mailbox's own directory, as the tenant, when its first message comes. A domain that does not
    deliver here has its rows all the same: people log in before its mail is moved. While the account is suspended its
    mailboxes still receive, so that no mail is lost, but let nobody in. Where its brand has an address here, what its
    domains send leaves from that.
    """
    if "mail" not in account.services & server.roles:
        return []
    name = account.username
    store = kinds.directory(f"{account.home}/mail", owner=name, group=name, mode="0700", as_=name, data=True)
    domains = sorted(account.mail_domains, key=lambda domain: domain.name)
    identity = server.identity(account.brand)
    transport = identity.brand if identity is not None and identity.of_family(4) else ""
    return [store, *(resource for domain in domains for resource in _domain(account, domain, transport))]


def _domain(account: AccountSpec, domain: MailDomainSpec, transport: str) -> list[Resource]:
    mailboxes = sorted(domain.mailboxes, key=lambda mailbox: mailbox.local)
    aliases = sorted(domain.aliases, key=lambda alias: alias.local)
    return [
        kinds.row("domain", domain.name, {"deliver": domain.deliver}),
        *(_mailbox(account, domain, mailbox) for mailbox in mailboxes),
        *(
            kinds.row("alias", f"{alias.local}@{domain.name}", {"destinations": ",".join(sorted(alias.destinations))})
            for alias in aliases
        ),
        *([kinds.row("sender", domain.name, {"transport": transport})] if transport else []),
    ]


def _mailbox(account: AccountSpec, domain: MailDomainSpec, mailbox: MailboxSpec) -> Resource:
    home = f"{account.home}/mail/{domain.store or domain.name}/{mailbox.local}"
    values: dict[str, kinds.Scalar] = {
        "domain": domain.name,
        "local": mailbox.local,
        "username": account.username,
        "uid": account.uid,
        "gid": account.gid,
        "home": home,
        "maildir": f"{home}/Maildir",
        "password_hash": mailbox.password_hash,
        "quota_bytes": mailbox.quota_bytes,
        "enabled": mailbox.enabled and not account.suspended,
    }
    return kinds.row("mailbox", f"{mailbox.local}@{domain.name}", values)


def base(server: ServerSpec) -> list[Resource]:
    """Postfix, Dovecot in its release's dialect, and the unit that holds the mail database open for them."""
    if "mail" not in server.roles:
        return []
    unit = render("mail/hostwright-mail.service.j2", program=PROGRAM, directory=paths.MAIL)
    return [
        *(kinds.package(package) for package in PACKAGES),
        kinds.membership("postfix", GROUP, service="postfix"),
        kinds.directory(paths.MAIL, group=GROUP, mode="0750"),
        kinds.file("/etc/systemd/system/hostwright-mail.service", unit),
        *_postfix(server),
        *_dovecot(server),
        *(kinds.service(f"{name}.service") for name in ("hostwright-mail", "postfix", "dovecot")),
    ]


def _postfix(server: ServerSpec) -> list[Resource]:
    name, service = server.platform_name, "postfix"
    branded, own = bool(server.identities), addresses.own(server)
    main = render(
        "postfix/main.cf.j2",
        name=name,
        certificate=paths.certificate(name),
        branded=branded,
        own=own,
        shared=addresses.shared(server, 4),
        shared6=addresses.shared(server, 6),
    )
    identities = [
        {
            "brand": identity.brand,
            "name": identity.name,
            "ips": identity.ips,
            "ipv4": identity.of_family(4),
            "ipv6": identity.of_family(6),
            "certificate": paths.certificate(identity.name),
        }
        for identity in server.identities
    ]
    return [
        kinds.directory("/etc/postfix/hostwright"),
        *(
            kinds.file(
                f"/etc/postfix/hostwright/{map_}.cf",
                render("postfix/map.cf.j2", map=map_, database=paths.MAIL_DATABASE),
                service=service,
            )
            for map_ in (*MAPS, *([TRANSPORTS] if branded else []))
        ),
        kinds.file(
            "/etc/postfix/hostwright/local-senders", render("postfix/local-senders.j2", name=name), service=service
        ),
        kinds.file("/etc/postfix/main.cf", main, service=service, adopt=True),
        kinds.file(
            "/etc/postfix/master.cf",
            render("postfix/master.cf.j2", identities=identities, own4=[ip for ip in own if ":" not in ip]),
            service=service,
            adopt=True,
        ),
    ]


def _dovecot(server: ServerSpec) -> list[Resource]:
    service, dialect = "dovecot", "2.3" if server.debian == 12 else "2.4"
    main = render(
        f"dovecot/dovecot-{dialect}.conf.j2",
        name=server.platform_name,
        postmaster=f"postmaster@{server.platform_name}",
        username_chars=USERNAME_CHARACTERS,
        database=paths.MAIL_DATABASE,
        group=GROUP,
        certificate=paths.certificate(server.platform_name),
        identities=[
            {"ips": identity.ips, "certificate": paths.certificate(identity.name)} for identity in server.identities
        ],
    )
    resources = [kinds.file("/etc/dovecot/dovecot.conf", main, service=service, adopt=True)]
    if dialect == "2.3":
        queries = render("dovecot/sql-2.3.conf.j2", database=paths.MAIL_DATABASE)
        resources.insert(0, kinds.file("/etc/dovecot/hostwright-sql.conf.ext", queries, service=service))
    return resources
