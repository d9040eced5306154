"""The checks of lesson 05: context and connections across threads."""

import asyncio
import contextvars
import inspect
import io
import logging
import logging.handlers
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import asgiref.sync
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError
from django.db.backends.signals import connection_created
from django.utils import translation
from django.utils.connection import BaseConnectionHandler

from ..exercises.book import NotYet, Raised, exercise
from ..recorder import hooks, workers
from ..recorder.events import SYNC
from .vocabulary.failing import Mishap, require_told, require_told_of_database
from .vocabulary.queries import queries
from .vocabulary.threads import require_this_loop

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
    desk = _in_fresh_context(_readers_at_the_desk(given.value("sign_in")))
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
)
async def total_loans(given):
    first = {"Dracula": 5, "Emma": 7, "Orlando": 11}
    second = {"Shirley": 100, "Typee": 200}
    try:
        once, again, both, under_way = await given.result_of(
            "total_loans", driver=_in_fresh_context(_totals(first, second))
        )
    except Raised as stop:
        if isinstance(stop.error, TypeError) and "_GatheringFuture" in str(stop.error):
            raise NotYet(
                "sums-a-future",
                "`gather` gives a future, and `sum` wants the numbers that are in it later. "
                "Which word waits for them, and what does it have to stand in front of?",
            ) from None
        if not isinstance(stop.error, LookupError | AttributeError):
            raise
        once = again = both = under_way = 0
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

    async def fail(title):
        raise Mishap

    await require_told(given, "total_loans", list(first), fail, what="`count`")
    return "Returned values come back from everywhere, whoever started the task."


def _totals(first: dict[str, int], second: dict[str, int]) -> Callable:
    """Two totals one after the other, then two at a time; and how many lookups overlapped."""
    numbers = first | second
    under_way = most = 0

    async def count(title):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(5):
            await asyncio.sleep(0)
        under_way -= 1
        return numbers[title]

    async def totals(total_loans):
        once = await total_loans(list(first), count)
        overlapped = most
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
)
async def request_id_middleware(given):
    _require_plain(given, "request_id_middleware")
    phase = []
    driver = _in_fresh_context(_requests(given.value("request_id"), phase))
    try:
        seen = await given.result_of("request_id_middleware", driver=driver)
    except Raised as stop:
        raise _token_trouble(stop, phase) from None
    if seen["view"] != "r1":
        raise NotYet(
            "gone-in-the-view",
            f"The view of request r1 found {seen['view']!r} in `request_id`. If you set it: a "
            "call of an `async def` only makes a coroutine. When does the view run, and what was "
            "reset before?",
        )
    if seen["response"] != "the page":
        raise NotYet(
            "no-response", "The middleware handed no response on. What does it have to return?"
        )
    if seen["after"] == "r1":
        raise NotYet(
            "left-behind",
            "The request is over, and its id is still there: the next line of this log would "
            "carry it. What takes a value back?",
        )
    if seen["after"] != "outer":
        raise NotYet(
            "flattened",
            f"Before the request `request_id` was 'outer', afterwards {seen['after']!r}. "
            "What does `set` return, and what can be done with it?",
        )
    if seen["after an error"] != "outer":
        raise NotYet(
            "left-after-error",
            "The client went away, a `CancelledError` passed through, and the id stayed. "
            "Which block runs whatever happens?",
        )
    await require_told(given, "request_id_middleware", driver=_request_that_fails, what="The view")
    return "Set and reset in one function, in one context, whatever happens in between."


async def _request_that_fails(make: Callable) -> object:
    from django.test import AsyncRequestFactory

    async def view(request):
        raise Mishap

    request = AsyncRequestFactory().get("/", headers={"X-Request-ID": "r5"})
    return await make(view)(request)


def _requests(request_id: contextvars.ContextVar, phase: list[str]) -> Callable:
    """One request, one whose client goes away, and two at a time."""
    from django.http import HttpResponse
    from django.test import AsyncRequestFactory

    def request(number):
        return AsyncRequestFactory().get("/", headers={"X-Request-ID": f"r{number}"})

    async def requests(make):
        seen, both_here = {}, asyncio.Barrier(2)

        async def view(request):
            seen["view"] = request_id.get()
            if phase[-1] == "error":
                raise asyncio.CancelledError
            if phase[-1] == "two":
                await both_here.wait()
            return HttpResponse("the page")

        request_id.set("outer")
        middleware = make(view)
        phase.append("one")
        response = await middleware(request(1))
        one = {
            "view": seen["view"],
            "after": request_id.get(),
            "response": getattr(response, "content", b"").decode(),
        }
        phase.append("error")
        with suppress(asyncio.CancelledError):
            await middleware(request(2))
        one["after an error"] = request_id.get()
        phase.append("two")
        await asyncio.gather(middleware(request(3)), middleware(request(4)))
        return one

    return requests


