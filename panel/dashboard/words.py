"""What audited actions, and the ways of a plan, are called on pages. Names only: nothing is decided here."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

#: Noun of an audited action → what one of them is called, and what the filter calls all of them.
NOUNS: dict[str, tuple[str | Promise, str | Promise]] = {
    "access": (_("Access"), _("Refused access")),
    "account": (_("Account"), _("Accounts")),
    "address": (_("Address of a server"), _("Addresses of servers")),
    "alias": (_("Mail alias"), _("Mail aliases")),
    "brand": (_("Brand"), _("Brands")),
    "database": (_("Database"), _("Databases")),
    "database_user": (_("Database user"), _("Database users")),
    "device": (_("Remembered device"), _("Remembered devices")),
    "drift": (_("Drift"), _("Drift")),
    "impersonation": (_("Impersonation"), _("Impersonations")),
    "invitation": (_("Invitation"), _("Invitations")),
    "mail": (_("Mail"), _("Mail")),
    "mail_domain": (_("Mail domain"), _("Mail domains")),
    "mail_sender": (_("Sender of mail"), _("Senders of mail")),
    "mail_template": (_("Mail template"), _("Mail templates")),
    "mailbox": (_("Mailbox"), _("Mailboxes")),
    "membership": (_("Member"), _("Members")),
    "operation": (_("Operation"), _("Operations")),
    "organization": (_("Organization"), _("Organizations")),
    "package": (_("Package"), _("Packages")),
    "plan": (_("Reseller plan"), _("Reseller plans")),
    "record": (_("DNS record"), _("DNS records")),
    "second_factor": (_("Second factor"), _("Second factors")),
    "server": (_("Server"), _("Servers")),
    "session": (_("Session"), _("Sessions")),
    "sign_in_policy": (_("Sign-in policy"), _("Sign-in policies")),
    "site": (_("Site"), _("Sites")),
    "token": (_("API token"), _("API tokens")),
    "user": (_("Person"), _("People")),
    "zone": (_("DNS zone"), _("DNS zones")),
}

#: Verb of an audited action → what became of the thing.
VERBS: dict[str, str | Promise] = {
    "add": _("added"),
    "address_cancel": _("new address given up"),
    "address_change": _("address changed"),
    "address_request": _("new address asked for"),
    "adopt": _("taken over"),
    "allow_private": _("private network allowed"),
    "allow_resellers": _("resellers of its own allowed"),
    "assign_plan": _("plan given"),
    "bootstrap": _("set up"),
    "cancel": _("cancelled"),
    "change": _("changed"),
    "change_package": _("package changed"),
    "change_php": _("PHP version changed"),
    "check": _("checked"),
    "claim_host": _("host name asked for"),
    "close": _("closed"),
    "confirm": _("confirmed"),
    "create": _("created"),
    "create_client": _("client created"),
    "create_provider": _("created"),
    "create_reseller": _("reseller created"),
    "end": _("ended"),
    "end_others": _("all others ended"),
    "forget": _("forgotten"),
    "give": _("given"),
    "key": _("new key"),
    "measure": _("measured"),
    "move": _("moved"),
    "moved_away": _("moved away"),
    "overrule": _("lines of its own"),
    "override": _("exception made"),
    "overuse": _("more used than bought"),
    "pages": _("pages changed"),
    "pin": _("exception made"),
    "rebuild": _("rebuilt"),
    "reconcile": _("brought in line"),
    "refused": _("refused"),
    "release_host": _("host name given up"),
    "remember": _("remembered"),
    "remove": _("removed"),
    "rename": _("renamed"),
    "reopen": _("opened again"),
    "resend": _("sent again"),
    "reset": _("put back"),
    "restore": _("restored"),
    "retry": _("tried again"),
    "revoke": _("revoked"),
    "scan": _("scanned"),
    "set_limit": _("limit set"),
    "skeleton": _("files of new accounts changed"),
    "smtp": _("mail server changed"),
    "start": _("begun"),
    "suspend": _("suspended"),
    "take_back": _("taken back"),
    "terminate": _("terminated"),
    "test": _("sent as a test"),
    "transfer": _("ownership handed over"),
    "try": _("tried"),
    "unpin": _("exception ended"),
    "unsuspend": _("released"),
    "verify": _("proved"),
    "vouch": _("vouched for"),
    "vouch_mail": _("mail vouched for"),
    "withdraw_host": _("host name given up"),
}

#: What a plan says for more use than it has → what that means for who has the plan, and for who looks at them.
OVERUSE: dict[str, tuple[str | Promise, str | Promise]] = {
    "block": (
        _("No new accounts can be made until less is used or the plan is raised."),
        _("No new accounts can be made there until less is used or the plan is raised."),
    ),
    "notify": (
        _("Nothing is refused for it. Use less, or have the plan raised."),
        _("Nothing is refused for it, as the plan says."),
    ),
    "suspend": (
        _("The plan suspends you and your accounts for it. Use less, or have the plan raised."),
        _("It is suspended with its accounts for it, as the plan says, until less is used or the plan is raised."),
    ),
}


def overuse(policy: str, own: bool) -> str:
    """Return what follows from more use than a plan has: for who has the plan (`own`), or for who looks at them."""
    return str(OVERUSE[policy][0 if own else 1])


def nouns(name: str) -> str:
    """Return what all things of a noun are called; an unknown one is shown as it is."""
    return str(NOUNS[name][1]) if name in NOUNS else name.replace("_", " ")


def action(name: str) -> str:
    """Return an audited action in words, such as `Mailbox: created`; what is unknown in it is shown as it is."""
    noun, _dot, verb = name.partition(".")
    thing = NOUNS[noun][0] if noun in NOUNS else noun.replace("_", " ")
    return _now("%(thing)s: %(deed)s") % {"thing": thing, "deed": VERBS.get(verb, verb.replace("_", " "))}
