"""The first things to do with a hosting account, in words for somebody who has never seen a hosting panel."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from provisioning.models import HostingAccount, MailDomain
from provisioning.selectors import hosting_accounts

OPEN_FOR = timedelta(days=14)
"""So long after an account was made its guide lies open."""


@dataclass(frozen=True)
class Step:
    """One thing to do: why, the values to copy for it as (label, values), where it is done, and whether it is."""

    title: str
    text: str
    done: bool
    values: list[tuple[str, list[str]]] = field(default_factory=list)
    url: str = ""
    label: str = ""


def of(
    hosting: HostingAccount, *, features: frozenset[str], nameservers: list[str], addresses: list[str], mail_host: str
) -> list[Step]:
    """Return the way from a new account to a web site and mail that work; two queries.

    A domain counts as led here once its mail is: that is what the panel looks up in the public DNS by itself.
    """
    domains = list(hosting_accounts.mail_domains(hosting))
    pointed = any(row.delivery == MailDomain.Delivery.VERIFIED for row in domains)
    steps = [_point(hosting, pointed=pointed, nameservers=nameservers, addresses=addresses)]
    steps.append(_upload(hosting))
    if "mail" in features and domains:
        boxes = hosting_accounts.mailboxes().filter(mail_domain__hosting=hosting).exists()
        steps.append(_mailbox(hosting, boxes=boxes, add=reverse("provisioning:mailbox_add", args=[domains[0].pk])))
        if mail_host:
            steps.append(_mail_program(mail_host))
    return steps


def lies_open(hosting: HostingAccount, steps: list[Step]) -> bool:
    """Whether the guide is unfolded: while the account is new and its domain does not lead here."""
    return not steps[0].done and timezone.now() - hosting.created_at < OPEN_FOR


def _point(hosting: HostingAccount, *, pointed: bool, nameservers: list[str], addresses: list[str]) -> Step:
    values = [(_("Name servers"), nameservers)] if nameservers else []
    label = _("Address")
    if nameservers:
        text = _(
            "Where you bought %(domain)s, enter these name servers for it. Within a day the whole Internet "
            "finds it here; web site and mail follow by themselves."
        )
        label = _("Name servers elsewhere? Address for its A or AAAA record")
    else:
        text = _(
            "Where you bought %(domain)s, let its name lead to this address. Within a day everybody finds it here."
        )
    if addresses:
        values.append((label, addresses))
    return Step(_("Let your domain lead here"), text % {"domain": hosting.domain}, pointed, values)


def _upload(hosting: HostingAccount) -> Step:
    text = _("They belong into this directory. Until there is one, visitors see a welcome page.")
    return Step(
        _("Put your web site's files in place"), text, False, [(_("Directory"), [f"{hosting.home}/public_html"])]
    )


def _mailbox(hosting: HostingAccount, *, boxes: bool, add: str) -> Step:
    text = _("An address such as hello@%(domain)s with a password of its own.") % {"domain": hosting.domain}
    return Step(_("Make your first mailbox"), text, boxes, [], add, _("Add mailbox"))


def _mail_program(mail_host: str) -> Step:
    text = _(
        "The user name is the whole mail address, the password that of the mailbox. Both use an encrypted connection."
    )
    values = [
        (_("Incoming mail (IMAP, port 993, TLS)"), [mail_host]),
        (_("Outgoing mail (SMTP, port 465, TLS)"), [mail_host]),
    ]
    return Step(_("Set up your mail program"), text, False, values)
