"""The reader's names, as a check gets them."""

import ast
import builtins
import functools
import inspect
import linecache
import textwrap
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asgiref.sync

from ..recorder.events import Recording
from .book import Exercise, NotAttempted, NotYet, Raised, meaning_of
from .limits import (
    Job,
    ReturnedAwaitable,
    ReturnedFuture,
    ReturnedGenerator,
    TooLarge,
    is_async,
)
from .stubs import STUB, bound_names, parse
from .texts import headline

LOOKS = 5
BETWEEN_LOOKS = 0.002
"""Seconds."""

MEANT_ASYNC = "Did you mean `async def`, with an `await` inside?"


@dataclass(frozen=True)
class Call:
    """One call of the reader's function: what came of it, and what happened meanwhile.

    Args:
        recording: the events of the call.
        result: what it returned; None if it raised.
        problem: what the reader would be told of the exception that the check has expected, or
            None.
        error: that exception, or None.
        grouped: whether it came out inside an exception group.
    """

    recording: Recording
    result: object = None
    problem: NotYet | None = None
    error: BaseException | None = None
    grouped: bool = False

    @property
    def value(self) -> object:
        """What the function returned.

        Raises:
            NotYet: it raised; see `Given.call`.
        """
        if self.problem is not None:
            raise self.problem
        return self.result


class Given:
    """What the reader has written for one exercise.

    Args:
        exercise: says which names, and how long a call may take.
        namespace: the namespace of the reader's cells.
        cells: the source of each cell run so far, as the reader wrote it.

    Raises:
        NotAttempted: a name is missing, or its stub still stands.

    `left` says in sentences what its calls have left.
    """

    def __init__(self, exercise: Exercise, namespace: dict[str, object], cells: Sequence[str]):
        self.left: list[str] = []
        self._job: Job | None = None
        self._exercise = exercise
        self._namespace = namespace
        self._cells = cells
        for name in exercise.names:
            self._refuse_stub(name)

    def value(self, name: str) -> object:
        """The object behind `name`, as it is."""
        if name not in self._namespace:
            raise NotAttempted(
                f"There is no `{name}` here. Run the cell that defines it, then this one again."
            )
        return self._namespace[name]

    def source(self, name: str) -> str | None:
        """The source text that defined `name`, dedented, or None if it is not known."""
        try:
            return textwrap.dedent(inspect.getsource(_plain(self.value(name))))
        except (TypeError, OSError, ValueError):  # Wrappers may go round in a circle.
            return _from_cells(name, self._cells)

    async def call(
        self,
        name: str,
        *args,
        where: str = "cell",
        driver: Callable | None = None,
        expect: type[BaseException] | tuple[type[BaseException], ...] = (),
        **kwargs,
    ) -> Call:
        """Call the reader's function, sync or async.

        The call runs on a new thread, with the context variables of the check, and is recorded.

        Args:
            where: "cell", in a thread whose event loop is running, as a cell would; "thread", in
                a thread without a loop.
            driver: a function that is called in place of the reader's, with the reader's as its
                first argument. It can look at what happens between two steps of the loop.
            expect: exceptions that are no reason to give up: the `Call` then has it as its `error`,
                and its `value` raises what is raised here for any other exception.

        Raises:
            NotYet: the function hangs ("hangs"), raises (what the exercise's table of errors says,
                or `Raised`), returns a coroutine ("returned-coroutine") or a future
                ("returned-future"), is a generator ("generator"), or is no function
                ("not-callable").
        """
        function = self.value(name)
        if not callable(function):
            kind = type(function).__name__
            raise NotYet("not-callable", f"`{name}` is not a function, but of type `{kind}`.")
        called, args = (driver, (function, *args)) if driver else (function, args)
        self._job = job = Job(name, called, args, kwargs, where)
        names = dict(self._namespace)
        await job.run(self._exercise.seconds)
        # What it has deleted is there again: the reader goes on in this notebook.
        self._namespace |= names | self._namespace
        self.left += job.left
        if job.hung:
            raise NotYet("hangs", self._hangs(name, job))
        if job.error is not None:
            raised = self._raised(name, function, where, job.error)
            problem = meaning_of(raised, self._exercise.errors)
            if not isinstance(raised.error, expect):
                raise problem
            grouped = job.error is not raised.error
            return Call(job.recording, None, problem, raised.error, grouped)
        if inspect.isclass(function) and type(job.value) is function and not callable(job.value):
            raise NotYet("not-callable", _is_a_class(name))
        return Call(job.recording, job.value)

    async def result_of(self, name: str, *args, **options) -> object:
        """The value of a call, for a check that asks nothing else of it; see `call`."""
        return (await self.call(name, *args, **options)).value

    def loop_is_free(self, seconds: float = 1) -> bool:
        """Whether the loop of the call under way goes on; for a check's own functions to ask.

        It does not if it makes its turns so slowly that there is always something at work on it,
        as there is where code sleeps a little in each turn.

        Args:
            seconds: how long to wait for it.
        """
        return self._job.loop_is_free(seconds) and self._loop_waits_now_and_then()

    def _loop_waits_now_and_then(self) -> bool:
        for _ in range(LOOKS):
            if self._job.loop_waits():
                return True
            time.sleep(BETWEEN_LOOKS)
        return False

    def worker_is_free(self, seconds: float = 1) -> bool:
        """Whether the call under way leaves the shared worker to others, as asked from elsewhere.

        Args:
            seconds: how long to wait for it. What somebody else has the worker do does not count.
        """
        return self._job.worker_is_free(seconds)

    def is_home(self) -> bool:
        """Whether the code that asks is on the thread that the call under way came from.

        Unlike `asyncio.get_running_loop`, it cannot be talked out of that.
        """
        return self._job.is_home()

    def _refuse_stub(self, name: str) -> None:
        value = self.value(name)
        source = self.source(name) if callable(value) else ""
        if value is ... or STUB in (source or ""):
            raise NotAttempted(f"The stub still stands in `{name}`. Put your code in its place.")

    def _hangs(self, name: str, job: Job) -> str:
        what = f"`{name}` returned, but what it has started" if job.returned else f"`{name}`"
        late = f"{what} did not end within {self._exercise.seconds:g} seconds"
        if job.runs_on:
            return f"{late}, and could not be stopped. Restart the kernel. What waits in it?"
        return f"{late}, and was stopped. What waits in it?"

    def _raised(self, name: str, function: object, where: str, error: BaseException) -> Raised:
        """What there is to know of an error that ended a call.

        Raises:
            NotYet, NotAttempted: no error of the reader's is behind it.
        """
        if isinstance(error, ReturnedAwaitable):
            raise NotYet("returned-coroutine", _returned(name, function, where))
        if isinstance(error, ReturnedFuture):
            raise NotYet("returned-future", _returned_future(name, function))
        if isinstance(error, ReturnedGenerator):
            raise NotYet("generator", _is_a_generator(name))
        if isinstance(error, TooLarge):
            raise NotYet("too-large", _is_too_large(name, error))
        group, error = error, _first_raised(error)
        if type(error) is NotImplementedError:
            raise NotAttempted(f"`{name}` still raises `NotImplementedError`.")
        inside = "" if error is group else f" in an `{type(group).__name__}`"
        text = f"`{name}` raised `{headline(error)}`{inside}{self._where_in_cell(error)}"
        if type(error) is NameError and not self._is_known(error.name):
            text += (
                f". Does a cell further up define `{error.name}`? Then run the cells from the top. "
                "If none does, is the name misspelt?"
            )
        path = [
            (frame.f_globals.get("__name__", ""), frame.f_code.co_name)
            for frame, _ in traceback.walk_tb(error.__traceback__)
        ]
        # The frames of the traceback would keep the reader's objects alive.
        return Raised(error.with_traceback(None), text, path, self.source(name) or "")

    def _is_known(self, name: str) -> bool:
        return name in self._namespace or hasattr(builtins, name)

    def _where_in_cell(self, error: BaseException) -> str:
        """The last line of the reader's own that the exception came through."""
        mine = [
            (frame.f_code.co_filename, line)
            for frame, line in traceback.walk_tb(error.__traceback__)
            if frame.f_globals is self._namespace
        ]
        if not mine:  # with wrong arguments nothing of it has run
            begun = type(error) is not TypeError
            return ", in none of its own lines" if begun else " before its first line ran"
        filename, line = mine[-1]
        return f", in line {line} of its cell: `{linecache.getline(filename, line).strip()}`"


