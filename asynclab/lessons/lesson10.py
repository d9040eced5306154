"""The checks of lesson 10: streaming, disconnects and work that outlives a request."""

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from types import SimpleNamespace

import httpx
from django.core.exceptions import ObjectDoesNotExist, SynchronousOnlyOperation

from ..exercises.book import NotYet, exercise
from ..exercises.given import Call
from ..exercises.lineage import is_beside
from ..recorder.hooks import before_queries
from .vocabulary.cancelling import end
from .vocabulary.failing import Mishap, OtherOutage, Outage, require_cancelled
from .vocabulary.logs import logger_of_its_own
from .vocabulary.loops import call_off_the_loop
from .vocabulary.open_connections import Opened, noting_closers
from .vocabulary.queries import hops, queries
from .vocabulary.serving import AT_ONCE, Reader, read, visit
from .vocabulary.tasks import (
    Gate,
    NewTasks,
    clock_put_forward,
    gives_up,
    pass_time,
    told_to_the_loop,
    turns,
    until,
)
from .vocabulary.threads import require_this_loop
from .vocabulary.upstreams import Line, nowhere, upstreams
from .vocabulary.values import difference

TITLES = ["Emma", "Dracula", "Carmilla"]
ASYNC_GENERATOR = {
    (AttributeError, "'async_generator' object"): NotYet(
        "generator-view",
        "The view itself has the `yield`, so a call of it makes an async generator, and Django "
        "looks for a response in vain. What takes a generator, and is a response?",
    ),
}


def _require_lines(reader: Reader, lines: list[str]) -> None:
    if reader.gave_up:
        raise NotYet(
            "never-ends",
            f"The reader got {len(reader.parts)} of {len(lines)} lines, and waited in vain for "
            "another, or for the end. What does your body wait for, and who is to bring it?",
        )
    wanted = "".join(f"{line}\n" for line in lines)
    if "" in lines and reader.parts == [f"{line}\n" for line in lines[: lines.index("")]]:
        raise NotYet(
            "ends-at-an-empty-one",
            "A title came that is an empty text, and the stream ended there. What stands for its "
            "end, and what does Python take an empty text for, where a condition is asked for?",
        )
    if "".join(reader.parts) != wanted:
        raise NotYet("other-text", difference("".join(reader.parts), wanted))


PATIENCE = 1
"""Seconds that a reader waits, and a model for its word to be read."""
SLOW_CLOSE = 0.3
"""Seconds that a connection to a model needs to be closed, if the request does not end before."""


SHELF = ["Emma", "", "Dracula", "Emma"]


class _Shelf:
    """Gives a title whenever a book comes back; `given` counts them.

    It may fail at its end, or give nothing more from there.
    """

    def __init__(
        self,
        error: Exception | None = None,
        titles: Sequence[str] = SHELF,
        waits: bool = False,
    ):
        self.given, self._error, self._titles, self._waits = 0, error, titles, waits

    async def __aiter__(self) -> AsyncIterator[str]:
        for title in self._titles:
            await asyncio.sleep(0)
            self.given += 1
            yield title
        if self._error is not None:
            raise self._error
        if self._waits:
            await asyncio.get_running_loop().create_future()


@exercise(
    "10.1",
    title="the first line first",
    names=("news",),
    why=(
        "Under ASGI a response is sent part by part only if its iterator is async. The view may be "
        "of either kind."
    ),
    hints=(
        "What does Django do under ASGI with an iterator that is not async?",
        "Which two words go through an async iterable, and where must they stand, so that a line "
        "can be sent between two titles?",
        "Is there an `async def lines()` in your view, with `async for` and a `yield`, and does "
        "the response get `lines()`?",
    ),
    errors={
        **ASYNC_GENERATOR,
        (TypeError, "not iterable"): NotYet(
            "sync-loop",
            "A plain `for` went through something that is an async iterable. Which kind of "
            "`for` waits for the next title?",
        ),
    },
)
async def news(given):
    shelf = _Shelf()
    reader = await given.result_of("news", shelf, driver=_news)
    _require_lines(reader, SHELF)
    if reader.seen[0] > 1:
        raise NotYet(
            "all-at-once",
            f"When the first line was sent, {reader.seen[0]} of {len(SHELF)} titles had been "
            "taken from the shelf: somebody collected them first, your code or Django. What has "
            "to be handed to the response, so that it can send a line before the next title?",
        )
    sent: list[str] = []
    call = await given.call("news", _Shelf(Outage()), sent, driver=_news_slowly, expect=Mishap)
    if call.error is None and call.value.gave_up:
        raise _unheard("The shelf raised an error", "line")
    if call.error is None:
        raise NotYet(
            "hides-the-error",
            "The shelf raised an error, and the answer ended as if no more books would come back. "
            "Who should hear of it?",
        )
    if len(sent) < len(SHELF):
        raise NotYet(
            "cut-short",
            f"The shelf gave {len(SHELF)} titles, and raised an error. The reader, who takes a "
            f"line slowly, got {len(sent)}. What has to be sent before the error is looked at?",
        )
    left = await given.result_of("news", _Shelf(waits=True), 2, driver=_news)
    require_cancelled("news", not left.ended)
    call = await given.call("news", _Shelf(titles=[]), driver=_news, expect=Exception)
    if call.error is not None or "".join(call.value.parts):
        raise NotYet(
            "fails-without-a-title",
            "No book came back before the shelf ended, and its reader should get an empty page, "
            "but did not. Which line takes the first title for granted?",
        )
    return "Each line was sent before the next title was there."


async def _news(news: Callable, shelf: _Shelf, leave_after: int = 0) -> Reader:
    options = {"patience": PATIENCE, "look": lambda: shelf.given, "leave_after": leave_after}
    return await read(news, **options, shelf=shelf)


async def _news_slowly(news: Callable, shelf: _Shelf, sent: list[str]) -> Reader:
    async def take(line: str) -> None:
        await turns()
        sent.append(line)

    return await read(news, patience=PATIENCE, take=take, shelf=shelf)


def _unheard(what: str, part: str) -> NotYet:
    return NotYet(
        "unheard",
        f"{what}, and a task of its own heard of it, and ended. Your body waits for a {part} that "
        "nobody puts into the queue any more. Who hears of the task's error?",
    )


class _WentOn(Exception):
    """Somebody waits for a title whose reader has gone."""


