"""A slow service for views to ask: a real HTTP server that takes its time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Lock

from .service import QuietHandler, Service


class SlowService(Service):
    """A real HTTP server on this machine that takes its time over each answer, at `url`.

    It waits, as a service does that waits for its own database. Several requests wait at once, each
    on a thread of the server's. The server ends when nothing refers to it any more, or with the
    kernel.

    Args:
        answer: the text of every response.
        seconds: how long each response takes. It can be set anew, for the requests that follow.
        status: of every response.
        keep_alive: whether a connection stays open for its client's next request.

    `asked` counts the requests, `busiest` how many of them waited at once at most, and
    `connections` those that clients have opened.

    Raises:
        ValueError: `seconds` is negative.
    """

    def __init__(self, answer: str, seconds: float, *, status: int = 200, keep_alive: bool = False):
        self._visitors = _Visitors()
        self.seconds = seconds
        protocol = "HTTP/1.1" if keep_alive else "HTTP/1.0"
        super().__init__(partial(_SlowAnswer, answer.encode(), status, protocol, self._visitors))

    @property
    def seconds(self) -> float:
        return self._visitors.seconds

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError(f"A service takes 0 seconds or more; got {seconds}.")
        self._visitors.seconds = seconds

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
    """What a service and its threads share; so the threads do not hold the service itself.

    `seconds` is how long each visitor waits; the rest are counts.
    """

    def __init__(self):
        self.seconds = 0.0
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


class _SlowAnswer(QuietHandler):
    def __init__(
        self,
        answer: bytes,
        status: int,
        protocol: str,
        visitors: _Visitors,
        *connection: object,
    ):
        self._answer, self._status = answer, status
        self.protocol_version, self._visitors = protocol, visitors
        visitors.came_in()
        with suppress(ConnectionError):  # a client that keeps its connection may break it
            super().__init__(*connection)  # this answers the requests

    def do_GET(self):
        with self._visitors.waiting():
            time.sleep(self._visitors.seconds)
        with suppress(ConnectionError):  # the client did not wait for it
            self.send_response(self._status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(self._answer)))
            self.end_headers()
            self.wfile.write(self._answer)
