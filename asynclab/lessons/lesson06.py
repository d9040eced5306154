"""The checks of lesson 06: the async ORM."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

from django.core.exceptions import (
    MultipleObjectsReturned,
    ObjectDoesNotExist,
    SynchronousOnlyOperation,
    ValidationError,
)
from django.db import IntegrityError
from django.db.models import Q

from ..exercises.book import NotYet, exercise
from ..exercises.given import Call
from ..exercises.lineage import is_beside
from ..recorder.hooks import before_queries
from ..recorder.taps import span
from .vocabulary.cancelling import Stalled, require_cancel_passed_on, require_cancelled_with
from .vocabulary.causes import behind_a_dot, written
from .vocabulary.edges import require_of_nothing, require_unchanged
from .vocabulary.failing import (
    Mishap,
    require_cancellable_query,
    require_told,
    require_told_of_database,
)
from .vocabulary.library import DAY, free_books, lend_many, open_loans
from .vocabulary.loops import call_off_the_loop
from .vocabulary.queries import (
    AWAITED_QUERYSET,
    crossings,
    hops,
    queries,
    require_on_the_worker,
    require_one_query,
    require_only_reads,
    require_query,
)
from .vocabulary.tasks import CROWD, LastFirst, Overlap, gives_up, pass_time, turns
from .vocabulary.threads import require_this_loop
from .vocabulary.transactions import ASYNC_WITH, committed, noting_bare_queries
from .vocabulary.values import same


async def _ask(given, name: str, *args) -> Call:
    """A call that only reads, and leaves the loop free."""
    call = await call_off_the_loop(given, name, *args)
    require_only_reads(call)
    return call


@contextmanager
def _noting_statements() -> Iterator[list[str]]:
    """Note the whole text of each statement on the library's tables."""
    statements = []

    def note(cursor, sql):
        if "library_" in sql and not is_beside():
            statements.append(sql)

    with before_queries(note):
        yield statements


def _require_usual_places(call: Call) -> None:
    """Require that queries ran on the worker that serves everybody, and tasks on their loop."""
    require_on_the_worker(call)
    require_this_loop(call)


OTHER_BOOK = NotYet(
    "other-book",
    "The library has other books whose titles hold the one that was asked for, or are spelled "
    "alike, and one of them was found. Which lookup finds this title, and no other?",
)


@exercise(
    "6.1",
    title="a card for the shelf",
    names=("card",),
    why=(
        "`afirst()` asks whether there is a loan and fetches it, with its member, in one query. "
        "The author came with the book."
    ),
    hints=(
        "Five expressions of `card_before` reach the database. Two of them are behind a dot. "
        "Which are the other three?",
        "`if not out` and `out[0]` ask the same table twice. Which twin gives the first row, or "
        "`None`?",
        'Is it `select_related("author")` before `aget`, `select_related("member")` before '
        "`afirst`, and an `await` before each?",
    ),
    errors={
        **AWAITED_QUERYSET,
        (SynchronousOnlyOperation, behind_a_dot): NotYet(
            "lazy-key",
            "The row came, and then `.author` or `.member` asked for another one, on the loop's "
            "thread. Which method of the queryset brings it along?",
        ),
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A sync expression reached the database on the loop's thread: a method without its "
            "`a`, an `if` over a queryset, an index. Which one is it, and what stands in for it?",
        ),
        (RuntimeError, "would deadlock"): NotYet(
            "run-on-the-worker",
            "`asyncio.run` on the worker started a second loop, whose queries had to wait for the "
            "worker itself. You are in an `async def`: what can you do with a coroutine right "
            "here?",
        ),
        (AttributeError, "'coroutine' object"): NotYet(
            "forgotten-await",
            "A coroutine was asked for an attribute that only its result has. "
            "Where does the `await` belong, and what do its brackets hold?",
        ),
        MultipleObjectsReturned: OTHER_BOOK,
        ObjectDoesNotExist: NotYet(
            "never-lent",
            "The library has the book, nobody has borrowed it, and the caller was told that "
            "something does not exist. Your code looked for a loan: which table says whether there "
            "is such a book?",
        ),
        (AttributeError, "'NoneType' object"): NotYet(
            "always-out",
            "The book is on the shelf, and your code looked for a member who has it. "
            "`if` was given something that is always true, or nothing at all. What did it ask?",
        ),
    },
)
async def card(given):
    from library.models import Book

    book, member = await _new_book(), await _new_member()
    await _new_namesakes(book)
    await _lend(book, member, returned=DAY, days=42)
    await _require_card(given, book, f"{book.title} by {book.author}: on the shelf")
    await _lend(book, member)
    call = await _require_card(given, book, f"{book.title} by {book.author}: with {member}")
    never_lent = await Book.objects.acreate(title="Henrietta", author=book.author, year=1758)
    await _require_card(given, never_lent, f"{never_lent} by {book.author}: on the shelf")
    missing = Book.DoesNotExist, AttributeError
    call_of_none = await given.call("card", "The Lost Quarto", expect=missing)
    if isinstance(call_of_none.error, AttributeError):
        raise NotYet(
            "none-for-a-book",
            "There is no such book, and your code went on with `None`. Which twin raises "
            "`Book.DoesNotExist`?",
        )
    if call_of_none.error is None:
        raise NotYet(
            "swallowed",
            f"There is no such book, and it returned {call_of_none.result!r}. "
            "Who should hear of `Book.DoesNotExist`?",
        )
    await require_told_of_database(given, "card", book.title)
    await require_cancellable_query(given, "card", book.title)
    number = "One query" if len(queries(call)) == 1 else "Two queries"
    return f"{number}, and nothing left behind a dot."


