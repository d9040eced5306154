"""The checks of lesson 03: which thread a call runs on, what it holds up, what it leaves behind."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sized
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import pairwise
from types import SimpleNamespace

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError, IntegrityError
from django.db.backends.base.base import BaseDatabaseWrapper

from ..exercises.book import NotYet, exercise
from ..exercises.given import Call
from ..exercises.lineage import is_beside
from ..recorder.events import SPAN, SYNC, Span
from ..recorder.hooks import before, before_queries
from ..recorder.roles import CONTEXT_WORKER, EVENT_LOOP, THREAD_SENSITIVE_WORKER
from .vocabulary.causes import behind_a_dot, written
from .vocabulary.edges import require_of_nothing
from .vocabulary.failing import (
    Mishap,
    Outage,
    ends_cancelled,
    fail_in_many_ways,
    require_cancellable_beside,
    require_cancellable_on_thread,
    require_cancellable_query,
    require_told,
    require_told_of_database,
)
from .vocabulary.library import (
    DAY,
    free_books,
    lend_many,
    lend_out_of_order,
    lend_two_copies,
    open_loans,
)
from .vocabulary.loops import call_off_the_loop, require_free_for_one
from .vocabulary.open_connections import Opened
from .vocabulary.queries import (
    crossings,
    hops,
    in_pool,
    queries,
    require_off_the_pool,
    require_on_the_worker,
    require_one_query,
    require_only_reads,
    require_query,
)
from .vocabulary.requests import page_of, require_response
from .vocabulary.rivals import Rivals
from .vocabulary.tasks import Overlap, in_good_time, pass_time, turns, until
from .vocabulary.threads import ELSEWHERE, Encounter, Meeting, place, require_this_loop
from .vocabulary.transactions import ASYNC_WITH, committed
from .vocabulary.values import difference, same

HOURS = "Open until 20:30"
LATER = DAY + timedelta(days=40)
SECONDS = 0.1
"""The time that there is to take books back, where it does not suffice."""


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
    office = Office()
    for member_pk, day in (1, DAY), (4000, LATER), (1, DAY):
        call = await _require_letter(given, office, member_pk, day)
    office.blank = True
    await _require_letter(given, office, 7, DAY)
    for office.error in LookupError("nothing is overdue"), LookupError():
        silent = () if office.error.args else LookupError
        none = await given.call("reminder", office.letter, 2, DAY, expect=silent)
        if none.error is not None:
            raise NotYet(
                "known-by-its-words",
                "`letter` raised a `LookupError` without a text, and it went past your code to its "
                "caller. A text may change any day. By what does an `except` know an error?",
            )
        if none.value is not None:
            raise NotYet(
                "other-text",
                "For a member with nothing overdue it gave something else than `None`. "
                "What does the `except` return?",
            )
    for office.error in _other_errors():
        await _require_other_error(given, office)
    await require_cancellable_on_thread(given, "reminder", 1, DAY)
    return f"{_counted(hops(call), 'hop')}, and the error that you expect is caught " + (
        "where it rises: at the `await`."
        if any(hop.error == "LookupError" for hop in hops(none))
        else "on the worker, before it crosses."
    )


class Office:
    """A colleague's function `letter`: which threads it ran on, and what it wrote.

    `blank` says whether its letters are without a text, `error` is what it raises in place of one.
    """

    def __init__(self):
        self.places: list[str] = []
        self.blank = False
        self.error: Exception | None = None

    def letter(self, member_pk: int, *, day: date) -> str:
        self.places.append(place())
        if self.error is not None:
            raise self.error
        return self.text(len(self.places), member_pk, day)

    def text(self, number: int, member_pk: int, day: date) -> str:
        if self.blank:
            return ""
        return f"Reminder {number}: member {member_pk!r} has had books since {day!r}."


def _other_errors() -> list[Exception]:
    """Errors of every kind that somebody may take for a member with nothing overdue."""
    from library.models import Member

    known = OSError("the printer is on fire"), Member.DoesNotExist("no such member")
    kinds = DatabaseError, ValueError, TypeError, AttributeError, RuntimeError, TimeoutError
    return [*known, *(kind("the lights went out") for kind in kinds)]


async def _require_letter(given, office: Office, member_pk: int, day: date) -> Call:
    """Have a letter written, once, on the worker, with just this member and this day."""
    office.places.clear()
    wanted = office.text(1, member_pk, day)
    call = await given.call("reminder", office.letter, member_pk, day, expect=TypeError)
    if call.error and EVENT_LOOP in office.places:
        raise NotYet(
            "called-too-soon",
            "`letter(...)` with its brackets ran at once, on the loop, and sync_to_async was "
            "given a text. What does it take: a function, or the result of one?",
        )
    text = call.value
    if not office.places:
        raise NotYet(
            "not-called",
            "It gave an answer, and never called `letter`. Who knows what is overdue now?",
        )
    _require_usual_worker(office.places)
    require_this_loop(call)
    _require_called_once(office)
    if not same(text, wanted):
        raise NotYet("other-text", f"It returned {text!r}, and `letter` for this call {wanted!r}.")
    return call


def _require_called_once(office: Office) -> None:
    if len(office.places) > 1:
        raise NotYet(
            "called-twice",
            f"For one reminder it called `letter` {len(office.places)} times. Between two calls a "
            "book may come back. Which one result or error is the answer?",
        )


def _require_usual_worker(places: list[str]) -> None:
    if EVENT_LOOP in places:
        raise NotYet(
            "on-the-loop",
            "`letter` ran on the loop's own thread. It queries, so Django's guard would raise. "
            "What makes a sync function awaitable, on another thread?",
        )
    if ELSEWHERE in places:
        raise NotYet(
            "query-in-pool",
            "`letter` ran on another thread than the thread-sensitive worker, where it would leave "
            "a database connection behind. Which adapter, with its default, sends it there?",
        )


async def _require_other_error(given, office: Office) -> None:
    error = office.error
    office.places.clear()
    call = await given.call("reminder", office.letter, 3, DAY, expect=type(error))
    if call.error is None:
        raise NotYet(
            "swallows",
            f"`letter` raised `{type(error).__name__}: {error}`, and nobody heard of it. "
            "Which one error means that there is no reminder to write?",
        )
    if call.grouped:
        raise NotYet(
            "in-a-group",
            f"`letter` raised `{type(error).__name__}`, and the caller, who has an `except` for "
            "it, got a group of exceptions. What does a task group do that one `await` does not?",
        )
    _require_called_once(office)


def _counted(things: Sized, noun: str) -> str:
    """How many there are, as a sentence begins: "One hop", "3 hops"."""
    return f"One {noun}" if len(things) == 1 else f"{len(things)} {noun}s"


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
    changes = None, lend_out_of_order, lend_two_copies, _lend_far_ahead, lend_many, _all_back
    for change in changes:
        if change is not None:
            await change()
        pairs = open_loans().values_list("book__title", "member__name")
        await _require_export(given, [pair async for pair in pairs])
    await require_told(given, "export", _make_nothing, what="`make_csv`")
    await require_told_of_database(given, "export", len)
    await _require_beside_a_request(given)
    await require_cancellable_on_thread(given, "export")
    return "The query held the worker for a moment; the export held nobody."


async def _lend_far_ahead() -> None:
    from library.models import Loan

    member_id = (await open_loans().afirst()).member_id
    days = {"borrowed": DAY, "due": DAY.replace(year=DAY.year + 75)}
    await Loan.objects.acreate(book=await free_books().afirst(), member_id=member_id, **days)


async def _all_back() -> None:
    await open_loans().aupdate(returned=DAY)


async def _require_export(given, expected: list[tuple[str, str]]) -> Call:
    calls = []

    def make_csv(rows):
        calls.append(made := SimpleNamespace(place=place(), rows=rows))
        made.loop_is_free = made.place == EVENT_LOOP or given.loop_is_free()
        made.worker_is_free = made.place == THREAD_SENSITIVE_WORKER or given.worker_is_free()
        made.pairs = [tuple(row) if isinstance(row, list) else row for row in rows]
        made.file = f"{len(calls)}: " + "\n".join(map(str, made.pairs)) if made.pairs else b""
        return made.file

    call = await call_off_the_loop(given, "export", make_csv, expect=TypeError)
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
    require_query(call, "rows", "which books are out")
    require_only_reads(call)
    require_one_query(call, "list")
    if not same(calls[-1].pairs, expected):
        raise NotYet("other-rows", _other_rows(calls[-1].pairs, expected))
    if len(calls) > 1:
        raise NotYet(
            "made-twice",
            f"One export called `make_csv` {len(calls)} times, and it computes for a long time. "
            "Where could the first result be kept?",
        )
    if not same(result, calls[-1].file):
        raise NotYet("lost-file", f"It returned {result!r}, and not what `make_csv` made.")
    return call


def _other_rows(rows: list, expected: list[tuple[str, str]]) -> str:
    needs = f"It needs {len(expected)} pairs of title and name, first the one that is due first"
    for number, (row, pair) in enumerate(zip(rows, expected, strict=False), start=1):
        if not same(row, pair):
            return f"`make_csv` got {row!r} as row {number}, and not {pair!r}. {needs}."
    return f"`make_csv` got {len(rows)} rows. {needs}, and of those that are out, all."


async def _require_beside_a_request(given) -> None:
    """Export in a request, whose worker is another one."""
    made_on = []

    def make_csv(rows):
        made_on.append(threading.get_ident())

    async def request(export):
        async with ThreadSensitiveContext():
            worker = await sync_to_async(threading.get_ident)()
            await export(make_csv)
            return worker

    if await given.result_of("export", driver=request) in made_on:
        raise NotYet(
            "holds-the-worker",
            "In a request, `make_csv` ran on the worker that the request has for its queries: "
            "there a context inside another one counts for nothing. Which calls go to no worker "
            "at all?",
        )


def _make_nothing(rows):
    raise Outage


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
    if not made.worker_is_free:
        raise NotYet(
            "holds-the-worker",
            "`make_csv` ran on a thread of its own, and the thread-sensitive worker stood still "
            "until it was done: every query of the process waited with it. Who could wait for "
            "`make_csv`, and hold nobody?",
        )
    if not made.loop_is_free:
        raise NotYet(
            "waits-on-the-loop",
            "`make_csv` ran on a thread of its own, and the loop's thread stood still until it was "
            "done: it waited without an `await`. Which call sends work to a thread and can be "
            "awaited?",
        )
    if in_pool(call) and not isinstance(made.rows, list | tuple):
        raise NotYet(
            "lazy-rows",
            "What you handed to the pool was a queryset, a question. It was asked there, and left "
            "its connection open there. What should `rows` be before it leaves?",
        )
    require_on_the_worker(call)
    if not isinstance(made.rows, list | tuple):
        raise NotYet(
            "no-list",
            f"`make_csv` got an object of type `{type(made.rows).__name__}`, and needs a list. "
            "What it can do with such an object depends on the thread. What makes a list of it?",
        )


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
            "five books. What must a desk wait for before it reads, and hold until it has written?",
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
    await _require_limit(given, member, [books[6]], limit_reached)
    await open_loans().filter(member=member, book=books[0]).aupdate(returned=LATER)
    await open_loans().filter(member=member).aupdate(due=DAY - timedelta(days=1))
    await _require_limit(given, member, books[6:8], limit_reached)
    _require_lock(desks, member)
    await _require_all_or_none(given, books)
    await _require_no_order(given, member)
    await require_told_of_database(given, "lend", [books[5]], member.pk, DAY)
    await _require_gone(given, books[5])
    await _require_same_member(member)
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
    call = await call_off_the_loop(
        given, "lend", [book], member.pk, LATER, expect=given.value("LimitReached")
    )
    if call.error is not None:
        raise NotYet(
            "too-strict",
            "A member who has no book, and once brought one back, wanted one, and `LimitReached` "
            "came. Whose loans count, and which of them?",
        )
    loan = await open_loans().filter(book=book, member=member).afirst()
    if loan is None or (loan.borrowed, loan.due) != (LATER, LATER + timedelta(days=21)):
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
    if number == 3:
        raise NotYet("silent", _not_told("A member who had one book was lent two, and two more"))
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


def _not_told(what: str) -> str:
    return (
        f"{what}: that is one too many, nothing of it was lent, and no `LimitReached` came. Who "
        "tells the reader at the desk?"
    )


def _require_lock(desks: Rivals, member) -> None:
    """Require that what kept the desks apart is a lock on the row that both share."""
    if desks.unlocked:
        raise NotYet(
            "one-process",
            "The limit held, and not because of a lock in the database: when a desk of yours had "
            "counted, another process of the server could still begin to write. Which lock do all "
            "processes share, and for how long does a transaction keep it?",
        )
    if not all(member.pk in rows for rows in desks.locks):
        raise NotYet(
            "only-on-sqlite",
            "The limit held, because on SQLite a write locks the whole database. PostgreSQL locks "
            "the rows that are written, and before it counted no desk had written the row of its "
            "member: there neither waits, and the member has five books. Which row do both desks "
            "share?",
        )
    if any(len(rows) > 1 for rows in desks.locks):
        raise NotYet(
            "locks-everybody",
            "The limit held, because your update writes the row of every member. On PostgreSQL "
            "each desk then waits for every other one, whoever stands there. Whose row is enough?",
        )


async def _require_limit(given, member, books: list[int], limit_reached) -> None:
    """Lend the member more than there is room for."""
    before = await open_loans().filter(member=member).acount()
    call = await given.call("lend", books, member.pk, DAY, expect=limit_reached)
    wish = f"A member who had {before} books was lent {len(books)} more"
    if await open_loans().filter(member=member).acount() > before:
        raise NotYet(
            "no-limit",
            f"{wish}. Which number may the books that are out and the new ones make together?",
        )
    if call.error is None:
        raise NotYet("silent", _not_told(wish))


async def _require_all_or_none(given, books: list[int]) -> None:
    """Lend a book that is there together with one that is out."""
    from library.models import Member

    member = await Member.objects.acreate(name="Queequeg", email="queequeg@example.org")
    out = await open_loans().afirst()
    order = [books[5], out.book_id], member.pk, DAY
    call = await given.call("lend", *order, expect=(IntegrityError, given.value("LimitReached")))
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
    if not isinstance(call.error, IntegrityError):
        raise NotYet(
            "other-error",
            "One of the books was out, and the member had room for both: the caller got "
            "`LimitReached`. Which error says what is true, and who raises it?",
        )


async def _require_no_order(given, member) -> None:
    """Lend no book at all, to a member who has three."""
    from library.models import Loan

    days = {"borrowed": DAY, "due": DAY}
    while await open_loans().filter(member=member).acount() < 3:
        await Loan.objects.acreate(book=await free_books().afirst(), member=member, **days)
    before = await open_loans().acount()
    call = await given.call("lend", [], member.pk, DAY, expect=given.value("LimitReached"))
    if call.error is not None:
        raise NotYet(
            "too-strict",
            "A member who had three books was lent none, and `LimitReached` came. How many would "
            "the member then have?",
        )
    if await open_loans().acount() != before:
        raise NotYet(
            "not-lent", "No book was to be lent, and the open loans are others than before."
        )


async def _require_gone(given, book: int) -> None:
    """Let a member who was about to have a book leave the desk."""
    from library.models import Member

    member = await Member.objects.acreate(name="Starbuck", email="starbuck@example.org")
    await require_cancellable_query(given, "lend", [book], member.pk, DAY)


async def _require_same_member(member) -> None:
    from library.models import Member

    now = await Member.objects.filter(pk=member.pk).values("name", "email").afirst()
    if now != {"name": member.name, "email": member.email}:
        raise NotYet(
            "changes-the-member",
            f"The member is another one than before: {now!r}. An update can lock a row and leave "
            "it as it is. What could a column be set to, so that nothing changes?",
        )


class Branches:
    """Branches that are asked on threads, three at the same time if the answer is right.

    Args:
        given: its call under way is the one that asks.
        number: how many there are to ask.

    `asked` counts the questions. `loop_is_free` says whether the loop went on during each of them.
    """

    def __init__(self, given, number: int):
        self.meeting = Meeting(number, together=3)
        self.places: set[str] = set()
        self.asked = 0
        self.loop_is_free = True
        self._given = given

    def count(self, branch: str) -> int:
        """Query, and answer when the others are there."""
        from library.models import Book

        number = self.stock(branch, Book.objects.count())
        self.places.add(place())
        self.asked += 1
        self.loop_is_free = self.loop_is_free and self._given.loop_is_free()
        with self.meeting:
            return number

    @staticmethod
    def stock(branch: str, books: int) -> int:
        """How many books a branch has: some more than the library, or none yet."""
        return 0 if branch == "Ullapool" else books + len(branch)


class Slow:
    """A branch that answers only when all the others have been asked, which answer at once.

    It waits PATIENCE seconds for that. `others_asked` says whether it came.

    Args:
        names: the slow branch, and the others.
    """

    PATIENCE = 3

    def __init__(self, names: list[str]):
        self._slow, *others = names
        self._to_ask = set(others)
        self._change = threading.Condition()
        self.others_asked = False

    def count(self, branch: str) -> int:
        with self._change:
            self._to_ask.discard(branch)
            self._change.notify_all()
            if branch == self._slow:
                self.others_asked = self._change.wait_for(lambda: not self._to_ask, self.PATIENCE)
        return 0


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

    names = ["Whitby", "Bath", "Haworth", "London", "Nantucket", "Bath", "Ullapool"]
    branches, unlucky = (Branches(given, len(names)) for _ in range(2))
    call = await given.call("stock", branches, unlucky, names, driver=_serve_three_nights)
    result, opened, left, told, left_by_error, next_at_once = call.value
    _require_three(call, branches)
    if branches.asked > len(names):
        raise NotYet(
            "asked-twice",
            f"For {len(names)} branches it called `count` {branches.asked} times, and their "
            "databases are slow. Where could the first answer be kept?",
        )
    books = await Book.objects.acount()
    expected = [Branches.stock(name, books) for name in names]
    if type(result) is not list or not same(sorted(result), sorted(expected)):
        raise NotYet(
            "other-counts", f"It returned {result!r}. Is it a list, with one count for each branch?"
        )
    if not same(result, expected):
        raise NotYet(
            "order",
            "All counts are there, in the order in which the branches answered. "
            "Which call waits for all, and keeps the order of the questions?",
        )
    if left:
        raise NotYet(
            "leaves-open",
            f"Afterwards {left} connections are open. The end of a worker closes "
            "none. On which thread was each opened, and what runs there last?",
        )
    if opened.most > 3:
        raise NotYet(
            "unbounded",
            f"Three branches were asked at a time, and {opened.most} connections were open at "
            "once: some were closed only when others had been opened. For how long does a branch "
            "count as one of the three?",
        )
    if not next_at_once:
        raise NotYet(
            "in-batches",
            "Two of three branches had answered, one was slow, and the fourth one was not asked "
            "before that one had answered, too: two connections were idle meanwhile. Who lets the "
            "next one in as soon as one is out?",
        )
    _require_closed_after_error(told, left_by_error)
    await require_cancellable_on_thread(given, "stock", names[:3])
    await require_free_for_one(given, "stock", "Bath", "`count`")
    await require_of_nothing(given, "stock", branches.count, [], what="no branch")
    return "Three at a time, each on a connection of its own, and all of them closed."


async def _serve_three_nights(
    stock, branches: Branches, unlucky: Branches, names: list[str]
) -> tuple[object, Opened, int, bool, int, bool]:
    """Ask all branches, then branches that fail, then a slow one and three others.

    What belongs to the loop may live on. What is open is counted after each night: in the next one
    a thread may open its connection again, or close it.

    Returns:
        what came of the first night, its connections, and how many were open then; whether the
        failure was told of, and how many connections were open then; and whether the fourth branch
        was asked before the slow one had answered.
    """

    def fail(branch):
        unlucky.count(branch)
        raise Outage

    with Opened() as opened:
        result = await stock(branches.count, names)
    left, told = opened.left, False
    with Opened() as opened_unlucky:
        try:
            await stock(fail, names)
        except Exception:  # noqa: BLE001 - whichever it is, somebody was told
            told = True
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        await until(lambda: not opened_unlucky.left)  # Threads that nobody waits for end, too.
    left_by_error = opened_unlucky.left
    slow = Slow(names[:4])
    await stock(slow.count, names[:4])
    return result, opened, left, told, left_by_error, slow.others_asked


def _require_closed_after_error(told: bool, left: int) -> None:
    if not told:
        raise NotYet(
            "swallowed",
            "`count` failed, and whoever called `stock` was told nothing. "
            "Which errors are yours to catch here, and who should hear of all the others?",
        )
    if left:
        raise NotYet(
            "open-after-error",
            f"`count` failed, and {left} connections stayed open. "
            "Which block runs whether or not the count has failed?",
        )


def _require_three(call: Call, branches: Branches) -> None:
    most = branches.meeting.most
    if not branches.places:
        raise NotYet("not-called", "It never called `count`. Who knows what a branch has?")
    if most > 3:
        raise NotYet(
            "unbounded",
            f"{most} branches were asked at once, each on a connection of its "
            "own. The library may open three. Who makes the fourth one wait?",
        )
    if most <= 1:
        _require_started_together(call, branches)
    if most < 3:
        raise NotYet(
            "fewer",
            f"Never more than {most} branches were asked at once. How many does your code let in?",
        )
    if not branches.loop_is_free:
        raise NotYet(
            "waits-on-the-loop",
            "Three branches were asked at a time, each on a thread, and the loop's own thread "
            "stood still until all had answered. Which way to send work to a thread can be "
            "awaited?",
        )


def _require_started_together(call: Call, branches: Branches) -> None:
    """Say what a call lacks that asked one branch at a time."""
    sent = hops(call)
    if all(later.sent.at >= earlier.end for earlier, later in pairwise(sent)):
        raise NotYet(
            "one-by-one",
            "One branch at a time: each was sent to its thread only when the one before had "
            "answered. What starts several calls before it waits for one?",
        )
    if branches.places == {THREAD_SENSITIVE_WORKER}:
        raise NotYet(
            "queue",
            "One branch at a time: all calls went to the one thread-sensitive worker, where "
            "`gather` changes nothing. What gives a branch a worker of its own?",
        )
    raise NotYet(
        "one-context",
        "One branch at a time, on another worker than usual: a context has one thread, for all "
        "that runs inside it. How many contexts do three branches need?",
    )


@exercise(
    "3.5",
    title="a timeout that tells the truth",
    names=("take_back_all",),
    why=(
        "Nobody can stop a thread from outside, so the function asks before each book whether "
        "to go on, and once more after the last one. The transaction undoes what it has done by "
        "then. Awaiting the job means "
        "that the caller hears of it when the worker is free."
    ),
    hints=(
        "What does `asyncio.wait_for` stop, and what goes on after it?",
        "No thread can be stopped from outside. Where, inside your sync function, could it ask "
        "whether it should go on? And what undoes what it has done by then?",
        "A `threading.Event`, asked before each book and after the last, all inside `atomic()`. "
        "Outside: "
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
    seen = await _in_time(given, loans[:3])
    _require_rolled_back(await _late(given, loans[3:], opens=[0, 2, 2]))
    if seen:
        raise NotYet(
            "no-transaction",
            "In the end no loan was closed, but while the second book was being taken back, "
            "everybody else could see that the first one was back. Should the process end there, "
            "it stays so. What hides many writes until all of them are done?",
        )
    await _require_other_clocks(given, loans[3:])
    await _require_own_error(given, loans[3:])
    await require_cancellable_on_thread(given, "take_back_all", loans[3:], DAY, 10)
    await _require_cancellable_at_the_last(given, loans[3:])
    await _require_cancellable_when_late(given, loans[3:])
    await given.result_of("take_back_all", _fail_to_take_back, [], DAY, 10)
    return "All or none, and the caller hears of it when it is true."


async def _in_time(given, loans: list[int]) -> bool:
    """Take books back in good time; return whether others saw some before all were back."""
    from library.models import Loan

    begun, seen, at_work = [], [], Overlap()

    def take_back(loan_pk, day):
        with at_work:
            begun.append(loan_pk)
            seen.append(committed(Loan.objects.filter(pk__in=loans, returned=LATER)))
            time.sleep(1.25 * SECONDS)
            Loan.objects.filter(pk=loan_pk).update(returned=day)

    def all_done():
        return len(begun) == len(loans) and not at_work.now

    driver = in_good_time(all_done)
    call = await call_off_the_loop(
        given, "take_back_all", take_back, loans, LATER, 10, driver=driver, expect=TimeoutError
    )
    if call.error is not None:
        raise NotYet(
            "too-soon",
            "There were 10 seconds for three books, they were done in less than one, and "
            "`TimeoutError` came. How long may it take, and who says so?",
        )
    ended = call.value
    require_this_loop(call)
    require_on_the_worker(call)
    _require_taken_back(begun, loans, await _returned(loans, LATER))
    if not ended:
        raise NotYet(
            "waits-it-out",
            "All books were back, and it still waited for the time to be over. What waits for the "
            "job, and for no longer than `seconds`?",
        )
    return any(seen)


def _require_taken_back(begun: list[int], loans: list[int], number: int) -> None:
    if not begun:
        raise NotYet(
            "not-called",
            "It never called `take_back`. Who knows what else there is to do when a book comes "
            "back?",
        )
    if number < len(loans):
        raise NotYet(
            "not-taken-back",
            "There was time enough, and not every loan was closed on the day. "
            "Who calls `take_back`, and for which loans?",
        )


async def _returned(loans: list[int], *days: date) -> int:
    """How many of the loans are closed, on these days if any are named."""
    from library.models import Loan

    closed = Loan.objects.filter(pk__in=loans).exclude(returned=None)
    return await (closed.filter(returned__in=days) if days else closed).acount()


async def _late(given, loans: list[int], opens: list[float], busy: bool = False) -> SimpleNamespace:
    """Take books back in `SECONDS`, where that does not suffice; see `_serve_late`.

    Args:
        opens: when the `take_back` of each loan can end at the earliest, in units of `SECONDS`.
        busy: the worker is at work for somebody else until the last of these.
    """
    return await given.result_of("take_back_all", loans, opens, busy, driver=_serve_late)


async def _serve_late(take_back_all, loans: list[int], opens: list[float], busy: bool):
    from library.models import Loan

    gates, at_work = [threading.Event() for _ in loans], Overlap()
    fact = SimpleNamespace(told=False, begun=[], loans=loans)

    def take_back(loan_pk, day):
        with at_work:
            fact.begun.append(loan_pk)
            Loan.objects.filter(pk=loan_pk).update(returned=day)
            gates[loans.index(loan_pk)].wait(5)

    async def open_gate(gate, at):
        # A loop's timers go off in their order, however late they are.
        await asyncio.sleep(at * SECONDS)
        await turns()
        gate.set()

    if busy:
        others = asyncio.create_task(sync_to_async(gates[-1].wait)(5))
        await turns()
    opening = [asyncio.create_task(open_gate(*each)) for each in zip(gates, opens, strict=True)]
    try:
        await take_back_all(take_back, loans, DAY, SECONDS)
    except TimeoutError:
        fact.told = True
    fact.at_work = at_work.now
    for gate, task in zip(gates, opening, strict=True):
        gate.set()
        task.cancel()
    if busy:
        await others
    await sync_to_async(int)()  # whatever is in the worker's queue has run when this has
    fact.taken = await Loan.objects.filter(pk__in=loans).exclude(returned=None).acount()
    return fact


def _require_rolled_back(fact: SimpleNamespace) -> None:
    """Require the truth where the time was over while the second of several was at work."""
    if not fact.told:
        raise NotYet(
            "no-timeout",
            "The time was over after the second book, and no `TimeoutError` came. "
            "Who looks at the time while the worker works?",
        )
    if 0 < fact.taken < len(fact.loans):
        raise NotYet(
            "half-done",
            f"The caller was told of a timeout, and {fact.taken} of {len(fact.loans)} books were "
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
    if len(fact.begun) > 2:
        raise NotYet(
            "begins-another",
            "The time was over while the second book was taken back, and then the third one was "
            "begun, only to be undone. Where, inside the loop, could the function ask whether to "
            "go on?",
        )


async def _require_other_clocks(given, loans: list[int]) -> None:
    """Let the time be over after the last book, before the first one, and in the commit."""
    late = await _late(given, loans[:1], opens=[2])
    if not late.told or late.taken:
        raise NotYet(
            "not-after-the-last",
            "The last book, here the only one, took longer than `seconds`, and its loan is closed, "
            f"{'whatever the `TimeoutError` says' if late.told else 'without a word'}. The "
            "function asks whether the time is over before each book. When else?",
        )
    queued = await _late(given, loans, opens=[0, 0, 2], busy=True)
    if not queued.told or queued.taken or len(queued.begun) > 1:
        raise NotYet(
            "late-clock",
            "The worker was busy for longer than `seconds`, and after that books were taken back. "
            "The caller's time began with the call. When does your clock start?",
        )
    with _slow_commits():
        final = await _late(given, loans, opens=[0, 0, 0])
    if final.told and final.taken:
        raise NotYet(
            "false-timeout",
            "All books were back in time. Then the time ran out while the database made it final: "
            "`TimeoutError` came, and every loan is closed. Who knows how the job has ended?",
        )


@contextmanager
def _slow_commits() -> Iterator[None]:
    """Let the call's transactions take longer than `SECONDS` to end."""

    def wait(_connection):
        if not is_beside():
            time.sleep(2 * SECONDS)

    with before(BaseDatabaseWrapper, "commit", wait):
        yield


