"""A service that answers word by word, and is paid by the word, as language models are."""

import select
from contextlib import suppress
from functools import partial
from threading import Lock

from .service import QuietHandler, Service


class TokenService(Service):
    """A real HTTP server on this machine that sends an answer word by word, at `url`.

    Each word is a line of its own. When a client hangs up, the service notices at once, and makes
    no further word for it. The server ends when nothing refers to it any more, or with the kernel.

    Args:
        answer: the words, with blanks between them.
        seconds: how long each word takes.

    `made` counts the words that were made, for whoever pays for them, and `open` the answers under
    way.

    Raises:
        ValueError: `seconds` is negative.
    """

    def __init__(self, answer: str, seconds: float):
        if seconds < 0:
            raise ValueError(f"A word takes 0 seconds or more; got {seconds}.")
        self._counts = _Counts()
        super().__init__(partial(_Words, answer.split(), seconds, self._counts))

    @property
    def made(self) -> int:
        return self._counts.made

    @property
    def open(self) -> int:
        return self._counts.open


class _Counts:
    """The counts of a service; its threads hold them, and so do not hold the service."""

    def __init__(self):
        self.made = self.open = 0
        self._counting = Lock()

    def add(self, *, made: int = 0, open: int = 0) -> None:
        with self._counting:
            self.made += made
            self.open += open


class _Words(QuietHandler):
    def __init__(self, words: list[str], seconds: float, counts: _Counts, *connection: object):
        self._words, self._seconds, self._counts = words, seconds, counts
        super().__init__(*connection)  # this answers the request

    def do_GET(self):
        self._counts.add(open=1)
        try:
            with suppress(ConnectionError):  # the client has hung up
                self._send()
        finally:
            self._counts.add(open=-1)

    def _send(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        for word in self._words:
            if self._client_leaves_within(self._seconds):
                return
            self._counts.add(made=1)
            self.wfile.write(f"{word}\n".encode())

    def _client_leaves_within(self, seconds: float) -> bool:
        # A client that has sent its request has nothing more to send but its end.
        return bool(select.select([self.connection], [], [], seconds)[0])
