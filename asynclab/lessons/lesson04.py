"""The checks of lesson 04: async_to_sync."""

import asyncio
import inspect
import io
import threading
import unittest
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.core.exceptions import ObjectDoesNotExist, SynchronousOnlyOperation
from django.dispatch import Signal

from ..exercises.book import NotYet, exercise
from ..exercises.given import Call
from ..recorder.events import TASK, WAIT
from ..recorder.roles import POOL_WORKER
from .vocabulary.causes import behind_a_dot, on_other_loop
from .vocabulary.failing import fail, require_told
from .vocabulary.library import DAY, free_books, open_loans
from .vocabulary.tasks import Overlap, turns
from .vocabulary.threads import home, leaves_loop


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
    notices = []

    async def notify(title):
        await asyncio.sleep(0)
        notices.append(title)

    await given.call("on_return", notify, where="thread", driver=_send)
    if not notices:
        raise NotYet(
            "not-delivered",
            "`send` came back, and no notice was out: nobody ran the coroutine, or nobody waited "
            "for it. What does both?",
        )
    # As Django calls a sync view under ASGI: on a worker, from a loop.
    call = await given.call("on_return", notify, driver=sync_to_async(_send))
    if notices != ["Emma", "Emma"]:
        raise NotYet("other-notices", f"Two books came back, and the notices are {notices}.")
    if leaves_loop(call):
        raise NotYet(
            "own-loop",
            "In a command it works. In a sync view under ASGI `notify` ran on a loop of its own, "
            "not on the server's, where its client lives. What finds the loop that is there?",
        )
    await require_told(given, "on_return", fail, where="thread", driver=_send, what="`notify`")
    return "Delivered when `send` returns, on a new loop or on the server's."


def _send(receiver: Callable, notify: Callable) -> None:
    returned = Signal()
    returned.connect(receiver, weak=False)
    returned.send(sender=_send, title="Emma", notify=notify)


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
    async def ask(title):
        await asyncio.sleep(0)
        return len(title)

    call = await given.call("stock_line", ask, "Emma", driver=_awaited)
    if "coroutine object" in str(call.value):
        raise NotYet(
            "not-awaited",
            "Where the number should be, the text holds a coroutine object: `ask(title)` made it, "
            "and nobody ran it. Which word is missing before the call?",
        )
    if call.value != "Emma: 4 copies":
        raise NotYet("other-text", f"It returned {call.value!r}, and not 'Emma: 4 copies'.")
    if leaves_loop(call):
        raise NotYet(
            "other-loop",
            "The line is right, and `ask` ran on a loop of its own, on another thread. A client "
            "that lives on this loop would break. What keeps `ask` where you are?",
        )
    if any(span.sent for span in call.recording.spans):
        raise NotYet(
            "there-and-back",
            "The line is right. To get it, the call went to a worker thread, and the worker sent "
            "`ask` back to this very loop. What is the short way?",
        )
    await require_told(given, "stock_line", fail, "Emma", driver=_awaited, what="`ask`")
    return "One `await`, no thread, no hop."


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
    branches = ["Whitby", "Bath", "Haworth", "London", "Nantucket"]
    loops, open_questions = set(), Overlap()

    async def ask(branch):
        loops.add(asyncio.get_running_loop())
        with open_questions:
            await turns()
        return f"{branch}: {len(branch)} copies"

    result = await given.result_of("stock_report", ask, branches, where="thread")
    expected = [f"{branch}: {len(branch)} copies" for branch in branches]
    if not isinstance(result, list | tuple) or list(result) != expected:
        raise NotYet(
            "other-answers",
            f"It returned {result!r}. Is there one answer for each branch, in their order?",
        )
    if len(loops) > 1:
        raise NotYet(
            "crossing-for-each",
            f"Every branch got a crossing of its own: {len(loops)} loops were made and "
            "closed. How can all questions travel in one?",
        )
    if open_questions.most < len(branches):
        raise NotYet(
            "sequential",
            "One crossing, and inside it questions wait for other answers. "
            "What starts all of them before the first `await`?",
        )
    await require_told(given, "stock_report", fail, branches, where="thread", what="`ask`")
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

    async def enrich(pk):
        author = await Author.objects.aget(pk=pk)
        await author.books.acreate(title="The Professor", year=1857)

    async def broken(pk):
        await enrich(pk)
        raise ConnectionError("the catalogue is closed")

    await given.call("add_author", "Currer Bell", enrich, where="thread")
    book = Book.objects.filter(title="The Professor", author__name="Currer Bell")
    if not await book.aexists():
        raise NotYet(
            "not-added",
            "Afterwards there is no Currer Bell with a book. Was the author created, and `enrich` "
            "called with the author's `pk`?",
        )
    call = await given.call("add_author", "Ellis Bell", broken, where="thread", expect=Exception)
    if await Author.objects.filter(name="Ellis Bell").aexists():
        raise NotYet(
            "half-done",
            "`enrich` failed, and Ellis Bell stayed in the library, half done. Until when must the "
            "transaction stay open?",
        )
    if "catalogue is closed" not in str(call.error):
        raise NotYet(
            "swallowed",
            "`enrich` failed, nothing was written, and the caller was told nothing. "
            "Who should hear of it?",
        )
    return "One thread, one connection, one transaction, across the async part."


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

    def greeting(greet, *args):
        return greet(*args), current.get(None)

    for token, name in members.items():
        call = await given.call(
            "greet", log_in, token, where="thread", driver=greeting, expect=LookupError
        )
        text, member = call.result or ("", None)
        if text == f"Good evening, {name}." and member != name:
            raise NotYet(
                "stays-inside",
                "The greeting is right, and whoever called `greet` finds nobody in "
                "`current_member`: the log line that follows will not know the member. "
                "How does the variable get out of the async part?",
            )
        if member != name:
            raise _lost(call)
        if text != f"Good evening, {name}.":
            raise NotYet(
                "other-text", f"{name} logged in and read {text!r}. What is in `current_member`?"
            )
    await require_told(given, "greet", fail, "t-7", where="thread", what="`log_in`")
    return "What the async part has set, sync code goes on with."


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
    how, asked_on = {"where": "thread", "driver": _run_tests}, set()
    good = await given.call("OverdueTest", _service(asked_on, returned=None), **how)
    _require_success(good.value, asked_on)
    if any(each.kind == TASK for each in good.recording.on(POOL_WORKER)):
        raise NotYet(
            "second-loop",
            "A test runs the service on a second loop, on another thread, where the test's own "
            "loans may not be seen. What can an `async def test_...` do with a coroutine?",
        )
    if not asked_on:
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
    if (await given.result_of("OverdueTest", _service(set(), pk=None), **how)).wasSuccessful():
        raise NotYet(
            "passes-on-nothing",
            "A service that never finds anything passes your tests. Which book must it name?",
        )
    if (await given.result_of("OverdueTest", _service(set()), **how)).wasSuccessful():
        raise NotYet(
            "forgets-returned",
            "A service that names books which came back passes your tests. "
            "Which book must it not name?",
        )
    if not (await given.result_of("OverdueTest", None, **how)).wasSuccessful():
        raise NotYet(
            "lost-service",
            "Run as it stands, with the service of your own class, it fails. "
            "What does the line with `service` need, so that `self.service(day)` finds it?",
        )
    return "It passes with the right service, and two wrong ones fail it."


