"""The checks of lesson 09: middleware."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from itertools import product
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.core.exceptions import SynchronousOnlyOperation

from ..exercises.book import NotAttempted, NotYet, Raised, exercise
from ..exercises.given import Call
from ..recorder.events import SYNC, WAIT
from ..recorder.roles import CONTEXT_WORKER, POOL_WORKER
from ..servers import Response
from .vocabulary.causes import in_lazy_user
from .vocabulary.edges import require_unchanged
from .vocabulary.failing import (
    Outage,
    ends_cancelled,
    require_cancelled,
    require_told,
    require_told_of_database,
)
from .vocabulary.library import DAY, free_books, open_loans
from .vocabulary.loops import call_off_the_loop
from .vocabulary.queries import require_off_the_pool
from .vocabulary.serving import (
    FROM_SHELF,
    PAGE,
    cookie_of,
    old_cookies,
    projects_middleware,
    require_whole_way_back,
    session_of,
    site_behind,
    visit,
    way_back,
    wsgi_application_behind,
)
from .vocabulary.threads import require_this_loop
from .vocabulary.values import same

OF_HANDLER = 2
"""Hops that Django's handler takes for itself."""
OF_SYNC_CHAIN = 2
"""Hops of the seven above a sync middleware: one for all of them, and one for `process_view`."""


def _sync_one(get_response):
    def middleware(request):
        return get_response(request)

    return middleware


def _in_django(raised: Raised) -> bool:
    """Whether it rose in Django's code: there, a middleware got what is no response."""
    return bool(raised.path) and raised.path[-1][0].startswith("django.")


IN_SYNC = NotYet(
    "async-in-sync",
    "Above a sync middleware, Django wanted the sync half, and what it got is an `async def`. "
    "Does your middleware say what it serves, and has it a half for each?",
)
HALVES = {
    (TypeError, "can only be applied to sync functions"): IN_SYNC,
    (AttributeError, "'coroutine' object has no attribute '_resource_closers'"): IN_SYNC,
    (RuntimeError, "AsyncToSync in the same thread"): NotYet(
        "async-half-in-sync",
        "Above a sync middleware, your async half ran on the loop and called `get_response` there, "
        "which is sync and has to wait for the loop itself. What would a half look like that never "
        "leaves its thread?",
    ),
    (AttributeError, "'coroutine' object", _in_django): NotYet(
        "unmarked",
        "It stood below a middleware of Django's, and that took it for a sync one: it got a "
        "coroutine and treated it as a response. An object, or a `def` that returns a "
        "coroutine, does not say by itself that it is async. Which function of asgiref marks it?",
    ),
    (Exception, "'coroutine' object"): NotYet(
        "coroutine-for-a-response",
        "A coroutine was taken for a response: `get_response` gave it, or your `stamp` did, if it "
        "is an `async def` itself. What has to be awaited, and what has to be a plain `def`?",
    ),
    (RuntimeError, "sync_capable/async_capable"): NotYet(
        "no-flag",
        "Django refused it: both of `sync_capable` and `async_capable` are False. Which of them "
        "does it serve?",
    ),
    (Exception, "returned None"): NotYet(
        "no-middleware",
        "The factory gave None in place of a middleware. What does it have to return?",
    ),
    (AttributeError, "'NoneType' object has no attribute"): NotYet(
        "no-response",
        "A response was asked for, and there was None. What does your middleware return?",
    ),
}
"""What goes wrong where a middleware has but one half, or hides the other."""


async def _through(
    middleware: Callable, view: Callable, above: Sequence, below: Sequence, request: dict
) -> Response:
    return await visit(view, middleware=[*above, middleware, *below], **request)


async def _pass(
    given, name: str, view: Callable, above: Sequence = (), below: Sequence = (), **request
) -> Call:
    """A request through a reader's middleware, between others, and to a view."""
    args = view, above, below, request
    call = await call_off_the_loop(given, name, *args, driver=_through)
    require_this_loop(call)
    return call


def _hops(call: Call) -> int:
    """How often a request went to a thread and came back: to its worker, or to a pool's."""
    roles = CONTEXT_WORKER, POOL_WORKER
    return sum(span.kind == SYNC for role in roles for span in call.recording.on(role))


def _waits(call: Call) -> int:
    return sum(span.kind == WAIT for span in call.recording.spans)


def _places() -> dict[str, tuple[Sequence, Sequence]]:
    """Where a middleware may stand: what is above it, and what below."""
    return {
        "alone": ((), ()),
        "below Django's seven": (projects_middleware(), ()),
        "above Django's seven": ((), projects_middleware()),
        "below a sync one": ((_sync_one,), ()),
        "above a sync one": ((), (_sync_one,)),
    }


async def _require_both_halves(given, name: str, view: Callable, hops: int = 0, **request) -> None:
    """Require that it goes along with what stands below it, and holds no thread by itself.

    Args:
        hops: those that its own work may take, at most.

    Raises:
        NotYet: "still-sync", "takes-a-hop", "changes-sides", "roundabout".
    """
    alone = await _pass(given, name, view, **request)
    if _waits(alone):
        raise NotYet(
            "still-sync",
            "Right above an async view it ran on the request's worker, which waited for the view. "
            "Django takes a middleware for a sync one as long as it says nothing else. What says "
            "that it serves both?",
        )
    if _hops(alone) > OF_HANDLER + hops:
        raise NotYet(
            "takes-a-hop",
            "In an async stack it sent work to a thread. Does that work have to wait for anything?",
        )
    beside = await _pass(given, name, view, projects_middleware(), (_sync_one,), **request)
    if _hops(beside) > OF_HANDLER + OF_SYNC_CHAIN + hops:
        if not getattr(given.value(name), "sync_capable", True):
            raise NotYet(
                "changes-sides",
                "It serves async requests only: its `sync_capable` is False, and the goal asks for "
                "both modes. Between Django's seven and a sync middleware it stayed async, so "
                "Django changed sides for it, and the seven above it took all their hops. Which "
                "half is missing?",
            )
        raise NotYet(
            "roundabout",
            "Above a sync middleware its sync half sent work to a worker, and it runs on that "
            "worker already. What does an adapter change there?",
        )


