"""Settings of the test suite: SQLite in memory, or PostgreSQL when HOSTWRIGHT_TEST_DATABASE_URL is set."""

import os
import tempfile
from pathlib import Path

import dj_database_url

from panel.core.logs import configure
from panel.settings.base import *  # noqa: F403

SECRET_KEY = "only-for-tests"  # noqa: S105
VAULT_KEYS = ["dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtMDE="]
VAR_DIR = Path(tempfile.gettempdir()) / "hostwright-test"

_url = os.environ.get("HOSTWRIGHT_TEST_DATABASE_URL", "")
_database: dict[str, object]
if _url:
    _database = dict(dj_database_url.parse(_url))
else:
    _database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "OPTIONS": {"timeout": 30}}
DATABASES = {"default": _database, "snapshot": {**_database, "TEST": {"MIRROR": "default"}}}

_redis = os.environ.get("HOSTWRIGHT_TEST_REDIS_URL", "")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = _redis or "memory://"
CELERY_TASK_ALWAYS_EAGER = False
CELERY_WORKER_CONCURRENCY = 4

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_AUTOREFRESH = True

NEUTRAL_PANEL_DOMAIN = ""
NEUTRAL_NAMESERVERS = []
VIES_URL = ""

PUBLIC_RESOLVERS = ["255.255.255.255"]  # nobody answers there, and the kernel says so at once

LOGGING_CONFIG = None
configure(json=False, level="ERROR")
STRIPE_API = "http://127.0.0.1:9"  # nothing answers there: tests bring their own
