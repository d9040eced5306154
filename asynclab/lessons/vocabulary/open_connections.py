"""Connections to the database: which a block opens, who closes some, which are open after it."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils.connection import BaseConnectionHandler

from ...exercises.lineage import is_beside
from ...recorder import hooks, workers


class Opened(AbstractContextManager):
    """The connections that are opened in a block: `with Opened() as opened: ...`.

    They are kept alive: what the garbage collector would close counts as left open. `most` is the
    most that were open at once, `left` how many still are; that of the worker which serves
    everybody does not count, and `closed_for_all` says whether it was closed, by a call. The first
    ones that are closed wait a moment for one too many.
    """

    GRACE = 0.15
    """Seconds to wait for it."""

    def __init__(self):
        self.most = 0
        self.closed_for_all = False
        self._connections: list[tuple[int, object]] = []
        self._one_more = threading.Event()
        self._end_of_grace = 0.0

    def __enter__(self) -> "Opened":
        self._closing = hooks.before(BaseDatabaseWrapper, "close", self._wait)
        self._closing.__enter__()
        connection_created.connect(self._keep)
        return self

    def __exit__(self, *_) -> None:
        connection_created.disconnect(self._keep)
        self._closing.__exit__(None, None, None)

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def threads(self) -> set[int]:
        """The idents of the threads that have opened some."""
        return {ident for ident, _ in self._connections}

    @property
    def left(self) -> int:
        shared = _shared()
        return len(
            {
                id(connection)  # A thread opens the same one again and again.
                for ident, connection in self._connections
                if connection.connection is not None and ident not in shared
            }
        )

    def _keep(self, connection: object, **_) -> None:
        if not is_beside():
            self._connections.append((threading.get_ident(), connection))
            self.most = max(self.most, self.left)
            if self._end_of_grace:
                self._one_more.set()

    def _wait(self, connection: object) -> None:
        if connection.connection is None or is_beside():
            return
        self.closed_for_all = self.closed_for_all or threading.get_ident() in _shared()
        self._end_of_grace = self._end_of_grace or time.monotonic() + self.GRACE
        self._one_more.wait(max(0, self._end_of_grace - time.monotonic()))


def _shared() -> set[int]:
    """The idents of the workers that serve everybody."""
    return {thread.ident for thread in workers.shared_threads()}


@contextmanager
def noting_closers() -> Iterator[set[int]]:
    """The idents of threads that go through their connections in order to close them.

    `close_all` and `close_old_connections` both begin with `BaseConnectionHandler.all`.
    """
    closers = set()

    def note(handler, initialized_only=False):
        if not is_beside():
            closers.add(threading.get_ident())

    with hooks.before(BaseConnectionHandler, "all", note):
        yield closers
