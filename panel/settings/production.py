"""Settings for production: PostgreSQL, Redis and secrets come from the environment, and all must be given."""

import os

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from panel.core.logs import configure
from panel.settings.base import *  # noqa: F403


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"Set the environment variable {name}.")
    return value


def _listed(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


SECRET_KEY = _required("HOSTWRIGHT_SECRET_KEY")
SECRET_KEY_FALLBACKS = _listed("HOSTWRIGHT_SECRET_KEY_FALLBACKS")
VAULT_KEYS = [key for key in _required("HOSTWRIGHT_VAULT_KEY").split(",") if key]
PROVIDER_HOSTS = _listed("HOSTWRIGHT_PROVIDER_HOSTS", "localhost,127.0.0.1,[::1]")

_database = dj_database_url.parse(_required("HOSTWRIGHT_DATABASE_URL"), conn_max_age=60, conn_health_checks=True)
DATABASES = {"default": _database, "snapshot": dict(_database)}

_redis = _required("HOSTWRIGHT_REDIS_URL")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _redis}}
CELERY_BROKER_URL = _redis
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_WORKER_CONCURRENCY = int(os.environ.get("HOSTWRIGHT_WORKER_THREADS", "16"))

# HOSTWRIGHT_PLAIN_HTTP=1 is for a trial without TLS in front of the panel; cookies then travel unencrypted.
_tls = os.environ.get("HOSTWRIGHT_PLAIN_HTTP") != "1"
SESSION_COOKIE_SECURE = _tls
CSRF_COOKIE_SECURE = _tls
PANEL_SCHEME = "https" if _tls else "http"
PANEL_PORT = os.environ.get("HOSTWRIGHT_PORT", "")
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if _tls else 0
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if os.environ.get("HOSTWRIGHT_BEHIND_PROXY") == "1" else None
)
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if os.environ.get("HOSTWRIGHT_BEHIND_PROXY") == "1" else 0
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _tls else "http"

EMAIL_BACKEND = "accounts.voice.smtp.SmtpBackend"
EMAIL_HOST = os.environ.get("HOSTWRIGHT_SMTP_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("HOSTWRIGHT_SMTP_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("HOSTWRIGHT_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("HOSTWRIGHT_SMTP_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("HOSTWRIGHT_SMTP_TLS") == "1"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("HOSTWRIGHT_MAIL_FROM", "Hostwright <panel@localhost>")

WHITENOISE_USE_FINDERS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING_CONFIG = None
configure(json=True, level=os.environ.get("HOSTWRIGHT_LOG_LEVEL", "INFO"))
