"""The checks of lesson 11: database connections."""

import asyncio
import datetime
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.db import (
    DatabaseError,
    IntegrityError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError

from ..exercises.book import NotYet, exercise
from ..exercises.lineage import is_beside
from ..recorder import hooks
from ..servers import PostgreSQL
from .vocabulary.failing import Mishap, Outage, fail_in_many_ways, require_told
from .vocabulary.logs import noting_reports
from .vocabulary.open_connections import Opened
from .vocabulary.own_postgresql import lock_out, on_postgresql, set_otherwise
from .vocabulary.serving import visit
from .vocabulary.tasks import Gate, all_of, pass_time, told_to_the_loop, turns, until
from .vocabulary.threads import SECOND_LOOP, require_this_loop
from .vocabulary.transactions import as_another_process, committed

ON_THE_LOOP = NotYet(
    "on-the-loop",
    "Something that uses the connection ran on the loop's thread: a query, a transaction, or a "
    "`close`. What sends a sync function to the worker?",
)
LEFT_OPEN = NotYet(
    "left-open",
    "Your queries ran on a thread that nobody else uses, and the connection that it has opened is "
    "still open. On which thread do the queries of `await` and `sync_to_async` run?",
)


OTHERS_CONNECTION = NotYet(
    "others-connection",
    "`connection.close` was looked up on the loop's thread, and is that thread's connection for "
    "good; the worker may not use it. Where has the name `connection` to be looked up?",
)


@exercise(
    "11.1",
    title="who holds the slots",
    names=("idle_by_name",),
    why=(
        "PostgreSQL itself knows who is connected, and a connection that asks is busy while it "
        "does, so it does not count itself."
    ),
    hints=(
        "`pg_stat_activity` has a row for each connection, to whichever database. Which three of "
        "its columns do you need?",
        "Which function of PostgreSQL says to which database you are connected? And what makes one "
        "row of all that have the same name?",
        "Does a sync function use `connection.cursor()`, with `datname = current_database()` and "
        "`state = 'idle'`, and is it sent through `sync_to_async`?",
    ),
    errors={SynchronousOnlyOperation: ON_THE_LOOP},
)
async def idle_by_name(given):
    wanted = {"till": 3, "report": 1, "": 2}
    others = {"till": 2, "report": 2, "": 2, "elsewhere": 1}
    async with on_postgresql() as server:
        call = await given.call("idle_by_name", server, others, driver=_with_others)
        found, elsewhere, more = call.value
        if not isinstance(found, dict):
            raise NotYet(
                "no-dict",
                f"It returned a `{type(found).__name__}`. What makes a dict of pairs?",
            )
        _require_idle(found, wanted)
        if elsewhere:
            raise LEFT_OPEN.again()
        if more:
            raise NotYet(
                "second-connection",
                "Beside the connection that Django has there anyway, your code has opened another "
                "one, which is still open. Who closes what Django does not know of, or could the "
                "one that is there ask?",
            )
        found, *_ = await given.result_of("idle_by_name", server, {"till": 4}, driver=_with_others)
        if found != {"till": 5}:
            raise NotYet(
                "remembers",
                f"Asked once more, when five tills were idle and nobody else, it returned {found}. "
                "What does your code keep from one call to the next?",
            )
        await asyncio.to_thread(lock_out, server)
        gone = {"what": "The database", "error": (DatabaseError, connection.Database.Error)}
        await require_told(given, "idle_by_name", **gone)
    return (
        "Three of the till's were idle, one report, and two that say no name; nobody else was "
        "counted."
    )


def _require_idle(found: dict, wanted: dict[str, int]) -> None:
    if "elsewhere" in found:
        raise NotYet(
            "other-database",
            "A server has many databases, and it counted connections to all of them. Which "
            "column says to which one, and which function of PostgreSQL names yours?",
        )
    if found == {name: number for name, number in wanted.items() if name}:
        raise NotYet(
            "nameless",
            "Two idle connections say no name, as Django's own do if nobody gives them one: their "
            "`application_name` is empty. What in your code leaves them out?",
        )
    if found == wanted | {"till": wanted["till"] - 1}:
        raise NotYet(
            "own-role",
            "One of the tills has logged in as another role of PostgreSQL, and was left out. It "
            "holds a slot like the others. What in your code asks who has logged in?",
        )
    if found == wanted | {"report": 2}:
        raise NotYet(
            "in-transaction",
            "One connection is `idle in transaction`: it may hold locks, and is another case than "
            "one that waits for its next request. Which state is meant?",
        )
    if sum(found.values()) > sum(wanted.values()):
        raise NotYet(
            "all-states",
            f"It returned {found}: those that are at work are among them, the one that asked as "
            "well. Which column says what a connection does?",
        )
    if found != wanted:
        raise NotYet(
            "other-numbers",
            f"It returned {found}. There were three idle connections that call themselves `till`, "
            "one `report`, and two that say no name. What does each of your rows stand for?",
        )


async def _with_others(
    idle_by_name: Callable, server: PostgreSQL, others: dict[str, int]
) -> tuple[object, int, int]:
    """What it returns beside other clients, and how many connections it has left open.

    First those of threads that nobody else uses, then all.

    Args:
        others: as for `_clients`. One more till has a role of its own; a report is at work.
    """
    await sync_to_async(connections.close_all)()
    where = connections["default"].settings_dict
    with _role_beside(server) as role, _clients(others) as clients:
        clients["till"].append(_connect("till", where["NAME"], where | {"USER": role}))
        for each in clients.get("report", [])[:1]:
            each.execute("BEGIN")
        before = (await server.settled()).total()
        with Opened() as opened:
            found = await idle_by_name()
            djangos = await sync_to_async(lambda: connection.connection is not None)()
            # Also those that somebody has opened who goes past Django.
            left = (await server.settled()).total() - before - djangos
            return found, opened.left, left


@contextmanager
def _role_beside(server: PostgreSQL) -> Iterator[str]:
    """A role that may log in, as long as the block lasts; roles are those of the whole server.

    Django's is a member of it, or PostgreSQL would not tell it what its connections do.
    """
    where = connections["default"].settings_dict
    role = f"clerk_of_{where['NAME']}"
    server.run(f"CREATE ROLE {role} LOGIN ROLE {where['USER']}")
    try:
        yield role
    finally:
        server.run(f"DROP ROLE {role}")


@contextmanager
def _clients(numbers: dict[str, int]) -> Iterator[dict[str, list]]:
    """Connections of other programs, by their names; those `elsewhere` to another database."""
    where = connections["default"].settings_dict
    clients = {}
    try:
        for name, number in numbers.items():
            database = "postgres" if name == "elsewhere" else where["NAME"]
            clients[name] = [_connect(name, database, where) for _ in range(number)]
        yield clients
    finally:
        for each in sum(clients.values(), []):
            each.close()


def _connect(name: str, database: str, where: dict):
    import psycopg

    address = {"host": where["HOST"], "port": where["PORT"], "user": where["USER"]}
    return psycopg.connect(**address, dbname=database, application_name=name, autocommit=True)


POOL = {"pool": {"min_size": 1, "max_size": 2, "timeout": 1}}
VISITORS = 5
"""At once, more than the pool has connections."""


class _Branch:
    """Another branch that answers when all visitors have asked it, or one of them has failed.

    `together` is how many have asked by then, `held` how many connections were open meanwhile; what
    opens one in that time is waited for, and `more` says whether something did. `elsewhere` says
    whether it was asked on another loop.
    """

    MEANWHILE = 0.2
    """Seconds."""

    def __init__(self, visitors: int, error: Exception | None = None, opened: Opened | None = None):
        self.asked = self.together = self.held = 0
        self.titles: list[str] = []
        self._visitors, self._error, self._opened = visitors, error, opened
        self._answers = self.elsewhere = self.more = False
        self._loop = asyncio.get_running_loop()

    async def ask(self, title: str) -> str:
        before = 0 if self._opened is None else self._opened.left
        self.asked += 1
        self.titles.append(title)
        self.elsewhere = self.elsewhere or asyncio.get_running_loop() is not self._loop
        await until(lambda: self._answers or self.asked == self._visitors, 1)
        self.answer()
        if self._opened is not None:
            await until(lambda: self._opened.left, self.MEANWHILE)
            self.held = max(self.held, self._opened.left)
            self.more = self.more or self.held > before
        if self._error:
            raise self._error
        return "2 copies"

    def answer(self) -> None:
        """Let nobody wait any more."""
        if not self._answers:
            self.together, self._answers = self.asked, True


OTHER_BOOK = "Dracula"
"""A book whose loans are not those of the first."""


@contextmanager
def _noting_closed_pools() -> Iterator[list[bool]]:
    """Note each pool that is closed."""
    from django.db.backends.postgresql.base import DatabaseWrapper  # needs psycopg

    closed = []

    def note(_wrapper):
        if not is_beside():
            closed.append(True)

    with hooks.before(DatabaseWrapper, "close_pool", note):
        yield closed


@contextmanager
def _noting_empty_closes() -> Iterator[list[bool]]:
    """Note each close of a connection that is not open: somebody has the wrong one."""
    empty = []

    def note(wrapper):
        # Who got no connection has none to close.
        if wrapper.connection is None and sys.exception() is None and not is_beside():
            empty.append(True)

    with hooks.before(BaseDatabaseWrapper, "close", note):
        yield empty


CLOSES_THE_POOL = NotYet(
    "closes-the-pool",
    "Your code calls `close_pool()`: that ends the pool of the whole process, with the connections "
    "that other visitors have borrowed. Which method of a connection only gives one back?",
)


@exercise(
    "11.2",
    title="a page that waits in line",
    names=("page",),
    why=(
        "With a pool, `close()` gives the connection back. On the worker of the request it is the "
        "one that the query has borrowed, and the next query borrows again."
    ),
    hints=(
        "When does Django give back what a request has borrowed? What does the page do meanwhile?",
        "`connection.close()` gives back the connection of the thread that calls it. Which thread "
        "has made the query?",
        "Does one sync function, sent through `sync_to_async`, make the first query in a `try` and "
        "call `connection.close()` in the `finally`?",
    ),
    errors={
        SynchronousOnlyOperation: ON_THE_LOOP,
        (DatabaseError, "only be used in that same thread"): OTHERS_CONNECTION,
        (KeyError, "default"): CLOSES_THE_POOL,
    },
)
async def page(given):
    from library.models import Book, Loan

    async with on_postgresql(OPTIONS=POOL):
        call = await given.call("page", driver=_crowd, expect=OperationalError)
        if call.error is not None:
            raise HELD.again()
        seen = call.value
        if seen.closed:
            raise CLOSES_THE_POOL.again()
        if seen.refused:
            alone = await given.call("page", driver=_one, expect=OperationalError)
            _require_given_back(seen, more=alone.error is None and alone.value.more)
        require_this_loop(call)
        if seen.elsewhere:
            raise SECOND_LOOP.again()
        if seen.together < VISITORS:
            raise NotYet(
                "by-turns",
                f"Five visitors came, and only {seen.together} could ask the other branch at once: "
                "your code makes the others wait. If a page has no connection while it asks, whom "
                "does it keep waiting?",
            )
        if any(title != "Frankenstein" for title in seen.titles):
            raise NotYet(
                "other-question",
                "The other branch was asked for something else than the title of the book. With "
                "what does the page of the card ask?",
            )
        for text in seen.texts:
            if text != "Frankenstein: 2 copies, 3 loans":
                raise NotYet("other-text", f"It said {text!r}. What says the page of the card?")
        call = await given.call("page", driver=_one, expect=OperationalError)
        if call.error is not None:
            raise NOT_GIVEN_BACK.again()
        if call.value.held:
            raise QUERIES_MEANWHILE.again()
        loans = await Loan.objects.filter(book__title=OTHER_BOOK).acount()
        call = await given.call("page", None, OTHER_BOOK, driver=_one)
        if call.value.text != (wanted := f"{OTHER_BOOK}: 2 copies, {loans} loans"):
            raise NotYet(
                "other-book",
                f"Asked for {OTHER_BOOK!r}, it said {call.value.text!r}, and should say "
                f"{wanted!r}. What on the page is the same for every book?",
            )
        call = await given.call("page", Outage(), driver=_one, expect=Mishap)
        if call.error is None:
            raise NotYet(
                "hides-the-error",
                "The other branch failed, and the page said nothing of it. Who should hear of it?",
            )
        call = await given.call("page", None, "No Such Book", driver=_one, expect=Book.DoesNotExist)
        if call.error is None:
            raise NotYet(
                "hides-no-book",
                "The library has no such book, and `Book.DoesNotExist` did not come out of `page`. "
                "What does the card say?",
            )
    return "Five pages waited for the other branch, and two connections were enough."


QUERIES_MEANWHILE = NotYet(
    "queries-meanwhile",
    "A query ran while the other branch was asked, and took a connection until the end of the "
    "request. Which of the two has to wait for the other?",
)
HELD = NotYet(
    "held",
    "Five visitors came, the pool has two connections, and somebody got none in time: `couldn't "
    "get a connection`. Who had them, while the other branch was asked?",
)
NOT_GIVEN_BACK = NotYet(
    "not-given-back",
    "All pages asked the other branch, and then somebody got no connection: `couldn't get a "
    "connection`. On which thread is what nobody gives back?",
)


def _require_given_back(seen: SimpleNamespace, more: bool) -> None:
    """Say why visitors were refused; `more`: one who is alone borrows while the branch is asked."""
    if seen.empty:
        raise NotYet(
            "other-thread",
            "Your code closes a connection that is not open: each thread has its own, and the "
            "query ran on another one. Where has the close to run?",
        )
    if more:
        raise QUERIES_MEANWHILE.again()
    raise (HELD if seen.together < VISITORS else NOT_GIVEN_BACK).again()


async def _crowd(page: Callable) -> SimpleNamespace:
    branch, errors = _Branch(VISITORS), []

    async def one() -> str | None:
        try:
            return (await visit(page, title="Frankenstein", ask=branch.ask)).text
        except OperationalError as error:
            errors.append(error)
        finally:
            branch.answer()

    with _noting_empty_closes() as empty, _noting_closed_pools() as closed:
        texts = await all_of(one() for _ in range(VISITORS))
    said = {"refused": len(errors), "empty": bool(empty), "closed": bool(closed)}
    return SimpleNamespace(texts=texts, **said, **vars(branch))


async def _one(
    page: Callable, error: Exception | None = None, title: str = "Frankenstein"
) -> _Branch:
    with Opened() as opened:
        branch = _Branch(1, error, opened)
        branch.text = (await visit(page, title=title, ask=branch.ask)).text
    return branch


class _JobFails(Outage, OperationalError, IntegrityError):
    """An outage that might be one of the database's as well."""


KEPT = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
YEARS = [2001, 2002, 2003, 2004]
"""What the jobs of a night write."""
FAILS = YEARS[-1]
"""The job that fails."""
HOURS = 12 * 3600
"""Seconds."""


class _Night:
    """Jobs that come one by one; the database is restarted before that of `restart`.

    Hours pass before that one, and `gave_up` says whether its end was not waited for. The job that
    is to fail raises `error`. `autocommit` says whether the worker's connection was
    left with it.
    """

    def __init__(
        self, server: PostgreSQL, years: list[int], restart: int, error: Exception | None = None
    ):
        self.ran: list[int] = []
        self.bare = self.ahead = self.went_on = self.gave_up = False
        self.autocommit, self._error = True, error
        self._server, self._years, self._restart = server, years, restart

    async def jobs(self) -> AsyncIterator[Callable[[], None]]:
        for year in self._years:
            if year == self._restart:
                await asyncio.to_thread(self._server.disconnect)
                await self._let_hours_pass()
            yield self._job(year)
            self.ahead = self.ahead or year not in self.ran
        self.went_on = True

    async def _let_hours_pass(self) -> None:
        try:
            await pass_time(HOURS)
        except asyncio.CancelledError:
            self.gave_up = True
            raise

    def _job(self, year: int) -> Callable[[], None]:
        from library.models import Book

        def job() -> None:
            self.ran.append(year)
            # With autocommit off, whoever switched it off commits, or rolls back.
            inside = connection.in_atomic_block or not connection.get_autocommit()
            self.bare = self.bare or not inside
            Book.objects.filter(title="Emma").update(year=year)
            if year == FAILS:
                raise self._error

        return job


@exercise(
    "11.3",
    title="a worker that survives the night",
    names=("run_jobs",),
    why=(
        "`close_old_connections()` does for a job what the start of a request does: it throws away "
        "what is broken, and lets the next query check what is not. In a transaction it would "
        "close a healthy connection, too."
    ),
    hints=(
        "In a web process two signals call a function that looks at the connections. Which "
        "function, and who calls it in this worker?",
        "On which thread is the connection that the jobs use? And what does the function do to a "
        "connection that is in a transaction?",
        "Does `await sync_to_async(close_old_connections)()` stand before each job, outside of the "
        "function with `atomic`?",
    ),
    errors={
        SynchronousOnlyOperation: ON_THE_LOOP,
        (OperationalError, "terminating connection"): NotYet(
            "stale",
            "The database was restarted while the worker waited for its next job, and that job "
            'failed: "terminating connection due to administrator command". Who has looked at the '
            "connection before it, and on which thread?",
        ),
        (OperationalError, "the connection is closed"): NotYet(
            "closed-in-atomic",
            "A job's own connection was closed before its first query, and it was a healthy one. "
            "What does `close_old_connections` make of a connection that is in a transaction?",
        ),
        (TypeError, "asynchronous context manager"): NotYet(
            "async-with",
            "`atomic()` has no async form. Where could the whole block run as sync code?",
        ),
    },
)
async def run_jobs(given):
    from library.models import Book

    async with on_postgresql(**KEPT) as server:
        night = _Night(server, YEARS, restart=YEARS[1], error=_JobFails())
        with Opened() as opened:
            call = await given.call("run_jobs", night, driver=_run, expect=Mishap)
        if night.gave_up:
            raise NotYet(
                "gives-up",
                "Hours lay between two jobs, and your code had stopped waiting by then. Who knows "
                "how long it takes until there is something to do?",
            )
        if night.bare:
            raise NotYet(
                "no-transaction",
                "A job ran outside of a transaction. What begins one, on the thread of the job?",
            )
        if call.error is None:
            raise NotYet(
                "hides-the-error",
                "A job failed, and whoever awaited `run_jobs` was told nothing. Who should hear "
                "of it?",
            )
        if night.ahead:
            raise NotYet(
                "collects",
                "The next job was asked for before the last one had run. Hours may lie between "
                "two jobs. Which loop takes one at a time?",
            )
        if night.went_on:
            raise NotYet(
                "tells-late",
                "A job failed, and the next one was asked for. Hours may lie between two jobs: "
                "when does whoever awaits `run_jobs` hear of it?",
            )
        if night.ran != YEARS:
            raise NotYet(
                "twice",
                f"The jobs ran {len(night.ran)} times in place of {len(YEARS)}: one was begun "
                "again after it had failed. What can be done before it is begun?",
            )
        if opened.left:
            raise LEFT_OPEN.again()
        mishap = _Night(server, YEARS[-1:], restart=0, error=Mishap())
        await given.call("run_jobs", mishap, driver=_run, expect=Mishap)
        if not (night.autocommit and mishap.autocommit):
            raise NotYet(
                "autocommit-left-off",
                "A job failed, and its connection is left without autocommit: what is written by "
                "it later is in a transaction that nobody ends. Which block begins and ends one by "
                "itself?",
            )
        if await asyncio.to_thread(committed, Book.objects.filter(year=YEARS[-2])) != 1:
            raise NotYet(
                "not-written",
                "What the job before the last one had written is not in the database, or what the "
                "failed one had written is. How many jobs should a transaction hold?",
            )
        if len(opened) > 2:
            raise NotYet(
                "opens-each",
                f"There was one restart, and {len(opened)} connections were opened. The settings "
                "keep a connection that is well. Which function closes only those that are not?",
            )
        await given.call(
            "run_jobs", _Night(server, [2005], restart=2005), driver=_run_on_an_old_connection
        )
    return "Five jobs, two restarts, and only the job failed that was to fail."


async def _run(run_jobs: Callable, night: _Night) -> None:
    try:
        await run_jobs(night.jobs())
    finally:
        night.autocommit = await sync_to_async(_switch_autocommit_on)()


def _switch_autocommit_on() -> bool:
    """Whether it was on."""
    before = connection.get_autocommit()
    if not (before or connection.in_atomic_block):
        connection.rollback()  # within a transaction psycopg refuses
    connection.set_autocommit(True)
    return before


async def _run_on_an_old_connection(run_jobs: Callable, night: _Night) -> None:
    """The worker's, from before its first job."""
    from library.models import Book

    await Book.objects.aexists()
    await run_jobs(night.jobs())


FITS = {"interface": "wsgi", "processes": 2, "threads": 2, "slots": 7}
CROWDED = {"interface": "wsgi", "processes": 3, "threads": 4, "slots": 7}
ASYNC = {"interface": "asgi", "processes": 2, "threads": 1, "slots": 7}
FEWEST = {"interface": "asgi", "processes": 3, "threads": 1, "slots": 3}
MIN_ABOVE_MAX = "max_size must be greater or equal than min_size"


@exercise(
    "11.4",
    title="settings from facts",
    names=("database_settings",),
    why=(
        "A thread that serves request after request can keep a connection; a worker that ends with "
        "its request cannot. And a pool is one of each process."
    ),
    hints=(
        "For which interface does a thread come back with its connection, and how many threads "
        "are there in all processes?",
        "Each process has a pool of its own. How many connections may one pool have, so that those "
        "of all processes fit?",
        "Does it return `CONN_MAX_AGE` and `CONN_HEALTH_CHECKS` for `wsgi` if "
        "`processes * threads <= slots`, and else `OPTIONS` with a pool of `slots // processes`?",
    ),
    errors={
        ImproperlyConfigured: NotYet(
            "pool-and-age",
            "Django refused the settings at the first query: a pool and an age for connections do "
            "not go together. Which of the two keeps connections here?",
        ),
        (ValueError, MIN_ABOVE_MAX): NotYet(
            "min-above-max",
            "The pool refused its sizes: it is to keep more connections than it may have. How many "
            "does it keep if nobody says so, and which option says it?",
        ),
    },
)
async def database_settings(given):
    async with on_postgresql() as server:
        for facts in ASYNC, CROWDED, ASYNC | {"processes": 1, "slots": 20}, FEWEST:
            settings = await _settings(given, facts)
            async with set_otherwise(server, **settings):
                await given.call("database_settings", driver=_first_query)
            _require_pool(settings, facts)
        for facts in FITS, FITS | {"threads": 3, "slots": 6}:
            await _require_kept(given, server, await _settings(given, facts), facts)
    return "The pools fit into the slots, whatever the facts, and threads kept their connections."


async def _settings(given, facts: dict[str, object]) -> dict[str, object]:
    settings = await given.result_of("database_settings", **facts, where="thread")
    known = {"CONN_MAX_AGE", "CONN_HEALTH_CHECKS", "OPTIONS"}
    if not isinstance(settings, dict) or not settings.keys() <= known:
        raise NotYet(
            "other-form",
            f"It returned {settings!r}. Which of the three settings of the card are its keys?",
        )
    return settings


def _said(facts: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def _require_pool(settings: dict, facts: dict[str, object]) -> None:
    most = facts["slots"] // facts["processes"]
    pool = settings.get("OPTIONS", {}).get("pool")
    if not pool and settings.get("CONN_MAX_AGE", 0) != 0:
        raise NotYet(
            "kept-by-nobody",
            f"With {_said(facts)}, connections are to be kept by threads. Does the thread come "
            "back, and is there a slot for each of them?",
        )
    if not pool:
        raise NotYet(
            "no-limit",
            f"With {_said(facts)}, nothing limits the connections to the slots that there are. "
            "What does, and makes the others wait?",
        )
    size = pool.get("max_size", pool.get("min_size", 4)) if isinstance(pool, dict) else 4
    if size > most:
        raise NotYet(
            "too-many",
            f"With {_said(facts)}, each pool has {size} connections at most. How many can each "
            "have, if all of them have as many?",
        )
    if size < most:
        raise NotYet(
            "too-few",
            f"With {_said(facts)}, each pool has {size} connections at most, and there are slots "
            f"for {most}. Why should visitors wait for a connection that there is?",
        )


async def _first_query(_settings: Callable) -> None:
    """It tells what settings do not go together."""
    from library.models import Book

    await Book.objects.aexists()


async def _require_kept(
    given, server: PostgreSQL, settings: dict, facts: dict[str, object]
) -> None:
    async with set_otherwise(server, **settings):
        call = await given.call("database_settings", server, driver=_two_requests, where="thread")
        opened, survived = call.value
    if opened > 1:
        raise NotYet(
            "opens-each",
            f"With {_said(facts)}, a thread served two requests, and opened a connection for each. "
            "There is a slot for every thread. Which setting lets it keep one?",
        )
    if settings.get("CONN_MAX_AGE") != 60:
        raise NotYet(
            "other-age",
            f"With {_said(facts)}, a connection is kept for {settings.get('CONN_MAX_AGE')!r} "
            "seconds. How long does the card say?",
        )
    if not survived:
        raise NotYet(
            "no-health-check",
            "The connection was kept, the database was restarted, and the next visitor got an "
            "error. Which setting looks at a connection before it is used again?",
        )


def _two_requests(_settings: Callable, server: PostgreSQL) -> tuple[int, bool]:
    """How many connections two requests of one thread open; whether a third survives a restart."""
    from library.models import Book

    with Opened() as opened:
        for _ in range(2):
            close_old_connections()
            Book.objects.count()
            close_old_connections()
        number = len(opened)
        server.disconnect()
        try:
            close_old_connections()
            Book.objects.count()
        except OperationalError:
            return number, False
        finally:
            connections.close_all()
    return number, True


IMPATIENT = {"OPTIONS": {"options": "-c lock_timeout=300ms"}}
DAY = datetime.date(2025, 6, 2)
LATEST = datetime.date(2099, 1, 1)


class _Scanner:
    """A desk's scanner: notes the loans it gets, and whether others could take them meanwhile.

    Args:
        error: what it raises then.
        next_one: a loan that others can take meanwhile, or `takes_more` is set.
    """

    def __init__(self, error: Exception | None = None, next_one: int | None = None):
        self.scanned: list[int] = []
        self.free = self.takes_more = False
        self._error, self._next_one = error, next_one

    def scan(self, loan: object) -> None:
        self.scanned.append(loan.pk)
        self.free = self.free or _is_free(loan.pk)
        if self._next_one not in (None, loan.pk):
            self.takes_more = self.takes_more or not _is_free(self._next_one)
        if self._error:
            raise self._error


GAVE_UP = NotYet(
    "refuses",
    "Another desk has the first loan, and yours gave up, with other loans in the box. Which "
    "argument of `select_for_update` goes on to the next row?",
)


def _is_free(pk: int) -> bool:
    """Whether another desk could take that loan."""
    with as_another_process() as other:
        sql = "SELECT id FROM library_loan WHERE id = %s FOR UPDATE SKIP LOCKED"
        return bool(other.execute(sql, [pk]).fetchall())


@exercise(
    "11.5",
    title="two desks, one loan",
    names=("check_in",),
    why=(
        "A row that is locked belongs to one desk until its transaction ends. Who skips locked "
        "rows never waits, and never takes what another one has."
    ),
    hints=(
        "What keeps a row for you from the moment that you read it to the moment that you write?",
        "Another desk has the row. `select_for_update` can wait, refuse, or go on to the next one. "
        "Which of its arguments does that?",
        "Do `select_for_update(skip_locked=True)`, `scan` and `save` stand in one `atomic`, in a "
        "sync function that goes through `sync_to_async`?",
    ),
    errors={
        SynchronousOnlyOperation: ON_THE_LOOP,
        (TransactionManagementError, "outside of a transaction"): NotYet(
            "no-transaction",
            "A row is locked until the end of a transaction, and there was none. What begins one?",
        ),
        (OperationalError, "lock timeout"): NotYet(
            "waits",
            "Another desk has the first loan, and yours waited for it, with other loans in the "
            "box. Which argument of `select_for_update` goes on to the next row?",
        ),
        (OperationalError, "could not obtain lock"): GAVE_UP,
    },
)
async def check_in(given):
    from library.models import Loan

    async with on_postgresql(**IMPATIENT):
        open_loans = Loan.objects.filter(returned=None).order_by("pk")
        first, second, third, *_ = [loan.pk async for loan in open_loans]
        # By its dates, it would come last.
        await open_loans.filter(pk=second).aupdate(borrowed=LATEST, due=LATEST)
        book = await Loan.objects.values_list("book", flat=True).aget(pk=second)
        former = await Loan.objects.exclude(returned=None).values_list("pk", flat=True).afirst()
        await Loan.objects.filter(pk=former).aupdate(book=book)  # the book was out before
        with _held(first), Opened() as opened:
            scanner = _Scanner(next_one=third)
            call = await given.call("check_in", scanner.scan, DAY, expect=OperationalError)
            if first in scanner.scanned:
                raise NotYet(
                    "takes-anothers",
                    "Another desk has the first loan, and yours scanned the same one. What shows "
                    "that a row is taken?",
                )
            _require_checked_in(call.value, scanner, second)
            if not await asyncio.to_thread(committed, Loan.objects.filter(pk=second, returned=DAY)):
                raise NotYet(
                    "not-returned",
                    "The loan was scanned, and the database does not have it as returned on the "
                    f"day that your code got, {DAY}. What writes that?",
                )
            others = Loan.objects.filter(returned=DAY).exclude(pk=second)
            if await asyncio.to_thread(committed, others):
                raise NotYet(
                    "others-returned",
                    "One loan was scanned, and others have that day as well, as if they had come "
                    "back with it. Which rows does your `update` go to?",
                )
            await _require_locks_the_loan_alone(given, third)
            await _require_asked_again(given)
            await _require_let_go(given, third)
            await open_loans.exclude(pk=first).aupdate(returned=DAY)
            if (value := await given.result_of("check_in", scanner.scan, DAY)) is not None:
                raise NotYet(
                    "nothing-left",
                    f"The only loan that is open belongs to another desk, and yours returned "
                    f"{value!r}. What does the card say of that?",
                )
            if opened.left:
                raise LEFT_OPEN.again()
    return "It took the first loan that nobody had, and nobody else could take it meanwhile."


async def _require_locks_the_loan_alone(given, pk: int) -> None:
    """Let somebody change the loan's member and book meanwhile; the loan is free all the same."""
    with as_another_process() as other:
        for table in "member", "book":
            other.execute(
                f"SELECT id FROM library_{table} WHERE id = (SELECT {table}_id FROM library_loan "
                "WHERE id = %s) FOR NO KEY UPDATE",
                [pk],
            )
        scanner = _Scanner(Mishap())
        await given.call("check_in", scanner.scan, DAY, expect=(Mishap, OperationalError))
    if scanner.scanned[:1] != [pk]:
        raise NotYet(
            "locks-more-tables",
            "Somebody was changing the member's address and the book, and the loan was passed "
            "over, though no other desk had it: `select_for_update` locks the rows of every table "
            "that is joined. Which argument says of which tables, or need they be joined?",
        )


async def _require_asked_again(given) -> None:
    """Let another desk check in the first free loan between two looks for one."""
    scanner = _Scanner(Mishap())
    with _first_loan_taken_after_a_look() as taken:
        await given.call("check_in", scanner.scan, DAY, expect=Mishap)
    if set(taken) & set(scanner.scanned):
        raise NotYet(
            "takes-returned",
            "Your desk looked which loans are open, another one checked the first of them in, and "
            "yours locked it and scanned it once more. What has to be asked in the query that "
            "locks, too?",
        )


@contextmanager
def _first_loan_taken_after_a_look() -> Iterator[list[int]]:
    """Let another desk return the first loan that is free, when loans are looked for again.

    Gives the list of the loans that it returned.
    """
    taken, looks = [], []

    def take(_cursor, sql):
        if is_beside() or not (sql.startswith("SELECT") and "library_loan" in sql):
            return
        looks.append(sql)
        if len(looks) == 2:
            with as_another_process() as other:
                [row] = other.execute(FIRST_FREE).fetchall()
                other.execute("UPDATE library_loan SET returned = %s WHERE id = %s", [DAY, *row])
                taken.extend(row)

    with hooks.before_queries(take):
        yield taken
    with as_another_process() as other:
        for pk in taken:
            other.execute("UPDATE library_loan SET returned = NULL WHERE id = %s", [pk])


FIRST_FREE = """
SELECT id FROM library_loan WHERE returned IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


async def _require_let_go(given, pk: int) -> None:
    """Let the scanner fail at that loan: the error goes on, and the loan is there for others."""
    from library.models import Loan

    call = await given.call("check_in", _Scanner(_JobFails()).scan, DAY, expect=Mishap)
    if call.error is None:
        raise NotYet(
            "hides-the-error",
            "The scanner failed, and whoever awaited `check_in` was told nothing. Who should hear "
            "of it?",
        )
    if not await asyncio.to_thread(_is_free, pk):
        raise NotYet(
            "stays-locked",
            "The scanner failed, and the loan is locked for all others: its transaction has not "
            "ended. Which form of `atomic` ends it however the block is left?",
        )
    if not await asyncio.to_thread(committed, Loan.objects.filter(pk=pk, returned=None)):
        raise NotYet(
            "returned-unscanned",
            "The scanner failed, and the database has the loan as returned. Which lines are not "
            "reached when `scan` raises?",
        )


def _require_checked_in(value: object, scanner: _Scanner, wanted: int) -> None:
    if scanner.free:
        raise NotYet(
            "let-go",
            "While your desk scanned its loan, another one could have taken it: the lock was gone. "
            "Which lines belong into the transaction?",
        )
    if not scanner.scanned and value is None:
        raise GAVE_UP.again()
    if scanner.scanned == [wanted] and scanner.takes_more:
        raise NotYet(
            "takes-more",
            "While your desk scanned its loan, the next one could not be taken either, and another "
            "desk would have found none. `select_for_update` locks each row that the query brings. "
            "How many should it bring?",
        )
    if scanner.scanned == [wanted] and type(value) is not int:
        raise NotYet(
            "no-pk",
            f"It returned an object of type `{type(value).__name__}`. What does the card ask for?",
        )
    if scanner.scanned != [wanted] or value != wanted:
        raise NotYet(
            "other-loan",
            f"Loan {wanted} is the first that nobody has. Your desk scanned {scanner.scanned}, and "
            f"returned {value!r}. Which one is to be scanned, and what returned?",
        )


@contextmanager
def _held(pk: int) -> Iterator[None]:
    """Another desk's transaction has that loan."""
    with as_another_process() as other:
        other.execute("SELECT id FROM library_loan WHERE id = %s FOR UPDATE", [pk])
        yield


SOON = 0.5
"""Seconds that work gets to end, and a connection to be closed."""
TITLES = ["Frankenstein", "Dracula", "Emma"]
NO_TITLE = "\0"
"""What PostgreSQL refuses to look for."""


class _Visitors:
    """What pages ask and note: notes wait at `gate`, and `error` is what becomes of them.

    `begun` and `noted` count them; `ahead` says whether one began before the branch had answered,
    `elsewhere` whether one ran on another loop.
    """

    def __init__(self, opened: Opened, number: int, error: Exception | None):
        self.branch = _Branch(number, opened=opened if number == 1 else None)
        self.gate = Gate()
        self.begun = self.noted = 0
        self.ahead = self.elsewhere = False
        self._error = error
        self._loop = asyncio.get_running_loop()

    async def visit(self, front: Callable) -> str:
        try:
            given = {"titles": TITLES, "ask": self.ask, "note": self.note}
            return (await visit(front, **given)).text
        finally:
            self.branch.answer()

    async def ask(self) -> str:
        copies = await self.branch.ask("")
        self.ahead = self.begun > 0  # of one visitor
        return copies

    async def note(self) -> None:
        from library.models import Book

        self.begun += 1
        self.elsewhere = self.elsewhere or asyncio.get_running_loop() is not self._loop
        if not self.elsewhere:
            await self.gate.wait()
            await Book.objects.acount()
        self.noted += 1
        if self._error:
            raise self._error


@exercise(
    "11.6",
    title="remaining connection slots are reserved",
    names=("front",),
    why=(
        "Three lines opened connections that nobody closed in time. One sync function counts and "
        "gives back; what comes after the response closes what it has opened, on its own worker."
    ),
    hints=(
        "The page uses connections in three places. Which of them does the end of the request "
        "close, and when?",
        "One query can count the loans of all titles. Which lookup asks for any of a list, and on "
        "which thread would it be given back before `ask`?",
        "Does the function that counts call `connection.close()` in a `finally`? Does the task "
        "await `sync_to_async(connections.close_all)()` in a `finally` behind `note()`, and is it "
        "in `under_way` until it is done?",
    ),
    errors={
        SynchronousOnlyOperation: ON_THE_LOOP,
        (DatabaseError, "only be used in that same thread"): OTHERS_CONNECTION,
        (OperationalError, "couldn't get a connection"): NotYet(
            "more-than-one",
            "Three visitors came, the pool has two connections, and somebody got none in time. How "
            "many does one visitor use at once, and for how long?",
        ),
    },
)
async def front(given):
    async with on_postgresql() as server:
        for error in None, Outage():
            seen = await given.result_of("front", 1, error, driver=_front)
            _require_front(seen)
            if error is None and seen.kept:
                raise NotYet(
                    "kept-for-ever",
                    "The note has ended, and its task is still held. A server notes visits for "
                    "months. Who lets go of a task when it is done?",
                )
            if seen.branch.held:
                raise NotYet(
                    "held",
                    "While the other branch was asked, the page had a connection. Where is it "
                    "given back, and on which thread?",
                )
            if seen.ahead:
                raise NotYet(
                    "notes-meanwhile",
                    "The note began before the other branch had answered, and it queries: that "
                    "takes a connection. When does the page have nothing more to wait for?",
                )
        _require_heard(seen)
        await _require_closed_after_errors(given)
        await _require_all_counted(given)
        async with set_otherwise(server, OPTIONS=POOL):
            seen = await given.result_of("front", 3, driver=_front)
        _require_front(seen)
    return "Three visitors, a pool of two, and every connection was given back."


def _require_front(seen: SimpleNamespace) -> None:
    if set(seen.texts) != {"5 loans, 2 copies"}:
        raise NotYet("other-text", f"It said {seen.texts[0]!r}. What says the page of the card?")
    if seen.waited:
        raise NotYet(
            "page-waits",
            "The note is for after the response, and the page waited for it. What starts a "
            "coroutine, and does not wait?",
        )
    if seen.elsewhere:
        raise NotYet(
            "second-loop",
            "The note ran on an event loop of its own, on a thread of its own. What is bound to "
            "the server's loop, as a client is, fails there. Which call starts a coroutine on the "
            "loop that is there?",
        )
    if seen.branch.elsewhere:
        raise SECOND_LOOP.again()
    if seen.page:
        raise NotYet(
            "left-by-the-page",
            f"The page had been sent, and {seen.page} of its connections were open. On which "
            "threads have its queries run, and who closes what these have opened?",
        )
    if len(seen.texts) == 1 and seen.most > 1:
        raise NotYet(
            "more-than-one",
            f"One visitor had {seen.most} connections at once. On which threads do the counts "
            "run, and how many of them does the page need?",
        )
    if not seen.alive:
        raise NotYet(
            "lost",
            "The note waited, the garbage collector came, and the note was gone: the loop refers "
            "to its tasks weakly. Who could hold on to the task?",
        )
    if seen.noted != len(seen.texts):
        raise NotYet(
            "not-noted",
            f"Pages sent: {len(seen.texts)}, visits noted: {seen.noted}. When is `note` called?",
        )
    if seen.left:
        raise NotYet(
            "left-by-the-note",
            "The note was written after the response, and its connection is still open: no request "
            "ends there. Which line closes it, and on which thread?",
        )


def _require_heard(seen: SimpleNamespace) -> None:
    if not (seen.reports or any(isinstance(error, Mishap) for error in seen.told)):
        raise NotYet(
            "silent",
            "The note failed, nothing was logged, and the loop was told nothing. Which errors are "
            "yours to catch here, and who should hear of all the others?",
        )


async def _require_closed_after_errors(given) -> None:
    for titles, ask in (["Frankenstein", NO_TITLE], _two_copies), (TITLES, fail_in_many_ways):
        raised, left = await given.result_of("front", titles, ask, driver=_fails)
        if not raised:
            raise NotYet(
                "hides-the-error",
                "A count failed, or the other branch, and the page was sent all the same. Who "
                "should hear of it?",
            )
        if left:
            raise NotYet(
                "left-by-a-failure",
                "A query of the page failed, and its connection stayed open. Which block closes it "
                "however the query ends?",
            )


async def _require_all_counted(given) -> None:
    """A list that is longer than the card's, and one with nothing in it."""
    from library.models import Book, Loan

    every = [title async for title in Book.objects.values_list("title", flat=True).distinct()]
    for titles in every, []:
        loans = await Loan.objects.filter(book__title__in=titles).acount()
        text, noted = await given.result_of("front", titles, driver=_counts)
        if noted != 1:
            raise NotYet(
                "not-noted",
                f"A page for {len(titles)} titles was sent, and {noted} visits were noted. For "
                "which visitors is `note` called?",
            )
        if text != (wanted := f"{loans} loans, 2 copies"):
            raise NotYet(
                "other-titles",
                f"Given {len(titles)} titles, the page said {text!r}, and should say {wanted!r}. "
                "Which of the titles does your code count?",
            )


async def _counts(front: Callable, titles: list[str]) -> tuple[str, int]:
    """What the page says, and how many visits were noted."""
    before, noted = asyncio.all_tasks(), []

    async def note() -> None:
        noted.append(titles)

    page = await visit(front, titles=titles, ask=_two_copies, note=note)
    await until(lambda: not asyncio.all_tasks() - before, SOON)
    return page.text, len(noted)


async def _front(front: Callable, number: int, error: Exception | None = None) -> SimpleNamespace:
    before = weakref.WeakSet(asyncio.all_tasks())
    with told_to_the_loop() as told, noting_reports() as reports, Opened() as opened:
        visitors = _Visitors(opened, number, error)
        pages = [asyncio.ensure_future(visitors.visit(front)) for _ in range(number)]
        waited = not await until(lambda: all(page.done() for page in pages))
        seen = {"page": opened.left, "most": opened.most}
        tasks = weakref.WeakSet(asyncio.all_tasks() - set(before))
        alive = visitors.gate.open()
        texts = await all_of(pages)
        await until(lambda: visitors.noted == number and not opened.left, SOON if alive else 0)
        await until(lambda: not asyncio.all_tasks() - set(before), SOON)
        await turns()  # for what is called when they are done
        seen |= {"left": opened.left, "waited": waited, "alive": alive, "told": told}
    return SimpleNamespace(texts=texts, reports=reports, kept=len(tasks), **seen, **vars(visitors))


async def _fails(front: Callable, titles: list[str], ask: Callable) -> tuple[bool, int]:
    """Whether the page has failed, and how many connections are open then."""
    with Opened() as opened:
        try:
            await visit(front, titles=titles, ask=ask, note=_note_nothing)
        except (DatabaseError, Mishap):
            return True, opened.left
        return False, opened.left


async def _two_copies() -> str:
    return "2 copies"


async def _note_nothing() -> None:
    """A note that opens nothing."""
