"""A view behind Django's own ASGI handler: what a browser gets of it, and what goes wrong there."""

import asyncio
import importlib
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from urllib.parse import parse_qs, urlencode, urlsplit
from wsgiref.util import setup_testing_defaults

from asgiref.sync import iscoroutinefunction

from ...exercises.book import NotYet, Raised
from ...exercises.given import Given
from ...exercises.lineage import is_beside
from ...servers import Response, Site
from ...servers.site import scope
from .requests import user_called

PAGE = "/page/"
"""Where a view is served."""

FORM = "application/x-www-form-urlencoded"
LOGGERS = (
    *("django.request", "django.security.csrf"),
    *("httpx", "httpcore.connection", "httpcore.http11"),
)
"""Where requests are reported: those to Django that are no success, and all of a client's."""
TOKEN = "t" * 32
"""What a browser sends twice, so that CsrfViewMiddleware lets its forms pass."""


def _in_middleware(raised: Raised) -> bool:
    """Whether it rose where the first middleware got what the view had returned."""
    return bool(raised.path) and raised.path[-1][0].startswith("django.middleware.")


def _in_handler(raised: Raised) -> bool:
    """Whether Django's handler itself asked asgiref for what was refused."""
    modules = [module for module, _ in raised.path if not module.startswith("asgiref.")]
    return bool(modules) and modules[-1].startswith("django.core.handlers.")


class ReturnedCoroutine(ValueError):
    """Django awaited an async view, and what it returned was one more coroutine."""


NO_RESPONSE = {
    ReturnedCoroutine: NotYet(
        "forgotten-await",
        "Django awaited the view, and the view itself returned a coroutine: it handed on what a "
        "call of an `async def` gave. Which `return` lacks its `await`?",
    ),
    (TypeError, "can only be applied to sync functions", _in_handler): NotYet(
        "hidden-async",
        "Django took the view for a sync one: an object does not say by itself that its `__call__` "
        "is async. Which function of asgiref marks it?",
    ),
    (ValueError, "unawaited coroutine"): NotYet(
        "hidden-async",
        "Django took the view for a sync one, called it on the worker, and got a coroutine: "
        '"It returned an unawaited coroutine instead." What tells Django that a call of it has to '
        "be awaited?",
    ),
    (ValueError, "returned None"): NotYet(
        "no-response",
        "The view ended without a response: it returned None. Which of its ways out has no "
        "`return`?",
    ),
    (AttributeError, _in_middleware): NotYet(
        "no-response",
        "The view returned something that is no response, and the first middleware tripped over "
        "it. Which class makes a response of a text?",
    ),
}
"""What Django's handler says of what a view has returned."""


AT_ONCE = -1
"""When a reader leaves who does not wait for the first part."""


class Reader:
    """The client's side of one request, as Django's handler sees it; see `read`.

    `parts` are the texts that came, `seen` what `look` returned at each, `status` and `headers` are
    the response's. `gave_up` says whether the reader has waited in vain, `ended` whether the end of
    the answer was sent: not so if the body of one who has left lets its cancellation pass.
    """

    def __init__(
        self,
        leave_after: int,
        patience: float | None,
        look: Callable[[], object],
        take: Callable[[str], Awaitable],
        started: Callable[[], object],
    ):
        self.status, self.headers, self.parts, self.seen = 0, {}, [], []
        self.gave_up = self.ended = False
        self._leave_after, self._patience = leave_after, patience
        self._look, self._take, self._started = look, take, started
        self._asked, self._left = False, asyncio.Event()

    async def receive(self) -> dict:
        if not self._asked:
            self._asked = True
            return {"type": "http.request"}
        try:
            await asyncio.wait_for(self._left.wait(), self._patience)
        except TimeoutError:
            self.gave_up = True
        return {"type": "http.disconnect"}

    async def send(self, message: dict) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode().lower(): value.decode() for name, value in message["headers"]
            }
            self._started()
            if self._leave_after == AT_ONCE:
                self._left.set()
                await asyncio.get_running_loop().create_future()  # until it is cancelled
        else:
            self.ended = not message.get("more_body", False)
        if part := message.get("body"):
            self.parts.append(part.decode())
            self.seen.append(self._look())
            if len(self.parts) == self._leave_after > 0:
                self._left.set()
            await self._take(part.decode())


