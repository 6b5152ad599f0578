"""Pages of an account's databases and database users."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panel.core.errors import Invalid
from panel.core.web import Empty
from provisioning.selectors import hosting_accounts, packages
from provisioning.services import database_users, previews
from provisioning.services import databases as database_service
from provisioning.web.account_pages import AccountFormPage, AccountPage, ConfirmByNamePage, VerbActionPage, VerbFormPage
from provisioning.web.forms import DatabaseForm, DatabaseUserChangeForm, DatabaseUserForm
from provisioning.web.tables import DatabaseTable, DatabaseUserTable

TAB = "account_databases"


class DatabasesPage(AccountPage):
    """Databases and database users of an account."""

    action = "database.view"
    flags = (
        "database.create",
        "database.remove",
        "database_user.create",
        "database_user.change",
        "database_user.remove",
    )
    template_name = "provisioning/account_databases.html"
    tab = TAB

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        databases = hosting_accounts.databases(self.hosting)
        users = hosting_accounts.database_users(self.hosting)
        return super().get_context_data(
            table=self.table(DatabaseTable, databases, Empty("database", _("No databases yet")), prefix="d-"),
            users=self.table(DatabaseUserTable, users, Empty("user", _("No database users yet")), prefix="u-"),
            **kwargs,
        )


class DatabaseAddPage(AccountFormPage):
    """Makes a database, and a user for it when one is named."""

    action = "database.create"
    title = gettext_lazy("Add database")
    form_class = DatabaseForm
    submit_label = gettext_lazy("Add database")
    shows_first = True
    tab = TAB

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.listed()

    def form_options(self) -> dict[str, Any]:
        return {"prefix_text": f"{self.hosting.username}_"}

    def act(self, data: dict[str, Any]) -> str:
        with transaction.atomic():
            database, operation = database_service.create(actor=self.actor, hosting=self.hosting, name=data["name"])
            if data["user"]:
                _user, operation = database_users.create(
                    actor=self.actor,
                    hosting=self.hosting,
                    name=data["user"],
                    password=data["password"],
                    databases=[database],
                )
        return self.after(operation)

    def plan(self, data: dict[str, Any]) -> str:
        if data["user"]:
            raise Invalid(
                "one_at_a_time", _("Leave the user empty to see what changes, and add the user afterwards."), "user"
            )
        order = {"hosting": self.hosting.pk, "name": data["name"]}
        preview = previews.request(actor=self.actor, verb="database.create", arguments=order, origin=self.request.path)
        return reverse("provisioning:preview", args=[preview.pk])


class DatabaseRemovePage(ConfirmByNamePage):
    """Removes a database."""

    action = "database.remove"
    verb = "database.remove"
    title = gettext_lazy("Remove database")
    question = gettext_lazy("This removes the database with all its data:")
    submit_label = gettext_lazy("Remove the database")
    tab = TAB

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.databases()

    def consequences(self) -> list[str]:
        return [
            _("Nobody can use it from now on; programs that need it stop working."),
            _("Its data is destroyed after the grace period. Until then support can bring it back."),
        ]

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"database": self.object.pk, **data}


class UserAddPage(VerbFormPage):
    """Makes a database user."""

    action = "database_user.create"
    verb = "database_user.create"
    title = gettext_lazy("Add database user")
    form_class = DatabaseUserForm
    submit_label = gettext_lazy("Add user")
    tab = TAB

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.listed()

    def form_options(self) -> dict[str, Any]:
        return {
            "databases": hosting_accounts.databases(self.hosting),
            "remote": "remote_databases" in packages.features_of(self.hosting),
        }

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"hosting": self.hosting.pk, **data, "databases": [database.pk for database in data["databases"]]}


class UserChangePage(VerbFormPage):
    """Changes a database user's password and databases."""

    action = "database_user.change"
    verb = "database_user.change"
    form_class = DatabaseUserChangeForm
    submit_label = gettext_lazy("Save")
    tab = TAB

    def get_title(self) -> str:
        return str(self.object)

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.database_users()

    def form_options(self) -> dict[str, Any]:
        return {"databases": hosting_accounts.databases(self.hosting)}

    def initial(self) -> dict[str, Any]:
        return {"databases": self.object.databases.all()}

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        password = {"password": data["password"]} if data["password"] else {}
        return {"user": self.object.pk, "databases": [database.pk for database in data["databases"]], **password}


class UserRemovePage(VerbActionPage):
    """Removes a database user."""

    action = "database_user.remove"
    verb = "database_user.remove"
    title = gettext_lazy("Remove database user")
    submit_label = gettext_lazy("Remove the user")
    tab = TAB

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.database_users()

    def get_question(self) -> str:
        return _("Remove the user %(name)s? Programs that sign in with it stop working.") % {"name": self.object}

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"user": self.object.pk}
