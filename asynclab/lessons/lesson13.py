"""The checks of lesson 13: what it costs and when it pays."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from datetime import date
from math import isclose
from statistics import StatisticsError, mean, median, median_high, median_low
from types import SimpleNamespace

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ObjectDoesNotExist, SynchronousOnlyOperation
from django.db import DatabaseError, IntegrityError
from django.http import Http404, HttpResponse

from ..exercises.book import NotYet, exercise
from ..exercises.given import Call
from ..exercises.lineage import is_beside
from ..recorder.events import Span
from ..recorder.hooks import before_queries
from ..recorder.roles import CONTEXT_WORKER
from ..servers import Response
from .vocabulary.cancelling import Stalled, awaiting, end, require_cancel_passed_on
from .vocabulary.edges import require_unchanged
from .vocabulary.failing import (
    Mishap,
    OtherOutage,
    Outage,
    database_lost_at,
    require_cancellable_beside,
    require_cancelled,
    require_itself,
    require_told,
    require_told_of_database,
)
from .vocabulary.library import lend_out_of_order
from .vocabulary.loops import call_off_the_loop, noting_new_loops
from .vocabulary.queries import hops, queries, require_on_the_worker
from .vocabulary.requests import text_of
from .vocabulary.serving import NO_RESPONSE, visit, visit_under_wsgi
from .vocabulary.tasks import turns, until
from .vocabulary.threads import (
    EVENT_LOOP,
    THREAD_SENSITIVE_WORKER,
    noting_new_threads,
    place,
    require_this_loop,
)
from .vocabulary.transactions import ASYNC_WITH, as_another_process
from .vocabulary.values import difference, same

SYNC_QUERY = NotYet(
    "sync-query",
    "A sync query ran on the loop's thread. Which kind of function may make it as it is?",
)


@exercise(
    "13.1",
    title="a view that waits for nobody",
    names=("member_page",),
    why=(
        "Nothing in it waits for anything but the database, and that waits on a thread in any "
        "case. As a sync view it goes to that thread once, as a whole; under WSGI it is there."
    ),
    hints=(
        "Each `await` of `member_page_before` sends a query to the worker, and comes back to the "
        "loop. Is anything done on the loop meanwhile that needs one?",
        "How does Django run a view that is no coroutine function, under ASGI and under WSGI? How "
        "many switches is that?",
        "Is it `def member_page(request, pk)`, with `get_object_or_404`, a plain `for`, and "
        "`count()`?",
    ),
    errors={
        **NO_RESPONSE,
        SynchronousOnlyOperation: SYNC_QUERY,
        ObjectDoesNotExist: NotYet(
            "no-404",
            "Nobody has that number, and the view raised: the browser gets an error page, and the "
            "log a traceback. What does `member_page_before` answer?",
        ),
        (AttributeError, "'coroutine' object"): NotYet(
            "twin-without-await",
            "A coroutine was asked for what only its result has: a method with an `a` stands where "
            "nothing awaits it. What is the sync one called?",
        ),
        (TypeError, "__aiter__"): NotYet(
            "async-for-over-a-list",
            "`async for` got something that is looped over without it. Which kind of loop does a "
            "sync function have?",
        ),
    },
)
async def member_page(given):
    await lend_out_of_order()
    from library.models import Member

    idle = await given.call("member_page", driver=_visit_idle)
    members = [member async for member in Member.objects.all()]
    for member in members:
        call = await _visit_member(given, member.pk)
        await _require_page(call.value, member)
        require_on_the_worker(call, CONTEXT_WORKER)
        _require_few_queries(call)
        _require_one_switch(len(hops(call)) - len(hops(idle)), call)
    missing = (await _visit_member(given, 99_999)).value
    if missing.status != 404:
        raise NotYet(
            "other-status",
            f"Nobody has that number, and the status is {missing.status}. What does "
            "`member_page_before` answer?",
        )
    await _require_no_loop(given, members[0])
    await _require_page_of_the_site(given)
    asked = {"driver": visit, "pk": members[0].pk, "middleware": ()}
    await require_told_of_database(given, "member_page", **asked)
    return "One switch under ASGI, none under WSGI, and the page is the same."


async def _require_page_of_the_site(given) -> None:
    """Require that Django hears of a member that is not there, and answers itself."""
    from django.test import RequestFactory

    request = RequestFactory().get("/99999/")
    call = await given.call("member_page", request, pk=99_999, where="thread", expect=Http404)
    if call.error is None:
        raise NotYet(
            "own-404",
            "Nobody has that number, and your view made the answer with the status 404 itself. "
            "What the site shows then, its `handler404`, is another page. What does "
            "`member_page_before` do, so that Django answers?",
        )


async def _visit_member(given, pk: int) -> Call:
    return await call_off_the_loop(given, "member_page", driver=visit, pk=pk, middleware=())


async def _visit_idle(_member_page: Callable) -> Response:
    """Visit a view that makes no switch: what is left are those of the handler."""

    async def idle(request):
        return HttpResponse()

    return await visit(idle, middleware=())


async def _require_page(page: Response, member) -> None:
    loans = member.loans.order_by("due", "pk")
    titles = [
        title async for title in loans.filter(returned=None).values_list("book__title", flat=True)
    ]
    returned = await member.loans.exclude(returned=None).acount()
    wanted = f"{member.name}: {', '.join(titles)} ({returned} returned)"
    if page.text != wanted or page.status != 200:
        said = difference(page.text, wanted) or f"The status is {page.status}."
        raise NotYet("other-text", f"{said} Compare with `member_page_before`.")


def _require_few_queries(call: Call) -> None:
    number = len(queries(call))
    if number > 3:
        raise NotYet(
            "query-for-each",
            f"The page is right, and took {number} queries: one more for each book that is out. "
            "What brought the book along with its loan?",
        )


def _require_one_switch(number: int, call: Call) -> None:
    if number <= 1:
        return
    if _sent_together(hops(call)[-number:]):
        raise NotYet(
            "gathered-switches",
            f"{number} switches, sent together. A request has one worker, so they stand in line "
            "there, and each is paid for. What needs only one?",
        )
    raise NotYet(
        "switch-for-each",
        f"The page is right, and under ASGI it took {number} switches to another thread, or back "
        "and forth. One call over there can make all its queries. Who makes it for you?",
    )


def _sent_together(calls: Sequence[Span]) -> bool:
    """Whether a later one of these calls was sent before an earlier one had returned."""
    return any(
        each.returned is None or later.sent.at < each.returned.at
        for each, later in zip(calls, calls[1:], strict=False)
    )


async def _require_no_loop(given, member) -> None:
    with noting_new_loops() as loops, noting_new_threads() as threads:
        page = await given.result_of(
            "member_page", where="thread", driver=visit_under_wsgi, pk=member.pk
        )
    await _require_page(page, member)
    if loops or threads:
        raise NotYet(
            "loop-under-wsgi",
            "Under ASGI it is one switch. Under WSGI an event loop was made for this request, and "
            "given up after it, though nothing was there to wait for besides the database. Which "
            "kind of view runs where it is called?",
        )


KNOWN = "tomoko.arai@example.org"
ROWS = (
    ("Mina Harker", "mina.harker@example.org"),
    ("Tomoko Arai-Bell", KNOWN),
    ("Lucy Westenra", "lucy.westenra@example.org"),
    ("Mina Murray", "mina.harker@example.org"),
)
"""Two new members, one of them twice, and one who is known by another name."""
ADA = "Ada Lovelace", "ada.lovelace@example.org"

LONG = 15
"""Seconds that work waits, where a check lets it go on long before, however busy the machine."""


@exercise(
    "13.2",
    title="a switch for each row",
    names=("import_members",),
    why=(
        "The loop over the rows goes to the worker, rather than each row, and their reading with "
        "it; one transaction holds them all."
    ),
    hints=(
        "How often does `import_before` switch for a thousand rows? What would be left to do on "
        "the loop between two of them?",
        "Which sync function could hold the whole `for`? And what has to be around it, so that a "
        "row that fails takes the others back?",
        "Is it `sync_to_async` of a function with `with transaction.atomic():`, a `for`, and "
        "`update_or_create` in it?",
    ),
    errors={
        **ASYNC_WITH,
        SynchronousOnlyOperation: SYNC_QUERY,
        (IntegrityError, "library_member.email"): NotYet(
            "known-address",
            "An address is known already, from the library or from a row before, and was to be "
            "added once more. Which method looks before it creates?",
        ),
        (TypeError, "has no len()"): NotYet(
            "no-length",
            "The rows come one by one, as from a file: nobody knows yet how many there are. What "
            "can you do with them besides going through them?",
        ),
        (TypeError, "not subscriptable"): NotYet(
            "no-length",
            "The rows come one by one, as from a file: there is no third one before the second. "
            "What can you do with them besides going through them?",
        ),
    },
    seconds=20,
)
async def import_members(given):
    before = await _members()
    taken = set()
    call = await call_off_the_loop(given, "import_members", _one_by_one(ROWS, taken))
    await _require_members(before)
    _require_new(call.result, 2)
    require_this_loop(call)
    _require_one_hop(call)
    require_on_the_worker(call)
    _require_read_elsewhere(taken)
    again = await given.result_of("import_members", list(ROWS))
    _require_new(again, 0)
    _require_nothing(await given.call("import_members", [], expect=Exception))
    await _require_addresses_as_they_are(given)
    await _require_only_its_own(given)
    await _require_all_or_none(given)
    await require_told_of_database(given, "import_members", [ROWS[0]])
    await _require_left(given)
    return f"{len(ROWS)} rows, one switch; all of them, or none."


def _one_by_one(rows: Sequence[tuple], places: set[str] | None = None) -> Iterator[tuple]:
    """The rows, to be gone through once, and an error in the place of a row that is none.

    Args:
        places: what gets the kind of thread on which each is taken.
    """
    for row in rows:
        if places is not None:
            places.add(place())
        if isinstance(row, Exception):
            raise row
        yield row


async def _members() -> dict[str, tuple]:
    """The name of each member by the address, with the number of loans."""
    from django.db.models import Count
    from library.models import Member

    members = Member.objects.annotate(number=Count("loans"))
    return {each.email: (each.name, each.number) async for each in members}


async def _require_members(before: dict[str, tuple]) -> None:
    after = await _members()
    if after == before:
        raise NotYet(
            "rows-used-up",
            "No row has come to the library. They come one by one, as from a file, and can be "
            "gone through once. Who has gone through them first? Or was nobody awaited?",
        )
    if after.get(KNOWN, before[KNOWN])[1] < before[KNOWN][1]:
        raise NotYet(
            "loses-loans",
            "A member who was known has the new name, and no loans any more: they went with the "
            "row that was deleted. Which method changes a row that is there?",
        )
    if after.get(KNOWN) == before[KNOWN]:
        raise NotYet(
            "keeps-old-name",
            "The address was known, the name has changed, and the library has the old one. What "
            "becomes of a row that is there already?",
        )
    wanted = before | {email: (name, before.get(email, ("", 0))[1]) for name, email in ROWS}
    if after != wanted:
        others = sorted({email for email, _ in after.items() ^ wanted.items()})
        raise NotYet(
            "other-members",
            f"These addresses are not what they should be: {', '.join(others)}. If an address "
            "comes twice, whose name does `import_before` leave there?",
        )


def _require_new(number: object, wanted: int) -> None:
    if same(number, wanted):
        return
    raise NotYet(
        "counts-rows",
        f"Of the {len(ROWS)} rows {wanted} made a member who was new, and it returned {number!r}. "
        "An address may be known, or come twice. What tells whether a row was created?",
    )


def _require_nothing(call: Call) -> None:
    if call.error is not None or not same(call.result, 0):
        did = f"raised {call.error!r}" if call.error else f"returned {call.result!r}"
        raise NotYet(
            "nothing-given",
            f"Given no rows at all, it {did}. How many members are new then?",
        )


def _require_one_hop(call: Call) -> None:
    sent = hops(call)
    if len(sent) >= len(ROWS):
        if _sent_together(sent):
            raise NotYet(
                "gathered-hops",
                f"{len(sent)} switches for {len(ROWS)} rows, sent together: there is one worker, "
                "and they stand in line for it. What would be left to send if the loop over the "
                "rows were over there?",
            )
        raise NotYet(
            "switch-for-each-row",
            f"{len(sent)} switches for {len(ROWS)} rows, and a file has thousands. What if the "
            "loop went over to the worker, rather than its rows?",
        )
    if len(sent) > 1:
        raise NotYet(
            "switches-again",
            f"{len(sent)} switches: however many rows there are, that is more than one. Between "
            "two of them somebody else may write, too. Which function could hold all of it?",
        )


def _require_read_elsewhere(places: set[str]) -> None:
    if EVENT_LOOP in places:
        raise NotYet(
            "reads-on-the-loop",
            "One switch, and before it the rows were read on the loop's thread: as long as the "
            "file takes, nobody else is served. Which function goes through them over there?",
        )


async def _require_addresses_as_they_are(given) -> None:
    before, name = await _members(), " Tomoko  Arai "
    number = await given.result_of("import_members", [(name, KNOWN.upper())])
    after = await _members()
    if after.get(KNOWN.upper(), (name,))[0] != name:
        raise NotYet(
            "other-name",
            f"The name of a row was {name!r}, and the library has {after[KNOWN.upper()][0]!r}. "
            "What does `import_before` do to a name?",
        )
    if number != 1 or after.keys() - before.keys() != {KNOWN.upper()}:
        raise NotYet(
            "other-address",
            f"`{KNOWN.upper()}` was not added, since `{KNOWN}` is known. `import_before` compares "
            "addresses as they are written. Which lookup does your code use?",
        )


async def _require_only_its_own(given) -> None:
    """Let somebody else add a member while the first row is read."""
    number = await given.result_of("import_members", _read_while_another_one_writes())
    if number != 1:
        raise NotYet(
            "counts-others",
            f"One row was new, somebody else added a member while it was read, and it returned "
            f"{number!r}. Of what is your number the difference? Which call says of a row whether "
            "it was created?",
        )


def _read_while_another_one_writes() -> Iterator[tuple]:
    # An answer that holds a lock by now counts what it has locked.
    with suppress(sqlite3.OperationalError), closing(as_another_process()) as other:
        other.execute("INSERT INTO library_member (name, email) VALUES ('Quincey', 'q@x.example')")
        other.commit()
    yield "Arthur Holmwood", "arthur.holmwood@example.org"


async def _require_all_or_none(given) -> None:
    for rows, what, error in (
        ([ADA, Outage()], "The row after the first", Mishap),
        ([ADA, (None, "none@example.org")], "A row without a name", Exception),
    ):
        await _require_none(given, rows, what, error)
    rows, lost = [("Tomoko Bell", KNOWN), ADA], database_lost_at("INSERT")
    await _require_none(given, rows, "After the first row the database", DatabaseError, lost)


async def _require_none(
    given,
    rows: list,
    what: str,
    error: type[Exception],
    meanwhile: AbstractContextManager | None = None,
) -> None:
    before = await _members()
    with meanwhile or nullcontext():
        call = await given.call("import_members", _one_by_one(rows), expect=Exception)
    require_itself(call, "import_members", what, error)
    if await _members() != before:
        raise NotYet(
            "half-imported",
            f"{what} failed, and what came before it is in the library all the same: whoever sends "
            "the file again does not know what is there. What takes the rows back, even where "
            "your code can ask for nothing more?",
        )


async def _require_left(given) -> None:
    """Cancel the import while the worker is at it."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(_cursor, sql):
        if not is_beside() and "library_" in sql:
            begun.set()
            go_on.wait(LONG)

    with before_queries(wait):
        await require_cancellable_beside(given, "import_members", [ROWS[0]], begun=begun, end=go_on)


