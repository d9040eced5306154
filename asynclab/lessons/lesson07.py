"""The checks of lesson 07: async views."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial, wraps
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.core.exceptions import (
    ImproperlyConfigured,
    ObjectDoesNotExist,
    SynchronousOnlyOperation,
)
from django.db import DatabaseError, IntegrityError

from ..exercises.book import NotYet, exercise
from ..exercises.given import Call
from ..exercises.lineage import is_beside
from ..recorder import hooks
from ..recorder.hooks import before_queries
from ..recorder.roles import CONTEXT_WORKER
from ..servers import Response
from .vocabulary.causes import behind_a_dot, in_lazy_user, on_line_with, through
from .vocabulary.failing import (
    Mishap,
    Outage,
    database_lost_at,
    ends_cancelled,
    require_cancelled,
    require_itself,
    require_told,
    require_told_of_database,
)
from .vocabulary.library import DAY, lend_many, open_loans
from .vocabulary.loops import LoopWatch, call_off_the_loop
from .vocabulary.queries import (
    AWAITED_QUERYSET,
    queries,
    require_on_the_worker,
    require_one_query,
    require_only_reads,
    require_query,
)
from .vocabulary.serving import (
    FROM_SHELF,
    NO_RESPONSE,
    PAGE,
    cookie_of,
    old_cookies,
    require_async_view,
    require_whole_way_back,
    session_of,
    visit,
    way_back,
)
from .vocabulary.tasks import all_of, clock_put_forward, turns, until
from .vocabulary.threads import Meeting, require_this_loop
from .vocabulary.upstreams import Line, nowhere, upstreams
from .vocabulary.values import difference, same


async def _visit(given, name: str, *, reads: bool = True, **request) -> Call:
    """A visit that leaves the loop free of queries, and all queries on the request's worker."""
    call = await call_off_the_loop(given, name, driver=visit, **request)
    if reads:
        require_only_reads(call)
    require_this_loop(call)
    require_on_the_worker(call, CONTEXT_WORKER)
    return call


def _require_text(page: Response, text: str, status: int = 200) -> None:
    if page.status != status:
        raise NotYet(
            "other-status",
            f"The status is {page.status}, and {status} was asked for. Which class of responses, "
            "or which exception, stands for it?",
        )
    if page.text != text:
        raise NotYet("other-text", difference(page.text, text))


@exercise(
    "7.1",
    title="the page of a book",
    names=("book_page",),
    why=(
        "`aget_object_or_404` takes a queryset as well as a model, so one query brings the book "
        "with its author, and Django makes a 404 of a book that is not there."
    ),
    hints=(
        "`get_object_or_404` asks the database. What is its async twin in `django.shortcuts` "
        "called?",
        "The book has come, and `book.author` is a second query, behind a dot. What could you "
        "give to `aget_object_or_404` in place of the model `Book`?",
        'Is it `aget_object_or_404`, with `Book.objects.select_related("author")` and `pk=pk`, '
        "and an `await` before it?",
    ),
    errors={
        **NO_RESPONSE,
        **AWAITED_QUERYSET,
        (SynchronousOnlyOperation, behind_a_dot): NotYet(
            "lazy-key",
            "The book came, and then `book.author` asked for another row, on the loop's thread. "
            "How can the one query bring the author along?",
        ),
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A sync query ran on the loop's thread: a shortcut without its `a`, or a method. What "
            "is it called in async code?",
        ),
        ObjectDoesNotExist: NotYet(
            "no-404",
            "There is no such book, and the browser would get a page that says 500: a server "
            "error. Who turns `Book.DoesNotExist` into a 404?",
        ),
        (AttributeError, "'NoneType' object"): NotYet(
            "no-404",
            "There is no such book, and your code went on with `None`: the browser would get a "
            "page that says 500. Who makes a 404 of it?",
        ),
        (AttributeError, "'coroutine' object"): NotYet(
            "forgotten-await",
            "A coroutine was asked for what only its result has. Where is an `await` missing?",
        ),
    },
)
async def book_page(given):
    from library.models import Book

    async for book in Book.objects.select_related("author").order_by("-pk")[:2]:
        call = await _visit(given, "book_page", pk=book.pk)
        _require_text(call.value, f"{book.title} by {book.author}")
        require_query(call, "page", "which book that is", after="book")
        require_one_query(call, "page")
    await _require_missing(given, "book_page", pk=99_999)
    require_async_view(given, "book_page")
    await require_told_of_database(given, "book_page", driver=visit, pk=book.pk)
    return "One query for a book with its author, and a 404 for one that is not there."


async def _require_missing(given, name: str, **request) -> None:
    page = await given.result_of(name, driver=visit, **request)
    if page.status != 404:
        raise NotYet(
            "soft-404",
            f"It is not there, and the browser got a page with the status {page.status}: search "
            "engines and scripts would take it for one like any other. Which status says that "
            "there is nothing?",
        )


LIMIT = 12
"""Seconds that a page may wait for its services, where the clock is put forward."""


@exercise(
    "7.2",
    title="three services, one page",
    names=("shop",),
    why=(
        "Each service has a coroutine of its own, with a deadline around all of it and a `None` "
        "for what went wrong, so `gather` never hears of a failure."
    ),
    hints=(
        "`shop_before` waits for a service before it asks the next one. Where could a function "
        "`ask(url)` help, and what calls it for all services at once?",
        "If one answer fails, `gather` forgets the others. Inside of `ask`, which exceptions mean "
        "that the service has failed, or is late? And is a page with the status 500 an answer?",
        "Is it `async with asyncio.timeout(seconds):` around the whole of `client.get`, "
        "`raise_for_status()` after it, and `except (httpx.HTTPError, TimeoutError)` below?",
    ),
    errors={
        **NO_RESPONSE,
        (TypeError, "coroutine"): NotYet(
            "forgotten-await",
            "A coroutine went where its result belongs. Where is an `await` missing?",
        ),
        (RuntimeError, "more than once"): NotYet(
            "closes-the-client",
            "`client` is open already, and an `async with` would close it when the page is done: "
            "the next page has none then. Whose is it?",
        ),
        httpx.HTTPError: NotYet(
            "one-takes-all",
            "One service failed, and its error took the whole page, with the answers of the "
            "others. Where could it be caught, so that only its own place stays empty?",
        ),
        TimeoutError: NotYet(
            "deadline-takes-all",
            "The deadline passed, and its error took the whole page, with the answers that were "
            "there. What has to have a deadline: the page, or each service?",
        ),
    },
    seconds=15,
)
async def shop(given):
    await _require_asked_at_once(given)
    await _require_failures_kept_apart(given)
    await _require_deadline(given)
    await _require_ends_with_its_visitor(given, "shop", _shop_left)
    args = {"price": nowhere()}, 60, _Broken()
    await require_told(given, "shop", *args, driver=_shop_page, what="`client` itself")
    page = await given.result_of("shop", {}, 60, driver=_shop_page)
    if not _is_json(page, {}):
        raise NotYet(
            "nothing-given",
            f"Given no service at all, it answered {page.text!r}. What is an object without names?",
        )
    return "All were asked at once, and who failed or was late left only its own place empty."


