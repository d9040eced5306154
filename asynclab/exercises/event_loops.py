"""Event loops for checked code: asyncio's own, whatever the reader has put in their place."""

import asyncio
import asyncio.runners
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop as asyncio makes it on this platform, whatever the policy is."""
    kind = "ProactorEventLoop" if sys.platform == "win32" else "SelectorEventLoop"
    return getattr(asyncio, kind)()


@contextmanager
def asyncio_run(of: Callable[[], bool]) -> Iterator[None]:
    """Let `asyncio.run` be the original for the code that `of` speaks for, until the block ends.

    That of nest_asyncio leaves its loops open, where asgiref then waits for them in vain.
    """
    found, original = asyncio.run, asyncio.runners.run
    if found is original:
        yield
        return

    @functools.wraps(original)
    def run(*args, **kwargs):
        return (original if of() else found)(*args, **kwargs)

    asyncio.run = run
    try:
        yield
    finally:
        if asyncio.run is run:
            asyncio.run = found
