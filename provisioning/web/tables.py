"""The lists of the provisioning pages: columns and how a cell looks. What is listed is the selectors' affair."""

from __future__ import annotations

import django_tables2 as tables
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from panel.core.tables import TemplateColumn
from provisioning import words
from provisioning.selectors.usage import Day

STATE = "{% load ui %}{% state record.status record.get_status_display %}"
OPERATION_STATE = STATE + (
    "{% load i18n %}{% if record.status == 'waiting' %}"
    "{% if record.reason %}<div class='text-secondary small'>{% translate record.reason %}</div>{% endif %}"
    "{% if record.next_try_at %}<div class='text-secondary small'>{% translate 'next try' %} "
    "{% moment record.next_try_at %}</div>{% endif %}{% endif %}"
)
SERVER_STATE = (
    "{% load ui i18n %}{% if record.unreachable_since %}{% state 'unreachable' %}"
    "{% else %}{% state record.state record.get_state_display %}{% endif %}"
)
AGO = "{% load ui %}{% moment value 'ago' %}"
GB = "{% load ui %}{{ value|gb }}"
LIMIT = "{% load ui %}{{ value|limit }}"
MONO = '<span class="mono">{{ value }}</span>'
WIDE_ONLY = {"td": {"class": "d-none d-md-table-cell"}}
ONE_LINE = {"td": {"class": "text-md-nowrap"}}
TITLE = {"a": {"class": "row-title"}}


def actions(template: str) -> TemplateColumn:
    """Return the last column, which holds a row's buttons."""
    return TemplateColumn(
        template_name=template,
        verbose_name="",
        orderable=False,
        exclude_from_export=True,
        attrs={"td": {"class": "cell-actions"}},
    )


class ServerTable(tables.Table):
    """Target servers."""

    name = tables.Column(linkify=("provisioning:server", {"pk": A("pk")}), attrs=TITLE, verbose_name=_("Name"))
    state = TemplateColumn(SERVER_STATE, verbose_name=_("State"))
    host = TemplateColumn(MONO, verbose_name=_("Address"))
    roles = TemplateColumn(template_name="provisioning/cells/roles.html", verbose_name=_("Roles"), orderable=False)
    stack = tables.Column(verbose_name=_("Stack"))
    account_count = tables.Column(verbose_name=_("Accounts"))
    closed = TemplateColumn(
        "{% load i18n %}{% if value %}{% translate 'closed' %}{% else %}{% translate 'open' %}{% endif %}",
        verbose_name=_("New accounts"),
    )

    class Meta:
        order_by = "name"


class PackageTable(tables.Table):
    """Packages on sale."""

    name = tables.Column(linkify=("provisioning:package_change", {"pk": A("pk")}), attrs=TITLE, verbose_name=_("Name"))
    disk_bytes = TemplateColumn(GB, verbose_name=_("Disk"), default=_("unlimited"))
    mailboxes = TemplateColumn(LIMIT, verbose_name=_("Mailboxes"), default=_("unlimited"))
    databases = TemplateColumn(LIMIT, verbose_name=_("Databases"), default=_("unlimited"))
    alias_domains = TemplateColumn(LIMIT, verbose_name=_("Alias domains"), default=_("unlimited"))
    account_count = tables.Column(verbose_name=_("Accounts"))

    class Meta:
        order_by = "name"


class AccountTable(tables.Table):
    """Hosting accounts."""

    chosen = TemplateColumn(
        template_name="provisioning/cells/account_chosen.html",
        verbose_name="",
        orderable=False,
        exclude_from_export=True,
        visible=False,
        attrs={"td": {"class": "cell-choice"}, "th": {"class": "cell-choice"}},
    )

    domain = tables.Column(linkify=("provisioning:account", {"pk": A("pk")}), attrs=TITLE, verbose_name=_("Domain"))
    status = TemplateColumn(STATE, verbose_name=_("State"))
    username = TemplateColumn(MONO, verbose_name=_("User"))
    organization = tables.Column(verbose_name=_("Client"), accessor="organization__name")
    package = tables.Column(verbose_name=_("Package"), accessor="package__name")
    created_at = TemplateColumn(AGO, verbose_name=_("Created"))
    purge_at = TemplateColumn("{% load ui %}{% moment value %}", verbose_name=_("Data goes"), default="")

    class Meta:
        order_by = "domain"

    def before_render(self, request: HttpRequest) -> None:
        """Show when data goes only where accounts are that lose theirs."""
        if request.GET.get("status") != "terminated":
            self.columns.hide("purge_at")


