"""The checks of lesson 08: WSGI and ASGI."""

import argparse
import asyncio
import shlex
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import thread as pools
from contextlib import asynccontextmanager, contextmanager, suppress
from types import SimpleNamespace
from urllib.parse import quote

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ObjectDoesNotExist, SynchronousOnlyOperation
from django.core.signals import request_started
from django.db import close_old_connections, reset_queries
from django.dispatch import Signal
from django.http import Http404

from ..exercises.book import NotYet, exercise
from ..ground.errors import LabError
from ..recorder import hooks
from ..recorder.events import SYNC
from ..recorder.taps import PoolItem
from ..servers import Response, serving, write_module
from ..servers import visit as visit_server
from ..servers.process import ServerProcess
from .vocabulary.cancelling import end
from .vocabulary.failing import Mishap, fail, require_told, require_told_of_database
from .vocabulary.loops import call_off_the_loop
from .vocabulary.open_connections import Opened
from .vocabulary.serving import NO_RESPONSE, require_async_view, visit, visit_under_wsgi
from .vocabulary.tasks import clock_put_forward, turns, until
from .vocabulary.threads import require_this_loop
from .vocabulary.values import difference, same


@exercise(
    "8.1",
    title="which one am I on?",
    names=("interface",),
    why=(
        "The handler makes the request, and each interface has a handler and a class of its own: "
        "nothing else in a view depends on the server alone."
    ),
    hints=(
        "A sync view runs on a plain thread under both, an async one on a loop under both. What "
        "does a view get that the two handlers make differently?",
        "`django.core.handlers.asgi` and `django.core.handlers.wsgi` each have a class of "
        "requests. Which function asks an object for its class?",
        'Is it `"ASGI" if isinstance(request, ASGIRequest) else "WSGI"`, in a response?',
    ),
    errors=NO_RESPONSE,
)
async def interface(given):
    page = await given.result_of("interface", driver=visit)
    _require_said(
        page,
        "ASGI",
        NotYet(
            "says-wsgi",
            "Under ASGI it answered WSGI. A sync view runs on a worker there, where no loop is "
            "running, and the settings name what a project could be served by. What has the server "
            "made for this very request?",
        ),
    )
    page = await given.result_of("interface", driver=_visit_as_gunicorn, where="thread")
    _require_said(
        page,
        "WSGI",
        NotYet(
            "says-asgi",
            "Under WSGI it answered ASGI. An async view runs on a loop there, too, one for its "
            "request alone, and whoever likes may import the ASGI handler. What has the server "
            "made for this very request?",
        ),
    )
    return "It says ASGI under the one, and WSGI under the other."


