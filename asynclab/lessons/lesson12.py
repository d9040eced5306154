"""The checks of lesson 12: testing async Django."""

import asyncio
import threading
import time
from datetime import date, timedelta

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError
from django.http import HttpResponse

from ..exercises.book import NotYet, exercise
from .vocabulary.tasks import StoppedClock, noting_deadlines, turns
from .vocabulary.trials import require_green, require_red, require_red_without_page, trial

FORGOTTEN_AWAIT = NotYet(
    "forgotten-await",
    "A test took the coroutine of the view for its response. Where is an `await` missing?",
)
FORGOTTEN = {
    (AttributeError, "'coroutine' object"): FORGOTTEN_AWAIT,
    (AttributeError, "'AsyncToSync' object"): NotYet(
        "wrapped-coroutine",
        "`async_to_sync` got a coroutine and made a function, which nobody has called. What does "
        "it want: the view, or what the view returned?",
    ),
}
SYNC_QUERY = NotYet(
    "sync-query",
    "A test made a sync query in its `async def`, on the loop's thread. Which method is sync by "
    "nature and runs before it, or what is the query's async twin called?",
)


async def _authors(request):
    from library.models import Author

    return HttpResponse(f"{await Author.objects.acount()} authors")


async def _authors_of_yesterday(request):
    return HttpResponse("18 authors")


async def _one_too_many(request):
    from library.models import Author

    return HttpResponse(f"{await Author.objects.acount() + 1} authors")


async def _books_for_authors(request):
    from library.models import Book

    return HttpResponse(f"{await Book.objects.acount()} authors")


async def _a_hundred_more(request):
    from library.models import Author

    return HttpResponse(f"1{await Author.objects.acount()} authors")


async def _ten_times_as_many(request):
    from library.models import Author

    return HttpResponse(f"{await Author.objects.acount()}0 authors")


async def _authors_left(name: str) -> bool:
    from library.models import Author

    return await Author.objects.filter(name=name).aexists()


@exercise(
    "12.1",
    title="a test that sees its row",
    names=("CountTests",),
    why=(
        "Django runs the async test below `async_to_sync`, and its queries on the thread of "
        "`setUp`: on the connection whose transaction holds the row."
    ),
    hints=(
        "`asyncio.run` makes a loop that nobody waits for in asgiref's way, so the query goes to "
        "another thread. Which kind of test method may `await` the view itself?",
        "The row has to be there before, and `Author.objects.create` is sync. Does it stand in "
        "`setUp`, or has it an async twin?",
        "Is it `async def test_counts(self)`, with `response = await self.view(...)`, and an "
        'assertion that `response.content` is `b"19 authors"`?',
    ),
)
async def count_tests(given):
    no_row = NotYet(
        "no-row",
        "The view is right, and counted the authors without the one of your test. Who makes the "
        "loop that its query runs below, and whose connection does the query use?",
    )
    await require_green(
        given,
        "CountTests",
        _authors,
        {
            **FORGOTTEN,
            SynchronousOnlyOperation: SYNC_QUERY,
            DatabaseError: no_row,
            (AssertionError, "18 authors"): no_row,
        },
    )
    for view in (_authors_of_yesterday, _books_for_authors, _one_too_many):
        await require_red(
            given,
            "CountTests",
            view,
            NotYet(
                "too-weak",
                "A view that answers with another number passes as well. What does your test hold "
                "against the content?",
            ),
        )
    for view, text in (_a_hundred_more, "119 authors"), (_ten_times_as_many, "190 authors"):
        await require_red(
            given,
            "CountTests",
            view,
            NotYet(
                "part-of-the-text",
                f"A view that says `{text}` passes as well: what your test looks for is a part of "
                "that. Which assertion takes the whole content?",
            ),
        )
    await require_red_without_page(given, "CountTests")
    if await _authors_left("Emily Brunt"):
        raise NotYet(
            "leaves-a-row",
            "The author of your test is in the library now, for every later test to find. On which "
            "connection was she made?",
        )
    return "It sees its row, tells five wrong counts from the right one, and leaves nothing behind."


async def _ranks(request):
    return HttpResponse("1. Jane Austen")


async def _ranks_none(request):
    return HttpResponse("Jane Austen")


async def _ranks_of_an_error(request):
    return HttpResponse("1. Jane Austen", status=500)