async def _require_card(given, book, text: str) -> Call:
    call = await _ask(given, "card", book.title)
    require_query(call, "card", "who has the book")
    if not same(call.value, text):
        others = isinstance(call.value, str) and not call.value.startswith(f"{book} by ")
        if others and book.title.lower() in call.value.lower():
            raise OTHER_BOOK.again()
        raise NotYet("other-text", f"It returned {call.value!r}, and the card says {text!r}.")
    if len(queries(call)) > 2:
        raise NotYet(
            "query-too-many",
            f"The card is right, and took {len(queries(call))} queries. Do two of them ask the "
            "same table? Could one bring another one's row along?",
        )
    _require_usual_places(call)
    return call


async def _new_book():
    from library.models import Author, Book

    author = await Author.objects.acreate(name="Charlotte Lennox")
    return await Book.objects.acreate(title="The Female Quixote", author=author, year=1752)


async def _copy_of(book) -> None:
    """A second copy, of which nothing but the key is another one."""
    from library.models import Book

    await Book.objects.acreate(title=book.title, author_id=book.author_id, year=book.year)


async def _new_namesakes(book) -> None:
    """Books whose titles hold that of the book, or are spelled alike."""
    from library.models import Author, Book

    author = await Author.objects.afirst()
    for title in f"About {book.title}", book.title.upper():
        await Book.objects.acreate(title=title, author=author, year=1900)


async def _new_member():
    from library.models import Member

    return await Member.objects.acreate(name="Arabella Glanville", email="bella@example.org")


async def _lend(book, member, returned=None, days: int = 21) -> None:
    from library.models import Loan

    dates = {"borrowed": DAY, "due": DAY + timedelta(days=days), "returned": returned}
    await Loan.objects.acreate(book=book, member=member, **dates)


@exercise(
    "6.2",
    title="ten counts, one query",
    names=("counts",),
    why=(
        "`gather` over a-methods queues on one worker. One query that groups asks everything at "
        "once, and Python puts the numbers into the order of the titles."
    ),
    hints=(
        "All of `gather`'s counts wait for one worker. What if the database were asked once, for "
        "all titles?",
        "`filter(book__title__in=titles)` finds all the loans. How does `values(...)` followed by "
        "`annotate(Count(...))` group them?",
        "A title without loans has no group. Is it `numbers.get(title, 0)` for each title?",
    ),
    errors={
        **AWAITED_QUERYSET,
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A query ran on the loop's thread, and the guard stopped it. How do you go through "
            "the rows of a queryset without blocking the loop?",
        ),
        (KeyError, "The Lost Quarto"): NotYet(
            "no-group",
            "A title that nobody has borrowed, or that no book has, has no loans, so it has no "
            "group. What is its number?",
        ),
    },
)
async def counts(given):
    from library.models import Member

    book, member = await _new_book(), await _new_member()
    namesake = await _another_book(book.title)
    other = await Member.objects.aget(pk=1)
    for each, who, returned in (
        (book, member, DAY),
        (book, other, DAY),
        (book, member, None),
        (namesake, member, DAY),
    ):
        await _lend(each, who, returned)
    titles = ["Emma", book.title, "Frankenstein", "Emma", "Dracula", "The Lost Quarto"]
    asked = list(titles)
    wanted = [await _number_of_loans(title) for title in asked]
    with _noting_statements() as statements:
        call = await _ask(given, "counts", titles)
    require_query(call, "numbers", "how often a book was lent")
    require_unchanged(titles, asked)
    await _require_both(call.value, asked, wanted, [book, namesake])
    _require_numbers(call.value, wanted)
    _require_grouped(call, statements)
    _require_usual_places(call)
    many = await lend_many()
    numbers = await given.result_of("counts", list(many))
    if not same(numbers, [1] * len(many)):
        raise NotYet(
            "not-all",
            f"Asked about {len(many)} titles, each of a book that was lent once, it did not return "
            "a 1 for each. Who said how many titles there may be?",
        )
    await require_of_nothing(given, "counts", [], what="no title")
    await require_told_of_database(given, "counts", ["Emma"])
    await require_cancellable_query(given, "counts", ["Emma"])
    return "One query for all titles, and each number in its place."


async def _number_of_loans(title: str) -> int:
    from library.models import Loan

    return await Loan.objects.filter(book__title=title).acount()


async def _another_book(title: str):
    from library.models import Author, Book

    author = await Author.objects.acreate(name="Tobias Smollett")
    return await Book.objects.acreate(title=title, author=author, year=1760)


async def _require_both(value: object, titles: list[str], wanted: list[int], books: list) -> None:
    """Require that the number of a title is not that of one of its books alone."""
    title = books[0].title
    numbers = [await book.loans.acount() for book in books]
    for number in numbers:
        if same(value, [number if t == title else n for t, n in zip(titles, wanted, strict=True)]):
            raise NotYet(
                "one-of-two",
                f"Two books are called {title!r}, and their loans are {numbers[0]} and "
                f"{numbers[1]}. Yours says {number}: it kept the number of one of them. "
                "What do you group: books, or loans?",
            )