def _visit_as_gunicorn(interface) -> Response:
    """Ask on a thread of a pool: its name is that of the workers which Django has under ASGI."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(visit_under_wsgi, interface).result()


def _require_said(page: Response, wanted: str, other: NotYet) -> None:
    if page.text == wanted and page.status == 200:
        return
    if page.text == wanted:
        raise NotYet(
            "other-status",
            f"It says {wanted}, with the status {page.status}, and nothing went wrong. Which one "
            "has a response to which nobody has given one?",
        )
    if page.text in ("ASGI", "WSGI"):
        raise other
    raise NotYet("other-text", difference(page.text, wanted))


@exercise(
    "8.2",
    title="enough threads",
    names=("threads_needed",),
    why=(
        "A poll holds a thread all the time. Of the others, their number in a second times the "
        "seconds of each are under way at once, on average."
    ),
    hints=(
        "Twelve requests come in each second, and each takes a quarter of one. How many are there "
        "at once? And how many, if each took two seconds?",
        "Two and a half threads do not exist. Does `int` or `round` give enough of them?",
        "Is it `polls`, and `ceil(per_second * seconds)`, and `1`?",
    ),
    errors={
        ZeroDivisionError: NotYet(
            "divides",
            "Nobody comes, or a request takes no time at all, and it divides by that. The more "
            "come, and the longer each takes, the more are there. Is that a quotient?",
        ),
    },
)
async def threads_needed(given):
    for polls, per_second, seconds, wanted in (
        *((40, 0, 0.25, 41), (40, 12, 0.25, 44), (0, 8, 0.5, 5)),
        *((8, 3, 0.5, 11), (10, 4, 2, 19), (300, 9, 0.25, 304)),
        *((8, 0.001, 0.25, 10), (5000, 200, 2, 5401)),
    ):
        number = await given.result_of("threads_needed", polls, per_second, seconds)
        if not same(number, wanted):
            raise _miscounted(number, wanted, polls, per_second, seconds)
    return "Nobody stands in line, and the health check has a thread of its own."


def _miscounted(number, wanted: int, polls: int, per_second: float, seconds: float) -> NotYet:
    busy = per_second * seconds
    asked = f"For {polls} polls, and {per_second} others a second of {seconds} s each"
    if same(number, wanted - 1) and busy == int(busy):
        return NotYet(
            "no-spare",
            f"{asked}, it gave {number}: all of them are busy when the health check comes. Who "
            "answers that?",
        )
    if isinstance(number, float):
        return NotYet(
            "no-whole-number", f"{asked}, it gave {number!r}. How many whole threads are that?"
        )
    if same(number, wanted - 1):
        return NotYet(
            "rounds-down",
            f"{asked}, it gave {number}: {busy:g} others are under way at once, and have to share "
            "too few threads. Which function of `math` rounds up?",
        )
    return NotYet(
        "other-number",
        f"{asked}, it gave {number!r}, and {wanted} was asked for. How many of the others are "
        "under way at once?",
    )


@exercise(
    "8.3",
    title="a receiver for both",
    names=("counting",),
    why=(
        "`asend` awaits async receivers on the loop, and `send` runs them by `async_to_sync`. So "
        "one async receiver serves both, and takes a worker under neither."
    ),
    hints=(
        "`asend` sends what is sync through `sync_to_async`. What does it do with a receiver that "
        "is a coroutine function?",
        "Under WSGI `send` is called, and it knows async receivers, too. What has to change in "
        "`counting_before`, and what can stay?",
        "Is it one word, before the `def` of `receiver`, and not of `counting`?",
    ),
    errors={
        (KeyError, "environ"): NotYet(
            "one-interface",
            "Under ASGI there is no `environ`: the receiver gets a `scope`. How did "
            "`counting_before` tell them apart?",
        ),
        (KeyError, "scope"): NotYet(
            "one-interface",
            "Under WSGI there is no `scope`: the receiver gets an `environ`. How did "
            "`counting_before` tell them apart?",
        ),
        (TypeError, "must be callable"): NotYet(
            "no-receiver",
            "What `counting` returned cannot be called, so it cannot be connected. Which of the "
            "two functions has to be async?",
        ),
        (ValueError, "must accept keyword arguments"): NotYet(
            "no-keywords",
            "Django hands a receiver the signal, the sender and more, by name: it would not be "
            "connected. Which parameter takes whatever comes?",
        ),
    },
)
async def counting(given):
    call = await given.call("counting", driver=_counted_under_asgi)
    _require_counts(call.value, "ASGI")
    _require_counts(
        await given.result_of("counting", driver=_counted_under_wsgi, where="thread"), "WSGI"
    )
    if any(span.kind == SYNC for span in call.recording.spans):
        raise NotYet(
            "takes-a-worker",
            "It counts under both, and under ASGI a worker was needed for it. To add one to a "
            "number takes no thread. What does `asend` send through `sync_to_async`?",
        )
    if await given.result_of("counting", driver=_counted_at_once) != VISITORS:
        raise NotYet(
            "loses-one",
            f"{VISITORS} requests for one path came at once, and some were not counted: between "
            "the look at the number and the new one, another request had its turn. Which line "
            "lets go in between?",
        )
    if not await given.result_of("counting", driver=_counted_apart):
        raise NotYet(
            "shared-counter",
            "Two receivers were made, each for a `Counter` of its own, and a request that the one "
            "heard of was counted by the other, or by both. Where does a receiver keep its counts?",
        )
    refusing = {"what": "The `Counter`", "driver": _counted_under_asgi}
    await require_told(given, "counting", _Refusing(), **refusing)
    return "It counts under both, and takes no worker."


PATHS = ("/news/", "/new books/", "/news/")


class _Refusing(Counter):
    def __setitem__(self, *_):
        raise Mishap


async def _counted_under_asgi(counting, counts: Counter | None = None) -> Counter:
    counts = Counter() if counts is None else counts
    signal = _connected_to(counting(counts))
    for path in PATHS:
        await signal.asend(None, scope=_asked_for(path))
    return counts


def _asked_for(path: str) -> dict:
    raw = quote(path).encode()
    more = {"raw_path": raw, "query_string": b"page=2", "root_path": "/shop"}
    return {"type": "http", "path": path, **more}


async def _counted_at_once(counting) -> int:
    counts = Counter()
    signal = _connected_to(counting(counts))
    await asyncio.gather(*[signal.asend(None, scope=_asked_for(NEWS)) for _ in range(VISITORS)])
    return counts[NEWS]


async def _counted_apart(counting) -> bool:
    mine, other = Counter(), Counter()
    signals = [_connected_to(counting(counts)) for counts in (mine, other)]
    await signals[0].asend(None, scope=_asked_for(NEWS))
    return (mine, other) == (Counter([NEWS]), Counter())


def _counted_under_wsgi(counting) -> Counter:
    counts = Counter()
    signal = _connected_to(counting(counts))
    for path in PATHS:
        environ = {"SCRIPT_NAME": "/shop", "PATH_INFO": path, "QUERY_STRING": "page=2"}
        signal.send(None, environ=environ)
    return counts


def _connected_to(receiver: Callable) -> Signal:
    signal = Signal()
    signal.connect(receiver, weak=False)
    return signal


def _require_counts(counts: Counter, interface: str) -> None:
    if not counts and interface == "ASGI":
        raise NotYet(
            "not-counted",
            "Under ASGI nothing was counted. Does Django see that the receiver is async? "
            "A sync function that returns a coroutine is none, and nobody awaits what it returns.",
        )
    if not counts:
        raise NotYet(
            "not-under-wsgi",
            "Under WSGI nothing was counted, and nobody was told why. What does the receiver get "
            "there in the place of a `scope`, and does it look for that?",
        )
    said = f"Under {interface} {', '.join(PATHS)} were asked for, and the counts are {dict(counts)}"
    if set(counts) == set(PATHS) and counts != Counter(PATHS):
        raise NotYet(
            "other-numbers",
            f"{said}. The paths are right. What does each request add, and to which number?",
        )
    if counts != Counter(PATHS):
        raise NotYet("other-counts", f"{said}. Which key of what the receiver gets is the path?")


NEWS = "/news/"


@exercise(
    "8.4",
    title="beside Django",
    names=("beside",),
    why=(
        "An ASGI application is asked with the scope, and answers by `send`. What is not its own "
        "it passes on with the same three arguments, so Django notices nothing."
    ),
    hints=(
        "A server asks an application for more than HTTP: for lifespan, for WebSockets. Which key "
        "of the scope says what is asked for?",
        "A response is two messages. What has to be in the first one, and of which type are "
        "headers and body?",
        'Is it `scope["type"] == "http" and scope["path"] == address`, and elsewhere '
        "`await django_application(scope, receive, send)`?",
    ),
    errors={
        (KeyError, "path"): NotYet(
            "no-path",
            "A server announces its start by a scope without a path, and your application raised. "
            "Which key does every scope have?",
        ),
    },
)
async def beside(given):
    for text, method in ("no news", "GET"), ("Brontë is back", "POST"):
        scope = _scope("http", NEWS, method)
        call = await given.call("beside", scope, text, driver=_asked)
        require_this_loop(call)
        seen = call.value
        if not seen.is_application:
            raise NotYet(
                "no-application",
                "What `beside` returned is no coroutine function, so a server takes it for "
                "something else. Which function inside has to be async?",
            )
        if seen.passed:
            raise NotYet(
                "all-to-django",
                f"A {method} request for {NEWS} went on to Django. Who answers that one?",
            )
        _require_response(seen.sent, text)
    texts = "no news", "Emma is back"
    for sent, text in zip(
        await given.result_of("beside", texts, driver=_in_turn), texts, strict=True
    ):
        if b"".join(message.get("body", b"") for message in sent) != text.encode():
            raise NotYet(
                "answers-once",
                f"`answer()` gave {texts[0]!r} to the first request and {texts[1]!r} to the next, "
                f"and that was sent {sent[-1].get('body')!r}. Who is asked each time?",
            )
        _require_response(sent, text)
    if not await given.result_of("beside", driver=_both_wait):
        raise NotYet(
            "one-after-another",
            "Two visitors came, and `answer()` was asked for the second one only when the first "
            "had got the news. A poll may wait for hours. Which line makes one wait for another?",
        )
    others = [_scope("http", "/books/"), _scope("http", NEWS + "old/"), _scope("websocket", NEWS)]
    others.append(_scope("http", NEWS.rstrip("/")))
    for scope in [*others, {"type": "lifespan", "asgi": {"version": "3.0"}}]:
        call = await given.call("beside", scope, "no news", driver=_asked)
        _require_passed(call.value, scope)
        require_this_loop(call)
    for path, what in (("/books/", "Django"), (NEWS, "`answer()`")):
        scope = _scope("http", path)
        await require_told(given, "beside", scope, Mishap(), what=what, driver=_asked)
    return "The poll is answered beside Django, and everything else reaches it."


def _scope(kind: str, path: str, method: str = "GET") -> dict:
    return {"type": kind, "path": path, "method": method, "query_string": b"", "headers": []}


class _Browser:
    """The other side of a scope: it has sent all that it has, and stays to the end of the answer.

    `sent` is what the application has sent, `received` how often it has asked for a message.
    """

    FIRST = {
        "http": "http.request",
        "lifespan": "lifespan.startup",
        "websocket": "websocket.connect",
    }
    LAST = {"lifespan": "lifespan.shutdown"}
    ENDS = ("http.response.body", "lifespan.startup.complete", "websocket.close")

    def __init__(self, kind: str = "http"):
        self.sent, self.received = [], 0
        self._kind, self._over = kind, asyncio.Event()

    async def receive(self) -> dict:
        self.received += 1
        if self.received == 1:
            return {"type": self.FIRST[self._kind]}
        await self._over.wait()
        return {"type": self.LAST.get(self._kind, f"{self._kind}.disconnect")}

    async def send(self, message: dict) -> None:
        self.sent.append(message)
        if message.get("type") in self.ENDS and not message.get("more_body"):
            self._over.set()


async def _no_django(_scope, _receive, _send) -> None:
    """In the place of Django's application, where it has nothing to do."""