def _service(threads: set[int], **which) -> Callable:
    """A service that names the books of such late loans, and notes where its queries run."""

    async def titles(day):
        from library.models import Loan

        threads.add(await sync_to_async(threading.get_ident)())
        late = Loan.objects.filter(due__lt=day, **which).order_by("due", "pk")
        return [loan.book.title async for loan in late.select_related("book")]

    titles.__qualname__ = "service"  # which an error may name
    return titles


def _run_tests(case: type[unittest.TestCase], service: Callable | None) -> unittest.TestResult:
    """Run the reader's tests on a service, or on that of their own class."""
    tried = type(case.__name__, (case,), {"service": staticmethod(service)} if service else {})
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(tried)
    with warnings.catch_warnings(action="ignore"):
        result = unittest.TextTestRunner(stream=io.StringIO()).run(tests)
    result.thread = threading.get_ident()
    return result


def _require_success(result: unittest.TestResult, asked_on: set[int]) -> None:
    if not result.testsRun:
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
    late = {"borrowed": DAY - timedelta(days=22), "due": DAY - timedelta(days=1)}
    await Loan.objects.acreate(book=await free_books().afirst(), member_id=1, **late)
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
    if call.error is None:
        raise NotYet(
            "swallowed",
            "The post office refused a letter, and the command ended as if all were well. Who "
            "should learn that a reminder is not out?",
        )
    return "One crossing, one connection, closed on every way out."


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


def _run_command(command: type, office: "PostOffice") -> str:
    from django.core.management import call_command

    office.caller = threading.get_ident()
    tried = type(command.__name__, (command,), {"connect": staticmethod(office.connect)})
    output = io.StringIO()
    call_command(tried(), stdout=output)
    return output.getvalue()


class PostOffice:
    """A real server on 127.0.0.1 that takes letters, a line each, and what its clients did.

    `caller` is the thread that runs the command, `threads` are those that sent something.
    `refuses` makes it turn every letter down.
    """

    def __init__(self, refuses: bool = False):
        self.letters, self.threads = [], set()
        self.caller = self.connections = self.closed = 0
        self._answer = b"no\n" if refuses else b"yes\n"
        self._writers: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take letters during the block, on the check's own loop."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for writer in self._writers:
                writer.close()

    async def connect(self) -> "Client":
        """Open a connection, on the loop that runs."""
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
