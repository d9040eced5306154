"""The checks of lesson 03: which thread a call runs on, what it holds up, what it leaves behind."""

import asyncio
import threading
from datetime import timedelta
from types import SimpleNamespace

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError, IntegrityError

from ..exercises.book import NotYet, exercise
from ..exercises.given import Call
from ..recorder.events import SPAN, SYNC, Span
from ..recorder.roles import EVENT_LOOP, THREAD_SENSITIVE_WORKER
from ..recorder.taps import span
from .vocabulary.causes import behind_a_dot, written
from .vocabulary.failing import Mishap, require_told, require_told_of_database
from .vocabulary.library import DAY, free_books, lend_out_of_order, open_loans
from .vocabulary.open_connections import Opened
from .vocabulary.queries import (
    crossings,
    in_pool,
    queries,
    require_off_the_pool,
    require_query,
)
from .vocabulary.requests import page_of
from .vocabulary.rivals import Rivals
from .vocabulary.tasks import Overlap, turns
from .vocabulary.threads import ELSEWHERE, Meeting, place, require_this_loop
from .vocabulary.transactions import ASYNC_WITH

HOURS = "Open until 20:30"


@exercise(
    "3.1",
    title="write a reminder",
    names=("reminder",),
    why=(
        "The error of a function that was sent away rises where you await it. So the `await` "
        "stands in the `try`, and the `except` names the one error that means: no reminder."
    ),
    hints=(
        "On which thread does `letter` have to run, and which adapter sends it there?",
        "The first pair of brackets takes the function, the second its arguments. At which moment "
        "does the error of the function rise in your code?",
        "Does `await sync_to_async(letter)(member_pk, day=day)` stand inside the `try`, with "
        "`except LookupError` below?",
    ),
    errors={
        LookupError: NotYet(
            "lost-error",
            "`LookupError` went past your code to its caller. Wrapping a function runs nothing, so "
            "nothing can rise there. Which line has to stand in the `try`?",
        ),
    },
)
async def reminder(given):
    called_on = []

    def letter(member_pk, *, day):
        called_on.append(place())
        if member_pk == 2:
            raise LookupError("nothing is overdue")
        if member_pk == 3:
            raise OSError("the printer is on fire")
        return f"Please bring back {member_pk} books by {day}."

    await _require_letter(given, letter, called_on)
    if await given.result_of("reminder", letter, 2, DAY) is not None:
        raise NotYet(
            "other-text",
            "For a member with nothing overdue it gave something else than `None`. "
            "What does the `except` return?",
        )
    call = await given.call("reminder", letter, 3, DAY, expect=OSError)
    if call.error is None:
        raise NotYet(
            "swallows",
            "`letter` raised `OSError: the printer is on fire`, and nobody heard of it. "
            "Which one error means that there is no reminder to write?",
        )
    return "One hop, and the error that you expect is caught where it rises: at the await."


async def _require_letter(given, letter, called_on: list[str]) -> None:
    call = await given.call("reminder", letter, 1, DAY, expect=TypeError)
    if call.error and EVENT_LOOP in called_on:
        raise NotYet(
            "called-too-soon",
            "`letter(...)` with its brackets ran at once, on the loop, and sync_to_async was "
            "given a text. What does it take: a function, or the result of one?",
        )
    text = call.value
    if not called_on:
        raise NotYet("not-called", "It never called `letter`. Who knows what is overdue?")
    if EVENT_LOOP in called_on:
        raise NotYet(
            "on-the-loop",
            "`letter` ran on the loop's own thread. It queries, so Django's guard would raise. "
            "What makes a sync function awaitable, on another thread?",
        )
    if ELSEWHERE in called_on:
        raise NotYet(
            "query-in-pool",
            "`letter` ran on a thread of the pool, where it would leave a database connection "
            "behind. Which adapter, with its default, sends it to the thread-sensitive worker?",
        )
    if text != f"Please bring back 1 books by {DAY}.":
        raise NotYet("other-text", f"It returned {text!r}, which is not what `letter` gave.")


