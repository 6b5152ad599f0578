"""Previews as services: what may be asked, what is kept of it, and that it is confirmed once by who asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from panel.core.scoping import everything
from provisioning import preview as engine
from provisioning.models import HostingAccount, Mailbox, Preview
from provisioning.services import mailboxes, previews, verbs
from tests.cast import Person
from tests.provisioning import plans
from tests.provisioning.ground import Ground, acting, refused, rows

PASSWORD = "correct horse 42"


def ask(person: Person, verb: str, **arguments: Any) -> Preview:
    """Ask for a preview as somebody."""
    with acting(person):
        return previews.request(actor=person.actor, verb=verb, arguments=arguments)


def ready(preview: Preview) -> Preview:
    """Let a preview have been worked out."""
    return plans.ready(preview.id, {"servers": []})


def order(ground: Ground, **more: Any) -> dict[str, Any]:
    """Return the arguments of an order."""
    wanted = {"organization": ground.cast.client_a.organization.id, "package": ground.package_a.id}
    return {**wanted, "domain": "planned.org", **more}


def test_a_plan_is_confirmed_once_by_who_asked(ground: Ground):
    asker = ground.cast.reseller_a
    preview = ask(asker, "account.create", **order(ground))
    with acting(asker), refused("expired", None, 409):
        previews.confirm(actor=asker.actor, preview=preview)
    preview = ready(preview)
    with everything("test"):
        for person in (ground.cast.reseller_b, ground.cast.client_a):
            with refused("not_found", None, 404):
                previews.confirm(actor=person.actor, preview=preview)
        with refused("not_yours", None, 409):
            previews.confirm(actor=ground.cast.provider.actor, preview=preview)
    with acting(asker):
        made, operation = previews.confirm(actor=asker.actor, preview=preview)
        assert operation is not None
        assert (made.domain, operation.verb) == ("planned.org", "account.create")
        with refused("expired", None, 409):
            previews.confirm(actor=asker.actor, preview=preview)
    assert HostingAccount._base_manager.filter(domain="planned.org").count() == 1


def test_a_plan_expires(ground: Ground):
    asker = ground.cast.reseller_a
    preview = ready(ask(asker, "account.create", **order(ground)))
    Preview._base_manager.update(expires_at=timezone.now() - timedelta(seconds=1))
    with acting(asker), refused("expired", None, 409):
        previews.confirm(actor=asker.actor, preview=preview)
    Preview._base_manager.update(expires_at=timezone.now() - timedelta(hours=1))
    previews.forget_expired()
    assert not Preview._base_manager.exists()


def test_a_refused_confirmation_can_be_repeated(ground: Ground):
    asker = ground.cast.reseller_a
    preview = ready(ask(asker, "account.create", **order(ground, domain="a-site.org")))
    with acting(asker), refused("name_taken", "domain", 409):
        previews.confirm(actor=asker.actor, preview=preview)


def test_secrets_are_not_kept_and_asked_for_again(ground: Ground):
    asker = ground.cast.client_a
    wanted = {"mail_domain": ground.mail_domain.id, "local": "anna", "password": PASSWORD}
    preview = ready(ask(asker, "mailbox.create", **wanted))
    assert PASSWORD not in str(preview.arguments)
    with acting(asker):
        with refused("required", "password"):
            previews.confirm(actor=asker.actor, preview=preview)
        previews.confirm(
            actor=asker.actor, preview=preview, secrets={"password": PASSWORD, "local": "other", "actor": "x"}
        )
        assert Mailbox.objects.get().local == "anna"


def test_a_change_without_secrets_needs_none(ground: Ground):
    asker = ground.cast.client_a
    with acting(asker):
        mailbox = mailboxes.create(actor=asker.actor, mail_domain=ground.mail_domain, local="anna", password=PASSWORD)[
            0
        ]
    preview = ready(ask(asker, "mailbox.change", mailbox=mailbox.id, quota_bytes=5000))
    with acting(asker):
        previews.confirm(actor=asker.actor, preview=preview, secrets={"password": "not asked for 1"})
        now = Mailbox.objects.get()
    assert (now.quota_bytes, now.password_hash) == (5000, mailbox.password_hash)


@pytest.mark.parametrize("field", ["uid", "home", "shell", "is_staff", "role", "actor", "quota", "owner"])
def test_f3_fields_that_a_verb_does_not_have_are_refused(ground: Ground, field: str):
    asker = ground.cast.reseller_a
    with acting(asker), refused("unknown", field):
        verbs.run(actor=asker.actor, verb="account.create", arguments=order(ground, **{field: 0}))
    with acting(asker), refused("unknown", field):
        verbs.run(
            actor=asker.actor,
            verb="record.change" if field == "actor" else "mailbox.change",
            arguments={"mailbox": "x", "record": "x", field: 0} if field == "actor" else {"mailbox": None, field: 0},
        )


def test_a_verb_says_what_is_missing(ground: Ground):
    asker = ground.cast.reseller_a
    with acting(asker), refused("required", "domain"):
        wanted = order(ground)
        del wanted["domain"]
        verbs.run(actor=asker.actor, verb="account.create", arguments=wanted)
    with acting(asker), refused("unknown", "verb"):
        verbs.run(actor=asker.actor, verb="account.destroy", arguments={})
    with acting(asker), refused("unknown", "verb"):
        previews.request(actor=asker.actor, verb="__import__", arguments={})


@pytest.mark.parametrize("value", ["pkg_nothing", 5, {"id": "x"}, True, ["pkg_nothing"]])
def test_ids_that_are_not_in_sight_are_not_found(ground: Ground, value: Any):
    asker = ground.cast.reseller_a
    for wanted in (value, ground.package_b.id):
        with acting(asker), refused("not_found", None, 404):
            verbs.run(actor=asker.actor, verb="account.create", arguments=order(ground, package=wanted))


def test_a_refusal_by_the_service_is_the_previews_answer(ground: Ground):
    asker = ground.cast.reseller_a
    preview = ask(asker, "account.create", **order(ground, domain="gmail.com"))
    before = rows()
    engine.build(preview.id)
    preview = Preview._base_manager.get(pk=preview.pk)
    assert (preview.status, preview.result["code"], preview.result["field"]) == ("refused", "reserved", "domain")
    assert rows() == before