def _token_trouble(stop: Raised, phase: list[str]) -> NotYet:
    if not isinstance(stop.error, ValueError | RuntimeError) or "Token" not in str(stop.error):
        return stop
    if phase[-1] == "two":
        return NotYet(
            "shared-token",
            "With two requests under way one of them reset the other's token: both keep it in "
            "the same place. Which variable belongs to one request alone?",
        )
    return NotYet(
        "two-contexts",
        "The token was made in one context and reset in another: `process_request` and "
        "`process_response` each go through `sync_to_async`. Which function lasts from before "
        "the view until after it?",
    )


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
)
async def titles_lent(given):
    try:
        with _opened_connections() as opened:
            result = await given.result_of("titles_lent", 1)
    except Raised as stop:
        # With DEBUG, Django 6.1 may notice a cursor on the loop's thread once its query has run.
        _require_off_the_loop(given)
        raise _crossing_trouble(stop) from None
    if not queries(given):
        raise NotYet(
            "no-query",
            "The titles came without a query, so they will be wrong after the next loan. "
            "Who knows what was lent?",
        )
    expected = await _lent_titles()
    if result != expected:
        raise NotYet("other-titles", f"It gave {result!r}, and not {expected!r}.")
    _require_off_the_loop(given)
    hops = sum(span.kind == SYNC for span in given.recording.spans)
    if hops > 1:
        raise NotYet(
            "in-pieces",
            f"The titles are right, in {hops} hops. Between two of them another task's queries "
            "may run on the same connection. What if all of it were one function?",
        )
    if _left_open(opened):
        raise NotYet(
            "left-open",
            "The titles are right, and a connection is left open on a thread that nobody closes. "
            "Which worker is there anyway, with a connection that serves everybody?",
        )
    await require_told_of_database(given, "titles_lent", 1)
    return "One function, one hop: the cursor never left its thread."


def _require_off_the_loop(given) -> None:
    lanes = given.recording.lanes
    if any(lanes[span.lane].role == "event loop" for span in queries(given)):
        raise NotYet(
            "on-the-loop",
            "The query ran on the loop's thread: a cursor that is brought back meets no guard on "
            "its way. Everything else waited for it. Where should the cursor be opened, used and "
            "closed?",
        )


def _crossing_trouble(stop: Raised) -> NotYet:
    if isinstance(stop.error, DatabaseError) and "same thread" in str(stop.error):
        return NotYet(
            "crossed",
            "A connection was looked up on the loop's thread and used on the worker. "
            "`connection.cursor` without brackets is such a look-up. Where must the dot stand?",
        )
    if isinstance(stop.error, SynchronousOnlyOperation):
        return NotYet(
            "sync-query",
            "The guard fired: the connection was used on the loop's thread. "
            "Which function should go over as a whole?",
        )
    return stop


async def _lent_titles() -> list[str]:
    from library.models import Book

    lent = Book.objects.filter(loans__isnull=False).order_by("title").distinct()
    return [book.title async for book in lent]


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
    with _undisturbed_logging() as logger:
        driver = _in_fresh_context(_logged(logger, given.value("request_id")))
        listener, lines, writers = await given.result_of("listen", driver=driver)
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
    if writers - {"listener"}:
        raise NotYet(
            "written-by-the-caller",
            "The lines are right, and whoever logged had to write them. Who should touch the "
            "stream, and who only the queue?",
        )
    if sorted(lines) != EXPECTED_LINES:
        raise NotYet("other-lines", f"It wrote {sorted(lines)!r}, and not {EXPECTED_LINES!r}.")
    await require_told(
        given,
        "listen",
        None,
        io.StringIO(),
        what="What was given is no logger: the set-up",
        error=AttributeError,
    )
    return "The filter runs where the line is logged; only then does the record change threads."


WORDS = "asked for", "counted", "taken"
EXPECTED_LINES = [f"[r{n}] Book {n}: {words}" for n in (1, 2) for words in WORDS]


class _Stream(io.StringIO):
    """A log file that notes on which sort of thread it is written."""

    def __init__(self, callers: set[int]):
        super().__init__()
        self.writers: set[str] = set()
        self._callers = callers

    def write(self, text):
        here = threading.get_ident() in self._callers
        self.writers.add("caller" if here else "listener")
        return super().write(text)


