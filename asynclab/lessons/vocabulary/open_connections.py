"""Connections to the database: which a block opens, who closes some, which are open after it."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db.backends.signals import connection_created
from django.utils.connection import BaseConnectionHandler

from ...exercises.lineage import is_beside
from ...recorder import hooks, workers


class Opened(AbstractContextManager):
    """The connections that are opened in a block: `with Opened() as opened: ...`.

    They are kept alive: what the garbage collector would close counts as left open.
    """

    def __init__(self):
        self._connections: list[tuple[int, object]] = []

    def __enter__(self) -> "Opened":
        connection_created.connect(self._keep)
        return self

    def __exit__(self, *_) -> None:
        connection_created.disconnect(self._keep)

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def left(self) -> int:
        """How many are still open, but for that of the worker which serves everybody."""
        shared = {thread.ident for thread in workers.shared_threads()}
        return sum(
            connection.connection is not None and ident not in shared
            for ident, connection in self._connections
        )

    def _keep(self, connection: object, **_) -> None:
        if not is_beside():
            self._connections.append((threading.get_ident(), connection))


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
