"""The checks of lesson 04: async_to_sync."""

import asyncio
import concurrent.futures
import inspect
import io
import threading
import unittest
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import date, timedelta

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.dispatch import Signal

from ..exercises.book import NotYet, Raised, exercise
from ..recorder.events import CELL, TASK, WAIT
from .vocabulary.failing import Mishap, require_told

DAY = date(2025, 5, 27)
"""A day on which two open loans are due, and three are overdue."""

BRANCHES = ("Whitby", "Bath", "Haworth", "London", "Nantucket")
TURNS = 20
"""Turns of the loop that one answer takes, so that every other question can be asked meanwhile."""


async def under_loop(function: Callable, *args) -> object:
    """Call a sync function as Django calls a sync view under ASGI: on a worker, from a loop."""
    return await sync_to_async(function)(*args)


def is_foreign_loop(error: BaseException) -> bool:
    """Whether `error` is what asyncio says of an object that lives on another loop."""
    return isinstance(error, RuntimeError) and (
        "different loop" in str(error) or "loop is closed" in str(error)
    )


@exercise(
    "4.1",
    title="tell the next reader",
    names=("on_return",),
    why=(
        "`async_to_sync` waits until `notify` is done. It runs it on the server's loop if the "
        "sync code was called from there, and on a new loop if there is none."
    ),
    hints=(
        "What does `notify(title)` give a plain `def`, and who runs it?",
        "Which adapter gives you a sync function that waits until the async one is done?",
        "Is it `async_to_sync(notify)(title)`, with the function in the first pair of brackets?",
    ),
)
async def on_return(given):
    notices = []

    async def notify(title):
        await asyncio.sleep(0)
        notices.append((title, asyncio.get_running_loop()))

    try:
        await given.result_of("on_return", notify, where="thread", driver=_send)
    except Raised as stop:
        raise _receiver_trouble(stop) from None
    if not notices:
        raise NotYet(
            "not-delivered",
            "`send` came back, and no notice was out: nobody ran the coroutine, or nobody waited "
            "for it. What does both?",
        )
    parent = await given.result_of("on_return", notify, driver=_send_under_loop)
    if [title for title, loop in notices] != ["Emma", "Emma"]:
        titles = [title for title, loop in notices]
        raise NotYet("other-notices", f"Two books came back, and the notices are {titles}.")
    if notices[1][1] is not parent:
        raise NotYet(
            "own-loop",
            "In a command it works. In a sync view under ASGI `notify` ran on a loop of its own, "
            "not on the server's, where its client lives. What finds the loop that is there?",
        )
    await require_told(given, "on_return", _fail, where="thread", driver=_send, what="`notify`")
    return "Delivered when `send` returns, on a new loop or on the server's."


async def _fail(*args) -> None:
    raise Mishap


def _send(receiver: Callable, notify: Callable) -> None:
    returned = Signal()
    returned.connect(receiver, weak=False)
    returned.send(sender=_send, title="Emma", notify=notify)


async def _send_under_loop(receiver: Callable, notify: Callable) -> asyncio.AbstractEventLoop:
    await under_loop(_send, receiver, notify)
    return asyncio.get_running_loop()


def _receiver_trouble(stop: Raised) -> NotYet:
    if isinstance(stop.error, TypeError) and "coroutine" in str(stop.error):
        return NotYet(
            "wrapped-the-coroutine",
            "`notify(title)` was called first, and its coroutine went to the adapter, which wants "
            "a function. Which brackets call, and which wrap?",
        )
    if isinstance(stop.error, ValueError) and "signature" in str(stop.error):
        return NotYet(
            "no-signature",
            "Where DEBUG is on, `connect` reads a receiver's parameters, and what "
            "`@async_to_sync` leaves behind is an object that shows none. What if `on_return` "
            "stays a plain `def`, and uses the adapter inside?",
        )
    if isinstance(stop.error, RuntimeError) and "event loop" in str(stop.error):
        return NotYet(
            "no-loop-here",
            "Sync code sent the signal, and on its thread no loop runs: there is nothing to start "
            "a task on. What makes a loop if there is none?",
        )
    return stop