async def _require_same_response(given, name: str) -> None:
    """Require that the response which a view made goes on, with all that belongs to it.

    Raises:
        NotYet: "loses-the-rest".
    """
    for kind, make in _responses().items():
        above = [partial(_looks_at_stream, [])]
        page = (await _pass(given, name, partial(_with_the_rest, make), above)).value
        kept = {
            "its status": page.status == 410,
            "its header": page.headers.get("x-shelf") == "3",
            "its cookie": "reader=7" in page.headers.get("set-cookie", ""),
        }
        if lost := [what for what, is_there in kept.items() if not is_there]:
            raise NotYet(
                "loses-the-rest",
                f"The view returned {kind} with a status, a header and a cookie of its own. Lost "
                f"on the way: {', '.join(lost)}. What the card shows hands on the very "
                "response that it got. Which one do you return?",
            )


def _responses() -> dict[str, Callable]:
    """What makes a response of each kind."""
    from django.http import HttpResponse, StreamingHttpResponse

    async def parts():
        yield "a page"

    return {
        "a page": lambda: HttpResponse("a page"),
        "an async stream": lambda: StreamingHttpResponse(parts()),
        "a sync stream": lambda: StreamingHttpResponse(iter(["a ", "page"])),
    }


async def _with_the_rest(make: Callable, request):
    response = make()
    response.status_code = 410
    response["X-Shelf"] = "3"
    response.set_cookie("reader", "7")
    return response


async def _require_ends_with_its_visitor(given, name: str, above: Sequence = (), **request) -> None:
    """Require that a request ends as cancelled which is cancelled while the view works.

    Args:
        above: what the middleware stands behind.
        request: as for `visit`.
    """
    from django.http import HttpResponse

    begun, end, ended = threading.Event(), threading.Event(), []

    def leave(get_response):
        async def middleware(request):
            ended.append(await ends_cancelled(get_response(request), begun, end))
            return HttpResponse()

        return middleware

    leave.sync_capable, leave.async_capable = False, True

    async def wait(request):
        begun.set()
        while not end.is_set():
            await asyncio.sleep(0.001)
        return HttpResponse()

    await given.result_of(name, wait, [*above, leave], (), request, driver=_through)
    require_cancelled(name, ended == [True])


async def _page(request):
    from django.http import HttpResponse

    return HttpResponse("a page")


def _sync_page(request):
    from django.http import HttpResponse

    return HttpResponse("a page")


@exercise(
    "9.1",
    title="who is sync",
    names=("modes",),
    why=(
        "Django builds the chain from the view outwards, so a middleware for both becomes what the "
        "one below it is, and the core of the handler is async."
    ),
    hints=(
        "Which middleware does Django build first, the outermost one or the one next to the view?",
        "Go through `kinds` from the last to the first. What does a middleware for both have to "
        "know of the one below it, and what is below the last one?",
        'Is it `below = "async"`, a loop over `reversed(kinds)` in which `below` becomes `kind` '
        'unless that is `"both"`, and the list turned round at the end?',
    ),
    errors={
        TypeError: lambda raised: NotYet(
            "other-type", f"{raised.text}. `kinds` is a list of texts. What do you do with it?"
        ),
    },
)
async def modes(given):
    found, wanted, given_lists = {}, {}, {}
    for length in range(4):
        for kinds in product(("both", "sync", "async"), repeat=length):
            given_lists[kinds] = list(kinds)
            answer = await given.result_of("modes", given_lists[kinds])
            found[kinds] = answer.copy() if type(answer) is list else answer
            wanted[kinds] = _modes_of(kinds)
    wrong = [kinds for kinds in found if not same(found[kinds], wanted[kinds])]
    if wrong:
        raise _misunderstanding(found, wanted, wrong[0])
    for kinds, given_list in given_lists.items():
        require_unchanged(given_list, list(kinds))
    return "Every stack of up to three, as Django's own handler builds it."


def _modes_of(kinds: Sequence[str]) -> list[str]:
    """The modes in which Django's handler makes middlewares of these kinds."""
    from django.http import HttpResponse
    from django.urls import path

    found = {}

    def factory(place: int, kind: str) -> Callable:
        def make(get_response):
            below = "async" if iscoroutinefunction(get_response) else "sync"
            found[place] = below if kind == "both" else kind
            return _answer if found[place] == "sync" else _answer_async

        make.sync_capable, make.async_capable = kind != "async", kind != "sync"
        return make

    def _answer(request):
        return HttpResponse()

    async def _answer_async(request):
        return HttpResponse()

    site_behind([factory(*each) for each in enumerate(kinds)], path("", _answer_async))
    return [found[place] for place in sorted(found)]