class _Stopwatch:
    """Two functions that take what time is written for them, by a clock that they put forward.

    Args:
        times: the seconds that each call takes, by the name of the function: the first is cold.
        error: what a call raises that no time is written for; it takes none, if left out.

    `order` holds the names in the order of the calls, `read` how often the clock was read,
    `timed_first` says whether that was before a first call, and `at_once` whether one that was not
    the first was under way beside another.
    """

    def __init__(self, times: dict[str, Sequence[float]], error: Exception | None = None):
        self.order: list[str] = []
        self.read, self.at_once, self.timed_first = 0, False, False
        self._times, self._error = times, error
        self._now, self._under_way = 1000.0, 0

    def clock(self) -> float:
        self.read += 1
        return self._now

    async def old(self) -> None:
        await self._take("old")

    async def new(self) -> None:
        await self._take("new")

    async def _take(self, name: str) -> None:
        times, number = self._times[name], self.order.count(name)
        self.order.append(name)
        self.timed_first = self.timed_first or (self.read > 0 and number == 0)
        self._under_way += 1
        self.at_once = self.at_once or (self._under_way > 1 and number > 0)
        try:
            await turns(2)
            if number >= len(times):
                if self._error:
                    raise self._error
                return
            self._now += times[number]
            await turns(2)
        finally:
            self._under_way -= 1


