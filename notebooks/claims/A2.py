"""topics/async, "async_to_sync()", says:

The async function is run in the event loop for the current thread, if one is present."""

import asyncio
import sys
import threading

import asgiref
import django
from asgiref.sync import async_to_sync, sync_to_async

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


@async_to_sync
async def call():
    return asyncio.get_running_loop(), threading.current_thread()


async def main():
    try:
        call()
    except RuntimeError as error:
        print("Found: with a running loop,", type(error).__name__, f"({error})")
    caller, (loop, thread) = await sync_to_async(lambda: (threading.current_thread(), call()))()
    print("Below sync_to_async, in the loop that called:", loop is asyncio.get_running_loop())
    print("On the thread of the caller:", thread is caller)


asyncio.run(main())
current = asyncio.new_event_loop()
asyncio.set_event_loop(current)
used, thread = call()
current.close()
print("With a loop that is set and does not run, in that loop:", used is current)
print("On the thread of the caller:", thread is threading.current_thread())