async def _shop_page(
    shop, urls: dict[str, str], seconds: float, line: Line | None = None
) -> Response:
    line = line or Line()
    async with httpx.AsyncClient(transport=line, timeout=None) as client:
        page = await visit(shop, client=client, urls=urls, seconds=seconds)
        line.closed = client.is_closed
    return page


async def _require_ends_with_its_visitor(given, name: str, driver: Callable) -> None:
    """Require that a view which is cancelled ends as cancelled.

    Args:
        driver: visits a view, given the address of a service that waits for an end.
    """
    from django.http import HttpResponse

    begun, end = threading.Event(), threading.Event()

    def answer():
        begun.set()
        end.wait(timeout=10)
        return 200, "until 19:00"

    async def visit_and_leave(view: Callable, url: str) -> bool:
        ended = []

        async def leave(request, **given):
            ended.append(await ends_cancelled(view(request, **given), begun, end))
            return HttpResponse()

        await driver(leave, url)
        return ended == [True]

    with upstreams({"late": answer}) as urls:
        ended = await given.result_of(name, urls["late"], driver=visit_and_leave)
    require_cancelled(name, ended)


async def _shop_left(shop, url: str) -> None:
    await _shop_page(shop, {"price": url, "stock": url}, 60)


MORE_SERVICES = 21
"""So many, beside three, that an ordinary limit shows."""


async def _require_asked_at_once(given) -> None:
    wanted = {"price": "12.50", "stock": "2 copies", "reviews": "4.5 of 5 stars"}
    wanted |= {f"branch-{number}": f"{number} copies" for number in range(MORE_SERVICES)}
    meeting = Meeting(calls=len(wanted), together=len(wanted))
    watch, line = LoopWatch(given), Line()

    def answering(text: str) -> Callable[[], tuple]:
        def answer():
            watch.look()
            with meeting:
                return 200, text

        return answer

    with upstreams({name: answering(text) for name, text in wanted.items()}) as urls:
        page = await given.result_of("shop", urls, 60, line, driver=_shop_page)
    if watch.held:
        raise NotYet(
            "holds-the-loop",
            "While a service was at work, the loop stood still: nobody else was served. Which "
            "client can be awaited?",
        )
    if not line.asked:
        raise NotYet(
            "other-client",
            "Nothing went through `client`, which keeps connections open from page to page. Who "
            "has made it for you?",
        )
    if not _is_json(page, wanted):
        raise NotYet(
            "other-answers",
            f"It answered {page.text!r}, and {json.dumps(wanted)!r} was asked for.",
        )
    if line.closed:
        raise NotYet(
            "closes-the-client",
            "The page is right, and `client` is closed now: the next page that it serves has none. "
            "Whose is it?",
        )
    if line.most < 2:
        raise NotYet(
            "one-after-another",
            f"There were {len(wanted)} services, and never two were at work at once. Which call "
            "asks all of them before it waits for the first answer?",
        )
    if line.most < len(wanted):
        raise NotYet(
            "some-at-once",
            f"There were {len(wanted)} services, and never more than {line.most} were asked at "
            "once. The goal asks all of them at once. What lets so many in, and no more?",
        )
    require_async_view(given, "shop")


def _is_json(page: Response, wanted: dict) -> bool:
    return page.status == 200 and _json_of(page) == wanted


def _json_of(page: Response) -> object:
    """What a page says in JSON; None if it is something else."""
    try:
        return json.loads(page.text)
    except ValueError:
        return None


async def _require_failures_kept_apart(given) -> None:
    answers = {
        "price": lambda: (200, "12.50"),
        "stock": lambda: (500, "<h1>Server error</h1>"),
        "reviews": lambda: (200, ""),
        "old": lambda: (404, "<h1>No such page</h1>"),
        "copy": lambda: (203, "from a copy"),
        "hung": _hang_up,
    }
    with upstreams(answers) as urls:
        urls = {"gone": nowhere(), **urls, "again": urls["price"]}
        page = await given.result_of("shop", urls, 60, driver=_shop_page)
    for text, status in ("Server error", 500), ("No such page", 404):
        if text in page.text:
            raise NotYet(
                "error-page",
                f"A service answered with the status {status}, and the text of its error stands on "
                "your page. Which method of a response raises, if the status is an error's?",
            )
    wanted = {"gone": None, "price": "12.50", "stock": None, "reviews": "", "old": None}
    wanted |= {"copy": "from a copy", "hung": None, "again": "12.50"}
    if _is_json(page, wanted | {"reviews": None}):
        raise NotYet(
            "empty-for-failed",
            "A service answered with the status 200 and an empty text, and the page says that it "
            "has failed. What does Python take an empty text for, where a condition is asked for?",
        )
    if _is_json(page, wanted | {"copy": None}):
        raise NotYet(
            "one-status-alone",
            "A service answered with the status 203, which is one of success, and the page says "
            "that it has failed. Which statuses stand for an error?",
        )
    said = _json_of(page)
    if isinstance(said, dict) and set(wanted) - set(said) in ({"price"}, {"again"}):
        raise NotYet(
            "one-for-two",
            "Two names stand for one address, and the page has but one of them. Which of the two "
            "is there only once?",
        )
    if not _is_json(page, wanted):
        raise NotYet(
            "other-answers",
            "One service could not be reached, one hung up, and the others answered with the "
            "statuses 500, 404, 203 and 200, one of them with an empty text. It answered "
            f"{page.text!r}. "
            "What stands in the place of what failed?",
        )


def _hang_up() -> tuple:
    """How a service answers that breaks off: the server closes the connection."""
    raise ConnectionAbortedError


