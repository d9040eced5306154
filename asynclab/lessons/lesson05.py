"""The checks of lesson 05: context and connections across threads."""

import asyncio
import contextvars
import inspect
import io
import logging
import logging.handlers
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import asgiref.sync
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError
from django.utils import translation

from ..exercises.book import NotYet, exercise
from ..exercises.given import Call
from ..recorder.events import SYNC
from .vocabulary.cancelling import (
    Stalled,
    awaiting,
    end,
    require_cancel_passed_on,
    require_cancelled_with,
)
from .vocabulary.causes import under
from .vocabulary.contexts import in_fresh_context
from .vocabulary.cursors import CursorWatch
from .vocabulary.edges import require_of_nothing, require_unchanged
from .vocabulary.failing import (
    Outage,
    fail_in_many_ways,
    require_cancellable,
    require_cancellable_beside,
    require_cancellable_query,
    require_itself,
    require_told,
    require_told_of_database,
)
from .vocabulary.library import DAY, free_books
from .vocabulary.logs import logger_of_its_own, noting_reports
from .vocabulary.loops import LoopWatch, require_free_for_one
from .vocabulary.open_connections import Opened, noting_closers
from .vocabulary.requests import text_of
from .vocabulary.tasks import CROWD, LastFirst, Overlap, gives_up, pass_time, turns
from .vocabulary.threads import Meeting, require_this_loop
from .vocabulary.values import same

PATIENCE = 2
"""Seconds that a check waits for what an answer should let happen at once."""


@exercise(
    "5.1",
    title="who is at the desk",
    names=("sign_in", "current_member"),
    why=("Each task has a context of its own, and `sync_to_async` takes it along to the worker."),
    hints=(
        "A `threading.local` belongs to a thread. How many tasks share the loop's thread?",
        "Which two boxes of the lesson's table cross `sync_to_async`, and differ from task to "
        "task?",
        'Is it `member = ContextVar("member", default=None)`, with `member.set(name)` and '
        "`member.get()`?",
    ),
    errors={
        (LookupError, "ContextVar"): NotYet(
            "unset-variable",
            "A context variable of yours has no value here: it was set in a cell, and a request "
            "begins in a context in which no cell has set anything. What does the box say where "
            "nobody has put anything into it?",
        ),
    },
)
async def current_member(given):
    _require_plain(given, "sign_in", "current_member")
    before, readers, guest, after = await given.result_of(
        "current_member", driver=_at_the_desk(given.value("sign_in"))
    )
    if before is not None:
        raise NotYet(
            "nobody",
            f"Nobody has signed in, and `current_member()` gave {_shown(before)}. "
            "What stands in the box before the first `sign_in`?",
        )
    for name, (at_once, later, on_worker, other, nobody) in readers.items():
        for found in at_once:
            if found != name:
                raise NotYet(
                    "forgets",
                    f"After `sign_in({name!r})`, `current_member()` gave {_shown(found)}. "
                    "Do both functions look into the same box, and leave in it what is there?",
                )
        if later != name:
            raise NotYet(
                "someone-else",
                f"Two readers were at the desk. After an `await` of {name}, `current_member()` "
                f"gave {_shown(later)}. Who else writes into that box?",
            )
        if on_worker != name:
            raise NotYet(
                "lost-on-the-worker",
                f"On the loop it was {name}; in a function sent through `sync_to_async` it was "
                f"{_shown(on_worker)}. Which boxes does the adapter carry over?",
            )
        if other != OTHER_READER or nobody is not None:
            raise NotYet(
                "stays-the-first",
                f"In {name}'s task somebody else signed in, {OTHER_READER!r}, and then nobody: "
                f"`sign_in(None)`. `current_member()` gave {_shown(other)} and {_shown(nobody)}. "
                "Whose name is it, the first one's or the last one's?",
            )
    if guest != READERS[0]:
        raise NotYet(
            "shared-with-a-child",
            f"{READERS[0]} signed in, and a task that was started then signed somebody else in. "
            f"Afterwards `current_member()` gave {_shown(guest)} to the first task. A context is "
            "copied; is what lies in it, too?",
        )
    if after is not None:
        raise NotYet(
            "seen-by-others",
            "In a task in which nobody had signed in, `current_member()` gave "
            f"{_shown(after)}. From where does it know the name?",
        )
    return "Two readers, and each sees its own name, on the loop and on the worker."


READERS = "Tomoko Arai", "Priya Nair"
OTHER_READER = "Anna van der Meer-O'Neill"


def _at_the_desk(sign_in: Callable) -> Callable[[Callable], Awaitable[tuple]]:
    """What `current_member` says before anyone came, to readers, and where nobody signed in."""

    async def at_the_desk(current_member):
        def ask():
            return _observed(current_member)

        met = asyncio.Barrier(len(READERS))

        async def reader(name):
            sign_in(name)
            at_once = ask(), ask()
            await met.wait()
            later, on_worker = ask(), await sync_to_async(ask)()
            sign_in(OTHER_READER)
            other = ask()
            sign_in(None)
            return at_once, later, on_worker, other, ask()

        async def guest():
            sign_in(READERS[0])
            await asyncio.create_task(child())
            return ask()

        async def child():
            sign_in(OTHER_READER)

        async def passer_by():
            return ask()

        before = await in_fresh_context(passer_by)()
        seen = await asyncio.gather(*[in_fresh_context(reader)(name) for name in READERS])
        readers = dict(zip(READERS, seen, strict=True))
        return before, readers, await in_fresh_context(guest)(), await in_fresh_context(passer_by)()

    return at_the_desk


