"""Django settings. Everything an installation may change comes from the environment (docs/reference/settings.md)."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from ipaddress import ip_network
from pathlib import Path

from csp.constants import NONE, SELF
from django.contrib.messages import constants as message_levels
from django.utils.translation import gettext_lazy as _

from luming.core import installation

BASE_DIR = Path(__file__).resolve().parent.parent
installation.use_configuration()


def _flag(name: str, default: bool) -> bool:
    return os.environ.get(name, str(default)).strip().lower() in {"1", "true", "yes", "on"}


def _list(name: str, default: str) -> list[str]:
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


SECRET_KEY = installation.secret("secret_key", 48)
DEBUG = _flag("LUMING_DEBUG", False)
ALLOWED_HOSTS = _list("LUMING_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = _list("LUMING_ORIGINS", "")

# City --------------------------------------------------------------------------------------------------------------
LUMING_CITY = os.environ.get("LUMING_CITY", "baotou")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_filters",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "django_tables2",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "luming.core.apps.CoreConfig",
    "luming.registry.apps.RegistryConfig",
    "luming.telemetry.apps.TelemetryConfig",
    "luming.telemetry.quality.apps.QualityConfig",
    "luming.telemetry.marks.apps.MarksConfig",
    "luming.telemetry.review.apps.ReviewConfig",
    "luming.telemetry.statistics.apps.StatisticsConfig",
    "luming.telemetry.instruments.apps.InstrumentsConfig",
    "luming.telemetry.sampling.apps.SamplingConfig",
    "luming.telemetry.evidence.apps.EvidenceConfig",
    "luming.domains.air.apps.AirConfig",
    "luming.domains.water.apps.WaterConfig",
    "luming.domains.noise.apps.NoiseConfig",
    "luming.domains.enforcement.apps.EnforcementConfig",
    "luming.domains.permitting.apps.PermittingConfig",
    "luming.domains.disclosure.apps.DisclosureConfig",
    # Domains of third parties: packages that name their manifest as an entry point of this group.
    *(point.value.replace(":", ".") for point in sorted(entry_points(group="luming.domains"))),
    "luming.web.apps.WebConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "luming.web.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "luming.web.middleware.AccountMiddleware",
    "luming.web.middleware.TextMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "luming.web.urls"
WSGI_APPLICATION = "luming.web.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "luming.web.context.shell",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "luming.web.templatetags.luming",
            ],
        },
    },
]

# Database: the owner role migrates; serving processes (LUMING_DB_ROLE) switch to a role that can neither update nor
# delete packets and observations (telemetry migration 0002).
_database = installation.database_parameters(installation.database_url())
if _role := os.environ.get("LUMING_DB_ROLE"):
    _database["OPTIONS"]["options"] = f"-c role={_role}"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **_database,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "luming.web.auth.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
CSRF_FAILURE_VIEW = "luming.web.views.errors.csrf_failure"
MESSAGE_TAGS = {message_levels.ERROR: "danger", message_levels.DEBUG: "secondary"}  # names of the look
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
# GB/T 22239-2019 8.1.4.1: limit failed sign-ins, end idle sessions.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "luming.web.addresses.visitor"
AXES_LOCKOUT_CALLABLE = "luming.web.views.errors.locked_out"
SESSION_COOKIE_AGE = 8 * 3600
# Minutes without a click after which a session ends; 0 leaves it to the age of the session.
ADMIN_IDLE_MINUTES = int(os.environ.get("LUMING_ADMIN_IDLE_MINUTES", "30"))
IDLE_MINUTES = int(os.environ.get("LUMING_IDLE_MINUTES", "0"))
# Who must sign in with a second factor: admins, all or off. Whoever has enrolled one is always asked for it.
SECOND_FACTOR = os.environ.get("LUMING_SECOND_FACTOR") or (
    "off" if (installation.data_dir() / "demo").exists() else "admins"
)
if SECOND_FACTOR not in {"admins", "all", "off"}:
    raise ValueError(f"LUMING_SECOND_FACTOR must be admins, all or off, not {SECOND_FACTOR!r}")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _flag("LUMING_HTTPS", False)
SECURE_HSTS_SECONDS = 31536000 if SESSION_COOKIE_SECURE else 0
# The proxy ends TLS and says so; without this no answer would count as sent over it, and none would carry HSTS.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SESSION_COOKIE_SECURE else None
# Whose X-Forwarded-For is believed (luming.web.addresses).
PROXIES = [ip_network(item) for item in _list("LUMING_PROXIES", "127.0.0.0/8,::1")]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# No inline script anywhere; MapLibre makes its workers from blobs.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, "'unsafe-inline'"],  # ECharts and MapLibre position their parts with style attributes
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Base maps of Tianditu (天地图) come from outside: only with a key are its tile servers allowed, and asked.
LUMING_TIANDITU_KEY = os.environ.get("LUMING_TIANDITU_KEY", "")
if LUMING_TIANDITU_KEY:
    for _name in ("img-src", "connect-src"):
        CONTENT_SECURITY_POLICY["DIRECTIVES"][_name] += [f"https://t{number}.tianditu.gov.cn" for number in range(8)]

# Copies of the public site outlive the process: they are shown when the database does not answer.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "public": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": installation.data_dir() / "public-pages",
        "OPTIONS": {"MAX_ENTRIES": 5000},
    },
}
PUBLIC_REQUESTS_PER_MINUTE = int(os.environ.get("LUMING_PUBLIC_REQUESTS_PER_MINUTE", "240"))  # of one address

# Time and language ---------------------------------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "web" / "locale"]

STATIC_URL = "static/"
STATIC_ROOT = installation.data_dir() / "static"
STATICFILES_DIRS = [BASE_DIR / "web" / "static"]
if (_packages := installation.CHECKOUT / "node_modules").exists():
    STATICFILES_FINDERS = [
        "django.contrib.staticfiles.finders.FileSystemFinder",
        "luming.web.staticfiles.NodePackagesFinder",
    ]
    NODE_PACKAGES = _packages
WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "luming.web.staticfiles.HashedStorage"},
}
# Uploaded files and results of long work; never served as they are, only through views that ask for permission.
MEDIA_ROOT = installation.data_dir() / "files"
UPLOAD_BYTES = int(os.environ.get("LUMING_UPLOAD_MB", "50")) * 2**20  # of one file
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
DJANGO_TABLES2_TEMPLATE = "web/registers/table.html"
PGHISTORY_APPEND_ONLY = True  # history is evidence
METRICS_TOKEN = os.environ.get("LUMING_METRICS_TOKEN", "")  # bearer of /metrics from another machine

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LUMING_LOG_LEVEL", "WARNING")},
    "loggers": {"luming": {"level": os.environ.get("LUMING_LOG_LEVEL", "INFO")}},
}

# Gateway -------------------------------------------------------------------------------------------------------------
GATEWAY_HOST = os.environ.get("LUMING_GATEWAY_HOST", "127.0.0.1")
GATEWAY_PORT = int(os.environ.get("LUMING_GATEWAY_PORT", "9212"))
GATEWAY_METRICS_PORT = int(os.environ.get("LUMING_GATEWAY_METRICS_PORT", "9213"))
GATEWAY_TLS_CERTIFICATE = os.environ.get("LUMING_GATEWAY_TLS_CERTIFICATE", "")
GATEWAY_TLS_KEY = os.environ.get("LUMING_GATEWAY_TLS_KEY", "")
GATEWAY_MAX_CONNECTIONS = int(os.environ.get("LUMING_GATEWAY_MAX_CONNECTIONS", "20000"))
GATEWAY_MAX_CONNECTIONS_PER_ADDRESS = int(os.environ.get("LUMING_GATEWAY_MAX_CONNECTIONS_PER_ADDRESS", "2000"))
GATEWAY_PACKETS_PER_MINUTE = int(os.environ.get("LUMING_GATEWAY_PACKETS_PER_MINUTE", "6000"))  # of one connection
GATEWAY_IDLE_SECONDS = int(os.environ.get("LUMING_GATEWAY_IDLE_SECONDS", "900"))
GATEWAY_CLOCK_TOLERANCE_SECONDS = int(os.environ.get("LUMING_GATEWAY_CLOCK_TOLERANCE_SECONDS", "300"))
GATEWAY_ACKNOWLEDGE_HELD = _flag("LUMING_GATEWAY_ACKNOWLEDGE_HELD", True)  # what is kept need not be sent again
# First connection, HJ 212-2017 6.7: which requests open the dialogue.
GATEWAY_FIRST_CONNECTION = _list("LUMING_GATEWAY_FIRST_CONNECTION", "1012,1000,1062,1064")
GAP_GRACE_SECONDS = int(os.environ.get("LUMING_GAP_GRACE_SECONDS", "300"))
GAP_MAX_ATTEMPTS = int(os.environ.get("LUMING_GAP_MAX_ATTEMPTS", "5"))
# Of the hash trees of closed days: sha256, or sm3 (GB/T 32905-2016). Days that are closed keep theirs.
EVIDENCE_HASH = os.environ.get("LUMING_EVIDENCE_HASH", "sha256")
PACKET_RETENTION_DAYS = int(os.environ.get("LUMING_PACKET_RETENTION_DAYS", "0"))  # 0 keeps everything