class _Broken(Line):
    """A client's way out that fails as no service does."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        raise Mishap


async def _require_deadline(given) -> None:
    """Let one service send its answer in small pieces, for ever."""
    late = SimpleNamespace(next=threading.Semaphore(0), ended=threading.Event(), said="")

    def pieces() -> Iterator[str]:
        while not late.ended.is_set():
            yield "."
            late.next.acquire(timeout=10)

    answers = {
        "price": lambda: (200, "12.50"),
        "stock": lambda: (200, pieces()),
        "reviews": lambda: (200, "4.5"),
    }
    with upstreams(answers) as urls:
        page = await given.result_of("shop", urls, late, driver=_shop_page_in_time)
    if late.said:
        raise LATE[late.said].again()
    if not _is_json(page, {"price": "12.50", "stock": None, "reviews": "4.5"}):
        raise NotYet(
            "loses-others",
            f"One service was late, two had answered, and the page was {page.text!r}. Who keeps "
            "the answers that came in time?",
        )


LATE = {
    "too-early": NotYet(
        "too-early",
        "The page gave a service up before its `seconds` were over. How many has it got?",
    ),
    "timeout-of-each-read": NotYet(
        "timeout-of-each-read",
        "A service sent its answer in small pieces, and the page waited for all of them: a timeout "
        "of httpx limits each read by itself, and not the whole. What limits all that stands in "
        "its block?",
    ),
    "asks-again": NotYet(
        "asks-again",
        "One service was late, and was asked once more: the page waits for as long again. How many "
        "seconds has a service got for itself?",
    ),
    "no-deadline": NotYet(
        "no-deadline",
        "One service did not come to an end, and the page waited for it, although its `seconds` "
        "were over. What ends a wait in async code?",
    ),
    "goes-on": NotYet(
        "goes-on",
        "The page was sent, and the request to the late service went on, for nobody. What cancels "
        "what is not waited for any more?",
    ),
}


async def _shop_page_in_time(shop, urls: dict[str, str], late: SimpleNamespace) -> Response:
    """The page while a service sends a piece of its answer now and then; notes what is wrong."""
    line = Line()
    async with httpx.AsyncClient(transport=line, timeout=None) as client:
        given = {"client": client, "urls": urls, "seconds": LIMIT}
        page = asyncio.create_task(visit(shop, **given))
        try:
            with clock_put_forward() as forward:
                late.said = await _what_is_wrong_of(page, line, late.next, forward)
        finally:
            late.ended.set()
            late.next.release(2)  # Somebody may have asked once more.
        return await page


async def _what_is_wrong_of(page, line: Line, next_piece, forward: Callable) -> str:
    async def let_pass(limits: float) -> None:
        """Let so much of the time pass, and then one more piece of the late answer come."""
        forward(limits * LIMIT)
        await turns()
        pieces = line.pieces
        next_piece.release()
        await until(lambda: page.done() or line.pieces > pieces, seconds=1)

    await until(lambda: page.done() or _waits_for_last(line))
    await let_pass(0.9)
    if page.done():
        return "too-early"
    await let_pass(1.1)
    if not await until(page.done, seconds=1):
        if line.asked > 3:
            forward(4 * LIMIT)
            return "asks-again"
        forward(2.1 * LIMIT)
        return "timeout-of-each-read" if await until(page.done, seconds=1) else "no-deadline"
    return "" if await until(lambda: not line.under_way, seconds=1) else "goes-on"


def _waits_for_last(line: Line) -> bool:
    return line.asked == 3 and line.under_way == 1 and line.pieces == 3


@exercise(
    "7.3",
    title="a desk for members",
    names=("Desk",),
    why=(
        "All handlers are async, so `as_view` makes an async view, and `dispatch` may await the "
        "user before it hands the request on."
    ),
    hints=(
        "Django asks all handlers of a class whether they are async, and they have to agree. "
        "Which of the two in `DeskBefore` has to change?",
        "`LoginRequiredMixin` has a sync `dispatch`: it opens `request.user`, and what it returns "
        "to a guest is awaited. What could stand in a `dispatch` of your own, in its place?",
        "Is it `async def dispatch(self, request, *args, **kwargs)`, with "
        "`await request.auser()`, `redirect_to_login(request.get_full_path())` for a guest, and "
        "`await super().dispatch(...)` for everybody else?",
    ),
    errors={
        **NO_RESPONSE,
        **AWAITED_QUERYSET,
        ImproperlyConfigured: NotYet(
            "handlers-disagree",
            "`as_view()` refused the class: one handler is async, and another one is not. Which of "
            "them has to change?",
        ),
        (SynchronousOnlyOperation, in_lazy_user): NotYet(
            "lazy-user",
            "`request.user` looked up its session on the loop's thread: in your code, or in a "
            "mixin's method that you have called. What can be awaited in its place?",
        ),
        (SynchronousOnlyOperation, behind_a_dot): NotYet(
            "lazy-key",
            "The loan came, and its book or its member was another query, behind a dot. How can "
            "one query bring them along?",
        ),
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A sync query ran on the loop's thread. What is its async twin called?",
        ),
        (AttributeError, "'coroutine' object"): NotYet(
            "forgotten-await",
            "A coroutine was asked for what only its result has. Where is an `await` missing?",
        ),
        (AttributeError, "attribute 'delete'"): NotYet(
            "any-method",
            "The desk has a GET and a POST, and DELETE ended in a server error. Which method of a "
            "view looks whether there is such a handler?",
        ),
        (TypeError, "HttpResponseRedirect"): NotYet(
            "redirect-awaited",
            "A guest came, a sync method answered with a redirect, and Django awaited that: the "
            "view is async, and this method of it is not. Which `dispatch` answered the guest?",
        ),
    },
    seconds=10,
)
async def desk(given):
    if not isinstance(given.value("Desk"), type):
        raise NotYet(
            "no-class",
            "`Desk` is no class, and a URLconf asks it for `as_view()`. What is it that is written "
            "there, the class or the view made of it?",
        )
    loan, other = [loan async for loan in open_loans().select_related("book", "member")[:2]]
    await _require_guests_sent_away(given, loan)
    cookie = await cookie_of("amara")
    call = await _visit(given, "Desk", pk=loan.pk, cookie=cookie)
    _require_text(call.value, f"{loan.book}: {loan.member}")
    await _require_missing(given, "Desk", pk=99_999, cookie=cookie)
    await _require_taken_back(given, loan, other, cookie)
    refused = await given.result_of(
        "Desk", driver=visit, pk=other.pk, cookie=cookie, method="DELETE"
    )
    if refused.status != 405 or await _is_back(other):
        raise NotYet(
            "any-method",
            f"The desk has a GET and a POST, and DELETE got the status {refused.status}. Who says "
            "that there is no such handler?",
        )
    require_async_view(given, "Desk")
    request = {"driver": visit, "pk": other.pk, "cookie": cookie}
    await require_told_of_database(given, "Desk", **request)
    with database_lost_at('UPDATE "library_loan"'):
        told = {"what": "The database", "error": DatabaseError, "method": "POST"}
        await require_told(given, "Desk", **request, **told)
    return "Members are served, guests are sent to the login page, and no handler is sync."


async def _require_guests_sent_away(given, loan) -> None:
    """Guests without a cookie, and with one that stands for nobody any more."""
    old = await old_cookies()
    for whose, cookie in {"": "", **old}.items():
        for method in "GET", "POST":
            request = {"cookie": cookie, "method": method, "address": FROM_SHELF}
            page = (await _visit(given, "Desk", reads=False, pk=loan.pk, **request)).value
            is_open = page.status == 200 or await _is_back(loan)
            if is_open and whose == "a user who was deleted":
                raise NotYet(
                    "old-cookie",
                    f"A browser came with the cookie of {whose}, and was let in. Who can tell "
                    "whether somebody stands behind a cookie, or a key in a session?",
                )
            if is_open:
                raise NotYet(
                    "open-to-guests",
                    f"Nobody was logged in, and {method} did its work all the same. Which method "
                    "of a view is called before each handler?",
                )
            if page.status != 302 or not _leads_to_login(page.headers["location"]):
                raise NotYet(
                    "not-to-login",
                    f"A guest got the status {page.status}, and was to be sent to the login page, "
                    "which then leads back here. Which function makes that redirect?",
                )
            require_whole_way_back(page.headers["location"])
    missing = await given.result_of("Desk", driver=visit, pk=99_999)
    if missing.status == 404:
        raise NotYet(
            "tells-guests",
            "A guest asked for a loan that is not there, and got the status 404: whoever is not "
            "logged in learns which loans there are. Which of the two is to be asked first?",
        )
    for method in "OPTIONS", "DELETE":
        page = await given.result_of("Desk", driver=visit, pk=loan.pk, method=method)
        if page.status != 302:
            raise NotYet(
                "open-methods",
                f"Nobody was logged in, and {method} was answered with the status {page.status}. "
                "The mixin guards every method, those of `View` itself, too. Which method of a "
                "view is called before each handler?",
            )


def _leads_to_login(location: str) -> bool:
    """Whether it is the address of the login page, with the way back."""
    back = urlsplit(way_back(location))
    is_here = back.path == PAGE and back.netloc in ("", "testserver")
    return urlsplit(location).path == "/accounts/login/" and is_here


def _is_for_members(page: Response) -> bool:
    """Whether a guest was sent to log in: a view may be behind `login_required`."""
    return page.status == 302 and _leads_to_login(page.headers["location"])


async def _is_back(loan) -> bool:
    return not await open_loans().filter(pk=loan.pk).aexists()


@contextmanager
def _noting_days() -> Iterator[list[date]]:
    """Note the dates that an answer has written for the day on which a loan was taken back."""
    from library.models import Loan

    days, returned = [], Loan._meta.get_field("returned")

    def note(field, value):
        if field is returned and isinstance(value, date) and not is_beside():
            days.append(value)

    with hooks.before(type(returned), "get_prep_value", note):
        yield days


async def _require_taken_back(given, loan, other, cookie: str) -> None:
    request = {"pk": loan.pk, "cookie": cookie, "method": "POST", "address": FROM_SHELF}
    with _noting_days() as first_days:
        page = (await _visit(given, "Desk", reads=False, **request)).value
    if not await _is_back(loan):
        raise NotYet(
            "not-taken-back",
            "The form was sent, and the loan is still open. Is the update awaited?",
        )
    if not await type(loan).objects.filter(pk=loan.pk).aexists():
        raise NotYet(
            "loses-the-loan",
            "The loan is not open any more, because its row is gone, and with it who had the book. "
            "What was to be written into it?",
        )
    if await _is_back(other):
        raise NotYet(
            "takes-more",
            "One loan was taken back, and another one with it. Which rows does the update mean?",
        )
    if page.status == 302 and page.headers["location"] == FROM_SHELF:
        raise NotYet(
            "keeps-the-query",
            f"A form was sent to {FROM_SHELF!r}, and the browser was sent back to just that. "
            "`DeskBefore` sends it to the address without what follows the question mark. Which "
            "attribute of a request is that?",
        )
    if page.status != 302 or page.headers["location"] != PAGE:
        raise NotYet(
            "no-redirect",
            f"After a POST the browser got the status {page.status}, and was to be sent back to "
            "the same address. What makes a redirect?",
        )
    await type(loan).objects.filter(pk=loan.pk).aupdate(returned=DAY)
    with _noting_days() as days:
        await given.result_of("Desk", driver=visit, **request)
    if any(day is first for day in days for first in first_days):
        raise NotYet(
            "day-of-the-start",
            "Two forms came, one after the other, and the date that was written is the same object "
            "both times: it was made before either of them. A server runs for weeks. When is it to "
            "be asked which day it is?",
        )
    if await type(loan).objects.filter(pk=loan.pk, returned=DAY).aexists():
        raise NotYet(
            "open-loans-only",
            "A form was sent for a loan that had been taken back before, and its row stayed as it "
            "was. `DeskBefore` writes today's date all the same. Which rows does its update mean?",
        )
    nothing = await given.result_of("Desk", driver=visit, **request | {"pk": 99_999})
    if nothing.status != 302:
        raise NotYet(
            "post-to-nothing",
            "A POST came for a loan that is not there: `DeskBefore` updates no row, and sends the "
            f"browser back as always. Yours answered with the status {nothing.status}. What does "
            "an update do that finds no row?",
        )


@exercise(
    "7.4",
    title="a decorator for both kinds",
    names=("deprecated",),
    why=(
        "An async view gets a wrapper that is async, and a sync view one that is not, so Django "
        "sees of each what it is. `wraps` keeps the name, and marks such as `csrf_exempt`."
    ),
    hints=(
        "`deprecated_before` calls a view and sets a header on what comes back. What comes back "
        "from the call of an async view?",
        "Django asks `iscoroutinefunction` of a view. Could the decorator ask the same, and have "
        "a wrapper for each case?",
        "Is it `if iscoroutinefunction(view):` with an `async def` that awaits the view, else a "
        "plain `def`, and `@wraps(view)` above both?",
    ),
    errors={
        **NO_RESPONSE,
        (Exception, "'coroutine' object"): NotYet(
            "header-on-a-coroutine",
            "The view was async, and your wrapper took the coroutine that it gave for a response. "
            "What has to happen before there is a response?",
        ),
        (TypeError, "await"): NotYet(
            "awaits-everything",
            "The view was sync, and your wrapper awaited its response. Which views may be awaited, "
            "and how does Django find out?",
        ),
        (TypeError, "view must be a callable"): NotYet(
            "no-view",
            "What came out of the decorator is nothing that Django can call. What does a decorator "
            "return, and when is a coroutine made instead?",
        ),
        (TypeError, "argument"): NotYet(
            "loses-arguments",
            "A view may have more arguments than the request: those of its address. What does your "
            "wrapper pass on?",
        ),
    },
    seconds=10,
)
async def deprecated(given):
    views = _views(given.is_home)
    for kind, view in views.items():
        await _require_decorated(given, kind, view)
    for kind, view in views.items():
        if not await given.result_of("deprecated", view, driver=_keeps_exemption):
            raise NotYet(
                "loses-marks",
                f"With {kind} that `login_not_required` has marked, the mark is gone, and "
                "LoginRequiredMiddleware would send guests away. There are more marks than one, "
                "and a project has its own. What copies all of them?",
            )
        if not await given.result_of("deprecated", view, driver=_keeps_own_mark):
            raise NotYet(
                "loses-marks",
                f"With {kind} that a project has marked in its own way, by an attribute that "
                "Django knows nothing of, the mark is gone. What copies all of them, whatever they "
                "are called?",
            )
    for kind in "a sync view", "an async view":
        by_place = {"address": f"{PAGE}7/", "regex": rf"^{PAGE[1:]}(\d+)/$"}
        page = await given.result_of("deprecated", views[kind], driver=_visit_decorated, **by_place)
        if not page.text.endswith(": 7"):
            raise NotYet(
                "mixes-arguments",
                f"With {kind} that gets a part of the address by its place, it answered "
                f"{page.text!r}. In which order does your wrapper pass its arguments on?",
            )
    for view in _fails, _fails_async:
        call = await given.call("deprecated", view, driver=_visit_decorated, expect=Exception)
        require_itself(call, "deprecated", "The view")
    for view in _gone, _gone_async:
        page = await given.result_of("deprecated", view, driver=_visit_decorated)
        if (page.status, page.headers.get("deprecation")) != (410, "true"):
            raise NotYet(
                "good-pages-only",
                "A view answered with the status 410, and the browser got the status "
                f"{page.status} with {page.headers.get('deprecation')!r} for the header. Which "
                "responses of a view does `deprecated_before` mark?",
            )
    return f"{len(views)} kinds of views, and each stayed what it was."


def _views(is_loop: Callable[[], bool]) -> dict[str, Callable]:
    """Views of all kinds; each says whether it ran on the loop's thread, and its argument."""
    from django.contrib.auth.decorators import login_not_required
    from django.http import HttpResponse
    from django.views import View
    from django.views.decorators.csrf import csrf_exempt

    def exempt(view):
        """Mark a view three times: a form needs no token, a guest no login; and a project's own."""
        marked = login_not_required(csrf_exempt(view))
        marked.branch = "Whitby"
        return marked

    def answer(pk: int) -> HttpResponse:
        return HttpResponse(f"{is_loop()}: {pk}")

    def shelf(request, pk):
        """A shelf."""
        return answer(pk)

    async def async_shelf(request, pk):
        """A shelf, async."""
        await turns(1)
        return answer(pk)

    @wraps(async_shelf)
    def shelf_for_all(request, pk):
        return answer(pk)

    class Shelf(View):
        def post(self, request, pk):
            return answer(pk)

    class AsyncShelf(View):
        async def post(self, request, pk):
            return answer(pk)

    class Shop:
        def __call__(self, request, pk):
            return answer(pk)

    class AsyncShop(Shop):
        async def __call__(self, request, pk):
            return answer(pk)

    return {
        "a sync view": exempt(shelf),
        "an async view": exempt(async_shelf),
        "a class with sync handlers": exempt(Shelf.as_view()),
        "a class with async handlers": exempt(AsyncShelf.as_view()),
        "a partial of an async view": partial(async_shelf),
        "a sync view that wraps an async one": shelf_for_all,
        "an object that is called": Shop(),
        "an object that is marked as async": markcoroutinefunction(AsyncShop()),
    }


