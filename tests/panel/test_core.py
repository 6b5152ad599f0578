"""The kernel: ids, secrets at rest, audit entries, the doorbell, log lines, private files, security headers."""

import json
import logging
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.db import transaction
from django.test import Client, override_settings
from hypothesis import given
from hypothesis import strategies as st
from kombu.exceptions import OperationalError

from panel.celery import app
from panel.core import audit, ids, logs, policy, queue, vault
from panel.core.actors import Actor, Impersonator
from panel.core.errors import DomainError
from panel.core.files import secret_text
from panel.core.models import AuditEntry, Secret
from panel.core.scoping import everything
from tests.cast import HOST_A, Cast

SYSTEM = Actor.system("test")


def test_ids_are_short_plain_and_in_order() -> None:
    made = [ids.new("acc") for _number in range(2000)]
    assert made == sorted(set(made))
    for identifier in made[:10]:
        prefix, _underscore, rest = identifier.partition("_")
        assert prefix == "acc"
        assert len(rest) == 26
        assert set(rest) <= set("0123456789abcdefghjkmnpqrstvwxyz")
        assert rest[0] <= "7"


@pytest.mark.django_db
def test_a_secret_is_encrypted_and_comes_back() -> None:
    secret = vault.put("key of web1", b"-----BEGIN canary-----")
    stored = bytes(Secret.objects.get(pk=secret.pk).ciphertext)
    assert b"canary" not in stored
    assert vault.get(secret.pk) == b"-----BEGIN canary-----"
    vault.forget(secret.pk)
    with pytest.raises(Secret.DoesNotExist):
        vault.get(secret.pk)


@pytest.mark.django_db
def test_a_ciphertext_moved_to_another_row_is_refused() -> None:
    one, other = vault.put("one", b"1"), vault.put("other", b"2")
    Secret.objects.filter(pk=other.pk).update(ciphertext=one.ciphertext)
    with pytest.raises(ValueError, match="another secret"):
        vault.get(other.pk)


@pytest.mark.django_db
def test_keys_rotate() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    with override_settings(VAULT_KEYS=[old]):
        secret = vault.put("x", b"value")
    with override_settings(VAULT_KEYS=[new, old]):
        assert vault.get(secret.pk) == b"value"
        assert vault.rotate() == 1
    with override_settings(VAULT_KEYS=[new]):
        assert vault.get(secret.pk) == b"value"
    with override_settings(VAULT_KEYS=[old]), pytest.raises(InvalidToken):
        vault.get(secret.pk)


def test_a_private_file_is_private_from_the_start_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret.key"
    text = secret_text(path)
    assert len(text) >= 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret_text(path, "other") == text
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


@pytest.mark.django_db
def test_an_audit_entry_masks_secrets_and_keeps_both_identities() -> None:
    behind = Impersonator("usr_0", "Olga", "/")
    actor = Actor("usr_1", "org_1", "/org_1/", "reseller", "owner", "Anna", impersonator=behind, address="203.0.113.9")
    subject = Secret(name="x")
    changes = {"password": ("old", "new"), "api_token": (None, "abc"), "name": ("a", "b"), "count": (1, None)}
    with transaction.atomic():
        audit.record(actor, "thing.change", subject, changes)
    with everything("test"):
        entry = AuditEntry.objects.get()
    assert entry.changes == {
        "password": ["••••", "••••"],
        "api_token": [None, "••••"],
        "name": ["a", "b"],
        "count": [1, None],
    }
    assert (entry.actor_user_id, entry.impersonator_id, entry.address) == ("usr_1", "usr_0", "203.0.113.9")
    assert (entry.impersonator_label, entry.impersonator_path) == ("Olga", "/")
    assert entry.tenant_path == "/org_1/"


@pytest.mark.django_db(transaction=True)
def test_an_audit_entry_belongs_to_the_change_s_transaction() -> None:
    with pytest.raises(RuntimeError):
        audit.record(SYSTEM, "thing.change", Secret(name="x"))


def test_the_difference_is_what_differs() -> None:
    assert audit.difference({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": None}) == {"b": (2, 3)}


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_after_the_commit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(app, "send_task", lambda name, args, **_: rung.append(f"{name} {args}"))
    with transaction.atomic():
        queue.ring("provisioning.tasks.sweep", "srv_1")
        assert rung == []
    assert rung == ["provisioning.tasks.sweep ('srv_1',)"]
    with transaction.atomic():
        queue.ring("provisioning.tasks.sweep", "srv_2")
        transaction.set_rollback(True)
    assert len(rung) == 1


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_once_for_a_whole_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[tuple[str, ...]] = []
    monkeypatch.setattr(app, "send_task", lambda name, args, **_: rung.append(args))
    with transaction.atomic():
        with transaction.atomic():
            queue.ring("provisioning.tasks.sweep", "srv_1")
            transaction.set_rollback(True)
        for server in ("srv_1", "srv_1", "srv_2", "srv_1"):
            with transaction.atomic():
                queue.ring("provisioning.tasks.sweep", server)
    assert rung == [("srv_1",), ("srv_2",)]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(name: str, args: tuple[str, ...], **_: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(app, "send_task", down)
    with transaction.atomic():
        queue.ring("provisioning.tasks.sweep")
    queue.ring("provisioning.tasks.sweep")


def test_an_action_that_the_table_does_not_know_is_a_fault() -> None:
    with pytest.raises(LookupError):
        policy.require(SYSTEM, "nothing.known")


def test_without_a_checker_nothing_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.core.policy._checkers", [])
    with pytest.raises(RuntimeError):
        policy.allowed(SYSTEM, "server.view")


@given(st.text(max_size=60))
def test_no_value_forges_a_log_line(text: str) -> None:
    shown = logs.escaped(text)
    assert shown.isprintable()
    assert logs.escaped("plain Ünï 名") == "plain Ünï 名"


def test_a_log_line_is_one_line_whatever_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.configure(json=True, level="INFO")
        logging.getLogger("test").info("login failed for %s", "x\n2026-01-01 [error] forged\x1b[31m")
        lines = [line for line in capsys.readouterr().err.splitlines() if "login failed" in line]
    finally:
        logs.configure(json=False, level="ERROR")
        root.handlers[:], root.level = handlers, level
    (line,) = lines
    document: dict[str, Any] = json.loads(line)
    assert document["event"] == "login failed for x\\n2026-01-01 [error] forged\\x1b[31m"


def test_every_answer_has_the_security_headers(cast: Cast) -> None:
    for path in ("/sign-in/", "/api/v1/me", "/brand.css", "/nothing-here/"):
        headers = Client(headers={"host": HOST_A}).get(path).headers
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(cast: Cast) -> None:
    client = Client(headers={"host": HOST_A})
    client.post("/sign-in/", {"login": cast.client_a.user.email, "password": "a-Long-enough-9"})
    for name in ("panel_session", "panel_csrf"):
        cookie = client.cookies[name]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


def test_refusals_carry_their_fields() -> None:
    refusal = DomainError("code", "message", "field")
    assert (refusal.status, refusal.errors) == (400, {"field": ["message"]})
    assert DomainError("code", "message").errors == {}
