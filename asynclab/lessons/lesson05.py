"""The checks of lesson 05: context and connections across threads."""

import asyncio
import contextvars
import inspect
import io
import itertools
import logging
import logging.handlers
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asgiref.sync
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError
from django.utils import translation

from ..exercises.book import NotYet, exercise
from ..recorder.events import SYNC
from .vocabulary.causes import under
from .vocabulary.contexts import in_fresh_context
from .vocabulary.failing import Mishap, fail, require_told, require_told_of_database
from .vocabulary.logs import logger_of_its_own
from .vocabulary.open_connections import Opened, noting_closers
from .vocabulary.queries import queries, require_query
from .vocabulary.requests import text_of
from .vocabulary.tasks import Overlap, turns
from .vocabulary.threads import home, require_this_loop

PATIENCE = 5
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
)
async def current_member(given):
    _require_plain(given, "sign_in", "current_member")
    desk = in_fresh_context(_readers_at_the_desk(given.value("sign_in")))
    nobody, readers = await given.result_of("current_member", driver=desk)
    if nobody is not None:
        raise NotYet(
            "nobody",
            f"Nobody has signed in, and `current_member()` gave {_shown(nobody)}. "
            "What stands in the box before the first `sign_in`?",
        )
    for name, (at_once, later, on_worker) in readers.items():
        if at_once != name:
            raise NotYet(
                "forgets",
                f"Right after `sign_in({name!r})`, `current_member()` gave {_shown(at_once)}. "
                "Do both functions look into the same box?",
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
    return "One box, two readers, and each sees its own name on every thread."


def _readers_at_the_desk(sign_in: Callable) -> Callable[[Callable], Awaitable[tuple]]:
    """What `current_member` says before anyone came, and then to two readers at a time."""

    async def desk(current_member):
        met = asyncio.Barrier(2)

        async def reader(name):
            sign_in(name)
            at_once = _observed(current_member)
            await met.wait()
            later = _observed(current_member)
            return at_once, later, await sync_to_async(_observed)(current_member)

        nobody = _observed(current_member)
        names = ["Tomoko Arai", "Priya Nair"]
        return nobody, dict(zip(names, await asyncio.gather(*map(reader, names)), strict=True))

    return desk


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
        "Besides leaving a value somewhere, what else can a coroutine do with it?",
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
    if not once:
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
    if once in first.values():
        raise NotYet(
            "lost-update",
            f"The total was {once!r}, the number of one title alone. `total + await ...` reads "
            "the total first, and adds to that old value after the wait. What if nobody had to "
            "add until all numbers are there?",
        )
    if once != right:
        raise NotYet("other-total", f"For {first} it gave {once!r}, and not {right}.")
    if under_way < len(first):
        raise NotYet(
            "one-by-one",
            "The total is right, and each lookup waited for the one before it. "
            "What starts them all before the first `await`?",
        )
    await require_told(given, "total_loans", list(first), fail, what="`count`")
    return "Returned values come back from everywhere, whoever started the task."


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
        ((ValueError, RuntimeError), "Token", under("_two_requests")): NotYet(
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
        return HttpResponse("the page")

    async def cancelled(request):
        raise asyncio.CancelledError

    one_request = _one_request(request_id, view)
    response, after = await given.result_of("request_id_middleware", driver=one_request)
    if found[-1] != "r1":
        raise NotYet(
            "gone-in-the-view",
            f"The view of request r1 found {found[-1]!r} in `request_id`. If you set it: a "
            "call of an `async def` only makes a coroutine. When does the view run, and what was "
            "reset before?",
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
    one_request = _one_request(request_id, cancelled)
    _, after = await given.result_of("request_id_middleware", driver=one_request)
    if after != "outer":
        raise NotYet(
            "left-after-error",
            "The client went away, a `CancelledError` passed through, and the id stayed. "
            "Which block runs whatever happens?",
        )
    await given.call("request_id_middleware", driver=in_fresh_context(_two_requests))
    driver = _one_request(request_id, fail)
    await require_told(given, "request_id_middleware", driver=driver, what="The view")
    return "Set and reset in one function, in one context, whatever happens in between."


def _one_request(request_id: contextvars.ContextVar, view: Callable) -> Callable:
    """A driver that gives the response, and the id after it, which was 'outer' before."""

    async def one_request(make):
        request_id.set("outer")
        response = None
        with suppress(asyncio.CancelledError):
            response = await make(view)(_request(1))
        return response, request_id.get()

    return in_fresh_context(one_request)


async def _two_requests(make: Callable) -> None:
    both_here = asyncio.Barrier(2)

    async def view(request):
        await both_here.wait()

    middleware = make(view)
    await asyncio.gather(middleware(_request(1)), middleware(_request(2)))


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
    from library.models import Book

    with Opened() as opened:
        call = await given.call("titles_lent", 1, expect=Exception)
    # With DEBUG, Django 6.1 may notice a cursor on the loop's thread once its query has run.
    if any(query.lane == home(call) for query in queries(call)):
        raise NotYet(
            "on-the-loop",
            "The query ran on the loop's thread: a cursor that is brought back meets no guard on "
            "its way. Everything else waited for it. Where should the cursor be opened, used and "
            "closed?",
        )
    result = call.value
    require_query(call, "titles", "what was lent")
    lent = Book.objects.filter(loans__isnull=False).order_by("title").distinct()
    expected = [book.title async for book in lent]
    if result != expected:
        raise NotYet("other-titles", f"It gave {result!r}, and not {expected!r}.")
    hops = sum(span.kind == SYNC for span in call.recording.spans)
    if hops > 1:
        raise NotYet(
            "in-pieces",
            f"The titles are right, in {hops} hops. Between two of them another task's queries "
            "may run on the same connection. What if all of it were one function?",
        )
    if opened.left:
        raise NotYet(
            "left-open",
            "The titles are right, and a connection is left open on a thread that nobody closes. "
            "Which worker is there anyway, with a connection that serves everybody?",
        )
    await require_told_of_database(given, "titles_lent", 1)
    return "One function, one hop: the cursor never left its thread."


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
    with logger_of_its_own() as logger:
        driver = in_fresh_context(_logged(logger, given.value("request_id")))
        listener, lines, by_caller = await given.result_of("listen", driver=driver)
    if not isinstance(listener, logging.handlers.QueueListener):
        raise NotYet(
            "no-listener",
            f"`listen` gave {_shown(listener)}. Who is to stop the listener when the server "
            "ends, if nobody has it?",
        )
    if not lines:
        raise NotYet(
            "nothing-written",
            "Six records were logged, and no line was written. Who takes the records out of the "
            "queue?",
        )
    if any(line.startswith("[-]") for line in lines):
        raise NotYet(
            "read-by-the-listener",
            f"It wrote {min(lines)!r}. The listener's thread has no request. On which thread "
            "must the filter look?",
        )
    if not any("taken" in line for line in lines):
        raise NotYet(
            "children-miss-it",
            "The lines of `library.desk` are missing: a logger's filter sees what is logged "
            "there, not what comes up from a logger below. Without an id the formatter gives up. "
            "What do all records pass?",
        )
    if by_caller:
        raise NotYet(
            "written-by-the-caller",
            "The lines are right, and whoever logged had to write them. Who should touch the "
            "stream, and who only the queue?",
        )
    if sorted(lines) != EXPECTED_LINES:
        raise NotYet("other-lines", f"It wrote {sorted(lines)!r}, and not {EXPECTED_LINES!r}.")
    what = "What was given is no logger: the set-up"
    await require_told(given, "listen", None, io.StringIO(), what=what, error=AttributeError)
    return "The filter runs where the line is logged; only then does the record change threads."


WORDS = "asked for", "counted", "taken"
EXPECTED_LINES = [f"[r{n}] Book {n}: {words}" for n in (1, 2) for words in WORDS]


class _Stream(io.StringIO):
    """A log file that notes which threads write it."""

    def __init__(self):
        super().__init__()
        self.writers: set[int] = set()

    def write(self, text):
        self.writers.add(threading.get_ident())
        return super().write(text)


def _logged(logger: logging.Logger, request_id: contextvars.ContextVar) -> Callable:
    """Two requests that log: on the loop, on a worker, and to a logger below."""

    async def logged(listen):
        callers = {threading.get_ident(), await sync_to_async(threading.get_ident)()}
        stream = _Stream()
        listener = listen(logger, stream)

        async def request(number):
            request_id.set(f"r{number}")
            logger.info("Book %s: asked for", number)
            await sync_to_async(logger.info)("Book %s: counted", number)
            logger.getChild("desk").info("Book %s: taken", number)

        await asyncio.gather(request(1), request(2))
        if isinstance(listener, logging.handlers.QueueListener):
            with suppress(AttributeError):  # One that was never started has no thread to join.
                listener.stop()
        return listener, stream.getvalue().splitlines(), stream.writers & callers

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
    seconds=2 * PATIENCE,
)
async def deliver(given):
    _require_plain(given, "order")
    driver = in_fresh_context(_deliveries(given.value("deliver"), given.value("request_id")))
    call = await given.call("order", driver=driver)
    notes, most, ended = call.value
    require_this_loop(call)
    if len(notes) < len(ORDERED) and not ended:
        raise NotYet(
            "never-ran",
            f"Three jobs were ordered, {len(notes)} ran, and `deliver` still waits. "
            "`put` of an `asyncio.Queue` is a coroutine. What puts without `await`?",
        )
    if len(notes) < len(ORDERED):
        raise NotYet(
            "stopped",
            "`deliver` ended, with jobs still to come. How does it go on after the first one?",
        )
    numbers, at_call, ran = map(list, zip(*notes, strict=True))
    ids = [f"r{n}" for n in ORDERED]
    if {found for found, _ in ran} == {"r0"}:
        if at_call == ids:
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
    if most > 1 or numbers != list(ORDERED):
        raise NotYet(
            "not-in-turn",
            "The jobs overlapped, or changed places. What does `deliver` have to wait for before "
            "it takes the next one?",
        )
    if ran == [(each, "fr") for each in ids]:
        raise NotYet(
            "only-the-id",
            "The ids are right, and the language is that of the first request: French for "
            "everybody. What carries all of a context, whatever is in it?",
        )
    expected = list(zip(ids, ORDERED.values(), strict=True))
    if ran != expected:
        raise NotYet("other-context", f"The jobs ran under {ran!r}, and not under {expected!r}.")
    full = {"what": "The queue was full: the order", "error": asyncio.QueueFull}
    await require_told(given, "order", driver=_order_into_full_queue, **full)
    if await given.result_of("order", driver=_failing_job(given.value("deliver"))):
        raise NotYet(
            "swallowed",
            "A job failed, and `deliver` ended without a word; whoever orders now waits for ever. "
            "Which errors are yours to catch here?",
        )
    return "The context travels with the job, and each job has a task that runs in it."


def _order_into_full_queue(order: Callable) -> None:
    jobs = asyncio.Queue(maxsize=1)
    jobs.put_nowait(fail)
    order(jobs, fail)


def _failing_job(deliver: Callable) -> Callable[[Callable], Awaitable[bool]]:
    """Whether `deliver` ends, and raises nothing, when a job fails."""

    async def ends_in_silence(order):
        failed = asyncio.Event()

        async def job():
            failed.set()
            raise Mishap

        jobs = asyncio.Queue()
        order(jobs, job)
        delivering = asyncio.create_task(deliver(jobs))
        await failed.wait()
        await turns()
        if delivering.done():
            return delivering.exception() is None
        delivering.cancel()
        return False

    return ends_in_silence


ORDERED = {1: "de", 2: "en", 3: "de"}
"""The languages of the requests that order a job, by their numbers."""


def _deliveries(deliver: Callable, request_id: contextvars.ContextVar) -> Callable:
    """The first request starts `deliver`, others order a job each.

    It gives what the jobs found, how many were under way at once, and whether `deliver` ended.
    A job finds its number, the id when it was called, and the id and the language when it runs.
    """
    notes, overlap, all_done = [], Overlap(), asyncio.Event()

    async def run(number, id_at_call):
        with overlap:
            await turns()
        notes.append((number, id_at_call, (request_id.get(), translation.get_language())))
        if len(notes) == len(ORDERED):
            all_done.set()

    async def first_request(jobs):
        request_id.set("r0")
        translation.activate("fr")
        return asyncio.create_task(deliver(jobs))

    async def request(number, order, jobs):
        request_id.set(f"r{number}")
        translation.activate(ORDERED[number])
        order(jobs, lambda: run(number, request_id.get()))

    async def deliveries(order):
        jobs = asyncio.Queue()
        delivering = await asyncio.create_task(first_request(jobs))
        for number in ORDERED:
            await asyncio.create_task(request(number, order, jobs))
        waiting = asyncio.create_task(all_done.wait())
        try:
            first = asyncio.FIRST_COMPLETED
            await asyncio.wait({delivering, waiting}, timeout=PATIENCE, return_when=first)
            if delivering.done():
                delivering.result()
            return notes, overlap.most, delivering.done()
        finally:
            delivering.cancel()
            waiting.cancel()

    return deliveries


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
)
async def stock_take(given):
    from library.models import Loan

    titles = ["Dracula", "Emma", "Frankenstein", "Orlando"]
    count = _Count(given.loop_is_free)
    with Opened() as opened:
        result, closed = await given.result_of("stock_take", titles, count, driver=_watched)
    expected = [await Loan.objects.filter(book__title=title).acount() for title in titles]
    if result != expected:
        raise NotYet("other-numbers", f"For {titles} it gave {result!r}, and not {expected!r}.")
    if count.overlap.most < 2:
        raise NotYet(
            "in-turn",
            "The numbers are right, and each count waited for the one before it: all of them went "
            "to one thread. The administrator is content, your users are not. What runs in "
            "parallel, and closes?",
        )
    if not count.loop_was_free:
        raise NotYet(
            "waits-on-the-loop",
            "The counts ran on other threads, and the loop's thread stood still until they were "
            "there: it waited without an `await`. Which call sends work to a thread and can be "
            "awaited?",
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
    await _require_closed_after_error(given, [*titles, _Count.NO_SUCH])
    return "Every thread closed what it had opened, and the counts still ran in parallel."


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
    with Opened() as opened:
        call = await given.call("stock_take", titles, _Count(), driver=_to_end, expect=LookupError)
    if opened.left:
        raise NotYet(
            "left-after-error",
            f"One count failed, and {opened.left} of {len(opened)} connections stayed open. "
            "Which block runs whether or not the count has failed?",
        )
    if call.error is None:
        raise NotYet(
            "swallowed",
            "One count failed, and the caller got numbers as if all were well. "
            "Who should learn of it?",
        )


class _Count:
    """A `count` whose first call waits for a second one, for PATIENCE seconds at most.

    Args:
        loop_is_free: asked by the first call, whether the caller's loop goes on meanwhile.
    """

    NO_SUCH = "The Book of Sand"
    __name__ = __qualname__ = "count"

    def __init__(self, loop_is_free: Callable[[], bool] = lambda: True):
        self.overlap = Overlap()
        self.loop_was_free = True
        self._loop_is_free = loop_is_free
        self._earlier_calls = itertools.count()
        self._second = threading.Event()

    def __call__(self, title):
        from library.models import Loan

        with self.overlap:
            if next(self._earlier_calls):
                self._second.set()
            else:
                self._second.wait(PATIENCE)
                self.loop_was_free = self._loop_is_free()
            number = Loan.objects.filter(book__title=title).count()
        if title == self.NO_SUCH:
            raise LookupError(f"no book has the title {title!r}")
        return number


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