def _misunderstanding(found: dict, wanted: dict, first: tuple[str, ...]) -> NotYet:
    """What explains the answers, of which that for `first` is wrong."""
    asked = f"Given {list(first)}, it answered {found[first]!r}."
    if not all(isinstance(modes, list) for modes in found.values()):
        return NotYet("no-list", f"{asked} A list of texts was asked for.")
    if any("both" in modes for modes in found.values()):
        return NotYet(
            "both-is-no-mode",
            f"{asked} When a request comes, a middleware for both is one of them. Which?",
        )
    if len(found[first]) != len(first):
        return NotYet("other-length", f"{asked} How many middlewares are there?")

    def explains(theory: Callable) -> bool:
        return all(found[kinds] == theory(kinds) for kinds in found)

    if explains(lambda kinds: wanted[kinds][::-1]):
        return NotYet(
            "turned-round",
            f"{asked} The modes are right, and stand in the order in which Django builds the "
            "chain. In which order were the kinds?",
        )
    if explains(_from_outside):
        return NotYet(
            "from-outside",
            f"{asked} Each took the mode of the one above. Django builds the chain from the view "
            "outwards. Whose mode can a middleware know, when it is made?",
        )
    if explains(lambda kinds: ["async" if kind == "both" else kind for kind in kinds]):
        return NotYet(
            "both-stays-async",
            f"{asked} Each middleware for both stayed async. What would it have to do above a sync "
            "one, at each request?",
        )
    if explains(lambda kinds: ["sync" if "sync" in kinds else "async"] * len(kinds)):
        return NotYet(
            "one-for-all",
            f"{asked} One sync middleware made all of them sync. Which of them get a "
            "`get_response` that has to do with it?",
        )
    return NotYet(
        "other-modes", f"{asked} It is {wanted[first]}. Which of them is next to the view?"
    )


def _from_outside(kinds: Sequence[str]) -> list[str]:
    mode, found = "async", []
    for kind in kinds:
        mode = mode if kind == "both" else kind
        found.append(mode)
    return found


@exercise(
    "9.2",
    title="a stamp that costs nothing",
    names=("stamp",),
    why=(
        "It asks what `get_response` is, and has a half for each answer, so it goes along with "
        "whatever stands below it."
    ),
    hints=(
        "`stamp_before` says nothing, so Django takes it for a sync one. Which decorator of the "
        "lesson says that a middleware serves both?",
        "If it says so, `get_response` may be a coroutine function. Which question tells, and how "
        "often does it have to be asked?",
        "Is it `@sync_and_async_middleware`, `if iscoroutinefunction(get_response):` with an "
        "`async def middleware` that awaits, and a plain one in the `else`?",
    ),
    errors=HALVES,
)
async def stamp(given):
    for place, (above, below) in _places().items():
        for view in _page, _sync_page:
            call = await _pass(given, "stamp", view, above, below)
            _require_stamped(place, call.value)
    await _require_both_halves(given, "stamp", _page)
    for what, view, status in OTHER_RESPONSES:
        above = [partial(_looks_at_stream, [])]
        page = (await _pass(given, "stamp", view, above)).value
        if page.status != status or page.headers.get("x-branch") != "Whitby":
            raise NotYet(
                "not-all",
                f"{what}, and the response with the status {page.status} was another one than "
                "`stamp_before` makes. Which responses does it stamp, and with what?",
            )
    await _require_same_response(given, "stamp")
    await _require_ends_with_its_visitor(given, "stamp")
    return f"{len(_places())} places, one header, and no hop of its own."


async def _missing(request):
    from django.http import Http404

    raise Http404


async def _stamped(request):
    from django.http import HttpResponse

    return HttpResponse("a page", headers={"X-Branch": "York"})


async def _stream(request):
    from django.http import StreamingHttpResponse

    async def body():
        yield "a page"

    return StreamingHttpResponse(body())


async def _away(request):
    from django.http import HttpResponse

    return HttpResponse("back soon", status=503)


async def _elsewhere(request):
    from django.http import HttpResponseRedirect

    return HttpResponseRedirect("/books/")


def _sync_stream(request):
    from django.http import StreamingHttpResponse

    return StreamingHttpResponse(iter(["a ", "page"]))


OTHER_RESPONSES = (
    ("A page was missing", _missing, 404),
    ("The view could not serve anybody", _away, 503),
    ("The view sent the browser elsewhere", _elsewhere, 302),
    ("The view streamed", _stream, 200),
    ("A sync view streamed", _sync_stream, 200),
    ("The view had set `X-Branch` itself", _stamped, 200),
)


def _require_stamped(place: str, page: Response) -> None:
    if page.headers.get("x-branch") != "Whitby":
        raise NotYet(
            "no-header",
            f"It stood {place}, and the response has no header `X-Branch: Whitby`. Which response "
            "does it set the header on, and which does it return?",
        )
    if (page.status, page.text) != (200, "a page"):
        raise NotYet(
            "other-page",
            f"It stood {place}, and the browser got {page.status} {page.text!r} in place of the "
            "view's page.",
        )


OTHER_STREAM = NotYet(
    "kind-by-the-mode",
    "A stream of one kind was read as one of the other. An async view may be above a sync stream, "
    "and the other way round, whatever the mode of the middleware is. Which attribute of a "
    "response says of which kind its stream is?",
)


