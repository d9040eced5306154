"""Two requests at the same moment: what each had read, and locked, when the other one went on."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import connections

from ...exercises.lineage import is_beside
from ...ground.connections import close_connections
from ...recorder.hooks import before_queries


class Rivals:
    """Two requests at the same moment, each with a worker and a connection of its own.

    Once one has read something, it waits until the other one has read the same, so that both go on
    from the same state. It does not wait if its transaction holds the database's lock for writing:
    the other one cannot write before that ends.

    Args:
        refusal: the only exception that a request may end with.
        counted: the table on whose rows each decides.
        shared: the table of which both know the same row.

    `unlocked` counts those that had no such lock when they had read `counted`, and `locks` holds
    the updates of `shared` before that.
    """

    PATIENCE = 2
    """Seconds to wait, once, for the other one; a lock of Python's may keep it out."""

    def __init__(self, refusal: type[Exception], counted: str, shared: str):
        self.unlocked = 0
        self.locks: list[str] = []
        self._refusal, self._counted, self._shared = refusal, counted, shared
        self._last: dict[int, str] = {}
        self._read: set[tuple[int, str]] = set()
        self._decided: set[int] = set()
        self._both = threading.Barrier(2)

    async def serve(self, view: Callable, *arguments: tuple) -> int:
        """Call `view` with each of the arguments at once; return how many were refused."""
        requests = [self._serve_one(view, each) for each in arguments]
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
        if read.startswith("SELECT") and "library_" in read and (request, read) not in self._read:
            self._read.add((request, read))
            unlocked = not cursor.db.in_atomic_block or _others_can_write()
            self._meet(request, unlocked, decides=self._counted in read)
        if sql.startswith(f'UPDATE "{self._shared}"') and request not in self._decided:
            self.locks.append(sql)

    def _meet(self, request: int, unlocked: bool, decides: bool) -> None:
        if decides and request not in self._decided:
            self._decided.add(request)
            self.unlocked += unlocked
        if unlocked:
            with suppress(threading.BrokenBarrierError):
                self._both.wait(self.PATIENCE)


def _others_can_write() -> bool:
    """Whether another process could begin to write into the library at this moment."""
    other = sqlite3.connect(connections["default"].settings_dict["NAME"], timeout=0)
    try:
        other.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    finally:
        other.close()
    return True