@exercise(
    "5.2",
    title="the total that stayed zero",
    names=("total_loans",),
    why=(
        "What a coroutine returns comes back through `gather`. What its task sets in a context "
        "variable ends with the task."
    ),
    hints=(
        "`gather` makes a task of each coroutine. Where does what a task sets end?",
        "Besides setting a ContextVar, what else can a coroutine do with a value?",
        "`gather` gives a list of what its coroutines returned. Is the total `sum(...)` of it?",
    ),
    errors={
        (TypeError, "_GatheringFuture"): NotYet(
            "sums-a-future",
            "`gather` gives a future, and `sum` wants the numbers that are in it later. "
            "Which word waits for them, and what does it have to stand in front of?",
        )
    },
)
async def total_loans(given):
    first = {"Dracula": 5, "Emma": 7, "Orlando": 11}
    second = {"Shirley": 100, "Typee": 200}
    driver = in_fresh_context(_totals(first, second))
    call = await given.call("total_loans", driver=driver, expect=(LookupError, AttributeError))
    once, again, both, under_way = call.result or (0, 0, 0, 0)
    right = sum(first.values())
    if once is not None and not once:
        raise NotYet(
            "lost-in-tasks",
            "The lookups ran, and nothing of them came back: each one is a task, and what a task "
            "sets ends with it. How else can a coroutine hand over a number?",
        )
    if again != once or (once == right and both != [right, sum(second.values())]):
        raise NotYet(
            "mixed",
            f"One total was {once!r}; counted once more it was {again!r}, and two at once gave "
            f"{both!r}. All of them add to the same place. Whose should it be?",
        )
    if once == list(first.values())[-1]:
        raise NotYet(
            "lost-update",
            f"The total was {once!r}, the number of one title alone. `total + await ...` reads "
            "the total first, and adds to that old value after the wait. What if nobody had to "
            "add until all numbers are there?",
        )
    if not same(once, right):
        raise NotYet("other-total", f"For {first} it gave {once!r}, and not {right}.")
    require_this_loop(call)
    if under_way < len(first):
        raise _one_by_one(under_way, len(first))
    await _require_each_counted(given)
    await require_of_nothing(
        given, "total_loans", [], fail_in_many_ways, what="no titles", wanted=(0,)
    )
    await require_told(given, "total_loans", [*first], _failing_for("Orlando"), what="`count`")
    await require_cancellable(given, "total_loans", [*first], last=True)
    return f"The total is right, and {CROWD} lookups were under way before the first one ended."


def _totals(first: dict[str, int], second: dict[str, int]) -> Callable:
    """Two totals one after the other, then two at a time; and how many lookups overlapped."""
    numbers, overlap = first | second, Overlap()

    async def count(title):
        with overlap:
            await turns()
        return numbers[title]

    async def totals(total_loans):
        once = await total_loans(list(first), count)
        overlapped = overlap.most
        again = await total_loans(list(first), count)
        both = await asyncio.gather(total_loans(list(first), count), total_loans([*second], count))
        return once, again, both, overlapped

    return totals


async def _require_each_counted(given) -> None:
    """Require that each title counts, however often it is there, and however long it takes."""
    crowd = [f"Volume {number}" for number in range(CROWD)]
    for titles in ["Emma", "Orlando", "Emma"], crowd:
        desk = LastFirst(titles)
        taken = list(titles)
        total = await given.result_of("total_loans", taken, _counting(desk))
        require_unchanged(taken, titles)
        if not same(total, len(titles)):
            raise NotYet(
                "not-each-counted",
                f"{len(titles)} titles were given, {len(set(titles))} different ones, and each "
                f"lookup gave 1, one of them after a second. The total was {total!r}. Which were "
                "left out?",
            )
        if desk.overlap.most < len(titles):
            raise _one_by_one(desk.overlap.most, len(titles))


def _counting(desk: LastFirst) -> Callable:
    """A `count` that gives 1, and takes a second for the title that is answered first."""

    async def count(title):
        await desk.wait(title)
        if desk.answered == 1:
            await pass_time()
        return 1

    return count


def _failing_for(lost: str) -> Callable:
    """A `count` that gives 1, and fails for one title."""

    async def count(title):
        await turns()
        if title == lost:
            raise Outage
        return 1

    return count


def _one_by_one(under_way: int, titles: int) -> NotYet:
    return NotYet(
        "one-by-one",
        f"The total is right, and lookups waited for others: of {titles}, {under_way} were under "
        "way at once. What starts them all before the first `await`?",
    )


