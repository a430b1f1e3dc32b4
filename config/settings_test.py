"""Settings of the tests: the real ones with a fast password hasher, files in a temporary folder and an allow-list for loopback."""

import tempfile

from config.settings import *  # noqa: F403

SECRET_KEY = "test-only"  # noqa: S105
BLIND_INDEX_KEY = "test-only"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = tempfile.mkdtemp(prefix="dialogbus-media-")
OUTGOING_ALLOW = ["127.0.0.0/8", "[::1]"]
ALLOWED_HOSTS = ["*"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CACHE_CHECK_SECONDS = 0  # each test has rows of its own
TOGETHER_LINGERS = 0  # and leaves no session open behind it