def _fails(request):
    raise Outage


async def _fails_async(request):
    raise Outage


def _gone(request):
    from django.http import HttpResponseGone

    return HttpResponseGone()


async def _gone_async(request):
    return _gone(request)


async def _visit_decorated(deprecated, view, **request) -> Response:
    return await visit(deprecated(view), **request)


async def _require_decorated(given, kind: str, view: Callable) -> None:
    is_async = iscoroutinefunction(view)
    request = {"driver": _visit_decorated, "pk": 7, "method": "POST"}
    page = await _decorated_page(given, kind, view, request)
    on_loop, _, pk = page.text.partition(": ")
    if is_async and on_loop == "False":
        raise NotYet(
            "async-on-a-thread",
            f"With {kind}, the view did not run on the loop: a thread waits for it. What would "
            "Django have to see in your wrapper, to await it?",
        )
    if not is_async and on_loop == "True":
        raise NotYet(
            "sync-on-the-loop",
            f"With {kind}, the view ran on the loop's thread, and nobody else is served meanwhile. "
            "Which thread does Django call a sync view on, if it can see that it is one?",
        )
    if page.status != 200 or pk != "7":
        raise NotYet("other-page", f"With {kind}, it answered {page.status} {page.text!r}.")
    if page.headers.get("deprecation") != "true":
        raise NotYet(
            "no-header",
            f"With {kind}, the response has no header `Deprecation: true`. Which response does "
            "your wrapper set it on, and which does it return?",
        )
    if getattr(view, "csrf_exempt", False):
        page = await given.result_of("deprecated", view, token=False, **request)
        if page.status == 403:
            raise NotYet(
                "loses-marks",
                f"With {kind} that is `csrf_exempt`, a form without a token was refused: the mark "
                "was on the view, and your wrapper has not got it. What copies it?",
            )
    await _require_same_kind(given, kind, view, is_async)


