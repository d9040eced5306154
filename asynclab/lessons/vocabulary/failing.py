"""Let something fail under an answer: whoever called it has to hear of it."""

import asyncio
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

from asgiref.sync import sync_to_async

from ...exercises.book import NotYet
from ...exercises.given import Call, Given
from ...exercises.lineage import is_beside
from ...recorder.hooks import before_queries
from .tasks import Gate, turns, until


class Mishap(Exception):
    """What a check's own functions raise; no answer has a reason to expect it."""

    def __init__(self):
        super().__init__("the lights went out")


class OtherOutage(Mishap, TimeoutError, KeyError, ValueError, RuntimeError):
    """A mishap of many kinds, so that whoever swallows one swallows it; but no ConnectionError."""


class Outage(OtherOutage, ConnectionError):
    """One that is a ConnectionError as well."""


async def fail(*_args) -> None:
    """What a check gives to an answer as an async function, to see who is told.

    Raises:
        Mishap: always.
    """
    raise Mishap


async def fail_in_many_ways(*_args) -> None:
    """The same, with an exception that a handler for an ordinary kind of error catches.

    Raises:
        Outage: always.
    """
    raise Outage


async def require_told(
    given: Given, name: str, *args, what: str, error: type[Exception] = Mishap, **kwargs
) -> None:
    """Call the reader's function where something fails; `error` must come out of it.

    So may another exception that was raised because of it.

    Args:
        name, args, kwargs: as for `Given.call`.
        what: what fails, as the reader knows it.

    Raises:
        NotYet: "swallowed", or what `Given.call` raises.
    """
    call = await given.call(name, *args, expect=Exception, **kwargs)
    if call.error is None:
        raise _swallowed(name, what)
    if not _stems_from(call.error, error):
        raise call.problem


async def require_told_itself(
    given: Given, name: str, *args, what: str, error: type[Exception] = Mishap, **kwargs
) -> None:
    """The same, and what comes out is the exception as it was raised.

    Raises:
        NotYet: "swallowed", "other-exception", or what `Given.call` raises.
    """
    call = await given.call(name, *args, expect=Exception, **kwargs)
    require_itself(call, name, what, error)


def require_itself(call: Call, name: str, what: str, error: type[Exception] = Mishap) -> None:
    """Require that a call under which something failed ended with that very exception.

    Args:
        call: one for which exceptions were expected.
        name: the reader's function.
        what: what failed, as the reader knows it.
        error: what was raised.

    Raises:
        NotYet: "swallowed" if it ended with none, "other-exception" if another was raised because
            of it, or what the reader is told of any other.
    """
    if call.error is None:
        raise _swallowed(name, what)
    if isinstance(call.error, error) and not call.grouped:
        return
    if not _stems_from(call.error, error):
        raise call.problem
    kind = "ExceptionGroup" if call.grouped else type(call.error).__name__
    raise NotYet(
        "other-exception",
        f"{what} failed, and the caller got a `{kind}` in place of the "
        "exception, so whoever catches what was raised does not see this one. What lets an "
        "exception go on as it is?",
    )


def _swallowed(name: str, what: str) -> NotYet:
    return NotYet(
        "swallowed",
        f"{what} failed, and whoever called `{name}` was told nothing. "
        "Which errors are yours to catch here, and who should hear of all the others?",
    )


async def require_cancellable(
    given: Given, name: str, questions: list[str], last: bool = False, **kwargs
) -> None:
    """Cancel a call of the reader's function while it waits; the cancellation must come out of it.

    Args:
        questions: the arguments of an async function that the reader's function calls with each.
        last: whether the reader's function gets that function after the questions.

    Raises:
        NotYet: "cancel-swallowed", or what `Given.call` raises.
    """
    require_cancelled(name, await given.result_of(name, questions, last, driver=_cancel, **kwargs))


async def require_cancellable_beside(
    given: Given, name: str, *args, begun: threading.Event, end: threading.Event, **kwargs
) -> None:
    """The same for a call that a thread works for, which goes on when the call is cancelled.

    Args:
        name, args, kwargs: as for `Given.call`.
        begun: is set by what works for the call, one of `args`.
        end: lets that work end. It is set when the call has had time to notice.

    Raises:
        NotYet: "cancel-swallowed", or what `Given.call` raises.
    """

    async def cancel(function, *args):
        return await ends_cancelled(function(*args), begun, end)

    require_cancelled(name, await given.result_of(name, *args, driver=cancel, **kwargs))


async def require_cancellable_on_thread(given: Given, name: str, *args, **kwargs) -> None:
    """The same, for an answer whose first argument is a sync function that does the work.

    An answer may wait for the work on its way out, even without an `await`.
    """
    begun, end = threading.Event(), threading.Event()

    def work(*_args, **_kwargs):
        begun.set()
        end.wait(3)  # Less than a call may take: a loop that waits for this cannot set `end`.

    await require_cancellable_beside(given, name, work, *args, begun=begun, end=end, **kwargs)