def _require_numbers(value: object, wanted: list[int]) -> None:
    if same(value, wanted):
        return
    if isinstance(value, list) and same(value, [number for number in wanted if number]):
        raise NotYet(
            "drops-zero",
            "Titles that nobody has borrowed are missing, and every number after them is in the "
            "wrong place. What does the database say of a group without rows?",
        )
    if isinstance(value, list) and len(value) < len(wanted):
        raise NotYet(
            "too-few",
            f"It returned {len(value)} numbers for {len(wanted)} titles. A title may be asked for "
            "twice, and may have no loans. What do you loop over at the end?",
        )
    if isinstance(value, list) and Counter(map(str, value)) == Counter(map(str, wanted)):
        raise NotYet(
            "order",
            "The numbers are right, and in another order than the titles. Who decides in which "
            "order the database answers?",
        )
    raise NotYet(
        "other-numbers",
        f"It returned {value!r}, and the loans are {wanted!r}, those that are back among them.",
    )


def _require_grouped(call: Call, statements: list[str]) -> None:
    asked = crossings(call)
    if len(asked) > 1 and asked[-1].sent.at < (asked[0].returned or asked[-1].sent).at:
        raise NotYet(
            "gathered",
            f"`gather` sent {len(asked)} counts together, and they ran one after another, on the "
            "one worker. Which single query holds all the numbers?",
        )
    if len(asked) > 1:
        raise NotYet(
            "hop-per-title",
            f"{len(asked)} counts, each with a hop and a query of its own. "
            "Which single query holds all the numbers?",
        )
    require_one_query(call, "numbers")
    if not any(re.search(r"(?<!FILTER \()WHERE", sql) for sql in statements):
        raise NotYet(
            "all-titles",
            "The numbers are right, and the query counted the loans of every book there is. "
            "Which condition leaves out the titles that nobody asked about?",
        )


SIZE = 10
"""Rows to fetch at a time, where a check says so."""


@exercise(
    "6.3",
    title="an export in chunks",
    names=("export",),
    why=(
        "`aiterator(chunk_size=...)` takes a hop for each chunk of one query's rows, and keeps "
        "none of those that went before."
    ),
    hints=(
        "How many rows does `async for` over a queryset fetch before your loop gets the first?",
        "Which method of the queryset gives the rows of its one query in chunks, and keeps none of "
        "them? Which one brings the author along?",
        "Is it `async for book in books.aiterator(chunk_size=size)`, over books in order, "
        "with their authors joined?",
    ),
    errors={
        **AWAITED_QUERYSET,
        (SynchronousOnlyOperation, behind_a_dot): NotYet(
            "lazy-key",
            "The book came, and then `book.author` was a query behind a dot. "
            "How can the same query bring the author's name?",
        ),
        (SynchronousOnlyOperation, written("aiterator"), written("values_list")): NotYet(
            "tuples",
            "`values_list()` runs its query too early when `aiterator()` follows: on the loop's "
            "thread. Which other shape of rows may follow it?",
        ),
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A query ran on the loop's thread, and the guard stopped it. "
            "Which loop over a queryset can be used in an `async def`?",
        ),
    },
)
async def export(given):
    book = await _new_book()
    await _copy_of(book)
    for size in SIZE, 7, 3:
        call = await _require_export(given, size)
    _require_usual_places(call)
    await require_told(given, "export", _cannot_write, SIZE, what="`write`")
    await require_told_of_database(given, "export", _cannot_write, SIZE)
    stalled = Stalled()
    await require_cancel_passed_on(
        given, "export", stalled, lambda export: export(stalled.work, SIZE), what="`write`"
    )
    return (
        f"One query, its rows in {len(hops(call))} hops with `size={size}`, and each chunk written "
        "as it came."
    )


async def _cannot_write(title, author):
    raise Mishap


async def _require_export(given, size: int) -> Call:
    from library.models import Book

    written_rows, at_once = [], Overlap()

    async def write(title, author):
        with span("write"), at_once:
            await turns(1)
            written_rows.append((title, author))

    books = Book.objects.select_related("author").order_by("title", "pk")
    rows = [(book.title, str(book.author)) async for book in books]
    with _noting_statements() as statements:
        call = await _ask(given, "export", write, size)
    require_query(call, "file", "which books there are", after="book")
    _require_rows(written_rows, rows)
    if at_once.most > 1:
        raise NotYet(
            "writes-at-once",
            f"{at_once.most} calls of `write` were under way at once. A file is written line by "
            "line. What does the loop have to wait for?",
        )
    _require_chunks(call, size, len(rows))
    if not re.search(r"ORDER BY .*\Wid\W", statements[0]):
        raise NotYet(
            "ties",
            "Books of the same title may come in any order: the database has luck, and keeps no "
            "promise. What sorts them then?",
        )
    return call


