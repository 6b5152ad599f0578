"""The forms of the provisioning pages: fields, labels and help. Rules are the services', which answer by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from accounts.selectors import organizations
from provisioning.models import Address, DatabaseUser, Package, Record, Server
from provisioning.selectors import rebuilds
from provisioning.web.fields import AddressListField, PairsField, SizeField, name_input, new_password

ROLES = [("web", _("Web")), ("database", _("Databases")), ("dns", _("DNS")), ("mail", _("Mail"))]


class ServerForm(forms.Form):
    """A new target server."""

    name = forms.CharField(label=_("Name"), max_length=63, help_text=_("What you call it, for example web1."))
    platform_name = forms.CharField(
        label=_("Neutral host name"),
        max_length=253,
        widget=name_input(placeholder="web1.platform.example"),
        help_text=_("What the server shows to the world (mail greeting, banners). Name no brand in it."),
    )
    transport = forms.ChoiceField(
        label=_("Where it is"),
        choices=[("ssh", _("Another machine, reached by SSH")), ("local", _("The machine this panel runs on"))],
        widget=forms.RadioSelect,
        initial="ssh",
    )
    host = forms.CharField(
        label=_("Address"),
        max_length=253,
        required=False,
        widget=name_input(placeholder="203.0.113.10"),
        help_text=_("IP address or host name that the panel connects to. Not needed for this machine."),
    )
    port = forms.IntegerField(label=_("SSH port"), min_value=1, max_value=65535, initial=22)
    stack = forms.ChoiceField(
        label=_("Web stack"),
        choices=Server.Stack.choices,
        help_text=_("With Apache behind nginx, .htaccess files work."),
    )
    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=ROLES, initial=[name for name, _label in ROLES], widget=forms.CheckboxSelectMultiple
    )


class PinForm(forms.Form):
    """Why something on a server is an exception."""

    note = forms.CharField(
        label=_("Why"), max_length=100, required=False, help_text=_("For whoever looks at it later, at a rebuild too.")
    )


class ServerChangeForm(forms.Form):
    """Names, stack and roles of a server."""

    name = forms.CharField(label=_("Name"), max_length=63)
    platform_name = forms.CharField(label=_("Neutral host name"), max_length=253, widget=name_input())
    stack = forms.ChoiceField(label=_("Web stack"), choices=Server.Stack.choices)
    role_web = forms.BooleanField(label=_("Web"), required=False)
    role_database = forms.BooleanField(label=_("Databases"), required=False)
    role_dns = forms.BooleanField(label=_("DNS"), required=False)
    role_mail = forms.BooleanField(label=_("Mail"), required=False)


class HostKeyForm(forms.Form):
    """The fingerprint that was shown and compared."""

    fingerprint = forms.CharField(max_length=100, widget=forms.HiddenInput)


class SetUpForm(forms.Form):
    """How the panel signs in to a bare server for the first time."""

    password = forms.CharField(
        label=_("Root password"),
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "Leave it empty when the panel's key is in root's authorized_keys. It is used once, then forgotten."
        ),
    )


class RebuildChoiceForm(forms.Form):
    """Which server takes the place of a dead one, and which address follows which."""

    new: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        label=_("New server"),
        queryset=None,
        help_text=_("One that carries no accounts: bare with its host key confirmed, or set up."),
    )
    addresses = PairsField(
        label=_("Addresses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "class": "mono"}),
        help_text=_("Old = new, one pair on a line. What is left out is matched by itself."),
    )

    def __init__(self, *args: Any, old: Server, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new"].queryset = rebuilds.candidates(old)  # type: ignore[attr-defined]


class RebuildForm(RebuildChoiceForm):
    """The confirmation, and how the panel signs in to a bare server."""

    password = SetUpForm.base_fields["password"]
    confirm = forms.CharField(label=_("Name of the server that is replaced"), max_length=63, widget=name_input())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new"].widget = forms.HiddenInput()
        self.fields["addresses"].widget = forms.HiddenInput()

    def without_password(self) -> RebuildForm:
        """Return it for a server that is set up already, which is asked for none."""
        self.fields["password"].widget = forms.HiddenInput()
        return self


class OverruleForm(forms.Form):
    """The confirmation that a server's newer settings give way."""

    confirm = forms.CharField(label=_("Name of the server"), max_length=63, widget=name_input())


class AddressForm(forms.Form):
    """An address of a server."""

    ip = forms.CharField(label=_("IP address"), max_length=45, widget=name_input(placeholder="203.0.113.11"))
    kind = forms.ChoiceField(label=_("Use"), choices=Address.Kind.choices, widget=forms.RadioSelect, initial="shared")
    public_ip = forms.CharField(
        label=_("Public address"),
        max_length=45,
        required=False,
        widget=name_input(),
        help_text=_("Only when the server stands behind address translation: what the world sees."),
    )