class _Queue(asyncio.Queue):
    """Titles, an error among them maybe; whoever finds it empty waits, and may do so once.

    `waiting` counts those who wait.
    """

    def __init__(self, *titles: str | None | Exception):
        super().__init__()
        self._waited, self.waiting = False, 0
        for title in titles:
            self.put_nowait(title)

    async def get(self) -> str | None:
        if self.empty():
            if self._waited:
                raise _WentOn
            self._waited = True
        self.waiting += 1
        try:
            return await super().get()
        finally:
            self.waiting -= 1

    def get_nowait(self) -> str | None:
        title = super().get_nowait()
        if isinstance(title, Exception):
            raise title
        return title


class _Observed(_Queue):
    """Arrivals that note what `look` returns whenever a title is asked for."""

    def __init__(self, *titles: str | None):
        super().__init__(*titles)
        self.look, self.seen = int, []

    async def get(self) -> str | None:
        self.seen.append(self.look())
        return await super().get()


class _Seldom(_Observed):
    """Arrivals that come at an hour's distance, by a clock that `forward` puts forward."""

    def __init__(self, forward: Callable[[float], None], *titles: str | None):
        super().__init__(*titles)
        self.look = lambda: forward(3600 * (len(self.seen) + 1))

    async def get(self) -> str | None:
        title = await super().get()
        await turns()
        return title


WENT_ON_WAITING = NotYet(
    "swallowed",
    "The reader left, a `CancelledError` came, and your code caught it and waited for the next "
    "title. Who is to read it? What lets the exception pass?",
)
OTHER, NEWCOMER = "Ben", "Zoe"
"""A reader who stays, and one who comes while another one reads."""


@exercise(
    "10.2",
    title="a reader who has left",
    names=("follow",),
    why=(
        "A `finally` in the generator runs however the stream ends: at its last line, by an error, "
        "and by the `CancelledError` of a reader who has left."
    ),
    hints=(
        "What is raised in the generator, and at which line, when its reader leaves?",
        "`CancelledError` is no `Exception`. Which block runs after a loop, whatever ends it?",
        "Does the `try` begin behind `readers.add(name)`, inside of the generator, and does its "
        "`finally` discard the name?",
    ),
    errors={
        **ASYNC_GENERATOR,
        _WentOn: WENT_ON_WAITING,
    },
)
async def follow(given):
    readers: set[str] = {OTHER}
    arrivals = _Observed("Emma", "", "Dracula", None)
    arrivals.look = lambda: "Amara" in readers
    call = await given.call("follow", arrivals, readers, driver=_follow)
    reader = call.value
    _require_lines(reader, ["Emma", "", "Dracula"])
    require_this_loop(call)
    if not (all(reader.seen) and all(arrivals.seen)):
        raise NotYet(
            "not-listed",
            "While the reader read, or waited for a title, the name was not in `readers`. The body "
            "begins when the view has returned: which lines run then?",
        )
    if not {OTHER, NEWCOMER} <= readers:
        raise NotYet(
            "others-out",
            "The stream came to its end, and other readers, who stay, or have come meanwhile, are "
            "no longer in `readers` either. Whose name is yours to take out?",
        )
    if readers != {OTHER, NEWCOMER}:
        raise NotYet("still-listed", _listed("The stream came to its end"))
    arrivals = _Queue("Emma", "Dracula")
    reader = await given.result_of("follow", arrivals, readers, 2, driver=_follow)
    if readers != {OTHER, NEWCOMER}:
        raise NotYet("left-and-listed", _listed("The reader left after two lines"))
    if reader.waiting:
        raise NotYet(
            "still-waits",
            "The reader left after two lines, the stream ended, and somebody still waits in "
            "`arrivals.get()`: the next title will be taken for nobody. What keeps the "
            "`CancelledError` from coming that far?",
        )
    require_cancelled("follow", not reader.ended)
    reader = await given.result_of("follow", readers, driver=_follow_for_hours)
    if len(reader.parts) < len(TITLES):
        raise NotYet(
            "gives-up-waiting",
            "No book came back for an hour, and the stream ended, although its reader was there. "
            "Which line decides how long a reader may wait?",
        )
    for error in Mishap(), Outage():
        arrivals = _Queue("Emma", error)
        call = await given.call("follow", arrivals, readers, driver=_follow, expect=Mishap)
        if readers != {OTHER, NEWCOMER}:
            raise NotYet("failed-and-listed", _listed("`arrivals.get()` raised an error"))
        if call.error is None:
            raise NotYet(
                "hides-the-error",
                "`arrivals.get()` raised an error, and the stream ended as if there were no more "
                "news. Who should hear of it?",
            )
    await given.call("follow", _Queue("Emma"), readers, AT_ONCE, driver=_follow)
    if readers != {OTHER, NEWCOMER}:
        raise NotYet(
            "never-begun",
            "The reader left before the first line, and the name is still in `readers`. Nobody has "
            "asked your body for a line then, and where nothing has begun, no `finally` runs. "
            "Where has the name to be put in, so that what takes it out is sure to run?",
        )
    return "The name was there as long as its reader, and no longer, however the stream ended."


async def _follow(
    follow: Callable, arrivals: _Queue, readers: set[str], leave_after: int = 0
) -> Reader:
    given = {"name": "Amara", "arrivals": arrivals, "readers": readers}

    def look() -> bool:
        readers.add(NEWCOMER)
        return "Amara" in readers

    reader = await read(follow, leave_after=leave_after, look=look, **given)
    await turns()
    reader.waiting = arrivals.waiting
    return reader


async def _follow_for_hours(follow: Callable, readers: set[str]) -> Reader:
    with clock_put_forward() as forward:
        return await _follow(follow, _Seldom(forward, *TITLES, None), readers)


def _listed(what: str) -> str:
    return (
        f"{what}, and the name is still in `readers`. Which line should have taken it out, and "
        "which block lets a line run at every end?"
    )


class _Model:
    """Makes a word when the one before it has been read; `collected` if that takes too long."""

    def __init__(self, words: int = 3):
        self.words = [f"word{number // 2}" for number in range(words)]
        self.collected = False
        self._read = threading.Semaphore(1)

    def answer(self) -> tuple[int, Iterator[str]]:
        return 200, self._made()

    def _made(self) -> Iterator[str]:
        for word in self.words:
            if not self.collected:
                self.collected = not self._read.acquire(timeout=PATIENCE)
            yield f"{word}\n"

    def next(self) -> None:
        self._read.release()