def _require_rows(found: list, rows: list) -> None:
    if same(found, rows):
        return
    if not found:
        raise NotYet("not-written", "`write` was never awaited. Who writes the file?")
    if sorted(map(str, found)) == sorted(map(str, rows)):
        raise NotYet(
            "order",
            "Every book is in the file, in another order than by title. Who sorts them, and by "
            "what, if two have the same title?",
        )
    raise NotYet(
        "other-rows",
        f"The file has {len(found)} lines, the first {found[0]!r}. It needs {len(rows)}, each with "
        "a book's title and its author's name.",
    )


def _require_chunks(call: Call, size: int, rows: int) -> None:
    sent, chunks = hops(call), -(-rows // size)
    if len(queries(call)) > rows // 2 or len(sent) > rows // 2:
        raise NotYet(
            "row-by-row",
            f"{len(queries(call))} queries and {len(sent)} hops for {rows} books. "
            "How many rows may come with one hop?",
        )
    require_one_query(call, "file")
    if len(sent) < chunks:
        in_hops = "one hop" if len(sent) == 1 else f"{len(sent)} hops"
        raise NotYet(
            "holds-everything",
            f"{rows} books (the check has added two) came in {in_hops}, more than {size} at a "
            "time. The real table has a million. Which argument says how many rows a hop brings?",
        )
    first = next(each for each in call.recording.spans if each.name == "write")
    if first.start > sent[chunks - 1].start:
        raise NotYet(
            "collects-first",
            "The rows came in chunks, and all of them were collected before the first was "
            "written. What need not wait for the last chunk?",
        )
    if not _in_step(call, size, chunks):
        raise NotYet(
            "fetches-ahead",
            "A hop for more rows began while rows that had come before were not yet written, so "
            f"more than {size} of them are held at once. What has to end before the next hop?",
        )


def _in_step(call: Call, size: int, chunks: int) -> bool:
    """Whether each chunk was written before the hop for the next; one more may come first or last.

    Such as a hop that asks, or one that finds that there are no more rows.
    """
    sent = [span.sent.at for span in hops(call)]
    ends = sorted(span.end for span in call.recording.spans if span.name == "write")
    return any(
        all(sent[more + n] >= ends[n * size - 1] for n in range(1, chunks))
        for more in range(len(sent) - chunks + 1)
    )


@exercise(
    "6.4",
    title="register a member",
    names=("register",),
    why=(
        "`full_clean` has no twin, so it goes to the worker in a sync function. The save goes with "
        "it, so that no other call of this worker comes between the check and the save."
    ),
    hints=(
        "`asave()` is the twin of `save()`. What is the twin of `full_clean()`?",
        "There is none. Which adapter sends a sync function to the worker, and what should the "
        "function hold beside the check?",
        "Is it one function with `member.full_clean()` and `member.save()`, called by "
        "`await sync_to_async(...)()`?",
    ),
    errors={
        SynchronousOnlyOperation: NotYet(
            "sync-check",
            "`full_clean()` or `save()` reached the database on the loop's thread: whether an "
            "address is taken is a query. What sends both of them to the worker?",
        ),
        IntegrityError: NotYet(
            "no-check",
            "The database refused the row, and raised `IntegrityError`. The reader of a form needs "
            "to know which field is wrong. Who checks that before the row is saved?",
        ),
        (AttributeError, "full_clean"): NotYet(
            "no-such-method",
            "There is no such method: `full_clean` has no async twin. What makes a sync function "
            "awaitable?",
        ),
    },
)
async def register(given):
    from library.models import Member

    call = await _register(given)
    row = await Member.objects.filter(email__iexact=EMAIL).afirst()
    if row is None:
        raise NotYet(
            "not-saved",
            "It ended without an error, and there is no such member. Who saves the row, and is it "
            "awaited?",
        )
    if not isinstance(call.value, Member) or call.value.pk != row.pk:
        raise NotYet("other-value", f"It returned {call.value!r}. The new member was asked for.")
    if (row.name, row.email) != (NAME, EMAIL):
        raise NotYet(
            "other-fields",
            f"{NAME!r} registered with {EMAIL!r}, and the database has {row.name!r} with "
            f"{row.email!r}. Which line of `register_before` changes what it was given?",
        )
    _require_usual_places(call)
    old = await Member.objects.exclude(pk=row.pk).afirst()
    for name, email, what in (
        ("Evelina Belmont", EMAIL, "An address that is taken"),
        ("Evelina Belmont", old.email, "An address that an old member has"),
        ("Evelina Belmont", "no address", "An address that is none"),
        ("", "belmont@example.org", "An empty name"),
    ):
        await _require_refused(given, name, email, what)
    if len(hops(call)) > 1:
        raise NotYet(
            "two-crossings",
            f"The check and the save took {len(hops(call))} crossings. Between them another "
            "task of this worker may register the same address. What could hold both?",
        )
    newcomer = "Evelina Belmont", "belmont@example.org"
    await require_told_of_database(given, "register", *newcomer)
    await require_cancellable_query(given, "register", *newcomer)
    return "Checked and saved in one crossing, and the error names the field."


NAME, EMAIL = "Evelina  ANVILLE", "Eve.Anville@example.org"
"""Spelled so that one sees whoever tidies it up."""


async def _register(given) -> Call:
    return await call_off_the_loop(given, "register", NAME, EMAIL)


async def _require_refused(given, name: str, email: str, what: str) -> None:
    from library.models import Member

    before = await Member.objects.acount()
    call = await given.call("register", name, email, expect=ValidationError)
    if await Member.objects.acount() > before:
        raise NotYet(
            "saved-anyway",
            f"{what} was registered. Which method of a model checks its fields, and when does it "
            "have to run?",
        )
    if call.error is None:
        raise NotYet(
            "swallowed",
            f"{what} was given, and it returned {call.result!r}. "
            "Who has to get the `ValidationError`?",
        )


@exercise(
    "6.5",
    title="the mail that never went out",
    names=("lend",),
    why=(
        "The sync function holds the whole transaction, and returns what the mail needs. When its "
        "`await` is over, the loans are committed, and the worker is free while the mail goes out."
    ),
    hints=(
        "`on_commit` calls what it gets. What does the call of an async function give, and who "
        "runs that?",
        "When the `await` of your sync function is over, are its loans committed?",
        "Could the sync function return the loans' keys, and the line after it be "
        "`await tell(keys)`?",
    ),
    errors={
        **ASYNC_WITH,
        SynchronousOnlyOperation: NotYet(
            "atomic-on-the-loop",
            "`atomic()` or a sync query ran on the loop's thread. "
            "Which function should go to the worker as a whole?",
        ),
        TimeoutError: gives_up("The mail"),
    },
    seconds=10,
)
async def lend(given):
    member = await _new_member()
    books = [book.pk async for book in free_books()]
    told = await _require_told_of_loans(given, member, books[:2])
    if told.held:
        raise NotYet(
            "holds-the-worker",
            "The loans were committed, and the worker waited for the mail server all the same: "
            "nobody else's query ran meanwhile. Where could `tell` be awaited, so that the "
            "worker is free?",
        )
    out = await open_loans().afirst()
    await _require_none(given, member, [books[3], out.book_id], "Of two books one was out")
    await _require_none(given, member, [books[3]] * 2, "A book was asked for twice")
    await require_told(given, "lend", [books[4]], member.pk, DAY, _no_mail, what="`tell`")
    if not await open_loans().filter(book=books[4]).aexists():
        raise NotYet(
            "takes-back",
            "The loans were committed, and then `tell` failed. Now the loan is gone, though the "
            "reader has the book. What is to be done again here: the loan, or the mail?",
        )
    await _require_all_keys(given, member, [books[7], books[8]])
    stalled = Stalled()
    await require_cancelled_with(
        given,
        "lend",
        stalled,
        lambda lend: lend([books[6]], member.pk, DAY, stalled.work),
        what="`tell`",
    )
    call = await _lend_one(given, member, books[5])
    _require_usual_places(call)
    return "All lent or none, told after the commit, and the worker was free meanwhile."


async def _lend_one(given, member, book: int) -> Call:
    return await call_off_the_loop(given, "lend", [book], member.pk, DAY, _no_need)


async def _no_mail(keys):
    raise Mishap


async def _no_need(keys):
    pass


async def _require_told_of_loans(given, member, books: list[int]) -> SimpleNamespace:
    told = SimpleNamespace(calls=0, keys=[], committed=0, held=False)
    told.earlier = await open_loans().alast()
    await open_loans().filter(pk=told.earlier.pk).aupdate(member=member, borrowed=DAY)
    told.ended = told.in_time = False
    await given.result_of("lend", told, books, member.pk, driver=_lend_and_look)
    new = open_loans().filter(member=member).exclude(pk=told.earlier.pk)
    lent = [loan.pk async for loan in new.order_by("pk")]
    dates = new.filter(borrowed=DAY, due=DAY + timedelta(days=21))
    if len(lent) != len(books) or await dates.acount() != len(books):
        raise NotYet(
            "not-lent",
            f"{len(books)} books were lent, and afterwards {len(lent)} loans are open. Each is "
            "borrowed on the day, and due 21 days later.",
        )
    if not told.calls:
        raise NotYet(
            "never-told",
            "The books are lent, and `tell` never ran. To call an async function is not to run it. "
            "Who awaits what the call gives?",
        )
    if told.calls > 1 or not same(sorted(told.keys), lent):
        raise NotYet(
            "told-otherwise",
            f"`tell` ran {told.calls} times, at last with {told.keys!r}. One mail, with the keys "
            f"of all new loans, {lent!r}, was asked for.",
        )
    if told.committed < len(books):
        raise NotYet(
            "told-too-early",
            f"When `tell` ran, another process saw {told.committed} of the {len(books)} loans: the "
            "transaction was open, and could still fail. When is it over?",
        )
    if not told.in_time:
        raise NotYet(
            "not-awaited",
            "`lend` had returned while `tell` was still on its way. If it fails now, nobody hears "
            "of it. Who waits for it?",
        )
    return told


async def _lend_and_look(lend, told, books: list[int], member: int) -> None:
    """Lend, and see at the mail whether the loans are there and somebody else's query can run."""
    from library.models import Member

    asked, answered = asyncio.Event(), asyncio.Event()

    async def somebody_else():
        await asked.wait()
        await Member.objects.acount()
        answered.set()

    async def tell(keys):
        told.calls, told.keys = told.calls + 1, list(keys)
        new = open_loans().filter(member=member).exclude(pk=told.earlier.pk)
        told.committed = committed(new)
        asked.set()
        told.held = not await _in_time(answered)
        await pass_time()
        told.ended = True

    other = asyncio.create_task(somebody_else())
    await turns()
    try:
        await lend(books, member, DAY, tell)
    finally:
        told.in_time = told.ended
        asked.set()
        await other


async def _require_all_keys(given, member, books: list[int]) -> None:
    """Lend books that are brought back as soon as the loans are committed."""
    told = []
    await given.result_of("lend", books, member.pk, told, driver=_lend_and_bring_back)
    if len(told) != len(books):
        raise NotYet(
            "asks-for-keys",
            f"{len(books)} books were lent and at once brought back, and `tell` got {len(told)} "
            "keys: between the commit and a later query another task's query has its turn. Who "
            "knows the keys when the rows are made?",
        )


async def _lend_and_bring_back(lend, books: list[int], member: int, told: list) -> None:
    """Lend; whatever is asked after the hop that makes the loans finds them closed."""
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    def note(_cursor, sql):
        if sql.startswith("INSERT") and "library_loan" in sql:
            loop.call_soon_threadsafe(begun.set)

    async def bring_back():
        await begun.wait()
        await open_loans().filter(book__in=books).aupdate(returned=DAY)

    async def tell(keys):
        told.extend(keys)

    other = asyncio.create_task(bring_back())
    await turns()
    try:
        with before_queries(note):
            await lend(books, member, DAY, tell)
    finally:
        begun.set()
        await other


async def _in_time(event: asyncio.Event, seconds: float = 2) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _require_none(given, member, books: list[int], why: str) -> None:
    """Lend books of which the last is out: before the call, or since the first was lent."""
    told = []

    async def tell(keys):
        told.append(keys)

    before = await open_loans().acount()
    with noting_bare_queries() as bare, _noting_statements() as statements:
        call = await given.call("lend", books, member.pk, DAY, tell, expect=IntegrityError)
    if await open_loans().acount() > before:
        raise _looks_first(why) if _looked_first(statements) else _half_lent(why)
    if told:
        raise NotYet(
            "told-of-nothing",
            f"{why}, so nothing was lent, and `tell` announced it all the same. "
            "After which line is it sure that the loans stay?",
        )
    if call.error is None:
        raise NotYet(
            "swallowed",
            f"{why}, so nothing was lent, and nobody was told. Who should get the "
            "`IntegrityError`?",
        )
    _require_inside(bare, "lent")


def _looked_first(statements: list[str]) -> bool:
    """Whether loans were looked at before the first was made."""
    loans = [sql for sql in statements if "library_loan" in sql]
    return bool(loans) and loans[0].startswith("SELECT")


def _looks_first(why: str) -> NotYet:
    return NotYet(
        "looks-first",
        f"{why}, and a loan was made all the same. To look first is no help against what comes "
        "between the look and the last row. What makes many writes one: all, or none?",
    )


def _half_lent(why: str) -> NotYet:
    return NotYet(
        "half-done",
        f"{why}, and a loan was made all the same: what was written before the row that the "
        "database refused has stayed. What makes many writes one: all, or none?",
    )


def _require_inside(bare: list[str], done: str) -> None:
    """Require that no row was written for good before the last one was.

    One statement is whole by itself: from Django 6.1 on `bulk_create` begins no transaction for it.
    """
    writes = [sql for sql in bare if sql.startswith(("INSERT", "DELETE"))]
    if len(writes) > 1 and any(sql.startswith("INSERT") for sql in writes):
        raise NotYet(
            "by-hand",
            f"Nothing is {done} in the end, because your code took back what it had written. Until "
            "then others saw it, and if the process dies in between, it stays. What makes many "
            "writes one: all, or none?",
        )


@exercise(
    "6.6",
    title="an import that loses a row",
    names=("import_order",),
    why=(
        "First the bookseller is asked, with no transaction open. Then one sync function opens "
        "it, writes and ends it in a single hop, so no other task's row is inside."
    ),
    hints=(
        "Autocommit is off on a connection, not in a function. Whose rows go through the same "
        "connection while the import waits for the bookseller: the desk's loans, too?",
        "What does the import need before its first write? Could all of it be known before the "
        "transaction begins?",
        "Is it `years = await asyncio.gather(...)` first, and then one sync function with "
        "`transaction.atomic()`, sent by `sync_to_async`?",
    ),
    errors={
        **ASYNC_WITH,
        SynchronousOnlyOperation: NotYet(
            "atomic-on-the-loop",
            "`atomic()` or a sync query ran on the loop's thread. A transaction belongs to a "
            "connection, and that to a thread. Which function should go to the worker as a whole?",
        ),
        (IntegrityError, "library_author"): NotYet(
            "author-twice",
            "An author was created a second time. Two lines of an order may name the same author, "
            "and the library may know him. Which method looks before it creates?",
        ),
        TimeoutError: gives_up("The bookseller"),
        (TypeError, "expected a number but got Mishap"): NotYet(
            "error-as-year",
            "The bookseller failed, and his error was taken for a year. What does `gather` do with "
            "an error if `return_exceptions` is left out?",
        ),
    },
    seconds=15,
)
async def import_order(given):
    await _require_desk_kept(given)
    at_once = await _require_imported(given)
    await _require_nothing_lost(given, refuse=False)
    await _require_nothing_lost(given, refuse=True)
    await _require_all_or_none(given)
    await _require_autocommit()
    if at_once < len(ORDER):
        raise _one_after_another(at_once)
    await require_told_of_database(given, "import_order", ORDER, _year_of)
    call = await given.call("import_order", [], _year_of)
    if not same(call.value, 0):
        raise NotYet(
            "nothing-given",
            f"Given an order without lines, it returned {call.result!r}. How many books is that?",
        )
    await _require_two_copies(given)
    await _require_crowd(given)
    stalled = Stalled()
    await require_cancel_passed_on(
        given,
        "import_order",
        stalled,
        lambda import_order: import_order(list(ORDER), stalled.work),
        what="a question to the bookseller",
    )
    return "The order is in, or none of it, and nobody else's row went with it."


async def _require_two_copies(given) -> None:
    from library.models import Book

    title, author = ORDER[0]
    copies = Book.objects.filter(title=title, author__name=author)
    before = await copies.acount()
    call = await given.call("import_order", [ORDER[0]] * 2, _year_of)
    added = await copies.acount() - before
    if added != 2 or not same(call.value, 2):
        raise NotYet(
            "one-for-two",
            f"An order had the same line twice. The library has {added} more than before, and it "
            f"returned {call.result!r}. It may want two copies: how many lines are two?",
        )


async def _require_crowd(given) -> None:
    """Import a long order, whose last question is answered first."""
    from library.models import Book

    years = {f"Evelina, volume {number}": 1700 + number for number in range(CROWD)}
    desk = LastFirst([*years])

    async def year_of(title):
        await desk.wait(title)
        if desk.answered == 1:
            await pass_time()
        return years[title]

    order = [(title, "Frances Burney") for title in years]
    await given.result_of("import_order", order, year_of)
    if desk.overlap.most < CROWD:
        raise _one_after_another(desk.overlap.most)
    books = Book.objects.filter(title__in=years).values_list("title", "year")
    found = {title: year async for title, year in books}
    _require_own_years(found, years)
    if found != years:
        raise NotYet(
            "other-books",
            f"An order of {CROWD} lines left {len(found)} books. Each line is one, with its author "
            "and the year that the bookseller gave.",
        )


def _require_own_years(found: dict[str, int], years: dict[str, int]) -> None:
    """Require that no book has got the year of another."""
    for title in years:
        if found.get(title) != years[title] and sorted(found.values()) == sorted(years.values()):
            raise NotYet(
                "others-years",
                f"{title!r}, of {years[title]}, has the year {found[title]}, which the bookseller "
                "gave for another line: he may answer a later question first. Which answer belongs "
                "to which line?",
            )


ORDER = [
    ("Camilla", "Frances Burney"),
    ("Sanditon", "Jane Austen"),
    ("Cecilia", "Frances Burney"),
]
YEARS = {"Camilla": 1796, "Sanditon": 1925, "Cecilia": 1782}


async def _year_of(title):
    await turns(1)
    return YEARS[title]


async def _require_imported(given) -> int:
    """Import an order, and say how many of the bookseller's answers were under way at once."""
    from library.models import Author, Book

    namesake = await Book.objects.acreate(
        title=ORDER[0][0], author=await Author.objects.afirst(), year=1900
    )
    await Author.objects.filter(name="Frances Burney").adelete()
    await Author.objects.acreate(name="FRANCES BURNEY")
    at_once = Overlap()

    async def year_of(title):
        with at_once:
            await turns()
            return YEARS[title]

    order, before = list(ORDER), await _others_rows(namesake)
    call = await call_off_the_loop(given, "import_order", order, year_of)
    require_unchanged(order, ORDER)
    added = _ordered_books().exclude(pk=namesake.pk)
    found = [row async for row in added.values_list("title", "author__name", "year")]
    if await _others_rows(namesake) != before:
        raise NotYet(
            "changes-more",
            "Books or loans that were there before are not what they were. Another author's book "
            "may have the same title. Which of your statements says too little about its row?",
        )
    _require_own_years({title: year for title, _, year in found}, YEARS)
    if sorted(found) != sorted((title, author, YEARS[title]) for title, author in ORDER):
        raise NotYet(
            "other-books",
            f"An order of {len(ORDER)} lines left {found!r}. Each line is a book, with its author "
            "and the year that the bookseller gave.",
        )
    if not same(call.value, len(ORDER)):
        raise NotYet(
            "other-number", f"It returned {call.value!r}, and {len(ORDER)} books were added."
        )
    _require_usual_places(call)
    return at_once.most


def _one_after_another(most: int) -> NotYet:
    return NotYet(
        "one-after-another",
        f"Never more than {most} of the bookseller's answers were under way at once. "
        "Which call asks about all titles before it waits for the first answer?",
    )


async def _others_rows(namesake) -> list[tuple]:
    """The books that are not in the order, one of the same title among them, and the loans."""
    from library.models import Book, Loan

    kept = ~Q(title__in=YEARS) | Q(pk=namesake.pk)
    books = Book.objects.filter(kept).order_by("pk").values_list()
    loans = Loan.objects.order_by("pk").values_list()
    return [row async for row in books] + [row async for row in loans]


def _ordered_books():
    from library.models import Book

    return Book.objects.filter(title__in=YEARS)


async def _require_desk_kept(given) -> None:
    """Import what the database refuses, while the desk takes a book back after the first row."""
    await _forget_order()
    loan = await open_loans().afirst()
    closed = await given.result_of("import_order", loan.pk, driver=_refuse_beside_desk)
    await _require_kept(loan, closed)
    await _forget_order()


async def _forget_order() -> None:
    from library.models import Author

    await Author.objects.filter(name="Frances Burney").adelete()
    await _ordered_books().adelete()


async def _require_kept(loan, closed: int) -> None:
    """Require that a loan which the desk has closed is closed afterwards."""
    if closed and await open_loans().filter(pk=loan.pk).aexists():
        raise NotYet(
            "takes-others",
            "While the import was under way, the desk took a book back and was told so. Then the "
            "import failed and rolled back, and that loan is open again. Who else uses the "
            "connection while a transaction on it stays open across an `await`?",
        )


async def _refuse_beside_desk(import_order, loan: int) -> int:
    """Import an order whose last line has no year; the desk closes a loan at the first book.

    Return how many the desk was told it has closed.
    """
    from library.models import Loan

    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    def note(cursor, sql):
        if sql.startswith("INSERT") and "library_book" in sql:
            loop.call_soon_threadsafe(begun.set)

    async def take_back():
        await begun.wait()
        return await Loan.objects.filter(pk=loan).aupdate(returned=DAY)

    other = asyncio.create_task(take_back())
    await turns()
    try:
        with before_queries(note):
            await import_order(list(ORDER), _year_but_of_the_last)
    except Exception as error:
        if not _is(IntegrityError, error):
            raise
    finally:
        begun.set()
        closed = await other
    return closed


async def _year_but_of_the_last(title):
    return None if title == ORDER[-1][0] else YEARS[title]


async def _require_nothing_lost(given, refuse: bool) -> None:
    """Import while the desk takes a book back; the bookseller may refuse the last title."""
    loan = await open_loans().afirst()
    desk = await given.result_of("import_order", loan.pk, refuse, driver=_import_beside_desk)
    if desk.held:
        raise NotYet(
            "holds-the-worker",
            "While the bookseller was asked, the desk could not take a book back: your transaction "
            "held the worker. What has to be known before a transaction begins?",
        )
    await _require_kept(loan, desk.closed)
    if desk.error is None and refuse:
        raise NotYet(
            "swallowed",
            "The bookseller refused a title, and the caller of `import_order` was told nothing. "
            "Who should get the error?",
        )


async def _import_beside_desk(import_order, loan: int, refuse: bool) -> SimpleNamespace:
    """Import an order; the desk closes a loan when the bookseller is asked about the last title."""
    from library.models import Loan

    desk = SimpleNamespace(held=False, closed=0, error=None)
    asked, done = asyncio.Event(), asyncio.Event()

    async def take_back():
        await asked.wait()
        desk.closed = await Loan.objects.filter(pk=loan).aupdate(returned=DAY)
        done.set()

    async def year_of(title):
        if title == ORDER[-1][0]:
            asked.set()
            desk.held = not await _in_time(done)
            if refuse:
                raise Mishap
        return YEARS[title]

    other = asyncio.create_task(take_back())
    await turns()
    try:
        await import_order(list(ORDER), year_of)
    except Exception as error:
        if not _is(Mishap, error):
            raise
        desk.error = error
    finally:
        asked.set()
        await other
    return desk


def _is(kind: type[Exception], error: Exception) -> bool:
    """Whether it is of that kind, or a task group that gathered one."""
    group = error if isinstance(error, ExceptionGroup) else ExceptionGroup("", [error])
    return group.subgroup(kind) is not None


async def _require_all_or_none(given) -> None:
    """An order whose last line the bookseller does not know, then one that the database refuses."""
    await _forget_order()

    async def year_of(title):
        if title == ORDER[-1][0]:
            raise Mishap
        return YEARS[title]

    await given.call("import_order", ORDER, year_of, expect=Mishap)
    await _require_nothing_left("the bookseller refused its last title")

    with noting_bare_queries() as bare:
        call = await given.call("import_order", ORDER, _year_but_of_the_last, expect=IntegrityError)
    await _require_nothing_left("the database refused its last line")
    _require_inside(bare, "imported")
    if call.error is None:
        raise NotYet(
            "swallowed",
            "The database refused a line, and the caller of `import_order` was told nothing. "
            "Who should get the error?",
        )


async def _require_nothing_left(why: str) -> None:
    from library.models import Author

    books = await _ordered_books().acount()
    if books:
        raise NotYet(
            "half-done",
            f"Of an order of {len(ORDER)} lines {books} are in the library, although {why}. "
            "What makes many writes one: all, or none?",
        )
    if await Author.objects.filter(name="Frances Burney").aexists():
        raise NotYet(
            "author-left",
            f"No book of the order is there, since {why}. Its new author is. "
            "What else belongs inside the transaction?",
        )


async def _require_autocommit() -> None:
    from asgiref.sync import sync_to_async
    from django.db import connection

    if not await sync_to_async(lambda: connection.get_autocommit())():
        raise NotYet(
            "autocommit-off",
            "Afterwards autocommit is off on the worker: whatever anybody writes from now on waits "
            "for a commit that nobody makes. What puts it back, whatever happens?",
        )
