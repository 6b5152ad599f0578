"""What operations, resources and daemons are called on pages. Names only: nothing is decided here."""

from __future__ import annotations

import re
from collections.abc import Collection

from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.words import RESOURCES, resource

__all__ = ["RESOURCES", "resource"]

#: Verb of an operation → its title; `%(subject)s` is what it is about.
TITLES: dict[str, str | Promise] = {
    "account.create": gettext_lazy("Create %(subject)s"),
    "account.change": gettext_lazy("Change %(subject)s"),
    "account.change_package": gettext_lazy("Change the package of %(subject)s"),
    "account.move": gettext_lazy("Move %(subject)s to another client"),
    "account.purge": gettext_lazy("Destroy data of %(subject)s whose grace period is over"),
    "account.rename": gettext_lazy("Rename %(subject)s"),
    "account.restore": gettext_lazy("Restore %(subject)s"),
    "account.suspend": gettext_lazy("Suspend %(subject)s"),
    "account.unsuspend": gettext_lazy("Release %(subject)s"),
    "account.terminate": gettext_lazy("Terminate %(subject)s"),
    "accounts.change_package": gettext_lazy("Change the package of %(subject)s"),
    "accounts.suspend": gettext_lazy("Suspend %(subject)s"),
    "accounts.unsuspend": gettext_lazy("Release %(subject)s"),
    "address.add": gettext_lazy("Add address %(subject)s"),
    "address.give": gettext_lazy("Give address %(subject)s to a brand"),
    "address.remove": gettext_lazy("Remove address %(subject)s"),
    "address.take_back": gettext_lazy("Take address %(subject)s back from its brand"),
    "alias.change": gettext_lazy("Change mail alias %(subject)s"),
    "alias.create": gettext_lazy("Add mail alias %(subject)s"),
    "alias.remove": gettext_lazy("Remove mail alias %(subject)s"),
    "brand.change": gettext_lazy("Change brand %(subject)s"),
    "database.change": gettext_lazy("Change database %(subject)s"),
    "database.create": gettext_lazy("Add database %(subject)s"),
    "database.remove": gettext_lazy("Remove database %(subject)s"),
    "database_user.change": gettext_lazy("Change database user %(subject)s"),
    "database_user.create": gettext_lazy("Add database user %(subject)s"),
    "database_user.remove": gettext_lazy("Remove database user %(subject)s"),
    "drift.check": gettext_lazy("Look for drift on %(subject)s"),
    "drift.restore": gettext_lazy("Restore %(subject)s"),
    "mail_domain.verify": gettext_lazy("Take mail for %(subject)s"),
    "mail_domain.vouch": gettext_lazy("Take mail for %(subject)s"),
    "mailbox.change": gettext_lazy("Change mailbox %(subject)s"),
    "mailbox.create": gettext_lazy("Add mailbox %(subject)s"),
    "mailbox.remove": gettext_lazy("Remove mailbox %(subject)s"),
    "package.change": gettext_lazy("Change package %(subject)s"),
    "organization.close": gettext_lazy("Close %(subject)s"),
    "organization.move": gettext_lazy("Move %(subject)s to another seller"),
    "organization.reopen": gettext_lazy("Open %(subject)s again"),
    "organization.end_accounts": gettext_lazy("Terminate the accounts of %(subject)s"),
    "organization.restore_accounts": gettext_lazy("Restore the accounts of %(subject)s"),
    "organization.suspend": gettext_lazy("Suspend %(subject)s"),
    "organization.unsuspend": gettext_lazy("Release %(subject)s"),
    "record.change": gettext_lazy("Change DNS record %(subject)s"),
    "record.create": gettext_lazy("Add DNS record %(subject)s"),
    "record.remove": gettext_lazy("Remove DNS record %(subject)s"),
    "server.bootstrap": gettext_lazy("Set up server %(subject)s"),
    "server.change": gettext_lazy("Change server %(subject)s"),
    "server.overrule": gettext_lazy("Go on with the panel's state on %(subject)s"),
    "server.quota": gettext_lazy("Hold the accounts on %(subject)s to their disk space"),
    "server.rebuild": gettext_lazy("Rebuild %(subject)s"),
    "server.reconcile": gettext_lazy("Compare and repair %(subject)s"),
    "site.add_alias": gettext_lazy("Add site name %(subject)s"),
    "site.remove_alias": gettext_lazy("Remove site name %(subject)s"),
    "site.change": gettext_lazy("Change site name %(subject)s"),
    "site.change_php": gettext_lazy("Change PHP of %(subject)s"),
}