@exercise(
    "4.2",
    title="the adapter in the wrong place",
    names=("stock_line",),
    why=(
        "The caller is async now, so `ask` can be awaited where you are: without an adapter, "
        "another thread or a second loop."
    ),
    hints=(
        "Is `stock_line` called by sync code, or by a loop?",
        "What may an `async def` do with `ask(title)`, that a plain `def` may not?",
        "What does `await ask(title)` give?",
    ),
)
async def stock_line(given):
    loops = []

    async def ask(title):
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        return len(title)

    try:
        text, here = await given.result_of("stock_line", ask, "Emma", driver=_with_loop)
    except Raised as stop:
        raise _line_trouble(stop) from None
    if "coroutine object" in str(text):
        raise NotYet(
            "not-awaited",
            "Where the number should be, the text holds a coroutine object: `ask(title)` made it, "
            "and nobody ran it. Which word is missing before the call?",
        )
    if text != "Emma: 4 copies":
        raise NotYet("other-text", f"It returned {text!r}, and not 'Emma: 4 copies'.")
    if any(loop is not here for loop in loops):
        raise NotYet(
            "other-loop",
            "The line is right, and `ask` ran on a loop of its own, on another thread. A client "
            "that lives on this loop would break. What keeps `ask` where you are?",
        )
    if any(span.sent for span in given.recording.spans):
        raise NotYet(
            "there-and-back",
            "The line is right. To get it, the call went to a worker thread, and the worker sent "
            "`ask` back to this very loop. What is the short way?",
        )
    await require_told(given, "stock_line", _fail, "Emma", driver=_with_loop, what="`ask`")
    return "One `await`, no thread, no hop."


async def _with_loop(function: Callable, *args) -> tuple[object, asyncio.AbstractEventLoop]:
    returned = function(*args)
    result = await returned if inspect.isawaitable(returned) else returned
    return result, asyncio.get_running_loop()


def _line_trouble(stop: Raised) -> NotYet:
    if not isinstance(stop.error, RuntimeError):
        return stop
    if "AsyncToSync" in str(stop.error):
        return NotYet(
            "blocks-itself",
            "`async_to_sync` refused: it would block this thread until `ask` is done, and `ask` "
            "needs this thread's loop. The message names the way out. What is it?",
        )
    if "running" in str(stop.error):
        return NotYet(
            "second-loop",
            "A loop is running on this thread, and a thread runs one at a time. You do not need "
            "another: what may you write inside an `async def`?",
        )
    return stop


class Desk:
    """Answers for every branch, and counts loops and the questions that are open at once."""

    def __init__(self):
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.most_at_once = 0
        self._open = 0

    async def ask(self, branch: str) -> str:
        loop = asyncio.get_running_loop()
        if loop not in self.loops:
            self.loops.append(loop)
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self._open -= 1
        return f"{branch}: {len(branch)} copies"


@exercise(
    "4.3",
    title="cross once",
    names=("stock_report",),
    why=(
        "One crossing makes one loop, and on that loop `gather` starts all questions before it "
        "waits."
    ),
    hints=(
        "How many event loops does your function make for five branches?",
        "Where must the `await` of all five stand, so that one crossing is enough?",
        "Can an inner `async def` return `await asyncio.gather(*[ask(b) for b in branches])`, and "
        "`async_to_sync` call that?",
    ),
)
async def stock_report(given):
    desk = Desk()
    try:
        result = await given.result_of("stock_report", desk.ask, BRANCHES, where="thread")
    except Raised as stop:
        if isinstance(stop.error, RuntimeError) and "event loop" in str(stop.error):
            raise NotYet(
                "gathered-too-soon",
                "`gather` was called in sync code: it makes tasks, and tasks need a running loop. "
                "Where does one run, so that `gather` can be called there?",
            ) from None
        raise
    expected = [f"{branch}: {len(branch)} copies" for branch in BRANCHES]
    if not isinstance(result, list | tuple) or list(result) != expected:
        raise NotYet(
            "other-answers",
            f"It returned {result!r}. Is there one answer for each branch, in their order?",
        )
    if len(desk.loops) > 1:
        raise NotYet(
            "crossing-for-each",
            f"Every branch got a crossing of its own: {len(desk.loops)} loops were made and "
            "closed. How can all questions travel in one?",
        )
    if desk.most_at_once < len(BRANCHES):
        raise NotYet(
            "sequential",
            "One crossing, and inside it questions wait for other answers. "
            "What starts all of them before the first `await`?",
        )
    await require_told(given, "stock_report", _fail, BRANCHES, where="thread", what="`ask`")
    return "One loop, and all five questions out before the first answer."