@exercise(
    "10.3",
    title="a relay that leaks",
    names=("relay",),
    why=(
        "Nothing has to happen between two words, so one generator does it all, and it is "
        "cancelled with the request. Its `async with` closes the connection, and an error of the "
        "model ends the stream, because nobody else waits for it."
    ),
    hints=(
        "The reader leaves, and Django cancels the task of the request. Which task reads the "
        "model's words, and who cancels that one?",
        "Nothing has to happen between two words. What do queue and task do then that a loop does "
        "not do, too? Where could `client.stream` stand without them?",
        "Is it one `async def body()`, with `async with client.stream(...)` and `async for` around "
        "its `yield`?",
    ),
    errors={
        **ASYNC_GENERATOR,
        (RuntimeError, "more than once"): NotYet(
            "closes-the-client",
            "`client` is open already, and an `async with` would close it with this answer. Whose "
            "is it?",
        ),
        httpx.StreamClosed: NotYet(
            "ends-with-the-view",
            "The `async with` around `client.stream` ended when the view returned, and closed the "
            "connection before the body began. Where must it stand, so that it ends with the body?",
        ),
    },
    seconds=4,
)
async def relay(given):
    model, line = _Model(), Line()
    with upstreams({"model": model.answer}) as urls:
        reader = await given.result_of("relay", urls["model"], line, model, driver=_relay)
    if not line.asked:
        raise NotYet(
            "other-client",
            "Nothing went through `client`, which keeps connections open from answer to answer. "
            "Who has made it for you?",
        )
    _require_lines(reader, model.words)
    if reader.late:
        raise NotYet(
            "waits-in-the-view",
            "The view returned only when the model had said all it had to say: something in it "
            "waited for that. The end of an `async with` may wait, too. What has to wait in the "
            "body?",
        )
    if model.collected:
        raise NotYet(
            "all-at-once",
            "The model waited in vain for its first word to be read: the words were collected. "
            "Which method of `client` gives an answer before it is whole?",
        )
    await _require_stopped(given)
    line = Line()
    call = await given.call("relay", nowhere(), line, driver=_relay, expect=httpx.HTTPError)
    if call.error is None and call.value.gave_up:
        raise _unheard("The model could not be reached", "word")
    if call.error is None:
        raise NotYet(
            "hides-the-error",
            "The model could not be reached, and the answer ended like any other. Its status is "
            "200, whatever its text says, and to the server it is as good as any. Who should hear "
            "of the error?",
        )
    if line.asked > 1:
        raise NotYet(
            "asks-again",
            f"The model could not be reached, and your code asked {line.asked} times. Had it "
            "failed after some words, its reader would get them twice. What ends the stream, by "
            "the card?",
        )
    await _require_none_for_nobody(given)
    return "Each word was passed on at once, and the model stopped when its reader left."


class _SlowLine(Line):
    """A line that takes its time to be closed, but no longer than the request; see `closing`."""

    def __init__(self):
        super().__init__()
        self.closing = False

    async def closes(self) -> None:
        self.closing = True
        await until(self.over.is_set, SLOW_CLOSE)


async def _require_stopped(given) -> None:
    model, line = _Model(words=50), _SlowLine()
    with upstreams({"model": model.answer}) as urls:
        reader = await given.result_of("relay", urls["model"], line, model, 2, driver=_relay)
        model.collected = True  # it need not wait any more
        model.next()
    if reader.under_way and reader.closing:
        raise NotYet(
            "not-awaited",
            "The reader left, what reads the model was cancelled, and nobody waited for it: the "
            "request ended while the connection to the model was still being closed. To cancel is "
            "to ask. What waits until a task has ended?",
        )
    if reader.under_way:
        raise NotYet(
            "goes-on",
            "The reader left after two words, the request ended, and the model was still being "
            "read, and paid. Which task does that, and who ends it?",
        )
    require_cancelled("relay", not reader.ended)


async def _require_none_for_nobody(given) -> None:
    model, line = _Model(words=50), Line()
    with upstreams({"model": model.answer}) as urls:
        await given.call("relay", urls["model"], line, model, AT_ONCE, driver=_relay)
        model.collected = True  # it need not wait any more
        model.next()
    if line.left_open:
        raise NotYet(
            "never-begun",
            "The reader left before the first word, and the model's answer stayed open. Your body "
            "was never begun then, and a generator that was never begun has no `finally` to run. "
            "Where has the model to be asked, so that what closes the answer is sure to run?",
        )


async def _relay(
    relay: Callable, url: str, line: Line, model: _Model | None = None, leave_after: int = 0
) -> Reader:
    late = []
    options = {"leave_after": leave_after, "patience": 2 * PATIENCE}
    if model:
        options |= {"look": model.next, "started": lambda: late.append(model.collected)}
    async with httpx.AsyncClient(transport=line, timeout=None) as client:
        reader = await read(relay, **options, client=client, url=url)
        reader.under_way, reader.late = line.under_way, any(late)
        reader.closing = getattr(line, "closing", False)
        line.over.set()
        await turns()
        line.left_open = line.under_way
    return reader


@exercise(
    "10.4",
    title="two hundred readers, no connection",
    names=("announce",),
    why=(
        "The worker of a request keeps its connection until the body has ended. Closed there, it "
        "is opened anew for the next title."
    ),
    hints=(
        "Django closes a connection when the request ends. When does the request of a stream end?",
        "`close_old_connections` closes those of the thread that calls it. Which thread has made "
        "the query of `aget`, and how does a function come to run there?",
        "Does `await sync_to_async(close_old_connections)()` stand between the query and the "
        "`yield`, so that it runs for each title?",
    ),
    errors={
        **ASYNC_GENERATOR,
        SynchronousOnlyOperation: NotYet(
            "on-the-loop",
            "Something that uses the connection ran on the loop's thread: a query, or a `close`. "
            "What sends a sync function to the worker?",
        ),
        _WentOn: WENT_ON_WAITING,
    },
)
async def announce(given):
    titles = ["Emma", "Dracula", None]
    call = await call_off_the_loop(given, "announce", titles, SENDING, driver=_announce)
    require_this_loop(call)
    seen = call.value
    _require_lines(seen.reader, ["Emma by Jane Austen", "Dracula by Bram Stoker"])
    if seen.sent[1] == 0:
        raise NotYet(
            "all-at-once",
            "The second title was asked for, and the line of the first had not been sent: its "
            "reader hears of it when the next book comes back, or the last. Where must the `yield` "
            "stand?",
        )
    waiting = any(seen.waiting)
    if (waiting or any(seen.reader.seen)) and seen.elsewhere:
        raise NotYet(
            "other-thread",
            "Your code closes connections on a thread that has none. Each thread has its own, and "
            "a query leaves its connection open on the thread that made it. Which one is that?",
        )
    if waiting:
        raise NotYet(
            "held",
            "A line was sent, the next title was waited for, and the connection of the query was "
            "open all the while. When should it be closed, if the reader stays for an hour?",
        )
    if any(seen.reader.seen):
        raise NotYet(
            "held-at-the-yield",
            "It waits without a connection, and sends with one. Your generator stands at its "
            "`yield` until the reader has taken the line. What has to come before it?",
        )
    if seen.opened_meanwhile:
        raise NotYet(
            "asks-ahead",
            "While a line was on its way to its reader, who may be slow, a connection was opened: "
            "the next title had come, and its book was asked for beside. What has to wait until "
            "the line is sent?",
        )
    _require_asked_each_time(call)
    titles = ["Emma", "A Book That Nobody Wrote", None]
    call = await call_off_the_loop(
        given, "announce", titles, 0, driver=_announce, expect=ObjectDoesNotExist
    )
    if call.error is None:
        raise NotYet(
            "hides-the-error",
            "The library has no such title, and the stream went on, or ended, as if nothing had "
            "happened. Who should hear of it?",
        )
    _require_asked_each_time(call)
    call = await call_off_the_loop(given, "announce", ["Emma"], 0, 1, driver=_announce)
    require_cancelled("announce", not call.value.reader.ended)
    reader = await given.result_of("announce", driver=_leave_at_a_query)
    require_cancelled("announce", not reader.ended)
    return "Two lines were sent, and nobody waited with a connection."


