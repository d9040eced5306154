"""Event loops for checked code: asyncio's own, whatever the reader has put in their place."""

import asyncio
import asyncio.mixins
import asyncio.runners
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_undying: list[asyncio.Task] = []
"""Tasks that nothing can end. Freed, each would go on in the loop where the collector finds it."""

WAITERS = "_waiters", "_getters", "_putters"
"""Where a lock or a queue of asyncio's keeps those who wait for it."""


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


@contextmanager
def unbound(namespace: dict[str, object]) -> Iterator[None]:
    """Let what the reader's names hold of asyncio's belong to no loop in the block.

    A semaphore, lock, event or queue of a module belongs to the first loop on which somebody waits
    for it. That was the notebook's, or an earlier check's. One for which somebody waits now is left
    alone.

    Args:
        namespace: the namespace of the notebook's cells.
    """
    found = [each for value in list(namespace.values()) for each in _bound(value)]
    before = [(each, each._loop) for each in found]
    for each, _ in before:
        each._loop = None
    try:
        yield
    finally:
        for each, loop in before:
            each._loop = loop


def _bound(value: object) -> Iterator[asyncio.mixins._LoopBoundMixin]:
    """What of asyncio's belongs to a loop, with what it is made of: a queue has an event."""
    # By its type: `isinstance` asks a lazy object for its class, which may be a query.
    if issubclass(type(value), asyncio.mixins._LoopBoundMixin):
        parts = [value, *(each for part in vars(value).values() for each in _bound(part))]
        if not any(vars(each).get(name) for each in parts for name in WAITERS):
            yield from parts