async def _in_turn(beside, texts: Sequence[str]) -> list[list[dict]]:
    """What one application sends to requests of which each is answered by the next text."""
    left, browsers = list(texts), [_Browser() for _ in texts]

    async def answer():
        await asyncio.sleep(0)
        return left.pop(0) if left else texts[-1]

    application = beside(_no_django, NEWS, answer)
    for browser in browsers:
        await application(_scope("http", NEWS), browser.receive, browser.send)
    return [browser.sent for browser in browsers]


async def _both_wait(beside) -> bool:
    """Whether two who ask at once wait at once."""
    waiting, over = [], asyncio.Event()

    async def answer():
        waiting.append(1)
        await over.wait()
        return "no news"

    application = beside(_no_django, NEWS, answer)
    browsers = [_Browser() for _ in range(2)]
    requests = [application(_scope("http", NEWS), each.receive, each.send) for each in browsers]
    both = asyncio.gather(*requests)
    await turns()
    at_once = len(waiting) == 2
    over.set()
    await both
    return at_once


async def _asked(beside, scope: dict, text: str | Mishap) -> SimpleNamespace:
    """What the reader's application sends, and what it passes on to Django's.

    Args:
        text: what `answer()` gives; or what it raises, and Django, too.
    """
    browser = _Browser(scope["type"])
    seen = SimpleNamespace(passed=[], sent=browser.sent, complete=False)
    receive, send = browser.receive, browser.send

    async def django(*arguments):
        await asyncio.sleep(0)
        seen.passed.append(arguments)
        seen.complete = arguments == (scope, receive, send)
        if isinstance(text, Mishap):
            raise text

    async def answer():
        await asyncio.sleep(0)
        if isinstance(text, Mishap):
            raise text
        return text

    application = beside(django, NEWS, answer)
    seen.is_application = _is_application(application)
    if seen.is_application:
        await application(scope, receive, send)
    seen.received = browser.received
    return seen


