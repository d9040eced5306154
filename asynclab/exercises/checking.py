"""`await check("1.2")`: grade the reader's names, and come back to a kernel that is as it was."""

import asyncio
import io
import logging
import os
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, redirect_stderr, redirect_stdout

from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured

from ..boot import UNSAFE, seed_data
from ..ground.connections import close_connections
from ..ground.shell import running_shell
from ..recorder import workers
from . import score
from .apart import STUCK, Stuck, on_own_thread
from .book import Exercise, NotAttempted, NotYet, find
from .endings import Stopped, was_told_to_end
from .event_loops import asyncio_run, unbound
from .given import Given
from .lineage import Lineage, is_beside
from .receivers import left_out
from .surroundings import as_imported, for_checked_code
from .texts import as_written, headline, shortened
from .verdicts import NOT_ATTEMPTED, NOT_YET, PASSED, Verdict

NO_DJANGO = "Django is not set up here. Run the cell with `boot()`, then this one again."

GUARD_OFF = f"{UNSAFE} is set: Django's guard is off in this kernel. The check ran with it on."

UNUSABLE = "The check cannot use what your code gave it"

INTERRUPTED = "The check was interrupted. It left nothing behind."

# Output and environment belong to the process, so only one check may hold them at a time. A lock
# of asyncio's would serve one loop alone.
_one_at_a_time = threading.Lock()
TURN = 0.02
"""Seconds between two looks whether it is this check's turn."""


@asynccontextmanager
async def _turn() -> AsyncIterator[None]:
    while not _one_at_a_time.acquire(blocking=False):
        await asyncio.sleep(TURN)
    try:
        yield
    finally:
        _one_at_a_time.release()


def check(number: object) -> "Check":
    """Grade an exercise: `await check("1.2")`.

    A check has the data that `boot()` made, so that what you wrote into the library changes no
    verdict; your own data is back when it ends. It leaves the data of another project alone.
    Django's guard is on while it runs, and is then what it was. Whatever the answer does, a verdict
    comes, and the kernel is as it was before; unless it ends the process, or holds Python's lock in
    C code that never returns.

    Args:
        number: the exercise's number.

    Returns:
        Something to await; it gives a `Verdict`.

    Raises:
        LabError: there is no such exercise.
    """
    with as_imported():  # or a builtin that is gone would be missed here
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
            async with _turn():
                verdict = await grade(self._exercise, *_notebook())
        except asyncio.CancelledError as interrupt:
            # The same exception goes on: asyncio.timeout() knows no subclass of it before 3.13.
            interrupt._render_traceback_ = lambda: [INTERRUPTED]
            raise
        with as_imported():
            score.note_verdict(verdict)
        if os.environ.get(UNSAFE):
            print(GUARD_OFF)
        return verdict


async def grade(
    exercise: Exercise, namespace: dict[str, object], cells: Sequence[str] = ()
) -> Verdict:
    """The verdict on what the reader has for `exercise`; see `Given`."""
    printed, check, notes = Printed(), Lineage(), []
    output = (
        redirect_stdout(Shared(printed, sys.stdout)),
        redirect_stderr(Shared(printed, sys.stderr)),
    )
    apart = _apart(check), left_out(namespace, check.is_here), unbound(namespace)
    with _undisturbed() as replaced, apart[0], apart[1], apart[2], output[0], output[1]:
        try:
            work = _outcome(exercise, namespace, cells, notes)
            outcome, text, diagnosis = await on_own_thread(work, check)
        except Stuck as stuck:
            outcome, text, diagnosis = NOT_YET, _says_stuck(stuck, namespace), "stuck"
        except Exception as error:  # noqa: BLE001 - the loop's, without names that it needs
            outcome, text, diagnosis = NOT_YET, f"{UNUSABLE}: `{headline(error)}`", "unusable"
    if replaced:
        notes.append(_says_replaced(replaced))
    texts = shortened(text), diagnosis, printed.short(), tuple(dict.fromkeys(notes))
    return Verdict(exercise.number, exercise.title, outcome, *texts)


async def _outcome(exercise: Exercise, *notebook_and_notes) -> tuple[str, str, str]:
    """Outcome, text and diagnosis. Whatever the answer has made is free when it returns."""
    try:
        praise = await _praise(exercise, *notebook_and_notes)
    except NotAttempted as missing:
        return NOT_ATTEMPTED, str(missing), ""
    except NotYet as problem:
        return NOT_YET, problem.text, problem.diagnosis
    except (ImportError, AppRegistryNotReady, ImproperlyConfigured):
        return NOT_ATTEMPTED, NO_DJANGO, ""
    except Stopped:
        raise
    except BaseException as error:
        if asyncio.current_task().cancelling():
            raise
        # What the reader's code returned may be anything, and a check may trip over it.
        return NOT_YET, f"{UNUSABLE}: `{headline(error)}`", "unusable"
    return PASSED, praise or "", ""


