"""Databases and their logins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.services import limits
from panel.core.actors import Actor
from panel.core.errors import NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from provisioning.models import Database, DatabaseUser, Tombstone
from provisioning.services import database_users, databases, passwords
from tests.provisioning.ground import Ground, acting, dirty, refused, used

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"


def create(ground: Ground, name: str = "shop") -> Database:
    """Create a database as client A does."""
    with acting(ground.cast.client_a):
        return databases.create(actor=ground.cast.client_a.actor, hosting=ground.account_a, name=name)[0]


def login(ground: Ground, name: str = "shop", **values: Any) -> DatabaseUser:
    """Create a login as client A does."""
    with acting(ground.cast.client_a):
        return database_users.create(
            actor=ground.cast.client_a.actor,
            hosting=ground.account_a,
            **{"name": name, "password": PASSWORD, **values},
        )[0]


@pytest.mark.parametrize(("name", "full"), [("shop", "asite_shop"), ("asite_blog", "asite_blog"), ("x1", "asite_x1")])
def test_a_database_is_named_below_its_account(ground: Ground, name: str, full: str):
    assert create(ground, name).name == full
    assert used(ground.account_a.id, "databases") == 1
    assert len(dirty(ground.account_a)) == 2


@pytest.mark.parametrize("name", ["", "asite_"])
def test_a_prefix_is_no_name(ground: Ground, name: str):
    with acting(ground.cast.client_a), refused("required", "name"):
        databases.create(actor=ground.cast.client_a.actor, hosting=ground.account_a, name=name)


def test_a_name_is_taken_once(ground: Ground):
    create(ground)
    login(ground)
    with acting(ground.cast.client_a):
        with refused("conflict", "name", 409):
            databases.create(actor=ground.cast.client_a.actor, hosting=ground.account_a, name="shop")
        with refused("conflict", "name", 409):
            database_users.create(
                actor=ground.cast.client_a.actor, hosting=ground.account_a, name="shop", password=PASSWORD
            )


def test_a_removed_database_is_destroyed_after_the_grace_period(ground: Ground, settings):
    settings.TERMINATION_GRACE_DAYS = 3
    database, user = create(ground), login(ground)
    with acting(ground.cast.client_a):
        actor = ground.cast.client_a.actor
        database_users.change(actor=actor, user=user, databases=[database])
        with refused("confirm", "confirm"):
            databases.remove(actor=actor, database=database, confirm="shop")
        databases.remove(actor=actor, database=database, confirm="asite_shop")
        assert list(DatabaseUser.objects.get(pk=user.pk).databases.all()) == []
    tombstone = Tombstone.objects.get()
    assert (tombstone.key, tombstone.slice.hosting_id) == ("database:asite_shop", ground.account_a.id)
    assert abs(tombstone.due_at - timezone.now() - timedelta(days=3)) < timedelta(minutes=1)
    assert used(ground.account_a.id, "databases") == 0


def test_a_database_that_comes_back_is_not_destroyed(ground: Ground):
    with acting(ground.cast.client_a):
        databases.remove(actor=ground.cast.client_a.actor, database=create(ground), confirm="asite_shop")
    assert Tombstone.objects.filter(destroyed_at=None).count() == 1
    create(ground)
    assert not Tombstone.objects.filter(destroyed_at=None).exists()


def test_a_database_removed_twice_counts_once(ground: Ground):
    database = create(ground)
    create(ground, "other")
    with acting(ground.cast.client_a):
        databases.remove(actor=ground.cast.client_a.actor, database=database, confirm="asite_shop")
        database.pk = database.id
        with pytest.raises(NotFound):
            databases.remove(actor=ground.cast.client_a.actor, database=database, confirm="asite_shop")
    assert used(ground.account_a.id, "databases") == 1


def test_only_the_hash_of_a_password_is_kept(ground: Ground):
    user = login(ground)
    assert passwords.mysql_native("password") == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"
    assert user.password_hash == passwords.mysql_native(PASSWORD)
    with acting(ground.cast.client_a):
        before = user.password_hash
        database_users.change(actor=ground.cast.client_a.actor, user=user, password="another horse 43")
        assert DatabaseUser.objects.get(pk=user.pk).password_hash != before
    with everything("test"):
        entry = AuditEntry.objects.filter(action="database_user.change").latest("id")
    assert entry.changes == {"password": ["••••", "••••"]}


@pytest.mark.parametrize(
    ("password", "code"),
    [("short", "too_short"), ("x" * 73, "too_long"), ("ü" * 40, "too_long"), ("tab\tinside 1", "not_printable")],
)
def test_weak_and_untypable_passwords_are_refused(ground: Ground, password: str, code: str):
    with acting(ground.cast.client_a), refused(code, "password"):
        database_users.create(
            actor=ground.cast.client_a.actor, hosting=ground.account_a, name="shop", password=password
        )


def test_a_login_reaches_databases_of_its_own_account_only(ground: Ground):
    with everything("test"):
        foreign = databases.create(actor=SYSTEM, hosting=ground.account_b, name="shop")[0]
    own = create(ground)
    user = login(ground, databases=[own])
    with everything("test"):
        assert [database.name for database in user.databases.all()] == ["asite_shop"]
        for wanted in ([foreign], [own, foreign]):
            with refused("foreign", "databases"):
                database_users.create(
                    actor=ground.cast.client_a.actor,
                    hosting=ground.account_a,
                    name="other",
                    password=PASSWORD,
                    databases=wanted,
                )


def test_logins_from_anywhere_are_the_packages_to_give(ground: Ground):
    assert login(ground, host="%").host == "%"
    with everything("test"), refused("remote_databases", "host"):
        database_users.create(
            actor=ground.cast.client_b.actor, hosting=ground.account_b, name="shop", password=PASSWORD, host="%"
        )


def test_limits_hold(ground: Ground):
    with everything("test"):
        limits.set_limit(subject=ground.account_a.id, resource="databases", limit=1)
        limits.set_limit(subject=ground.account_a.id, resource="database_users", limit=1)
    create(ground)
    login(ground)
    with acting(ground.cast.client_a):
        with refused("limit_reached", None, 409):
            databases.create(actor=ground.cast.client_a.actor, hosting=ground.account_a, name="two")
        with refused("limit_reached", None, 409):
            database_users.create(
                actor=ground.cast.client_a.actor, hosting=ground.account_a, name="two", password=PASSWORD
            )
        database_users.remove(actor=ground.cast.client_a.actor, user=DatabaseUser.objects.get())
    assert login(ground, "two").name == "asite_two"


def test_others_can_not_touch_databases(ground: Ground):
    database, user = create(ground), login(ground)
    for person in (ground.cast.client_b, ground.cast.reseller_b, ground.cast.outsider):
        with everything("test"):
            with refused("not_found", None, 404):
                databases.create(actor=person.actor, hosting=ground.account_a, name="x")
            with refused("not_found", None, 404):
                databases.remove(actor=person.actor, database=database, confirm="asite_shop")
            with refused("not_found", None, 404):
                database_users.change(actor=person.actor, user=user, password="my own secret 1")
            with refused("not_found", None, 404):
                database_users.remove(actor=person.actor, user=user)