async def _decorated_page(given, kind: str, view: Callable, request: dict) -> Response:
    """The page of a decorated view; says of which one, if the wrapper awaits plain ones alone."""
    try:
        return await given.result_of("deprecated", view, **request)
    except NotYet as stop:
        if stop.diagnosis != "header-on-a-coroutine" or kind == "an async view":
            raise
    raise NotYet(
        "overlooks-async",
        f"With {kind}, your wrapper took a coroutine for a response, and a plain `async def` it "
        "awaits. Whose `iscoroutinefunction` does your decorator ask? That of asgiref sees all "
        "that Django sees.",
    )


async def _require_same_kind(given, kind: str, view: Callable, is_async: bool) -> None:
    look = partial(given.result_of, "deprecated", view)
    if await look(driver=_is_async) != is_async:
        raise NotYet(
            "changes-the-kind",
            f"{kind.capitalize()} went in, and Django takes what came out for the other kind. It "
            "has to be adapted at each request then. What does `iscoroutinefunction` say of your "
            "wrapper?",
        )
    if not await look(driver=_keeps_name):
        raise NotYet(
            "loses-the-name",
            f"Of {kind}, the name or the description is lost: logs and error pages would name your "
            "wrapper. What copies both from one function to another?",
        )


async def _keeps_exemption(deprecated, view) -> bool:
    has = getattr(deprecated(view), "login_required", True)
    return has == getattr(view, "login_required", True)