@exercise(
    "5.3",
    title="a middleware that cleans up",
    names=("request_id_middleware",),
    why=(
        "One function is around the whole request, so a local variable holds this request's "
        "token, and `finally` runs when a `CancelledError` passes through, too."
    ),
    hints=(
        "`set` returns a token. Where can it be kept so that no other request touches it?",
        "`process_request` and `process_response` run in two contexts. Which one function is "
        "around the whole request?",
        "Is `return await get_response(request)` inside `try`, and `request_id.reset(token)` in "
        "its `finally`?",
    ),
    errors={
        TimeoutError: gives_up("A view"),
        ((ValueError, RuntimeError), "Token", under("two_requests")): NotYet(
            "shared-token",
            "With two requests under way one of them reset the other's token: both keep it in "
            "the same place. Which variable belongs to one request alone?",
        ),
        ((ValueError, RuntimeError), "Token"): NotYet(
            "two-contexts",
            "The token was made in one context and reset in another: `process_request` and "
            "`process_response` each go through `sync_to_async`. Which function lasts from before "
            "the view until after it?",
        ),
    },
)
async def request_id_middleware(given):
    from django.http import HttpResponse

    _require_plain(given, "request_id_middleware")
    request_id, found = given.value("request_id"), [None]

    async def view(request):
        found.append(request_id.get())
        await pass_time()
        return HttpResponse("the page")

    one_request = _one_request(request_id, view)
    call = await given.call("request_id_middleware", driver=one_request)
    require_this_loop(call)
    response, after = call.value
    if found[-1] != "r1":
        raise NotYet(
            "gone-in-the-view",
            f"The view of request r1 found {found[-1]!r} in `request_id`. If you set it: a "
            "call of an `async def` only makes a coroutine. When does the view run, and what was "
            "reset before?",
        )
    if len(found) > 2:
        raise NotYet(
            "called-twice",
            f"For one request the view ran {len(found) - 1} times. A view may lend a book: where "
            "is its first response?",
        )
    if text_of(response) != "the page":
        raise NotYet(
            "no-response", "The middleware handed no response on. What does it have to return?"
        )
    if after == "r1":
        raise NotYet(
            "left-behind",
            "The request is over, and its id is still there: the next line of this log would "
            "carry it. What takes a value back?",
        )
    if after != "outer":
        raise NotYet(
            "flattened",
            f"Before the request `request_id` was 'outer', afterwards {after!r}. "
            "What does `set` return, and what can be done with it?",
        )
    for ending, what in (_cancelled, "was cancelled"), (fail_in_many_ways, "failed"):
        one_request = _one_request(request_id, ending)
        _, after = await given.result_of("request_id_middleware", driver=one_request)
        if after != "outer":
            raise NotYet(
                "left-after-error",
                f"A view {what}, the exception passed through, and the id stayed. "
                "Which block runs whatever happens?",
            )
    found = await given.result_of(
        "request_id_middleware", driver=in_fresh_context(_two_requests(request_id))
    )
    if found != {"r1", "r2"}:
        raise NotYet(
            "other-id",
            f"Two requests were under way, r1 and r2, and their views found {sorted(found)}. "
            "Where does each request carry its id?",
        )
    driver = _request_to(fail_in_many_ways)
    await require_told(given, "request_id_middleware", driver=driver, what="The view")
    stalled = Stalled()
    await require_cancel_passed_on(
        given, "request_id_middleware", stalled, _request_to(stalled.work), what="the view"
    )
    return "The view has its request's id. Afterwards the old value is back, whatever was raised."


def _one_request(request_id: contextvars.ContextVar, view: Callable) -> Callable:
    """A driver that gives the response, and the id after it, which was 'outer' before."""

    async def one_request(make):
        middleware, response = make(view), None
        request_id.set("outer")
        with suppress(asyncio.CancelledError, Outage):
            response = await middleware(_request(1))
        return response, request_id.get()

    return in_fresh_context(one_request)


def _request_to(view: Callable) -> Callable[[Callable], Awaitable]:
    """A driver that sends one request through the middleware around `view`."""

    async def request_to(make):
        return await make(view)(_request(1))

    return request_to


async def _cancelled(request: object) -> None:
    raise asyncio.CancelledError


def _two_requests(request_id: contextvars.ContextVar) -> Callable[[Callable], Awaitable[set]]:
    """A driver that gives the ids which two views find that are under way at once."""

    async def two_requests(make):
        both_here, found = asyncio.Barrier(2), set()

        async def view(request):
            await both_here.wait()
            found.add(request_id.get())

        middleware = make(view)
        await asyncio.gather(middleware(_request(1)), middleware(_request(2)))
        return found

    return two_requests


def _request(number: int) -> object:
    from django.test import AsyncRequestFactory

    return AsyncRequestFactory().get("/", headers={"X-Request-ID": f"r{number}"})


@exercise(
    "5.4",
    title="a report in two halves",
    names=("titles_lent",),
    why=(
        "One function opens, uses and closes the cursor on one thread, and only a list of "
        "titles comes back."
    ),
    hints=(
        "On which thread is `connection.cursor` looked up, and on which is it called?",
        "What crosses without harm: a cursor, or a list of titles?",
        "Can one plain function open the cursor, run the SQL and return the titles, and "
        "`await sync_to_async(that_function)()` be all the rest?",
    ),
    errors={
        (DatabaseError, "same thread"): NotYet(
            "crossed",
            "A connection was looked up on the loop's thread and used on the worker. "
            "`connection.cursor` without brackets is such a look-up. Where must the dot stand?",
        ),
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "The guard fired: the connection was used on the loop's thread. "
            "Which function should go over as a whole?",
        ),
    },
)
async def titles_lent(given):
    await _another_frankenstein()
    with Opened() as opened:
        for times in 3, 1, 3, 99:
            await _lend_again(times=3)
            with CursorWatch(given) as watch:
                call = await given.call("titles_lent", times, expect=Exception)
            if watch.loop.home or watch.loop.other:
                raise NotYet(
                    "on-the-loop",
                    "The query ran on the loop's thread: a cursor that is brought back meets no "
                    "guard on its way, and one that is switched off guards nothing. Everything "
                    "else waited for it. Where should the cursor be opened, used and closed?",
                )
            _require_titles(call.value, await _titles(times), watch)
            _require_one_hop(call, watch)
    if watch.left_open:
        raise NotYet(
            "cursor-left-open",
            "The titles are right, and a cursor is still there that nobody has closed. Which block "
            "closes it on every way out?",
        )
    if opened.closed_for_all:
        raise CLOSED_FOR_ALL.again()
    if opened.left:
        raise NotYet(
            "left-open",
            "The titles are right, and a connection is left open on a thread that nobody closes. "
            "Which worker is there anyway, with a connection that serves everybody?",
        )
    sql = given.value("LENT")
    if not watch.asked(sql):
        raise NotYet(
            "other-sql",
            "The titles are right, and the report's own SQL was not asked: the next one who "
            "changes `LENT` changes nothing. Where does it go, with `times` beside it?",
        )
    with Opened() as opened:
        await require_told_of_database(given, "titles_lent", 1)
    if opened.left:
        raise NotYet(
            "left-after-error",
            "The query failed, and the connection stayed open on a thread that nobody closes. "
            "Which block runs whether or not the report has failed?",
        )
    await require_cancellable_query(given, "titles_lent", 1)
    hops = sum(span.kind == SYNC for span in call.recording.spans)
    praise = "The cursor never left its thread, and no connection stays open."
    return f"One hop. {praise}" if hops else praise


