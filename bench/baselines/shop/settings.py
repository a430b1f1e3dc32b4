"""Settings of the baseline."""

import os
from urllib.parse import unquote

import environ

env = environ.Env()
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "bench.baselines.shop.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["rest_framework", "bench.baselines.shop"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
DATABASES = {"default": env.db_url("SHOP_DATABASE_URL")}
DATABASES["default"]["HOST"] = unquote(DATABASES["default"]["HOST"])
DATABASES["default"]["CONN_MAX_AGE"] = None
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
CELERY_BROKER_URL = env.str("REDIS_URL")
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
TELEGRAM_API_URL = env.str("TELEGRAM_API_URL")
WEBHOOK_SECRET = env.str("SHOP_WEBHOOK_SECRET")
TOKENS = {"orders": env.str("SHOP_ORDERS_TOKEN"), "survey": env.str("SHOP_SURVEY_TOKEN")}
ONE_TASK_PER_EVENT = os.environ.get("SHOP_TASKS") == "1"