@exercise(
    "9.3",
    title="an id to the last line",
    names=("with_id",),
    why=(
        "The value is set and not taken back, so it is there while the body is sent. Each request "
        "has a context of its own, and what comes next on a thread sets its own id."
    ),
    hints=(
        "A stream is sent when the middleware has returned. Which line of `with_id_before` has run "
        "by then?",
        "Under ASGI each request has a task of its own, with a context of its own. What happens to "
        "the value if nobody takes it back?",
        "Is it `request_id.set(...)` without a `reset`, in an async and in a sync half, and the "
        "header on the response afterwards?",
    ),
    errors={
        (TypeError, "is not iterable"): OTHER_STREAM,
        (TypeError, "requires an object with __aiter__"): OTHER_STREAM,
        **HALVES,
    },
)
async def with_id(given):
    variable = given.value("request_id")
    if not isinstance(variable, ContextVar):
        raise NotAttempted("`request_id` is no `ContextVar` any more. Run its cell, then this one.")
    look = partial(_told, variable)
    for place, (above, below) in _places().items():
        for sent in {"x_request_id": "7-Bath"}, {}:
            page = (await _pass(given, "with_id", look, above, below, sent=sent)).value
            _require_id(place, page, sent.get("x_request_id", "-"))
    for place, below in ("alone", ()), ("above a sync one", (_sync_one,)):
        above, told = [partial(_looks_at_stream, [])], partial(_told_in_sync, variable)
        page = (await _pass(given, "with_id", told, above, below, sent={"x_request_id": "7"})).value
        _require_id(f"{place}, the stream was a sync one", page, "7")
    page = (await _pass(given, "with_id", _named_already, sent={"x_request_id": "7"})).value
    if page.headers.get("x-request-id") != "7":
        raise NotYet(
            "keeps-the-views",
            "The request had the id '7', the view had set the header itself, and the browser got "
            f"{page.headers.get('x-request-id')!r}. Which of the two does `with_id_before` send?",
        )
    await _require_both_halves(given, "with_id", look, hops=1)
    await _require_each_its_own(given, variable)
    await _require_none_kept(given, variable)
    await _require_same_response(given, "with_id")
    await _require_ends_with_its_visitor(given, "with_id")
    return "On the loop, on the worker and in the stream, and each request its own."


async def _told(variable, request):
    from django.http import StreamingHttpResponse

    seen = [variable.get(), await sync_to_async(variable.get)()]

    async def body():
        yield " ".join(map(str, seen))
        yield f" {variable.get()}"

    return StreamingHttpResponse(body())


def _told_in_sync(variable, request):
    from django.http import StreamingHttpResponse

    seen = [variable.get(), variable.get()]

    def body():
        yield " ".join(map(str, seen))
        yield f" {variable.get()}"

    return StreamingHttpResponse(body())


async def _named_already(request):
    from django.http import HttpResponse

    return HttpResponse("a page", headers={"X-Request-ID": "6"})


def _require_id(place: str, page: Response, wanted: str) -> None:
    view, worker, stream = (page.text.split(" ") + ["", "", ""])[:3]
    sent = f"the id {wanted!r}" if wanted != "-" else "no id"
    asked = f"It stood {place}, and the request had {sent}."
    if (view, worker) != (wanted, wanted):
        raise NotYet(
            "no-id",
            f"{asked} The view saw {view!r}, and its worker {worker!r}. When does your middleware "
            "set the variable, and to what?",
        )
    if stream != wanted:
        raise NotYet(
            "lost-in-the-stream",
            f"{asked} The view saw it, and the body of the stream, which is sent later, saw "
            f"{stream!r}. What has your middleware done by then?",
        )
    if page.headers.get("x-request-id") != wanted:
        raise NotYet(
            "no-header",
            f"{asked} The response has the header X-Request-ID "
            f"{page.headers.get('x-request-id')!r}. Who reads it there?",
        )


async def _require_none_kept(given, variable) -> None:
    """Require that a request without an id has none, on a thread that has just served another."""
    ids = await given.result_of("with_id", variable, driver=_in_turn_under_wsgi, where="thread")
    if ids != ["7", "-"]:
        raise NotYet(
            "keeps-the-last",
            "A thread of a WSGI server served a request with the id '7', and then one without an "
            f"id, and their views saw {ids[0]!r} and {ids[1]!r}. The thread keeps what was set. "
            "What does `with_id_before` set for a request without one?",
        )


def _in_turn_under_wsgi(middleware, variable) -> list[str]:
    """What a view sees of the id, with one and then without, on this thread."""
    from django.http import HttpResponse
    from django.urls import path

    told = path("", lambda _request: HttpResponse(variable.get()))
    application, seen = wsgi_application_behind([middleware], told), []
    for sent in {"HTTP_X_REQUEST_ID": "7"}, {}:
        environ = {"PATH_INFO": "/", "HTTP_HOST": "testserver", **sent}
        setup_testing_defaults(environ)
        response = application(environ, lambda *_: None)
        seen.append(response.content.decode())
        response.close()
    return seen


async def _require_each_its_own(given, variable) -> None:
    from django.urls import path

    async def driver(middleware) -> list[Response]:
        met = asyncio.Barrier(2)

        async def meet(request):
            async with asyncio.timeout(2):
                await met.wait()
            return await _told(variable, request)

        site = site_behind([middleware], path("", meet))
        return await asyncio.gather(*[site.get("/", x_request_id=each) for each in ("7", "8")])

    pages = await given.result_of("with_id", driver=driver)
    for page, wanted in zip(pages, ("7", "8"), strict=True):
        if (page.text, page.headers["x-request-id"]) != (f"{wanted} " * 2 + wanted, wanted):
            raise NotYet(
                "someone-elses",
                f"Two requests were on their way at once, and that with the id {wanted!r} was told "
                f"{page.text!r} and {page.headers['x-request-id']!r}. What do they share?",
            )