OLD, NEW = (48, 12, 9, 120, 10, 11, 8), (64, 2, 6, 4, 5, 3, 100)
"""Seconds: the first call is cold, and once something else came in between."""


@exercise(
    "13.3",
    title="a benchmark that lies",
    names=("times_faster",),
    why=(
        "The cold calls come before anything is timed; in turns, whatever slows the machine down "
        "meets both; and one call that was disturbed does not move a median."
    ),
    hints=(
        "Run `times_before` in your mind: who pays for the first connection, the imports and the "
        "caches? And if the machine gets slower after half of the time, whose calls does it meet?",
        "What does one call of 120 seconds do to a mean, and what to a median? Which order of the "
        "calls gives both the same weather?",
        "Is it one call of each that nobody times, then a loop over `range(rounds)` with "
        "`await` of `old` and of `new`, each between two readings of `clock()`, and two `median`s "
        "at the end?",
    ),
    errors={
        (RuntimeError, "running event loop"): NotYet(
            "second-loop",
            "It wanted a second loop inside of the one that runs here. What can an `async def` do "
            "with a coroutine right here?",
        ),
        StatisticsError: NotYet(
            "too-few-rounds",
            "With one round nothing was left in the middle. Which times does a median leave out by "
            "itself?",
        ),
    },
)
async def times_faster(given):
    for rounds in (5, 6, 1):
        watch = _Stopwatch({"old": OLD[: rounds + 1], "new": NEW[: rounds + 1]})
        call = await _compare(given, watch, rounds)
        _require_calls(watch, rounds)
        require_this_loop(call)
        _require_turns(watch.order)
        _require_ratio(call.value, watch.read, OLD[: rounds + 1], NEW[: rounds + 1])
    for broken in ("old", "new"):
        for number in (0, 2):
            times = {"old": OLD, "new": NEW, broken: OLD[:number]}
            watch = _Stopwatch(times, Outage())
            await require_told(
                given, "times_faster", watch.old, watch.new, 3, watch.clock, what=f"`{broken}`"
            )
    stalled = Stalled()
    await require_cancel_passed_on(
        given,
        "times_faster",
        stalled,
        lambda compare: compare(stalled.work, stalled.work, 3, _Stopwatch({}).clock),
        what="what it was timing",
    )
    return "Warm, in turns, and by the medians: one disturbed call does not change what it says."