@exercise(
    "3.2",
    title="export beside the queue",
    names=("export",),
    why=(
        "The rows are a plain list before they leave, so the pool's thread needs no connection, "
        "and the thread-sensitive worker is free for other queries."
    ),
    hints=(
        "Two jobs, two threads: which of them touches the database?",
        "`async for` over `values_list(...)` brings the rows. What must `rows` be, so that "
        "`make_csv` need not ask the database for them?",
        "Is it a list of rows first, and then "
        "`await sync_to_async(make_csv, thread_sensitive=False)(rows)`?",
    ),
    errors={
        (SynchronousOnlyOperation, behind_a_dot): NotYet(
            "lazy-key",
            "The loans came, and then `loan.book` or `loan.member` was asked for on the loop's "
            "thread: it is a query behind a dot, and the guard stopped it. Which queryset brings "
            "the title and the name themselves?",
        ),
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A query ran on the loop's thread, and the guard stopped it. A queryset asks when "
            "somebody loops over it. Who loops over yours, and where?",
        ),
    },
)
async def export(given):
    await lend_out_of_order()
    calls = []

    def make_csv(rows):
        calls.append(SimpleNamespace(place=place(), listed=isinstance(rows, list | tuple)))
        calls[-1].free = calls[-1].place == EVENT_LOOP or given.loop_is_free()
        calls[-1].rows = [tuple(row) if isinstance(row, list) else row for row in rows]
        return "\n".join(map(str, calls[-1].rows))

    call = await given.call("export", make_csv, expect=TypeError)
    if call.error and calls and calls[-1].place == EVENT_LOOP:
        raise NotYet(
            "blocks",
            "`make_csv(rows)` with its brackets ran at once, on the loop, and only its result was "
            "handed on. What do you hand over when another thread is to make the call?",
        )
    result = call.value
    if not calls:
        raise NotYet("not-called", "It never called `make_csv`. Who turns the rows into a file?")
    _require_beside(call, calls[-1])
    pairs = open_loans().values_list("book__title", "member__name")
    expected = [pair async for pair in pairs]
    if calls[-1].rows != expected:
        raise NotYet(
            "other-rows",
            f"`make_csv` got {calls[-1].rows!r}. It needs {len(expected)} pairs of title and name, "
            "the loan that is due first at the top.",
        )
    if result != "\n".join(map(str, expected)):
        raise NotYet("lost-file", f"It returned {result!r}, and not what `make_csv` made.")
    await require_told(given, "export", _make_nothing, what="`make_csv`")
    return "The query held the worker for a moment; the export held nobody."


def _make_nothing(rows):
    raise Mishap


def _require_beside(call: Call, made: SimpleNamespace) -> None:
    if made.place == EVENT_LOOP:
        raise NotYet(
            "blocks",
            "`make_csv` ran on the loop's own thread: for as long as it computes, nobody else is "
            "served. Where else could it run?",
        )
    if made.place == THREAD_SENSITIVE_WORKER:
        raise NotYet(
            "holds-the-worker",
            "`make_csv` ran on the thread-sensitive worker: the loop is free, but every query of "
            "the process queues behind an export. Does `make_csv` need that thread?",
        )
    if not made.free:
        raise NotYet(
            "waits-on-the-loop",
            "`make_csv` ran on a thread of its own, and the loop's thread stood still until it was "
            "done: it waited without an `await`. Which call sends work to a thread and can be "
            "awaited?",
        )
    if in_pool(call) and not made.listed:
        raise NotYet(
            "lazy-rows",
            "What you handed to the pool was a queryset, a question. It was asked there, and left "
            "its connection open there. What should `rows` be before it leaves?",
        )
    require_off_the_pool(call)


@exercise(
    "3.3",
    title="three books a member",
    names=("lend",),
    why=(
        "The update changes nothing, and it locks until the transaction ends: the member's row on "
        "PostgreSQL, the whole database on SQLite. For PostgreSQL alone you would write "
        "`select_for_update()`. For SQLite alone, set `transaction_mode` to `IMMEDIATE` in the "
        "database's `OPTIONS`, and `atomic()` takes the lock where it begins."
    ),
    hints=(
        "Two requests have two workers and two connections. Which of the things that keep threads "
        "apart does a second server process see, too: a lock of Python's, or one of the database?",
        "Whoever writes a row locks it until the transaction ends. Which row do both desks share, "
        "and what could you write there before you count?",
        "Does the transaction begin with an update of the member that changes nothing, such as "
        '`.update(name=F("name"))`, and do you count only after it?',
    ),
    errors={
        **ASYNC_WITH,
        SynchronousOnlyOperation: NotYet(
            "atomic-on-the-loop",
            "`atomic()` or a sync query ran on the loop's thread. A transaction belongs to a "
            "connection, and that to a thread. Which function should cross as a whole?",
        ),
        (DatabaseError, "locked", written("select_for_update")): NotYet(
            "no-such-lock",
            "One desk got `OperationalError: database is locked`. On PostgreSQL "
            "`select_for_update` would have made it wait. SQLite has no lock for a row, so Django "
            "leaves the words out there. What takes a lock on both?",
        ),
        (DatabaseError, "locked"): NotYet(
            "database-locked",
            "One desk lent its books, and the other one got `OperationalError: database is "
            "locked`. Both had read by then, and on SQLite a transaction that has read cannot "
            "begin to write while another one writes. On PostgreSQL both go on, and the member has "
            "five books. What must a desk wait for before it reads?",
        ),
    },
    seconds=20,
)
async def lend(given):
    limit_reached = given.value("LimitReached")
    member, books = await _member_and_books()
    require_off_the_pool(await _lend_one(given, member, books[0]))
    desks = Rivals(limit_reached, counted="library_loan", shared="library_member")
    await _lend_at_two_desks(given, desks, member, books[1:])
    await _require_limit(given, member, books[6], limit_reached)
    _require_lock(desks)
    await _require_all_or_none(given, books)
    return (
        "The second desk waits for the member's row, in whichever process it is, and then counts "
        "what the first one has lent."
    )


