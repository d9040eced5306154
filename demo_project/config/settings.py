"""What ``startproject`` writes, for development. A comment marks each line that differs."""

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

# Made at each start, so that no key is published: sessions end with the server. Its processes share
# the key, so a reload keeps sessions. Servers that start apart can be given one.
SECRET_KEY = os.environ.setdefault("LIBRARY_SECRET_KEY", get_random_secret_key())

DEBUG = True

# The hosts that DEBUG allows by itself, and the name that Django's test clients give themselves:
# they are used here outside a test run, too.
ALLOWED_HOSTS = [".localhost", "127.0.0.1", "[::1]", "testserver"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "library",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

WSGI_APPLICATION = "config.wsgi.application"

DATABASES = {
    "default": {
        # The environment may name another database, so that each process can have data of its own.
        "ENGINE": os.environ.get("LIBRARY_ENGINE", "django.db.backends.sqlite3"),
        "NAME": os.environ.get("LIBRARY_DATABASE", BASE_DIR / "db.sqlite3"),
        "HOST": os.environ.get("LIBRARY_HOST", ""),
        "PORT": os.environ.get("LIBRARY_PORT", ""),
        "USER": os.environ.get("LIBRARY_USER", ""),
        # One name for whichever copy of the data a server has; None is SQLite's memory.
        "TEST": {"NAME": "test_library" if os.environ.get("LIBRARY_HOST") else None},
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en-us"

TIME_ZONE = "UTC"

USE_I18N = True

USE_TZ = True

STATIC_URL = "static/"

# Django 5.2 writes this line; in 6.x it is the default.
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
