"""Django's own handlers around views that a cell has written."""

from collections.abc import Callable

from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.urls import URLPattern, URLResolver

from .in_kernel import AsgiServer, WsgiServer
from .response import Response

SECONDS = 30
"""How long one response may take."""


class Site:
    """The project with URLs of the notebook's own: `Site(path("books/", book_list))`.

    Requests pass through the ASGI handler and the middleware that a server would run, each request
    in a task and a `ThreadSensitiveContext` of its own; only the socket is left out. The handler
    reads `settings.MIDDLEWARE` once, when the site is made.

    Args:
        patterns: what stands in a URLconf's `urlpatterns`; at least one.
        handler500: the view of its error page, as a URLconf names it; Django's own if left out.

    Raises:
        TypeError: one of them is no pattern.
    """

    def __init__(self, *patterns: URLPattern | URLResolver, handler500: Callable | None = None):
        for pattern in patterns:
            if not isinstance(pattern, URLPattern | URLResolver):
                raise TypeError(f'Write Site(path("books/", view)): {pattern!r} is no URL pattern.')
        if not patterns:
            raise TypeError('A site needs a URL: Site(path("books/", view)).')
        self._urlconf = _Urlconf(patterns, handler500)
        self.application = _Handler(self._urlconf)

    def serve(self, interface: str = "asgi") -> AsgiServer | WsgiServer:
        """Serve the site on a free port of this machine, from inside this kernel, for a `with`.

            with site.serve() as server:
                await visit(server.url + "books/")

        Args:
            interface: "asgi" for uvicorn, on a thread with an event loop of its own; "wsgi" for the
                threaded server that `runserver` uses, with a handler made now.

        Raises:
            ValueError: `interface` is neither.
        """
        if interface == "asgi":
            return AsgiServer(self.application)
        if interface == "wsgi":
            return WsgiServer(self.wsgi_application)
        raise ValueError(f'Write serve("asgi") or serve("wsgi"); got {interface!r}.')

    @property
    def wsgi_application(self) -> WSGIHandler:
        """The site as a WSGI server is given it; it reads `settings.MIDDLEWARE` now."""
        return _WsgiHandler(self._urlconf)

    async def get(self, path: str, **headers: str) -> Response:
        """Send one GET request, and return the whole response.

        Args:
            path: path and query, such as "/books/?year=1847".
            headers: by their names, with `_` for `-`: `x_request_id="7"`.

        Raises:
            TimeoutError: there was no response within SECONDS.
            Exception: what the handler itself raises, as a wrong middleware may make it.
        """
        return await self.send("GET", path, **headers)

    async def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        """Send one request of any method, with a body; see `get`."""
        client = ApplicationCommunicator(self.application, scope(method, path, headers))
        await client.send_input({"type": "http.request", "body": body})
        # An application that fails sends nothing, and would be waited for until SECONDS are over.
        client.future.add_done_callback(lambda _ended: client.output_queue.put_nowait({}))
        start = await _sent_by(client)
        body, more = b"", True
        while more:
            chunk = await _sent_by(client)
            body += chunk.get("body", b"")
            more = chunk.get("more_body", False)
        await client.wait(SECONDS)
        received = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Response(start["status"], received, body)


async def _sent_by(client: ApplicationCommunicator) -> dict:
    """The next message of the application; what it raised, if it ended before it sent any."""
    message = await client.receive_output(SECONDS)
    if not message:
        client.future.result()
    return message


class _Urlconf:
    """What Django looks for in a URLconf; it takes any object that can be hashed."""

    def __init__(self, patterns: tuple, handler500: Callable | None):
        self.urlpatterns = list(patterns)
        if handler500:
            self.handler500 = handler500


class _Handler(ASGIHandler):
    """The handler of `get_asgi_application()`; each request brings its URLconf along.

    https://docs.djangoproject.com/en/stable/ref/request-response/#django.http.HttpRequest.urlconf
    """

    def __init__(self, urlconf: "_Urlconf"):
        super().__init__()
        self._urlconf = urlconf

    def create_request(self, scope, body_file):
        request, error = super().create_request(scope, body_file)
        if request is not None:
            request.urlconf = self._urlconf
        return request, error


class _WsgiHandler(WSGIHandler):
    """The handler of `get_wsgi_application()`; each request brings its URLconf along."""

    def __init__(self, urlconf: "_Urlconf"):
        super().__init__()
        self._urlconf = urlconf

    def get_response(self, request):
        request.urlconf = self._urlconf
        return super().get_response(request)


def scope(method: str, path: str, headers: dict[str, str]) -> dict:
    """What an ASGI server tells the application of a request."""
    path, _, query = path.partition("?")
    sent = {"host": "testserver"} | {name.replace("_", "-"): v for name, v in headers.items()}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
    }