CLOSED_FOR_ALL = NotYet(
    "closed-for-all",
    "The worker's own connection was closed, which everybody's queries use: whoever has a "
    "transaction open on it has lost it. Which connections did your code open?",
)


async def _another_frankenstein() -> None:
    """A second book of a title that was lent, lent as often."""
    from library.models import Author, Book, Loan

    author = await Author.objects.acreate(name="Dave Morris")
    book = await Book.objects.acreate(title="Frankenstein", author=author, year=2012)
    days = {"borrowed": DAY, "due": DAY, "returned": DAY}
    for _ in range(3):
        await Loan.objects.acreate(book=book, member_id=1, **days)


async def _lend_again(times: int) -> None:
    """Let a book that is on the shelf be lent, and brought back, so many times more."""
    from library.models import Loan

    book = await free_books().exclude(loans__returned=DAY).alast()
    days = {"borrowed": DAY, "due": DAY, "returned": DAY}
    for _ in range(times):
        await Loan.objects.acreate(book=book, member_id=1, **days)


async def _titles(times: int) -> list[str]:
    """The titles that were lent at least so often."""
    from django.db.models import Count
    from library.models import Book

    lent = Book.objects.annotate(lent=Count("loans")).filter(lent__gte=times).order_by("title")
    return [book.title async for book in lent]


def _require_titles(result: object, expected: list[str], watch: CursorWatch) -> None:
    right = same(result, expected)
    if right and expected and not watch.statements:
        raise NotYet(
            "past-django",
            "The titles are right, and Django knows of no query: they came over a connection that "
            "is not its own, past its settings, its transactions and its guard. Which object has "
            "the connection that Django looks after?",
        )
    if expected and not watch.statements:
        raise NotYet(
            "no-query",
            "The titles came without a query, so they will be wrong after the next loan. Who "
            "knows what was lent?",
        )
    if not right:
        raise NotYet("other-titles", f"It gave {result!r}, and not {expected!r}.")


def _require_one_hop(call: Call, watch: CursorWatch) -> None:
    if watch.loop.held:
        raise NotYet(
            "waits-on-the-loop",
            "The titles are right. They came from another thread, and the loop's own thread stood "
            "still until they were there: it waited without an `await`. Which call sends work to "
            "a thread and can be awaited?",
        )
    if watch.borrowed:
        raise NotYet(
            "borrowed-connection",
            "The titles are right. The query ran over a connection that belongs to another "
            "thread, while that one may use it, too. Whose connection is there on the worker?",
        )
    hops = sum(span.kind == SYNC for span in call.recording.spans)
    if hops > 1:
        raise NotYet(
            "in-pieces",
            f"The titles are right, in {hops} hops. Between two of them another task's queries "
            "may run on the same connection. What if all of it were one function?",
        )
    if watch.carried:
        raise NotYet(
            "fetched-elsewhere",
            "The titles are right. One thread asked, and another fetched the rows, over the same "
            "connection: the cursor, or an iterator over it, was brought back. What crosses "
            "without harm?",
        )