class AddressGiveForm(forms.Form):
    """Whose brand an address is to belong to."""

    organization: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        queryset=None,
        label=_("Reseller"),
        empty_label=_("Choose a reseller"),
        help_text=_("Only those whose brand has a mail host: that becomes the name of the address."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = organizations.with_mail_host()  # type: ignore[attr-defined]


class AccountForm(forms.Form):
    """A new hosting account."""

    organization: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        queryset=None, label=_("Client"), empty_label=_("Choose a client")
    )
    domain = forms.CharField(
        label=_("Domain"),
        max_length=253,
        widget=name_input(placeholder="example.com"),
        help_text=_("The main domain, without www; www is served as well."),
    )
    package: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        queryset=None, label=_("Package"), empty_label=_("Choose a package")
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=16,
        required=False,
        widget=name_input(),
        help_text=_("Left empty, it is made from the domain. Lower-case letters and digits, a letter first, up to 16."),
    )
    server: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        queryset=None, label=_("Server"), required=False, empty_label=_("The least loaded one")
    )

    def __init__(
        self,
        *args: Any,
        clients: QuerySet[Organization],
        packages: QuerySet[Package],
        servers: QuerySet[Server] | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = clients  # type: ignore[attr-defined]
        self.fields["package"].queryset = packages  # type: ignore[attr-defined]
        if servers is None:
            del self.fields["server"]
        else:
            self.fields["server"].queryset = servers  # type: ignore[attr-defined]


class RenameForm(forms.Form):
    """An account's names."""

    domain = forms.CharField(label=_("Primary domain"), max_length=253, widget=name_input())
    username = forms.CharField(
        label=_("User name"),
        max_length=16,
        widget=name_input(),
        help_text=_("Lower-case letters and digits, a letter first, up to 16."),
    )


class SuspendForm(forms.Form):
    """Why an account is suspended."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("Shown to the client; for example: unpaid invoice."),
    )


class SitePhpForm(forms.Form):
    """Another PHP version for a site."""

    php_version = forms.ChoiceField(label=_("PHP version"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, versions: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["php_version"].choices = [(name, f"PHP {name}") for name in versions]  # type: ignore[attr-defined]


class SiteAliasForm(forms.Form):
    """One more name for a site."""

    hostname = forms.CharField(
        label=_("Name"),
        max_length=253,
        widget=name_input(placeholder="shop.example.com"),
        help_text=_("A name below one of the account's domains, or another domain, which then gets a zone of its own."),
    )


class DatabaseForm(forms.Form):
    """A new database, with a login for it if one is wanted."""

    name = forms.CharField(label=_("Database name"), max_length=64, widget=name_input())
    user = forms.CharField(
        label=_("User name"),
        max_length=32,
        required=False,
        widget=name_input(),
        help_text=_("Gets all rights on the new database. Leave it empty to make none now."),
    )
    password = new_password(label=_("Password of the user"), required=False)

    def __init__(self, *args: Any, prefix_text: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = _("It becomes %(prefix)sname.") % {"prefix": prefix_text}

    def clean(self) -> dict[str, Any]:
        """A user needs a password, and a password a user."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("user") and not cleaned.get("password"):
            self.add_error("password", _("Give the new user a password."))
        if cleaned.get("password") and not cleaned.get("user"):
            self.add_error("user", _("Whose password is this? Give a user name, or leave both empty."))
        return cleaned


class DatabaseUserForm(forms.Form):
    """A new login for databases of an account."""

    name = forms.CharField(label=_("User name"), max_length=32, widget=name_input())
    password = new_password(label=_("Password"))
    databases: forms.ModelMultipleChoiceField[Any] = forms.ModelMultipleChoiceField(
        queryset=None, label=_("Databases"), required=False, widget=forms.CheckboxSelectMultiple
    )
    host = forms.ChoiceField(
        label=_("Signs in from"), choices=DatabaseUser.Host.choices, initial="localhost", widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, databases: QuerySet[Any], remote: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["databases"].queryset = databases  # type: ignore[attr-defined]
        if not remote:
            del self.fields["host"]


class DatabaseUserChangeForm(forms.Form):
    """The password of a database login, and the databases it may use."""

    password = new_password(label=_("New password"), required=False, help_text=_("Leave it empty to keep the old one."))
    databases: forms.ModelMultipleChoiceField[Any] = forms.ModelMultipleChoiceField(
        queryset=None, label=_("Databases"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, databases: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["databases"].queryset = databases  # type: ignore[attr-defined]


class MailboxForm(forms.Form):
    """A new mailbox."""

    local = forms.CharField(label=_("Name before the @"), max_length=64, widget=name_input(placeholder="info"))
    password = new_password(label=_("Password"))
    quota_bytes = SizeField(label=_("Size in GB"))


class MailboxChangeForm(forms.Form):
    """Password, size and state of a mailbox."""

    password = new_password(label=_("New password"), required=False, help_text=_("Leave it empty to keep the old one."))
    quota_bytes = SizeField(label=_("Size in GB"))
    enabled = forms.BooleanField(
        label=_("In use"), required=False, help_text=_("Off: no sign-in and no new mail; what is stored stays.")
    )


class MailAliasForm(forms.Form):
    """A new mail alias."""

    local = forms.CharField(label=_("Name before the @"), max_length=64, widget=name_input(placeholder=_("sales")))
    destinations = AddressListField(
        label=_("Mail goes to"),
        help_text=_("One address on each line; here or anywhere else."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
    )


class MailAliasChangeForm(forms.Form):
    """The destinations of a mail alias."""

    destinations = MailAliasForm.base_fields["destinations"]


class RecordForm(forms.Form):
    """A DNS record."""

    type = forms.ChoiceField(label=_("Type"), choices=[(kind, kind) for kind in Record.Type.values])
    name = forms.CharField(
        label=_("Name"),
        max_length=253,
        initial="@",
        widget=name_input(),
        help_text=_("Below the zone; @ is the zone itself."),
    )
    content = forms.CharField(
        label=_("Content"),
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "class": "mono"}),
        help_text=_("As in a zone file, for example 203.0.113.10, 10 mail.example.com. or v=spf1 -all."),
    )
    ttl = forms.IntegerField(label=_("TTL in seconds"), initial=3600, min_value=0)


class NothingForm(forms.Form):
    """Nothing to fill in."""


class BulkReasonForm(forms.Form):
    """Why accounts are suspended."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, required=False, help_text=_("Shown to the clients of these accounts.")
    )