def _plain(function: object) -> object:
    """The function inside partials, decorators and asgiref's adapters."""
    while True:
        if isinstance(function, functools.partial | asgiref.sync.SyncToAsync):
            function = function.func
        elif isinstance(function, asgiref.sync.AsyncToSync):
            function = function.awaitable
        else:
            return inspect.unwrap(function) if callable(function) else function


def _from_cells(name: str, cells: Sequence[str]) -> str | None:
    """The last statement in `cells` that binds `name` at top level."""
    for cell in reversed(cells):
        try:
            tree = parse(cell)
        except SyntaxError:
            continue
        for statement in reversed(tree.body):
            if name in bound_names(statement):
                return ast.get_source_segment(cell, statement)
    return None


def _first_raised(error: BaseException) -> BaseException:
    """What a task group gathered first; a group of exceptions that were never raised stays one."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions[0].__traceback__:
        error = error.exceptions[0]
    return error


def _is_a_generator(name: str) -> str:
    return (
        f"`{name}` is a generator: its `yield` makes the code wait until somebody loops over it. "
        "What should it `return`?"
    )


def _is_too_large(name: str, error: TooLarge) -> str:
    return (
        f"`{name}` returned a `{error}` of more than 100,000 characters or items. "
        "How much does the example return?"
    )


def _is_a_class(name: str) -> str:
    return f"`{name}` is a class; a call only makes an object. What would a function be?"


def _returned(name: str, function: object, where: str) -> str:
    # The plain function: a decorator, such as `transaction.atomic`, may hide an `async def`.
    if not is_async(_plain(function)):
        return f"`{name}` returned a coroutine, and nothing has run it. {MEANT_ASYNC}"
    if where == "thread":
        return f"`{name}` is an `async def`, but this exercise calls it where no loop is running."
    return f"`{name}` returned a coroutine, and nothing has run it. Where is an `await` missing?"


def _returned_future(name: str, function: object) -> str:
    question = "Where is an `await` missing?" if is_async(function) else MEANT_ASYNC
    return (
        f"`{name}` returned a future: the work has begun, and nobody waits for its result. "
        f"{question}"
    )
