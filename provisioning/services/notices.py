"""Mail to the people of a client about their accounts, once the server has done it: ready, suspended, released."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from accounts.mail import Letter, send_all
from accounts.models import Brand, Membership, User
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Operation
from provisioning.selectors import brands

TEMPLATES = {"account.create": "welcome", "account.suspend": "suspension", "account.unsuspend": "release"}
"""Verb of an operation → the kind of mail that tells of it."""
READERS = (Membership.Role.OWNER, Membership.Role.ADMIN)


def applied(operation_ids: Iterable[str]) -> None:
    """Tell the owners of accounts that these operations are done, each of them once, whatever it is asked again.

    Runs in the transaction that records it. A client whom nobody stands for gets no mail.
    """
    with everything("mail about accounts"):
        rows = Operation._base_manager.filter(pk__in=list(operation_ids), verb__in=TEMPLATES, hosting__isnull=False)
        done = list(rows.select_related("hosting__organization").order_by("id"))
        if not done:
            return
        clients = {operation.hosting.organization for operation in done if operation.hosting}
        people = _people(client.id for client in clients)
        branded = brands.of_organizations(clients)
        letters = []
        for operation in done:
            hosting = operation.hosting
            if hosting is None or hosting.organization_id not in branded or not _stands(operation, hosting):
                continue
            for user in people[hosting.organization_id]:
                letters.append(_letter(operation, hosting, user, branded[hosting.organization_id]))
        send_all(letters)


def _people(client_ids: Iterable[str]) -> dict[str, list[User]]:
    found: dict[str, list[User]] = defaultdict(list)
    rows = Membership.objects.filter(organization__in=list(client_ids), role__in=READERS, user__is_active=True)
    for row in rows.select_related("user").order_by("id"):
        found[row.organization_id].append(row.user)
    return found


def _stands(operation: Operation, hosting: HostingAccount) -> bool:
    """Whether what the operation brought about is still so: an account may be suspended and released in one run."""
    suspended = operation.verb == "account.suspend"
    return hosting.status == (HostingAccount.Status.SUSPENDED if suspended else HostingAccount.Status.ACTIVE)


def _letter(operation: Operation, hosting: HostingAccount, user: User, brand: Brand) -> Letter:
    template = TEMPLATES[operation.verb]
    context = {"name": user.name, "domain": hosting.domain}
    if template == "welcome":
        context |= {
            "username": hosting.username,
            "nameservers": ", ".join(brand.nameservers),
            "mail_host": brand.mail_host,
        }
    if template == "suspension":
        context["reason"] = hosting.suspended_reason
    return Letter(brand, user.email, template, context, user.locale, once=f"{operation.id}:{user.id}")
