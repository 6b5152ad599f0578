"""Plans and steps as the pages word them."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning import words
from provisioning.node.makers import MAKERS, PACKAGES
from provisioning.services.verbs import VERBS
from provisioning.web import plans


def test_everything_that_can_be_ordered_has_a_title():
    assert [verb for verb in VERBS if verb not in words.TITLES] == []


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        ("look at tree", "Compare files and directories"),
        ("look for more sql", "Look for databases and their logins of nobody"),
        ("look at the system", "Look at the system"),
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
        {"key": "user:ab", "change": "add", "service": None, "diff": "+uid: 1", "subject": "a.example"},
        {"key": "zone:a.example", "change": "change", "service": "named", "diff": "-a\n+b"},
        {"key": "file:/etc/nginx/a.conf", "change": "remove", "service": "nginx", "diff": ""},
        {"key": "row:alias:x@a.example", "change": "add", "service": None, "diff": ""},
        {"key": "database:ab_c", "change": "destroy", "service": "mariadb", "diff": "", "reason": "past its deadline"},
    ]
    changes[1:] = [{**change, "subject": "a.example"} for change in changes[1:]]
    of_b = {"key": "user:b", "change": "change", "service": None, "diff": "", "reason": "drift", "subject": "b.example"}
    problem = {"subject": "c.example", "code": "foreign", "message": "In the way."}
    server = {"server": "web1", "changes": [*changes, of_b], "reloads": ["php8.4-fpm", "nginx"], "problems": [problem]}
    plan = plans.build([server])
    assert [(part.subject, part.server) for part in plan.parts] == [("a.example", "web1"), ("b.example", "web1")]
    groups = plan.parts[0].groups
    assert [group.label for group in groups] == ["nginx", "DNS (BIND)", "MariaDB", "Mail", "System"]
    assert [group.reload for group in groups] == [True, False, False, False, False]
    assert (plan.added, plan.changed, plan.removed) == (2, 2, 2)
    assert plan.reloads == ["nginx", "PHP 8.4"]
    assert plan.problems == [("c.example", "In the way.")]
    assert groups[2].changes[0].note == "past its deadline"
    assert groups[3].changes[0].name == "alias:x@a.example"
    assert plan.parts[1].groups[0].changes[0].note.startswith("The server differs")


def test_a_plan_too_long_to_be_kept_counts_all_of_it():
    server = {"server": "web1", "changes": [], "counts": {"add": 5, "remove": 1, "destroy": 1}, "truncated": True}
    plan = plans.build([{**server, "reloads": []}])
    assert (plan.added, plan.changed, plan.removed, plan.truncated) == (5, 0, 2, True)


def test_nothing_to_change_is_an_empty_plan():
    assert plans.build([]) == plans.Plan([], 0, 0, 0, [], [], False)


def test_every_look_of_the_node_has_words():
    assert {maker.name for maker in (*MAKERS, PACKAGES)} <= words.LOOKS.keys()
