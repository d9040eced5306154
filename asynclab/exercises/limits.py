"""One call of the reader's code, on a thread of its own, under a time limit."""

import asyncio
import concurrent.futures
import functools
import inspect
import os
import sys
import threading
import types
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from time import monotonic, sleep

import asgiref.sync

from ..ground.connections import close_connections
from ..ground.interrupts import raise_in
from ..recorder import taps, workers
from ..recorder.events import Recording
from .endings import (
    ROUND,
    ROUNDS,
    Stopped,
    done,
    free_shared_worker,
    is_idle,
    tell_to_end,
)
from .event_loops import new_loop
from .lineage import Lineage
from .processes import Processes
from .surroundings import Snapshot, with_builtins
from .texts import as_written, headline

TURNS = 20
"""Turns that a loop has to make to be free: one alone may be its last before it is held."""
LOOP_MODULES = "asyncio.", "selectors"
LEFT = 0.5
"""Seconds that a thread which the code has left at work gets to end by itself."""
LARGEST = 100_000
"""Characters and items that a result may hold. One of them more, and nobody could show it."""


class ReturnedAwaitable(Exception):
    """The function returned something that still had to be awaited, and has not begun."""


class ReturnedFuture(Exception):
    """The function returned something that still had to be awaited, and has begun."""


class ReturnedGenerator(Exception):
    """The function returned something that still had to be looped over."""


class TooLarge(Exception):
    """The function returned more than anybody could look at."""


class Job:
    """One call of a function.

    After `run`, `hung` says that the call did not end in time, `returned` that its function did,
    and `runs_on` that it could not be stopped; `error` is what it raised, or None; `value` is what
    it returned; `recording` holds the events of the call; `left` says in sentences what it has
    left, apart from what was put back.

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
        self.hung = self.runs_on = False
        self.returned = False
        self.recording: Recording | None = None
        self.left: list[str] = []
        self._name = name
        self._awaits = is_async(function) or _is_lambda(function)
        self._function = functools.partial(function, *args, **kwargs)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task | None = None
        self._ended = concurrent.futures.Future()
        self._lineage = Lineage()
        self._processes = Processes(self._lineage.is_here)
        self._before: Snapshot | None = None
        self._worker = workers.shared()
        self._pid = os.getpid()
        self._go = threading.Semaphore(0)
        call = self._call_in_loop if where == "cell" else self._call
        self._thread = self._lineage.thread(self._main, call)

    async def run(self, seconds: float) -> None:
        """Make the call; return when it has ended, or was stopped, or was given up.

        Nothing stays behind: no recording, no process, nothing that it has replaced, and no thread
        unless it cannot be stopped (C code that never returns); such a thread is a daemon, and the
        shared worker is replaced if it is stuck.
        """
        self._before = Snapshot()
        workers.put_back_shared(workers.shared())
        self._worker = workers.shared()
        try:
            with with_builtins(), self._lineage.followed(), self._processes.followed():
                self._thread.start()
                # When this loop has nothing more to do: then it waits in C.
                asyncio.get_running_loop().call_soon(self._go.release)
                try:
                    await self._wait(seconds)
                finally:
                    if self.recording is not None:
                        taps.stop(self.recording)
        finally:
            self._put_back()
            self._before = None
            if not self.hung:
                workers.put_back_shared(self._worker)
            self.left += self._processes.end()

    async def _wait(self, seconds: float) -> None:
        try:
            await done(self._ended, seconds)
        finally:  # Also when the reader interrupts the check.
            if not self._ended.done() or self._left_at_work():
                await self._end()

    async def _end(self) -> None:
        if self._ended.done():
            await self._end_threads()
        else:
            self.hung = True
            workers.put_back_shared(self._worker)
            stopped = await self._stop()
            self.runs_on = not await free_shared_worker(self._lineage) or not stopped

    def _main(self, call: Callable[[], None]) -> None:
        self._go.acquire()
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - SystemExit gets a verdict too
            self.error = error
        finally:
            try:
                self._leave_a_fork()
                self._put_back()
                close_connections()
            finally:
                self._ended.set_result(None)

    def _leave_a_fork(self) -> None:
        """End the copy of this process that the function has made, if this is the copy."""
        if os.getpid() != self._pid:
            os._exit(0)

    def _put_back(self) -> None:
        # At once, for the kernel's own loop needs `len` as well; and again when a call was given
        # up, whose thread may end at any time after that.
        if self._before is not None:
            self._before.put_back()

    def _call(self) -> None:
        with self._recorded() as self.recording:
            value = self._function()
        self._keep(value)

    def _call_in_loop(self) -> None:
        cell = self._as_a_cell()
        # A reader who records a check sees this task, by its own function's name.
        cell.__qualname__ = self._name
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(cell)

    async def _as_a_cell(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._loop.set_exception_handler(_report)
        with self._recorded() as self.recording:
            value = self._function()
            if self._awaits and inspect.isawaitable(value):
                value = await value
        self._leave_a_fork()
        await _forgo(value)
        self._keep(value)

    def _recorded(self) -> AbstractContextManager[Recording]:
        return taps.recording(name=self._name, of=self._lineage.is_here)

    def _keep(self, value: object) -> None:
        if asyncio.isfuture(value):
            raise ReturnedFuture
        if inspect.isawaitable(value):
            if inspect.iscoroutine(value):
                value.close()  # Or Python warns that it was never awaited.
            raise ReturnedAwaitable
        if inspect.isgenerator(value) or inspect.isasyncgen(value):
            raise ReturnedGenerator
        if _is_too_large(value):
            raise TooLarge(type(value).__name__)
        self.value = value
        self.returned = True

    async def _stop(self) -> bool:
        """Ask the call to end, again and again; return whether it did."""
        for attempt in range(ROUNDS):
            self._ask_to_end()
            for thread in self._own_threads():
                tell_to_end(thread, but=self._loop)
                if attempt:
                    raise_in(thread, Stopped)
            if await done(self._ended, ROUND):
                return True
        return False

    async def _end_threads(self) -> None:
        """Wait for threads that the call has left at work; stop those that go on."""
        if not await self._threads_have_ended():
            for future in self._lineage.waiting():
                future.cancel()
            # An exception that comes while a loop is being closed leaves what closes it unawaited.
            in_loops = [each for each in self._at_work() if tell_to_end(each, but=None)]
            if in_loops:
                await self._threads_have_ended()
            for thread in self._at_work():
                raise_in(thread, Stopped)
            if not await self._threads_have_ended():
                number = len(self._at_work())
                threads = "A thread goes on" if number == 1 else f"{number} threads go on"
                self.left.append(
                    f"{threads} after the call, and cannot be stopped. Restart the kernel."
                )

    async def _threads_have_ended(self) -> bool:
        deadline = monotonic() + LEFT
        while (at_work := self._left_at_work()) and monotonic() < deadline:
            await asyncio.sleep(LEFT / 50)
        return not at_work

    def _left_at_work(self) -> bool:
        return bool(self._at_work() or self._lineage.waiting())

    def _at_work(self) -> list[threading.Thread]:
        return [thread for thread in self._own_threads() if not is_idle(thread)]

    def _own_threads(self) -> set[threading.Thread]:
        """The call's, but for the shared worker, which outlives the call that first used it."""
        return self._lineage.threads() - workers.shared_threads()

    def is_home(self) -> bool:
        """Whether the code that asks is on the thread that the call came from."""
        return threading.current_thread() is self._thread

    def loop_waits(self) -> bool:
        """Whether the thread that the call came from is in asyncio's own code at this moment.

        As it is while its loop waits for something to do.
        """
        frame = sys._current_frames().get(self._thread.ident)  # Its callers may change meanwhile.
        return frame is None or frame.f_globals.get("__name__", "").startswith(LOOP_MODULES)

    def loop_is_free(self, seconds: float) -> bool:
        """Whether the loop that the call came from goes on, as asked from another thread."""
        free = threading.Event()

        def turn(left: int) -> None:
            if left:
                self._loop.call_soon(turn, left - 1)
            else:
                free.set()

        try:
            self._loop.call_soon_threadsafe(turn, TURNS)
        except RuntimeError:  # It has ended, so nothing holds it.
            return True
        return free.wait(seconds)

    def worker_is_free(self, seconds: float) -> bool:
        """Whether the shared worker comes to do nothing that the call has asked for."""
        deadline = monotonic() + seconds
        while self._holds_worker():
            if monotonic() > deadline:
                return False
            sleep(seconds / 1000)
        return True

    def _holds_worker(self) -> bool:
        return any(map(self._lineage.is_at_work_on, workers.shared_threads()))

    def _ask_to_end(self) -> None:
        if self._loop is None or self._ended.done():
            return
        with suppress(RuntimeError):  # The loop may have been closed meanwhile.
            self._loop.call_soon_threadsafe(self._task.cancel)


