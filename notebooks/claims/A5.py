"""topics/async, "async_to_sync()", and again "sync_to_async()", say:

Threadlocals and contextvars values are preserved across the boundary in both directions."""

import asyncio
import contextvars
import sys
import threading

import asgiref
import django
from asgiref.local import Local
from asgiref.sync import async_to_sync, sync_to_async

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
print("Found, of a ContextVar, asgiref's Local and a threading.local:")
variable, stores = contextvars.ContextVar("variable"), [Local(), threading.local()]


def exchange(value):
    seen = [variable.get("nothing"), *(getattr(store, "value", "nothing") for store in stores)]
    variable.set(value)
    stores[0].value = stores[1].value = value
    return ", ".join(seen)


async def main():
    exchange("above")
    called = await sync_to_async(exchange)("below")
    print("sync_to_async  down:", called, "back:", exchange("above"))
    task = asyncio.create_task(sync_to_async(exchange, thread_sensitive=False)("below"))
    print("in a task      down:", await task, "back:", exchange("above"))


asyncio.run(main())
exchange("above")
cross = async_to_sync(sync_to_async(exchange, thread_sensitive=False))
print("async_to_sync  down:", cross("below"), "back:", exchange("above"))
