"""Plans and steps as the pages word them."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning import words
from provisioning.web import plans


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        ("read desired state", "Read what should be"),
        ("check nginx", "Check nginx"),
        ("check apache2, named, php8.4-fpm, zones", "Check Apache, BIND, PHP 8.4, zones"),
        ("reload dovecot", "Reload Dovecot"),
        ("frobnicate", "Frobnicate"),
    ],
)
def test_steps_are_worded(step: str, shown: str):
    assert words.step(step) == shown


def test_an_operation_without_words_of_its_own_is_shown_as_it_is():
    assert words.title("moon.land", "one") == "moon.land one"
    assert words.title("account.create", "100%.example") == "Create 100%.example"


def test_a_plan_is_grouped_by_who_reads_it_and_summed():
    changes: list[dict[str, Any]] = [
        {"key": "user:ab", "change": "add", "service": None, "diff": "+uid: 1"},
        {"key": "zone:a.example", "change": "change", "service": "named", "diff": "-a\n+b"},
        {"key": "file:/etc/nginx/a.conf", "change": "remove", "service": "nginx", "diff": ""},
        {"key": "row:alias:x@a.example", "change": "add", "service": None, "diff": ""},
        {"key": "database:ab_c", "change": "destroy", "service": "mariadb", "diff": "", "reason": "past its deadline"},
    ]
    plan = plans.build(changes, ["nginx"])
    assert [group.label for group in plan.groups] == ["nginx", "DNS (BIND)", "MariaDB", "Mail", "System"]
    assert [group.reload for group in plan.groups] == [True, False, False, False, False]
    assert (plan.added, plan.changed, plan.removed) == (2, 1, 2)
    assert plan.groups[2].changes[0].note == "past its deadline"
    assert plan.groups[3].changes[0].name == "alias:x@a.example"


def test_nothing_to_change_is_an_empty_plan():
    assert plans.build([], []) == plans.Plan([], 0, 0, 0)
