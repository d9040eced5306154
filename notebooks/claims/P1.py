"""topics/async, "Performance", says in 5.2:

This context-switch causes a small performance penalty of around a millisecond."""

import asyncio
import sys
import time
from threading import Thread

import asgiref
import django
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
start, started = Thread.start, []
Thread.start = lambda thread: (started.append(thread), start(thread))


async def there():
    began, before = time.perf_counter(), len(started)
    await sync_to_async(len)([])
    return time.perf_counter() - began, len(started) - before


def back():
    began, before = time.perf_counter(), len(started)
    async_to_sync(asyncio.sleep)(0)
    return time.perf_counter() - began, len(started) - before


async def first():
    async with ThreadSensitiveContext():  # as ASGIHandler does for each request
        return await there()


kinds = {"there, warm": there, "there, first": first, "back, warm": sync_to_async(back)}
found = {kind: min([asyncio.run(kinds[kind]()) for _ in range(200)]) for kind in kinds}
for kind, (seconds, threads) in [*found.items(), ("back, cold", min(back() for _ in range(200)))]:
    ms = 10 if threads else 1
    print(f"Found: {kind}: new threads: {threads}; quickest below {ms} ms:", seconds < ms / 1000)
