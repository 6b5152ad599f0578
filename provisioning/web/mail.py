"""Pages of an account's mail: domains, mailboxes, aliases."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panel.core.web import Empty
from provisioning.models import HostingAccount
from provisioning.selectors import hosting_accounts
from provisioning.web.account_pages import AccountPage, ConfirmByNamePage, OfAccount, VerbActionPage, VerbFormPage
from provisioning.web.forms import MailAliasChangeForm, MailAliasForm, MailboxChangeForm, MailboxForm
from provisioning.web.tables import MailAliasTable, MailboxTable

TAB = "account_mail"


class MailPage(AccountPage):
    """Mailboxes and aliases of an account, by mail domain."""

    action = "mail_domain.view"
    flags = (
        "mailbox.create",
        "mailbox.change",
        "mailbox.remove",
        "alias.create",
        "alias.change",
        "alias.remove",
        "mail_domain.vouch",
    )
    template_name = "provisioning/account_mail.html"
    tab = TAB

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        no_mailboxes = Empty("mailbox", _("No mailboxes yet"), _("A mailbox keeps mail that is read by IMAP."))
        no_aliases = Empty("mail-forward", _("No aliases yet"), _("An alias sends mail on to other addresses."))
        parts = [
            {
                "domain": domain,
                "mailboxes": self.table(MailboxTable, hosting_accounts.mailboxes(domain), no_mailboxes, f"m{number}-"),
                "aliases": self.table(MailAliasTable, hosting_accounts.mail_aliases(domain), no_aliases, f"a{number}-"),
            }
            for number, domain in enumerate(hosting_accounts.mail_domains(self.hosting))
        ]
        return super().get_context_data(parts=parts, **kwargs)


class OfMailDomain(OfAccount):
    """Something below a mail domain."""

    tab = TAB

    @property
    def hosting(self) -> HostingAccount:
        found: HostingAccount = self.object.mail_domain.hosting
        return found

    def get_title(self) -> str:
        return str(self.object)


class MailboxAddPage(VerbFormPage):
    """Makes a mailbox."""

    action = "mailbox.create"
    verb = "mailbox.create"
    form_class = MailboxForm
    submit_label = gettext_lazy("Add mailbox")
    tab = TAB

    def get_title(self) -> str:
        return _("Add mailbox at %(name)s") % {"name": self.object.name}

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.mail_domains()

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"mail_domain": self.object.pk, **data}


class MailboxChangePage(OfMailDomain, VerbFormPage):
    """Changes a mailbox."""

    action = "mailbox.change"
    verb = "mailbox.change"
    form_class = MailboxChangeForm
    submit_label = gettext_lazy("Save")

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.mailboxes()

    def initial(self) -> dict[str, Any]:
        return {"quota_bytes": self.object.quota_bytes, "enabled": self.object.enabled}

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        values = {name: value for name, value in data.items() if name != "password" or value}
        return {"mailbox": self.object.pk, **values}


class MailboxRemovePage(OfMailDomain, ConfirmByNamePage):
    """Removes a mailbox."""

    action = "mailbox.remove"
    verb = "mailbox.remove"
    question = gettext_lazy("This removes the mailbox:")
    submit_label = gettext_lazy("Remove the mailbox")

    def get_title(self) -> str:
        return _("Remove mailbox")

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.mailboxes()

    def consequences(self) -> list[str]:
        return [
            _("It takes no new mail, and nobody signs in to it."),
            _("Mail that it holds stays in the account's home."),
        ]

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"mailbox": self.object.pk, **data}


class AliasAddPage(VerbFormPage):
    """Makes a mail alias."""

    action = "alias.create"
    verb = "alias.create"
    form_class = MailAliasForm
    submit_label = gettext_lazy("Add alias")
    tab = TAB

    def get_title(self) -> str:
        return _("Add alias at %(name)s") % {"name": self.object.name}

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.mail_domains()

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"mail_domain": self.object.pk, **data}


class AliasChangePage(OfMailDomain, VerbFormPage):
    """Changes where an alias's mail goes."""

    action = "alias.change"
    verb = "alias.change"
    form_class = MailAliasChangeForm
    submit_label = gettext_lazy("Save")

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.mail_aliases()

    def initial(self) -> dict[str, Any]:
        return {"destinations": "\n".join(self.object.destinations)}

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"alias": self.object.pk, **data}


class AliasRemovePage(OfMailDomain, VerbActionPage):
    """Removes an alias."""

    action = "alias.remove"
    verb = "alias.remove"
    submit_label = gettext_lazy("Remove the alias")

    def get_title(self) -> str:
        return _("Remove alias")

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.mail_aliases()

    def get_question(self) -> str:
        return _("Remove the alias %(name)s? Mail to it is refused from then on.") % {"name": self.object}

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"alias": self.object.pk}


class VouchPage(VerbActionPage):
    """Lets staff vouch for a mail domain whose MX does not point here yet."""

    action = "mail_domain.vouch"
    verb = "mail_domain.vouch"
    submit_label = gettext_lazy("Vouch and take mail")
    danger = False
    tab = TAB

    def get_title(self) -> str:
        return str(self.object)

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.mail_domains()

    def get_question(self) -> str:
        return _("Do you vouch that mail for %(name)s belongs to this client?") % {"name": self.object}

    def consequences(self) -> list[str]:
        return [
            _("Mail from other accounts here to this domain is delivered here at once, wherever its MX points."),
            _("Your name is kept with it."),
        ]

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"mail_domain": self.object.pk}
