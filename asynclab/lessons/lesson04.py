"""The checks of lesson 04: async_to_sync."""

import asyncio
import inspect
import io
import threading
import unittest
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from functools import partial
from textwrap import shorten

from asgiref.sync import markcoroutinefunction, sync_to_async
from django.core.exceptions import ObjectDoesNotExist, SynchronousOnlyOperation
from django.dispatch import Signal

from ..exercises.book import NotYet, exercise
from ..exercises.given import Call
from ..recorder.events import TASK, WAIT
from ..recorder.roles import POOL_WORKER
from .vocabulary.cancelling import Stalled, require_cancel_passed_on
from .vocabulary.causes import behind_a_dot, on_other_loop
from .vocabulary.edges import require_of_nothing, require_unchanged
from .vocabulary.failing import (
    Outage,
    fail_in_many_ways,
    require_itself,
    require_told,
    require_told_itself,
)
from .vocabulary.library import DAY, every_row, free_books, open_loans
from .vocabulary.loops import Hosts, noting_new_loops
from .vocabulary.queries import queries
from .vocabulary.tasks import CROWD, LastFirst, pass_time
from .vocabulary.threads import home, leaves_loop, noting_new_threads
from .vocabulary.transactions import noting_bare_queries
from .vocabulary.values import same


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
    errors={
        (TypeError, "coroutine"): NotYet(
            "wrapped-the-coroutine",
            "`notify(title)` was called first, and its coroutine went to the adapter, which wants "
            "a function. Which brackets call, and which wrap?",
        ),
        (ValueError, "signature"): NotYet(
            "no-signature",
            "Where DEBUG is on, `connect` reads a receiver's parameters, and what "
            "`@async_to_sync` leaves behind is an object that shows none. What if `on_return` "
            "stays a plain `def`, and uses the adapter inside?",
        ),
        (RuntimeError, "event loop"): NotYet(
            "no-loop-here",
            "Sync code sent the signal, and on its thread no loop runs: there is nothing to start "
            "a task on. What makes a loop if there is none?",
        ),
    },
)
async def on_return(given):
    from django.db import transaction

    notices, hosts = [], Hosts()

    async def notify(title):
        hosts.note()
        await pass_time()
        notices.append(title)

    def in_transaction(receiver, notify):
        with transaction.atomic():
            _send("Emma", receiver, notify)
            return list(notices), list(transaction.get_connection().run_on_commit)

    in_time, postponed = await given.result_of(
        "on_return", notify, where="thread", driver=in_transaction
    )
    if not in_time and postponed:
        raise NotYet(
            "after-commit",
            "Sync code was in a transaction, `send` came back, and no notice was out: it goes when "
            "the transaction ends. When does the card want it delivered?",
        )
    if not in_time:
        raise NotYet(
            "not-delivered",
            "`send` came back, and no notice was out: nobody ran the coroutine, or nobody waited "
            "for it to its end. What does both?",
        )
    hosts.require_own("`notify`")
    hosts.loops.clear()
    server = await given.result_of("on_return", notify, driver=_under_asgi)
    if notices != (sent := ["Emma", "Emma", "Dracula"]):
        raise NotYet("other-notices", f"{sent} came back, and the notices are {notices}.")
    if hosts.loops != {server}:
        raise NotYet(
            "own-loop",
            "In a command it works. In a sync view under ASGI `notify` ran on a loop of its own, "
            "not on the server's, where its client lives. What finds the loop that is there?",
        )
    driver = partial(_send, "Emma")
    await require_told(
        given, "on_return", fail_in_many_ways, where="thread", driver=driver, what="`notify`"
    )
    return "Delivered when `send` returns, on a new loop or on the server's."


async def _under_asgi(receiver: Callable, notify: Callable) -> asyncio.AbstractEventLoop:
    """Send two signals as a sync view does, on a worker; return the server's loop."""
    for title in "Emma", "Dracula":
        await sync_to_async(_send)(title, receiver, notify)
    return asyncio.get_running_loop()


