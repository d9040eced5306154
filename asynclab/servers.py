"""Django's own ASGI handler around views that a cell has written; slow services for them to ask."""

import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Lock, Thread

from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.urls import URLPattern, URLResolver

SECONDS = 30
"""How long one response may take."""


@dataclass(frozen=True)
class Response:
    """What the handler sent: the status, the headers by their lower-case names, the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Site:
    """The project with URLs of the notebook's own: `Site(path("books/", book_list))`.

    Requests pass through the ASGI handler and the middleware that a server would run, each request
    in a task and a `ThreadSensitiveContext` of its own; only the socket is left out. The handler
    reads `settings.MIDDLEWARE` once, when the site is made.

    Args:
        patterns: what stands in a URLconf's `urlpatterns`; at least one.

    Raises:
        TypeError: one of them is no pattern.
    """

    def __init__(self, *patterns: URLPattern | URLResolver):
        for pattern in patterns:
            if not isinstance(pattern, URLPattern | URLResolver):
                raise TypeError(f'Write Site(path("books/", view)): {pattern!r} is no URL pattern.')
        if not patterns:
            raise TypeError('A site needs a URL: Site(path("books/", view)).')
        self.application = _Handler(patterns)

    async def get(self, path: str, **headers: str) -> Response:
        """Send one GET request, and return the whole response.

        Args:
            path: path and query, such as "/books/?year=1847".
            headers: by their names, with `_` for `-`: `x_request_id="7"`.

        Raises:
            TimeoutError: there was no response within SECONDS.
        """
        return await self.send("GET", path, **headers)

    async def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        """Send one request of any method, with a body; see `get`."""
        client = ApplicationCommunicator(self.application, _scope(method, path, headers))
        await client.send_input({"type": "http.request", "body": body})
        start = await client.receive_output(SECONDS)
        body, more = b"", True
        while more:
            chunk = await client.receive_output(SECONDS)
            body += chunk.get("body", b"")
            more = chunk.get("more_body", False)
        await client.wait(SECONDS)
        received = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Response(start["status"], received, body)


class _Handler(ASGIHandler):
    """The handler of `get_asgi_application()`; each request brings its URLconf along.

    https://docs.djangoproject.com/en/stable/ref/request-response/#django.http.HttpRequest.urlconf
    """

    def __init__(self, patterns: tuple):
        super().__init__()
        self._patterns = patterns

    def create_request(self, scope, body_file):
        request, error = super().create_request(scope, body_file)
        if request is not None:
            request.urlconf = self._patterns
        return request, error


def _scope(method: str, path: str, headers: dict[str, str]) -> dict:
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


class SlowService:
    """A real HTTP server on this machine that takes its time over each answer, at `url`.

    It waits, as a service does that waits for its own database. Several requests wait at once, each
    on a thread of the server's. The server ends when nothing refers to it any more, or with the
    kernel.

    Args:
        answer: the text of every response.
        seconds: how long each response takes.
        status: of every response.
        keep_alive: whether a connection stays open for its client's next request.

    `asked` counts the requests, `busiest` how many of them waited at once at most, and
    `connections` those that clients have opened.

    Raises:
        ValueError: `seconds` is negative.
    """

    def __init__(self, answer: str, seconds: float, *, status: int = 200, keep_alive: bool = False):
        if seconds < 0:
            raise ValueError(f"A service takes 0 seconds or more; got {seconds}.")
        self._visitors = _Visitors()
        protocol = "HTTP/1.1" if keep_alive else "HTTP/1.0"
        handler = partial(_SlowAnswer, answer.encode(), seconds, status, protocol, self._visitors)
        server = _Server(("127.0.0.1", 0), handler)
        self.url = "http://{}:{}/".format(*server.server_address)
        Thread(target=_serve, args=[server], daemon=True).start()
        # Whoever drops the last reference must not wait until the server has noticed.
        end = Thread(target=server.shutdown, daemon=True)
        weakref.finalize(self, end.start).atexit = False

    @property
    def asked(self) -> int:
        return self._visitors.asked

    @property
    def busiest(self) -> int:
        return self._visitors.busiest

    @property
    def connections(self) -> int:
        return self._visitors.connections


class _Visitors:
    """The counts of a service; its threads hold them, and so do not hold the service."""

    def __init__(self):
        self.asked = self.busiest = self.connections = self._here = 0
        self._counting = Lock()

    def came_in(self) -> None:
        with self._counting:
            self.connections += 1

    @contextmanager
    def waiting(self) -> Iterator[None]:
        with self._counting:
            self.asked += 1
            self._here += 1
            self.busiest = max(self.busiest, self._here)
        try:
            yield
        finally:
            with self._counting:
                self._here -= 1


class _Server(ThreadingTCPServer):
    """Skips the step in which http.server looks up this machine's name: that may need a network."""

    daemon_threads = True
    request_queue_size = 100


class _SlowAnswer(BaseHTTPRequestHandler):
    def __init__(
        self,
        answer: bytes,
        seconds: float,
        status: int,
        protocol: str,
        visitors: _Visitors,
        *connection: object,
    ):
        self._answer, self._seconds, self._status = answer, seconds, status
        self.protocol_version, self._visitors = protocol, visitors
        visitors.came_in()
        with suppress(ConnectionError):  # a client that keeps its connection may break it
            super().__init__(*connection)  # this answers the requests

    def do_GET(self):
        with self._visitors.waiting():
            time.sleep(self._seconds)
        with suppress(ConnectionError):  # the client did not wait for it
            self.send_response(self._status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(self._answer)))
            self.end_headers()
            self.wfile.write(self._answer)

    def log_message(self, *_line: object) -> None:
        """Keep the log of requests out of the cells."""


def _serve(server: _Server) -> None:
    with server:
        server.serve_forever()