async def _keeps_own_mark(deprecated, view) -> bool:
    return getattr(deprecated(view), "branch", "") == getattr(view, "branch", "")


async def _is_async(deprecated, view) -> bool:
    return iscoroutinefunction(deprecated(view))


async def _keeps_name(deprecated, view) -> bool:
    decorated = deprecated(view)
    if not hasattr(view, "__name__"):
        return True
    return (decorated.__name__, decorated.__doc__) == (view.__name__, view.__doc__)


@exercise(
    "7.5",
    title="join by a form",
    names=("join",),
    why=(
        "Whether an address is taken is a query, and so is the save: both go to the worker. The "
        "session and the user have methods that can be awaited."
    ),
    hints=(
        "Four lines of `join_before` may reach the database: the form asks whether an address is "
        "taken. Which are the other three?",
        "A form has no async twin. `request.session` has `aset`, and `request` has `auser`. What "
        "sends `form.is_valid` and `form.save` to the worker?",
        "Is it `await sync_to_async(form.is_valid)()`, the same for `form.save`, then "
        '`await request.session.aset("joined", member.pk)`, and `await request.auser()`?',
    ),
    errors={
        **NO_RESPONSE,
        (SynchronousOnlyOperation, in_lazy_user): NotYet(
            "lazy-user",
            "`request.user` was opened, on the loop's thread, and looked up who that is. What "
            "stands beside it for async code?",
        ),
        (SynchronousOnlyOperation, through("django.forms"), on_line_with("sync_to_async(")): NotYet(
            "called-too-early",
            "The form asked the database on the loop's thread, before `sync_to_async` could send "
            "it away. Does that get the method, or what a call of it gave?",
        ),
        (SynchronousOnlyOperation, through("django.forms")): NotYet(
            "sync-form",
            "The form asked the database on the loop's thread: whether an address is taken is a "
            "query, and the save writes. What makes a sync method awaitable?",
        ),
        (SynchronousOnlyOperation, through("django.contrib.sessions")): NotYet(
            "sync-session",
            "The session was opened on the loop's thread, and lies in the database. Which of its "
            "methods can be awaited?",
        ),
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A sync query ran on the loop's thread. Which line of yours made it?",
        ),
        (ValueError, "didn't validate"): NotYet(
            "always-valid",
            "The form was wrong, and your view went on to save it. A coroutine is always true: "
            "what did your `if` look at?",
        ),
        IntegrityError: NotYet(
            "no-check",
            "The database refused a row, and the browser would get a server error. Who tells the "
            "reader of a form which field is wrong, before the row is saved?",
        ),
        (AttributeError, "JoinForm"): NotYet(
            "no-such-method",
            "There is no such method: forms have no async twins. What makes a sync method "
            "awaitable?",
        ),
        (AttributeError, "'coroutine' object"): NotYet(
            "forgotten-await",
            "A coroutine was asked for what only its result has. Where is an `await` missing?",
        ),
        (TypeError, "await"): NotYet(
            "awaits-no-coroutine",
            "Something was awaited that is no coroutine: an attribute, or a method that nobody has "
            "called. Which brackets are missing?",
        ),
    },
    seconds=10,
)
async def join(given):
    from library.models import Member

    cookie = await cookie_of("amara")
    form = {"name": "Evelina Anville", "email": "eve@example.org"}
    page = (await _send(given, cookie, form)).value
    member = await Member.objects.filter(**form).afirst()
    if member is None:
        raise NotYet(
            "not-saved",
            "The form was right, and there is no such member. Who saves it, and is that awaited?",
        )
    _require_text(page, "Evelina Anville joined at the desk of amara")
    kept = await session_of(cookie).aget("joined")
    if kept is None:
        raise NotYet(
            "not-kept",
            "The page is right, and the session holds nothing for `joined`. Which line puts the "
            "new member's key there, and is it awaited?",
        )
    if not same(kept, member.pk):
        raise NotYet(
            "keeps-another",
            f"The session holds {kept!r} for `joined`, and the key of the new member is "
            f"{member.pk}. Which value did `join_before` put there?",
        )
    await _require_refused(given, cookie, {"name": "Evelina Belmont", "email": form["email"]})
    await _require_refused(given, cookie, {"name": "", "email": "no address"})
    new = await cookie_of("amara")
    for each in {"name": "Evelina Belmont", "email": form["email"]}, {}:
        await _require_refused(given, new, each, word_for_word=True)
    await _require_refused(given, new, {}, method="GET", word_for_word=True)
    if await session_of(new).ahas_key("joined"):
        raise NotYet(
            "kept-anyway",
            "The form was wrong, nobody joined, and the session has something for `joined`. When "
            "does `join_before` put it there?",
        )
    require_async_view(given, "join")
    await _send(given, cookie, {"name": " Evelina Grey ", "email": "grey@example.org"})
    if await Member.objects.filter(name=" Evelina Grey ").aexists():
        raise NotYet(
            "saved-as-sent",
            "The name was sent with a blank on either side, and was saved with both. The form has "
            "cleaned it. Who saves what the form has made of it?",
        )
    await _require_guest_joins(given)
    form = {"name": "Evelina Belmont", "email": "belmont@example.org"}
    request = {"driver": visit, "form": form, "method": "POST", "cookie": cookie}
    await require_told_of_database(given, "join", **request)
    with database_lost_at('INSERT INTO "library_member"'):
        await require_told(given, "join", **request, what="The database", error=DatabaseError)
    return "Checked, saved and kept in the session, and the loop was free all the while."