def _send(title: str, receiver: Callable, notify: Callable) -> None:
    from library.models import Loan

    returned = Signal()
    returned.connect(receiver, weak=False)
    returned.send(sender=Loan, title=title, notify=notify)


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
    errors={
        (RuntimeError, "AsyncToSync"): NotYet(
            "blocks-itself",
            "`async_to_sync` refused: it would block this thread until `ask` is done, and `ask` "
            "needs this thread's loop. The message names the way out. What is it?",
        ),
        (RuntimeError, "running"): NotYet(
            "second-loop",
            "A loop is running on this thread, and a thread runs one at a time. You do not need "
            "another: what may you write inside an `async def`?",
        ),
    },
)
async def stock_line(given):
    asked, hosts = [], Hosts()

    async def ask(title):
        hosts.note()
        asked.append(title)
        await pass_time()
        return copies

    for title, copies in ("Emma", 4), ("the dispossessed", 1), ("Emma", 0):
        asked.clear()
        with noting_new_threads() as threads:
            call = await given.call("stock_line", ask, title, driver=_awaited)
        _require_line(call, f"{title}: {copies} copies")
        if hosts.nested:
            raise NotYet(
                "second-loop",
                "The line is right, and `ask` ran on a loop that was run inside the loop of this "
                "thread, which stood still for it. You do not need another: what may you write "
                "inside an `async def`?",
            )
        hosts.require_own("`ask`")
        if leaves_loop(call):
            raise NotYet(
                "other-loop",
                "The line is right, and `ask` ran on a loop of its own, on another thread. A "
                "client that lives on this loop would break. What keeps `ask` where you are?",
            )
        if threads or any(span.sent for span in call.recording.spans):
            raise NotYet(
                "there-and-back",
                "The line is right. On the way to it, another thread was started, or something "
                "was sent to one. What is the short way?",
            )
        if len(asked) > 1:
            raise NotYet(
                "asked-twice",
                f"The line is right, and `ask` was asked {len(asked)} times for it, over the "
                "network. Where can the first answer be kept?",
            )
    asked.clear()

    async def fail(title):
        asked.append(title)
        await fail_in_many_ways()

    await require_told(given, "stock_line", fail, "Emma", driver=_awaited, what="`ask`")
    if len(asked) > 1:
        raise NotYet(
            "asked-again",
            f"`ask` failed, and was asked {len(asked)} times before the caller heard of it. It "
            "asks over the network, where each try takes its time. Who decides that it is worth "
            "another one?",
        )
    stalled = Stalled()
    await require_cancel_passed_on(
        given, "stock_line", stalled, lambda line: line(stalled.work, "Emma"), what="`ask`"
    )
    return "`ask` ran on the loop that called you, and no other thread took part."


def _require_line(call: Call, line: str) -> None:
    if "coroutine object" in str(call.value):
        raise NotYet(
            "not-awaited",
            "Where the number should be, the text holds a coroutine object: `ask(title)` made it, "
            "and nobody ran it. Which word is missing before the call?",
        )
    if not same(call.value, line):
        raise NotYet("other-text", f"It returned {call.value!r}, and not {line!r}.")


async def _awaited(function: Callable, *args) -> object:
    returned = function(*args)
    return await returned if inspect.isawaitable(returned) else returned


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
    errors={
        (RuntimeError, "event loop"): NotYet(
            "gathered-too-soon",
            "`gather` was called in sync code: it makes tasks, and tasks need a running loop. "
            "Where does one run, so that `gather` can be called there?",
        )
    },
)
async def stock_report(given):
    hosts, known = Hosts(), set()
    branches = ["Whitby", "Bath", "Haworth", "Bath", "London"]
    crowd = [f"branch {number}" for number in range(CROWD)]
    for more, asked in enumerate((branches, crowd, branches)):
        desk = LastFirst(asked)
        ask = _asking(desk, hosts, more)
        with noting_new_loops() as loops:
            taken = list(asked)
            call = await given.call("stock_report", ask, taken, where="thread", expect=Exception)
        require_unchanged(taken, asked)
        if (made := max(len(loops), len(hosts.loops))) > 1:
            raise NotYet(
                "crossing-for-each",
                f"{made} loops were made and closed for one report. How can all questions travel "
                "in one crossing?",
            )
        _require_answers(call.value, [_answer(branch, more) for branch in asked])
        hosts.require_own("`ask`")
        if desk.overlap.most < len(asked):
            raise NotYet(
                "sequential",
                f"One crossing, and inside it questions wait for other answers: of {len(asked)}, "
                f"{desk.overlap.most} were under way at once. What starts all of them before the "
                "first `await`?",
            )
        if known & hosts.loops:
            raise NotYet(
                "keeps-a-loop",
                "Two reports were made on one loop, which your code keeps: nobody closes it, and "
                "while one thread runs it, no other can. Which call makes a loop for itself, and "
                "closes it?",
            )
        known |= hosts.loops
        hosts.loops.clear()
    await require_of_nothing(
        given,
        "stock_report",
        fail_in_many_ways,
        [],
        what="no branches",
        wanted=([], ()),
        where="thread",
    )
    failing = _asking(LastFirst(branches), hosts, 0, closed="London")
    await require_told(given, "stock_report", failing, branches, where="thread", what="`ask`")
    return f"One loop, and all {CROWD} questions out before the first answer."