async def _require_own_error(given, loans: list[int]) -> None:
    """Require that an error of `take_back` is no timeout."""
    args = _fail_to_take_back, loans, DAY, 10
    call = await given.call("take_back_all", *args, expect=(Mishap, TimeoutError))
    if call.error is None:
        raise NotYet(
            "swallowed",
            "`take_back` failed, and whoever called `take_back_all` was told nothing. "
            "Which errors are yours to catch here, and who should hear of all the others?",
        )
    if isinstance(call.error, TimeoutError):
        raise NotYet(
            "false-timeout",
            "`take_back` failed at once, there was time enough, and the caller was told of a "
            "timeout. Who should hear of the error that `take_back` raised?",
        )


def _fail_to_take_back(loan_pk, day):
    raise Mishap


async def _require_cancellable_at_the_last(given, loans: list[int]) -> None:
    """Require that a call ends as cancelled which is cancelled while the last book is at work."""
    begun, end = threading.Event(), threading.Event()

    def take_back(loan_pk, day):
        if loan_pk == loans[-1]:
            begun.set()
            end.wait(5)

    args = take_back, loans, DAY, 10
    await require_cancellable_beside(given, "take_back_all", *args, begun=begun, end=end)


async def _require_cancellable_when_late(given, loans: list[int]) -> None:
    """Require that a call ends as cancelled which is cancelled when its time is over."""
    at_work, late, end = (threading.Event() for _ in range(3))

    def take_back(loan_pk, day):
        at_work.set()
        end.wait(5)

    async def time_is_over():
        while not at_work.is_set():
            await asyncio.sleep(0.001)
        await asyncio.sleep(2 * SECONDS)
        await turns()
        late.set()

    async def cancel(take_back_all):
        waiting = asyncio.create_task(time_is_over())
        try:
            return await ends_cancelled(take_back_all(take_back, loans, DAY, SECONDS), late, end)
        finally:
            waiting.cancel()

    if not await given.result_of("take_back_all", driver=cancel):
        raise NotYet(
            "late-cancel-swallowed",
            "The time was over, `take_back` was still at work, and the task that awaited "
            "`take_back_all` was cancelled. `CancelledError` did not come out of it. Who has to "
            "let that exception through, however late it is?",
        )


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
    await _add_copies()
    expected, encounter = await _shelf_page(), Encounter()
    with _waiting(encounter):
        call = await call_off_the_loop(given, "shelf", encounter.wait_on_loop, driver=_serve)
    page = call.value
    require_query(call, "page", "which books are out")
    _require_page(page, expected)
    require_this_loop(call)
    require_on_the_worker(call, CONTEXT_WORKER)
    _require_one_crossing(crossings(call))
    _require_two_queries(call)
    if not encounter.met:
        raise NotYet(
            "one-after-another",
            "One crossing, few queries. But the other service and the database wait for each "
            "other, and neither needs the other's answer. Which call starts both?",
        )
    if _number_sent(call) > 1:
        raise NotYet(
            "empty-crossing",
            f"There are {_number_sent(call)} crossings, and one of them holds the queries. Each "
            "stands in the queue like any other. What is left for the rest to do?",
        )
    await _require_next_page(given, expected)
    await require_told_of_database(given, "shelf", turns, driver=_serve)
    await require_told(given, "shelf", fail_in_many_ways, driver=_serve, what="`opening_hours`")
    await _require_left(given)
    number = "one query" if len(queries(call)) == 1 else "two queries"
    return f"One crossing, {number}, and the other service asked meanwhile."


