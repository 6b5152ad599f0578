"""Encryption of secrets at rest (SSH, TLS and DKIM private keys and the like). Not for passwords, which are hashed."""

from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from panel.core.files import secret_text
from panel.core.models import Secret


def put(name: str, value: bytes) -> Secret:
    """Store `value` encrypted; `name` is for people and may repeat."""
    secret = Secret(name=name)
    secret.ciphertext = _cipher().encrypt(_bound(secret.id) + value)
    secret.save(force_insert=True)
    return secret


def get(secret_id: str) -> bytes:
    """Return the value; raises Secret.DoesNotExist, or ValueError when the row holds another secret's ciphertext."""
    secret = Secret.objects.get(pk=secret_id)
    value = _cipher().decrypt(bytes(secret.ciphertext))
    if not value.startswith(_bound(secret.id)):
        raise ValueError("This ciphertext belongs to another secret.")
    return value.removeprefix(_bound(secret.id))


def forget(secret_id: str) -> None:
    """Delete the secret; nothing happens when there is none."""
    Secret.objects.filter(pk=secret_id).delete()


def rotate() -> int:
    """Encrypt every secret anew with the first key; returns how many. Afterwards older keys may go."""
    count = 0
    for secret in Secret.objects.iterator():
        Secret.objects.filter(pk=secret.pk).update(ciphertext=_cipher().rotate(bytes(secret.ciphertext)))
        count += 1
    return count


def seal(text: str) -> str:
    """Return `text` encrypted for storage in a text column of another app."""
    return _cipher().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return what `seal` was given."""
    return _cipher().decrypt(sealed.encode()).decode()


def _bound(secret_id: str) -> bytes:
    return secret_id.encode() + b"\0"


def _cipher() -> MultiFernet:
    return _multi_fernet(tuple(settings.VAULT_KEYS) or (_file_key(Path(settings.VAULT_KEY_FILE)),))


@lru_cache(maxsize=4)
def _multi_fernet(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured("HOSTWRIGHT_VAULT_KEY must be Fernet keys (32 bytes, URL-safe base64).") from error


@lru_cache(maxsize=4)
def _file_key(path: Path) -> str:
    """Return the key in `path`, made with mode 0600 when there is none yet."""
    return secret_text(path, Fernet.generate_key().decode())