@exercise(
    "4.4",
    title="both or neither",
    names=("add_author",),
    why=(
        "While `async_to_sync` waits, the waiting thread runs the queries of `enrich`, so they "
        "use the connection on which the transaction is open."
    ),
    hints=(
        "On which thread does the query inside `enrich` run, and with which connection?",
        "A transaction belongs to a connection. Which way of calling `enrich` brings its queries "
        "back to the thread that opened the transaction?",
        "`with transaction.atomic():` around the `create` and around `async_to_sync(enrich)(...)`: "
        "is anything of yours outside of it?",
    ),
)
async def add_author(given):
    from library.models import Author, Book

    async def enrich(pk, closed=False):
        author = await Author.objects.aget(pk=pk)
        await author.books.acreate(title="The Professor", year=1857)
        if closed:
            raise ConnectionError("the catalogue is closed")

    async def enrich_and_fail(pk):
        await enrich(pk, closed=True)

    try:
        await given.result_of("add_author", "Currer Bell", enrich, where="thread")
    except Raised as stop:
        raise _author_trouble(stop) from None
    book = Book.objects.filter(title="The Professor", author__name="Currer Bell")
    if not await book.aexists():
        raise NotYet(
            "not-added",
            "Afterwards there is no Currer Bell with a book. Was the author created, and `enrich` "
            "called with the author's `pk`?",
        )
    told = False
    try:
        await given.result_of("add_author", "Ellis Bell", enrich_and_fail, where="thread")
    except Raised as stop:
        told = "catalogue is closed" in str(stop.error)
    if await Author.objects.filter(name="Ellis Bell").aexists():
        raise NotYet(
            "half-done",
            "`enrich` failed, and Ellis Bell stayed in the library, half done. Until when must the "
            "transaction stay open?",
        )
    if not told:
        raise NotYet(
            "swallowed",
            "`enrich` failed, nothing was written, and the caller was told nothing. "
            "Who should hear of it?",
        )
    return "One thread, one connection, one transaction, across the async part."


def _author_trouble(stop: Raised) -> NotYet:
    from library.models import Author

    if isinstance(stop.error, Author.DoesNotExist):
        return NotYet(
            "other-connection",
            "`enrich` looked for the author, and there was none: its query ran on another thread, "
            "with another connection, which cannot see what yours has not committed. What brings "
            "it back to your thread?",
        )
    if isinstance(stop.error, SynchronousOnlyOperation):
        return NotYet(
            "atomic-on-the-loop",
            "The guard fired: `atomic()` or a sync query moved into the async part, where a loop "
            "runs. On which side of the crossing does the transaction belong?",
        )
    return stop


@exercise(
    "4.5",
    title="the member who got lost",
    names=("greet",),
    why="`async_to_sync` copies what `log_in` has set back into the context of its caller.",
    hints=(
        "In which context does `log_in` set the variable, and who copies it back?",
        "`asyncio.run` copies nothing back, and a child task keeps its changes. What does neither?",
        "`async_to_sync(log_in)(token)`, on the thread of the caller: what does "
        "`current_member.get()` give after it?",
    ),
)
async def greet(given):
    current = given.value("current_member")
    members = {"t-7": "Tomoko Arai", "t-6": "Priya Nair"}

    async def log_in(token):
        await asyncio.sleep(0)
        current.set(members[token])

    for token, name in members.items():
        text, member = "", None
        try:
            text, member = await given.result_of(
                "greet", log_in, token, current, where="thread", driver=_greet
            )
        except Raised as stop:
            if not isinstance(stop.error, LookupError):
                raise
        if text == f"Good evening, {name}." and member != name:
            raise NotYet(
                "stays-inside",
                "The greeting is right, and whoever called `greet` finds nobody in "
                "`current_member`: the log line that follows will not know the member. "
                "How does the variable get out of the async part?",
            )
        if member != name:
            raise _lost(given)
        if text != f"Good evening, {name}.":
            raise NotYet(
                "other-text",
                f"{name} logged in and read {text!r}. What is in `current_member`?",
            )
    await require_told(given, "greet", _fail, "t-7", where="thread", what="`log_in`")
    return "What the async part has set, sync code goes on with."


def _greet(greet: Callable, log_in: Callable, token: str, current: ContextVar) -> tuple:
    text = greet(log_in, token)
    return text, current.get(None)