async def _add_copies() -> None:
    """Add a second copy of each book that is out; it is on the shelf."""
    from library.models import Book

    out = open_loans().select_related("book")
    same = [(loan.book.title, loan.book.author_id, loan.book.year) async for loan in out]
    fields = "title", "author_id", "year"
    await Book.objects.abulk_create(Book(**dict(zip(fields, book, strict=True))) for book in same)


@contextmanager
def _waiting(encounter: Encounter) -> Iterator[None]:
    """Let what the call asks of the library wait until the other service is asked, too."""

    def wait(_cursor, sql):
        if "library_" in sql and not is_beside():
            encounter.wait_on_thread()

    with before_queries(wait):
        yield


def _require_page(page: object, expected: str) -> None:
    require_response("shelf", page)
    if page.text != expected:
        raise NotYet(
            "other-page",
            f"{difference(page.text, expected)} There are forty books in all, and some titles "
            "twice. Compare with `shelf_before`.",
        )
    kind = page.headers.get("content-type", "")
    if page.status != 200 or not kind.startswith("text/html"):
        raise NotYet(
            "other-page",
            f"The text is right, but the status is {page.status}, and the type {kind!r}. "
            "Compare with `shelf_before`.",
        )


NEW = "A Book of Hours"
"""The title of a book that comes first on the shelf."""