@exercise(
    "9.4",
    title="a line below every body",
    names=("closing_time",),
    why=(
        "The mode of the middleware and the kind of the stream are two questions. A wrapper of the "
        "same kind adds its line when the stream has ended, and reads nothing ahead."
    ),
    hints=(
        "A stream has no `content`. Which two attributes of a response tell whether it is one, and "
        "of which kind?",
        "`async for` reads an async stream, and `for` a sync one. Could two generators pass on "
        "what they get, and yield one line more?",
        "Is it `response.streaming_content = later(response.streaming_content)`, where `later` is "
        "an async generator if `response.is_async`, and else a plain one?",
    ),
    errors={
        (AttributeError, "no `content`"): NotYet(
            "content-of-a-stream",
            "The view streamed, and a stream has no `content`. What does it have in its place, and "
            "which attribute of a response tells?",
        ),
        (TypeError, "is not iterable"): NotYet(
            "for-over-async",
            "The stream was an async one, and a plain `for` cannot read it. Which attribute of the "
            "response says so?",
        ),
        (TypeError, "'async for' requires an object with __aiter__"): NotYet(
            "async-for-over-sync",
            "The stream was a sync one, as many an older view returns it, and `async for` cannot "
            "read it. Which attribute of the response says so?",
        ),
        UnicodeError: NotYet(
            "other-bytes",
            "The page was none in UTF-8, and its bytes could not be read as a text. Who says that "
            "they have to be?",
        ),
        (TypeError, "must be an iterable, not async_generator"): NotYet(
            "star-over-async",
            "The stream was an async one, and `*` reads it as a plain `for` does. Which attribute "
            "of the response says so, and what would the list do to a long stream?",
        ),
        **HALVES,
    },
)
async def closing_time(given):
    started: list[str] = []
    for kind, view in _bodies(started).items():
        for place, (above, below) in _places().items():
            started.clear()
            above = [*above, partial(_looks_at_stream, started)]
            call = await _pass(given, "closing_time", view, above, below)
            _require_line(kind, place, call.value, started)
    for kind, view in {"page": _empty_page, "stream": _empty_stream}.items():
        page = (await _pass(given, "closing_time", view)).value
        if page.text != LINE:
            raise NotYet(
                "not-below-nothing",
                f"The view returned an empty {kind}, and the browser got {page.text!r}. To which "
                "pages does `closing_time_before` add its line?",
            )
    for kind, body in OTHER_BODIES.items():
        page = (await _pass(given, "closing_time", partial(_page_of, kind, body))).value
        if page.body != body + LINE.encode():
            raise NotYet(
                "other-bytes",
                f"The view returned {body!r}, of the type {kind}, and the browser got "
                f"{page.body!r}. Does `closing_time_before` ask what a page says, or of which type "
                "it is?",
            )
    for kind, view in _closing_already().items():
        page = (await _pass(given, "closing_time", view)).value
        if page.text != "Emma." + LINE + LINE:
            raise NotYet(
                "once-only",
                f"The view returned {kind} that ends with such a line itself, and the browser got "
                f"{page.text!r}. To which pages does `closing_time_before` add its line?",
            )
    page = (await _pass(given, "closing_time", _missing_page)).value
    if page.text != "Emma is lent." + LINE:
        raise NotYet(
            "good-pages-only",
            f"The view returned a page with the status 404, and the browser got {page.text!r}. To "
            "which pages does `closing_time_before` add its line?",
        )
    await _require_both_halves(given, "closing_time", _page)
    await _require_same_response(given, "closing_time")
    await _require_ends_with_its_visitor(given, "closing_time")
    for view in _broken_bodies():
        args = view, [partial(_looks_at_stream, started)], (), {}
        await require_told(given, "closing_time", *args, driver=_through, what="The stream")
        args = view, [_reads_to_the_failure], (), {}
        page = await given.result_of("closing_time", *args, driver=_through)
        if page.text != "Emma. ":
            raise NotYet(
                "below-a-failure",
                f"The stream failed after 'Emma. ', and {page.text!r} was sent: who sees the line "
                "takes the page for a whole one. Which block runs on every way out, and does the "
                "line belong there?",
            )
    counted = (await _pass(given, "closing_time", _page, (), projects_middleware())).value
    _require_length("It stood above Django's seven", counted)
    file = (await _pass(given, "closing_time", _file)).value
    _require_length("The view streamed a file whose length it had said", file)
    return "A page, a sync stream and an async one, and none was read ahead."


def _require_length(when: str, page: Response) -> None:
    if (said := page.headers.get("content-length")) not in (None, str(len(page.body))):
        raise NotYet(
            "other-length",
            f"{when}, the body has {len(page.body)} bytes, and the header says {said}: a server "
            "cuts it off there, or refuses it. Who has counted the body, and when?",
        )


async def _file(request):
    """What a `FileResponse` says, of a file that needs no thread to be read."""
    page = await _stream(request)
    page["Content-Length"] = len("a page")
    return page


async def _empty_page(request):
    from django.http import HttpResponse

    return HttpResponse()


async def _empty_stream(request):
    from django.http import StreamingHttpResponse

    async def body():
        for part in ():
            yield part

    return StreamingHttpResponse(body())


async def _page_of(kind: str, body: bytes, request):
    from django.http import HttpResponse

    return HttpResponse(body, content_type=kind)


OTHER_BODIES = {
    "text/plain; charset=iso-8859-1": "Die Tür ist zu.".encode("latin-1"),
    "application/json": b'{"title": "Emma"}',
}
"""Bytes that are no UTF-8, and those of a page that is no text, by their types."""