def _is_application(value: object) -> bool:
    """Whether uvicorn takes it for an application of today's ASGI, and not of the first one."""
    is_class = isinstance(value, type)
    return iscoroutinefunction(value) or (
        callable(value) and not is_class and iscoroutinefunction(type(value).__call__)
    )


def _require_response(sent: list, text: str) -> None:
    types = [message.get("type") for message in sent]
    if types[:1] != ["http.response.start"] or set(types[1:]) != {"http.response.body"}:
        raise NotYet(
            "other-messages",
            f"It sent {types}. A response begins with the message `http.response.start`, and "
            "`http.response.body` ends it. Which is missing?",
        )
    start, *bodies = sent
    headers = start.get("headers", ())
    texts = [body.get("body", b"") for body in bodies]
    parts = [part for header in headers for part in header] + texts
    if any(not isinstance(part, bytes) for part in parts):
        raise NotYet(
            "text-for-bytes",
            "What goes over a socket is bytes: the names and the values of headers, and the body. "
            "Which method makes bytes of a text?",
        )
    if start.get("status") != 200:
        raise NotYet("other-status", f"The status is {start.get('status')!r}. Which one is asked?")
    kinds = [value for name, value in headers if name.lower() == b"content-type"]
    if kinds != [b"text/plain; charset=utf-8"]:
        raise NotYet(
            "other-type",
            f"The content type is {kinds!r}. Which header says how to read the body, and what does "
            "it say?",
        )
    body = b"".join(texts)
    if body != text.encode():
        raise NotYet(
            "other-body",
            f"`answer()` gave {text!r}, and the body is {body!r}. What makes UTF-8 of it?",
        )
    lengths = [value for name, value in headers if name.lower() == b"content-length"]
    if len(lengths) > 1:
        raise NotYet(
            "headers-grow",
            f"A later response has the header `content-length` more than once, {lengths!r}, and a "
            "browser refuses it. Which list do all responses share, and who adds to it?",
        )
    if lengths not in ([], [str(len(body)).encode()]):
        raise NotYet(
            "counts-letters",
            f"The body is {body!r}, {len(body)} bytes, and the header says {lengths!r}: the "
            "browser would cut it off, or wait for more. What is counted?",
        )
    more = [bool(each.get("more_body")) for each in bodies]
    if more[-1]:
        raise NotYet("never-ends", "The body says that there is more. Who sends the rest?")
    if not all(more[:-1]):
        raise NotYet(
            "ends-too-early",
            "A message said that the body ends with it, and another one followed, which a server "
            "refuses. What does a message say that is not the last?",
        )