def _require_asked_each_time(call: Call) -> None:
    if len(queries(call)) < 2:
        raise NotYet(
            "knows-before",
            f"Two titles came, and the library was asked {len(queries(call))} times: your code "
            "knew of a book before its title came. When can a book be entered, or renamed, that a "
            "reader hears of after hours?",
        )


SENDING = 0.1
"""Seconds that it takes to send a line to a slow reader."""


async def _announce(
    announce: Callable, titles: list[str | None], sending: float, leave_after: int = 0
) -> SimpleNamespace:
    """What was open when; `elsewhere` says whether the body closed some where none was opened.

    `opened_meanwhile` says whether a connection was opened while a line was sent.

    Args:
        sending: how many seconds that takes.
    """
    arrivals, lines, closers_of_body = _Observed(*titles), [], set()
    seen = SimpleNamespace(opened_meanwhile=False)

    async def take(line: str) -> None:
        lines.append(line)
        number = len(opened)
        if await until(lambda: len(opened) > number, sending):
            seen.opened_meanwhile = True

    with Opened() as opened, noting_closers() as closers:

        def look() -> tuple[int, int]:
            if arrivals.seen:
                closers_of_body.update(closers)
            closers.clear()  # of those of the handler, which closes some at a request's two ends
            return opened.left, len(lines)

        arrivals.look = look
        options = {"leave_after": leave_after, "look": lambda: opened.left, "take": take}
        reader = await read(announce, **options, arrivals=arrivals)
    seen.reader, seen.elsewhere = reader, bool(closers_of_body - opened.threads)
    seen.waiting, seen.sent = zip(*arrivals.seen, strict=True)
    return seen


async def _leave_at_a_query(announce: Callable) -> Reader:
    """Leave after a line, while the query for the next one is at work."""
    lines, begun, end = [], threading.Event(), threading.Event()

    async def take(line: str) -> None:
        lines.append(line)

    def stall(_cursor, _sql: str) -> None:
        if lines and not is_beside():
            begun.set()
            end.wait(5)

    with before_queries(stall), Opened() as opened:
        arrivals = _Queue("Emma", "Dracula", None)
        reading = asyncio.create_task(read(announce, leave_after=1, take=take, arrivals=arrivals))
        await until(lambda: begun.is_set() or reading.done())
        await turns()
        end.set()
        reader = await reading
        await until(lambda: not opened.left)  # a thread of the pool may be at it
    return reader


WELL, BY_ERROR, BY_CANCEL = "came to its end", "failed", "was cancelled"
"""How work ends."""
SOON = 0.5
"""Seconds that a connection gets to be closed when the work has ended."""


class _Work:
    """Work for after the response, which waits for the check, and queries; `records` are of it."""

    def __init__(self, how: str):
        self.how, self.records, self.gate = how, [], Gate()
        self.begun = self.ended = self.elsewhere = False
        self._loop = asyncio.get_running_loop()

    async def do(self) -> None:
        from library.models import Book

        self.begun = True
        self.elsewhere = asyncio.get_running_loop() is not self._loop
        try:
            if not self.elsewhere:
                await self.gate.wait()
                await Book.objects.acount()
            if self.how == BY_ERROR:
                raise Mishap
            if self.how == BY_CANCEL:
                asyncio.current_task().cancel()
                await asyncio.sleep(0)
        finally:
            self.ended = True

    def note(self, record: logging.LogRecord) -> bool:
        """A filter for a logger, which lets nothing pass on."""
        kind = record.exc_info[0] if record.exc_info else None
        self.records.append((record.levelno, kind))
        return False


RUNS_A_LOOP = NotYet(
    "runs-a-loop",
    "A loop is running on this thread already, and a thread runs one at a time. Which call "
    "starts a coroutine on the loop that is there?",
)


@exercise(
    "10.5",
    title="after the page",
    names=("later",),
    why=(
        "The set holds the task until it is done. What the task awaits last runs on its own "
        "worker, where its queries have opened a connection."
    ),
    hints=(
        "The request has ended, and so has all that Django does at its end. Who holds the task, "
        "who looks at its error, and who closes its connection?",
        "An `async def` of your own can await `work`, with `try` around it. Which of its blocks "
        "runs whether the work has failed, was cancelled, or came to its end?",
        "Is `logger.exception` in an `except Exception`, "
        "`await sync_to_async(close_old_connections)()` in the `finally`, and the task in a set "
        "that `task.add_done_callback` takes it out of?",
    ),
    errors={
        (RuntimeError, "running event loop"): RUNS_A_LOOP,
        (RuntimeError, "same thread as an async event loop"): RUNS_A_LOOP,
    },
)
async def later(given):
    for how in WELL, BY_ERROR, BY_CANCEL:
        seen = await given.result_of("later", how, driver=_after_the_page)
        _require_begun(seen)
        _require_logged(seen)
        _require_closed(seen)
        if seen.kept:
            raise NotYet(
                "kept-for-ever",
                f"The work {how}, and its task is still held. A server does such work for months. "
                "Who lets go of a task when it is done?",
            )
    at_once, both, the_second = await given.result_of("later", driver=_after_two_pages)
    if not at_once:
        raise NotYet(
            "waits-for-another",
            "Two pages were sent, one right after the other, and the work of the second was not "
            "begun before that of the first had ended. Whom should it wait for?",
        )
    if not both:
        raise NotYet(
            "one-at-a-time",
            "Two pages were sent, one right after the other, the garbage collector came, and the "
            "work of one of them was gone. For how many tasks has what holds them room?",
        )
    if not the_second:
        raise NotYet(
            "lets-go-of-others",
            "Two pages were sent, the work of the first came to its end, the garbage collector "
            "came, and the work of the second was gone. Whose task is let go of when one is done?",
        )
    return "It went on to its end, its failure was logged, and its connection is closed."