async def _member_and_books() -> tuple[object, list[int]]:
    """A new member who has brought back one book, and books that are on the shelf."""
    from library.models import Loan, Member

    member = await Member.objects.acreate(name="Ishmael", email="ishmael@example.org")
    books = [book.pk async for book in free_books()]
    back = {"borrowed": DAY, "due": DAY, "returned": DAY}
    await Loan.objects.acreate(book_id=books[0], member=member, **back)
    return member, books


async def _lend_one(given, member, book: int) -> Call:
    """Lend a book to the member, at the only desk."""
    call = await given.call("lend", [book], member.pk, DAY)
    loan = await open_loans().filter(book=book, member=member).afirst()
    if loan is None or (loan.borrowed, loan.due) != (DAY, DAY + timedelta(days=21)):
        raise NotYet(
            "not-lent",
            "A book was lent to a member with none, and afterwards there is no loan of it that was "
            "borrowed that day and is due 21 days later. Which of these is missing?",
        )
    return call


async def _lend_at_two_desks(given, desks: Rivals, member, books: list[int]) -> None:
    """The member has one book; each desk lends two."""
    orders = (books[:2], member.pk, DAY), (books[2:4], member.pk, DAY)
    refused = await given.result_of("lend", *orders, driver=desks.serve)
    number = await open_loans().filter(member=member).acount()
    if (number, refused) == (3, 1):
        return
    if number > 3 and desks.unlocked == 2:
        raise NotYet(
            "check-then-act",
            f"Two desks lent two books each to a member who had one, and now there are {number}. "
            "Both counted before either lent. What makes the second desk wait with its count until "
            "the first one is done?",
        )
    if number > 3:
        raise NotYet(
            "no-limit",
            f"A member who had one book was lent two, and two more, and has {number}. "
            "What has to be counted together: the books that are out, and ...?",
        )
    raise NotYet(
        "too-strict",
        f"A member who had one book was lent two, and two more. Of these, {number - 1} were lent. "
        "Which of the two must go through, and which is one too many?",
    )


def _require_lock(desks: Rivals) -> None:
    """Require that what kept the desks apart is a lock on a row that both share."""
    if desks.unlocked:
        raise NotYet(
            "one-process",
            "The limit held, because something in this process kept the desks apart. A second "
            "process of the server knows nothing of it: when yours had counted, another one could "
            "still begin to write. Which lock do all processes share?",
        )
    if not desks.locks:
        raise NotYet(
            "only-on-sqlite",
            "The limit held, because on SQLite a write locks the whole database. PostgreSQL locks "
            "the rows that are written, and each desk writes rows of its own: neither waits, and "
            "the member has five books. Which row do both desks share?",
        )
    if not all("WHERE" in sql for sql in desks.locks):
        raise NotYet(
            "locks-everybody",
            "The limit held, because your update writes the row of every member. On PostgreSQL "
            "each desk then waits for every other one, whoever stands there. Whose row is enough?",
        )


async def _require_limit(given, member, book: int, limit_reached) -> None:
    """Lend one book to the member, who has three by now."""
    await given.call("lend", [book], member.pk, DAY, expect=limit_reached)
    if await open_loans().filter(member=member).acount() > 3:
        raise NotYet(
            "no-limit",
            "A member who had three books was lent a fourth. "
            "Which number may the books that are out and the new ones make together?",
        )