def is_async(function: object, around: tuple = ()) -> bool:
    """Whether what a call returns is to be awaited: of an `async def`, whatever is around it.

    Args:
        around: what the function was found in.
    """
    if any(function is each for each in around):
        return False
    if asgiref.sync.iscoroutinefunction(function):
        return True
    return any(is_async(each, (*around, function)) for each in _inside(function))


def _is_lambda(function: object) -> bool:
    """Whether it cannot say whether it is async."""
    return inspect.isfunction(function) and function.__code__.co_name == "<lambda>"


def _inside(function: object) -> list[object]:
    """What is in a partial, an object that can be called, or what a decorator has made."""
    if isinstance(function, functools.partial):
        return [function.func]
    if isinstance(function, asgiref.sync.AsyncToSync) or inspect.isclass(function):
        return []
    if not inspect.isroutine(function):
        return [type(function).__call__] if callable(function) else []
    if hasattr(function, "__wrapped__"):
        return [function.__wrapped__]
    cells = getattr(function, "__closure__", None) or ()
    return [cell.cell_contents for cell in cells if cell != types.CellType()]


def _is_too_large(value: object) -> bool:
    """Whether there is too much in texts and containers of Python's own, one in another."""
    left, waiting, known = LARGEST, [value], set()
    while waiting and left >= 0:
        each = waiting.pop()
        kind = next((kind for kind in _SIZED if issubclass(type(each), kind)), None)
        if kind is int:
            left -= int.bit_length(each) // 3
        elif kind is not None and id(each) not in known:
            known.add(id(each))
            left -= kind.__len__(each)
            if left >= 0 and kind in _CONTAINERS:
                waiting += kind.__iter__(each)
                waiting += dict.values(each) if kind is dict else ()
    return left < 0


_CONTAINERS = (dict, frozenset, list, set, tuple)
_SIZED = (*_CONTAINERS, bytearray, bytes, int, str)


async def _forgo(value: object) -> None:
    """Give `value` up, with all that it waits for, if it is a future of the running loop."""
    if asyncio.isfuture(value) and value.get_loop() is asyncio.get_running_loop():
        value.cancel()
        await asyncio.gather(value, return_exceptions=True)


def _report(loop: asyncio.AbstractEventLoop, context: dict) -> None:
    """What asyncio says of a lost task or exception, in one line and without a file's name.

    But for what was cancelled: the end of a call cancels what it has left.
    """
    error = context.get("exception")
    if isinstance(error, asyncio.CancelledError):
        return
    what = f" {headline(error)}" if error is not None else ""
    print(as_written(context["message"]) + what, file=sys.stderr)
