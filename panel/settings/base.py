"""Settings common to every way of running the panel."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = BASE_DIR / "var"
MESSAGES_DIR = VAR_DIR / "celery"  # of the embedded broker

DEBUG = False
ROOT_URLCONF = "panel.urls"
ASGI_APPLICATION = "panel.asgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The request's host is checked against the brands' panel hosts by accounts.middleware.PanelHostMiddleware.
ALLOWED_HOSTS = ["*"]
PROVIDER_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "django_tables2",
    "django_filters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "panel.core",
    "accounts",
    "provisioning.apps.ProvisioningConfig",
    "billing.apps.BillingConfig",
    "panel.dashboard",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "panel.core.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "panel.health.HealthMiddleware",
    "billing.web.middleware.PaymentHookMiddleware",
    "accounts.middleware.CredentialsMiddleware",
    "accounts.middleware.PanelHostMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.ActorMiddleware",
    "accounts.web.middleware.ImpersonationMiddleware",
    "accounts.web.middleware.StandingMiddleware",
    "panel.dashboard.middleware.LanguageMiddleware",
    "panel.dashboard.middleware.TimeZoneMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates" / "html"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
                "panel.dashboard.context.shell",
            ]
        },
    }
]

# Forms and tables take their look from templates/html, so that no form carries classes.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
DJANGO_TABLES2_TEMPLATE = "django_tables2/tabler.html"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["panel.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_USE_FINDERS = True

# Sign-in. People are looked up per panel host, see accounts.backends.
AUTHENTICATION_BACKENDS = ["accounts.backends.PanelHostBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
MFA_ADAPTER = "accounts.adapters.MfaAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_UNIQUE_EMAIL = True  # of allauth's own address table, which stays empty here
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_FORMS = {"login": "accounts.forms.SignInForm", "reset_password": "accounts.forms.PasswordResetForm"}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/5m/ip,3/5m/key",
    "reset_password_from_key": "20/5m/ip",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
    "order": "20/10m/ip",
    "order_look": "120/5m/ip",
}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.reset_tokens.ResetTokenGenerator"  # noqa: S105
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TRUST_ENABLED = True
MFA_FORMS = {
    "authenticate": "accounts.forms.CodeForm",
    "reauthenticate": "accounts.forms.CodeAgainForm",
    "add_webauthn": "accounts.forms.PasskeyAddForm",
    "login_webauthn": "accounts.forms.PasskeyLoginForm",
    "authenticate_webauthn": "accounts.forms.PasskeyForm",
    "reauthenticate_webauthn": "accounts.forms.PasskeyAgainForm",
}
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1

SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_NAME = "panel_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "panel_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_USE_SESSIONS = False
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

DEFAULT_FROM_EMAIL = "Hostwright <panel@localhost>"
# The addresses that mail leaves from, for the SPF records of brands; empty: unknown.
MAIL_SOURCES = [ip for ip in os.environ.get("HOSTWRIGHT_MAIL_SOURCES", "").split(",") if ip]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.TokenAuthentication",
        "panel.core.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["panel.core.api.permissions.HasActor"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["panel.core.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "panel.core.api.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": ["panel.core.api.throttling.CallerThrottle"],
    "DEFAULT_THROTTLE_RATES": {"caller": "1200/min", "anonymous": "60/min"},
    "EXCEPTION_HANDLER": "panel.core.api.problems.handler",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Hosting API",
    "DESCRIPTION": "Everything that a person can do in a page, a program can do here, by the same rules.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "panel.core.api.schema.describe_pages",
        "panel.core.api.schema.add_problem_responses",
    ],
    "ENUM_NAME_OVERRIDES": {
        "OrganizationStatus": "accounts.models.Organization.Status",
        "ProductKind": "billing.models.Product.Kind",
        "OrganizationKind": "accounts.models.Organization.Kind",
        "AccountStatus": "provisioning.models.HostingAccount.Status",
        "OperationStatus": "provisioning.models.Operation.Status",
        "TargetStatus": "provisioning.api.operations.PART_STATES",
        "StepStatus": "provisioning.models.RunStep.Status",
        "PreviewStatus": "provisioning.models.Preview.Status",
        "BrandScanStatus": "provisioning.models.BrandScan.Status",
        "PointerState": "provisioning.api.servers.POINTER_STATES",
        "AddressKind": "provisioning.models.Address.Kind",
        "SubscriptionStatus": "billing.models.Subscription.Status",
        "SiteNameKind": "provisioning.models.SiteName.Kind",
        "PaymentStatus": "billing.models.Payment.Status",
        "PaymentSource": "billing.models.Payment.Source",
        "RefundStatus": "billing.models.Refund.Status",
        "DisputeStatus": "billing.models.Dispute.Status",
        "BankEntryStatus": "billing.models.BankEntry.Status",
        "MeterSource": "billing.models.Meter.Source",
        "WebhookMessageStatus": "billing.models.HookDelivery.Status",
        "PaperKind": "billing.models.Invoice.Kind",
        "PaperStatus": "billing.models.Invoice.Status",
        "OrderStatus": "billing.models.Order.Status",
        "LedgerAccount": "billing.models.LedgerEntry.Account",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_EVENT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.1}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "provisioning.tasks.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "sweep_mail": {"task": "accounts.tasks.sweep_mail", "schedule": 30.0, "options": {"expires": 30}},
    "overuse": {"task": "provisioning.tasks.check_overuse", "schedule": 3600.0, "options": {"expires": 3600}},
    "brands": {"task": "provisioning.tasks.check_brands", "schedule": 300.0, "options": {"expires": 300}},
    "forget_sign_in": {"task": "accounts.tasks.forget_sign_in", "schedule": 3600.0, "options": {"expires": 3600}},
    "prune_usage": {"task": "provisioning.tasks.prune_usage", "schedule": 3600.0, "options": {"expires": 3600}},
    "bill": {"task": "billing.tasks.bill", "schedule": 300.0, "options": {"expires": 300}},
    "payments": {"task": "billing.tasks.sweep_payments", "schedule": 60.0, "options": {"expires": 60}},
    "vat_numbers": {"task": "billing.tasks.check_vat_numbers", "schedule": 300.0, "options": {"expires": 300}},
    "papers": {"task": "billing.tasks.make_papers", "schedule": 60.0, "options": {"expires": 60}},
    "orders": {"task": "billing.tasks.sweep_orders", "schedule": 10.0, "options": {"expires": 10}},
    "hooks": {"task": "billing.tasks.sweep_hooks", "schedule": 30.0, "options": {"expires": 30}},
    "purge": {"task": "panel.core.tasks.purge", "schedule": 3600.0, "options": {"expires": 3600}},
}

VAULT_KEYS: list[str] = []
VAULT_KEY_FILE = VAR_DIR / "vault.key"

SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # an address is unique within a brand root, by a constraint
# Where panels answer, for links in mails: https://<host>, or with another scheme and port.
PANEL_SCHEME = "https"
PANEL_PORT = ""

# A domain that names nobody, whose names below all lead to this panel: every brand gets a panel host there at once.
NEUTRAL_PANEL_DOMAIN = os.environ.get("HOSTWRIGHT_NEUTRAL_PANEL_DOMAIN", "").strip(" .").lower()

# Names of the installation's name servers that name nobody: brands without some of their own have these.
_names = os.environ.get("HOSTWRIGHT_NEUTRAL_NAMESERVERS", "").lower().split(",")
NEUTRAL_NAMESERVERS = [name.strip(" .") for name in _names if name.strip(" .")]

# Addresses at which panels answer, shown to who points a host name here; a host may lead there though it is not public.
PANEL_ADDRESSES = [ip for ip in os.environ.get("HOSTWRIGHT_PANEL_ADDRESSES", "").split(",") if ip]

# How long the data of a terminated account or removed database stays before a server may destroy it.
TERMINATION_GRACE_DAYS = 7
# How long operations that are over, runs and their steps are kept.
HISTORY_DAYS = int(os.environ.get("HOSTWRIGHT_HISTORY_DAYS", "90"))
# How often every server is compared with what was last made so; each by itself, up to a tenth earlier or later.
DRIFT_CHECK_MINUTES = int(os.environ.get("HOSTWRIGHT_DRIFT_CHECK_MINUTES", "60"))
# How often every server measures what its accounts use; each by itself, up to a tenth earlier or later.
USAGE_MINUTES = int(os.environ.get("HOSTWRIGHT_USAGE_MINUTES", "60"))
# Where scans of brands ask this panel, the front that strangers reach: never where a brand's own host name leads.
SCAN_URL = os.environ.get("HOSTWRIGHT_SCAN_URL", "http://127.0.0.1:8000")
# Whether sellers' programs may be told of invoices at addresses that are not public, and without TLS.
HOOKS_TO_PRIVATE_HOSTS = os.environ.get("HOSTWRIGHT_HOOKS_TO_PRIVATE_HOSTS", "") == "1"
# Resolvers that know the public DNS, for the MX check; empty: this machine's own.
PUBLIC_RESOLVERS = [ip for ip in os.environ.get("HOSTWRIGHT_PUBLIC_RESOLVERS", "").split(",") if ip]
# Where Stripe's API is: a stub on this machine in tests and the demo.
STRIPE_API = os.environ.get("HOSTWRIGHT_STRIPE_API", "https://api.stripe.com")

# Where the European Union's service for VAT numbers answers (VIES, REST); empty: numbers stay unchecked.
VIES_URL = os.environ.get("HOSTWRIGHT_VIES_URL", "https://ec.europa.eu/taxation_customs/vies/rest-api").rstrip("/")
# Whether that may be a host that is not on the public Internet, such as a proxy.
VIES_PRIVATE_ALLOWED = os.environ.get("HOSTWRIGHT_VIES_PRIVATE", "") == "1"
