"""A check's own code, on a thread of its own.

It asks for the text or the length of what the reader's code gave it, and whether it equals
something. Any of these may never end, or end the thread: so that is not the kernel's.
"""

import asyncio
import concurrent.futures
import contextvars
import gc
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from time import monotonic

from ..ground.interrupts import raise_in
from .endings import ROUND, ROUNDS, Stopped, done, frames
from .event_loops import keeping_tasks
from .leftovers import is_frozen, settled
from .lineage import Lineage

STUCK = 5
"""Seconds that a check's loop may stand still."""


_notebooks_loop: contextvars.ContextVar[asyncio.AbstractEventLoop] = contextvars.ContextVar("loop")


def notebooks_loop() -> asyncio.AbstractEventLoop:
    """The loop of the reader's cells, for code of a check; for any other the one that runs it."""
    return _notebooks_loop.get(None) or asyncio.get_running_loop()


class Stuck(Exception):
    """The check's loop stood still, and was stopped or given up.

    Args:
        path: the functions that it was in, the innermost first, as pairs of globals and name.
        runs_on: whether it could not be stopped.
    """

    def __init__(self, path: list[tuple[dict, str]], runs_on: bool):
        super().__init__(path, runs_on)
        self.path = path
        self.runs_on = runs_on


async def on_own_thread(work: Coroutine, check: Lineage) -> object:
    """Await a coroutine in a loop on a new thread, as code of `check`.

    What it leaves is settled there, too.

    Returns:
        What it returns.

    Raises:
        Stuck: its loop stood still.
        BaseException: what it raises. If this task is cancelled, `work` is, and has ended then.
    """
    side = _Side(work, check)
    try:
        await side.watch()
    finally:
        if side.goes_on:
            await _to_its_end(side.cancel())
    return side.result()


async def _to_its_end(work: Coroutine[object, object, None]) -> None:
    """Await `work`, also if this task is cancelled meanwhile; it is then cancelled afterwards."""
    task, cancelled = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled


class _Loop(asyncio.SelectorEventLoop):
    def time(self) -> float:
        # Checked code may replace the function in its module.
        return monotonic()


class _Side:
    """The other thread, from its start to its end."""

    def __init__(self, work: Coroutine, check: Lineage):
        self.value: object = None
        self.error: BaseException | None = None
        self.ended = concurrent.futures.Future()
        self._frozen_before = is_frozen()
        context = check.context()
        self._loop = keeping_tasks(context.run(_Loop))  # which logs that it was made
        context.run(_notebooks_loop.set, asyncio.get_running_loop())
        self._task = self._loop.create_task(_settled(work), context=context)
        self._thread = check.thread(self._main)
        self._thread.name = "check"
        self._thread.start()

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended, and has not been given up."""
        return not self.ended.done() and self.error is None

    async def watch(self) -> None:
        """Return when it has ended; stop it if its loop stands still."""
        turn, asked = None, 0.0
        while not await done(self.ended, ROUND):
            if turn is None or turn.is_set():
                turn, asked = threading.Event(), monotonic()
                self._call_soon(turn.set)
            elif monotonic() - asked > STUCK:
                await self._stop()
                return

    async def cancel(self) -> None:
        """Cancel the work, and return when it has ended."""
        self._call_soon(self._task.cancel)
        await self.watch()

    def result(self) -> object:
        """What the work returned; raises what it raised."""
        error, self.error = self.error, None
        if error is None:
            return self.value
        try:
            # Its frames hold what the reader's code has made.
            raise error.with_traceback(None)
        finally:
            del error  # Or this frame and the error would keep each other.

    def _main(self) -> None:
        try:
            self.value = self._loop.run_until_complete(self._task)
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            self.error = self.error or error
        finally:
            try:
                self._close()
            finally:
                self.ended.set_result(None)

    def _close(self) -> None:
        """Close the loop. What is left in it gets a turn to end, and no more."""
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.call_soon(self._loop.stop)
        self._loop.run_forever()
        self._loop.close()

    async def _stop(self) -> None:
        path = [(frame.f_globals, frame.f_code.co_name) for frame in frames(self._thread)]
        self.error = Stuck(path, runs_on=False)
        for _ in range(ROUNDS):
            raise_in(self._thread, Stopped)
            if await done(self.ended, ROUND):
                return
        self.error = Stuck(path, runs_on=True)
        if not self._frozen_before:
            gc.unfreeze()  # as `settled` would have done

    def _call_soon(self, function: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # The loop may have been closed meanwhile.
            self._loop.call_soon_threadsafe(function)


async def _settled(work: Coroutine) -> object:
    # In the loop: a coroutine that ends here may ask for one.
    with settled():
        return await work


_settled.__qualname__ = "check"  # as the lanes show it to a reader who records one
