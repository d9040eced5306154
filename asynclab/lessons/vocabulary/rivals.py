"""Two requests at the same moment: what each had read, and locked, when the other one went on."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import closing, suppress

from asgiref.sync import ThreadSensitiveContext, sync_to_async

from ...exercises.lineage import is_beside
from ...ground.connections import close_connections
from ...recorder.hooks import before_queries
from .transactions import as_another_process, others_can_write


class Rivals:
    """Two requests at the same moment, each with a worker and a connection of its own.

    Once one has read something, it waits until the other one has read the same, so that both go on
    from the same state. It does not wait if its transaction holds the database's lock for writing:
    the other one cannot write before that ends.

    Args:
        refusal: the only exception that a request may end with.
        counted: the table on whose rows each decides.
        shared: the table of which both know the same row.

    What counts is the last time that a request has read `counted` before it adds a row there:
    `unlocked` is how many had no such lock then, and `locks` holds, for each request, the keys of
    the rows of `shared` that its transaction had written by then. An update counts rows too: of a
    request that reads nothing, what counts is its last one.
    """

    PATIENCE = 2
    """Seconds to wait, once, for the other one; a lock of Python's may keep it out."""

    def __init__(self, refusal: type[Exception], counted: str, shared: str):
        self._refusal, self._counted, self._shared = refusal, counted, shared
        self._last: dict[int, str] = {}
        self._read: set[tuple[int, str]] = set()
        self._unlocked: dict[int, bool] = {}
        self._locks: dict[int, set[int]] = {}
        self._locks_unread: dict[int, set[int]] = {}
        self._decided: set[int] = set()
        self._wrote: set[int] = set()
        self._both = threading.Barrier(2)

    @property
    def unlocked(self) -> int:
        return sum(self._unlocked.values())

    @property
    def locks(self) -> list[set[int]]:
        return list((self._locks_unread | self._locks).values())

    async def serve(self, view: Callable, *arguments: tuple) -> int:
        """Call `view` with each of the arguments at once; return how many were refused."""
        requests = [self._serve_one(view, each) for each in arguments]
        self._note_writes()
        with before_queries(self._look):
            outcomes = await asyncio.gather(*requests, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        for error in refused:
            if not isinstance(error, self._refusal):
                raise error
        return len(refused)

    async def _serve_one(self, view: Callable, arguments: tuple) -> None:
        async with ThreadSensitiveContext():
            try:
                await view(*arguments)
            finally:
                self._both.abort()  # There is nobody to wait for any more.
                await sync_to_async(close_connections)()

    def _look(self, cursor: object, sql: str) -> None:
        """What a request is about to ask. By now it has the rows of what it has read before."""
        if is_beside():
            return
        request = threading.get_ident()
        read = self._last.get(request, "")
        self._last[request] = sql
        if _reads(read):
            self._has_read(request, read, not cursor.db.in_atomic_block or others_can_write())
        if _begins(sql):
            self._wrote.discard(request)
        elif _writes(read) and cursor.db.in_atomic_block:
            self._wrote.add(request)
        if self._counted not in sql or request in self._decided:
            return
        if _reads(sql):
            self._locks[request] = self._written(cursor.db)
            self._unlocked[request] = False  # Whether it was shows in what it asks next.
        elif request in self._locks:
            self._decided.add(request)
        elif request not in self._locks_unread or not _adds(sql):
            # Without the lock for writing, a look at the rows would keep it from what it is about
            # to write.
            locked = request in self._wrote
            self._locks_unread[request] = self._written(cursor.db) if locked else set()

    def _has_read(self, request: int, read: str, unlocked: bool) -> None:
        if self._counted in read and request not in self._decided:
            self._unlocked[request] = unlocked
        if unlocked and (request, read) not in self._read:
            self._read.add((request, read))
            with suppress(threading.BrokenBarrierError):
                self._both.wait(self.PATIENCE)

    def _note_writes(self) -> None:
        """Let the database itself note which rows of `shared` a transaction writes."""
        with closing(as_another_process(timeout=5)) as outside:
            outside.executescript(
                f"""
                CREATE TABLE IF NOT EXISTS rivals_wrote (key);
                CREATE TRIGGER IF NOT EXISTS rivals_write AFTER UPDATE ON {self._shared}
                    BEGIN INSERT INTO rivals_wrote VALUES (NEW.id); END;
                """
            )

    def _written(self, own: object) -> set[int]:
        """What the transaction of this connection has written by now."""
        return {key for (key,) in own.connection.execute("SELECT key FROM rivals_wrote")}


def _adds(sql: str) -> bool:
    return sql.lstrip().upper().startswith("INSERT")


def _begins(sql: str) -> bool:
    return sql.lstrip().upper().startswith("BEGIN")


def _writes(sql: str) -> bool:
    return sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))


def _reads(sql: str) -> bool:
    return sql.lstrip().upper().startswith("SELECT") and "library_" in sql
