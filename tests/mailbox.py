"""Delivers the panel's mail at once in tests, as a worker would, so that it is in Django's outbox after the request."""

import pytest
from django.db import transaction

from accounts.services import outgoing_mails


@pytest.fixture(autouse=True)
def _mail_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    def ring(task_name: str, mail_id: str) -> None:
        transaction.on_commit(lambda: outgoing_mails.deliver(mail_id))

    monkeypatch.setattr(outgoing_mails, "ring", ring)
