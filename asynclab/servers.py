"""Django's own ASGI handler around views that a cell has written."""

from dataclasses import dataclass

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
        client = ApplicationCommunicator(self.application, _scope(path, headers))
        await client.send_input({"type": "http.request"})
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


def _scope(path: str, headers: dict[str, str]) -> dict:
    path, _, query = path.partition("?")
    sent = {"host": "testserver"} | {name.replace("_", "-"): v for name, v in headers.items()}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
    }