@exercise(
    "12.2",
    title="a test that never ran",
    names=("RankTests",),
    why=(
        "On the class the decorator touches no coroutine function, so Django sees an `async def` "
        "and runs it."
    ),
    hints=(
        "`skipUnlessDBFeature` puts a function of its own around `test_ranks`. Is that one an "
        "`async def` as well, and what becomes of the coroutine that it returns?",
        "Where could `skipUnlessDBFeature` stand, so that it is not around `test_ranks`? Or what "
        "could stand between the two?",
        "Is `@skipUnlessDBFeature(...)` above `class RankTests`, or `@async_to_sync` between it "
        "and `test_ranks`?",
    ),
)
async def rank_tests(given):
    await require_green(given, "RankTests", _ranks, FORGOTTEN)
    await require_red(
        given,
        "RankTests",
        _ranks_none,
        NotYet(
            "too-weak",
            "It runs now, and is not red for a view without any ranks. What does it ask of the "
            "response, and who hears of an assertion that fails?",
        ),
    )
    await require_red(
        given,
        "RankTests",
        _ranks_of_an_error,
        NotYet(
            "any-status",
            "A page that says it, and has the status 500, passes. The assertion of the card asks "
            "for the status, too. What has yours left out, or told it?",
        ),
    )
    await require_red_without_page(given, "RankTests")
    without = await trial(given, "RankTests", _ranks, without="supports_over_clause")
    if without.asked or not without.skipped:
        raise NotYet(
            "loses-the-skip",
            "On a database without window functions it has to be skipped, and it was not. What "
            "became of the decorator?",
        )
    return "It runs, it can fail, and without window functions it is skipped."


async def _cheap(request):
    from library.models import Author

    names = [author.name async for author in Author.objects.order_by("name")]
    return HttpResponse("\n".join(names))


async def _one_for_each(request):
    from library.models import Author

    keys = [pk async for pk in Author.objects.order_by("name").values_list("pk", flat=True)]
    names = [(await Author.objects.aget(pk=pk)).name for pk in keys]
    return HttpResponse("\n".join(names))


async def _two_queries(request):
    from library.models import Author

    await Author.objects.acount()
    return await _cheap(request)


async def _two_in_one_hop(request):
    from library.models import Author

    def ask():
        Author.objects.count()
        return [author.name for author in Author.objects.order_by("name")]

    return HttpResponse("\n".join(await sync_to_async(ask)()))


async def _one_hop_more(request):
    await sync_to_async(time.monotonic)()
    return await _cheap(request)


class _CostlyAtFirst:
    """Views that ask twice at their first call, and keep something for the others."""

    def __init__(self):
        self._kept = False

    async def __call__(self, request):
        view, self._kept = _cheap if self._kept else _two_queries, True
        return await view(request)


@exercise(
    "12.3",
    title="pin what a page costs",
    names=("CostTests",),
    why=(
        "A recording counts on every thread, so it does not matter that the queries run on another "
        "connection than the one that the test could ask."
    ),
    hints=(
        "`assertNumQueries` asks the connection of the thread that it stands on. What counts "
        "wherever a query runs?",
        "Which line has to stand inside the `with` block, and how many queries and hops does one "
        "list of authors need?",
        "Is it `with assert_at_most(hops=1, queries=1):` around `await self.view(...)`?",
    ),
)
async def cost_tests(given):
    await require_green(
        given,
        "CostTests",
        _cheap,
        {
            **FORGOTTEN,
            SynchronousOnlyOperation: NotYet(
                "wrong-connection",
                "What counts here opened the connection of the loop's thread, and Django refused. "
                "The queries run elsewhere anyway. What counts on every thread?",
            ),
            (AssertionError, "too many hops: 3"): NotYet(
                "way-to-the-view",
                "Your way to the view hops as well, as `async_to_sync` does, and its hops count. "
                "In which kind of test is the view one `await` away?",
            ),
            (AssertionError, "too many"): NotYet(
                "too-strict",
                "The page makes one query by one hop, and your test allows less. How many does it "
                "take to ask the database once?",
            ),
        },
    )
    for view in (_two_queries, _two_in_one_hop):
        await require_red(
            given,
            "CostTests",
            view,
            NotYet(
                "too-loose",
                "A page with two queries passes. Is the view awaited inside of the block, how many "
                "does the block allow, and who hears of its error?",
            ),
        )
    await require_red(
        given,
        "CostTests",
        _one_for_each,
        NotYet(
            "no-rows",
            "A page that asks once more for each author passes: when your test called it, there "
            "were none. Which rows does a test of costs need?",
        ),
    )
    await require_red(
        given,
        "CostTests",
        _CostlyAtFirst(),
        NotYet(
            "first-call-unseen",
            "A page that makes a second query when it is called first, and keeps what it got, "
            "passes: your test does not look at the first call. Which line calls it before?",
        ),
    )
    await require_red(
        given,
        "CostTests",
        _one_hop_more,
        NotYet(
            "misses-hops",
            "A page with one query and a needless hop passes. What else can you limit?",
        ),
    )
    await require_red_without_page(given, "CostTests")
    return "One query and one hop pass; a query or a hop more do not."