SILENT = "branch 7"


def _asking(desk: LastFirst, hosts: Hosts, more: int, closed: str = "") -> Callable:
    """An `ask` whose questions are answered at the desk; that to a closed branch fails."""

    async def ask(branch):
        hosts.note()
        await desk.wait(branch)
        if desk.answered == 1:
            await pass_time()
        if branch == closed:
            raise Outage
        return _answer(branch, more)

    return ask


def _answer(branch: str, more: int) -> str:
    """What a branch answers, which has got so many copies more meanwhile; one has not a word."""
    return "" if branch == SILENT else f"{branch}: {len(branch) + more} copies"


def _require_answers(result: object, expected: list[str]) -> None:
    if not (same(result, expected) or same(result, tuple(expected))):
        raise NotYet(
            "other-answers",
            f"For {len(expected)} branches it returned {shorten(repr(result), 200)}. Is there one "
            "answer for each branch, in their order?",
        )


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
    errors={
        ObjectDoesNotExist: NotYet(
            "other-connection",
            "`enrich` looked for the author, and there was none: its query ran on another thread, "
            "with another connection, which cannot see what yours has not committed. What brings "
            "it back to your thread?",
        ),
        SynchronousOnlyOperation: NotYet(
            "atomic-on-the-loop",
            "The guard fired: `atomic()` or a sync query moved into the async part, where a loop "
            "runs. On which side of the crossing does the transaction belong?",
        ),
    },
)
async def add_author(given):
    from library.models import Author, Book

    asked = []

    async def enrich(pk):
        asked.append(pk)
        author = await Author.objects.aget(pk=pk)
        await author.books.acreate(title="The Professor", year=1857)

    async def broken(pk):
        await enrich(pk)
        raise Outage

    async def cancelled(pk):
        await enrich(pk)
        raise asyncio.CancelledError

    with noting_bare_queries() as bare:
        left_off = []
        how = {"where": "thread", "driver": _noting_autocommit(left_off)}
        call = await given.call("add_author", "Acton Bell", enrich, **how)
    if left_off:
        raise NotYet(
            "autocommit-off",
            "Whatever your caller writes next, nobody commits: autocommit is off, and stays off on "
            "this connection. Which block puts it back on every way out?",
        )
    book = Book.objects.filter(title="The Professor", author__name="Acton Bell")
    if not await book.aexists():
        raise NotYet(
            "not-added",
            "Acton Bell was to be added, and there is no author of that name with a book. Was an "
            "author created with the name that was given, and `enrich` called with that `pk`?",
        )
    lanes = {query.lane for query in queries(call)}
    call = await given.call("add_author", "Ellis Bell", broken, expect=Exception, **how)
    if left_off or await Author.objects.filter(name="Ellis Bell").aexists():
        raise NotYet(
            "half-done",
            "`enrich` failed, and Ellis Bell stayed in the library, half done. Until when must the "
            "transaction stay open?",
        )
    require_itself(call, "add_author", "`enrich`")
    if any(sql.startswith("INSERT") for sql in bare):
        raise NotYet(
            "repaired-by-hand",
            "Afterwards neither is there. Until then everybody could read the author without a "
            "book, and if the process dies meanwhile, nobody takes it back. What takes back by "
            "itself whatever was not finished?",
        )
    call = await given.call("add_author", "Anne Finch", cancelled, expect=BaseException, **how)
    if left_off or await Author.objects.filter(name="Anne Finch").aexists():
        raise NotYet(
            "half-done-on-cancel",
            "`enrich` was cancelled, and Anne Finch stayed in the library, half done: a "
            "cancellation is raised, and is no error. Which block takes everything back, whatever "
            "is raised?",
        )
    _require_cancel_heard(call, "`enrich`")
    if len(asked) > 3:
        raise NotYet(
            "asked-again",
            f"For three authors `enrich` was called {len(asked)} times, and each call asks the "
            "catalogue. What makes one call enough?",
        )
    praise = "Both in one transaction, or neither, and the caller hears of it."
    return f"One thread, one connection. {praise}" if len(lanes) == 1 else praise