def _require_passed(seen: SimpleNamespace, scope: dict) -> None:
    what = f"a scope of the type {scope['type']!r}"
    if "path" in scope:
        what += f" for {scope['path']}"
    if seen.sent:
        raise NotYet(
            "answers-too-much",
            f"Your application answered {what}. What has to be true of one that is its own, and "
            "where does everything else go?",
        )
    if not seen.passed:
        raise NotYet(
            "not-awaited",
            f"Django heard nothing of {what}. Was its application called, and was that awaited?",
        )
    if not seen.complete:
        raise NotYet(
            "other-arguments",
            f"Django got {what} with other arguments than the server's. Which three belong to it?",
        )
    if seen.received:
        raise NotYet(
            "takes-a-message",
            f"Your application had received a message of {what}, and Django will wait for it in "
            "vain: it holds the body. What tells whose request it is, before anything is received?",
        )


VISITORS = 5
WHILE = 20
"""Seconds that visitors wait for news, as the clock says; a `Site` has more patience."""
IDLE = 5
"""Threads that wait in the loop's pool: it may have as many on every machine."""
LINGERING = 1
"""Seconds that a pool's thread is held at most: one that is alone gets whatever is sent there."""
ENDING = 0.3
"""Seconds that the threads of a pool which was shut down have to end."""


