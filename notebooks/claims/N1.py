"""Articles say that nest_asyncio makes async Django work in notebooks, where a loop runs."""

import asyncio
import sys

import asgiref
import django
import nest_asyncio
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": SQLITE})
django.setup()
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


async def answer():
    return "works"


async def main():
    nest_asyncio.apply()
    for name, call in (
        ("asyncio.run", lambda: asyncio.run(answer())),
        ("async_to_sync", async_to_sync(answer)),
        ("the sync ORM", connection.cursor),
    ):
        try:
            print(f"Found: {name}:", call() and "works")
        except (RuntimeError, SynchronousOnlyOperation) as error:
            print(f"Found: {name}:", type(error).__name__)


asyncio.run(main())