class OperationTable(tables.Table):
    """What was asked for, newest first."""

    subject = tables.Column(
        verbose_name=_("Operation"), linkify=("provisioning:operation", {"pk": A("pk")}), attrs=TITLE, orderable=False
    )
    status = TemplateColumn(OPERATION_STATE, verbose_name=_("State"))
    hosting = tables.Column(verbose_name=_("Account"), accessor="hosting__domain", default="", orderable=False)
    asked_by = tables.Column(verbose_name=_("Asked for by"), default="", orderable=False)
    created_at = TemplateColumn(AGO, verbose_name=_("When"), order_by="id")

    def render_subject(self, record: object) -> str:
        """Name what was asked for in words."""
        return words.title(record.verb, record.subject)  # type: ignore[attr-defined]

    value_subject = render_subject

    def value_status(self, record: object) -> str:
        """Export the state alone."""
        return str(record.get_status_display())  # type: ignore[attr-defined]


class DriftItemTable(tables.Table):
    """What was found on a server, with what became of it."""

    key = TemplateColumn('<span class="mono wrap-anywhere">{{ value }}</span>', verbose_name=_("What"))
    kind = tables.Column(verbose_name=_("Difference"))
    account = tables.Column(accessor="slice__hosting__domain", verbose_name=_("Account"), default="")
    state = TemplateColumn("{% load ui %}{% state record.state record.get_state_display %}", verbose_name=_("State"))
    first_seen_at = TemplateColumn(AGO, verbose_name=_("First seen"))
    closed_at = TemplateColumn(AGO, verbose_name=_("Closed"), default="")
    closed_by = tables.Column(verbose_name=_("By"), default="")


class DriftCheckTable(tables.Table):
    """When a server was looked at."""

    started_at = TemplateColumn(AGO, verbose_name=_("When"), order_by="id", attrs=ONE_LINE)
    status = TemplateColumn(STATE, verbose_name=_("State"), orderable=False)
    checked = tables.Column(verbose_name=_("Compared"), orderable=False)
    found = tables.Column(verbose_name=_("Open"), orderable=False)
    ms = TemplateColumn("{% load ui %}{{ value|milliseconds }}", verbose_name=_("Took"), orderable=False)


class SiteNameTable(tables.Table):
    """The names that a site answers to."""

    hostname = TemplateColumn(template_name="provisioning/cells/hostname.html", verbose_name=_("Name"))
    kind = tables.Column(verbose_name=_("Kind"))
    created_at = TemplateColumn(AGO, verbose_name=_("Added"))
    actions = actions("provisioning/cells/site_name_actions.html")


class DatabaseTable(tables.Table):
    """Databases of an account."""

    name = TemplateColumn("{% load ui %}{% copyable value %}", verbose_name=_("Database"))
    users = TemplateColumn(
        template_name="provisioning/cells/database_users.html", verbose_name=_("Users"), orderable=False
    )
    created_at = TemplateColumn(AGO, verbose_name=_("Created"))
    actions = actions("provisioning/cells/database_actions.html")


class DatabaseUserTable(tables.Table):
    """Database logins of an account."""

    name = TemplateColumn("{% load ui %}{% copyable value %}", verbose_name=_("User"))
    databases = TemplateColumn(
        template_name="provisioning/cells/user_databases.html", verbose_name=_("Databases"), orderable=False
    )
    host = tables.Column(verbose_name=_("Signs in from"))
    actions = actions("provisioning/cells/database_user_actions.html")