NAMES = ["Whitby", "Bath", "Dublin"]


async def _gathered(request, ask):
    time.sleep(0.8)  # a busy machine; whatever goes by the clock notices
    return HttpResponse("\n".join(await asyncio.gather(*map(ask, NAMES))))


async def _grouped(request, ask):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(name)) for name in NAMES]
    return HttpResponse("\n".join(task.result() for task in tasks))


async def _in_turn(request, ask):
    return HttpResponse("\n".join([await ask(name) for name in NAMES]))


async def _two_at_once(request, ask):
    limit = asyncio.Semaphore(2)

    async def ask_within(name):
        async with limit:
            return await ask(name)

    return HttpResponse("\n".join(await asyncio.gather(*map(ask_within, NAMES))))


SHORTEST = 0.5
"""Seconds that a machine may be busy between two steps of a test that is right."""
SOME = 0.1
"""Seconds that may pass between a deadline's making and its setting."""
LONGEST = 4
"""Seconds that a test may take, whatever the view does."""


async def _with_a_gap(request, ask):
    """All three at once, where the machine is busy between the first question and the others."""
    first, *others = NAMES
    with StoppedClock() as clock:
        tasks = [asyncio.create_task(ask(first))]
        await clock.go_on(SHORTEST - SOME)
        tasks += [asyncio.create_task(ask(name)) for name in others]
        await turns()
    return HttpResponse("\n".join(await asyncio.gather(*tasks)))


class _InTurnRegardless:
    """A view that asks one after another, and takes an error for an answer.

    `late` says whether the test has given a question so much time that all three take too long.
    """

    def __init__(self):
        self.late = False

    async def __call__(self, request, ask):
        answers = []
        with StoppedClock() as clock:
            for name in NAMES:
                question = asyncio.create_task(ask(name))
                if not await clock.until(question.done, LONGEST - clock.seconds):
                    self.late = True
                    question.cancel()
                answers += await asyncio.gather(question, return_exceptions=True)
        return HttpResponse("\n".join(map(str, answers)))


@exercise(
    "12.4",
    title="three at once, without a clock",
    names=("OverlapTests",),
    why=(
        "The barrier opens when three wait at it at the same moment, however slow the machine is; "
        "the deadline is there only for a view that never brings three together."
    ),
    hints=(
        "The test gives the view its `ask`. What could an `ask` of yours wait for, which happens "
        "only if all three are under way?",
        "What waits until three have come? And what ends a test in which they never come?",
        "Is it `asyncio.Barrier(3)`, with `async with asyncio.timeout(1): await barrier.wait()` in "
        "`ask`?",
    ),
    seconds=4,
)
async def overlap_tests(given):
    clock = NotYet(
        "clock",
        "The view is right, on a machine that was busy for a moment, and your test is red. What "
        "tells that three are under way at the same time, if not their seconds?",
    )
    deadline = NotYet(
        "deadline",
        "The view is right, and a deadline of yours has passed. For how many does your `ask` wait, "
        "and may a busy machine take a second before it asks?",
    )
    blocks = NotYet(
        "blocks",
        "Your `ask` waits in a way that stops the loop, so nobody else can come. What waits for "
        "three and lets the loop go on?",
    )
    with noting_deadlines() as deadlines:
        await require_green(
            given,
            "OverlapTests",
            _gathered,
            {
                **FORGOTTEN,
                AssertionError: clock,
                TimeoutError: deadline,
                threading.BrokenBarrierError: blocks,
            },
        )
    if min(deadlines, default=SHORTEST) < SHORTEST - SOME:
        raise NotYet(
            "short-deadline",
            f"Your test gives something {max(min(deadlines), 0):.3f} seconds. It was in time, this "
            "once; another day the machine is busy for so long between two questions, and the test "
            "is red. How long may a deadline be that matters only if the view is wrong?",
        )
    no_deadline = NotYet(
        "no-deadline",
        "With a view that never brings three together, your test goes on for too long, where it "
        "should be red. What ends it in any case, and after how many seconds?",
    )
    await require_green(given, "OverlapTests", _grouped, {})
    gap = NotYet(
        "no-gap",
        f"A view asked all three at once, {SHORTEST - SOME} seconds lay between two questions, and "
        "your test was red. What in your `ask` is over by then, and may a busy machine take as "
        "long?",
    )
    await require_green(
        given, "OverlapTests", _with_a_gap, {AssertionError: gap, TimeoutError: gap}
    )
    await require_red(
        given,
        "OverlapTests",
        _in_turn,
        NotYet(
            "in-turn-passes",
            "A view that asks one after another passes. What does your `ask` do only if all three "
            "are under way?",
        ),
        no_deadline,
    )
    await require_red(
        given,
        "OverlapTests",
        _two_at_once,
        NotYet(
            "two-pass",
            "A view that asks two at once, and the third later, passes. How many have to be under "
            "way at the same time?",
        ),
        no_deadline,
    )
    regardless = _InTurnRegardless()
    await require_red(
        given,
        "OverlapTests",
        regardless,
        NotYet(
            "errors-for-answers",
            "A view that asks one after another, and puts an error on the page like an answer, "
            "passes: it has caught what your `ask` raised. What can the test ask for when the view "
            "has answered?",
        ),
        no_deadline,
    )
    if regardless.late:
        raise no_deadline
    await require_red_without_page(given, "OverlapTests")
    return "Three at once pass, also on a slow machine; two at once and one after another do not."


