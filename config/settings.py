"""Settings, all from the environment. `docs/configuration.md` lists every variable; `apps.core.checks` explains a wrong one."""

import base64
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import environ
from csp.constants import NONCE, SELF
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from apps.core.logging import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- what the owner sets ---------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="insecure-change-me")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
LIVE_URL = env.str("LIVE_URL", default="").rstrip("/")
DEMO = env.bool("DEMO", default=False)
PROXY_COUNT = env.int("PROXY_COUNT", default=0)
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
OUTGOING_ALLOW = env.list("OUTGOING_ALLOW", default=[])
EXTRA_KINDS: dict[str, list[str]] = {
    "channels": env.list("EXTRA_CHANNELS", default=[]),
    "blocks": env.list("EXTRA_BLOCKS", default=[]),
    "actions": env.list("EXTRA_ACTIONS", default=[]),
    "performers": ["apps.scenarios.performers"],  # of outside calls, known to layers above the sender's
    "webhook_formats": env.list("EXTRA_WEBHOOK_FORMATS", default=[]),
}
JAIL_ENGINE = env.str("JAIL_ENGINE", default="jsbox")
JAIL_PROCESSES = env.int("JAIL_PROCESSES", default=4)
JAIL_CPU_SECONDS = env.float("JAIL_CPU_SECONDS", default=1.0)
JAIL_WALL_SECONDS = env.float("JAIL_WALL_SECONDS", default=20.0)
JAIL_MEMORY_MB = env.int("JAIL_MEMORY_MB", default=64)
TELEGRAM_API_URL = env.str("TELEGRAM_API_URL", default="https://api.telegram.org").rstrip("/")


def _keys(text: str) -> list[tuple[str, bytes]]:
    pairs = (item.strip().partition(":") for item in text.split(",") if item.strip())
    return [(key_id, base64.b64decode(value)) for key_id, _colon, value in pairs]


FIELD_KEYS_TEXT = env.str("FIELD_KEYS", default="dev:" + base64.b64encode(b"insecure-development-key-only-32").decode())
try:
    FIELD_KEYS = _keys(FIELD_KEYS_TEXT)
except ValueError:
    FIELD_KEYS = []  # core.E001 says what is wrong with the value
BLIND_INDEX_KEY = env.str("BLIND_INDEX_KEY", default=SECRET_KEY)

# --- applications ----------------------------------------------------------------------------------------------------
# The administration's pages are a third of a process's memory. Where nobody asks for pages they are loaded when an address is needed
# (config/urls.py), which mostly is never.
_PROGRAM = Path(sys.argv[0])
_WITHOUT_PAGES = {_PROGRAM.name, _PROGRAM.parent.name} & {"celery", "uvicorn"} or sys.argv[1:2] == ["run_sender"]
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.simple_history",
    "django.contrib.admin.apps.SimpleAdminConfig" if _WITHOUT_PAGES else "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "axes",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "apps.core",
    "apps.accounts",
    "apps.events",
    "apps.bots",
    "apps.identity",
    "apps.conversations",
    "apps.customdata",
    "apps.customdata.importing",
    "apps.scenarios",
    "apps.gateway",
    "apps.panel",
    "apps.insights",
]
MIDDLEWARE = [
    "apps.core.middleware.TraceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "apps.core.middleware.MachineMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.PersonalMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
MACHINE_URLCONF = "apps.gateway.machine_urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- data ------------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres://postgres@127.0.0.1:5432/dialogbus")}
DATABASES["default"]["HOST"] = unquote(DATABASES["default"]["HOST"])  # a unix socket's folder is written with %2F
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"].update(
    {
        "connect_timeout": 3,
        # A stopped process must not hold a chat: its transaction is ended by the server (delivery.md, "stopped for 90 s").
        # Migrations of filled tables take their time.
        "options": ""
        if sys.argv[1:2] == ["migrate"]
        else "-c idle_in_transaction_session_timeout=15s -c lock_timeout=10s -c statement_timeout=60s -c plan_cache_mode=force_generic_plan",
        "tcp_user_timeout": 10_000,
    },
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(BASE_DIR / "media"))
MEDIA_URL = "/media/"
FILES_S3_BUCKET = env.str("FILES_S3_BUCKET", default="")  # uploaded files in an S3-compatible store instead of MEDIA_ROOT
FILES_S3_ENDPOINT = env.str("FILES_S3_ENDPOINT", default="")
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if FILES_S3_BUCKET:
    options = {"bucket_name": FILES_S3_BUCKET, "file_overwrite": False, "default_acl": "private"}
    options |= {"endpoint_url": FILES_S3_ENDPOINT} if FILES_S3_ENDPOINT else {}
    STORAGES["default"] = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
BUILT = BASE_DIR / "frontend" / "dist"  # `python -m tools.frontend`; without it pages say so and offer a plainer way
STATICFILES_DIRS: list[Any] = [BASE_DIR / "static", *([("app", BUILT)] if BUILT.is_dir() else [])]
WHITENOISE_USE_FINDERS = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- people and access -----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "apps.accounts.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
AXES_FAILURE_LIMIT = env.int("SIGN_IN_ATTEMPTS", default=5)
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "apps.core.ratelimit.client_ip"
AXES_LOCKOUT_CALLABLE = "apps.accounts.sign_in.locked_out"

# --- security --------------------------------------------------------------------------------------------------------
SECURE_HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_HTTPS
SECURE_SSL_REDIRECT = SECURE_HTTPS and env.bool("SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if SECURE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXY_COUNT else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Unfold's interface is Alpine.js, which evaluates its attributes; no inline script runs without the page's nonce.
        "script-src": [SELF, NONCE, "'unsafe-eval'"],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF, *([LIVE_URL] if LIVE_URL else [])],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
    },
}