def _closing_already() -> dict[str, Callable]:
    """Views whose bodies have the line already."""
    from django.http import HttpResponse, StreamingHttpResponse

    async def parts():
        yield "Emma."
        yield LINE

    async def plain(request):
        return HttpResponse("Emma." + LINE)

    async def stream(request):
        return StreamingHttpResponse(parts())

    return {"a page": plain, "a stream": stream}


async def _missing_page(request):
    from django.http import HttpResponseNotFound

    return HttpResponseNotFound("Emma is lent.")


LINE = "\nThe library closes at 19:00."


def _bodies(started: list[str]) -> dict[str, Callable]:
    from django.http import HttpResponse, StreamingHttpResponse

    async def plain(request):
        return HttpResponse("Emma. Dracula.")

    def parts():
        for part in "Emma. ", "Dracula.":
            started.append("read")
            yield part

    async def async_parts():
        for part in parts():
            yield part

    def sync_stream(request):
        return StreamingHttpResponse(parts())

    async def async_stream(request):
        return StreamingHttpResponse(async_parts())

    return {
        "an async stream": async_stream,
        "a sync stream": sync_stream,
        "a page": plain,
    }


def _broken_bodies() -> list[Callable]:
    from django.http import StreamingHttpResponse

    def parts():
        yield "Emma. "
        raise Outage

    async def async_parts():
        for part in parts():
            yield part

    def sync_stream(request):
        return StreamingHttpResponse(parts())

    async def async_stream(request):
        return StreamingHttpResponse(async_parts())

    return [sync_stream, async_stream]


def _looks_at_stream(started: list[str], get_response):
    """A middleware right above the reader's: whether the stream has been read when it returns.

    It notes each part that is passed on, and sends a sync stream on as an async one, or Django
    would warn of it.
    """

    async def passed(parts):
        async for part in parts:
            started.append("passed")
            yield part

    def look(response):
        started.append("returned")
        if response.streaming:
            parts = response.streaming_content
            response.streaming_content = passed(parts if response.is_async else _as_async(parts))
        return response

    if iscoroutinefunction(get_response):

        async def middleware(request):
            return look(await get_response(request))
    else:

        def middleware(request):
            return look(get_response(request))

    return middleware


def _reads_to_the_failure(get_response):
    """A middleware right above the reader's: its page is all that comes before a failure."""

    async def middleware(request):
        from django.http import HttpResponse

        response, got = await get_response(request), []
        parts = response.streaming_content
        with suppress(Outage):
            async for part in parts if response.is_async else _as_async(parts):
                got.append(part)
        return HttpResponse(b"".join(got))

    return middleware


_reads_to_the_failure.sync_capable, _reads_to_the_failure.async_capable = False, True


async def _as_async(parts):
    for part in parts:
        yield part


_looks_at_stream.sync_capable = _looks_at_stream.async_capable = True


def _require_line(kind: str, place: str, page: Response, started: list[str]) -> None:
    if started[:1] == ["read"]:
        raise NotYet(
            "reads-ahead",
            f"The view returned {kind}, and your middleware had read it when it returned: the "
            "browser waits for the whole body, and memory holds it. What could pass on each part "
            "as it comes?",
        )
    if started[1:3] == ["read", "read"]:
        raise NotYet(
            "one-behind",
            f"The view returned {kind}, and your middleware asked for its second part before it "
            "passed on the first: the browser waits for a part that is there. What can come below "
            "a loop over the parts, without a look at which one is the last?",
        )
    wanted = f"Emma. Dracula.{LINE}"
    if page.text != wanted:
        raise NotYet(
            "other-body",
            f"It stood {place}, the view returned {kind}, and the browser got {page.text!r}. It "
            f"should be {wanted!r}.",
        )


@exercise(
    "9.5",
    title="members only",
    names=("members_only",),
    why=(
        "The async half awaits `request.auser()`, the sync half opens `request.user`, and neither "
        "calls the view for a guest."
    ),
    hints=(
        "`request.user` looks up a session. In which half may it do that, and what is its twin for "
        "the other one?",
        "In `members_only_before`, a guest never comes to `get_response`. Where does the `if` "
        "stand that keeps a guest away, and what does it ask the user?",
        "Is it `user = await request.auser()` in an `async def`, `request.user` in a plain one, "
        "and `redirect_to_login(request.get_full_path())` for a guest in both?",
    ),
    errors={
        (SynchronousOnlyOperation, in_lazy_user): NotYet(
            "lazy-user",
            "In the async half, `request.user` looked up its session on the loop's thread. What "
            "can be awaited in its place?",
        ),
        (AttributeError, "'coroutine' object has no attribute 'is_authenticated'"): NotYet(
            "forgotten-await",
            "`auser()` gave a coroutine, and you asked that for `is_authenticated`. Which half can "
            "await it, and what does the other one have?",
        ),
        (AttributeError, "is_authenticated"): NotYet(
            "no-user",
            "Something was asked for `is_authenticated` that is no user. What does your half get "
            "from `request`?",
        ),
        **HALVES,
    },
)
async def members_only(given):
    visited: list[str] = []

    async def shelf(request):
        visited.append("view")
        return await _page(request)

    cookie, old = await cookie_of("amara"), await old_cookies()
    for _place, (above, below) in _own_places().items():
        visited.clear()
        guest = {"address": FROM_SHELF}
        page = (await _pass(given, "members_only", shelf, above, below, **guest)).value
        _require_sent_away(page, visited)
        for whose, each in old.items():
            await _pass(given, "members_only", shelf, above, below, **guest, cookie=each)
            if visited:
                raise NotYet(
                    "old-cookie",
                    f"A browser came with the cookie of {whose}, and was let in. Who can tell "
                    "whether somebody stands behind a cookie, or a key in a session?",
                )
        call = await _pass(given, "members_only", shelf, above, below, cookie=cookie)
        require_off_the_pool(call, tables="")
        member = call.value
        if (member.status, member.text) != (200, "a page"):
            raise NotYet(
                "member-sent-away",
                f"Amara is logged in, and got {member.status} {member.text!r}. Who may pass?",
            )
    await _require_all_guests_sent_away(given, shelf, visited)
    for below in (), (_sync_one,):
        own = await cookie_of("amara")
        pages = await given.result_of("members_only", shelf, below, own, driver=_in_turn)
        if [page.status for page in pages[:2]] != [200, 302]:
            raise NotYet(
                "someone-elses",
                "Amara came, then a guest, and their pages had the status "
                f"{pages[0].status} and {pages[1].status}. Django makes one object for all "
                "requests. Whose user is kept there?",
            )
        if pages[2].status == 200:
            raise NotYet(
                "remembers-who",
                "Amara came, her session ended, and her browser came once more with the same "
                "cookie, and was let in. Django makes one object for all requests. What did it "
                "keep of the first one?",
            )
    await _require_no_thread(given, "members_only", shelf)
    above = projects_middleware()
    await _require_ends_with_its_visitor(given, "members_only", above, cookie=cookie)
    for below in (), (_sync_one,):
        args = shelf, projects_middleware(), below, {"cookie": cookie}
        await require_told_of_database(given, "members_only", *args, driver=_through)
    return "Guests go to the login page, members pass, and no thread is held."


