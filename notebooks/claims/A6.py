"""topics/async, "async_to_sync()", says:

As well as ensuring threadlocals work, it also enables the `thread_sensitive` mode of
`sync_to_async()` when that wrapper is used below it."""

import asyncio
import sys
import threading

import asgiref
import django
from asgiref.local import Local
from asgiref.sync import async_to_sync, sync_to_async

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
local, thread_local, caller = Local(), threading.local(), threading.current_thread()
local.value = thread_local.value = "seen"


async def below():
    return [
        getattr(thread_local, "value", "lost"),
        getattr(local, "value", "lost"),
        await sync_to_async(threading.current_thread)() is caller,
    ]


print(f"{'Found:':<16}threading.local   asgiref's Local   sync_to_async on the caller's thread")
for name, result in (
    ("asyncio.run", asyncio.run(below())),
    ("async_to_sync", async_to_sync(below)()),
):
    print("{:<16}{:<18}{:<18}{}".format(name, *result))