async def _send(given, cookie: str, form: dict[str, str], method: str = "POST") -> Call:
    return await _visit(given, "join", reads=False, method=method, cookie=cookie, form=form)


async def _require_guest_joins(given) -> None:
    page = (await _send(given, "", {"name": "Caroline", "email": "evelyn@example.org"})).value
    text = "Caroline joined at the desk of "
    if not _is_for_members(page) and (page.status, page.text) != (200, text):
        raise NotYet(
            "guests-refused",
            f"Nobody was logged in, and the answer was {page.status} {page.text!r}. `join_before` "
            f"lets a guest join, and answers {text!r}. Who is `request.user` then?",
        )


async def _require_refused(
    given, cookie: str, form: dict[str, str], method: str = "POST", word_for_word: bool = False
) -> None:
    from library.models import Member

    wanted, before = await sync_to_async(_errors_of)(form), await Member.objects.acount()
    page = (await _send(given, cookie, form, method)).value
    if await Member.objects.acount() > before:
        raise NotYet("saved-anyway", f"{form!r} was saved. Who says whether a form is right?")
    found = _json_of(page)
    is_of_fields = isinstance(found, dict) and set(found) == set(wanted)
    if page.status != 400 or not is_of_fields or (word_for_word and found != wanted):
        asked = f"{method} brought the fields {form!r}" if form else f"{method} brought no field"
        raise NotYet(
            "other-errors",
            f"{asked}, and the answer was {page.status} {page.text!r}. `join_before` answers with "
            f"the status 400, and {json.dumps(wanted)}. Whose errors are these, and in which form?",
        )


def _errors_of(form: dict[str, str]) -> dict[str, list[str]]:
    """What is wrong with a form, as `JoinForm` says it."""
    from django.forms import modelform_factory
    from library.models import Member

    return dict(modelform_factory(Member, fields=["name", "email"])(form).errors)


UNKNOWN = "ask at the desk"


@exercise(
    "7.6",
    title="a dashboard that everybody waits for",
    names=("dashboard",),
    why=(
        "Two queries bring all rows with what they refer to, a client that can be awaited asks "
        "the service meanwhile, and its failure costs one line of the page."
    ),
    hints=(
        "`dashboard_before` has four faults. Which line opens a lazy user, which one holds the "
        "loop, which one is lazy, and which one asks forty times?",
        "All open loans are few: could one query fetch them with their members, and a dict find "
        "the loan of a book? And what would `httpx.AsyncClient` be closed by?",
        "Is it `await asyncio.gather(ask_hours(), list_books())`, where the first one opens its "
        "client by `async with`, and catches `httpx.HTTPError`?",
    ),
    errors={
        **NO_RESPONSE,
        **AWAITED_QUERYSET,
        (SynchronousOnlyOperation, in_lazy_user): NotYet(
            "lazy-user",
            "`request.user` was opened, on the loop's thread, and looked up who that is. What "
            "stands beside it for async code?",
        ),
        (SynchronousOnlyOperation, behind_a_dot): NotYet(
            "lazy-key",
            "The rows came, and then `.author` or `.member` was another query, behind a dot. How "
            "can the same query bring them along?",
        ),
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A sync query ran on the loop's thread. Which loop over a queryset can be used in an "
            "`async def`?",
        ),
        httpx.HTTPError: NotYet(
            "no-page",
            "The service failed, and there is no page at all. Which part of it does the service "
            "know, and what stands there without it?",
        ),
        (TypeError, "coroutine"): NotYet(
            "forgotten-await",
            "A coroutine went where its result belongs. Where is an `await` missing?",
        ),
    },
    seconds=15,
)
async def dashboard(given):
    cookie = await cookie_of("amara")
    call = await _require_dashboard(given, cookie)
    await _require_page_of_late_service(given, cookie)
    await _require_page_for_each(given, cookie)
    await _require_page_without_service(given, cookie)
    await _require_page_of_odd_visits(given, cookie)
    require_async_view(given, "dashboard")
    left = partial(_dashboard_left, cookie)
    await _require_ends_with_its_visitor(given, "dashboard", left)
    with upstreams({"hours": lambda: (200, "until 19:00")}) as urls:
        visits = {"driver": visit, "url": urls["hours"]}
        await require_told_of_database(given, "dashboard", **visits)
    number = len(queries(call))
    took = "One query" if number == 1 else f"{number} queries"
    return f"{took}, the service was asked meanwhile, and may fail."


async def _lines(user: str, hours: str) -> str:
    from library.models import Book

    readers = {each.book_id: each.member async for each in open_loans().select_related("member")}
    books = [book async for book in Book.objects.select_related("author")[:40]]
    lines = [f"{book} by {book.author}: {readers.get(book.pk, 'on the shelf')}" for book in books]
    return "\n".join([f"Good evening, {user}. Open: {hours}.", *lines])


async def _require_page_for_each(given, cookie: str) -> None:
    """Two members come at once, and the service answers when it was asked for both."""
    cookies, both = [cookie, await cookie_of("d.weiss")], Meeting(calls=2, together=2)

    def answer():
        with both:
            return 200, "until 17:00"

    async def come(dashboard, url):
        return await all_of(visit(dashboard, url=url, cookie=each) for each in cookies)

    with upstreams({"hours": answer}) as urls:
        pages = await given.result_of("dashboard", urls["hours"], driver=come)
    greetings = [page.text.partition(".\n")[0].partition(" Open")[0] for page in pages]
    if greetings != ["Good evening, amara.", "Good evening, d.weiss."]:
        raise NotYet(
            "mixes-requests",
            f"Two members came at once, amara and d.weiss, and their pages began {greetings[0]!r} "
            f"and {greetings[1]!r}. While one request awaits, another one goes on. What do they "
            "share in your code?",
        )


