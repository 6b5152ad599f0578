"""Pages of an account's databases and database users."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panel.core.web import Empty
from provisioning.selectors import hosting_accounts
from provisioning.services import database_users
from provisioning.services import databases as database_service
from provisioning.web.account_pages import AccountActionPage, AccountFormPage, AccountPage, ConfirmByNamePage
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


class DatabaseRemovePage(ConfirmByNamePage):
    """Removes a database."""

    action = "database.remove"
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

    def act(self, data: dict[str, Any]) -> str:
        return self.after(database_service.remove(actor=self.actor, database=self.object, confirm=data["confirm"]))


class UserAddPage(AccountFormPage):
    """Makes a database user."""

    action = "database_user.create"
    title = gettext_lazy("Add database user")
    form_class = DatabaseUserForm
    submit_label = gettext_lazy("Add user")
    tab = TAB

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.listed()

    def form_options(self) -> dict[str, Any]:
        return {
            "databases": hosting_accounts.databases(self.hosting),
            "remote": self.hosting.package.remote_databases,
        }

    def act(self, data: dict[str, Any]) -> str:
        host = {"host": data["host"]} if "host" in data else {}
        _user, operation = database_users.create(
            actor=self.actor,
            hosting=self.hosting,
            name=data["name"],
            password=data["password"],
            databases=list(data["databases"]),
            **host,
        )
        return self.after(operation)


class UserChangePage(AccountFormPage):
    """Changes a database user's password and databases."""

    action = "database_user.change"
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

    def act(self, data: dict[str, Any]) -> str:
        _user, operation = database_users.change(
            actor=self.actor,
            user=self.object,
            password=data["password"] or None,
            databases=list(data["databases"]),
        )
        return self.after(operation)


class UserRemovePage(AccountActionPage):
    """Removes a database user."""

    action = "database_user.remove"
    title = gettext_lazy("Remove database user")
    submit_label = gettext_lazy("Remove the user")
    tab = TAB

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.database_users()

    def get_question(self) -> str:
        return _("Remove the user %(name)s? Programs that sign in with it stop working.") % {"name": self.object}

    def act(self) -> str:
        return self.after(database_users.remove(actor=self.actor, user=self.object))
