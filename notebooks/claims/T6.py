"""topics/async, "sync_to_async()", says:

In practice this restriction means that you should not pass features of the database
`connection` object when calling `sync_to_async()`. Doing so will trigger the thread safety
checks"""

import asyncio
import sys

import asgiref
import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connection, connections

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": SQLITE})
django.setup()
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


async def outcome(function, *arguments, **options):
    try:
        return await sync_to_async(function, **options)(*arguments) and "accepted"
    except DatabaseError as error:
        return type(error).__name__


async def main():
    print("Found: a method of the connection:", await outcome(connections["default"].cursor))
    print("The method `connection.cursor`:", await outcome(connection.cursor))
    print("`connection` as an argument:", await outcome(lambda it: it.cursor(), connection))
    execute = (await sync_to_async(lambda: connection.cursor())()).execute
    print("A cursor on another thread:", await outcome(execute, "SELECT 1", thread_sensitive=False))


asyncio.run(main())
