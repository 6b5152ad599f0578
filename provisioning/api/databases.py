"""Databases of an account and the users that sign in to them."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, describe, page_of, started_of
from provisioning.api.fields import Password, Reference, Text
from provisioning.api.holdings import HoldingQuery, narrowed
from provisioning.models import DatabaseUser as DatabaseUserRow
from provisioning.selectors import hosting_accounts as selectors
from provisioning.services import database_users, databases


class Named(Document):
    """An object by id and name."""

    id = serializers.CharField()
    name = serializers.CharField()


class Database(Document):
    """A MariaDB database."""

    id = serializers.CharField()
    account = serializers.CharField(source="hosting_id")
    name = serializers.CharField()
    users = Named(many=True, help_text="Who may use it.")
    created_at = serializers.DateTimeField()


class DatabaseUser(Document):
    """A login of the database server, with all rights on its databases and no others."""

    id = serializers.CharField()
    account = serializers.CharField(source="hosting_id")
    name = serializers.CharField()
    host = serializers.ChoiceField(choices=DatabaseUserRow.Host.choices, help_text="Where it may sign in from.")
    databases = Named(many=True)
    created_at = serializers.DateTimeField()


class DatabaseCreate(StrictSerializer):
    """A new database."""

    name = Text(help_text="The account's user name and an underscore are put before it unless it begins so.")


class DatabaseRemove(StrictSerializer):
    """The word that says you mean it."""

    confirm = Text(help_text="The database's name.")


class DatabaseUserCreate(StrictSerializer):
    """A new login."""

    name = Text(help_text="The account's user name and an underscore are put before it unless it begins so.")
    password = Password()
    databases = serializers.ListField(
        child=Reference(selectors.databases, "database.view"), required=False, max_length=200, help_text="Their ids."
    )
    host = serializers.ChoiceField(
        choices=DatabaseUserRow.Host.choices,
        required=False,
        help_text="`%` is anywhere, for packages with remote database logins.",
    )


class DatabaseUserChange(StrictSerializer):
    """What is to change; what is left out stays."""

    password = Password(required=False)
    databases = serializers.ListField(
        child=Reference(selectors.databases, "database.view"),
        required=False,
        max_length=200,
        help_text="The ids of all that it may use from now on.",
    )


class AccountDatabases(Endpoint):
    """Databases of an account."""

    actions = {"GET": "database.view", "POST": "database.create"}
    is_list = True

    @describe("accounts_databases_list", "List an account's databases", page_of(Database))
    def get(self, request: Request, pk: str) -> Response:
        """With the names of their users."""
        return self.page(selectors.databases(self.find(selectors.listed(), pk)), Database)

    @describe(
        "accounts_databases_create",
        "Create a database",
        started_of(database=Database),
        status=202,
        body=DatabaseCreate,
    )
    def post(self, request: Request, pk: str) -> Response:
        """Make a user for it next."""
        hosting = self.find(selectors.listed(), pk)
        made, operation = databases.create(actor=self.actor, hosting=hosting, **self.read(DatabaseCreate))
        return self.started(operation, database=Database(made))


class DatabaseList(Endpoint):
    """Databases."""

    actions = {"GET": "database.view"}
    is_list = True

    @describe("databases_list", "List databases, newest first", page_of(Database), query=HoldingQuery)
    def get(self, request: Request) -> Response:
        """Of all accounts that you see, or of one."""
        return self.page(narrowed(selectors.databases(), self.query(HoldingQuery)), Database)


class DatabaseItem(Endpoint):
    """One database."""

    actions = {"GET": "database.view", "DELETE": "database.remove"}

    @describe("databases_get", "Get a database", Database)
    def get(self, request: Request, pk: str) -> Response:
        """With the names of its users."""
        return Response(Database(self.find(selectors.databases(), pk)).data)

    @describe("databases_remove", "Remove a database", started_of(), status=202, query=DatabaseRemove)
    def delete(self, request: Request, pk: str) -> Response:
        """Nobody can use it from now on; its data is destroyed after the grace period."""
        database = self.find(selectors.databases(), pk)
        return self.started(databases.remove(actor=self.actor, database=database, **self.query(DatabaseRemove)))


class AccountDatabaseUsers(Endpoint):
    """Database users of an account."""

    actions = {"GET": "database_user.view", "POST": "database_user.create"}
    is_list = True

    @describe("accounts_database_users_list", "List an account's database users", page_of(DatabaseUser))
    def get(self, request: Request, pk: str) -> Response:
        """With the databases that they may use."""
        return self.page(selectors.database_users(self.find(selectors.listed(), pk)), DatabaseUser)

    @describe(
        "accounts_database_users_create",
        "Create a database user",
        started_of(database_user=DatabaseUser),
        status=202,
        body=DatabaseUserCreate,
    )
    def post(self, request: Request, pk: str) -> Response:
        """The password is hashed and never shown again."""
        hosting = self.find(selectors.listed(), pk)
        made, operation = database_users.create(actor=self.actor, hosting=hosting, **self.read(DatabaseUserCreate))
        return self.started(operation, database_user=DatabaseUser(made))


class DatabaseUserList(Endpoint):
    """Database users."""

    actions = {"GET": "database_user.view"}
    is_list = True

    @describe("database_users_list", "List database users, newest first", page_of(DatabaseUser), query=HoldingQuery)
    def get(self, request: Request) -> Response:
        """Of all accounts that you see, or of one."""
        return self.page(narrowed(selectors.database_users(), self.query(HoldingQuery)), DatabaseUser)


class DatabaseUserItem(Endpoint):
    """One database user."""

    actions = {"GET": "database_user.view", "PATCH": "database_user.change", "DELETE": "database_user.remove"}

    @describe("database_users_get", "Get a database user", DatabaseUser)
    def get(self, request: Request, pk: str) -> Response:
        """With the databases that it may use."""
        return Response(DatabaseUser(self.find(selectors.database_users(), pk)).data)

    @describe(
        "database_users_change",
        "Change a database user",
        started_of(database_user=DatabaseUser),
        status=202,
        body=DatabaseUserChange,
    )
    def patch(self, request: Request, pk: str) -> Response:
        """Set a new password, or the databases that it may use."""
        user = self.find(selectors.database_users(), pk)
        changed, operation = database_users.change(actor=self.actor, user=user, **self.read(DatabaseUserChange))
        return self.started(operation, database_user=DatabaseUser(self.find(selectors.database_users(), changed.pk)))

    @describe("database_users_remove", "Remove a database user", started_of(), status=202)
    def delete(self, request: Request, pk: str) -> Response:
        """Sessions that it has open end."""
        user = self.find(selectors.database_users(), pk)
        return self.started(database_users.remove(actor=self.actor, user=user))
