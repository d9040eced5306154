"""topics/async, "sync_to_async()", says:

`thread_sensitive=False`: the sync function will run in a brand new thread which is then closed
once the invocation completes."""

import asyncio
import sys
import threading

import asgiref
import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": SQLITE})
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


def ask():
    was_open = connection.connection is not None
    connection.ensure_connection()
    return threading.current_thread(), was_open


async def main():
    calls = [await sync_to_async(ask, thread_sensitive=False)() for _ in range(100)]
    threads = {thread for thread, _ in calls}
    again = sum(was_open for _, was_open in calls)
    print("Found: 100 calls, one after another, share threads:", len(threads) < 100)
    print("These threads live on after their calls:", all(thread.is_alive() for thread in threads))
    print("So do their database connections:", again == 100 - len(threads))


asyncio.run(main())
