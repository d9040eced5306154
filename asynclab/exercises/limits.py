"""One call of the reader's code, on a thread of its own, under a time limit."""

import asyncio
import concurrent.futures
import functools
import inspect
import sys
import threading
import time
import types
import weakref
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, suppress
from types import FrameType

import asgiref.sync

from ..ground.connections import close_connections
from ..ground.interrupts import raise_in
from ..recorder import taps, workers
from ..recorder.events import Recording
from .event_loops import new_loop
from .lineage import Lineage
from .verdicts import as_written

ROUND = 0.1
"""Seconds that code which overran gets to end, between two requests to do so."""
ROUNDS = 10
TURNS = 20
"""Turns that a loop has to make to be free: one alone may be its last before it is held."""
LOOP_MODULES = "asyncio.", "selectors"
LEFT = 0.5
"""Seconds that a thread which the code has left at work gets to end by itself."""


_told_to_end: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


class Stopped(BaseException):
    """Raised inside code that overran its time."""


def was_told_to_end(thread: threading.Thread) -> bool:
    """Whether a check has asked this thread to end. How it then ends is no news."""
    return thread in _told_to_end


class ReturnedAwaitable(Exception):
    """The function returned something that still had to be awaited, and has not begun."""


class ReturnedFuture(Exception):
    """The function returned something that still had to be awaited, and has begun."""


class ReturnedGenerator(Exception):
    """The function returned something that still had to be looped over."""


class Job:
    """One call of a function.

    After `run`, `hung` says that the call did not end in time, and `runs_on` that it could not be
    stopped; `error` is what it raised, or None; `value` is what it returned; `recording` holds the
    events of the call.

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
        self._returned = False
        self.recording: Recording | None = None
        self._name = name
        self._awaits = is_async(function) or _is_lambda(function)
        self._function = functools.partial(function, *args, **kwargs)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task | None = None
        self._ended = concurrent.futures.Future()
        self._lineage = Lineage()
        call = self._call_in_loop if where == "cell" else self._call
        self._thread = self._lineage.thread(self._main, call)

    async def run(self, seconds: float) -> None:
        """Make the call; return when it has ended, or was stopped, or was given up.

        Nothing stays behind: no recording, and no thread unless it cannot be stopped (C code that
        never returns); such a thread is a daemon, and the shared worker is replaced if it is stuck.
        """
        with self._lineage.followed():
            self._thread.start()
            try:
                await self._wait(seconds)
            finally:
                if self.recording is not None:
                    taps.stop(self.recording)

    async def _wait(self, seconds: float) -> None:
        try:
            await _done(self._ended, seconds)
        finally:  # Also when the reader interrupts the check, and again while it is stopped.
            if not self._ended.done() or self._at_work():
                await _to_its_end(self._end())

    async def _end(self) -> None:
        if self._ended.done():
            await self._end_threads()
        else:
            self.hung = not self._returned
            stopped = await self._stop()
            self.runs_on = not await _free_shared_worker(self._lineage) or not stopped

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
        self.value = value
        self._returned = True

    async def _stop(self) -> bool:
        """Ask the call to end, again and again; return whether it did."""
        for attempt in range(ROUNDS):
            self._ask_to_end()
            for thread in self._own_threads():
                _tell_to_end(thread, but=self._loop)
                if attempt:
                    raise_in(thread, Stopped)
            if await _done(self._ended, ROUND):
                return True
        return False

    async def _end_threads(self) -> None:
        """Wait for threads that the call has left at work; stop those that go on."""
        deadline = time.monotonic() + LEFT
        while (at_work := self._at_work()) and time.monotonic() < deadline:
            await asyncio.sleep(LEFT / 50)
        for thread in at_work:
            _tell_to_end(thread, but=None)
            raise_in(thread, Stopped)
        for thread in at_work:
            await asyncio.to_thread(thread.join, LEFT)

    def _at_work(self) -> list[threading.Thread]:
        return [thread for thread in self._own_threads() if not _is_idle(thread)]

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
        done = threading.Event()

        def turn(left: int) -> None:
            if left:
                self._loop.call_soon(turn, left - 1)
            else:
                done.set()

        try:
            self._loop.call_soon_threadsafe(turn, TURNS)
        except RuntimeError:  # It has ended, so nothing holds it.
            return True
        return done.wait(seconds)

    def worker_is_free(self, seconds: float) -> bool:
        """Whether the shared worker comes to do nothing that the call has asked for."""
        deadline = time.monotonic() + seconds
        while self._holds_worker():
            if time.monotonic() > deadline:
                return False
            time.sleep(seconds / 1000)
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


async def _forgo(value: object) -> None:
    """Give `value` up, with all that it waits for, if it is a future of the running loop."""
    if asyncio.isfuture(value) and value.get_loop() is asyncio.get_running_loop():
        value.cancel()
        await asyncio.gather(value, return_exceptions=True)


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


def _tell_to_end(thread: threading.Thread, but: asyncio.AbstractEventLoop | None) -> None:
    """Cancel every task of the loop that `thread` is running, unless that is `but`.

    A loop that waits for events is in C, where an exception raised in its thread does not reach it.
    """
    _told_to_end.add(thread)
    loop = _loop_in(thread)
    if loop is not None and loop is not but:
        with suppress(RuntimeError):  # The loop may have been closed meanwhile.
            loop.call_soon_threadsafe(_cancel_tasks, loop)


def _loop_in(thread: threading.Thread) -> asyncio.AbstractEventLoop | None:
    """The event loop that `thread` is running, as its stack shows it."""
    running = asyncio.BaseEventLoop.run_forever.__code__
    loops = (frame.f_locals["self"] for frame in _frames(thread) if frame.f_code is running)
    return next(loops, None)


def _is_idle(thread: threading.Thread) -> bool:
    """Whether `thread` is a pool's worker that waits for work."""
    innermost = next(_frames(thread), None)
    return innermost is None or innermost.f_code is concurrent.futures.thread._worker.__code__


def _frames(thread: threading.Thread) -> Iterator[FrameType]:
    """The frames of what `thread` runs, from the innermost outwards."""
    frame = sys._current_frames().get(thread.ident)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _cancel_tasks(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()


def _report(loop: asyncio.AbstractEventLoop, context: dict) -> None:
    """What asyncio says of a lost task or exception, in one line and without a file's name.

    But for what was cancelled: the end of a call cancels what it has left.
    """
    error = context.get("exception")
    if isinstance(error, asyncio.CancelledError):
        return
    what = f" {type(error).__name__}: {error}" if error is not None else ""
    print(as_written(context["message"]) + what, file=sys.stderr)


async def _free_shared_worker(lineage: Lineage) -> bool:
    """See to it that the call does not keep asgiref's one thread-sensitive worker.

    Returns whether what it ran for the call has ended.

    If it is stuck in code that cannot be interrupted, such as a long `time.sleep`, a new one takes
    its place.
    """
    for attempt in range(ROUNDS):
        if await _done(workers.shared().submit(int), ROUND):
            return True
        for thread in workers.shared_threads():
            if thread.is_alive() and not lineage.has(thread):
                return True  # It works for somebody else.
            _tell_to_end(thread, but=None)
            if attempt:
                raise_in(thread, Stopped)
    stuck = workers.shared_threads()
    workers.replace_shared()
    # An exception that arrives when the code has just ended ends the thread instead.
    return not any(thread.is_alive() for thread in stuck)