async def visit(
    view: Callable,
    *,
    method: str = "GET",
    address: str = PAGE,
    regex: str = "",
    cookie: str = "",
    form: dict[str, str] | None = None,
    token: bool = True,
    sent: dict[str, str] | None = None,
    middleware: Sequence | None = None,
    **given,
) -> Response:
    """What a browser gets of a view; what is wrong with the view is raised here.

    The view stands in a URLconf as it is: Django's handler decides whether it is async. A class of
    views is asked for its view.

    Args:
        method: of the request.
        address: what the browser asks for, with its query.
        regex: the address as a regular expression, whose groups the view gets by their places.
        cookie: what the browser sends, such as `cookie_of` gives.
        form: the fields of a form that is sent.
        token: whether the browser sends the token of a form.
        sent: further headers of the request, by their names, with `_` for `-`.
        middleware: what the view stands behind, from the outermost, in the place of the project's:
            factories, or dotted names.
        given: arguments of the view beside the request.

    Raises:
        Exception: what the view has raised, or the handler because of it; but for those of which
            Django makes a page, as `Http404`.
    """
    from django.urls import path, re_path

    view = _view_of(view)
    pattern = re_path(regex, view, given) if regex else path(PAGE[1:], view, given)
    body = urlencode(form or {}).encode()
    headers = {"cookie": cookie, "content_type": FORM, "content_length": str(len(body))}
    if token:
        headers |= {"x_csrftoken": TOKEN, "cookie": f"csrftoken={TOKEN}; {cookie}"}
    headers |= sent or {}
    with _raising_errors(view, pattern):
        site = site_behind(projects_middleware() if middleware is None else middleware, pattern)
        return await site.send(method, address, body, **headers)


async def _at_once(_part: str) -> None:
    """How a part is taken that nothing waits for."""


async def read(
    view: Callable,
    *,
    leave_after: int = 0,
    patience: float | None = None,
    look: Callable[[], object] = int,
    take: Callable[[str], Awaitable] = _at_once,
    started: Callable[[], object] = int,
    **given,
) -> Reader:
    """Read what a view sends, part by part; what is wrong with the view is raised here.

    Args:
        leave_after: after so many parts the reader hangs up; 0 reads to the end, AT_ONCE hangs up
            when the response has begun, and its body has not.
        patience: the seconds after which a reader hangs up who still waits; None never does.
        look: is called at each part; the reader keeps what it returns.
        take: is awaited with each part, and the next one is not sent before it returns.
        started: is called when the response has begun, before its body.
        given: arguments of the view beside the request.

    Raises:
        Exception: what the view or its body has raised, before the reader gave up.
    """
    from django.urls import path

    view = _view_of(view)
    pattern = path(PAGE[1:], view, given)
    reader = Reader(leave_after, patience, look, take, started)
    try:
        with _raising_errors(view, pattern):
            await Site(pattern).application(scope("GET", PAGE, {}), reader.receive, reader.send)
    except Exception:
        if not reader.gave_up:
            raise
    return reader


@contextmanager
def _raising_errors(view: Callable, pattern: object) -> Iterator[None]:
    """Raise what ends a request to the site of that pattern, in the place of what came of it."""
    with _quiet(), _noting_errors(pattern) as errors, _noting_errors_of_bodies(errors):
        try:
            yield
        except Exception:
            if not errors:  # else it is what came of the first one
                raise
    if errors:
        raise _as_of(view, errors[0])


def visit_under_wsgi(view: Callable, **given) -> Response:
    """What a browser gets of a view from a WSGI server, on whose thread this is called.

    Args:
        given: arguments of the view beside the request.

    Raises:
        Exception: as `visit`.
    """
    from django.urls import path

    pattern = path(PAGE[1:], view, given)
    environ = {"PATH_INFO": PAGE, "HTTP_HOST": "testserver"}
    setup_testing_defaults(environ)
    with _quiet(), _noting_errors(pattern) as errors:
        response = Site(pattern).wsgi_application(environ, lambda *_: None)
        response.close()
    if errors:
        raise _as_of(view, errors[0])
    return Response(response.status_code, {}, response.content)


def projects_middleware() -> list[str]:
    """The project's, as its module of settings says, whatever has become of `settings` since."""
    from django.conf import ENVIRONMENT_VARIABLE

    return list(importlib.import_module(os.environ[ENVIRONMENT_VARIABLE]).MIDDLEWARE)


def site_behind(middleware: Sequence, pattern: object) -> Site:
    """A site behind other middleware than the project's.

    Args:
        middleware: factories or dotted names, from the outermost.
        pattern: its URL.
    """
    from django.test import override_settings

    with _named(middleware) as names, override_settings(MIDDLEWARE=names):
        return Site(pattern)


def wsgi_application_behind(middleware: Sequence, pattern: object) -> Callable:
    """The same site, as a WSGI server is given it."""
    from django.test import override_settings

    with _named(middleware) as names, override_settings(MIDDLEWARE=names):
        return Site(pattern).wsgi_application


@contextmanager
def _named(middleware: Sequence) -> Iterator[list[str]]:
    """Dotted names for factories, as long as the block lasts."""
    module = ModuleType(f"{__name__}.stack")
    names = []
    for place, each in enumerate(middleware):
        vars(module)[f"at_{place}"] = each
        names.append(each if isinstance(each, str) else f"{module.__name__}.at_{place}")
    sys.modules[module.__name__] = module
    try:
        yield names
    finally:
        del sys.modules[module.__name__]


def _as_of(view: Callable, error: BaseException) -> BaseException:
    """The error, told apart where Django words it alike for sync and async views."""
    if "unawaited coroutine" in str(error) and iscoroutinefunction(view):
        return ReturnedCoroutine(*error.args)
    return error