def _noting_autocommit(left_off: list[str]) -> Callable:
    """A driver that notes for whom autocommit is off after the call, and puts it on again."""
    from django.db import transaction

    def add(add_author, name, enrich):
        try:
            return add_author(name, enrich)
        finally:
            if not transaction.get_autocommit():
                left_off.append(name)
                transaction.rollback()
                transaction.set_autocommit(True)

    return add


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
    asked, hosts = [], Hosts()

    async def log_in(token):
        hosts.note()
        asked.append(token)
        await pass_time()
        current.set(members.get(token, "a stranger"))

    for tokens in [*members], ["t-6", "t-7", "t-6"]:
        asked.clear()
        call = await given.call(
            "greet", log_in, tokens, where="thread", driver=_greeted(current), expect=LookupError
        )
        hosts.require_own("`log_in`")
        for token, (text, member) in zip(tokens, call.result or [("", None)], strict=False):
            _require_greeting(call, members[token], text, member)
        if asked != tokens:
            raise NotYet(
                "asked-otherwise",
                f"{tokens} came, and `log_in` was called with {asked}. The server knows who holds "
                "a token now. How often does each caller have to be looked up?",
            )
    await require_told(given, "greet", fail_in_many_ways, "t-7", where="thread", what="`log_in`")
    return "What the async part has set, sync code goes on with."


def _greeted(current: ContextVar) -> Callable:
    """A driver that greets one member after another, in the same context."""

    def greeted(greet, log_in, tokens):
        found = []
        for token in tokens:
            text = greet(log_in, token)
            if inspect.isawaitable(text):
                return text
            found.append((text, current.get(None)))
        return found

    return greeted


def _require_greeting(call: Call, name: str, text: object, member: object) -> None:
    if text == f"Good evening, {name}." and member != name:
        raise NotYet(
            "stays-inside",
            "The greeting is right, and whoever called `greet` finds "
            f"{'nobody' if member is None else member} in `current_member`: the log line that "
            "follows will not know the member. How does the variable get out of the async part, "
            "and what takes it back?",
        )
    if member is None:
        raise _lost(call)
    if member != name:
        raise NotYet(
            "other-member",
            f"The token is that of {name}, and afterwards `current_member` is {member!r}. Was "
            "`log_in` called with this token, and does its value stand?",
        )
    if text != f"Good evening, {name}.":
        raise NotYet(
            "other-text", f"{name} logged in and read {text!r}. What is in `current_member`?"
        )


