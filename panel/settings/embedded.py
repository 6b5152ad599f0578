"""Settings for one machine without a database server or Redis: SQLite and Celery on files, all under `var/`."""

import os
from pathlib import Path

from panel.core.files import secret_text
from panel.core.logs import configure
from panel.settings import base
from panel.settings.base import *  # noqa: F403

VAR_DIR = Path(os.environ.get("HOSTWRIGHT_VAR_DIR") or base.VAR_DIR)
MESSAGES_DIR = VAR_DIR / "celery"
for folder in (VAR_DIR, VAR_DIR / "static", MESSAGES_DIR, MESSAGES_DIR / "messages", MESSAGES_DIR / "control"):
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)

SECRET_KEY = os.environ.get("HOSTWRIGHT_SECRET_KEY") or secret_text(VAR_DIR / "secret.key")
VAULT_KEYS = [key for key in os.environ.get("HOSTWRIGHT_VAULT_KEY", "").split(",") if key]
VAULT_KEY_FILE = VAR_DIR / "vault.key"
DEBUG = os.environ.get("HOSTWRIGHT_DEBUG") == "1"


def _sqlite(mode: str) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR_DIR / "hostwright.sqlite3",
        "OPTIONS": {"timeout": 30, "transaction_mode": mode, "init_command": "PRAGMA journal_mode=WAL"},
    }


# Writers queue up from the start of their transaction; `snapshot` reads one state without keeping anybody waiting.
DATABASES = {"default": _sqlite("IMMEDIATE"), "snapshot": _sqlite("DEFERRED")}
NEUTRAL_PANEL_DOMAIN = base.NEUTRAL_PANEL_DOMAIN or "panels.localhost"  # leads to this machine (RFC 6761 §6.3)
PANEL_SCHEME = "http"
PANEL_PORT = os.environ.get("HOSTWRIGHT_PORT", "8000")
SCAN_URL = os.environ.get("HOSTWRIGHT_SCAN_URL", f"http://127.0.0.1:{PANEL_PORT}")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

CELERY_BROKER_URL = "hostwright-files://localhost/"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": str(MESSAGES_DIR / "messages"),
    "data_folder_out": str(MESSAGES_DIR / "messages"),
    "control_folder": str(MESSAGES_DIR / "control"),
    "store_processed": False,
    "polling_interval": 0.05,
}
CELERY_WORKER_CONCURRENCY = 8
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "mail"
STATIC_ROOT = VAR_DIR / "static"

LOGGING_CONFIG = None
configure(json=False, level=os.environ.get("HOSTWRIGHT_LOG_LEVEL", "INFO"))
