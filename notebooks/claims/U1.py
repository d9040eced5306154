"""Articles say that Django refuses a sync query in every `async def`. topics/async, "Async safety":

If you try to run any of these parts from a thread where there is a *running event loop*, you
will get a `SynchronousOnlyOperation` error."""

import asyncio
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


def ask():
    try:
        return connection.cursor() and "accepted"
    except SynchronousOnlyOperation:
        return "SynchronousOnlyOperation"


async def main():
    return ask()


print("Found: in a plain def, without a loop:", ask())
print("In a plain def, below a coroutine that asyncio runs:", asyncio.run(main()))
try:
    main().send(None)  # runs it to its end, without a loop
except StopIteration as end:
    print("Below a coroutine that runs without a loop:", end.value)