@exercise(
    "8.5",
    title="a poll that holds no thread",
    names=("greet",),
    why=(
        "The pool's thread is free again when the query is done, and the connection is closed on "
        "the thread that has opened it, before anybody waits."
    ),
    hints=(
        "`aget` runs on the worker of the request, which lives as long as the request does. Which "
        "other threads can a sync function be sent to?",
        "`sync_to_async` has a parameter for that. And who closes the connection of a thread that "
        "is not the request's?",
        "Is it one sync function, with `Member.objects.get(pk=pk).name` in a `try` and "
        "`connection.close()` in its `finally`, sent by `thread_sensitive=False`?",
    ),
    errors={
        **NO_RESPONSE,
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A sync query ran on the loop's thread. What sends a sync function to another one?",
        ),
        TimeoutError: NotYet(
            "impatient",
            "The news came after a while, and the view had given it up. `greet_before` waits for "
            "as long as it takes. Who has set a limit?",
        ),
        (AttributeError, "'coroutine' object"): NotYet(
            "forgotten-await",
            "A coroutine was asked for what only its result has. Where is an `await` missing?",
        ),
    },
)
async def greet(given):
    from library.models import Member

    members = [member async for member in Member.objects.order_by("-pk")[:VISITORS]]
    pks = [each.pk for each in members]
    seen = (await call_off_the_loop(given, "greet", pks, driver=_all_waiting)).value
    for member, page in zip(members, seen.pages, strict=True):
        if "<coroutine object" in page.text:
            raise NotYet(
                "forgotten-await",
                "A coroutine stands on the page, in the place of what comes of it. Where is an "
                "`await` missing?",
            )
        if page.text != f"{member.name}: Emma is back":
            raise NotYet("other-text", difference(page.text, f"{member.name}: Emma is back"))
    require_async_view(given, "greet")
    if seen.left:
        raise _left_open(f"{VISITORS} visitors waited", seen.left)
    if seen.kept_busy:
        raise NotYet(
            "holds-thread",
            f"{VISITORS} visitors waited, and {seen.kept_busy} threads waited with them, in the "
            "middle of the function that was sent there: what it waits for is `news()`. Where can "
            "that be awaited, so that only the loop waits?",
        )
    if seen.held >= VISITORS:
        raise NotYet(
            "holds-worker",
            f"{VISITORS} visitors waited, and {seen.held} workers waited with them. What is "
            "thread-sensitive runs on the worker of the request, which is kept to its end, and a "
            "pool of your own keeps its threads until it is shut down. Which threads are shared by "
            "all requests?",
        )
    stranger = await given.result_of("greet", 99_999, driver=_of_a_stranger)
    if stranger.left:
        raise _left_open("Somebody came whom nobody knows", stranger.left)
    if stranger.waited:
        raise NotYet(
            "waits-first",
            "Somebody whom nobody knows was let in to wait, and learned of it at the end. What has "
            "to come first?",
        )
    asks = {"driver": visit, "pk": pks[0], "middleware": ()}
    await require_told(given, "greet", what="`news()`", news=fail, **asks)
    await require_told_of_database(given, "greet", **asks | {"news": _no_news})
    return f"{VISITORS} visitors waited, with no worker and no connection."


async def _no_news() -> str:
    await asyncio.sleep(0)
    return "no news"


async def _all_waiting(greet, pks: list[int]) -> SimpleNamespace:
    """Let so many visitors wait at once, and look at what they hold when the last one is there."""
    seen, here, all_here = SimpleNamespace(held=0, kept_busy=0, left=0), [], asyncio.Event()
    before, busy_before = set(threading.enumerate()), _at_work()

    async def news():
        here.append(1)
        if len(here) == len(pks):
            await until(lambda: not _workers() - before and not _at_work() - busy_before, ENDING)
            seen.held = len(_workers() - before)
            seen.kept_busy = len(_at_work() - busy_before)
            seen.left = opened.left
            with clock_put_forward() as forward:
                forward(WHILE)
                await turns()
            all_here.set()
        await all_here.wait()
        return "Emma is back"

    with _nobody_listens(), Opened() as opened:
        visits = [visit(greet, pk=pk, news=news, middleware=()) for pk in pks]
        seen.pages = await asyncio.gather(*visits)
    return seen


async def _fill_pool() -> None:
    """Let the loop's pool have idle threads."""
    meeting = threading.Barrier(IDLE, timeout=10)
    await asyncio.gather(*[asyncio.to_thread(meeting.wait) for _ in range(IDLE)])


@contextmanager
def _never_twice_the_same() -> Iterator[None]:
    """Let what is sent to a pool next go to another of its threads.

    Which idle one takes it is chance: the last one is held until another has taken something.
    """
    taken, change = [], threading.Condition()

    def take() -> int:
        with change:
            taken.append(threading.get_ident())
            change.notify_all()
            return len(taken)

    def lingering(run):
        def run_and_linger(item, *args):
            number = take()
            run(item, *args)
            with change:
                change.wait_for(lambda: len(taken) > number, LINGERING)

        return run_and_linger

    with hooks.around(PoolItem, "run", lingering):
        try:
            yield
        finally:
            take()


async def _of_a_stranger(greet, pk: int) -> SimpleNamespace:
    seen = SimpleNamespace(waited=False)
    await _fill_pool()

    async def news():
        seen.waited = True
        return "no news"

    with Opened() as opened, _never_twice_the_same():
        with suppress(ObjectDoesNotExist, Http404):
            await visit(greet, pk=pk, news=news, middleware=())
        seen.left = opened.left
    return seen


def _left_open(when: str, number: int) -> NotYet:
    return NotYet(
        "connection-left-open",
        f"{when}, and connections were left open: {number}. A connection belongs to the thread "
        "that has opened it. Where has it to be closed, and on which ways out?",
    )