def _logged(logger: logging.Logger, request_id: contextvars.ContextVar) -> Callable:
    """Two requests that log: on the loop, on a worker, and to a logger below."""

    async def logged(listen):
        callers = {threading.get_ident(), await sync_to_async(threading.get_ident)()}
        stream = _Stream(callers)
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
        return listener, stream.getvalue().splitlines(), stream.writers

    return logged


@contextmanager
def _undisturbed_logging() -> Iterator[logging.Logger]:
    """A logger of the check's own; afterwards no listener runs, and logging is as it was."""
    logger = logging.getLogger("asynclab.library")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    factory, loud = logging.getLogRecordFactory(), logging.raiseExceptions
    # A record without an id makes the formatter fail. The check says so itself.
    logging.raiseExceptions = False
    started = []
    try:
        with hooks.before(logging.handlers.QueueListener, "start", started.append):
            yield logger
    finally:
        for listener in started:
            with suppress(AttributeError):  # It was stopped before.
                listener.stop()
        logging.raiseExceptions = loud
        logging.setLogRecordFactory(factory)
        logger.handlers.clear()
        logger.filters.clear()


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
    driver = _in_fresh_context(_deliveries(given.value("deliver"), given.value("request_id")))
    notes, most, ended = await given.result_of("order", driver=driver)
    require_this_loop(given)
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
    ran = [(note.id, note.language) for note in notes]
    if [note.id for note in notes] == ["r0"] * len(notes):
        if [note.id_at_call for note in notes] == [f"r{n}" for n in ORDERED]:
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
    if most > 1 or [note.number for note in notes] != list(ORDERED):
        raise NotYet(
            "not-in-turn",
            "The jobs overlapped, or changed places. What does `deliver` have to wait for before "
            "it takes the next one?",
        )
    if ran == [(f"r{n}", "fr") for n in ORDERED]:
        raise NotYet(
            "only-the-id",
            "The ids are right, and the language is that of the first request: French for "
            "everybody. What carries all of a context, whatever is in it?",
        )
    expected = [(f"r{n}", language) for n, language in ORDERED.items()]
    if ran != expected:
        raise NotYet("other-context", f"The jobs ran under {ran!r}, and not under {expected!r}.")
    await require_told(
        given,
        "order",
        driver=_order_into_full_queue,
        what="The queue was full: the order",
        error=asyncio.QueueFull,
    )
    if await given.result_of("order", driver=_failing_job(given.value("deliver"))):
        raise NotYet(
            "swallowed",
            "A job failed, and `deliver` ended without a word; whoever orders now waits for ever. "
            "Which errors are yours to catch here?",
        )
    return "The context travels with the job, and each job has a task that runs in it."


def _order_into_full_queue(order: Callable) -> None:
    async def job():
        pass

    jobs = asyncio.Queue(maxsize=1)
    jobs.put_nowait(job)
    order(jobs, job)


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
        for _ in range(20):
            await asyncio.sleep(0)
        if delivering.done():
            return delivering.exception() is None
        delivering.cancel()
        return False

    return ends_in_silence


ORDERED = {1: "de", 2: "en", 3: "de"}
"""The languages of the requests that order a job, by their numbers."""


class _Note:
    """What a job found: its number, the id when it was called, and the id and language later."""

    def __init__(self, number: int, id_at_call: str):
        self.number = number
        self.id_at_call = id_at_call
        self.id = self.language = ""


def _deliveries(deliver: Callable, request_id: contextvars.ContextVar) -> Callable:
    """The first request starts `deliver`, others order a job each."""
    notes, under_way, most = [], 0, 0
    all_done = asyncio.Event()

    def job_of(number):
        def job():
            return run(_Note(number, request_id.get()))

        async def run(note):
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            for _ in range(5):
                await asyncio.sleep(0)
            under_way -= 1
            note.id, note.language = request_id.get(), translation.get_language()
            notes.append(note)
            if len(notes) == len(ORDERED):
                all_done.set()

        return job

    async def first_request(jobs):
        request_id.set("r0")
        translation.activate("fr")
        return asyncio.create_task(deliver(jobs))

    async def request(number, order, jobs):
        request_id.set(f"r{number}")
        translation.activate(ORDERED[number])
        order(jobs, job_of(number))

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
            return notes, most, delivering.done()
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
    titles = ["Dracula", "Emma", "Frankenstein", "Orlando"]
    count = _Count(given.loop_is_free)
    closers = set()
    with _opened_connections() as opened:
        result = await given.result_of("stock_take", titles, count, driver=_watched(closers))
    expected = [await _times_lent(title) for title in titles]
    if result != expected:
        raise NotYet("other-numbers", f"For {titles} it gave {result!r}, and not {expected!r}.")
    if not count.met:
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
    left = len(_left_open(opened))
    if left and closers:
        raise NotYet(
            "closes-elsewhere",
            f"Something was closed, and of {len(opened)} connections {left} are still open. "
            "`close_all()` means those of the calling thread. Which threads opened these?",
        )
    if left:
        raise NotYet(
            "left-open",
            f"Counted: {left} connections are still open, one for each pool thread that asked. "
            "Django closes a request's own; who closes these?",
        )
    await _require_closed_after_error(given, [*titles, _Count.NO_SUCH])
    return "Every thread closed what it had opened, and the counts still ran in parallel."