async def _compare(given, watch: _Stopwatch, rounds: int) -> Call:
    return await given.call(
        "times_faster", watch.old, watch.new, rounds, watch.clock, expect=ZeroDivisionError
    )


def _require_calls(watch: _Stopwatch, rounds: int) -> None:
    numbers = {name: watch.order.count(name) for name in ("old", "new")}
    if 0 in numbers.values():
        raise NotYet(
            "not-awaited",
            "One of the two functions has never run: a call of it only makes a coroutine. Which "
            "word runs that?",
        )
    if rounds > 1 and min(numbers.values()) <= 2:
        raise NotYet(
            "one-sample",
            f"For {rounds} rounds it called them {numbers['old']} and {numbers['new']} times. If "
            "something else comes in between in just this moment, what does one time say?",
        )
    if min(numbers.values()) == rounds and watch.timed_first:
        raise NotYet(
            "cold",
            f"For {rounds} rounds it called them {numbers['old']} and {numbers['new']} times, so a "
            "first call was timed, with all that is made once: connections, imports, caches. What "
            "comes before the clock is read?",
        )
    if set(numbers.values()) != {rounds + 1}:
        raise NotYet(
            "other-number",
            f"For {rounds} rounds it called them {numbers['old']} and {numbers['new']} times. Once "
            "to get warm, and once in each round: how many is that?",
        )
    if watch.at_once:
        raise NotYet(
            "at-once",
            "Two calls were under way at the same time, so each was timed with the other one's "
            "work in it. What waits for one call before the next begins?",
        )


def _require_turns(order: Sequence[str]) -> None:
    pairs = [set(order[at : at + 2]) for at in range(0, len(order), 2)]
    if any(len(pair) == 1 for pair in pairs):
        raise NotYet(
            "in-blocks",
            f"The calls came as {', '.join(order)}. If the machine gets busy after half of them, "
            "one of the two looks slow. In which order does it meet both?",
        )


def _require_ratio(value: object, read: int, old: Sequence[float], new: Sequence[float]) -> None:
    wanted = median(old[1:]) / median(new[1:]), median(_of_pairs(old[1:], new[1:]))
    number = float(value) if isinstance(value, int | float) else float("nan")
    if any(isclose(number, each) for each in wanted):
        return
    if not read:
        raise NotYet(
            "own-clock",
            "The clock that it was given was not read. Whose seconds did it count?",
        )
    for other, meaning in _other_ratios(old, new):
        if isclose(number, other):
            raise meaning.again()
    times = [", ".join(map(str, each[1:])) for each in (old, new)]
    raise NotYet(
        "other-ratio",
        f"After a cold call each, `old` took {times[0]} seconds, and `new` {times[1]}. It returned "
        f"{value!r}. Of the medians comes {wanted[0]:g}, of the rounds' ratios {wanted[1]:g}. What "
        "stands between two readings of the clock?",
    )


def _of_pairs(old: Sequence[float], new: Sequence[float]) -> list[float]:
    return [first / second for first, second in zip(old, new, strict=True)]


def _other_ratios(old: Sequence[float], new: Sequence[float]) -> list[tuple[float, NotYet]]:
    """What comes of other thoughts, the one that is told first at the beginning."""
    first, second = old[1:], new[1:]
    pairs = _of_pairs(first, second)
    return [
        (median(second) / median(first), UPSIDE_DOWN),
        (median(_of_pairs(second, first)), UPSIDE_DOWN),
        (median_low(first) / median_low(second), ONE_OF_TWO),
        (median_high(first) / median_high(second), ONE_OF_TWO),
        (median_low(pairs), ONE_OF_TWO),
        (median_high(pairs), ONE_OF_TWO),
        (median(old) / median(new), COLD_COUNTED),
        (median(_of_pairs(old, new)), COLD_COUNTED),
        (mean(old) / mean(new), COLD_COUNTED),
        (mean(first) / mean(second), MEAN),
        (min(first) / min(second), FASTEST),
        (mean(pairs), MEAN),
    ]


UPSIDE_DOWN = NotYet(
    "upside-down",
    "`new` is faster, and the number says that it is slower. Whose time is above the line?",
)
COLD_COUNTED = NotYet(
    "cold-counted",
    "Each was called once to get warm, and that call's time was counted with the others. When is "
    "the clock read for the first time?",
)
MEAN = NotYet(
    "mean",
    "One call was disturbed, and took ten times as long as the others. It moved the mean of all of "
    "them. Which number in the middle does not care how far out one is?",
)
FASTEST = NotYet(
    "fastest",
    "It held the fastest call of each against the other. That is what they can do on their best "
    "day. What do they take on a usual one?",
)
ONE_OF_TWO = NotYet(
    "one-of-two",
    "Of an even number of times two stand in the middle, and it took one of them. What is the "
    "median then, and which function knows?",
)


ONE_FOR_ALL = NotYet(
    "one-for-all-dashboards",
    "Two dashboards were made, with limits of their own, and what holds the limit of one was the "
    "other's as well. Inside of which function has it to be made?",
)
BRANCHES = ["Whitby", "Bath", "Dublin", "Exeter", "Oslo"]


@exercise(
    "13.4",
    title="one limit for all visitors",
    names=("dashboard",),
    why=(
        "The semaphore is made once, with the view, so all visitors stand in the same line; each "
        "branch has its own `try`. The task group ends the rest when something else fails. That "
        "error is taken out of its group, for Django does not look into one."
    ),
    hints=(
        "All questions at once would be as quick as the slowest. Where does a limit have to be "
        "made, so that a second visitor meets the same one?",
        "Around what does a `try` belong, so that the `ConnectionError` of one branch leaves the "
        "lines of the others alone? And if something else fails, who ends what is under way, and "
        "in what does the error arrive at Django?",
        "Is it one `asyncio.Semaphore(limit)` beside `view`, an `async with` of it around "
        "`await ask(branch)`, and an `asyncio.TaskGroup()` in `view`, inside a `try` whose "
        "`except ExceptionGroup as failed` raises `failed.exceptions[0]`?",
    ),
    errors={
        **NO_RESPONSE,
        (RuntimeError, "bound to a different event loop"): ONE_FOR_ALL,
        ConnectionError: NotYet(
            "one-spoils-all",
            "One branch could not be reached, and its error took the whole page, with the answers "
            "of the others. Where could it be caught, so that only its own line says so?",
        ),
        (TypeError, "coroutine"): NotYet(
            "forgotten-await",
            "A coroutine went where its result belongs. Where is an `await` missing?",
        ),
        (ValueError, "Tasks/Futures is empty"): NotYet(
            "nothing-given",
            "A page without branches was asked for, and `asyncio.wait` refuses that. "
            "What does `dashboard_before` answer?",
        ),
        (TypeError, "view must be a callable"): NotYet(
            "no-view",
            "What `dashboard` returned cannot be called, so no URL can lead to it. Which of the "
            "two functions has to be async?",
        ),
    },
    seconds=15,
)
async def dashboard(given):
    await _require_served(given)
    for limit in (2, 3, 1, 9):
        await _require_limit(given, limit)
    await _require_one_limit(given)
    await _require_own_limit(given)
    await _require_closed(given)
    await _require_told_of_others(given)
    await _require_page_of_404(given)
    await _require_end_with_visitor(given)
    return "As many as the limit at once, whoever asks, and one that fails leaves the others alone."