async def _require_dashboard(given, cookie: str) -> Call:
    watch, both = LoopWatch(given), Meeting(calls=2, together=2)
    waited = []

    def answer():
        watch.look()
        with both:
            return 200, "until 19:00"

    def wait(_cursor, sql):
        if "library_" in sql and not waited and not is_beside():
            waited.append(sql)
            with both:
                pass

    wanted = await _lines("amara", "until 19:00")
    with upstreams({"hours": answer}) as urls, before_queries(wait), _noting_clients() as clients:
        try:
            call = await _visit(given, "dashboard", url=urls["hours"], cookie=cookie)
        except NotYet as stop:
            if not watch.held or stop.diagnosis != "waits-on-the-loop":
                raise
    _require_free_meanwhile(watch)
    require_query(call, "page", "who has which book")
    _require_text(call.value, wanted)
    _require_few_queries(call)
    if both.most < 2:
        raise NotYet(
            "one-after-another",
            "The service and the database waited for each other, and neither needs the other's "
            "answer. Which call starts both?",
        )
    _require_closed(clients)
    return call


def _require_free_meanwhile(watch: LoopWatch) -> None:
    if watch.held:
        raise NotYet(
            "holds-the-loop",
            "While the service was at work, the loop stood still: nobody else was served. Which "
            "line waits for the service without an `await`?",
        )


def _require_closed(clients: list[httpx.Client | httpx.AsyncClient]) -> None:
    if not all(client.is_closed for client in clients):
        raise NotYet(
            "client-left-open",
            "The page was sent, and the client that it had made was left open, with its "
            "connections. What closes it on every way out?",
        )


def _require_few_queries(call: Call) -> None:
    number = len(queries(call))
    if number > 20:
        raise NotYet(
            "query-per-row",
            f"The page is right, and took {number} queries: one for each book. Which query brings "
            "all the open loans at once?",
        )
    if number > 2:
        raise NotYet(
            "query-too-many",
            f"The page is right, and took {number} queries. Which of them asks for rows that "
            "another one could have brought?",
        )


@contextmanager
def _noting_clients() -> Iterator[list[httpx.Client | httpx.AsyncClient]]:
    """Note the clients of either kind that an answer makes in the block."""
    clients = []

    def note(client, *_args, **_options):
        if not is_beside():
            clients.append(client)

    with ExitStack() as stack:
        for kind in httpx.Client, httpx.AsyncClient:
            stack.enter_context(hooks.before(kind, "__init__", note))
        yield clients


QUIET = 0.05
"""Seconds without a query, after which the database has said what it has to say."""


async def _require_page_of_late_service(given, cookie: str) -> None:
    """The service answers after the database, and says something else than before."""
    asked, watch = threading.Event(), LoopWatch(given)

    def answer():
        while asked.wait(QUIET):
            asked.clear()
        watch.look()
        return 200, "closed today"

    def note(_cursor, sql):
        if "library_" in sql and not is_beside():
            asked.set()

    await lend_many()  # New books among the forty, whose loans come last.
    wanted = await _lines("amara", "closed today")
    with upstreams({"hours": answer}) as urls, before_queries(note):
        page = await given.result_of("dashboard", driver=visit, url=urls["hours"], cookie=cookie)
    _require_free_meanwhile(watch)
    _require_text(page, wanted)


async def _require_page_of_odd_visits(given, cookie: str) -> None:
    """The service answers with an empty text, and otherwise, and then a guest comes."""
    texts = iter(["until 18:00", "closed"])
    answers = {
        "nothing": lambda: (200, ""),
        "copy": lambda: (203, "from a copy"),
        "hours": lambda: (200, next(texts, "closed")),
    }
    with upstreams(answers) as urls:
        visits = {"driver": visit, "url": urls["nothing"], "cookie": cookie}
        page = await given.result_of("dashboard", **visits)
        if page.text == await _lines("amara", UNKNOWN):
            raise NotYet(
                "empty-for-failed",
                "The service answered with the status 200 and an empty text, and the page says "
                "what it says of one that has failed. What does Python take an empty text for, "
                "where a condition is asked for?",
            )
        _require_text(page, await _lines("amara", ""))
        page = await given.result_of("dashboard", **visits | {"url": urls["copy"]})
        if page.text == await _lines("amara", UNKNOWN):
            raise NotYet(
                "one-status-alone",
                "The service answered with the status 203, which is one of success, and the page "
                "says that it has failed. Which statuses stand for an error?",
            )
        _require_text(page, await _lines("amara", "from a copy"))
        first = await given.result_of("dashboard", **visits | {"url": urls["hours"]})
        _require_text(first, await _lines("amara", "until 18:00"))
        page = await given.result_of("dashboard", driver=visit, url=urls["hours"])
        if page.text == await _lines("", "until 18:00"):
            raise NotYet(
                "remembers-hours",
                "The service said 'until 18:00' to the first visitor and 'closed' to the next, and "
                "the next was told 'until 18:00'. How long is an answer true?",
            )
    wanted = await _lines("", "closed")
    if not _is_for_members(page) and (page.status, page.text) != (200, wanted):
        raise NotYet(
            "guests-refused",
            f"Nobody was logged in, and the browser got {page.status} "
            f"{page.text.partition(chr(10))[0]!r}. `dashboard_before` has a page for a guest. Who "
            "is `request.user` then?",
        )


async def _dashboard_left(cookie: str, dashboard, url: str) -> None:
    await visit(dashboard, url=url, cookie=cookie)


async def _require_page_without_service(given, cookie: str) -> None:
    """The service cannot be reached, and then answers with an error."""
    wanted = await _lines("amara", UNKNOWN)
    broken = {status: lambda s=status: (s, "<h1>Try again later</h1>") for status in (503, 404)}
    with upstreams({**broken, "hung": _hang_up}) as urls:
        for status, url in {None: nowhere(), **urls}.items():
            with _noting_clients() as clients:
                page = await given.result_of("dashboard", driver=visit, url=url, cookie=cookie)
            if "Try again" in page.text:
                raise NotYet(
                    "error-page",
                    f"The service answered with the status {status}, and the text of its error "
                    "stands on your page. Which method of a response raises, if the status is an "
                    "error's?",
                )
            _require_text(page, wanted)
            _require_closed(clients)
