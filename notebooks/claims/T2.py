"""Articles say that sync code runs in the main thread. topics/async, "sync_to_async()", says:

If you use `asyncio.run()` or similar, it will fall back to running thread-sensitive functions
in a single, shared thread, but this will not be the main thread."""

import asyncio
import sys
import threading

import asgiref
import django
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


async def home():
    return await sync_to_async(threading.current_thread)()


async def request():
    async with ThreadSensitiveContext():  # as Django's ASGI handler does for each request
        return {await home() for _ in range(3)}


async def requests():
    first, second = await asyncio.gather(request(), request())
    return len(first), len(second), len(first | second)


main = threading.main_thread()
print("Found: under async_to_sync, in the thread that waits:", async_to_sync(home)() is main)
runs = {asyncio.run(home()) for _ in range(3)}
print(f"Under asyncio.run: {len(runs)} thread for 3 runs, the main thread: {main in runs}")
print("In two ASGI requests: {} thread and {} thread, together {}".format(*asyncio.run(requests())))