def _workers() -> set[threading.Thread]:
    """The threads of executors that have no loop: those of loops are called asyncio."""
    return {each for each in threading.enumerate() if each.name.startswith("ThreadPoolExecutor")}


def _at_work() -> set[int]:
    """The idents of the threads of loops' executors that are in the middle of a function.

    Those that wait for one are in the loop of the pool's own module.
    """
    frames = sys._current_frames()
    pooled = [each.ident for each in threading.enumerate() if each.name.startswith("asyncio_")]
    return {
        ident for ident in pooled if ident in frames and frames[ident].f_globals is not vars(pools)
    }


@contextmanager
def _nobody_listens() -> Iterator[None]:
    """Take away what makes Django start a worker for each request."""
    receivers = (reset_queries, close_old_connections)
    here = [each for each in receivers if request_started.disconnect(each)]
    try:
        yield
    finally:
        for each in here:
            request_started.connect(each)


MANY = 500
"""Polls that no number of threads has been chosen for."""
SECONDS = 2
"""How long a poll of the checked help desk takes, as the answer is told."""
IN_LINE = 5
"""Seconds after which it ends though nobody has asked for the health: somebody stands in line."""
MORE = 30
"""Seconds that a stop may go on after the longest poll."""
DESK = f"""\
import asyncio
import threading
import time

from config.settings import *
from django.http import HttpResponse
from django.urls import path

asked = threading.Event()


async def poll(request):
    print("somebody waits")
    limit = time.monotonic() + {IN_LINE}
    while not asked.is_set() and time.monotonic() < limit:
        await asyncio.sleep(0.02)
    await asyncio.sleep(1)  # a deploy comes in the middle
    print("somebody goes")
    return HttpResponse("no news")


def health(request):
    print("somebody asks")
    asked.set()
    return HttpResponse(type(request).__name__)


ROOT_URLCONF = "checked_help_desk"
MIDDLEWARE = []
urlpatterns = [path("poll/", poll), path("health/", health)]
"""


@exercise(
    "8.6",
    title="a service that looks dead",
    names=("command_for",),
    why=(
        "Under ASGI no poll takes a thread that the health check needs; under WSGI each takes one, "
        "and one is left. A stop has a limit, and that is longer than a poll."
    ),
    hints=(
        "Under WSGI, how many threads do so many polls and a health check need? Under ASGI, who "
        "needs one?",
        "When a server is told to stop, who waits for the polls, and for how long? What does each "
        "of the two servers call that limit, and what is it if nobody says?",
        'Is it uvicorn with `config.asgi:application` for `"asgi"`, and else gunicorn with '
        "`--threads {polls + 1}`? And `--timeout-graceful-shutdown`, or `--graceful-timeout`, some "
        "seconds longer than a poll?",
    ),
)
async def command_for(given):
    write_module("checked_help_desk", DESK)
    for interface, polls in ("asgi", 8), ("wsgi", 12):
        for seconds in 5, 90:
            _require_limit(await _command(given, interface, polls, seconds), seconds)
        command = await _command(given, interface, polls, SECONDS)
        await _require_service(command, interface, polls)
        _require_counted(command, await _command(given, interface, MANY, SECONDS), polls)
    return "The health check was answered while all waited, and a stop cut nobody off."


async def _command(given, *facts: str | int) -> str:
    command = await given.result_of("command_for", *facts)
    if not isinstance(command, str):
        raise NotYet(
            "no-text",
            f"For {facts} it gave {command!r}. `serving` takes a text, as one would type it.",
        )
    return command


async def _require_service(command: str, interface: str, number: int) -> None:
    try:
        async with _served(command) as server:
            polls = asyncio.create_task(visit_server(server.url + "poll/", number))
            try:
                await _require_health(server, polls, interface, number)
                await _require_polls_answered(server, polls)
            finally:
                await end(polls)
    except LabError as error:
        last = str(error).strip().splitlines()[-1]
        raise NotYet(
            "does-not-start",
            f"No server came of `{command}`. The last it said is: {last} Which module and which "
            "name in it does this server want?",
        ) from None