def _watched(closers: set[int]) -> Callable:
    """A driver that notes the idents of threads which close connections during the call."""

    async def watched(stock_take, *args):
        with _noting_threads_that_close(closers):
            return await stock_take(*args)

    return watched


async def _to_its_end(stock_take, *args):
    """A driver that lets the other counts end, as a server does, whose loop goes on."""
    try:
        return await stock_take(*args)
    finally:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)


async def _require_closed_after_error(given, titles: list[str]) -> None:
    told = False
    with _opened_connections() as opened:
        try:
            await given.result_of("stock_take", titles, _Count(), driver=_to_its_end)
        except Raised as stop:
            told = isinstance(stop.error, LookupError)
            if not told:
                raise
    left = len(_left_open(opened))
    if left:
        raise NotYet(
            "left-after-error",
            f"One count failed, and {left} of {len(opened)} connections stayed open. "
            "Which block runs whether or not the count has failed?",
        )
    if not told:
        raise NotYet(
            "swallowed",
            "One count failed, and the caller got numbers as if all were well. "
            "Who should learn of it?",
        )


class _Count:
    """A `count` that notes whether two calls of it were under way at once.

    The first call waits for a second one, for PATIENCE seconds at most.

    Args:
        loop_is_free: asked by the first call, whether the caller's loop goes on meanwhile.
    """

    NO_SUCH = "The Book of Sand"
    __name__ = __qualname__ = "count"

    def __init__(self, loop_is_free: Callable[[], bool] = lambda: True):
        self.met = False
        self.loop_was_free = True
        self._loop_is_free = loop_is_free
        self._first = True
        self._inside = 0
        self._lock = threading.Lock()
        self._two = threading.Event()

    def __call__(self, title):
        with self._lock:
            self._inside += 1
            waits, self._first = self._first, False
            if self._inside == 2:
                self.met = True
                self._two.set()
        if waits:
            self._two.wait(PATIENCE)
            self.loop_was_free = self._loop_is_free()
        try:
            return self._look_up(title)
        finally:
            with self._lock:
                self._inside -= 1

    def _look_up(self, title):
        from library.models import Book, Loan

        number = Loan.objects.filter(book__title=title).count()
        if not Book.objects.filter(title=title).exists():
            raise LookupError(f"no book has the title {title!r}")
        return number


async def _times_lent(title: str) -> int:
    from library.models import Loan

    return await Loan.objects.filter(book__title=title).acount()


# What several checks look at


def _require_plain(given, *names: str) -> None:
    for name in names:
        if asgiref.sync.iscoroutinefunction(given.value(name)):
            raise NotYet(
                "returned-coroutine",
                f"`{name}` is an `async def`, and is called without `await`, as the card says. "
                "What would a plain `def` be?",
            )


def _in_fresh_context(scenario: Callable) -> Callable:
    """`scenario` in a task with an empty context: what the reader has set there is not seen."""

    async def driver(function):
        return await asyncio.create_task(scenario(function), context=contextvars.Context())

    return driver


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


@contextmanager
def _opened_connections() -> Iterator[list[tuple[int, object]]]:
    """Every connection that is opened in the block, with the ident of its thread.

    The list keeps them alive: what the garbage collector would close counts as left open.
    """
    opened = []

    def keep(connection, **kwargs):
        opened.append((threading.get_ident(), connection))

    connection_created.connect(keep)
    try:
        yield opened
    finally:
        connection_created.disconnect(keep)


def _left_open(opened: list[tuple[int, object]]) -> list[object]:
    """Those that are still open, but for that of the worker which serves everybody."""
    shared = {thread.ident for thread in workers.shared_threads()}
    return [
        connection
        for ident, connection in opened
        if connection.connection is not None and ident not in shared
    ]


@contextmanager
def _noting_threads_that_close(idents: set[int]) -> Iterator[None]:
    """Add the ident of each thread that goes through its connections in order to close them.

    `close_all` and `close_old_connections` both begin with `BaseConnectionHandler.all`.
    """

    def note(handler, initialized_only=False):
        idents.add(threading.get_ident())

    with hooks.before(BaseConnectionHandler, "all", note):
        yield
