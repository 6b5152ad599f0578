"""The audit log as people and programs filter and export it, each within what they may see."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import policy
from accounts.services import organizations
from panel.core import ids
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from panel.dashboard import words
from tests.cast import Cast
from tests.provisioning import factories

PAGE = reverse("dashboard:activity")
API = "/api/v1/audit"


@pytest.fixture
def log(cast: Cast) -> Cast:
    """Entries of client A: by the provider, by reseller A, and one of long ago."""
    with everything("test"):
        for actor, name in ((cast.provider.actor, "By provider"), (cast.reseller_a.actor, "By reseller")):
            organizations.change(actor=actor, organization=cast.client_a.organization, name=name)
        factories.package(cast.reseller_a.organization, "Old")
        old = timezone.now() - timedelta(days=40)
        entry = AuditEntry.objects.get(action="package.create")
        AuditEntry.objects.filter(pk=entry.pk).update(id=ids.first("aud", old), at=old)
    return cast


def labels(cast: Cast, role: str, **query: Any) -> list[str]:
    answer = getattr(cast, role).browser().get(PAGE, {**query, "export": "csv"})
    return [row["To what"] for row in csv.DictReader(io.StringIO(answer.getvalue().decode(), newline=""))]


def listed(cast: Cast, role: str, **query: Any) -> list[str]:
    answer = getattr(cast, role).program().get(API, {**query, "limit": 200})
    assert answer.status_code == 200, answer.json()
    return [row["object_label"] for row in answer.json()["items"]]


def test_filters_by_actor_action_object_and_day(log: Cast):
    client, today = log.client_a.organization.pk, timezone.now().date().isoformat()
    for read in (labels, listed):
        assert read(log, "reseller_a", action="package") == ["Old"]
        assert read(log, "reseller_a", action="package", since=today) == []
        assert read(log, "reseller_a", q="old", until=today) == ["Old"]
        assert read(log, "reseller_a", actor="reseller a", object=client) == ["By reseller"]
    assert len(listed(log, "reseller_a", action="organization.change", object=client)) == 2


def test_nobody_above_is_found_by_name(log: Cast):
    assert listed(log, "reseller_a", actor="provider") == []
    assert labels(log, "reseller_a", q="Provider", action="organization") == ["By provider"]
    assert len(listed(log, "provider", actor="provider")) >= 1


def test_the_page_says_that_somebody_was_impersonated_and_names_nobody_above(log: Cast):
    with everything("test"):
        AuditEntry.objects.filter(action="organization.change").update(
            impersonator_id=log.provider.user.pk,
            impersonator_label="provider@people.example",
            impersonator_path=log.provider.organization.path,
            actor_label=log.client_a.user.email,
            actor_path=log.client_a.organization.path,
        )
    seen = log.reseller_a.browser().get(PAGE).content.decode()
    assert f"your host as {log.client_a.user.email}" in seen
    assert "provider@people.example" not in seen
    assert "provider@people.example as" in log.provider.browser().get(PAGE).content.decode()


def test_other_tenants_entries_are_neither_shown_nor_sent(log: Cast):
    assert "Old" not in labels(log, "reseller_b")
    assert "Old" not in listed(log, "reseller_b")
    refused = log.reseller_a.program().get(API, {"colour": "red"})
    assert refused.status_code == 400


def test_a_filter_that_is_not_valid_says_so_at_its_field_and_shows_nothing(log: Cast):
    for query, word in (({"action": "nonsense"}, "nonsense"), ({"since": "yesterday"}, "Enter a valid date.")):
        answer = log.reseller_a.browser().get(PAGE, query)
        page = answer.content.decode()
        assert answer.status_code == 400
        assert word in page.partition("Export CSV")[0]
        assert "is-invalid" in page
        assert "Nothing is shown" in page
        assert "By reseller" not in page
        refused = log.reseller_a.browser().get(PAGE, {**query, "export": "csv"})
        assert (refused.status_code, refused.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert log.reseller_a.browser().get(PAGE, {"page": "2", "sort": "-at", "nothing": "x"}).status_code == 200


def test_the_page_says_in_words_what_was_done_and_the_file_by_name(log: Cast):
    page = log.client_a.browser().get(PAGE).content.decode()
    assert "Organization: changed" in page
    assert "organization.change<" not in page
    answer = log.client_a.browser().get(PAGE, {"export": "csv"})
    assert "organization.change," in answer.getvalue().decode()


def test_every_action_that_changes_something_has_words():
    looked = ("view", "inspect", "secure", "weaken")
    named = [name.partition(".") for name in policy.ACTIONS]
    lacking = {verb for noun, _dot, verb in named if verb not in words.VERBS and verb not in looked}
    assert lacking == set()
    assert {noun for noun, _dot, _verb in named} - set(words.NOUNS) <= {"audit", "preview", "profile", "usage"}
