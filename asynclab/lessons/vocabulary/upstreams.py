"""Services that a view asks: real HTTP servers on this machine, and a client for them."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

import httpx


class _Service(ThreadingTCPServer):
    """Answers each request on a thread of its own with what `answer` returns: a status and a text.

    Unlike http.server's own, it does not look up this machine's name: that may need a network.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 100

    def __init__(self, answer: Callable[[], tuple]):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.answer = answer
        self.url = "http://{}:{}/".format(*self.server_address)

    def handle_error(self, *_connection: object) -> None:
        """Keep connections that were broken off out of the cells."""


class _Answer(BaseHTTPRequestHandler):
    timeout = 30  # Seconds, whatever the reader has set for all sockets.

    def do_GET(self) -> None:
        status, text = self.server.answer()
        with suppress(OSError):  # Whoever asked may have gone.
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            for piece in [text] if isinstance(text, str) else text:
                self.wfile.write(piece.encode())

    def log_message(self, *_line: object) -> None:
        """Keep the log of requests out of the cells."""


@contextmanager
def _serving(answer: Callable[[], tuple]) -> Iterator[str]:
    with _Service(answer) as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield service.url
        finally:
            service.shutdown()
            thread.join()


@contextmanager
def upstreams(answers: dict[str, Callable[[], tuple]]) -> Iterator[dict[str, str]]:
    """The addresses of services by their names, for as long as the block lasts.

    Clients reach them past any proxy.

    Args:
        answers: of each service what it calls for each request, on a thread of its own: it returns
            the status, and the text or an iterator of its pieces, which are sent as they come.
    """
    with ExitStack() as stack:
        stack.enter_context(_past_proxies())
        yield {name: stack.enter_context(_serving(answer)) for name, answer in answers.items()}


@contextmanager
def _past_proxies() -> Iterator[None]:
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "127.0.0.1"
    try:
        yield
    finally:
        del os.environ["no_proxy"]
        if before is not None:
            os.environ["no_proxy"] = before


def nowhere() -> str:
    """An address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return "http://{}:{}/".format(*taken.getsockname())


class Line(httpx.AsyncHTTPTransport):
    """How a client's requests go out; it knows what has come back.

    `asked` counts the requests, `under_way` those whose answer is neither read to its end nor
    given up, `most` the most of them at once, and `pieces` the pieces of text that have come.
    `closed` and `over` are for a check to set.
    """

    closed = False

    def __init__(self):
        super().__init__(trust_env=False)
        self.asked = self.under_way = self.most = self.pieces = 0
        self.over = asyncio.Event()

    async def closes(self) -> None:
        """Is awaited before an answer is closed."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            response = await super().handle_async_request(request)
        except BaseException:
            self.under_way -= 1
            raise
        response.stream = _Counted(response.stream, self)
        return response


class _Counted(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, line: Line):
        self._stream, self._line, self._open = stream, line, True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._line.pieces += 1
            yield piece

    async def aclose(self) -> None:
        try:
            await self._line.closes()
            await self._stream.aclose()
        finally:
            self._line.under_way -= self._open
            self._open = False