async def _in_turn(middleware, view: Callable, below: Sequence, cookie: str) -> list[Response]:
    """What a member gets of one site, then a guest, and the member when the session has ended."""
    from django.urls import path

    site = site_behind([*projects_middleware(), middleware, *below], path(PAGE[1:], view))
    pages = [await site.get(PAGE, cookie=cookie), await site.get(PAGE)]
    await session_of(cookie).aflush()
    return [*pages, await site.get(PAGE, cookie=cookie)]


def _own_places() -> dict[str, tuple[Sequence, Sequence]]:
    """Places below the middleware that puts the user at the request."""
    return {
        "last": (projects_middleware(), ()),
        "above a sync one": (projects_middleware(), (_sync_one,)),
        "below a sync one": ((_sync_one, *projects_middleware()), ()),
    }


def _require_sent_away(page: Response, visited: list[str]) -> None:
    if visited:
        raise NotYet(
            "too-late",
            "A guest came, and the view was called before anybody asked who it is. What has to "
            "come first?",
        )
    to = page.headers.get("location", "")
    if page.status == 302:
        require_whole_way_back(to)
    is_to_login = urlsplit(to).path == "/accounts/login/"
    if page.status != 302 or not is_to_login or way_back(to) != FROM_SHELF:
        raise NotYet(
            "other-answer",
            f"A guest got the status {page.status}, and was sent to "
            f"{page.headers.get('location')!r}. `redirect_to_login` leads back to the page.",
        )


async def _require_all_guests_sent_away(given, view: Callable, visited: list[str]) -> None:
    """Require that a guest is sent away whatever the method, and where no view is."""
    for method in "POST", "HEAD", "OPTIONS":
        visited.clear()
        above = projects_middleware()
        page = (await _pass(given, "members_only", view, above, method=method)).value
        if visited or page.status != 302:
            raise NotYet(
                "some-methods",
                f"A guest came with {method}, and got the status {page.status}. For which methods "
                "does `members_only_before` ask who it is?",
            )
    above = projects_middleware()
    page = (await _pass(given, "members_only", view, above, address="/nothing/")).value
    if page.status != 302:
        raise NotYet(
            "where-a-view-is",
            f"A guest asked for an address that has no view, and got the status {page.status}. "
            "`members_only_before` sends a guest to log in before anybody looks for a view. When "
            "does your middleware ask?",
        )


async def _require_no_thread(given, name: str, view: Callable) -> None:
    call = await _pass(given, name, view, projects_middleware(), cookie=await cookie_of("amara"))
    if _waits(call):
        raise NotYet(
            "still-sync",
            "Right above an async view it ran on the request's worker, which waited for the view. "
            "Django takes a middleware for a sync one as long as it says nothing else. What says "
            "that it serves both?",
        )