@exercise(
    "5.5",
    title="a log that is written elsewhere",
    names=("listen",),
    why=(
        "A filter of the `QueueHandler` runs on the thread that logs, where the context "
        "variable has the request's value. The record then carries the id to the listener's "
        "thread."
    ),
    hints=(
        "`filter` reads a `ContextVar`. On which thread is it called, if it was added to the "
        "file's handler?",
        "A record passes the logger, then each handler of that logger and of those above it. "
        "Which of these stations runs on the thread that logs, for every record?",
        "What if you added the filter to the `QueueHandler`?",
    ),
)
async def listen(given):
    _require_plain(given, "listen")
    others = _Others()
    with logger_of_its_own() as logger:
        others.join(logger)
        logger.setLevel(ODD_LEVEL)
        driver = in_fresh_context(_logged(logger, given.value("request_id")))
        listener, lines, by_caller, runs = await given.result_of("listen", driver=driver)
        level = logger.level
    if not isinstance(listener, logging.handlers.QueueListener):
        raise NotYet(
            "no-listener",
            f"`listen` gave {_shown(listener)}. Who is to stop the listener when the server "
            "ends, if nobody has it?",
        )
    if not lines and runs:
        raise NotYet(
            "nothing-gets-through",
            f"{EXPECTED_LINES.total()} records were logged, the listener ran, and no line was "
            "written. A filter that returns nothing drops the record, and a record without an id "
            "cannot be written. Which of the two is it here?",
        )
    if not lines:
        raise NotYet(
            "nothing-written",
            f"{EXPECTED_LINES.total()} records were logged, and no line was written. Who takes "
            "the records out of the queue?",
        )
    unnamed = sorted(line for line in lines if line.startswith("[-] Book"))
    of_children = all(line.endswith(tuple(CHILDREN.values())) for line in unnamed)
    if unnamed and not of_children:
        raise NotYet(
            "read-by-the-listener",
            f"It wrote {unnamed[0]!r}. The listener's thread has no request. On which thread "
            "must the filter look?",
        )
    missing = EXPECTED_LINES - Counter(lines)
    if missing and all(line.endswith(tuple(CHILDREN.values())) for line in missing):
        raise NotYet(
            "children-miss-it",
            "The lines of a logger below are missing, or have no id: a logger's filter sees what "
            "is logged there, not what comes up from another one, and a logger below may be made "
            "at any time. What do all records pass?",
        )
    if by_caller:
        raise NotYet(
            "written-by-the-caller",
            "Whoever logged had to write to the stream. Who should touch it, and who only the "
            "queue?",
        )
    more = Counter(lines) - EXPECTED_LINES
    if missing or more:
        parts = ("missing", missing), ("not expected", more)
        told = [f"{which.total()} {how}, such as {min(which)!r}" for how, which in parts if which]
        raise NotYet(
            "other-lines",
            f"Of {EXPECTED_LINES.total()} lines: {'; '.join(told)}. Does every record, of whatever "
            "level, with or without a request, get one line?",
        )
    if others.missed:
        raise NotYet(
            "took-the-log-away",
            f"The lines are right. {others.missed} of the records do not come any more where they "
            "came before: to a handler that the logger had, or to the loggers above. What does "
            "`listen` have to leave as it was?",
        )
    if level != ODD_LEVEL:
        raise NotYet(
            "changes-the-level",
            "The lines are right, and the logger has another level than before: with it the owner "
            "of the log says what is logged. What does `listen` have to leave as it was?",
        )
    if others.changed:
        raise NotYet(
            "changes-the-record",
            f"The lines are right. A handler of the logger above got {others.changed[0]!r}: the "
            "record is the same one for all handlers, and your code has changed its text. Where "
            "can an id stand beside it?",
        )
    await _require_room(given)
    what = "What was given is no logger: the set-up"
    with logger_of_its_own():  # which puts the logging of the process back
        await require_told(given, "listen", None, io.StringIO(), what=what, error=AttributeError)
    return "Each line has the id of its request, and only the listener's thread wrote."


async def _require_room(given) -> None:
    """Log a burst while the disk takes nothing: no line is lost, and nobody waits."""
    stream = _SlowStream()

    async def burst(listen):
        listener = listen(logger, stream)
        for number in range(BURST):
            logger.info("Book %s", number)
            stream.logged = number
        stream.goes_on.set()
        while listener.queue.qsize():  # A full queue has no room for the sign that it ends.
            await asyncio.sleep(0.001)
        listener.stop()

    with logger_of_its_own() as logger:
        await given.result_of("listen", driver=burst)
    lines = len(stream.getvalue().splitlines())
    if stream.waited_for:
        raise NotYet(
            "waits-for-the-disk",
            f"The disk was slow, and of {BURST} records whoever logged them had to wait: the "
            "queue was full. Who should never wait for the disk?",
        )
    if lines != BURST:
        raise NotYet(
            "loses-lines",
            f"{BURST} records came while the disk was slow, and {lines} lines are in the file. "
            "How many records has the queue room for?",
        )


BURST = 2000
ODD_LEVEL = 5
"""A level below "debug", which takes every record and which nobody sets by chance."""

WORDS = "asked for", "counted", "asked for"
CHILDREN = {"desk": "taken", "cellar": "found"}
"""Loggers below, and the last words of what they log."""
EXPECTED_LINES = Counter(
    [f"[r{n}] Book {n}: {words}" for n in (1, 2) for words in (*WORDS, *CHILDREN.values())]
    + ["[-] the library opens"]
)


class _Others(logging.Handler):
    """Who has heard of every record up to now: a handler of the logger, and one above.

    `changed` holds the texts that nobody has logged.
    """

    def __init__(self):
        super().__init__()
        self.changed: list[str] = []
        self._heard = 0

    def join(self, logger: logging.Logger) -> None:
        logger.addHandler(self)
        logger.parent.addHandler(self)

    def emit(self, record):
        self._heard += 1
        if record.getMessage() not in {line.partition("] ")[2] for line in EXPECTED_LINES}:
            self.changed.append(record.getMessage())

    @property
    def missed(self) -> int:
        return 2 * EXPECTED_LINES.total() - self._heard


class _Stream(io.StringIO):
    """A log file that notes which threads write it."""

    def __init__(self):
        super().__init__()
        self.writers: set[int] = set()

    def write(self, text):
        self.writers.add(threading.get_ident())
        return super().write(text)


class _SlowStream(io.StringIO):
    """A log file on a disk that takes nothing before `goes_on`.

    `logged` is how far the caller has come; `waited_for` says that it stands still meanwhile.
    """

    def __init__(self):
        super().__init__()
        self.goes_on, self.waited_for, self.logged = threading.Event(), False, 0

    def write(self, text):
        before = None
        while not self.goes_on.wait(1):
            self.waited_for = self.logged == before
            before = self.logged
            if self.waited_for:
                self.goes_on.set()
        return super().write(text)