def _lost(call: Call) -> NotYet:
    """Say where the variable was left, by the way that the call took."""
    waits = [span.lane for span in call.recording.spans if span.kind == WAIT]
    if not waits:
        return NotYet(
            "left-inside",
            "After the call `current_member` is what it was before: `log_in` set it in a context "
            "of its own, and nobody brought that back. What runs async code and copies the "
            "context out?",
        )
    if home(call) not in waits:
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
        "`TestCase` runs an `async def test_...` to its end and rolls the loans back. A book that "
        "was due the day before, one that is due on the day itself and one that came back tell a "
        "right service from wrong ones."
    ),
    hints=(
        "If `self.service(day)` is a coroutine, what does a test know of the service?",
        "Which class rolls back what a test writes, and wraps its `async def test_...` itself?",
        "Lend three books in `setUp`: one due the day before, one due on the day itself, and one "
        "that came back. Which must `await self.service(day)` name, and which not?",
    ),
)
async def overdue_test(given):
    kept = await every_row()
    case = given.value("OverdueTest")
    if not (inspect.isclass(case) and issubclass(case, unittest.TestCase)):
        raise NotYet("no-test-case", "`OverdueTest` is no test case. Which class does it need?")
    how = {"where": "thread", "driver": _run_tests}
    right = _Service(returned=None)
    good = await given.call("OverdueTest", right, **how)
    _require_success(case, good.value, right.asked_on)
    if any(each.kind == TASK for each in good.recording.on(POOL_WORKER)):
        raise NotYet(
            "second-loop",
            "A test runs the service on a second loop, on another thread, where the test's own "
            "loans may not be seen. What can an `async def test_...` do with a coroutine?",
        )
    if not right.calls:
        raise NotYet(
            "never-called",
            "No test failed, and none called `self.service`: another function was called in its "
            "place, the coroutine that would call it was never awaited, or the test was skipped. "
            "Which line asks the service that the check puts there, and who runs it?",
        )
    if not right.asked_on:
        raise NotYet(
            "never-ran",
            "Every test passed, and the service was never run: a coroutine is true, and is not "
            "`None`, whatever is in it. Who awaits it in this class?",
        )
    if kept != await every_row():
        raise NotYet(
            "leaves-rows",
            "After your tests the library is another one than before. Which class puts each "
            "test into a transaction, and rolls it back?",
        )
    with _out_of_order(given.value("overdue")):
        if not (await given.result_of("OverdueTest", right, **how)).wasSuccessful():
            raise NotYet(
                "compares-with-itself",
                "If `overdue` itself goes wrong, nothing that your tests expect is left: they hold "
                "the service against the very function that it is. Who else knows which book is "
                "late?",
            )
    for wrong, told in WRONG_SERVICES.items():
        if (await given.result_of("OverdueTest", wrong, **how)).wasSuccessful():
            raise told.again()
    if not (await given.result_of("OverdueTest", None, **how)).wasSuccessful():
        raise NotYet(
            "lost-service",
            "Run as it stands, with the service of your own class, it fails. "
            "What does the line with `service` need, so that `self.service(day)` finds it?",
        )
    return f"It passes with the right service, and {len(WRONG_SERVICES)} wrong ones fail it."


@contextmanager
def _out_of_order(function: Callable) -> Iterator[None]:
    """Let a function fail under whatever name it is called, as long as the block lasts."""

    async def fail(day):
        raise AssertionError

    code = function.__code__
    function.__code__ = fail.__code__
    try:
        yield
    finally:
        function.__code__ = code


class _Service:
    """A service that names the books of such late loans, and notes how it is used.

    Args:
        named: makes of each title what the service says.
        days: how many days too soon it takes a book for late.
        which: which of the late loans it knows.

    `calls` counts its calls, `asked_on` holds the threads on which its queries ran.
    """

    __name__ = __qualname__ = "service"  # which an error may name

    def __init__(self, named: Callable[[str], str] = str, days: int = 0, **which):
        self.calls, self.asked_on = 0, set()
        self._named, self._days, self._which = named, timedelta(days=days), which
        markcoroutinefunction(self)

    def __call__(self, day):
        self.calls += 1
        return self._titles(day)

    async def _titles(self, day):
        from library.models import Loan

        self.asked_on.add(await sync_to_async(threading.get_ident)())
        late = Loan.objects.filter(due__lt=day + self._days, **self._which).order_by("due", "pk")
        return [self._named(loan.book.title) async for loan in late.select_related("book")]