@exercise(
    "9.6",
    title="a middleware that crashes in one order only",
    names=("DeskHeaders",),
    why=(
        "It marks itself where it is async, has a half for each mode, keeps what belongs to a "
        "request in a local name, and leaves the body of a stream alone."
    ),
    hints=(
        "It works as the outermost one, above an async view. What does a middleware above it see "
        "of an object whose `__call__` is async?",
        "Its flags say that it serves both, and it has one half. And how many requests share one "
        "object, with its `self`, at the same time?",
        "Is it `markcoroutinefunction(self)` in `__init__`, `acall` and a sync half, a local `id`, "
        "and `if not response.streaming:` above `Content-Length`?",
    ),
    errors={
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "In the async half, a sync query ran on the loop's thread. Which method can be "
            "awaited?",
        ),
        (AttributeError, "no `content`"): NotYet(
            "content-of-a-stream",
            "The view streamed, and a stream has no `content`, and no length that is known "
            "before. Which attribute of a response tells?",
        ),
        **HALVES,
    },
)
async def desk_headers(given):
    loans = str(await open_loans().acount())
    for place, (above, below) in _places().items():
        for view, is_stream in (_page, False), (_stream, True):
            sent = {"x_request_id": "7"}
            page = (await _pass(given, "DeskHeaders", view, above, below, sent=sent)).value
            _require_headers(place, page, loans, is_stream)
    looking = [partial(_looks_at_stream, [])]
    call = await _pass(given, "DeskHeaders", _sync_stream, looking, sent={"x_request_id": "7"})
    _require_headers("alone", call.value, loans, is_stream=True)
    call = await _pass(given, "DeskHeaders", _page_with_headers, sent={"x_request_id": "7"})
    what = "a page that had the three headers already"
    _require_headers("alone", call.value, loans, is_stream=False, what=what)
    call = await _pass(given, "DeskHeaders", _page)
    require_off_the_pool(call)
    plain = call.value
    if plain.headers["x-request-id"] != "-":
        raise NotYet(
            "no-id",
            f"A request without an id got {plain.headers['x-request-id']!r} back. What does "
            "`DeskHeadersBefore` say then?",
        )
    umlauts = (await _pass(given, "DeskHeaders", _page_of_umlauts)).value
    if umlauts.headers.get("content-length") != str(len(umlauts.body)):
        raise NotYet(
            "counts-letters",
            f"The page was {umlauts.text!r}, {len(umlauts.body)} bytes in UTF-8, and "
            f"Content-Length is {umlauts.headers.get('content-length')!r}: the browser would cut "
            "the page off, or wait for more. What is counted?",
        )
    await _require_own_ids(given)
    for below in (), (_sync_one,):
        numbers = await given.result_of("DeskHeaders", below, driver=_numbers_of_loans)
        if numbers[0] == numbers[1]:
            raise NotYet(
                "counts-once",
                f"Between two requests a book was lent, and X-Loans was {numbers[0]!r} both times. "
                "Django makes one object for all requests. When does it count?",
            )
    for below in (), (_sync_one,):
        await _require_counted_afterwards(given, below)
    await _require_both_halves(given, "DeskHeaders", _page, hops=1)
    await _require_same_response(given, "DeskHeaders")
    await _require_ends_with_its_visitor(given, "DeskHeaders")
    for below in (), (_sync_one,):
        args = _page, (), below, {}
        await require_told_of_database(given, "DeskHeaders", *args, driver=_through)
    return "Any place, both kinds of bodies, and each request its own id."


def _require_headers(
    place: str, page: Response, loans: str, is_stream: bool, what: str = ""
) -> None:
    what = what or ("a stream" if is_stream else "a page")
    asked = f"It stood {place}, and the view returned {what}."
    if (page.status, page.text) != (200, "a page"):
        raise NotYet("other-page", f"{asked} The browser got {page.status} {page.text!r}.")
    wanted = {"X-Request-ID": "7", "X-Loans": loans}
    found = {name: page.headers.get(name.lower()) for name in wanted}
    wrong = [
        f"{name} is {found[name]!r} and should be {wanted[name]!r}"
        for name in wanted
        if found[name] != wanted[name]
    ]
    if wrong:
        raise NotYet("other-headers", f"{asked} {'; '.join(wrong)}.")
    length = None if is_stream else str(len("a page"))
    if page.headers.get("content-length") != length:
        raise NotYet(
            "other-length",
            f"{asked} Content-Length is {page.headers.get('content-length')!r} and should be "
            f"{length!r}.",
        )


async def _page_with_headers(request):
    from django.http import HttpResponse

    others = {"X-Request-ID": "6", "X-Loans": "0", "Content-Length": "1"}
    return HttpResponse("a page", headers=others)


async def _page_of_umlauts(request):
    from django.http import HttpResponse

    return HttpResponse("Die Tür ist zu.")


async def _numbers_of_loans(middleware: Callable, below: Sequence) -> list[str | None]:
    """What X-Loans says of two requests, between which a book is lent."""
    from django.urls import path

    site, numbers = site_behind([middleware, *below], path("", _page)), []
    for _ in range(2):
        numbers.append((await site.get("/")).headers.get("x-loans"))
        await _lend_one()
    return numbers


async def _require_counted_afterwards(given, below: Sequence) -> None:
    before = await open_loans().acount()
    page = (await _pass(given, "DeskHeaders", _lending, (), below)).value
    if page.headers.get("x-loans") != str(before + 1):
        raise NotYet(
            "counts-too-early",
            f"{before} books were out, the view lent one more, and X-Loans was "
            f"{page.headers.get('x-loans')!r}. On which side of the view does "
            "`DeskHeadersBefore` count?",
        )


async def _lending(request):
    await _lend_one()
    return await _page(request)


async def _lend_one() -> None:
    from library.models import Loan, Member

    book, member = await free_books().afirst(), await Member.objects.afirst()
    await Loan.objects.acreate(book=book, member=member, borrowed=DAY, due=DAY)


async def _require_own_ids(given) -> None:
    from django.urls import path

    async def driver(middleware) -> list[Response]:
        met = asyncio.Barrier(2)

        async def meet(request):
            async with asyncio.timeout(2):
                await met.wait()
            return await _page(request)

        site = site_behind([middleware], path("", meet))
        return await asyncio.gather(*[site.get("/", x_request_id=each) for each in ("7", "8")])

    pages = await given.result_of("DeskHeaders", driver=driver)
    if [page.headers.get("x-request-id") for page in pages] != ["7", "8"]:
        raise NotYet(
            "someone-elses",
            "Two requests were on their way at once, with the ids '7' and '8', and got "
            f"{[page.headers.get('x-request-id') for page in pages]} back. Django makes one object "
            "for all requests. Where did the first id go?",
        )