async def _require_all_or_none(given, books: list[int]) -> None:
    """Lend a book that is there together with one that is out."""
    from library.models import Member

    member = await Member.objects.acreate(name="Queequeg", email="queequeg@example.org")
    out = await open_loans().afirst()
    order = [books[5], out.book_id], member.pk, DAY
    call = await given.call("lend", *order, expect=IntegrityError)
    if await open_loans().filter(member=member).aexists():
        raise NotYet(
            "half-done",
            "Of two books one was out, and the other one was lent all the same. One crossing is "
            "not one transaction. What makes many writes one: all, or none?",
        )
    if call.error is None:
        raise NotYet(
            "swallowed",
            "One of the books was out, so nothing was lent, and nobody was told. "
            "Who should get the `IntegrityError`?",
        )


class Branches:
    """Branches that are asked on threads, three at the same time if the answer is right.

    Args:
        number: how many there are to ask.
    """

    def __init__(self, number: int):
        self.meeting = Meeting(number, together=3)
        self.places: set[str] = set()

    def count(self, branch: str) -> int:
        """Query, and answer when the others are there."""
        from library.models import Book

        number = Book.objects.count() + len(branch)
        self.places.add(place())
        with self.meeting:
            return number


@exercise(
    "3.4",
    title="three branches at a time",
    names=("stock",),
    why=(
        "Each call runs in a context of its own, and so on a worker and a connection of its "
        "own. The semaphore lets three in, and the function that opened a connection closes it "
        "on the same thread."
    ),
    hints=(
        "On one worker the branches queue. What gives each of them a worker of its own?",
        "Which object of asyncio lets three in and makes the fourth wait? And who closes a "
        "connection: on which thread does it have to happen?",
        "Per branch: `async with asyncio.Semaphore(3)` (one for all), inside it "
        "`ThreadSensitiveContext()`, and in the sync function `connection.close()` in a `finally`?",
    ),
    errors={
        SynchronousOnlyOperation: NotYet(
            "on-the-loop",
            "`count` ran on the loop's thread, and the guard stopped its query. "
            "Who takes it to another thread?",
        ),
        DatabaseError: NotYet(
            "closes-elsewhere",
            "Written on the loop, `connection.close` is the method of the loop's own "
            "connection, and was called on another thread. On which thread was the one opened "
            "that should be closed, and what runs there last?",
        ),
    },
    seconds=20,
)
async def stock(given):
    from library.models import Book

    names = ["Whitby", "Bath", "Haworth", "London", "Nantucket", "Rye", "Ullapool"]
    branches = Branches(len(names))
    with Opened() as opened:
        result = await given.result_of("stock", branches.count, names)
    _require_three(branches)
    expected = [await Book.objects.acount() + len(name) for name in names]
    if not isinstance(result, list | tuple) or sorted(result) != sorted(expected):
        raise NotYet("other-counts", f"It returned {result!r}. Is there one count for each branch?")
    if list(result) != expected:
        raise NotYet(
            "order",
            "All counts are there, in the order in which the branches answered. "
            "Which call waits for all, and keeps the order of the questions?",
        )
    if opened.left:
        raise NotYet(
            "leaves-open",
            f"Afterwards {opened.left} connections are open. The end of a worker closes "
            "none. On which thread was each opened, and what runs there last?",
        )
    await _require_closed_after_error(given, names)
    return "Three at a time, each on a connection of its own, and all of them closed."


async def _require_closed_after_error(given, names: list[str]) -> None:
    branches = Branches(len(names))

    def count(branch):
        branches.count(branch)
        raise Mishap

    with Opened() as opened:
        await require_told(given, "stock", count, names, what="`count`")
    if opened.left:
        raise NotYet(
            "open-after-error",
            f"`count` failed, and {opened.left} connections stayed open. "
            "Which block runs whether or not the count has failed?",
        )


def _require_three(branches: Branches) -> None:
    if not branches.places:
        raise NotYet("not-called", "It never called `count`. Who knows what a branch has?")
    if branches.meeting.most > 3:
        raise NotYet(
            "unbounded",
            f"{branches.meeting.most} branches were asked at once, each on a connection of its "
            "own. The library may open three. Who makes the fourth one wait?",
        )
    if branches.meeting.most <= 1 and branches.places == {THREAD_SENSITIVE_WORKER}:
        raise NotYet(
            "queue",
            "One branch at a time: all calls went to the one thread-sensitive worker, where "
            "`gather` changes nothing. What gives a branch a worker of its own?",
        )
    if branches.meeting.most <= 1:
        raise NotYet(
            "one-context",
            "One branch at a time, on another worker than usual: a context has one thread, for all "
            "that runs inside it. How many contexts do three branches need?",
        )
    if branches.meeting.most < 3:
        raise NotYet(
            "fewer",
            f"Never more than {branches.meeting.most} branches were asked at once. "
            "How many does your semaphore let in?",
        )


