"""What an answer does with Django's cursors: on which threads, and with whose connection."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

from django.db import connections
from django.db.backends.utils import CursorWrapper

from ...exercises.given import Given
from ...exercises.lineage import is_beside
from ...recorder import hooks
from .loops import LoopWatch


class CursorWatch(AbstractContextManager):
    """What is done with cursors in a block that holds one call: `with CursorWatch(given) as watch`.

    `loop` looks at the call's loop whenever a query runs, `statements` are the queries, `borrowed`
    says whether one ran over a connection of another thread's, `carried` whether rows were fetched
    on another thread than the one that had asked for them. `left_open` counts the cursors that are
    still held, and not closed.
    """

    def __init__(self, given: Given):
        self.loop = LoopWatch(given)
        self.statements: list[str] = []
        self.borrowed = self.carried = False
        self._asked_on: weakref.WeakKeyDictionary[object, int] = weakref.WeakKeyDictionary()
        self._closed: weakref.WeakSet[object] = weakref.WeakSet()

    def __enter__(self) -> "CursorWatch":
        with ExitStack() as stack:
            stack.enter_context(hooks.before_queries(self._note_query))
            stack.enter_context(hooks.before(CursorWrapper, "__getattr__", self._note_fetch))
            stack.enter_context(hooks.around(CursorWrapper, "__iter__", self._row_by_row))
            self._hooks = stack.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._hooks.close()

    @property
    def left_open(self) -> int:
        gc.collect()
        return len(set(self._asked_on) - set(self._closed))

    def asked(self, statement: str) -> bool:
        """Whether it was one of the queries, in whatever lines it was written."""
        return statement.split() in [asked.split() for asked in self.statements]

    def _note_query(self, cursor: object, sql: str) -> None:
        if is_beside():
            return
        self.loop.look()
        self.statements.append(sql)
        self.borrowed = self.borrowed or connections[cursor.db.alias] is not cursor.db
        self._asked_on[cursor] = threading.get_ident()

    def _note_fetch(self, cursor: object, name: str = "") -> None:
        if name == "close":
            self._closed.add(cursor)
        if name.startswith("fetch") or not name:
            here = threading.get_ident()
            self.carried = self.carried or self._asked_on.get(cursor, here) != here

    def _row_by_row(self, iterate: Callable) -> Callable:
        def rows(cursor: object) -> Iterator[tuple]:
            for row in iterate(cursor):
                self._note_fetch(cursor)
                yield row

        return rows