def _view_of(view: Callable) -> Callable:
    return view.as_view() if hasattr(view, "as_view") else view


async def cookie_of(username: str) -> str:
    """The cookie of a browser in which that user is logged in."""
    from django.conf import settings
    from django.test import AsyncClient

    client, user = AsyncClient(), await user_called(username)
    await client.aforce_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


async def old_cookies() -> dict[str, str]:
    """Cookies of browsers in which nobody is logged in any more, by whose they are."""
    from django.contrib.auth.models import User

    ended, deleted = await cookie_of("d.weiss"), await cookie_of("evelina")
    await session_of(ended).aflush()
    await User.objects.filter(username="evelina").adelete()
    return {"a session that has ended": ended, "a user who was deleted": deleted}


FROM_SHELF = f"{PAGE}?from=shelf&row=2"
"""What a guest asks for who is to log in first, and to come back there."""


def way_back(location: str) -> str:
    """Where the login page that a redirect leads to sends a browser in the end."""
    (back,) = parse_qs(urlsplit(location).query).get("next", [""])
    return back


def require_whole_way_back(location: str) -> None:
    """Require that a guest who asked for FROM_SHELF comes back to all of it.

    Args:
        location: where the guest was sent.

    Raises:
        NotYet: "unquoted", "loses-the-query".
    """
    if location.endswith(f"={FROM_SHELF}"):
        raise NotYet(
            "unquoted",
            f"A guest asked for {FROM_SHELF!r}, and was sent to {location!r}, where `&row=2` is "
            "said to the login page itself. What does `redirect_to_login` make of such an address?",
        )
    back = way_back(location)
    if back and not back.endswith(FROM_SHELF):
        raise NotYet(
            "loses-the-query",
            f"A guest asked for {FROM_SHELF!r}, and after the login the way leads back to "
            f"{back!r}. Which method of a request gives the whole of what was asked for?",
        )


def session_of(cookie: str) -> object:
    """The session that a cookie stands for, as it is in the database."""
    from django.contrib.sessions.backends.db import SessionStore

    return SessionStore(cookie.partition("=")[2])


def require_async_view(given: Given, name: str) -> None:
    """Require that Django takes a view for an async one.

    Raises:
        NotYet: "still-sync".
    """
    view = given.value(name)
    if not iscoroutinefunction(_view_of(view)):
        what = (
            "its handlers, if they are to run" if hasattr(view, "as_view") else "a view that runs"
        )
        raise NotYet(
            "still-sync",
            f"The page is right, and `{name}` is a sync view: Django sends it to the worker as a "
            f"whole, and a thread is busy with it until it ends. Which two words begin {what} on "
            "the loop?",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Let nothing be logged of the requests in the block: each 404 would be shown."""

    def is_others(_record: logging.LogRecord) -> bool:
        return is_beside()

    loggers = [logging.getLogger(name) for name in LOGGERS]
    for each in loggers:
        each.addFilter(is_others)
    try:
        yield
    finally:
        for each in loggers:
            each.removeFilter(is_others)


class _NoReport:
    """In the place of Django's page for developers, which shows the values of all variables."""

    def __init__(self, *_args, **_options):
        pass

    def get_traceback_html(self) -> str:
        return ""

    get_traceback_text = get_traceback_html


@contextmanager
def _noting_errors(pattern: object) -> Iterator[list[BaseException]]:
    """Note what ends a request to the site of that pattern, and is no answer of the view's."""
    from django.core.signals import got_request_exception

    errors = []

    def note(request, **_):
        if pattern in getattr(getattr(request, "urlconf", None), "urlpatterns", ()):
            errors.append(sys.exc_info()[1])
            request.exception_reporter_class = _NoReport

    got_request_exception.connect(note)
    try:
        yield errors
    finally:
        got_request_exception.disconnect(note)


SECOND_TRY = "StreamingHttpResponse must consume synchronous iterators"
"""What Django warns of before it goes through a body as a sync one."""


@contextmanager
def _noting_errors_of_bodies(errors: list[BaseException]) -> Iterator[None]:
    """Add the TypeErrors that async bodies raise in the block.

    Django takes any TypeError for one of a sync iterator: it warns, and tries the body once more.
    What that raises says nothing of the first, and is all that is raised.
    """

    def note(message, *place, **more):
        error = sys.exc_info()[1]
        if SECOND_TRY in str(message) and _is_of_body(error) and not is_beside():
            errors.append(error)
        else:
            show(message, *place, **more)

    with warnings.catch_warnings():
        show, warnings.showwarning = warnings.showwarning, note
        warnings.filterwarnings("always", SECOND_TRY)
        yield


def _is_of_body(error: BaseException | None) -> bool:
    """Whether it came from further in than the loop in which Django asks for the parts."""
    frames = [frame for frame, _ in traceback.walk_tb(error and error.__traceback__)]
    return len(frames) > 1