def _require_begun(seen: SimpleNamespace) -> None:
    if seen.coroutine:
        raise NotYet(
            "nobody-awaits",
            "Your `async def` only made a coroutine, and the view does not await it. What must "
            "`later` be, so that a plain call is enough?",
        )
    if seen.work.elsewhere:
        raise NotYet(
            "second-loop",
            "The work ran on an event loop of its own, on a thread of its own. What is bound to "
            "the server's loop, as a client is, fails there. Which call starts a coroutine on the "
            "loop that is there?",
        )
    if not seen.work.begun:
        raise NotYet("not-started", "The work was never begun. What starts a coroutine?")
    if seen.gave_up:
        raise gives_up("The work")
    if not seen.alive:
        raise NotYet(
            "lost",
            "The work waited, the garbage collector came, and the work was gone: the loop refers "
            "to its tasks weakly. Who could hold on to the task?",
        )


def _require_logged(seen: SimpleNamespace) -> None:
    records, how = seen.work.records, seen.work.how
    if any(isinstance(error, asyncio.CancelledError) for error in seen.told):
        raise NotYet(
            "trips-over-cancel",
            "The work was cancelled, and your callback raised: asked for its exception, a "
            "cancelled task raises. What can be asked first?",
        )
    if how == BY_ERROR and not any(level >= logging.ERROR for level, _ in records):
        raise NotYet(
            "silent",
            "The work failed, and `logger` logged no error. Nobody awaits the task: who looks at "
            "what it has raised?",
        )
    if how == BY_ERROR and not any(kind is Mishap for _, kind in records):
        raise NotYet(
            "no-traceback",
            "The log has the error's text, and not the lines that it came through. Which method of "
            "a logger adds them?",
        )
    if how != BY_ERROR and records:
        raise NotYet(
            "no-failure",
            f"The work {how}, and `logger` has logged {len(records)} line. With every deploy, "
            "somebody would look for a fault that there is not. Which exceptions are failures?",
        )


def _require_closed(seen: SimpleNamespace) -> None:
    if seen.left and seen.elsewhere:
        raise NotYet(
            "other-thread",
            "Your code closes connections on a thread that has none: the query has left its "
            "connection open on another one. On which thread do the queries of a task run?",
        )
    if seen.left:
        raise NotYet(
            "left-open",
            f"The work {seen.work.how}, and its connection is still open: no end of a request "
            "comes for it any more. Which line closes it, and does that line run at every end?",
        )


async def _after_the_page(later: Callable, how: str) -> SimpleNamespace:
    from django.http import HttpResponse

    work, seen = _Work(how), SimpleNamespace(coroutine=False, alive=True)
    with logger_of_its_own() as logger, told_to_the_loop() as told, Opened() as opened:
        logger.addFilter(work.note)

        async def lend(request):
            with NewTasks() as seen.tasks:
                returned = later(work.do(), logger)
            seen.coroutine = asyncio.iscoroutine(returned)
            if seen.coroutine:
                returned.close()
            return HttpResponse("lent")

        await visit(lend)
        await until(lambda: work.gate.reached or work.ended, SOON)
        waits = not work.ended
        await pass_time()
        seen.gave_up = waits and work.ended
        with noting_closers() as closers:
            seen.alive = work.gate.open()
            await until(
                lambda: work.ended and not (seen.tasks.pending or opened.left),
                SOON if seen.alive else 0,
            )
        await turns()
        seen.left, seen.kept = opened.left, seen.tasks.kept
    return SimpleNamespace(
        work=work, told=told, elsewhere=bool(closers - opened.threads), **vars(seen)
    )


async def _after_two_pages(later: Callable) -> tuple[bool, bool, bool]:
    """Whether both have begun at once, both go on, and the second does when the first has ended."""
    works = _Work(WELL), _Work(WELL)
    with logger_of_its_own() as logger, told_to_the_loop():
        tasks = []
        for work in works:
            with NewTasks() as started:
                later(work.do(), logger)
            tasks.append(started)
        await until(lambda: all(work.gate.reached or work.ended for work in works), SOON)
        at_once = all(work.gate.reached or work.ended for work in works)
        gc.collect()
        both = not any(work.ended for work in works)
        alive = []
        for work, started in zip(works, tasks, strict=True):
            alive.append(work.gate.open())
            await until(lambda started=started: not started.pending, SOON if alive[-1] else 0)
            await turns()
    return at_once, both and alive[0], alive[-1]


WAITS, WENT_ON = "waits until it is cancelled", "is asked for a reader who has gone"
"""Reports of a desk that are no titles."""
PAUSE = 0.02
"""Seconds."""
LONG_PAUSE = 2
"""Seconds that a clock which is put forward makes short."""
BACKLOG = 100
OFTEN = 1500
"""More often than functions can call each other."""


class _Desk:
    """Gives one report after another: a title, None, or an error that it raises.

    `asked` counts the questions. How many seconds and turns of the loop came between an answer and
    the next question is `after_title`, of the slowest, and `after_error`, of a `ConnectionError`.
    `waiting` counts those who wait for a report.
    """

    def __init__(self, *reports: str | None | Exception):
        self.asked, self.waiting, self.went_on = 0, 0, False
        self.after_title = self.after_error = (0.0, 0)
        self._reports = list(reports)
        self._turn, self._answered, self._failed = 0, (0.0, 0), False

    async def news(self) -> str | None:
        self._note_pause()
        self.asked += 1
        report = self._reports.pop(0)
        if report is WAITS:
            return await self._wait()
        self._failed, self._answered = isinstance(report, Exception), self._now()
        if self._failed:
            raise report
        if report is WENT_ON:
            self.went_on = True
            return None
        return report

    async def count_turns(self) -> None:
        while True:
            await asyncio.sleep(0)
            self._turn += 1

    def since_answered(self) -> float:
        """In seconds."""
        return self._now()[0] - self._answered[0]

    async def _wait(self) -> None:
        self.waiting += 1
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.waiting -= 1

    def _now(self) -> tuple[float, int]:
        return asyncio.get_running_loop().time(), self._turn

    def _note_pause(self) -> None:
        now, turn = self._now()
        pause = now - self._answered[0], turn - self._answered[1]
        if self._failed:
            self.after_error = pause
        elif self.asked:
            self.after_title = max(self.after_title, pause)