class MailboxTable(tables.Table):
    """Mailboxes of an account."""

    address = TemplateColumn(
        "{% load ui %}{% copyable value %}", verbose_name=_("Mailbox"), order_by=("mail_domain__name", "local")
    )
    quota_bytes = TemplateColumn(GB, verbose_name=_("Size"), default=_("unlimited"))
    enabled = TemplateColumn(
        "{% load ui i18n %}{% if value %}{% translate 'In use' as words %}{% state 'active' words %}"
        "{% else %}{% translate 'Off' as words %}{% state 'suspended' words %}{% endif %}",
        verbose_name=_("State"),
    )
    actions = actions("provisioning/cells/mailbox_actions.html")


class MailAliasTable(tables.Table):
    """Mail aliases of an account."""

    address = TemplateColumn(
        "{% load ui %}{% copyable value %}", verbose_name=_("Alias"), order_by=("mail_domain__name", "local")
    )
    destinations = TemplateColumn(
        '{% for item in value %}<div class="mono">{{ item }}</div>{% endfor %}',
        verbose_name=_("Goes to"),
        orderable=False,
    )
    actions = actions("provisioning/cells/mail_alias_actions.html")


class RecordTable(tables.Table):
    """What a zone serves: records that people added, and default ones."""

    name = TemplateColumn(template_name="provisioning/cells/record_name.html", verbose_name=_("Name"))
    type = tables.Column(verbose_name=_("Type"), attrs=WIDE_ONLY)
    content = TemplateColumn('<span class="mono wrap-anywhere">{{ value }}</span>', verbose_name=_("Content"))
    ttl = tables.Column(verbose_name=_("TTL"), attrs=WIDE_ONLY)
    origin = TemplateColumn(
        "{% load i18n %}{% if record.record_id %}{% translate 'yours' %}{% else %}"
        "<span class='text-secondary'>{% translate 'default' %}</span>{% endif %}",
        verbose_name=_("From"),
        orderable=False,
        empty_values=(),
        attrs=WIDE_ONLY,
    )
    actions = actions("provisioning/cells/record_actions.html")


class RunTable(tables.Table):
    """Round trips to a server."""

    created_at = TemplateColumn(AGO, verbose_name=_("When"), order_by="id", attrs=ONE_LINE)
    status = TemplateColumn(STATE, verbose_name=_("State"))
    slices = tables.Column(verbose_name=_("Parts"))
    changes = tables.Column(verbose_name=_("Changes"))
    reloads = TemplateColumn(
        "{% for name, count in value.items %}{{ name }}{% if not forloop.last %}, {% endif %}{% endfor %}",
        verbose_name=_("Reloads"),
        orderable=False,
    )
    reason = tables.Column(verbose_name=_("Reason"), orderable=False)


class ScanTable(tables.Table):
    """Scans of brands."""

    host = tables.Column(verbose_name=_("Panel host"), linkify=("provisioning:scan", {"pk": A("pk")}), attrs=TITLE)
    organization = tables.Column(verbose_name=_("Brand of"), orderable=False)
    status = TemplateColumn(STATE, verbose_name=_("State"))
    leaks = tables.Column(verbose_name=_("Names found"))
    created_at = TemplateColumn(AGO, verbose_name=_("Started"))

    class Meta:
        order_by = "-created_at"


class UsageDayTable(tables.Table):
    """Days of use, newest first."""

    date = tables.Column(verbose_name=_("Day"), attrs=ONE_LINE)
    storage_bytes = TemplateColumn(GB, verbose_name=_("Disk space"), default="")
    web_bytes = TemplateColumn(GB, verbose_name=_("Traffic"))
    web_requests = tables.Column(verbose_name=_("Requests"))
    mails_sent = tables.Column(verbose_name=_("Mails sent"))
    mails_sent_bytes = TemplateColumn(GB, verbose_name=_("Size of mails sent"))
    mails_received = tables.Column(verbose_name=_("Mails received"))
    mails_received_bytes = TemplateColumn(GB, verbose_name=_("Size of mails received"))

    def value_date(self, record: Day) -> str:
        """Export the day as ISO 8601."""
        return record.date.isoformat()
