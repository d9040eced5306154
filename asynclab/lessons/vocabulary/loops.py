"""Whether an answer leaves the loop free, and which loops it has its coroutines run."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ...exercises.apart import notebooks_loop
from ...exercises.book import NotYet
from ...exercises.given import Call, Given
from ...exercises.lineage import is_beside
from ...recorder import hooks
from ...recorder.hooks import before_queries


class Hosts:
    """The loops that run a check's own async function: `hosts.note()` is called in it.

    `loops` are those that were running; `nested` says whether one ran inside another on the same
    thread, as nest_asyncio lets it.
    """

    def __init__(self):
        self.loops: set[asyncio.AbstractEventLoop] = set()
        self.nested = False
        self._of_notebook = notebooks_loop()

    def note(self) -> None:
        """Note the loop that is running here."""
        self.loops.add(asyncio.get_running_loop())
        self.nested = self.nested or _steps_under_way() > 1

    def require_own(self, what: str) -> None:
        """Require that the notebook's loop was none of them.

        Args:
            what: the async function, as the reader knows it.

        Raises:
            NotYet: "notebooks-loop".
        """
        if self._of_notebook in self.loops:
            raise NotYet(
                "notebooks-loop",
                f"{what} ran on the loop of this notebook, which only a notebook has: in a command "
                "there is none, and under ASGI it is not the server's. What finds the loop that is "
                "there, or makes one?",
            )


def _steps_under_way() -> int:
    """How many loops are in the middle of a step on this thread."""
    frame, number = sys._getframe(), 0
    while frame is not None:
        number += frame.f_code.co_name == "_run" and frame.f_globals is vars(asyncio.events)
        frame = frame.f_back
    return number


@contextmanager
def noting_new_loops() -> Iterator[list[asyncio.AbstractEventLoop]]:
    """Note the event loops that a call makes in the block."""
    made = []

    def note(loop):
        if not is_beside():
            made.append(loop)

    with hooks.before(asyncio.BaseEventLoop, "__init__", note):
        yield made


class LoopWatch:
    """What work that an answer has begun sees of the loop that the call came from.

    `look()` is called where the work is done: by a check's own function, or before a query.

    Args:
        given: its call under way is the one that is watched.

    `home` says whether some work ran on the thread of that loop, `other` whether some ran on
    another loop's, `held` whether the loop stood still, on any thread, for work on another one.
    """

    PATIENCE = 1
    """Seconds that the loop has for its turns. One that is held takes them all, once."""

    def __init__(self, given: Given):
        self.home = self.other = self.held = False
        self._given = given

    def look(self) -> None:
        """Look at the loop from here."""
        if self._given.is_home():
            self.home = True
            return
        self.other = self.other or asyncio._get_running_loop() is not None
        self.held = self.held or not self._given.loop_is_free(self.PATIENCE)


async def call_off_the_loop(given: Given, name: str, *args, **options) -> Call:
    """A call whose queries leave the loop free, whatever Django's guard says; see `Given.call`.

    Raises:
        NotYet: what `Given.call` raises; "query-on-the-loop" for a query on the thread of a loop;
            "waits-on-the-loop" for one on another thread that the loop stood still for.
    """
    watch = LoopWatch(given)

    def look(_cursor, _sql):
        if not is_beside():
            watch.look()

    with before_queries(look):
        try:
            call = await given.call(name, *args, **options)
        except NotYet:
            _require_free(watch)
            raise
    _require_free(watch)
    return call


async def call_on_own_connections(given: Given, name: str, *args, **options) -> Call:
    """The same, and each query goes over the connection of the thread that it runs on.

    Raises:
        NotYet: as for `call_off_the_loop`; "borrowed-connection" for a query on one thread over the
            connection of another.
    """
    borrowed = []

    def look(cursor, _sql):
        if not is_beside() and cursor.db._thread_ident != threading.get_ident():
            borrowed.append(cursor)

    with before_queries(look):
        call = await call_off_the_loop(given, name, *args, **options)
    if borrowed:
        raise NotYet(
            "borrowed-connection",
            "The query ran on one thread, over the connection of another one, which you allowed to "
            "be shared. Whoever queries over it meanwhile is in the same transaction. Whose "
            "connection does a query use without your help?",
        )
    return call


async def require_free_for_one(
    given: Given, name: str, one: str, work: str, last: bool = False
) -> None:
    """Call the reader's function with a sync function, and a list that holds only `one`.

    Args:
        work: the sync function, as the reader knows it.
        last: whether the reader's function gets it after the list.

    Raises:
        NotYet: "blocks-for-one" if the loop was not free meanwhile, or what `Given.call` raises.
    """
    watch = LoopWatch(given)

    def look(_one):
        watch.look()
        return 1

    await given.result_of(name, *(([one], look) if last else (look, [one])))
    if watch.home or watch.held:
        where = "ran on" if watch.home else "was waited for on"
        raise NotYet(
            "blocks-for-one",
            f"Given a list of one, {work} {where} the loop's own thread, and nobody else was "
            "served meanwhile. How long does one of them take?",
        )


def _require_free(watch: LoopWatch) -> None:
    if watch.home or watch.other:
        raise NotYet(
            "query-on-the-loop",
            "A query ran on the thread of a running event loop: the guard was switched off, or "
            "got round, and the danger that it warns of is still there. Nobody else is served "
            "meanwhile, and tasks share one connection. Which thread do queries belong on?",
        )
    if watch.held:
        raise NotYet(
            "waits-on-the-loop",
            "The query ran on another thread, and the loop's own thread stood still until it was "
            "there: it waited without an `await`. Which call sends work to a thread and can be "
            "awaited?",
        )