def _lost(given) -> NotYet:
    """Say where the variable was left, by the way that the call took."""
    spans = given.recording.spans
    waits = [span.lane for span in spans if span.kind == WAIT]
    home = next(span.lane for span in spans if span.kind == CELL)
    if not waits:
        return NotYet(
            "left-inside",
            "After the call `current_member` is what it was before: `log_in` set it in a context "
            "of its own, and nobody brought that back. What runs async code and copies the "
            "context out?",
        )
    if home not in waits:
        return NotYet(
            "other-thread",
            "`async_to_sync` did bring the variable out, to the thread that called it. That was "
            "a thread of yours, not the caller's. Who should call it?",
        )
    return NotYet(
        "child-task",
        "`async_to_sync` brings out what its own coroutine sets. `log_in` ran in a child task, "
        "which has a copy of the context. What runs it without a task?",
    )


@exercise(
    "4.6",
    title="a test that can fail",
    names=("OverdueTest",),
    why=(
        "`TestCase` runs an `async def test_...` to its end and rolls the loans back. One loan "
        "that is out and one that came back tell a right service from two wrong ones."
    ),
    hints=(
        "If `self.service(day)` is a coroutine, what does a test know of the service?",
        "Which class rolls back what a test writes, and wraps its `async def test_...` itself?",
        "Lend one book that is out and one that came back, in `setUp`. Which of the two must "
        "`await self.service(day)` name, and which not?",
    ),
)
async def overdue_test(given):
    from library.models import Loan

    kept = {pk async for pk in Loan.objects.values_list("pk", flat=True)}
    case = given.value("OverdueTest")
    if not (inspect.isclass(case) and issubclass(case, unittest.TestCase)):
        raise NotYet("no-test-case", "`OverdueTest` is no test case. Which class does it need?")
    service = Service()
    good = await _tried(given, service, service.overdue)
    if not good.testsRun:
        raise NotYet(
            "no-tests",
            "There was nothing to run. How must the name of a test method begin?",
        )
    _require_success(good, service)
    if any(each.kind == TASK for each in given.recording.on("pool worker")):
        raise NotYet(
            "second-loop",
            "A test runs the service on a second loop, on another thread, where the test's own "
            "loans may not be seen. What can an `async def test_...` do with a coroutine?",
        )
    if not service.threads:
        raise NotYet(
            "never-ran",
            "Every test passed, and the service was never run: a coroutine is true, and is not "
            "`None`, whatever is in it. Who awaits it in this class?",
        )
    if kept != {pk async for pk in Loan.objects.values_list("pk", flat=True)}:
        raise NotYet(
            "leaves-rows",
            "After your tests the library has other loans than before. Which class puts each "
            "test into a transaction, and rolls it back?",
        )
    if (await _tried(given, service, service.nothing)).wasSuccessful():
        raise NotYet(
            "passes-on-nothing",
            "A service that never finds anything passes your tests. Which book must it name?",
        )
    if (await _tried(given, service, service.everything)).wasSuccessful():
        raise NotYet(
            "forgets-returned",
            "A service that names books which came back passes your tests. "
            "Which book must it not name?",
        )
    if not (await _tried(given, service, None)).wasSuccessful():
        raise NotYet(
            "lost-service",
            "Run as it stands, with the service of your own class, it fails. "
            "What does the line with `service` need, so that `self.service(day)` finds it?",
        )
    return "It passes with the right service, and two wrong ones fail it."


class Service:
    """The service under test, right and wrong, and the threads where its queries ran."""

    def __init__(self):
        self.threads: set[int] = set()

    async def overdue(self, day: date) -> list[str]:
        return await self._titles(due__lt=day, returned=None)

    async def nothing(self, day: date) -> list[str]:
        return await self._titles(due__lt=date.min)

    async def everything(self, day: date) -> list[str]:
        return await self._titles(due__lt=day)

    async def _titles(self, **which) -> list[str]:
        from library.models import Loan

        self.threads.add(await sync_to_async(threading.get_ident)())
        loans = Loan.objects.filter(**which).order_by("due", "pk").select_related("book")
        return [loan.book.title async for loan in loans]


async def _tried(given, service: Service, function: Callable | None) -> unittest.TestResult:
    """Run the reader's tests on a service, or on that of their own class."""
    service.threads.clear()
    return await given.result_of("OverdueTest", function, where="thread", driver=_run_tests)


def _run_tests(case: type[unittest.TestCase], service: Callable | None) -> unittest.TestResult:
    attributes = {"service": staticmethod(service)} if service else {}
    tried = type(case.__name__, (case,), attributes)
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(tried)
    with warnings.catch_warnings(action="ignore"):
        result = unittest.TextTestRunner(stream=io.StringIO()).run(tests)
    result.thread = threading.get_ident()
    return result