@exercise(
    "3.5",
    title="a timeout that tells the truth",
    names=("take_back_all",),
    why=(
        "Nobody can stop a thread from outside, so the function asks before each book whether "
        "to go on, and the transaction undoes what it has done by then. Awaiting the job means "
        "that the caller hears of it when the worker is free."
    ),
    hints=(
        "What does `asyncio.wait_for` stop, and what goes on after it?",
        "No thread can be stopped from outside. Where, inside your sync function, could it ask "
        "whether it should go on? And what undoes what it has done by then?",
        "A `threading.Event`, asked before each book inside `atomic()`. Outside: "
        "`asyncio.wait([job], timeout=seconds)`, set the event, and then: who waits for the job?",
    ),
    errors={
        SynchronousOnlyOperation: NotYet(
            "atomic-on-the-loop",
            "`atomic()` or `take_back` ran on the loop's thread, and the guard stopped it. "
            "Which function should cross as a whole?",
        ),
    },
    seconds=15,
)
async def take_back_all(given):
    loans = [loan.pk async for loan in open_loans()]
    require_off_the_pool(await _in_time(given, loans[:2]))
    fact = await given.result_of("take_back_all", loans[2:], driver=_too_late)
    if not fact.told:
        raise NotYet(
            "no-timeout",
            "The time was over after the second book, and no `TimeoutError` came. "
            "Who looks at the time while the worker works?",
        )
    if 0 < fact.taken < len(loans[2:]):
        raise NotYet(
            "half-done",
            f"The caller was told of a timeout, and {fact.taken} of {len(loans[2:])} books were "
            "taken back. What makes many writes one: all, or none?",
        )
    if fact.taken:
        raise NotYet(
            "goes-on",
            "`TimeoutError` was raised, and the worker went on to the last book: all of them were "
            "taken back after the caller had been told otherwise. Whom did you stop?",
        )
    if fact.at_work:
        raise NotYet(
            "not-awaited",
            "Nothing was written, but when `TimeoutError` came the worker was still at work: the "
            "next query has to wait for it. Who knows when the job has ended?",
        )
    return "All or none, and the caller hears of it when it is true."


async def _in_time(given, loans: list[int]) -> Call:
    from library.models import Loan

    def take_back(pk, day):
        Loan.objects.filter(pk=pk).update(returned=day)

    call = await given.call("take_back_all", take_back, loans, DAY, 10)
    require_this_loop(call)
    if await Loan.objects.filter(pk__in=loans, returned=DAY).acount() < len(loans):
        raise NotYet(
            "not-taken-back",
            "There was time enough, and not every loan was closed on the day. "
            "Who calls `take_back`, and for which loans?",
        )
    return call


async def _too_late(take_back_all, loans: list[int]) -> SimpleNamespace:
    """Let the time be over while the second book is being taken back."""
    from library.models import Loan

    seconds, go_on, at_work = 0.1, threading.Event(), Overlap()

    def take_back(pk, day):
        with at_work:
            Loan.objects.filter(pk=pk).update(returned=day)
            if pk == loans[1]:
                go_on.wait(5)

    async def let_go():
        # A loop's timers go off in their order, however late they are.
        await asyncio.sleep(2 * seconds)
        await turns()
        go_on.set()

    letting_go = asyncio.create_task(let_go())
    fact = SimpleNamespace(told=False)
    try:
        await take_back_all(take_back, loans, DAY, seconds)
    except TimeoutError:
        fact.told = True
    fact.at_work = at_work.now
    go_on.set()
    letting_go.cancel()
    await sync_to_async(int)()  # whatever is in the worker's queue has run when this has
    fact.taken = await Loan.objects.filter(pk__in=loans).exclude(returned=None).acount()
    return fact