WRONG_SERVICES = {
    _Service(pk=None): NotYet(
        "passes-on-nothing",
        "A service that never finds anything passes your tests. Which book must it name?",
    ),
    _Service(): NotYet(
        "forgets-returned",
        "A service that names books which came back passes your tests. "
        "Which book must it not name?",
    ),
    _Service(returned__isnull=False): NotYet(
        "names-the-wrong-ones",
        "A service that names only books which came back passes your tests: the number is right, "
        "or they look at half of it. Which title do they look for?",
    ),
    _Service("not {}".format, returned=None): NotYet(
        "titles-unread",
        "A service that finds the right loans and says other titles passes your tests. What do "
        "they compare the titles with?",
    ),
    _Service(days=10_000, returned=None): NotYet(
        "forgets-the-day",
        "A service that names every book that is out, whenever it is due, passes your tests. "
        "Which book is out, and not late?",
    ),
    _Service(days=1, returned=None): NotYet(
        "late-too-soon",
        "A service that takes a book for late on the very day on which it is due passes your "
        "tests. Which loan must it leave out?",
    ),
    _Service(days=-1, returned=None): NotYet(
        "late-too-late",
        "A service that does not name a book on the day after its due date passes your tests. "
        "Which loan must it name?",
    ),
}
"""Services that a test has to fail with, and what it earns if it does not."""


def _run_tests(case: type[unittest.TestCase], service: _Service | None) -> unittest.TestResult:
    """Run the reader's tests on a service, or on that of their own class."""
    tried = type(case.__name__, (case,), {"service": staticmethod(service)} if service else {})
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(tried)
    with warnings.catch_warnings(action="ignore"):
        result = unittest.TextTestRunner(stream=io.StringIO()).run(tests)
    result.thread = threading.get_ident()
    return result


def _require_success(
    case: type[unittest.TestCase], result: unittest.TestResult, asked_on: set[int]
) -> None:
    if not result.testsRun and result.wasSuccessful():
        raise NotYet(
            "no-tests", "There was nothing to run. How must the name of a test method begin?"
        )
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
    for name in "setUp", "setUpTestData", "setUpClass":
        if inspect.iscoroutinefunction(getattr(case, name)):
            raise NotYet(
                "set-up-not-awaited",
                f"With the right service it fails: `{last[:120]}`. A `TestCase` awaits its test "
                f"methods, and nobody awaits this `async def {name}`. Where are the loans made, so "
                "that they are there?",
            )
    if asked_on - {result.thread}:
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
        "How long does the loop live on which the client connected to the post office?",
        "What must be inside the one crossing: the query, the connection, the letters, the output?",
        "An `async def send_all(self, texts)`: connect, `try` to send each, `finally` close. Who "
        "calls it, once, and with which adapter?",
    ),
    errors={
        (RuntimeError, on_other_loop): NotYet(
            "loop-for-each",
            "The first reminder opened the connection on a loop, and that loop was closed before "
            "the second. How can all of them be sent on one loop?",
        ),
        (RuntimeError, "would deadlock"): NotYet(
            "would-deadlock",
            "On a plain thread it works. Called by sync code under ASGI it waits for a query that "
            "may only run on the thread that waits; inside a request it would hang. Which call "
            "lets the waiting thread do that work?",
        ),
        (SynchronousOnlyOperation, behind_a_dot): NotYet(
            "lazy-key",
            "The guard fired: inside the async part `loan.member` or `loan.book` is a query behind "
            "a dot. Which side of the crossing should write the texts, or how do the loans bring "
            "both along?",
        ),
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "The guard fired: the loans are fetched in sync fashion, inside the async part. Which "
            "side of the crossing should fetch them, or how does a loop fetch rows?",
        ),
        (AttributeError, "coroutine"): NotYet(
            "async-handle",
            "Django calls `handle` and awaits nothing: it took the coroutine for the command's "
            "output. What makes an `async def handle` sync for its caller?",
        ),
    },
)
async def reminders(given):
    from django.core.management import BaseCommand
    from library.models import Loan

    command = given.value("Command")
    if not (inspect.isclass(command) and issubclass(command, BaseCommand)):
        raise NotYet(
            "no-command",
            "`Command` is nothing that Django can call as a command. Which class does it need?",
        )
    await _lend_two_copies_late()
    in_command = {"where": "thread", "driver": _run_command}
    await _require_sent(given, **in_command)
    await _require_sent(given, driver=sync_to_async(_run_command))
    office = PostOffice(refuses=True)
    async with office.open():
        call = await given.call("Command", office, expect=BaseException, **in_command)
    if office.closed < office.connections:
        raise NotYet(
            "left-open-on-error",
            "The post office refused a letter, and the connection stayed open. "
            "Which part of a `try` runs on every way out?",
        )
    require_itself(call, "Command", "A letter")
    await _require_closed_on_cancel(given, **in_command)
    if "sent" in office.output.getvalue():
        raise NotYet(
            "told-too-early",
            "The post office refused a letter, and the output says that the reminders were sent. "
            "When is that known?",
        )
    await require_told_itself(given, "Command", PostOffice(), what="`connect`", **in_command)
    await _require_again(given)
    await _require_two_at_once(given)
    await Loan.objects.all().adelete()
    await _require_sent(given, **in_command)
    return "One connection, closed after the last letter and after one that is refused."