def _logged(logger: logging.Logger, request_id: contextvars.ContextVar) -> Callable:
    """Two requests that log: on the loop, on a worker, and to loggers below."""

    async def logged(listen):
        callers = {threading.get_ident(), await sync_to_async(threading.get_ident)()}
        stream = _Stream()
        logger.getChild(next(iter(CHILDREN)))  # The other one is made later.
        listener = listen(logger, stream)
        logger.debug("the library opens")

        async def request(number):
            request_id.set(f"r{number}")
            first, second, third = WORDS
            logger.info("Book %s: %s", number, first)
            await sync_to_async(logger.warning)("Book %s: %s", number, second)
            logger.info("Book %s: %s", number, third)
            for name, words in CHILDREN.items():
                logger.getChild(name).info("Book %s: %s", number, words)

        await asyncio.gather(*[asyncio.create_task(request(number)) for number in (1, 2)])
        runs = getattr(listener, "_thread", None) is not None
        if isinstance(listener, logging.handlers.QueueListener):
            with suppress(AttributeError):  # One that was never started has no thread to join.
                listener.stop()
        return listener, stream.getvalue().splitlines(), stream.writers & callers, runs

    return logged


@exercise(
    "5.6",
    title="reminders in the name of the first",
    names=("order", "deliver"),
    why=(
        "`copy_context()` is called where the request is, and a task that is made with "
        "`context=` runs the whole job in that copy."
    ),
    hints=(
        "A task copies the context when it is made. When was the delivering task made?",
        "`order` runs in the right request. What can it put into the queue beside the job?",
        "`order` puts `contextvars.copy_context()` beside the job. Does `deliver` await "
        "`asyncio.create_task(job(), context=context)`?",
    ),
    errors={TimeoutError: gives_up("A job")},
    seconds=2 * PATIENCE,
)
async def deliver(given):
    _require_plain(given, "order")
    round_ = _Deliveries(given.value("request_id"))
    call = await given.call("order", driver=in_fresh_context(round_.of(given.value("deliver"))))
    notes, ended = round_.notes, call.value
    require_this_loop(call)
    if round_.overlap.most > 1:
        raise NotYet(
            "not-in-turn",
            f"{round_.overlap.most} jobs were under way at once. What does `deliver` have to wait "
            "for before it takes the next one?",
        )
    if len(notes) < len(ORDERED) and not ended:
        raise NotYet(
            "never-ran",
            f"{len(ORDERED)} jobs were ordered, {len(notes)} ran, and `deliver` still waits. "
            "`put` of an `asyncio.Queue` is a coroutine. What puts without `await`?",
        )
    if len(notes) < len(ORDERED):
        raise NotYet(
            "stopped",
            "`deliver` ended, with jobs still to come. How does it go on after the first one?",
        )
    _require_contexts(notes)
    full = {"what": "The queue was full: the order", "error": asyncio.QueueFull}
    await require_told(given, "order", driver=_order_into_full_queue, **full)
    await _require_heard(given)
    stalled = Stalled()
    start = _delivering(given.value("order"), stalled.work)
    await require_cancelled_with(given, "deliver", stalled, start, what="the job")
    return "Each job ran in the context of the request that ordered it, one after another."


@dataclass(frozen=True)
class _Found:
    """What a job found: the id when it was called, and the context when it ran."""

    at_call: str
    id: str
    language: str
    reader: str
    earlier: str


def _require_contexts(notes: list[_Found]) -> None:
    ids = [f"r{number}" for number in ORDERED]
    if {note.id for note in notes} == {"r0"}:
        if [note.at_call for note in notes] == ids:
            raise NotYet(
                "only-called",
                "`job()` was called in the right context, and awaited in the deliverer's. A call "
                "only makes the coroutine; it runs in the context of the task that drives it. "
                "Which task should that be?",
            )
        raise NotYet(
            "first-request",
            "Every job ran under r0, the request that started `deliver`. Its task copied the "
            "context then. Where is the context of the request that orders?",
        )
    found = [note.id for note in notes]
    if found != ids and sorted(found) == ids:
        raise NotYet(
            "changed-places",
            f"The jobs ran under {found}, in this order: they have changed places, or their "
            "contexts have. How do a job and its context stay together, in their turn?",
        )
    if ELSEWHERE in found:
        raise NotYet(
            "other-queue",
            f"A job ran under {ELSEWHERE}, a request that had ordered into another queue. All "
            "queues share one place for the contexts. What comes along with the job itself?",
        )
    if found == ids and {note.language for note in notes} == {"fr"}:
        raise NotYet(
            "only-the-id",
            "The ids are right, and the language is that of the first request: French for "
            "everybody. What carries all of a context, whatever is in it?",
        )
    if found != ids or [note.language for note in notes] != list(ORDERED.values()):
        ran = [(note.id, note.language) for note in notes]
        expected = list(zip(ids, ORDERED.values(), strict=True))
        raise NotYet("other-context", f"The jobs ran under {ran!r}, and not under {expected!r}.")
    if [note.reader for note in notes] != [f"reader {number}" for number in ORDERED]:
        raise NotYet(
            "only-some-of-it",
            "Ids and languages are right. Each request had set a third variable, of which you "
            f"cannot know, and the jobs found {[note.reader for note in notes]} in it. What "
            "carries all of a context, whatever is in it?",
        )
    if any(note.earlier for note in notes):
        raise NotYet(
            "left-over",
            "A job found what an earlier job had set, in a variable that its own request has not "
            "touched. In whose context do the jobs run, and what is it after the first?",
        )


ORDERED = {1: "de", 2: "en", 3: "de"}
"""The languages of the requests that order a job, by their numbers."""


ELSEWHERE = "r9"
"""A request that orders into a queue of its own."""


