"""`await check("1.2")`: grade the reader's names, and come back to a kernel that is as it was."""

import asyncio
import io
import logging
import os
import sys
import threading
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured
from IPython import get_ipython

from ..boot import UNSAFE, seed_data
from . import score
from .book import Exercise, NotAttempted, NotYet, find
from .given import Given
from .leftovers import settled
from .limits import Stopped, was_told_to_end
from .verdicts import NOT_ATTEMPTED, NOT_YET, PASSED, Verdict, as_written

NO_DJANGO = "Django is not set up here. Run the cell with `boot()`, then this one again."

GUARD_OFF = f"{UNSAFE} is set: Django's guard is off in this kernel. The check ran with it on."

INTERRUPTED = "The check was interrupted. It left nothing behind."

# Output and environment belong to the process, so only one check may hold them at a time.
_one_at_a_time = asyncio.Lock()


def check(number: object) -> "Check":
    """Grade an exercise: `await check("1.2")`.

    A check has the data that `boot()` made, so that what you wrote into the library changes no
    verdict; your own data is back when it ends. It leaves the data of another project alone.
    Django's guard is on while it runs, and is then what it was.

    Args:
        number: the exercise's number.

    Returns:
        Something to await; it gives a `Verdict`.

    Raises:
        LabError: there is no such exercise.
    """
    return Check(find(number))


class Check:
    """A check that waits for its `await`, and says so when it is shown without one."""

    def __init__(self, exercise: Exercise):
        self._exercise = exercise

    def __await__(self) -> Generator[object, None, Verdict]:
        return self._run().__await__()

    def __repr__(self) -> str:
        return f'Nothing was checked yet. Write: await check("{self._exercise.number}")'

    async def _run(self) -> Verdict:
        try:
            async with _one_at_a_time:
                verdict = await grade(self._exercise, *_notebook())
        except asyncio.CancelledError as interrupt:
            # The same exception goes on: asyncio.timeout() knows no subclass of it before 3.13.
            interrupt._render_traceback_ = lambda: [INTERRUPTED]
            raise
        score.note_verdict(verdict)
        if os.environ.get(UNSAFE):
            print(GUARD_OFF)
        return verdict


async def grade(
    exercise: Exercise, namespace: dict[str, object], cells: Sequence[str] = ()
) -> Verdict:
    """The verdict on what the reader has for `exercise`; see `Given`."""
    printed = Printed()
    output = redirect_stdout(printed), redirect_stderr(printed)
    with _undisturbed(), seed_data(), output[0], output[1], settled():
        outcome, text, diagnosis = await _outcome(exercise, namespace, cells)
    return Verdict(exercise.number, exercise.title, outcome, text, diagnosis, printed.short())


async def _outcome(exercise: Exercise, *notebook) -> tuple[str, str, str]:
    try:
        praise = await exercise.grade(Given(exercise, *notebook))
    except NotAttempted as missing:
        return NOT_ATTEMPTED, str(missing), ""
    except NotYet as problem:
        return NOT_YET, problem.text, problem.diagnosis
    except (ImportError, AppRegistryNotReady, ImproperlyConfigured):
        return NOT_ATTEMPTED, NO_DJANGO, ""
    except Exception as error:  # noqa: BLE001
        # What the reader's code returned may be anything, and a check may trip over it.
        text = f"The check cannot use what your code gave it: `{type(error).__name__}: {error}`"
        return NOT_YET, text, "unusable"
    return PASSED, praise or "", ""


class Printed(io.TextIOBase):
    """What the reader's code prints: the first lines, and how many there were."""

    LINES = 5
    WIDTH = 200

    def __init__(self):
        self._start = ""
        self._lines = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if len(self._start) < self.LINES * self.WIDTH:
            self._start += text
        self._lines += text.count("\n")
        return len(text)

    def short(self) -> str:
        """The first lines, each cut to its width, and the number of those left out."""
        lines = [line[: self.WIDTH] for line in self._start.splitlines()[: self.LINES]]
        more = self._lines - len(lines)
        return "\n".join([*lines, f"... and {more} more lines"] if more > 0 else lines)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put back what belongs to the process and the reader's code may change."""
    environment, folder, depth = dict(os.environ), os.getcwd(), sys.getrecursionlimit()
    hook, threading.excepthook = threading.excepthook, _show_end_of_thread
    # A loop that asgiref made, or one that is gone, reports to this logger, with a traceback.
    logging.getLogger("asyncio").addFilter(_shorten)
    os.environ.pop(UNSAFE, None)  # without the guard a wrong answer may pass
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    finally:
        logging.getLogger("asyncio").removeFilter(_shorten)
        threading.excepthook = hook
        sys.setrecursionlimit(depth)
        if os.environ != environment:
            os.environ.clear()
            os.environ.update(environment)
        os.chdir(folder)


def _show_warning(message, category, *_place, **_more) -> None:
    """In one line, for it may arise in any frame, mostly in one that the reader did not write."""
    print(f"{category.__name__}: {as_written(str(message))}", file=sys.stderr)


def _shorten(record: logging.LogRecord) -> bool:
    """Make one line of what asyncio logs, with the exception's name for its traceback."""
    first = as_written(record.getMessage().partition("\n")[0])
    error = record.exc_info[1] if record.exc_info else None
    what = f": {type(error).__name__}: {error}" if error is not None else ""
    record.msg, record.args, record.exc_info = f"{first}{what}", (), None
    return True


def _show_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    """In one line, as a warning. What the check itself has stopped is no news."""
    stopped = issubclass(ended.exc_type, Stopped | asyncio.CancelledError)
    if stopped and ended.thread is not None and was_told_to_end(ended.thread):
        return
    name = ended.thread.name if ended.thread else "a thread"
    what = f"{ended.exc_type.__name__}: {as_written(str(ended.exc_value))}"
    print(f"Exception in {name}: {what}", file=sys.stderr)


def _notebook() -> tuple[dict[str, object], Sequence[str]]:
    """The namespace of the reader's cells, and the cells."""
    shell = get_ipython()
    if shell is None:
        return vars(sys.modules["__main__"]), ()
    return shell.user_ns, shell.history_manager.input_hist_raw
