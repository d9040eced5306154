"""One call of the reader's code, on a thread of its own, under a time limit."""

import asyncio
import concurrent.futures
import contextvars
import ctypes
import functools
import inspect
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import asgiref.sync

from .. import taps
from ..connections import close_connections
from ..events import Recording

ROUND = 0.1
"""Seconds that code which overran gets to end, between two requests to do so."""
ROUNDS = 5


class Stopped(BaseException):
    """Raised inside code that overran its time."""


class ReturnedAwaitable(Exception):
    """The function returned something that still had to be awaited."""


class Job:
    """One call of a function.

    After `run`, `hung` says that the call did not end in time; `error` is what it raised, or None;
    `value` is what it returned; `recording` holds the events of the call.

    Args:
        name: what the call is called in the recording.
        function: the reader's function.
        args, kwargs: what it is called with.
        where: "cell" calls it in a thread whose event loop is running, as in a notebook's cell,
            and awaits it if it is an `async def`; "thread" calls it in a thread without a loop.
            Either way the thread is new, and context variables are copied to it.
    """

    def __init__(self, name: str, function: Callable, args: tuple, kwargs: dict, where: str):
        self.value: object = None
        self.error: BaseException | None = None
        self.hung = False
        self._returned = False
        self.recording: Recording | None = None
        self._name = name
        self._awaits = asgiref.sync.iscoroutinefunction(function)
        self._function = functools.partial(function, *args, **kwargs)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task | None = None
        self._ended = concurrent.futures.Future()
        self._older = set(threading.enumerate())
        call = self._call_in_loop if where == "cell" else self._call
        run = contextvars.copy_context().run
        self._thread = threading.Thread(target=run, args=(self._main, call), daemon=True)

    async def run(self, seconds: float) -> None:
        """Make the call; return when it has ended, or was stopped, or was given up.

        Nothing stays behind: no recording, and no thread unless it cannot be stopped (C code that
        never returns); such a thread is a daemon, and the shared worker is replaced if it is stuck.
        """
        self._thread.start()
        try:
            await self._wait(seconds)
        finally:
            if self.recording is not None:
                taps.stop(self.recording)

    async def _wait(self, seconds: float) -> None:
        try:
            await _done(self._ended, seconds)
        finally:  # Also when the reader interrupts the check.
            if not self._ended.done():
                self.hung = not self._returned
                await self._stop()
                await _free_shared_worker()

    def _main(self, call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - SystemExit gets a verdict too
            self.error = error
        finally:
            try:
                close_connections()
            finally:
                self._ended.set_result(None)

    def _call(self) -> None:
        with taps.recording(name=self._name) as self.recording:
            value = self._function()
        if inspect.isgenerator(value):
            value = list(value)
        self._keep(value)

    def _call_in_loop(self) -> None:
        asyncio.run(self._as_a_cell())

    async def _as_a_cell(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        with taps.recording(name=self._name) as self.recording:
            value = self._function()
            if self._awaits:
                value = await value
            elif inspect.isasyncgen(value):
                value = [item async for item in value]
            elif inspect.isgenerator(value):
                value = list(value)
        self._keep(value)

    def _keep(self, value: object) -> None:
        if inspect.isawaitable(value):
            if inspect.iscoroutine(value):
                value.close()  # Or Python warns that it was never awaited.
            raise ReturnedAwaitable
        self.value = value
        self._returned = True

    async def _stop(self) -> None:
        for attempt in range(ROUNDS):
            self._ask_to_end()
            if attempt:
                for thread in self._own_threads():
                    _raise_in(thread)
            if await _done(self._ended, ROUND):
                return

    def _own_threads(self) -> set[threading.Thread]:
        """What the call has started. The shared worker outlives the call that first used it."""
        shared = asgiref.sync.SyncToAsync.single_thread_executor._threads
        return set(threading.enumerate()) - self._older - shared

    def _ask_to_end(self) -> None:
        if self._loop is None or self._ended.done():
            return
        with suppress(RuntimeError):  # The loop may have been closed meanwhile.
            self._loop.call_soon_threadsafe(self._task.cancel)


async def _done(future: concurrent.futures.Future, seconds: float) -> bool:
    """Wait until `future` is done, for at most `seconds`.

    In slices: ipykernel's interrupt cancels the cell from a signal handler, which does not wake
    the loop (`Kernel._cancel_on_sigint`), so that a loop which only sleeps would not notice.
    """
    deadline = time.monotonic() + seconds
    waiting = [asyncio.wrap_future(future)]
    while not future.done() and (left := deadline - time.monotonic()) > 0:
        await asyncio.wait(waiting, timeout=min(left, ROUND))
    return future.done()


def _raise_in(thread: threading.Thread) -> None:
    ident = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Stopped))


async def _free_shared_worker() -> None:
    """See to it that asgiref's one thread-sensitive worker can be used again.

    The worker is `SyncToAsync.single_thread_executor`. If it is stuck in code that cannot be
    interrupted, such as a long `time.sleep`, a new one takes its place.
    """
    worker = asgiref.sync.SyncToAsync.single_thread_executor
    for _ in range(ROUNDS):
        if await _done(worker.submit(int), ROUND):
            return
        for thread in worker._threads:
            _raise_in(thread)
    fresh = concurrent.futures.ThreadPoolExecutor(max_workers=1)
    asgiref.sync.SyncToAsync.single_thread_executor = fresh
