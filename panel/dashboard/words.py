"""What the nouns of actions are called on pages. Names only: nothing is decided here."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: Noun of an audited action → what it is about.
NOUNS: dict[str, str | Promise] = {
    "access": _("Refused access"),
    "account": _("Accounts"),
    "address": _("Addresses of servers"),
    "alias": _("Mail aliases"),
    "brand": _("Brands"),
    "database": _("Databases"),
    "database_user": _("Database users"),
    "device": _("Remembered devices"),
    "drift": _("Drift"),
    "impersonation": _("Impersonations"),
    "mail_domain": _("Mail domains"),
    "mail_sender": _("Senders of mail"),
    "mail_template": _("Mail templates"),
    "mailbox": _("Mailboxes"),
    "membership": _("Members"),
    "operation": _("Operations"),
    "organization": _("Organizations"),
    "package": _("Packages"),
    "plan": _("Reseller plans"),
    "record": _("DNS records"),
    "server": _("Servers"),
    "session": _("Sessions"),
    "sign_in_policy": _("Sign-in policies"),
    "site": _("Sites"),
    "token": _("API tokens"),
    "user": _("People"),
    "zone": _("DNS zones"),
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


def noun(name: str) -> str:
    """Return what an action's noun is called; an unknown one is shown as it is."""
    return str(NOUNS.get(name, name.replace("_", " ")))
