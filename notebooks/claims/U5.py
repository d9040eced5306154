"""topics/async, "Async safety", says:

you can disable the warning by setting the `DJANGO_ALLOW_ASYNC_UNSAFE` environment variable to
any value."""

import asyncio
import os
import sys

import asgiref
import django
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": SQLITE})
django.setup()
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


async def guard():
    try:
        connection.cursor()
    except SynchronousOnlyOperation:
        return "on"
    return "off"


print("Found: the guard, by the variable's value, read at each call:")
for value in ("true", "false", "0", ""):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = value
    print(f"{value!r:<8}{asyncio.run(guard())}")