@exercise(
    "3.6",
    title="forty lookups",
    names=("shelf",),
    why=(
        "One sync function makes both queries in one crossing, and `gather` lets the other "
        "service answer meanwhile."
    ),
    hints=(
        "How often does `shelf_before` cross to the worker, and how many queries does it make?",
        "Six loans are open. What if you fetched those once, and looked a book's reader up in a "
        "dict? Which sync function could hold both queries?",
        "`hours, lines = await asyncio.gather(opening_hours(), sync_to_async(f)())`: "
        "what does `f` return?",
    ),
    errors={
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A query ran on the loop's thread, and the guard stopped it. "
            "Into which sync function does everything that asks belong?",
        ),
    },
    seconds=10,
)
async def shelf(given):
    call = await given.call("shelf", driver=_serve)
    page, expected = call.value, await _shelf_page()
    if page != expected:
        raise NotYet(
            "other-page",
            f"It begins {page[:80]!r}, and should begin {expected[:80]!r}; forty books in all. "
            "Compare with `shelf_before`.",
        )
    require_off_the_pool(call)
    _require_one_crossing(crossings(call))
    _require_two_queries(call)
    if not _at_the_same_time(call):
        raise NotYet(
            "one-after-another",
            "One crossing, few queries. But the other service and the database wait for each "
            "other, and neither needs the other's answer. Which call starts both?",
        )
    if _number_sent(call) > 1:
        raise NotYet(
            "empty-crossing",
            f"One crossing holds the queries, and {_number_sent(call) - 1} more hold none. Each "
            "stands in the queue like any other. What is left for it to do?",
        )
    if await given.result_of("shelf", None, True, driver=_serve) != expected:
        raise NotYet(
            "other-page",
            "When the opening hours come after the books, they change places on the page. "
            "Which call keeps the order of what it was given?",
        )
    await require_told_of_database(given, "shelf", driver=_serve)
    await require_told(given, "shelf", Mishap(), driver=_serve, what="`opening_hours`")
    return "One crossing, two queries, and the other service asked meanwhile."


async def _serve(shelf, closed: Exception | None = None, late: bool = False) -> str:
    """The page, as a browser gets it.

    Args:
        closed: what `opening_hours` raises, if anything.
        late: whether `opening_hours` answers only after the worker has done what it was sent.
    """

    async def opening_hours():
        with span("opening_hours"):
            await turns()
        if late:
            await sync_to_async(int)()
        if closed is not None:
            raise closed
        return HOURS

    return await page_of(shelf, opening_hours=opening_hours)


async def _shelf_page() -> str:
    from library.models import Book

    loans = open_loans().select_related("member")
    readers = {loan.book_id: loan.member async for loan in loans}
    books = Book.objects.all()[:40]
    lines = [f"{book}: {readers.get(book.pk, 'on the shelf')}" async for book in books]
    return "\n".join([HOURS, *lines])


def _require_one_crossing(calls: list[Span]) -> None:
    if len(calls) > 4 and calls[1].returned and calls[-1].sent.at < calls[1].returned.at:
        raise NotYet(
            "gathered-hops",
            f"All {len(calls)} calls were sent together, and then they queued: a request has one "
            "worker. What would be left to queue if the loop were inside one of them?",
        )
    if len(calls) > 4:
        raise NotYet(
            "hop-per-row",
            f"{len(calls)} crossings, one after another, and each stands at the end of the queue "
            "again. What if the loop went over to the worker, rather than its rows?",
        )
    if len(calls) > 1:
        raise NotYet(
            "two-crossings",
            f"{len(calls)} crossings. A book that comes back between two of them is on the page in "
            "a state that never was. Which sync function could hold all the queries?",
        )


def _number_sent(call: Call) -> int:
    """How many calls the view sent to another thread."""
    spans = call.recording.spans
    view = next(each for each in spans if each.kind == SPAN and each.name == "view")
    return sum(
        each.kind == SYNC and each.sent is not None and view.start <= each.sent.at <= view.end
        for each in spans
    )


def _require_two_queries(call: Call) -> None:
    require_query(call, "page", "which books are out")
    number = len(queries(call))
    if number > 4:
        raise NotYet(
            "query-per-row",
            f"One crossing, and in it {number} queries: the loop moved over with everything in it. "
            "Which query brings all the readers at once?",
        )
    if number > 2:
        raise NotYet(
            "query-too-many",
            f"One crossing, {number} queries. A reader is one join away from the loan. "
            "Which method of a queryset brings a foreign key along?",
        )


def _at_the_same_time(call: Call) -> bool:
    """Whether the database was at work, as the loop saw it, while the service was asked."""
    crossing = crossings(call)[0]
    service = next(span for span in call.recording.spans if span.name == "opening_hours")
    taken_up = crossing.returned.at if crossing.returned else float("inf")
    return crossing.sent.at < service.end and service.start < taken_up