def _require_success(result: unittest.TestResult, service: Service) -> None:
    if result.wasSuccessful():
        return
    reports = [report for test, report in (*result.errors, *result.failures)]
    last = reports[0].strip().splitlines()[-1] if reports else "a success that was not expected"
    if any("SynchronousOnlyOperation" in report for report in reports):
        raise NotYet(
            "sync-in-async",
            "The guard fired: an `async def` of your class runs on a loop, and wrote to the "
            "database with a sync method. What can be awaited, or where could the rows be made?",
        )
    if service.threads - {result.thread}:
        raise NotYet(
            "other-connection",
            f"With the right service it fails: `{last[:120]}`. The service asked on another "
            "thread, outside of the test's transaction. What keeps it on the test's own?",
        )
    raise NotYet("fails-on-right", f"With the right service it fails: `{last[:120]}`.")


@exercise(
    "4.7",
    title="repair the reminders",
    names=("Command",),
    seconds=10,
    why=(
        "Sync code fetches the loans. Connecting, sending and closing share one crossing, and "
        "so one loop, and `finally` closes the connection on every way out."
    ),
    hints=(
        "How long does the loop live on which the connection was opened?",
        "What must be inside the one crossing: the query, the connection, the letters, the output?",
        "An `async def send_all(self, texts)`: connect, `try` to send each, `finally` close. Who "
        "calls it, once, and with which adapter?",
    ),
)
async def reminders(given):
    from django.core.management import BaseCommand

    command = given.value("Command")
    if not (inspect.isclass(command) and issubclass(command, BaseCommand)):
        raise NotYet(
            "no-command",
            "`Command` is nothing that Django can call as a command. Which class does it need?",
        )
    await _lend_until_yesterday()
    with post_office() as office:
        try:
            output = await given.result_of("Command", office, where="thread", driver=_run_command)
        except Raised as stop:
            raise _command_trouble(stop, office) from None
        await _require_sent(office, output)
        office.forget()
        try:
            output = await given.result_of("Command", office, driver=_run_command_under_loop)
        except Raised as stop:
            raise _command_trouble(stop, office) from None
        await _require_sent(office, output)
        office.forget()
        await _require_told(given, office)
    return "One crossing, one connection, closed on every way out."


async def _lend_until_yesterday() -> None:
    """Lend a book that is late by one day."""
    from library.models import Book, Loan, Member

    out = Loan.objects.filter(returned=None).values("book")
    await Loan.objects.acreate(
        book=await Book.objects.exclude(pk__in=out).afirst(),
        member=await Member.objects.afirst(),
        borrowed=DAY - timedelta(days=22),
        due=DAY - timedelta(days=1),
    )


async def _require_sent(office: "PostOffice", output: str) -> None:
    from library.models import Loan

    loans = Loan.objects.filter(returned=None, due__lt=DAY).select_related("book", "member")
    wanted = [f"{loan.member.email}: {loan.book}" async for loan in loans]
    if sorted(office.letters) != sorted(wanted):
        raise NotYet(
            "other-letters",
            f"{len(office.letters)} letters arrived: {office.letters}. "
            f"{len(wanted)} were due. Was every `send` awaited?",
        )
    if output.strip() != f"{len(wanted)} reminders sent":
        raise NotYet(
            "other-output",
            f"It printed {output!r}. Does `self.stdout` still say how many reminders were sent?",
        )
    if office.connections > 1:
        raise NotYet(
            "connection-for-each",
            f"The letters are out, over {office.connections} connections. One is enough for all of "
            "them. What must be inside one crossing?",
        )
    if office.closed < office.connections:
        raise NotYet(
            "left-open",
            "The letters are out, and the connection was never closed. While its loop still runs "
            "is the time. Who awaits `client.close()`?",
        )


async def _require_told(given, office: "PostOffice") -> None:
    """Let the post office refuse a letter."""
    office.refuses = True
    try:
        await given.result_of("Command", office, where="thread", driver=_run_command)
        told = False
    except Raised:
        told = True
    if office.closed < office.connections:
        raise NotYet(
            "left-open-on-error",
            "The post office refused a letter, and the connection stayed open. "
            "Which part of a `try` runs on every way out?",
        )
    if not told:
        raise NotYet(
            "swallowed",
            "The post office refused a letter, and the command ended as if all were well. Who "
            "should learn that a reminder is not out?",
        )