async def _lend(request, pk, *, refuse=True, write=True, weeks=3, member=None):
    from library.models import Book, Member

    book = await Book.objects.aget(pk=pk)
    out = await book.loans.filter(returned=None).aexists()
    if out and refuse:
        return HttpResponse(f"{book.title} is out.", status=409)
    reader = await Member.objects.aget(email=member or request.POST["member"])
    if write and not out:
        today = date.today()
        due = today + timedelta(weeks=weeks)
        await book.loans.acreate(member=reader, borrowed=today, due=due)
    return HttpResponse(f"{book.title} is lent to {reader.name}.")


async def _lend_nothing(request, pk):
    return await _lend(request, pk, write=False)


async def _lend_what_is_out(request, pk):
    return await _lend(request, pk, refuse=False)


async def _lend_to_somebody_else(request, pk):
    from library.models import Member

    first = await Member.objects.exclude(email=request.POST["member"]).afirst()
    return await _lend(request, pk, member=first.email)


async def _lend_for_ever(request, pk):
    return await _lend(request, pk, weeks=52)


WRONG_DESKS = {
    _lend_nothing: NotYet(
        "no-loan-passes",
        "A view that says it has lent the book, and writes no loan, passes. Which test asks the "
        "database, and does it wait for the answer?",
    ),
    _lend_what_is_out: NotYet(
        "lent-twice-passes",
        "A view that lends a book which is out passes. Which book does the test of that lend, does "
        "the test run, and what becomes of its assertion?",
    ),
    _lend_to_somebody_else: NotYet(
        "other-member-passes",
        "A view that lends to another member passes. Which test holds the name, or the loan's "
        "member, against who asked?",
    ),
    _lend_for_ever: NotYet(
        "any-due-date-passes",
        "A view that lends for a year passes. What does the test of the due date compare, and of "
        "which loans?",
    ),
}


@exercise(
    "12.5",
    title="a suite that cannot fail",
    names=("DeskTests",),
    why=(
        "Each test runs, waits for what it asks, and has one assertion outside of any loop or "
        "`except` that could leave it out."
    ),
    hints=(
        "Break the view in your mind: it writes nothing, lends twice, lends to the wrong member, "
        "lends for a year. Which test should be red each time, and what keeps it green?",
        "Is a coroutine true? Does `except Exception` catch an `AssertionError`? What does a loop "
        "over nothing assert, and does each test still run?",
        "Is the decorator on the class, is there an `await` before `aexists()`, is the `try` gone, "
        "and does a test fetch the one open loan with `aget(returned=None)`?",
    ),
)
async def desk_tests(given):
    await require_green(
        given, "DeskTests", _lend, {**FORGOTTEN, SynchronousOnlyOperation: SYNC_QUERY}
    )
    for view, meaning in WRONG_DESKS.items():
        await require_red(given, "DeskTests", view, meaning)
    await require_red_without_page(given, "DeskTests")
    if not (await trial(given, "DeskTests", _lend, without="supports_partial_indexes")).skipped:
        raise NotYet(
            "loses-the-skip",
            "On a database without partial indexes a book can be lent twice, and the test of that "
            "has to be skipped. What became of the decorator?",
        )
    return "Four views, each wrong in its own way, are red, and the right one is green."