@exercise(
    "10.6",
    title="a stream that never ends",
    names=("watch",),
    why=(
        "`CancelledError` is neither a `ConnectionError` nor an `Exception`, so nothing catches "
        "it. And it is raised where a task waits: each way round the loop waits once."
    ),
    hints=(
        "The reader leaves, and a `CancelledError` is raised in the generator. Which line catches "
        "it, and what comes next?",
        "Which one error is to be survived? And which of the two pauses, that of `time` and that "
        "of `asyncio`, can be cancelled, and lets others be served?",
        "Is only `await desk.news()` in the `try`, with `except ConnectionError`, and does "
        "`await asyncio.sleep(0)` give the loop a turn behind each line?",
    ),
    errors={
        **ASYNC_GENERATOR,
        ConnectionError: NotYet(
            "gives-up",
            "`desk.news()` raised a `ConnectionError`, and the stream ended by it. What should the "
            "reader see in its place, and what comes after the pause?",
        ),
        RecursionError: NotYet(
            "calls-itself",
            "The line was bad many times running, and Python gave up: for each time, your function "
            "had called itself once more, and none of the calls had ended. What goes round as "
            "often as it likes?",
        ),
        (AttributeError, "disconnect"): NotYet(
            "other-framework",
            "Django's request cannot be asked whether its reader is still there; that of other "
            "frameworks can. What does Django do to your generator when the reader leaves?",
        ),
    },
    seconds=10,
)
async def watch(given):
    desk = _Desk("Emma", ConnectionError(), "", "Dracula", None)
    call = await given.call("watch", desk, PAUSE, driver=_watch)
    _require_lines(call.value, ["Emma", "(no news)", "", "Dracula"])
    if call.value.seen[1] > PAUSE / 2:
        raise NotYet(
            "told-too-late",
            "`desk.news()` failed, and `(no news)` was sent only when the pause was over: for so "
            "long its reader knew nothing. Which comes first?",
        )
    _require_pause(*desk.after_error)
    if any(span.name.endswith("sleep") for span in hops(call)):
        raise NotYet(
            "pause-on-a-thread",
            "The pause was slept on another thread: that thread does nothing else meanwhile, and "
            "cannot be told that the reader has left. Which pause needs no thread?",
        )
    require_this_loop(call)
    desk = _Desk("Emma", None)
    await given.call("watch", desk, 1, driver=_watch)
    if desk.after_title[0] > 0.9:
        raise NotYet(
            "waits-for-nothing",
            "Nothing had failed, and there was a pause of a second between a title and the next "
            "question. What is the pause for?",
        )
    if not await given.result_of("watch", driver=_asks_in_time):
        raise NotYet(
            "other-pause",
            f"`desk.news()` failed, and was not asked again after {LONG_PAUSE} seconds, where "
            f"`seconds` was {LONG_PAUSE}, but before, or much later. Who says how long the pause "
            "is?",
        )
    desk = _Desk(*[ConnectionError()] * OFTEN, None)
    call = await given.call("watch", desk, 0, driver=_watch, expect=ConnectionError)
    if call.error is None and len(call.value.parts) < OFTEN < desk.asked:
        raise NotYet(
            "told-too-seldom",
            f"The line was bad {OFTEN} times running, and the reader was told "
            f"{len(call.value.parts)} times. After which errors does the card want `(no news)`?",
        )
    if call.error is None and len(call.value.parts) < OFTEN:
        raise NotYet(
            "ends-by-itself",
            f"The line was bad {OFTEN} times running, and after {desk.asked} questions the stream "
            "ended, with no error, and before the desk had closed. What ends it, by the card?",
        )
    if call.error is not None:
        raise NotYet(
            "gives-up-later",
            "The line was bad several times running, and the stream ended by a `ConnectionError`: "
            "one that came from asking again. In which `try` should every question stand?",
        )
    await _require_left(given, "while it waited for news", "Emma", "Dracula", WAITS, WENT_ON)
    await _require_left(given, "in the pause", "Emma", ConnectionError(), WENT_ON)
    desk = _Desk("Emma", OtherOutage(), None)
    call = await given.call("watch", desk, PAUSE, driver=_watch, expect=Mishap)
    if call.error is None:
        raise NotYet(
            "hides-the-error",
            "`desk.news()` raised an error that is no `ConnectionError`, and the desk was asked "
            "again, or the stream ended as if nothing had happened. Who should hear of a mistake?",
        )
    desk = _Desk(*["Emma"] * BACKLOG, None)
    reader = await given.result_of("watch", desk, PAUSE, 2, driver=_watch)
    if desk.asked > BACKLOG // 2:
        raise NotYet(
            "never-waits",
            f"The reader left after two titles, and {desk.asked} reports were asked for. Neither "
            "the desk nor the line to the reader made your code wait, and a task can only be "
            "cancelled where it waits. What lets the loop make a turn?",
        )
    require_cancelled("watch", not reader.ended)
    return "The stream went on after a bad line, and ended with its reader, wherever it was."


def _require_pause(seconds: float, turns: int) -> None:
    if seconds < PAUSE / 2:
        raise NotYet(
            "no-pause",
            f"`desk.news()` failed, and was asked again after {seconds:.3f} seconds, where "
            f"`seconds` was {PAUSE}. What waits between two questions?",
        )
    if not turns:
        raise NotYet(
            "holds-the-loop",
            "In the pause the loop did not make a single turn: the whole process stood still, with "
            "all its readers. Which pause can be awaited?",
        )


async def _require_left(given, where: str, *reports: str | Exception) -> None:
    desk = _Desk(*reports)
    reader = await given.result_of("watch", desk, 1, 2, driver=_watch)
    if desk.went_on:
        raise NotYet(
            "swallowed",
            f"The reader left {where}, a `CancelledError` came, and your code caught it, and asked "
            "the desk again. Who is to read the news? What lets the exception pass?",
        )
    if desk.left_waiting:
        raise NotYet(
            "still-waits",
            f"The reader left {where}, the stream ended, and somebody still waits in "
            "`desk.news()`. What keeps the `CancelledError` from coming that far?",
        )
    require_cancelled("watch", not reader.ended)


async def _asks_in_time(watch: Callable) -> bool:
    """Whether the desk is asked again when a long pause is over, and not before, each time."""
    desk = _Desk(*[ConnectionError()] * 3, None)
    with clock_put_forward() as forward:
        reading = asyncio.create_task(_watch(watch, desk, LONG_PAUSE))
        try:
            await until(lambda: desk.asked or reading.done(), LONG_PAUSE)
            for pause in range(1, 4):
                await turns()
                start = 1.5 * LONG_PAUSE * (pause - 1)
                forward(start + 0.6 * LONG_PAUSE)
                await turns()
                too_early = desk.asked > pause
                forward(start + 1.5 * LONG_PAUSE)
                in_time = await until(lambda pause=pause: desk.asked > pause, LONG_PAUSE)
                too_late = not in_time or desk.after_error[0] > 2.2 * LONG_PAUSE
                if too_early or too_late:
                    return reading.done()  # who gives up is told so elsewhere
            return True
        finally:
            await end(reading)