#: Daemon that reads a resource → icon and name; "" is what no daemon reads.
SERVICES: dict[str, tuple[str, str | Promise]] = {
    "nginx": ("world-www", "nginx"),
    "apache2": ("world-www", "Apache"),
    "apache": ("world-www", "Apache"),
    "php-fpm": ("brand-html5", "PHP"),
    "named": ("route", gettext_lazy("DNS (BIND)")),
    "mariadb": ("database", "MariaDB"),
    "postfix": ("mail", gettext_lazy("Mail transport (Postfix)")),
    "dovecot": ("mailbox", gettext_lazy("Mailboxes (Dovecot)")),
    "mail": ("mail", gettext_lazy("Mail")),
    "": ("server", gettext_lazy("System")),
}

#: Daemon → its name within a sentence, where it is not the name it runs by.
DAEMONS: dict[str, str | Promise] = {
    "apache2": "Apache",
    "dovecot": "Dovecot",
    "mariadb": "MariaDB",
    "named": "BIND",
    "postfix": "Postfix",
    "zones": gettext_lazy("zones"),
}

KINDS: dict[str, str | Promise] = {
    "package": gettext_lazy("package"),
    "user": gettext_lazy("user"),
    "quota": gettext_lazy("disk quota"),
    "certificate": gettext_lazy("certificate"),
    "directory": gettext_lazy("directory"),
    "file": gettext_lazy("file"),
    "link": gettext_lazy("link"),
    "absent": gettext_lazy("file to be absent"),
    "zone": gettext_lazy("zone"),
    "database": gettext_lazy("database"),
    "database_user": gettext_lazy("database user"),
    "row": gettext_lazy("mail map entry"),
    "service": gettext_lazy("service"),
}


#: Role of a server → what a server is called that has it alone, and what it is for beside others.
ROLES: dict[str, tuple[str | Promise, str | Promise]] = {
    "web": (gettext_lazy("Web server"), gettext_lazy("web sites")),
    "database": (gettext_lazy("Database server"), gettext_lazy("databases")),
    "dns": (gettext_lazy("DNS server"), gettext_lazy("DNS")),
    "mail": (gettext_lazy("Mail server"), gettext_lazy("mail")),
}


def server(roles: Collection[str]) -> str:
    """Return what somebody calls a server who is not told its name: by what it is for."""
    known = [role for role in ROLES if role in roles]
    if not known:
        return _("Server")
    if len(known) == 1:
        return str(ROLES[known[0]][0])
    return _("Server for %(uses)s") % {"uses": get_text_list([str(ROLES[role][1]) for role in known], _("and"))}


def title(verb: str, subject: str) -> str:
    """Return an operation's title in the reader's language; an unknown verb is shown as it is."""
    template = TITLES.get(verb)
    return str(template) % {"subject": subject} if template else f"{verb} {subject}"


def holding(kind: str, count: int) -> str:
    """Return how many of something an account holds, in words."""
    forms = {
        "site": ngettext("%(count)s site name", "%(count)s site names", count),
        "zone": ngettext("%(count)s DNS zone", "%(count)s DNS zones", count),
        "database": ngettext("%(count)s database", "%(count)s databases", count),
        "mailbox": ngettext("%(count)s mailbox with its mail", "%(count)s mailboxes with their mail", count),
        "alias": ngettext("%(count)s mail alias", "%(count)s mail aliases", count),
    }
    return forms[kind] % {"count": count}


def service(name: str) -> tuple[str, str]:
    """Return the icon and name of a daemon; `php8.4-fpm` and the like are PHP with its version."""
    if name.startswith("php") and name.endswith("-fpm"):
        return "brand-html5", _("PHP %(version)s") % {"version": name[3:-4]} if name != "php-fpm" else "PHP"
    icon, label = SERVICES.get(name, ("server", name))
    return icon, str(label)