@contextmanager
def _apart(check: Lineage) -> Iterator[None]:
    """Keep what a check and its calls use, and what goes on beside them, out of each other's way.

    Both have a shared worker, and data, of their own, and a loop is what asyncio takes for one.
    """
    with (
        check.followed(),
        seed_data(is_beside),
        asyncio_run(check.is_here),
        workers.own_shared(check.is_here, at_end=close_connections),
    ):
        yield


async def _praise(
    exercise: Exercise, namespace: dict[str, object], cells: Sequence[str], notes: list[str]
) -> str | None:
    given = Given(exercise, namespace, cells)
    try:
        return await exercise.grade(given)
    finally:
        notes += given.left


def _says_stuck(stuck: Stuck, namespace: dict[str, object]) -> str:
    mine = [name for names, name in stuck.path if names is namespace]
    where = f"`{mine[0]}`" if mine else "it"
    ended = "could not be stopped. Restart the kernel" if stuck.runs_on else "was stopped"
    return (
        f"The check looked at what your code gave it: {where} did not end within {STUCK} "
        f"seconds, and {ended}. What does it wait for?"
    )


def _says_replaced(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"Replaced in this kernel: {shown}{more}. The check ran with the original; "
        "to have it back, restart the kernel."
    )


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
            self._start += text[: self.LINES * self.WIDTH]
        self._lines += text.count("\n")
        return len(text)

    def close(self) -> None:
        """Stay open: what is printed next comes here, too."""

    def short(self) -> str:
        """The first lines, each cut to its width, and the number of those left out."""
        lines = [line[: self.WIDTH] for line in self._start.splitlines()[: self.LINES]]
        more = self._lines - len(lines)
        return "\n".join([*lines, f"... and {more} more lines"] if more > 0 else lines)


class Shared(io.TextIOBase):
    """A stream of the process: what goes on beside the check writes where it did before."""

    def __init__(self, mine: io.TextIOBase, others: io.TextIOBase):
        self._mine, self._others = mine, others

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return (self._others if is_beside() else self._mine).write(text)

    def flush(self) -> None:
        if is_beside():
            self._others.flush()


@contextmanager
def _undisturbed() -> Iterator[list[str]]:
    """Put back what belongs to the process and the reader's code may change.

    See `for_checked_code`.
    """
    with for_checked_code() as replaced:
        threading.excepthook, sys.unraisablehook = _show_end_of_thread, _show_unraisable
        os.environ.pop(UNSAFE, None)  # without the guard a wrong answer may pass
        # A loop that asgiref made, one that is gone, and a pool report here, with a traceback.
        for name in ("asyncio", "concurrent.futures"):
            logging.getLogger(name).addFilter(_tell_in_short)
        with warnings.catch_warnings(), _no_exit():
            warnings.showwarning = _show_warning
            yield replaced


@contextmanager
def _no_exit() -> Iterator[None]:
    """Let `exit()` be an error in the block. In a kernel it would end that, a moment later."""
    shell = running_shell()
    if shell is None:
        yield
        return
    shell.ask_exit = sys.exit
    try:
        yield
    finally:
        del shell.ask_exit


def _show_warning(message, category, *_place, **_more) -> None:
    """In one line, for it may arise in any frame, mostly in one that the reader did not write."""
    print(f"{category.__name__}: {as_written(shortened(str(message)))}", file=sys.stderr)


def _tell_in_short(record: logging.LogRecord) -> bool:
    """Print in one line what asyncio logs, with the exception's name for its traceback.

    Whatever the reader has made of logging. What goes on beside the check is logged as ever.
    """
    if is_beside():
        return True
    first = as_written(shortened(record.getMessage()).partition("\n")[0])
    error = record.exc_info[1] if record.exc_info else None
    what = f": {headline(error)}" if error is not None else ""
    if record.levelno >= logging.WARNING:
        print(f"{first}{what}", file=sys.stderr)
    return False


def _show_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    """In one line, as a warning. What the check itself has stopped is no news."""
    stopped = issubclass(ended.exc_type, Stopped | asyncio.CancelledError)
    if stopped and ended.thread is not None and was_told_to_end(ended.thread):
        return
    name = ended.thread.name if ended.thread else "a thread"
    print(f"Exception in {name}: {headline(ended.exc_value)}", file=sys.stderr)


def _show_unraisable(ignored: "sys.UnraisableHookArgs") -> None:
    """In one line: what a finalizer raises, or a coroutine that does not let itself be closed."""
    print(f"Exception ignored: {headline(ignored.exc_value)}", file=sys.stderr)


def _notebook() -> tuple[dict[str, object], Sequence[str]]:
    """The namespace of the reader's cells, and the cells."""
    shell = running_shell()
    if shell is None:
        return vars(sys.modules["__main__"]), ()
    return shell.user_ns, shell.history_manager.input_hist_raw