async def _require_next_page(given, before: str) -> None:
    """Ask for the page again, after a loan and a new book, with a service that answers late."""
    from library.models import Author, Book, Loan

    free = await Book.objects.filter(pk__in=free_books().values("pk")).afirst()
    member_id = (await open_loans().afirst()).member_id
    await Loan.objects.acreate(book=free, member_id=member_id, borrowed=DAY, due=LATER)
    await Book.objects.acreate(title=NEW, author=await Author.objects.afirst(), year=2025)
    expected = await _shelf_page()

    hours = "Closed today"
    page = await given.result_of("shelf", _behind_the_queries, hours, driver=_serve)
    require_response("shelf", page)
    expected = expected.replace(HOURS, hours)
    if page.text.splitlines()[1:] == before.splitlines()[1:]:
        raise NotYet(
            "old-page",
            "A book was lent, and the page is the one from before. Who knows which books are out "
            "now?",
        )
    if NEW not in page.text:
        raise NotYet(
            "old-page",
            "A new book came to the shelf, and the page does not know of it. A queryset that has "
            "been looped over keeps its rows. For how long does yours live?",
        )
    if page.text != expected:
        raise NotYet(
            "other-page",
            f"{difference(page.text, expected)} This time the opening hours came after the books, "
            "and were others. Which call waits for both, and keeps their order?",
        )


async def _behind_the_queries() -> None:
    """Wait until the worker of the request has done what it has been sent, and a second more."""
    await turns()
    await sync_to_async(int)()
    await pass_time()


async def _require_left(given) -> None:
    """Let the reader leave while the other service is asked."""
    from django.test import AsyncRequestFactory

    begun, end = threading.Event(), threading.Event()

    async def opening_hours():
        begun.set()
        while not end.is_set():
            await asyncio.sleep(0.001)
        return HOURS

    args = AsyncRequestFactory().get("/shelf/"), opening_hours
    await require_cancellable_beside(given, "shelf", *args, begun=begun, end=end)


async def _serve(shelf, wait: Callable[[], Awaitable[None]], hours: str = HOURS) -> object:
    """The page, as a browser gets it.

    Args:
        wait: what `opening_hours` waits for before it answers.
        hours: its answer.
    """

    async def opening_hours():
        await wait()
        return hours

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