def kind(name: str) -> str:
    """Return the name of a resource kind."""
    return str(KINDS.get(name, name))


#: What happened to an operation → a line of its log.
EVENTS: dict[str, str | Promise] = {
    "queued": gettext_lazy("Ordered"),
    "taken": gettext_lazy("Taken up"),
    "waiting": gettext_lazy("Waits"),
    "retried": gettext_lazy("To be tried again"),
    "confirmed": gettext_lazy("Confirmed"),
    "stopped": gettext_lazy("What had not begun is not waited for any more"),
    "applied": gettext_lazy("Done"),
    "rejected": gettext_lazy("Rejected"),
    "cancelled": gettext_lazy("Cancelled"),
}


def event(kind: str, *, by: str = "", server: str = "", run: str = "", epoch: int | None = None) -> str:
    """Return what happened in words: by whom, or in which run on which server."""
    line = str(EVENTS.get(kind, kind))
    if by:
        return _("%(event)s by %(name)s") % {"event": line, "name": by}
    if run:
        values = {"event": line, "run": run, "server": server, "epoch": epoch}
        return _("%(event)s by run %(run)s on %(server)s, epoch %(epoch)s") % values
    return line


STEPS: dict[str, str | Promise] = {
    "connect": gettext_lazy("Connect to the server"),
    "install node program": gettext_lazy("Install the node program"),
    "install packages": gettext_lazy("Install packages"),
    "install Python": gettext_lazy("Install Python"),
    "look at the system": gettext_lazy("Look at the system"),
    "read desired state": gettext_lazy("Read what should be"),
    "restrict the panel's key": gettext_lazy("Restrict the panel's key"),
    "recover an interrupted apply": gettext_lazy("Recover an interrupted change"),
    "remove what is no longer wanted": gettext_lazy("Remove what is no longer wanted"),
    "undo": gettext_lazy("Put everything back"),
    "say hello": gettext_lazy("Speak to the node program"),
    "write": gettext_lazy("Write files, zones and logins"),
}
#: What a drift check compares, by the node's maker of it.
LOOKS: dict[str, str | Promise] = {
    "certificates": gettext_lazy("certificates"),
    "memberships": gettext_lazy("groups"),
    "moves": gettext_lazy("names on the move"),
    "packages": gettext_lazy("packages"),
    "quotas": gettext_lazy("disk quotas"),
    "rows": gettext_lazy("mail domains, mailboxes and aliases"),
    "services": gettext_lazy("services"),
    "sql": gettext_lazy("databases and their logins"),
    "tree": gettext_lazy("files and directories"),
    "users": gettext_lazy("users"),
    "zones": gettext_lazy("zones"),
}
STEP_VERBS: dict[str, str | Promise] = {
    "check": gettext_lazy("Check %(daemon)s"),
    "reload": gettext_lazy("Reload %(daemon)s"),
    "start": gettext_lazy("Start %(daemon)s"),
    "probe": gettext_lazy("Probe %(daemon)s"),
}


LOOK = re.compile(r"look (?:at|(?P<more>for more)) (?P<maker>(?!the )\S+)")


def step(name: str) -> str:
    """Return a step in words: a known one, `check <daemon>` and the like translated, others as the node said them."""
    if name in STEPS:
        return str(STEPS[name])
    looked = LOOK.fullmatch(name)
    if looked:
        things = {"things": LOOKS.get(looked["maker"], looked["maker"])}
        return (_("Look for %(things)s of nobody") if looked["more"] else _("Compare %(things)s")) % things
    verb, _space, daemon = name.partition(" ")
    if daemon and verb in STEP_VERBS:
        return str(STEP_VERBS[verb]) % {"daemon": ", ".join(_daemon(name) for name in daemon.split(", "))}
    return name[:1].upper() + name[1:]


def _daemon(name: str) -> str:
    if name.startswith("php") and name.endswith("-fpm"):
        return service(name)[1]
    return str(DAEMONS.get(name, name))
