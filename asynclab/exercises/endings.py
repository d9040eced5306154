"""Ways to wait for other threads, and to end what they run."""

import concurrent.futures
import sys
import threading
import weakref
from asyncio import (
    AbstractEventLoop,
    BaseEventLoop,
    all_tasks,
    get_running_loop,
)
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType

from ..ground.interrupts import raise_in
from ..recorder import workers
from .lineage import Lineage

# Names of asyncio and time are bound above, for checked code may replace those in the modules.

ROUND = 0.1
"""Seconds that code which overran gets to end, between two requests to do so."""
ROUNDS = 10

_told_to_end: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


class Stopped(BaseException):
    """Raised inside code that overran its time."""


def was_told_to_end(thread: threading.Thread) -> bool:
    """Whether a check has asked this thread to end. How it then ends is no news."""
    return thread in _told_to_end


async def done(future: concurrent.futures.Future, seconds: float) -> bool:
    """Wait until `future` is done, for at most `seconds`.

    Not by `asyncio.wait`: while checked code runs, it may lack what that needs.
    """
    loop = get_running_loop()
    waiting = loop.create_future()

    def go_on(*_) -> None:
        if not waiting.done():
            waiting.set_result(None)

    def tell(*_) -> None:
        with suppress(RuntimeError):  # The loop has been closed meanwhile.
            loop.call_soon_threadsafe(go_on)

    late = loop.call_later(seconds, go_on)
    future.add_done_callback(tell)
    try:
        await waiting
    finally:
        late.cancel()
    return future.done()


def tell_to_end(thread: threading.Thread, but: AbstractEventLoop | None) -> bool:
    """Cancel every task of the loop that `thread` is running, unless that is `but`.

    A loop that waits for events is in C, where an exception raised in its thread does not reach it.

    Returns:
        whether there is such a loop.
    """
    _told_to_end.add(thread)
    loop = _loop_in(thread)
    if loop is None or loop is but:
        return False
    with suppress(RuntimeError):  # The loop may have been closed meanwhile.
        loop.call_soon_threadsafe(_cancel_tasks, loop)
    return True


def _loop_in(thread: threading.Thread) -> AbstractEventLoop | None:
    """The event loop that `thread` is running, as its stack shows it."""
    running = BaseEventLoop.run_forever.__code__
    loops = (frame.f_locals["self"] for frame in frames(thread) if frame.f_code is running)
    return next(loops, None)


def is_idle(thread: threading.Thread) -> bool:
    """Whether `thread` is a pool's worker that waits for work."""
    innermost = next(frames(thread), None)
    return innermost is None or innermost.f_code is concurrent.futures.thread._worker.__code__


def frames(thread: threading.Thread) -> Iterator[FrameType]:
    """The frames of what `thread` runs, from the innermost outwards."""
    frame = sys._current_frames().get(thread.ident)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _cancel_tasks(loop: AbstractEventLoop) -> None:
    for task in all_tasks(loop):
        task.cancel()


async def free_shared_worker(lineage: Lineage) -> bool:
    """See to it that the call does not keep asgiref's one thread-sensitive worker.

    Returns whether what it ran for the call has ended.

    If it is stuck in code that cannot be interrupted, such as a long `time.sleep`, a new one takes
    its place.
    """
    for attempt in range(ROUNDS):
        if await done(workers.shared().submit(int), ROUND):
            return True
        for thread in workers.shared_threads():
            if thread.is_alive() and not lineage.has(thread):
                return True  # It works for somebody else.
            tell_to_end(thread, but=None)
            if attempt:
                raise_in(thread, Stopped)
    stuck = workers.shared_threads()
    workers.replace_shared()
    # An exception that arrives when the code has just ended ends the thread instead.
    return not any(thread.is_alive() for thread in stuck)