async def _watch(watch: Callable, desk: _Desk, seconds: float, leave_after: int = 0) -> Reader:
    counting = asyncio.create_task(desk.count_turns())
    try:
        look = desk.since_answered
        reader = await read(watch, leave_after=leave_after, look=look, desk=desk, seconds=seconds)
        await turns()
        desk.left_waiting = desk.waiting
        return reader
    finally:
        counting.cancel()


SILENCE, AND_WAITS = object(), object()
"""What a model says that is no word: nothing until a sign of life has come; nothing any more."""
IN_VAIN = 0.5
"""Seconds that it waits for a sign of life."""
QUIET = 0.02
"""Seconds after which a sign of life is due."""
LONG_QUIET = 100
"""The same, where the clock is put forward."""
SIGN = ": still here\n\n"
FAILED = "event: failed\ndata: ask again\n\n"
ABOUT_TEN = 12


class _Speaker(httpx.AsyncBaseTransport):
    """A model, and the line to it, in one: what a client asks is answered by a script.

    Args:
        script: words, errors, functions that are called in between, and what else there is to say.
        first: what comes before the answer begins.

    `asked` counts the requests, `open` those whose answer is not closed, `closing` those that are
    being closed, and `said` the words. `signs` is for a check to count, `over` to set.
    """

    slow = False

    def __init__(self, *script: object, first: object = None):
        self.asked = self.open = self.closing = self.said = self.signs = 0
        self.in_vain, self.over = False, asyncio.Event()
        self._script, self._first = script, first

    @property
    def failure(self) -> str:
        """What kind of error it says, or none."""
        said = [self._first, *self._script]
        return "".join(type(each).__name__ for each in said if isinstance(each, Exception))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        await self._pause(self._first)
        if request.method != "GET":
            return httpx.Response(405)
        self.open += 1
        return httpx.Response(200, stream=_Speech(self))

    async def words(self) -> AsyncIterator[str]:
        for each in self._script:
            await asyncio.sleep(0)
            if isinstance(each, str):
                self.said += 1
                yield each
            else:
                await self._pause(each)

    async def close(self) -> None:
        self.closing += 1
        try:
            await until(self.over.is_set, SLOW_CLOSE if self.slow else 0)
        finally:
            self.open -= 1

    async def _pause(self, what: object) -> None:
        if isinstance(what, Exception):
            raise what
        if callable(what):
            what()
            await turns()
        if what is SILENCE:
            before = self.signs
            if not await until(lambda: self.signs > before, IN_VAIN):
                self.in_vain = True
        if what is AND_WAITS:
            await self.over.wait()


class _Speech(httpx.AsyncByteStream):
    def __init__(self, speaker: _Speaker):
        self._speaker = speaker

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for word in self._speaker.words():
            yield f"{word}\n".encode()

    async def aclose(self) -> None:
        await self._speaker.close()


def _lost_word() -> NotYet:
    return NotYet(
        "lost-word",
        "After a sign of life no word came any more. Who gives a read a deadline cancels the read, "
        "and with it the whole stream of words. What can be waited for, and left alone when the "
        "time is over?",
    )


@exercise(
    "10.7",
    title="a chat that leaks in three places",
    names=("chat",),
    why=(
        "The task belongs to the body, which begins it, cancels it, waits for it, and raises its "
        "error. A full queue makes it wait."
    ),
    hints=(
        "The view has returned when the body begins. Where can a task be started, so that a "
        "`finally` around the loop over its events ends it?",
        "Who waits for `fetch`, and so for its error? Its only way to the body is the queue. And "
        "what does `asyncio.Queue` take that makes `put` wait?",
        "Does the `finally` of `body` have `fetching.cancel()` and "
        "`await asyncio.wait([fetching])`, and does an `except Exception` in `fetch` put the "
        "event, then `None`, and raise?",
    ),
    errors={
        **ASYNC_GENERATOR,
        httpx.ConnectError: NotYet(
            "other-client",
            "The model was asked by another client than `client`. Who has made that one, and what "
            "does it keep from answer to answer?",
        ),
        asyncio.QueueFull: NotYet(
            "does-not-wait",
            "The queue was full, and `put_nowait` does not wait until there is room. Which method "
            "does?",
        ),
        (RuntimeError, "StopAsyncIteration"): _lost_word(),
    },
)
async def chat(given):
    await _require_events(given)
    seen = await given.result_of("chat", driver=_chat_without_silence)
    if SIGN in seen.parts:
        raise NotYet(
            "sign-among-words",
            "Each word came well before `seconds` were over since the one before, and the reader "
            "got `: still here` all the same. From when on is the silence counted?",
        )
    await _require_no_task_left(given)
    for script, first in (["Emma", "is", httpx.ReadError("lost")], None), ([], Mishap()):
        await _require_failed(given, _Speaker(*script, first=first))
    speaker = _Speaker(*["Emma"] * 50)
    await _chatted(given, speaker, slowly=True)
    if speaker.ahead > ABOUT_TEN:
        raise NotYet(
            "fills-memory",
            f"The reader took its time for the first event, and {speaker.ahead} words had been "
            "read by then. A hundred slow readers, and the memory is full. What has to wait when "
            "about ten words do?",
        )
    await _require_end(given)
    return "Every word came, and what the model does ends with its reader."


async def _require_end(given) -> None:
    """The reader leaves when the queue is full, and then before there is a body."""
    seen = await _chatted(given, _Speaker(*["Emma"] * 50), 2, slowly=True)
    if seen.stuck:
        raise NotYet(
            "waits-for-room",
            "The reader left while about ten words waited, and a task never ended: it waits for "
            "room in a queue that nobody empties any more. What should a task not begin when it "
            "is cancelled?",
        )
    speaker = _Speaker("Emma", AND_WAITS)
    seen = await _chatted(given, speaker, AT_ONCE)
    if seen.left:
        raise NotYet(
            "never-begun",
            "The reader left before the first event, and the model was read for nobody. Your body "
            "was never begun then, and a generator that was never begun has no `finally` to run. "
            "Where has the task to be started, so that what ends it is sure to run?",
        )