class _Deliveries:
    """The first request starts `deliver`, others order the same job, each for itself.

    `notes` holds what the jobs found, and `overlap` counts those under way at once.
    """

    def __init__(self, request_id: contextvars.ContextVar):
        self.notes: list[_Found] = []
        self.overlap = Overlap()
        self._request_id = request_id
        self._reader = contextvars.ContextVar("reader", default="")
        self._earlier = contextvars.ContextVar("earlier", default="")
        self._all_done = asyncio.Event()

    def of(self, deliver: Callable) -> Callable[[Callable], Awaitable[bool]]:
        """A driver that tells whether `deliver` ended before it was told to."""

        async def deliveries(order):
            jobs = asyncio.Queue()
            delivering = await asyncio.create_task(self._first_request(deliver, jobs))
            await asyncio.create_task(self._request_elsewhere(order))
            for number in ORDERED:
                await asyncio.create_task(self._request(number, order, jobs))
            waiting = asyncio.create_task(self._all_done.wait())
            try:
                first = asyncio.FIRST_COMPLETED
                await asyncio.wait({delivering, waiting}, timeout=PATIENCE, return_when=first)
                if delivering.done():
                    delivering.result()
                return delivering.done()
            finally:
                await end(delivering)
                waiting.cancel()

        return deliveries

    async def _first_request(self, deliver: Callable, jobs: asyncio.Queue) -> asyncio.Task:
        self._request_id.set("r0")
        translation.activate("fr")
        return asyncio.create_task(awaiting(deliver(jobs)))

    async def _request_elsewhere(self, order: Callable) -> None:
        self._request_id.set(ELSEWHERE)
        order(asyncio.Queue(), self._job)

    async def _request(self, number: int, order: Callable, jobs: asyncio.Queue) -> None:
        self._request_id.set(f"r{number}")
        self._reader.set(f"reader {number}")
        translation.activate(ORDERED[number])
        order(jobs, self._job)

    def _job(self) -> Awaitable[None]:
        return self._run(self._request_id.get())

    async def _run(self, at_call: str) -> None:
        with self.overlap:
            await turns()
            await pass_time()
        here = translation.get_language(), self._reader.get(), self._earlier.get()
        self.notes.append(_Found(at_call, self._request_id.get(), *here))
        self._earlier.set("was here")
        if len(self.notes) == len(ORDERED):
            self._all_done.set()


def _order_into_full_queue(order: Callable) -> None:
    jobs = asyncio.Queue(maxsize=1)
    jobs.put_nowait(fail_in_many_ways)
    order(jobs, fail_in_many_ways)


def _delivering(order: Callable, job: Callable) -> Callable[[Callable], Awaitable]:
    """What starts `deliver` on a queue for which one job was ordered."""

    def start(deliver):
        jobs = asyncio.Queue()
        order(jobs, job)
        return deliver(jobs)

    return start


async def _require_heard(given) -> None:
    """Require that somebody hears of a job that fails, and that it is not run again.

    Raises:
        NotYet: "swallowed" or "ran-again".
    """
    runs = []

    async def job():
        runs.append(1)
        await fail_in_many_ways()

    with noting_reports() as reports:
        ended_by = await given.result_of("deliver", driver=_one_job(given.value("order"), job))
    if not reports and ended_by is None:
        raise NotYet(
            "swallowed",
            "A job failed, and nobody heard of it: `deliver` raised nothing, and nothing was "
            "logged. What is printed, or lies in a task that nobody asks, no one reads on a "
            "server. Which errors are yours to catch here?",
        )
    if len(runs) > 1:
        raise NotYet(
            "ran-again",
            f"A job failed, and `deliver` ran it {len(runs)} times. It may have sent its reminder "
            "before it failed. Who decides that it is worth another try?",
        )


def _one_job(order: Callable, job: Callable) -> Callable[[Callable], Awaitable]:
    """A driver that gives what `deliver` ended with after a job, or None."""

    async def one_job(deliver):
        delivering = asyncio.create_task(awaiting(_delivering(order, job)(deliver)))
        await turns()
        try:
            return delivering.exception() if delivering.done() else None
        finally:
            await end(delivering)

    return one_job


