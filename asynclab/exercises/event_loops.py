"""Event loops for checked code: asyncio's own, whatever the reader has put in their place."""

import asyncio
import asyncio.runners
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_undying: list[asyncio.Task] = []
"""Tasks that nothing can end. Freed, each would go on in the loop where the collector finds it."""


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop as asyncio makes it on this platform, whatever the policy is.

    Tasks that go on when it is closed are kept, and never freed.
    """
    kind = "ProactorEventLoop" if sys.platform == "win32" else "SelectorEventLoop"
    return keeping_tasks(getattr(asyncio, kind)())


def keeping_tasks(loop: asyncio.BaseEventLoop) -> asyncio.BaseEventLoop:
    """Let `loop` keep the tasks that go on when it is closed; return it."""
    close = loop.close

    def keep_and_close() -> None:
        _undying.extend(asyncio.all_tasks(loop))
        close()

    loop.close = keep_and_close
    return loop


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