async def _require_again(given) -> None:
    """Run one command twice, as a scheduler does that keeps it."""
    office = PostOffice()
    async with office.open():
        how = {"where": "thread", "driver": _run_twice}
        call = await given.call("Command", office, expect=Exception, **how)
    if call.error is not None or office.connections != 2:
        raise NotYet(
            "kept-for-the-next",
            "The command ran twice, and the second time it had the client of the first, whose loop "
            "is gone and whose connection is closed. How long is a client good for?",
        )


async def _require_two_at_once(given) -> None:
    """Run the command on two threads, which both are connected before a letter is sent."""
    office = PostOffice(waits_for=2)
    async with office.open():
        how = {"where": "thread", "driver": _run_on_two_threads}
        failed = await given.result_of("Command", office, **how)
    if failed:
        raise NotYet(
            "shared-client",
            "Two people started the command at the same moment, and one of them had the client of "
            "the other, which belongs to another loop. Where does a run keep what is its own?",
        )


async def _require_closed_on_cancel(given, **how) -> None:
    office = PostOffice(cancels=True)
    async with office.open():
        call = await given.call("Command", office, expect=BaseException, **how)
    if office.closed < office.connections:
        raise NotYet(
            "left-open-on-cancel",
            "A letter was cancelled, as it is when somebody stops the command, and the connection "
            "stayed open: a cancellation is raised, and is no error. Which part of a `try` runs on "
            "every way out?",
        )
    _require_cancel_heard(call, "A letter")


def _require_cancel_heard(call, what: str) -> None:
    """Require that a call under which something was cancelled ended with an exception."""
    if call.error is None:
        raise NotYet(
            "cancel-swallowed",
            f"{what} was cancelled, and your caller was told nothing: it goes on as if all were "
            "done. Where does a cancellation end that you catch and do not raise again?",
        )


async def _lend_two_copies_late() -> None:
    """Lend one member two copies of a book, which make the same letter twice."""
    from library.models import Book, Loan

    free = await free_books().select_related("author").afirst()
    copy = await Book.objects.acreate(title=free.title, author=free.author, year=free.year)
    late = {"borrowed": DAY - timedelta(days=22), "due": DAY - timedelta(days=1)}
    for book in free, copy:
        await Loan.objects.acreate(book=book, member_id=1, **late)


async def _require_sent(given, **how) -> None:
    office = PostOffice()
    async with office.open():
        call = await given.call("Command", office, expect=RuntimeError, **how)
    if call.error and len(office.threads) == 1 and office.caller not in office.threads:
        raise NotYet(
            "same-thread",
            "All calls shared one thread, and still each had a loop of its own; the connection was "
            "lost with the first. What must all letters share?",
        )
    output = call.value
    late = open_loans().filter(due__lt=DAY).select_related("book", "member")
    wanted = [f"{loan.member.email}: {loan.book}" async for loan in late]
    if sorted(office.letters) != sorted(wanted):
        raise NotYet(
            "other-letters",
            f"{len(office.letters)} letters arrived: {office.letters}. "
            f"{len(wanted)} were due, one a loan. Was every `send` awaited?",
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
            "The letters are out, and the connection was not closed to the end. While its loop "
            "still runs is the time. Who awaits `client.close()`?",
        )