@exercise(
    "5.7",
    title="repair the stock-taking",
    names=("stock_take",),
    why=(
        "`close_all()` closes the connections of the thread that calls it, so the pool's thread "
        "calls it, in a `finally`."
    ),
    hints=(
        "On which threads were the connections opened? Who ever comes by there again?",
        "`connections.close_all()` closes those of the thread that calls it. So who has to call "
        "it, and what if the count has failed?",
        "What if the function that goes to the pool were `try: return count(title)`, "
        "`finally: connections.close_all()`?",
    ),
    seconds=20,
    errors={
        SynchronousOnlyOperation: NotYet(
            "on-the-loop",
            "The guard fired: `count` is a sync function, and was called on the loop's own thread. "
            "Where may it run?",
        ),
        (DatabaseError, "same thread"): NotYet(
            "crossed",
            "A connection was looked up on one thread, and closed on another. What has to be "
            "looked up on the thread that closes?",
        ),
    },
)
async def stock_take(given):
    from library.models import Book

    await Book.objects.aexists()  # Now the worker has a connection to lose.
    titles = ["Dracula", "Emma", "Frankenstein", "Emma"]
    watch, opened = LoopWatch(given), Opened()
    count = _Count(titles, watch)
    with opened:
        taken = list(titles)
        result, closed = await given.result_of("stock_take", taken, count, driver=_watched)
    require_unchanged(taken, titles)
    expected = [count.NUMBERS[title] for title in titles]
    if not (same(result, expected) or same(result, tuple(expected))):
        raise NotYet("other-numbers", f"For {titles} it gave {result!r}, and not {expected!r}.")
    if watch.held:
        raise NotYet(
            "waits-on-the-loop",
            "The counts ran on other threads, and the loop's thread stood still until they were "
            "there: it waited without an `await`. Which call sends work to a thread and can be "
            "awaited?",
        )
    if watch.home or watch.other:
        raise NotYet(
            "on-the-loop",
            "The numbers are right, and a count ran on the thread of a running loop, with the "
            "guard off: nobody else was served meanwhile. Where may it run?",
        )
    if count.meeting.most < 2:
        raise NotYet(
            "in-turn",
            "The numbers are right, and each count waited for the one before it: all of them went "
            "to one thread. The administrator is content, your users are not. What runs in "
            "parallel, and closes?",
        )
    if count.meeting.most < count.TOGETHER:
        raise NotYet(
            "too-few-at-once",
            f"The numbers are right, and of {len(titles)} counts {count.meeting.most} ran at "
            "once. Before, the pool took all of them. What keeps the others waiting?",
        )
    if opened.left and closed:
        raise NotYet(
            "closes-elsewhere",
            f"Something was closed, and of {len(opened)} connections {opened.left} are still open. "
            "`close_all()` means those of the calling thread. Which threads opened these?",
        )
    if opened.left:
        raise NotYet(
            "left-open",
            f"Counted: {opened.left} connections are still open, one for each pool thread that "
            "asked. Django closes a request's own; who closes these?",
        )
    if opened.closed_for_all:
        raise CLOSED_FOR_ALL.again()
    await require_of_nothing(
        given, "stock_take", [], _Count([], watch), what="no titles", wanted=([], ())
    )
    await require_free_for_one(given, "stock_take", "Emma", "`count`", last=True)
    await _require_closed_after_error(given, [*titles, _Count.NO_SUCH])
    await _require_cancelled(given)
    return (
        f"The numbers are right, at least {count.TOGETHER} counts ran at once, and of the "
        "connections that were opened none is left open."
    )


async def _watched(stock_take: Callable, *args) -> tuple[object, bool]:
    """A driver that gives the result, and whether any thread closed its connections."""
    with noting_closers() as closers:
        return await stock_take(*args), bool(closers)


async def _to_end(stock_take, *args):
    """A driver that lets the other counts end, as a server does, whose loop goes on."""
    try:
        return await stock_take(*args)
    finally:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)


async def _require_closed_after_error(given, titles: list[str]) -> None:
    count = _Count(titles, LoopWatch(given))
    with Opened() as opened:
        call = await given.call("stock_take", titles, count, driver=_to_end, expect=Exception)
    if opened.left:
        raise NotYet(
            "left-after-error",
            f"One count failed, and {opened.left} of {len(opened)} connections stayed open. "
            "Which block runs whether or not the count has failed?",
        )
    require_itself(call, "stock_take", "One count")


async def _require_cancelled(given) -> None:
    """Cancel a call while its counts are at work on threads."""
    begun, end = threading.Event(), threading.Event()

    def count(_title):
        begun.set()
        end.wait(5)
        return 0

    await require_cancellable_beside(
        given, "stock_take", ["Dracula", "Emma"], count, begun=begun, end=end
    )


class _Count:
    """A `count` that asks the database, and gives a number of its own for each title.

    Args:
        titles: what it will be called with. The calls wait until enough are under way.
        watch: looks at the caller's loop from each call.
    """

    NUMBERS = {"Dracula": 3, "Emma": 0, "Frankenstein": 8}
    NO_SUCH = "The Book of Sand"
    TOGETHER = 3
    """How many titles a pool takes at once, however few processors there are."""
    __name__ = __qualname__ = "count"

    def __init__(self, titles: Sequence[str], watch: LoopWatch):
        self.meeting = Meeting(len(titles), self.TOGETHER)
        self._watch = watch
        self._first, self._others = titles[0] if titles else "", len(titles) - 1
        self._change = threading.Condition()

    def __call__(self, title):
        from library.models import Loan

        self._watch.look()
        if self._watch.home or self._watch.other:
            Loan.objects.exists()  # The guard may be off; there is nobody to wait for.
            return self.NUMBERS[title]
        with self.meeting:
            Loan.objects.filter(book__title=title).exists()
        self._wait_for_others(title)
        if title == self.NO_SUCH:
            raise Outage
        return self.NUMBERS[title]

    def _wait_for_others(self, title: str) -> None:
        """Let the first title's number come last, if others can be counted meanwhile."""
        with self._change:
            if title != self._first:
                self._others -= 1
                self._change.notify_all()
            elif self.meeting.most > 1:
                self._change.wait_for(lambda: self._others <= 0, PATIENCE)


def _require_plain(given, *names: str) -> None:
    for name in names:
        if asgiref.sync.iscoroutinefunction(given.value(name)):
            raise NotYet(
                "returned-coroutine",
                f"`{name}` is an `async def`, and is called without `await`, as the card says. "
                "What would a plain `def` be?",
            )


def _observed(function: Callable) -> object:
    """What the function returns, or the exception that it raises."""
    try:
        value = function()
    except Exception as error:  # noqa: BLE001
        return error
    if inspect.iscoroutine(value):
        value.close()
    return value


def _shown(value: object) -> str:
    """A value of the reader's, or an exception by its name."""
    return f"`{type(value).__name__}`" if isinstance(value, Exception) else f"{value!r}"
