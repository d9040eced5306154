"""topics/async, "Performance", says in 5.2:

This context-switch causes a small performance penalty of around a millisecond."""

import asyncio
import sys
import time

import asgiref
import django
from asgiref.sync import async_to_sync, sync_to_async

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


async def nothing():
    pass


def back():
    began = time.perf_counter()
    async_to_sync(nothing)()
    return time.perf_counter() - began


async def there():
    began = time.perf_counter()
    await sync_to_async(len)([])
    return time.perf_counter() - began


async def warm():
    there_too = sync_to_async(back)
    return min([await there() for _ in range(300)]), min([await there_too() for _ in range(300)])


for kind, seconds in zip(("there", "back"), asyncio.run(warm()), strict=True):
    print(f"Found: a switch {kind}, warm, takes less than a millisecond:", seconds < 0.001)