def _command_trouble(stop: Raised, office: "PostOffice") -> NotYet:
    error = stop.error
    if is_foreign_loop(error):
        if len(office.threads) == 1 and office.caller not in office.threads:
            return NotYet(
                "same-thread",
                "All calls shared one thread, and still each had a loop of its own; the connection "
                "was lost with the first. What must all letters share?",
            )
        return NotYet(
            "loop-for-each",
            "The first reminder opened the connection on a loop, and that loop was closed before "
            "the second. How can all of them be sent on one loop?",
        )
    if isinstance(error, RuntimeError) and "would deadlock" in str(error):
        return NotYet(
            "would-deadlock",
            "On a plain thread it works. Called by sync code under ASGI it waits for a query that "
            "may only run on the thread that waits; inside a request it would hang. Which call "
            "lets the waiting thread do that work?",
        )
    if isinstance(error, SynchronousOnlyOperation) and stop.behind_a_dot:
        return NotYet(
            "lazy-key",
            "The guard fired: inside the async part `loan.member` or `loan.book` is a query behind "
            "a dot. Which side of the crossing should write the texts, or how do the loans bring "
            "both along?",
        )
    if isinstance(error, SynchronousOnlyOperation):
        return NotYet(
            "sync-query",
            "The guard fired: the loans are fetched in sync fashion, inside the async part. Which "
            "side of the crossing should fetch them, or how does a loop fetch rows?",
        )
    if isinstance(error, AttributeError) and "coroutine" in str(error):
        return NotYet(
            "async-handle",
            "Django calls `handle` and awaits nothing: it took the coroutine for the command's "
            "output. What makes an `async def handle` sync for its caller?",
        )
    return stop


def _run_command(command: type, office: "PostOffice") -> str:
    from django.core.management import call_command

    office.caller = threading.get_ident()
    tried = type(command.__name__, (command,), {"connect": staticmethod(office.connect)})
    output = io.StringIO()
    call_command(tried(), stdout=output)
    return output.getvalue()


async def _run_command_under_loop(command: type, office: "PostOffice") -> str:
    return await under_loop(_run_command, command, office)


class PostOffice:
    """A real server on 127.0.0.1 that takes letters, a line each, and what its clients did.

    `refuses` makes it turn every letter down. `threads` are those that sent something.
    """

    def __init__(self):
        self.refuses = False
        self.caller = 0
        self.ready = concurrent.futures.Future()
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self.letters: list[str] = []
        self.threads: set[int] = set()
        self.connections = self.closed = 0

    async def connect(self) -> "Client":
        """Open a connection, on the loop that runs."""
        port, *_ = self.ready.result()
        client = Client(self, *await asyncio.open_connection("127.0.0.1", port))
        self.connections += 1
        return client

    async def serve(self) -> None:
        """Take letters until `stop` is called."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        end = asyncio.Event()
        port = server.sockets[0].getsockname()[1]
        self.ready.set_result((port, asyncio.get_running_loop(), end))
        await end.wait()
        server.close()

    def stop(self) -> None:
        """End `serve`, from another thread."""
        _, loop, end = self.ready.result()
        loop.call_soon_threadsafe(end.set)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client may be gone without a word, and so may this server.
        with suppress(ConnectionError, asyncio.CancelledError):
            while line := await reader.readline():
                if not self.refuses:
                    self.letters.append(line.decode().strip())
                writer.write(b"no\n" if self.refuses else b"yes\n")
        writer.close()


class Client:
    """One connection to the post office; it belongs to the loop that opened it."""

    def __init__(
        self, office: PostOffice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ):
        self._office, self._reader, self._writer = office, reader, writer
        self._loop = asyncio.get_running_loop()
        self._one_at_a_time = asyncio.Lock()

    async def send(self, text: str) -> None:
        """Send one letter; first ask the library's database who it is for.

        Raises:
            ConnectionError: the post office refuses it.
        """
        from library.models import Member

        self._office.threads.add(threading.get_ident())
        await Member.objects.filter(email=text.partition(":")[0]).aexists()
        async with self._one_at_a_time:
            self._writer.write(f"{text}\n".encode())
            if await self._reader.readline() != b"yes\n":
                raise ConnectionError("the post office refuses the letter")

    async def close(self) -> None:
        """Hang up.

        Raises:
            RuntimeError: another loop is running than the one that opened the connection.
        """
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("the connection is attached to a different loop")
        self._office.closed += 1
        self._writer.close()


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """Run a post office on a thread of its own for one block."""
    office = PostOffice()
    thread = threading.Thread(target=asyncio.run, args=(office.serve(),), daemon=True)
    thread.start()
    office.ready.result(timeout=10)
    try:
        yield office
    finally:
        office.stop()
        thread.join(timeout=10)