async def _require_served(given) -> None:
    """Visit the page through Django's handler, with branches that answer at once."""
    for branches in (["Whitby", "Bath"], ["Bath", "Whitby", "Bath"], []):
        shown = list(branches)
        seen = await given.result_of("dashboard", shown, driver=_visited)
        require_unchanged(shown, branches)
        if not seen.is_async:
            raise NotYet(
                "still-sync",
                "The view that `dashboard` returned is a sync one, so a thread waits for every "
                "visitor. Which two words begin a view that can await?",
            )
        _require_lines(seen.page.text, [f"{branch}: 3" for branch in branches])


async def _visited(dashboard: Callable, branches: list[str]) -> SimpleNamespace:
    async def ask(branch):
        await turns(1)
        return f"{branch}: 3"

    view = dashboard(ask, 2)
    page = await visit(view, branches=branches, middleware=())
    return SimpleNamespace(page=page, is_async=iscoroutinefunction(view))


def _require_lines(text: str, wanted: Sequence[str]) -> None:
    if text == "\n".join(wanted):
        return
    if sorted(text.splitlines()) == sorted(wanted):
        raise NotYet(
            "other-order",
            f"The lines came as {text.splitlines()!r}: in the order of the answers. Whose order "
            "does the page keep?",
        )
    if set(text.splitlines()) == set(wanted):
        raise NotYet(
            "loses-a-line",
            f"The page has {len(text.splitlines())} lines, and {len(wanted)} branches were asked "
            "for, one of them twice. What has room for a name only once?",
        )
    raise NotYet(
        "other-lines",
        f"The page says {text.splitlines()!r}, and {list(wanted)!r} was asked for. Compare with "
        "`dashboard_before`.",
    )


class _Branches:
    """Branches that answer when they are told to.

    `open` holds the questions under way, in their order.
    """

    def __init__(self):
        self.open: list[tuple[str, asyncio.Future]] = []

    async def ask(self, branch: str) -> str:
        question = branch, asyncio.get_running_loop().create_future()
        self.open.append(question)
        try:
            return await question[1]
        finally:
            self.open.remove(question)

    def answer_last(self, error: Exception | None = None) -> None:
        """Answer what was asked last, or let it fail."""
        branch, future = self.open[-1]
        if error is None:
            future.set_result(f"{branch}: 3")
        else:
            future.set_exception(error)


class _Visitors:
    """Visitors of one dashboard, and what its branches see of them.

    `most` is how many questions were under way at once, `idle` how many places were empty at once
    while so many questions waited.
    """

    def __init__(self, dashboard: Callable, limit: int):
        self.branches = _Branches()
        self.most = self.idle = 0
        self._view = dashboard(self.branches.ask, limit)
        self._limit = limit
        self._tasks: list[asyncio.Task] = []

    async def come(self, branches: Sequence[str] = BRANCHES) -> asyncio.Task:
        """Let one more visitor ask for the page, and get as far as that goes."""
        from django.test import AsyncRequestFactory

        request = AsyncRequestFactory().get("/")
        task = asyncio.create_task(self._view(request, branches=list(branches)))
        self._tasks.append(task)
        await turns()
        return task

    async def answer_all(self, closed: Sequence[str] = ()) -> None:
        """Answer until nothing is asked any more, the last question first.

        Args:
            closed: those that cannot be reached.
        """
        while self.branches.open:
            branch, _ = self.branches.open[-1]
            self.branches.answer_last(ConnectionRefusedError(111) if branch in closed else None)
            await turns()

    def look(self, left: int) -> None:
        """Note how many are under way while so many are not answered."""
        number = len(self.branches.open)
        self.most = max(self.most, number)
        self.idle = max(self.idle, min(self._limit, left) - number)

    async def end(self) -> None:
        for task in self._tasks:
            await end(task)


async def _require_limit(given, limit: int) -> None:
    """Serve one page, and require that so many questions are under way whenever there are."""
    seen = await given.result_of("dashboard", limit, 1, driver=_pages)
    _require_lines(seen.texts[0], [f"{branch}: 3" for branch in BRANCHES])
    possible = min(limit, len(BRANCHES))
    if seen.most == 1 < possible:
        raise NotYet(
            "one-after-another",
            f"There was room for {limit} questions at once, and never more than one was under way. "
            "What starts the next before the one before has been answered?",
        )
    if seen.most == len(BRANCHES) > limit:
        raise NotYet(
            "no-limit",
            f"All {len(BRANCHES)} branches were asked at once, and the limit is {limit}. What lets "
            "so many in, and has the others wait?",
        )
    if seen.most != possible:
        raise NotYet(
            "other-limit",
            f"The limit was {limit} for {len(BRANCHES)} branches, and up to {seen.most} questions "
            "were under way at once. Who says how many there may be?",
        )
    if seen.idle:
        raise NotYet(
            "waits-for-batch",
            "One branch had answered, another one had not yet, and none of those left was asked: "
            "one slow branch holds up its whole batch. What lets the next in as soon as one place "
            "is free?",
        )


async def _require_one_limit(given) -> None:
    seen = await given.result_of("dashboard", 3, 2, driver=_pages)
    if seen.most > 3:
        raise NotYet(
            "limit-for-each-visitor",
            f"Two visitors came, the limit is 3, and {seen.most} questions were under way at once: "
            "each visitor has a limit. How many are there with forty? What do all of them share?",
        )
    if seen.idle:
        raise NotYet(
            "page-after-page",
            "Two visitors came, and places were empty while the second one waited for the first "
            "one's page. What has to be limited: the pages, or the questions?",
        )
    for text in seen.texts:
        _require_lines(text, [f"{branch}: 3" for branch in BRANCHES])


async def _require_own_limit(given) -> None:
    if await given.result_of("dashboard", driver=_two_dashboards) != (3, 1):
        raise ONE_FOR_ALL.again()


