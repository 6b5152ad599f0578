"""A plan and a change of somebody else at the same moment: whoever commits first, nothing passes that was not shown."""

from __future__ import annotations

import threading
from typing import Any

from django.db import connection, transaction

from panel.core.actors import Actor
from panel.core.errors import Conflict
from provisioning import preview as engine
from provisioning import reconcile
from provisioning.models import HostingAccount, Operation, Preview
from provisioning.services import mailboxes, previews
from tests.concurrency.field import Field, together, until

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"


def suspension(field: Field) -> Preview:
    """Work out the plan of a suspension, as the reseller asks for it."""
    asker, wanted = field.ground.cast.reseller_a.actor, {"hosting": field.ground.account_a.id, "reason": ""}
    preview = previews.request(actor=asker, verb="account.suspend", arguments=wanted)
    engine.build(preview.id)
    return Preview.objects.get(pk=preview.pk)


def confirm(field: Field, preview: Preview) -> Any:
    """Confirm a plan."""
    return previews.confirm(actor=field.ground.cast.reseller_a.actor, preview=preview)


def somebody_waits() -> bool:
    """Whether a transaction waits for another's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_a_change_that_commits_while_the_confirmation_waits_outdates_the_plan(field: Field):
    reconcile.reconcile(field.ground.server.id)
    preview, changed = suspension(field), threading.Event()

    def change() -> None:
        with transaction.atomic():
            mailboxes.create(actor=SYSTEM, mail_domain=field.ground.mail_domain, local="late", password=PASSWORD)
            changed.set()
            until("the confirmation waits for the account", somebody_waits)

    def confirm_meanwhile() -> Any:
        assert changed.wait(30)
        return confirm(field, preview)

    _done, refusal = together([change, confirm_meanwhile])
    assert isinstance(refusal, Conflict)
    assert refusal.code == "plan_outdated"
    assert HostingAccount.objects.get(pk=field.ground.account_a.pk).status == "active"
    assert Preview.objects.get(pk=preview.pk).status == "outdated"
    assert not Operation.objects.filter(verb="account.suspend").exists()


def test_of_many_confirmations_of_one_plan_one_passes(field: Field):
    reconcile.reconcile(field.ground.server.id)
    preview = suspension(field)
    results = together([lambda: confirm(field, preview) for _click in range(8)])
    refused = [item for item in results if isinstance(item, Exception)]
    assert len(refused) == 7
    assert {getattr(item, "code", item) for item in refused} == {"expired"}
    assert Operation.objects.filter(verb="account.suspend").count() == 1