async def _require_events(given) -> None:
    speaker = _Speaker("Emma", "is", SILENCE, "in")
    seen = await _chatted(given, speaker)
    said = "".join(part for part in seen.parts if part != SIGN)
    wanted = "".join(f"data: {word}\n\n" for word in ("Emma", "is", "in"))
    if wanted != said and wanted.startswith(said) and not speaker.in_vain:
        raise _lost_word()
    if said != wanted:
        raise NotYet("other-text", difference(said, wanted))
    if seen.headers["content-type"].partition(";")[0] != "text/event-stream":
        raise NotYet(
            "no-event-stream",
            f"The events come as {seen.headers['content-type']!r}, and a browser's `EventSource` "
            "refuses them. Which argument of the response says what its body is?",
        )
    if seen.late:
        raise NotYet(
            "waits-in-the-view",
            "The view returned only when the model had gone on: something in it waited for words. "
            "The end of an `async with` may wait, too. What has to wait in the body?",
        )
    if speaker.in_vain:
        raise NotYet(
            "no-sign",
            "The model was silent between two words, and the reader got nothing: a proxy takes the "
            "connection for dead. Who looks at the clock while the word is waited for?",
        )
    speaker = _Speaker("Emma", SILENCE, SILENCE, SILENCE, "is")
    await _chatted(given, speaker)
    if speaker.in_vain:
        raise NotYet(
            "one-sign",
            "The model was silent for long, its reader got a sign of life, and then nothing more: "
            "a proxy waits no longer after a sign than after a word. What looks at the clock when "
            "a sign has been sent?",
        )
    speaker = _Speaker("Emma", first=SILENCE)
    await _chatted(given, speaker)
    if speaker.in_vain:
        raise NotYet(
            "silent-at-first",
            "The model thought before its answer began, and the reader got nothing meanwhile. "
            "Which line waits then, and does anybody look at the clock there?",
        )


async def _require_no_task_left(given) -> None:
    speaker = _Speaker("Emma", "is", AND_WAITS)
    speaker.slow = True
    seen = await _chatted(given, speaker, 3)
    if seen.left and not seen.closing:
        raise NotYet(
            "goes-on",
            "The reader left, the request ended, and the model was still being read, and paid. "
            "Which block runs when the body is cancelled, and what must it do to the task?",
        )
    if seen.left:
        raise NotYet(
            "not-awaited",
            "The reader left, the task was cancelled, and nobody waited for it: the request ended "
            "while the connection to the model was still being closed. To cancel is to ask. What "
            "waits until a task has ended?",
        )
    require_cancelled("chat", not seen.ended)


async def _require_failed(given, speaker: _Speaker) -> None:
    seen = await _chatted(given, speaker, 10, slowly=True)
    events = [part for part in seen.parts if part != SIGN]
    said = [f"data: {word}\n\n" for word in ("Emma", "is")[: speaker.said]]
    if len(seen.parts) == 10:
        raise NotYet(
            "signs-for-ever",
            "The model failed, and its reader got one sign of life after another, until it left. "
            "Who hears of an error in the task, and how does the body learn of it?",
        )
    if seen.cancelled:
        raise NotYet(
            "group-around-yield",
            "The model failed while an event was on its way to a slow reader. A group whose task "
            "fails cancels the task that has opened it, and that one was in Django's code just "
            "then, which sends the event: your generator heard of nothing. How can an error come "
            "to the body without a cancellation?",
        )
    if events[: len(said)] != said:
        came = len([each for each in events if each in said])
        raise NotYet(
            "cut-short",
            f"The model said {speaker.said} words, and failed. Of its words, {came} came to the "
            "reader. What has to be sent before the error is looked at?",
        )
    if events[len(said) :] != [FAILED]:
        raise NotYet(
            "reader-not-told",
            f"The model failed by a `{speaker.failure}`, and the stream ended as if that were all, "
            "or broke off: a browser's `EventSource` asks again then, at once. The last event "
            f"should be {FAILED!r}.",
        )
    if seen.error is None:
        raise NotYet(
            "hides-the-error",
            "The reader was told that the model had failed, and the server was not: to it the "
            "answer ended like any other. What lets the error go on when the event has been sent?",
        )


async def _chatted(given, *args, **options) -> SimpleNamespace:
    call = await given.call("chat", *args, driver=_chat, **options)
    require_this_loop(call)
    return call.value


async def _chat_without_silence(chat: Callable) -> SimpleNamespace:
    with clock_put_forward() as forward:
        steps = [partial(forward, LONG_QUIET * 0.6 * number) for number in range(1, 6)]
        script = [each for step in steps for each in ("Emma", step)]
        return await _chat(chat, _Speaker(*script), seconds=LONG_QUIET)


async def _chat(
    chat: Callable,
    speaker: _Speaker,
    leave_after: int = 0,
    slowly: bool = False,
    seconds: float = QUIET,
) -> SimpleNamespace:
    """What came, and what the model was at when the request ended.

    A slow reader takes the first part when a model that is not held up has said all it has to say.
    """
    seen = SimpleNamespace(parts=[], headers={}, error=None)
    seen.cancelled = seen.late = seen.ended = False

    async def take(part: str) -> None:
        seen.parts.append(part)
        speaker.signs += part == SIGN
        if slowly and len(seen.parts) == 1:
            try:
                await turns(300)
            except asyncio.CancelledError:
                seen.cancelled = True
                raise
            speaker.ahead = speaker.said
        elif slowly and len(seen.parts) == leave_after:
            await asyncio.get_running_loop().create_future()  # until it is cancelled
        elif 0 < leave_after < len(seen.parts) - 2:
            speaker.over.set()  # or a body that goes on for nobody would never end

    def started() -> None:
        seen.late = speaker.in_vain

    before = asyncio.all_tasks()
    options = {"leave_after": leave_after, "take": take, "started": started}
    async with httpx.AsyncClient(transport=speaker) as client:
        given = {"client": client, "url": nowhere(), "seconds": seconds}
        try:
            reader = await read(chat, **options, **given)
            seen.headers, seen.ended = reader.headers, reader.ended
        except (Mishap, httpx.ReadError, ExceptionGroup) as error:
            seen.error = error
        except asyncio.CancelledError:
            if not seen.cancelled:
                raise
        if leave_after == AT_ONCE:
            await turns()  # what the view has started begins only then
        seen.left, seen.closing = speaker.open, speaker.closing
        speaker.over.set()
        tasks = asyncio.all_tasks() - before  # held, so that the garbage collector leaves them
        if slowly and leave_after == len(seen.parts):
            gc.collect()  # Django has dropped the body, which was not at work, and not closed it.
            await turns(100)
        seen.stuck = not all(task.done() for task in tasks)
        await _end_all(asyncio.all_tasks() - before)
    return seen


async def _end_all(tasks: set[asyncio.Task]) -> None:
    for task in tasks:
        await end(task)