async def _two_dashboards(dashboard: Callable) -> tuple[int, int]:
    """How many questions are under way at once of each of two dashboards, with limits 3 and 1."""
    dashboards = _Visitors(dashboard, 3), _Visitors(dashboard, 1)
    try:
        for visitors in dashboards:
            await visitors.come()
        first, second = [len(visitors.branches.open) for visitors in dashboards]
        return first, second
    finally:
        for visitors in dashboards:
            await visitors.end()


async def _pages(dashboard: Callable, limit: int, number: int) -> SimpleNamespace:
    """So many visitors at once, whose questions are answered one by one, the last one first."""
    visitors = _Visitors(dashboard, limit)
    try:
        pages = [await visitors.come() for _ in range(number)]
        left = number * len(BRANCHES)
        while visitors.branches.open:
            visitors.look(left)
            visitors.branches.answer_last()
            left -= 1
            await turns()
        texts = [text_of(await page) for page in pages]
        return SimpleNamespace(most=visitors.most, idle=visitors.idle, texts=texts)
    finally:
        await visitors.end()


PLACE_LOST = NotYet(
    "place-lost",
    "A question ended without an answer, and its place was never free again: after a few of those "
    "nobody is served. On which ways out has a place to be given back, and which statement knows "
    "all of them?",
)


async def _require_closed(given) -> None:
    closed = ["Bath", "Exeter"]
    seen = await given.result_of("dashboard", closed, driver=_with_closed)
    if seen.lost:
        raise PLACE_LOST.again()
    if "Whitby: 3" not in seen.text:
        raise NotYet(
            "loses-others",
            f"Two of {len(BRANCHES)} branches could not be reached, and the page says "
            f"{seen.text!r}. Around what does the `try` stand: the whole, or one question?",
        )
    _require_lines(
        seen.text,
        [f"{branch}: {'closed' if branch in closed else 3}" for branch in BRANCHES],
    )


async def _with_closed(dashboard: Callable, closed: list[str]) -> SimpleNamespace:
    visitors = _Visitors(dashboard, 2)
    try:
        page = await visitors.come()
        await visitors.answer_all(closed)
        if not page.done():
            return SimpleNamespace(lost=True)
        lost = await _has_lost_places(visitors, 2)
        return SimpleNamespace(lost=lost, text=text_of(await page))
    finally:
        await visitors.end()


async def _has_lost_places(visitors: _Visitors, limit: int) -> bool:
    """Whether one more visitor finds fewer places than the limit."""
    await visitors.come()
    lost = len(visitors.branches.open) < limit
    await visitors.answer_all()
    return lost


IN_A_GROUP = NotYet(
    "in-a-group",
    "`ask` raised an error, and it left the view inside an `ExceptionGroup`. Django does not look "
    "into one: of an `Http404` in it the visitor sees a 500. `dashboard_before` raises the error "
    "as it is. What takes it out of its group, whatever kind it is?",
)


async def _require_told_of_others(given) -> None:
    """Let one question fail in a way that is not the page's to catch."""
    seen = SimpleNamespace(goes_on=False, lost=False)
    call = await given.call("dashboard", Mishap(), seen, driver=_with_mishap, expect=Exception)
    if call.grouped:
        raise IN_A_GROUP.again()
    require_itself(call, "view", "`ask`")
    late = await given.call("dashboard", _Late(), seen, driver=_with_mishap, expect=Exception)
    if late.error is None:
        raise NotYet(
            "catches-too-much",
            "`ask` raised a `TimeoutError`, which is no `ConnectionError`, and the page calls the "
            "branch closed. Which errors does your `except` name, and what else is of their kind?",
        )
    require_itself(late, "view", "`ask`", _Late)
    call = await given.call("dashboard", OtherOutage(), seen, driver=_with_mishap, expect=Exception)
    require_itself(call, "view", "`ask`")
    if seen.goes_on:
        raise NotYet(
            "goes-on",
            "One question failed, so that there will be no page, and others were under way all the "
            "same, for nobody, in places that visitors wait for. What ends the rest as soon as one "
            "fails?",
        )
    if seen.lost:
        raise PLACE_LOST.again()


class _Late(Mishap, TimeoutError):
    """What a branch may raise that is an `OSError`, as a `ConnectionError` is, and is none."""


async def _with_mishap(dashboard: Callable, error: Exception, seen: SimpleNamespace) -> object:
    visitors = _Visitors(dashboard, 2)
    try:
        page = await visitors.come()
        visitors.branches.answer_last(error)
        await turns()
        seen.goes_on = seen.goes_on or bool(visitors.branches.open)
        await visitors.answer_all()
        if page.done():
            seen.lost = await _has_lost_places(visitors, 2) or seen.lost
        return await page
    finally:
        await visitors.end()


async def _require_page_of_404(given) -> None:
    """Let a question find nothing, by an error that Django's handler makes a page of."""
    call = await given.call("dashboard", driver=_visited_in_vain, expect=Http404)
    if call.grouped:
        raise IN_A_GROUP.again()
    if call.value.status != 404:
        raise NotYet(
            "catches-too-much",
            f"`ask` raised an `Http404`, and the status is {call.value.status}. What does "
            "`dashboard_before` answer?",
        )


async def _visited_in_vain(dashboard: Callable) -> Response:
    async def ask(branch):
        await turns(1)
        raise Http404(branch)

    return await visit(dashboard(ask, 2), branches=["Whitby", "Bath"], middleware=())


async def _require_end_with_visitor(given) -> None:
    """Let a visitor leave who waits for a place, then one whose questions are under way."""
    seen = await given.result_of("dashboard", driver=_with_leavers)
    require_cancelled("view", seen.cancelled)
    if seen.goes_on:
        raise NotYet(
            "asks-for-nobody",
            "The visitor left, and the questions went on, for nobody, in places that others wait "
            "for. What passes a cancellation on to all that it has begun?",
        )
    if seen.lost:
        raise PLACE_LOST.again()


async def _with_leavers(dashboard: Callable) -> SimpleNamespace:
    visitors = _Visitors(dashboard, 2)
    try:
        leavers = [await visitors.come(), await visitors.come()]
        for each in reversed(leavers):
            each.cancel()
            await turns()
        cancelled = all(each.cancelled() for each in leavers)
        goes_on = bool(visitors.branches.open)
        await visitors.answer_all()
        lost = await _has_lost_places(visitors, 2)
        return SimpleNamespace(cancelled=cancelled, goes_on=goes_on, lost=lost)
    finally:
        await visitors.end()