@asynccontextmanager
async def _served(command: str) -> AsyncIterator[ServerProcess]:
    """The help desk's server. It starts and ends beside the loop, however long that takes."""
    server = serving(command, settings="checked_help_desk")
    await asyncio.to_thread(server.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


def _require_counted(command: str, of_many: str, polls: int) -> None:
    """Require that more polls get more of gunicorn's threads."""
    program, *words = shlex.split(command)
    if program != "gunicorn" or command != of_many:
        return
    if _options(program, words).worker_class in ("sync", "gthread"):
        raise NotYet(
            "same-for-many",
            f"For {polls} polls and for {MANY} it gave the same command: `{command}`. Each poll "
            "takes a thread at this server. How many does the health check need besides?",
        )


def _require_limit(command: str, seconds: int) -> None:
    """Require that a stop leaves polls of so many seconds the time they need, and ends."""
    asked = f"Polls take up to {seconds} seconds, and the command is `{command}`."
    program, *words = shlex.split(command)
    if program not in LIMITS:
        return
    options = _options(program, words)
    if program == "gunicorn" and _is_killed(options, seconds):
        raise NotYet(
            "kills",
            f"{asked} Without `--threads`, gunicorn kills a worker that is silent for "
            f"{options.timeout:g} seconds. What becomes of the poll that keeps it busy?",
        )
    if options.limit is not None and options.limit <= seconds:
        raise NotYet(
            "impatient",
            f"{asked} This server's stop waits for {options.limit:g} seconds. What becomes of a "
            "poll that has just begun?",
        )
    if options.limit is None or options.limit > seconds + MORE:
        raise NotYet(
            "waits-too-long",
            f"{asked} A request that never ends holds up a stop for longer than "
            f"{seconds + MORE} seconds. Which option of this server sets a limit?",
        )


LIMITS = {
    "gunicorn": ("--graceful-timeout", 30),
    "hypercorn": ("--graceful-timeout", 3),
    "uvicorn": ("--timeout-graceful-shutdown", None),
}
"""What servers call the limit of a stop, and the seconds that it has by default."""


def _options(program: str, words: list[str]) -> argparse.Namespace:
    name, default = LIMITS[program]
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument(name, dest="limit", type=float, default=default)
    if program == "gunicorn":
        parser.add_argument("--timeout", "-t", type=float, default=30)
        parser.add_argument("--threads", type=int, default=1)
        parser.add_argument("--worker-class", "-k", default="sync")
    try:
        return parser.parse_known_args(words)[0]
    except argparse.ArgumentError as error:
        raise NotYet("other-words", f"{program} does not take it: {error}.") from None


def _is_killed(options: argparse.Namespace, seconds: int) -> bool:
    """Whether gunicorn takes a worker for dead that is busy for so many seconds."""
    is_silent = options.threads == 1 and options.worker_class == "sync"
    return is_silent and 0 < options.timeout <= seconds


async def _require_health(server, polls: asyncio.Task, interface: str, number: int) -> None:
    """Let somebody ask for the health when all polls wait; it must be told before one ends."""
    await _until(lambda: server.log.count("somebody waits") >= number, server, polls)
    health = asyncio.create_task(visit_server(server.url + "health/"))
    await _until(health.done, server, polls)
    if health.done() and set(health.result().statuses) != {200}:
        raise _refuses(health.result())
    asked = server.log.partition("somebody asks")[0]
    if not health.done() or "somebody goes" in asked:
        await end(health)
        if polls.done() and set((await polls).statuses) != {200}:
            raise _refuses(await polls)
        raise NotYet(
            "stands-in-line",
            f"{number} polls and a health check came, and one of them stood in line until another "
            "had got its answer. How many visitors can be at this server at once?",
        )
    [kind] = health.result().texts
    if kind != f"{interface.upper()}Request":
        raise NotYet(
            "other-interface",
            f"For {interface!r} a server came that hands Django a `{kind}`. Which server does this "
            "interface need, and which file of the project?",
        )


async def _require_polls_answered(server, polls: asyncio.Task) -> None:
    server.ask_to_stop()
    try:
        visits = await polls
    except ConnectionError:
        raise NotYet(
            "cuts-off",
            "It was told to stop, as a deploy does, and those who waited got no answer. Which "
            "servers wait for them, and how long do they wait?",
        ) from None
    if set(visits.statuses) != {200}:
        raise _refuses(visits)


def _refuses(visits) -> NotYet:
    return NotYet(
        "refuses",
        f"The server sent visitors away, with the status {max(visits.statuses)}. How many may be "
        "there at once?",
    )


async def _until(true: Callable[[], bool], server, polls: asyncio.Task) -> None:
    """Wait for something that the server does, but not beyond the end of a poll."""
    while not (true() or "somebody goes" in server.log or polls.done()):
        await asyncio.sleep(0.02)