# --- language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
PHONE_REGION = env.str("PHONE_REGION", default="")

# --- proof of phones and mailboxes -----------------------------------------------------------------------------------
# {"url", "method", "headers", "json" or "body"}; {phone}, {code} and {text} are filled in. Empty: codes are written to the log (development).
SMS_PROVIDER = env.json("SMS_PROVIDER", default={})
CODES_BY_EMAIL = env.bool("CODES_BY_EMAIL", default=False)
CONNECT_LINK_MAX_SECONDS = env.int("CONNECT_LINK_MAX_SECONDS", default=600)
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="dialog-bus@localhost")

# --- machine-facing HTTP ---------------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.strictjson.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Dialog Bus",
    "DESCRIPTION": "Events of your systems become dialogues; answers of your customers become actions.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}
CALL_WAIT_SECONDS = env.float("CALL_WAIT_SECONDS", default=10)
CALL_MAX_BYTES = env.int("CALL_MAX_BYTES", default=10 * 1024 * 1024)
TOKEN_CALLS_PER_MINUTE = env.int("TOKEN_CALLS_PER_MINUTE", default=6000)

# --- dialogues -------------------------------------------------------------------------------------------------------
# Asked in turn who takes an inbox item; the first that does not pass it on has answered (conversations/responder.py).
RESPONDERS = ["apps.scenarios.runtime.ScenarioResponder"]
# With one person, both ways. More looks like two bots talking to each other: the session is stopped and said so in the log.
MESSAGES_PER_HOUR = env.int("MESSAGES_PER_HOUR", default=600)
# Who is given the log's new rows after they are committed (events/bus.py), and who knows more of an event than its row (webhooks/envelopes.py).
EVENT_LISTENERS = ["apps.events.webhooks.deliveries.Webhooks", "apps.scenarios.hearing.Starts"]
EVENT_FACTS = ["apps.identity.telling.facts", "apps.conversations.telling.facts"]
WEBHOOK_DELIVERY_DAYS = env.int("WEBHOOK_DELIVERY_DAYS", default=30)
WEBHOOK_DISABLE_AFTER_HOURS = env.int("WEBHOOK_DISABLE_AFTER_HOURS", default=72)
DRAIN_BATCH = env.int("DRAIN_BATCH", default=100)
SENDER_IN_FLIGHT = env.int("SENDER_IN_FLIGHT", default=200)

# --- background work -------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # a task is a hint; the queue of record is PostgreSQL
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 2, "max_retries": 1}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker however long that is away
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "apps.core.beating:SteadyScheduler"
# A queue for imports alone, for which a worker of its own is started: `celery -A config worker --queues=<name>`.
CELERY_TASK_ROUTES = {"customdata.import": {"queue": env.str("IMPORT_QUEUE", default="celery")}}
CELERY_BEAT_SCHEDULE = {
    "sweep-search": {"task": "customdata.sweep_search", "schedule": 30.0, "options": {"expires": 25}},
    "sweep-bi": {"task": "customdata.sweep_bi", "schedule": 60.0, "options": {"expires": 50}},
    "tidy-imports": {"task": "customdata.tidy_imports", "schedule": 3600.0, "options": {"expires": 600}},
    "sweep": {
        "task": "conversations.sweep",
        "schedule": 10.0,
        "options": {"expires": 5},
    },  # a worker's sign of life; work is found by LOOKS
    "tidy-widgets": {"task": "panel.tidy", "schedule": 3600.0, "options": {"expires": 600}},
    "tidy": {"task": "conversations.tidy", "schedule": 3600.0, "options": {"expires": 600}},
    "tidy-webhooks": {"task": "events.tidy", "schedule": 3600.0, "options": {"expires": 600}},
    "tidy-gateway": {"task": "gateway.tidy", "schedule": 3600.0, "options": {"expires": 600}},
    "tidy-scripts": {"task": "scenarios.tidy", "schedule": 3600.0, "options": {"expires": 600}},
    "tidy-data": {"task": "customdata.tidy", "schedule": 3600.0, "options": {"expires": 600}},
    "tidy-identity": {"task": "identity.tidy", "schedule": 3600.0, "options": {"expires": 600}},
    "channel-health": {"task": "bots.check_channels", "schedule": 30.0, "options": {"expires": 25}},
}
# Sweeps that beat starts when there is something to do, which it asks the database each second (apps/core/looking.py): by task the question, and
# after how many seconds it is started again while there still is.
LOOKS = {
    "conversations.sweep": ("apps.conversations.due.SWEEP", 1.0),
    "identity.send_codes": ("apps.identity.due.CODES", 3.0),
    "customdata.sweep": ("apps.customdata.due.WORK", 5.0),
    "customdata.sweep_imports": ("apps.customdata.due.IMPORTS", 3.0),
    "scenarios.schedules": ("apps.scenarios.due.SCHEDULES", 10.0),
    "scenarios.publish_due": ("apps.scenarios.due.PUBLICATIONS", 10.0),
}

# --- logs ------------------------------------------------------------------------------------------------------------
LOGGING = logging_config(json_lines=not DEBUG, level=env.str("LOG_LEVEL", default="INFO"))

# --- admin -----------------------------------------------------------------------------------------------------------
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Dialog Bus",
    "SITE_HEADER": "Dialog Bus",
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": f"{STATIC_URL}admin_ui/icon.svg"}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "apps.insights.startpage.dashboard",
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "apps.insights.navigation.navigation"},
}