TODAY, LAST_YEAR = date(2025, 6, 2), date(2024, 6, 2)
VISITORS = 6
ON_THE_LOOP = NotYet(
    "on-the-loop",
    "`compute` ran on the loop's thread, and nobody else is served before it ends. Which function "
    "of asyncio sends it to another one?",
)
SOON = 3
"""Seconds to wait for what a right answer does at once."""
ENDS = 0.2
"""Seconds that a thread gets to end whose work is done."""


@exercise(
    "13.5",
    title="the same report, forty times",
    names=("shared",),
    why=(
        "The computing is a task that no visitor owns: `shield` lets each leave alone, and whoever "
        "comes while it is under way finds it in the dict, out of which it takes itself in the end."
    ),
    hints=(
        "A thread frees the loop, and forty threads compute forty times, with one interpreter's "
        "lock between them. Where could a second visitor find out that the first one's computing "
        "is under way, and wait for that?",
        "What can be awaited by many: a coroutine, or a task? What happens to a task when one of "
        "those who await it is cancelled? When does it have to be forgotten?",
        "Is it a dict of tasks by the day; in the task an `await asyncio.to_thread(compute, day)`, "
        "with a `finally` that takes it out; and `await asyncio.shield(...)` for each visitor?",
    ),
    errors={
        (RuntimeError, "cannot reuse already awaited coroutine"): NotYet(
            "coroutine-twice",
            "Two visitors awaited the same coroutine, and that runs once, for one. What can be "
            "awaited by many?",
        ),
        (RuntimeError, "coroutine is being awaited already"): NotYet(
            "coroutine-twice",
            "Two visitors awaited the same coroutine at once, and that runs once, for one. What "
            "can be awaited by many?",
        ),
        (TypeError, "coroutine was expected"): ON_THE_LOOP,
        (TypeError, "await"): NotYet(
            "no-report",
            "What `shared` returned gives nothing that can be awaited. Which of the two functions "
            "has to be async?",
        ),
        (TypeError, "not callable"): NotYet(
            "no-report",
            "What `shared` returned cannot be called. Which of the two functions has to be async?",
        ),
    },
    seconds=20,
)
async def shared(given):
    await _require_computed_once(given)
    await _require_next_is_new(given)
    await _require_own_dict(given)
    for error in Mishap(), Outage():
        await _require_error_for_all(given, error)
    for leaver, number in (0, 3), (1, 3), (0, 1):
        await _require_others_stay(given, leaver, number)
    return "Computed once for all who wait, off the loop, and anew for whoever comes next."


class _Computing:
    """A function that computes on a thread until it is let go on.

    `calls` holds the days, in the order of the calls; `places` the kinds of threads it ran on, and
    `threads` these threads themselves.

    Args:
        error: what the first call raises in the end; nothing, if left out.
        loop_is_free: tells of the loop that the call came from; it is asked on the thread.

    `held` says whether that loop stood still for it.
    """

    def __init__(
        self, error: Exception | None = None, loop_is_free: Callable[[], bool] = lambda: True
    ):
        self.calls: list[date] = []
        self.places: set[str] = set()
        self.threads: set[threading.Thread] = set()
        self.held = False
        self._error, self._go_on = error, threading.Event()
        self._loop_is_free = loop_is_free

    def compute(self, day: date) -> str:
        self.calls.append(day)
        number = len(self.calls)
        self.places.add(place())
        self.threads.add(threading.current_thread())
        if not self.places & {EVENT_LOOP, THREAD_SENSITIVE_WORKER}:
            self.held = self.held or not self._loop_is_free()
            if not self.held:
                self._go_on.wait(LONG)
        if self._error is not None and number == 1:
            raise self._error
        return f"{day}, computed as number {number}"

    def go_on(self) -> None:
        self._go_on.set()

    async def begins(self) -> None:
        """Wait until it computes, and whoever awaits that has got as far."""
        await until(lambda: self.calls, SOON)
        await turns()


async def _require_computed_once(given) -> None:
    """Let some ask for today, one for a year ago, and one more for today meanwhile."""
    with noting_new_threads() as threads:
        seen = await given.result_of("shared", threads, given.loop_is_free, driver=_asked_together)
    if EVENT_LOOP in seen.places:
        raise ON_THE_LOOP.again()
    if THREAD_SENSITIVE_WORKER in seen.places:
        raise NotYet(
            "holds-the-worker",
            "`compute` ran on the worker that everybody's queries go to, and they wait for it. It "
            "touches no database. Where else can it run?",
        )
    if seen.held:
        raise NotYet(
            "waits-on-the-loop",
            "`compute` ran on another thread, and the loop's own thread stood still until it was "
            "done: it waited without an `await`. What can be awaited that a thread works for?",
        )
    if LAST_YEAR not in seen.calls:
        raise NotYet(
            "other-day",
            "Somebody asked for the report of this day a year ago, and it was never computed: "
            "today's was under way. What tells whether it is the same one?",
        )
    if not seen.at_once:
        raise NotYet(
            "day-after-day",
            "Last year's report had to wait until today's was computed. They have nothing to do "
            "with each other. What belongs to one day alone?",
        )
    if len(seen.calls) > 2:
        raise NotYet(
            "computes-for-each",
            f"For {VISITORS} visitors of today's report and one of last year's it was computed "
            f"{len(seen.calls)} times, and each takes the processor for as long. What can the "
            "others wait for?",
        )
    if seen.threads > 2:
        raise NotYet(
            "thread-for-each",
            f"It was computed once, and {seen.threads} threads were started: those who wait hold "
            "one each. What waits without a thread?",
        )
    if seen.ended:
        raise NotYet(
            "thread-of-its-own",
            "`compute` ran on a thread that was made for it, and ended with it: for each day that "
            "is asked for there is one more, as many as there are days. Whose threads stay, and "
            "are so many and no more?",
        )
    _require_reports(seen.reports, TODAY)


def _require_reports(reports: Sequence[object], day: date) -> None:
    for report in reports:
        if not isinstance(report, str) or not report.startswith(f"{day}, computed"):
            raise NotYet(
                "other-report",
                f"For {day} a visitor got {report!r}, and `compute` had returned a text that "
                "begins with the day. What does every one of them get?",
            )