async def require_cancellable_query(given: Given, name: str, *args, at: str = "", **kwargs) -> None:
    """The same, for an answer that waits for the database. Its worker is free again afterwards.

    Args:
        at: a part of the query that is slow, such as a table's name; by default the first one is.
    """
    begun, end = threading.Event(), threading.Event()

    def stall(_cursor, sql):
        if at in sql and not is_beside():
            begun.set()
            end.wait(5)

    with before_queries(stall):
        await require_cancellable_beside(given, name, *args, begun=begun, end=end, **kwargs)
        await sync_to_async(int)()  # Whatever the call has left in the worker's queue goes first.


async def ends_cancelled(
    awaitable: Awaitable, begun: threading.Event, end: threading.Event
) -> bool:
    """Whether a task ends as cancelled that is cancelled while something works for it.

    Args:
        awaitable: what the task awaits.
        begun, end: as for `require_cancellable_beside`.
    """
    task = asyncio.ensure_future(awaitable)
    while not (begun.is_set() or task.done()):
        await asyncio.sleep(0.001)
    task.cancel()
    await turns()
    end.set()
    await asyncio.wait([task])
    return task.cancelled() or isinstance(task.exception(), asyncio.CancelledError)


def require_cancelled(name: str, cancelled: bool) -> None:
    """Require that a call of the reader's function which was cancelled has ended so.

    Raises:
        NotYet: "cancel-swallowed".
    """
    if not cancelled:
        raise NotYet(
            "cancel-swallowed",
            f"The task that awaited `{name}` was cancelled, as it is when a visitor leaves, and "
            "`CancelledError` did not come out of it. Who has to let that exception through?",
        )


async def _cancel(function, questions: list[str], last: bool) -> bool:
    """Whether a task that awaits the function ends as cancelled when it is cancelled."""
    gate = Gate()

    async def ask(_question):
        await gate.wait()

    arguments = (questions, ask) if last else (ask, questions)
    task = asyncio.ensure_future(function(*arguments))
    await turns()
    task.cancel()
    await turns()
    if not task.done():
        gate.open()
        await turns()
    return task.done() and task.cancelled()


def _stems_from(error: BaseException | None, kind: type[Exception]) -> bool:
    """Whether an exception is of that kind, or was raised because of one that is."""
    if error is None or isinstance(error, kind):
        return error is not None
    behind = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return any(_stems_from(each, kind) for each in (*behind, error.__cause__ or error.__context__))


async def require_told_of_database(given: Given, name: str, *args, **kwargs) -> None:
    """The same, with a database that answers no query.

    Raises:
        NotYet: as for `require_told`, in other words if the database was not even asked.
    """
    from django.db import DatabaseError

    with database_away() as refused:
        try:
            await require_told(
                given, name, *args, what="The database", error=DatabaseError, **kwargs
            )
        except NotYet as stop:
            # A task of the call's may be about to ask.
            if stop.diagnosis != "swallowed" or await until(lambda: refused, LATE_QUERY):
                raise
            raise NotYet(
                "swallowed",
                f"Called once more, `{name}` gave an answer without asking the database. What it "
                "knows from an earlier call may have changed since. How long is an answer true?",
            ) from None


LATE_QUERY = 0.5
"""Seconds in which a query may come that nobody waits for."""


async def require_told_of_no_loop(given: Given, name: str, *args, **kwargs) -> None:
    """The same, on a thread where no loop is running, so that no task can be started.

    Where asyncio has been patched to make a loop there, nothing fails, and nothing is required.
    """
    what = "There was no running loop: the start of the task"
    kwargs |= {"where": "thread", "error": RuntimeError}
    try:
        await require_told(given, name, *args, what=what, **kwargs)
    except NotYet as stop:
        if stop.diagnosis != "swallowed" or not await asyncio.to_thread(_makes_loop):
            raise


def _makes_loop() -> bool:
    """Whether asyncio makes a loop on this thread, which has none: nest_asyncio's patch does."""
    try:
        asyncio.get_event_loop().close()
    except RuntimeError:
        return False
    asyncio.set_event_loop(None)
    return True


@contextmanager
def database_away() -> Iterator[list[str]]:
    """Let every query fail in the block, on every thread, but for those beside a call.

    Gives the list of those that failed.
    """
    from django.db import OperationalError

    refused = []

    def refuse(cursor, sql):
        if not is_beside():
            refused.append(sql)
            raise OperationalError("the database is away")

    with before_queries(refuse):
        yield refused


@contextmanager
def database_lost_at(statement: str) -> Iterator[None]:
    """Let the first query of that kind fail in the block, and every one after it on its thread.

    Not so for those beside a call.

    Args:
        statement: what the query begins with, such as "INSERT".
    """
    from django.db import OperationalError

    lost = set()

    def refuse(cursor, sql):
        if is_beside():
            return
        if sql.startswith(statement):
            lost.add(threading.get_ident())
        if threading.get_ident() in lost:
            raise OperationalError("the connection is lost")

    with before_queries(refuse):
        yield
