"""Run a text as a cell is run, record it, and clean up after it."""

import ast
import asyncio
import inspect
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from ..recorder import taps
from ..recorder.events import SYNC, Recording, Span

NAME = "this run"  # what the lanes call the text itself
PATIENCE = 30  # seconds to wait for threads that an interrupt cannot stop
STEP = 0.02  # seconds

_run: ContextVar["Run"] = ContextVar("asynclab_playground_run")


class Run:
    """One run of a text: what it recorded, and how it ended.

    Args:
        code: the text, as it would stand in a cell.
        function: the name of the function in it that its calls call.
        number: tells it from other runs.

    `file` is the file name that its code has. `recording` is there once it has begun. `error` is
    the exception that ended it, `line` the line of `code` that raised it; `interrupted` says that
    it was cancelled. `connections` are the database connections that it opened, in any thread,
    until they are closed when it is over; `opened` is how many those were.
    """

    def __init__(self, code: str, function: str, number: int = 1):
        self.code = code
        self.function = function
        self.number = number
        self.file = f"<playground, run {number}>"
        self.recording: Recording | None = None
        self.error: BaseException | None = None
        self.line: int | None = None
        self.interrupted = False
        self.opened = 0
        self.connections: list = []
        self._left_behind = False

    async def go(self, begun: Callable[[Recording], None]) -> None:
        """Run the text to its end, and raise nothing that it raises.

        It belongs into a task of its own, with a context of its own: a ThreadSensitiveContext that
        a cell has left open must not reach the text.

        Args:
            begun: called with the recording as soon as there is one.
        """
        _run.set(self)
        program = compile(self.code, self.file, "exec", _FLAGS, dont_inherit=True)
        with self._noting_connections():
            self.recording = taps.start(name=NAME)
            try:
                begun(self.recording)
                await self._evaluate(program)
            finally:
                taps.stop(self.recording, self.error)
        await self._close_connections()

    async def _evaluate(self, program) -> None:
        try:
            result = eval(program, {"__name__": "playground"})
            # A text without await has run by now.
            if program.co_flags & inspect.CO_COROUTINE:
                await result
        except (asyncio.CancelledError, KeyboardInterrupt):
            self.interrupted = True
        except Exception as error:  # noqa: BLE001  whoever shows the run tells it
            self.line = self._line(error)
            self.error = error.with_traceback(None)  # its frames hold all that was in them
        if self.interrupted or self.error:
            await self._settle()

    async def _settle(self) -> None:
        """Wait for what the text has left behind: its tasks, and calls that go on in threads."""
        with suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(PATIENCE):
                while any(self._tasks()) or any(self._open_calls()):
                    await asyncio.sleep(STEP)
        self._left_behind = any(self._open_calls())

    def _tasks(self) -> Iterator[asyncio.Task]:
        for task in asyncio.all_tasks():
            code = getattr(task.get_coro(), "cr_code", None)
            if getattr(code, "co_filename", None) == self.file:
                yield task

    def _open_calls(self) -> Iterator[Span]:
        for span in self.recording.spans:
            if span.kind == SYNC and span.name == self.function and span.end is None:
                yield span

    def _line(self, error: BaseException) -> int | None:
        """The last line of the text that the exception has passed."""
        line, trace = None, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self.file:
                line = trace.tb_lineno
            trace = trace.tb_next
        return line

    @contextmanager
    def _noting_connections(self) -> Iterator[None]:
        """Keep what this run opens, in any thread: a call runs there in its caller's context."""
        # Not imported: the kit serves notebooks without Django, too.
        if "django.db.backends" not in sys.modules:
            yield
            return
        from django.db.backends.signals import connection_created

        connection_created.connect(_note_connection)
        try:
            yield
        finally:
            connection_created.disconnect(_note_connection)

    async def _close_connections(self) -> None:
        self.opened = len(self.connections)
        # A thread that has outlasted our patience may still use its connection.
        if self.connections and not self._left_behind:
            # On a plain thread: the guard is on where the loop runs.
            with ThreadPoolExecutor(1) as pool:
                await asyncio.get_running_loop().run_in_executor(pool, self._close)

    def _close(self) -> None:
        while self.connections:
            connection = self.connections.pop()
            connection.inc_thread_sharing()
            try:
                connection.close()
            finally:
                connection.dec_thread_sharing()


def _note_connection(connection, **_) -> None:
    # One function for all runs: Django remembers for good what it has been asked to call
    # (`django.utils.inspect._get_func_parameters`).
    run = _run.get(None)
    if run is not None:
        run.connections.append(connection)


_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