def _run_command(command: type, office: "PostOffice") -> str:
    from django.core.management import call_command

    office.caller = threading.get_ident()
    call_command(_connected(command, office)(), stdout=office.output)
    return office.output.getvalue()


def _run_twice(command: type, office: "PostOffice") -> None:
    from django.core.management import call_command

    tried = _connected(command, office)()
    for _ in range(2):
        call_command(tried, stdout=office.output)


def _run_on_two_threads(command: type, office: "PostOffice") -> list[Exception]:
    """The errors of two runs at the same time."""
    from django.core.management import call_command
    from django.db import connection

    tried, failed = _connected(command, office), []

    def run():
        try:
            call_command(tried(), stdout=io.StringIO())
        except Exception as error:  # noqa: BLE001 - whatever a client of another loop ends with
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def _connected(command: type, office: "PostOffice") -> type:
    return type(command.__name__, (command,), {"connect": staticmethod(office.connect)})


class PostOffice:
    """A real server on 127.0.0.1 that takes letters, a line each, and what its clients did.

    `caller` is the thread that runs the command, `output` what the command writes, `threads` are
    those that sent something. `refuses` makes it turn every letter down, `cancels` ends the task
    that sends one. Whoever comes before it is open is turned down, too. It takes no letter before
    `waits_for` clients have one.
    """

    def __init__(self, refuses: bool = False, cancels: bool = False, waits_for: int = 1):
        self.cancels = cancels
        self.all_here = threading.Barrier(waits_for)
        self.letters, self.threads, self.output = [], set(), io.StringIO()
        self.caller = self.connections = self.closed = 0
        self._answer = b"no\n" if refuses else b"yes\n"
        self._writers: list[asyncio.StreamWriter] = []
        self._port: int | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take letters during the block, on the check's own loop."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            await self._greet_all()
            server.close()
            for writer in self._writers:
                writer.close()
            if hasattr(server, "close_clients"):  # From Python 3.13 on: those that hung up, too.
                server.close_clients()
                await server.wait_closed()

    async def _greet_all(self) -> None:
        """Take whoever is connected already.

        From Python 3.13 on a server that is closed before makes asyncio print a TypeError, from
        `_SelectorTransport.__del__`, when the connection is collected.
        """
        with suppress(TimeoutError):  # One that hung up at once may never come.
            async with asyncio.timeout(1):
                while len(self._writers) < self.connections:
                    await asyncio.sleep(0)

    async def connect(self) -> "Client":
        """Open a connection, on the loop that runs.

        Raises:
            Outage: the post office is closed.
        """
        if self._port is None:
            raise Outage
        client = Client(self, await asyncio.open_connection("127.0.0.1", self._port))
        self.connections += 1
        return client

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with suppress(ConnectionError):  # A client may be gone without a word.
            while letter := await reader.readline():
                self.letters.append(letter.decode().strip())
                writer.write(self._answer)


class Client:
    """One connection to the post office; it belongs to the loop that opened it."""

    def __init__(self, office: PostOffice, streams: tuple):
        self._office, (self._reader, self._writer) = office, streams
        self._loop = asyncio.get_running_loop()
        self._one_at_a_time = asyncio.Lock()
        self._first = True

    async def send(self, text: str) -> None:
        """Send one letter; first ask the library's database who it is for.

        Raises:
            Outage: the post office refuses it.
            CancelledError: it cancels whoever sends.
        """
        from library.models import Member

        if self._office.cancels:
            raise asyncio.CancelledError
        if self._first:
            self._first = False
            with suppress(threading.BrokenBarrierError):  # The other has failed before.
                self._office.all_here.wait(3)
        self._office.threads.add(threading.get_ident())
        self._require_own_loop()
        await Member.objects.filter(email=text.partition(":")[0]).aexists()
        async with self._one_at_a_time:
            self._writer.write(f"{text}\n".encode())
            if await self._reader.readline() != b"yes\n":
                raise Outage

    async def close(self) -> None:
        """Hang up.

        Raises:
            RuntimeError: another loop is running than the one that opened the connection.
        """
        self._require_own_loop()
        self._writer.close()
        await self._writer.wait_closed()
        self._office.closed += 1

    def _require_own_loop(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("the connection is attached to a different loop")