async def _asked_together(
    shared: Callable, threads: list[str], loop_is_free: Callable[[], bool]
) -> SimpleNamespace:
    work = _Computing(loop_is_free=loop_is_free)
    report = shared(work.compute)
    days = [TODAY, LAST_YEAR, *[TODAY] * (VISITORS - 2)]
    visitors = [asyncio.create_task(awaiting(report(day))) for day in days]
    try:
        at_once = await until(lambda: {TODAY, LAST_YEAR} <= set(work.calls), SOON)
        visitors.append(asyncio.create_task(awaiting(report(TODAY))))
        await turns()
        seen = SimpleNamespace(at_once=at_once, threads=len(threads))
        work.go_on()
        seen.reports = await asyncio.gather(*visitors)
        del seen.reports[1]
        seen.ended = await until(lambda: not all(each.is_alive() for each in work.threads), ENDS)
        seen.places, seen.held, seen.calls = work.places, work.held, work.calls
        return seen
    finally:
        await _end_all(work, visitors)


async def _end_all(work: _Computing, visitors: Sequence[asyncio.Task]) -> None:
    work.go_on()
    for each in visitors:
        await end(each)


async def _require_next_is_new(given) -> None:
    call = await given.call("shared", driver=_asked_in_turn)
    if call.value.calls != [TODAY, TODAY]:
        raise NotYet(
            "old-report",
            "The report was done, the data may have changed since, and the next visitor got the "
            "old one. Until when is it true that it is under way?",
        )
    _require_reports(call.value.reports, TODAY)


async def _asked_in_turn(shared: Callable) -> SimpleNamespace:
    work = _Computing()
    work.go_on()
    report = shared(work.compute)
    reports = []
    for _ in range(2):
        reports.append(await report(TODAY))
        await turns()
    return SimpleNamespace(calls=work.calls, reports=reports)


async def _require_own_dict(given) -> None:
    first, second = await given.result_of("shared", driver=_two_functions)
    if [len(first), len(second)] != [1, 1]:
        raise NotYet(
            "mixes-functions",
            "Two functions were shared, both were asked for the same day, and one of them was "
            "never called: its visitors got the other one's report. Whose is the note of what is "
            "under way?",
        )


async def _two_functions(shared: Callable) -> tuple[list, list]:
    works = _Computing(), _Computing()
    reports = [shared(work.compute) for work in works]
    visitors = [asyncio.create_task(awaiting(report(TODAY))) for report in reports]
    try:
        await until(lambda: all(work.calls for work in works), SOON)
        for work in works:
            work.go_on()
        await asyncio.gather(*visitors)
        return works[0].calls, works[1].calls
    finally:
        await _end_all(works[0], visitors)
        works[1].go_on()


NEVER_TOLD = NotYet(
    "never-told",
    "The computing had ended, and a visitor who had waited for it waited still. Who tells those "
    "who wait, on every way in which it can end?",
)


async def _require_error_for_all(given, error: Exception) -> None:
    seen = await given.result_of("shared", error, driver=_with_error)
    if seen.waits:
        raise NEVER_TOLD.again()
    for outcome in seen.outcomes:
        if isinstance(outcome, asyncio.CancelledError):
            raise LEAVE_TOGETHER.again()
        if not isinstance(outcome, BaseException):
            raise NotYet(
                "swallowed",
                f"`compute` raised, and a visitor who had waited for it got {outcome!r}. Who has "
                "to hear of the error?",
            )
        if seen.returned:
            raise NotYet(
                "error-for-a-report",
                f"`compute` raised, and each visitor got `{outcome!r}` as if that were the report. "
                "What makes an error of it again?",
            )
        if not isinstance(outcome, Mishap):
            raise NotYet(
                "other-exception",
                f"`compute` raised, and a visitor got a `{type(outcome).__name__}` in place of "
                "what was raised. What lets an exception go on as it is?",
            )
    if isinstance(seen.next, BaseException):
        raise NotYet(
            "keeps-the-error",
            "The computing failed once, and whoever asked afterwards got the error of that time. "
            "On which ways out has it to be forgotten?",
        )
    _require_reports([seen.next], TODAY)


async def _with_error(shared: Callable, error: Exception) -> SimpleNamespace:
    """Let three wait for what fails, and ask once more when it has failed."""
    work = _Computing(error)
    report = shared(work.compute)
    visitors = [asyncio.create_task(awaiting(report(TODAY))) for _ in range(3)]
    try:
        await work.begins()
        work.go_on()
        if not await until(lambda: all(each.done() for each in visitors), SOON):
            return SimpleNamespace(waits=True)
        outcomes = await asyncio.gather(*visitors, return_exceptions=True)
        returned = any(
            isinstance(outcome, Exception) and each.exception() is None
            for each, outcome in zip(visitors, outcomes, strict=True)
        )
        await turns()
        visitors.append(asyncio.create_task(awaiting(report(TODAY))))
        if not await until(visitors[-1].done, SOON):
            return SimpleNamespace(waits=True)
        [following] = await asyncio.gather(visitors[-1], return_exceptions=True)
        seen = {"outcomes": outcomes, "returned": returned, "next": following}
        return SimpleNamespace(waits=False, **seen)
    finally:
        await _end_all(work, visitors)


LEAVE_TOGETHER = NotYet(
    "leave-together",
    "One visitor left, and another one, who had waited for the same report, was cancelled with "
    "that. What keeps a task from being cancelled by those who await it?",
)


async def _require_others_stay(given, leaver: int, number: int) -> None:
    seen = await given.result_of("shared", leaver, number, driver=_with_leaver)
    if any(isinstance(outcome, asyncio.CancelledError) for outcome in seen.outcomes):
        raise LEAVE_TOGETHER.again()
    require_cancelled("report", seen.cancelled)
    if len(seen.calls) > 1:
        raise NotYet(
            "computes-again",
            "A visitor left while it was computed, another one came, and it was computed a second "
            "time beside the first. Who has to forget it: a visitor who leaves, or the end of the "
            "computing?",
        )
    if seen.waits:
        raise NEVER_TOLD.again()
    _require_reports(seen.outcomes, TODAY)


async def _with_leaver(shared: Callable, leaver: int, number: int) -> SimpleNamespace:
    """Let one of so many leave while it is computed, and another one come."""
    work = _Computing()
    report = shared(work.compute)
    visitors = [asyncio.create_task(awaiting(report(TODAY))) for _ in range(number)]
    left = visitors.pop(leaver)
    try:
        await work.begins()
        left.cancel()
        await turns()
        cancelled = left.done() and left.cancelled()
        visitors.append(asyncio.create_task(awaiting(report(TODAY))))
        await turns()
        work.go_on()
        waits = not await until(lambda: all(each.done() for each in visitors), SOON)
        done = [each for each in visitors if each.done()]
        outcomes = await asyncio.gather(*done, return_exceptions=True)
        return SimpleNamespace(
            cancelled=cancelled, calls=work.calls, waits=waits, outcomes=outcomes
        )
    finally:
        await _end_all(work, [left, *visitors])
