"""The demo project's data in this kernel."""

import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType

from asgiref.local import Local

from ..recorder import hooks
from .databases import Database, DatabaseServer, Files, close_pool, pools, temporary_folder
from .setup import DEMO_SETTINGS, BootError, put_on_path, set_up

DEMO_PROJECT = Path(__file__).resolve().parent.parent.parent / "demo_project"
DEMO_PACKAGES = ("config", "library")

SEED = "seed"
"""The name of the database that the others are copies of."""
ENVIRONMENT = {
    "LIBRARY_ENGINE": "ENGINE",
    "LIBRARY_DATABASE": "NAME",
    "LIBRARY_HOST": "HOST",
    "LIBRARY_PORT": "PORT",
    "LIBRARY_USER": "USER",
}
"""Which variable tells the demo project's settings what."""
SETTINGS = frozenset(
    ("ATOMIC_REQUESTS", "AUTOCOMMIT", "CONN_HEALTH_CHECKS", "CONN_MAX_AGE")
    + ("DISABLE_SERVER_SIDE_CURSORS", "OPTIONS")
)
"""What `override_database()` takes."""


def on_plain_thread(function, *args):
    """Call a function where no event loop runs: the ORM's guard stays on and does not fire."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="boot") as pool:
        return pool.submit(function, *args).result()


def set_up_library(server: DatabaseServer | None = None) -> str:
    """Put fresh data in place, and say what there is. Lanes show this function by its name."""
    global _library
    if not DEMO_PROJECT.is_dir():
        raise BootError(
            "There is no demo_project beside the asynclab package. Install the kit from a clone "
            "of the course (pip install -e .), or boot your own: boot('mysite.settings')."
        )
    put_on_path(DEMO_PROJECT, DEMO_PACKAGES)
    try:
        if _library is None:
            _library = Library()
        _library.renew(server)
    except OSError as error:
        raise _no_room(error) from error
    return _library.summary()


def _no_room(error):
    return BootError(
        f"The library's database cannot be written ({error.strerror or error}). "
        "Free some disk space, or set TMPDIR to a folder that you may write to."
    )


@contextmanager
def override_database(**settings: object) -> Iterator[None]:
    """Let settings of the demo project's database hold for one block, as override_settings() does.

        with override_database(CONN_MAX_AGE=60):
            ...

    Django warns of override_settings(DATABASES=...): what is open would keep its settings. So every
    connection to the database is closed as the block begins, and again as it ends; so are those of
    other processes to PostgreSQL, and a pool.

    Args:
        settings: such as `CONN_MAX_AGE`, `CONN_HEALTH_CHECKS`, `ATOMIC_REQUESTS` and `OPTIONS`.

    Raises:
        BootError: the demo project has not been booted, or Django knows of no such setting.
    """
    if _library is None or not _library.place:
        raise BootError("override_database() is for the demo project. Call boot() first.")
    if unknown := settings.keys() - SETTINGS:
        raise BootError(f"{min(unknown)} is none of: {', '.join(sorted(SETTINGS))}.")
    with _library.overridden(settings):
        yield


@contextmanager
def seed_data(beside: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Give the demo project the data that boot() made for one block, then what it had before.

    Every connection to it is closed on the way out. Nothing happens if this kernel booted another
    project, or none.

    Args:
        beside: says whether the code that asks goes on beside the block. It keeps its data, and
            what it has open.

    Raises:
        BootError: the disk is full.
    """
    if _library is None or _library.place is None:
        yield
        return
    mine = _library.place
    try:
        scratch = on_plain_thread(lay_out_seed)
    except OSError as error:
        raise _no_room(error) from error
    try:
        with _library.kept_for(beside, mine):
            yield
    finally:
        on_plain_thread(put_data_back, mine, scratch)


def lay_out_seed() -> Database:
    """Use a copy of the seed, and return it. Lanes show this function by its name."""
    return _library.begin()


def put_data_back(mine: Database, scratch: Database) -> None:
    """Use the data `mine` again, not `scratch`. Lanes show this function by its name."""
    _library.resume(mine, scratch)


class Library:
    """The demo project's data in this kernel: a seed, made once a server, and the copy in use.

    Each renewal starts a new database. An abandoned cursor, an open transaction or another process
    may still hold the old one; it can neither lock nor change the new one.
    """

    def __init__(self):
        from django.conf import settings

        if settings.configured and settings.SETTINGS_MODULE == DEMO_SETTINGS:
            raise BootError(
                "The demo project is set up in this process already, with a database that is not "
                "the kernel's own. Call boot() in a new kernel."
            )
        self.files = Files(temporary_folder())
        self.seeded = weakref.WeakSet()
        self.options = {}
        self.place: Database | None = None
        self.renewals = 0
        self.connections = weakref.WeakSet()
        self._noting = threading.Lock()
        self._name_here = self._name_in_use

    def renew(self, server: DatabaseServer | None = None):
        """Put fresh data in place, and close every connection to the old."""
        server = server or self.files
        if server not in self.seeded:
            self._make_seed(server)
        old, fresh = self.place, self._copy_of_seed(server)
        self._close_everything()
        self._use(fresh, self.options)
        self.place = fresh
        if old:
            old.drop()

    def begin(self) -> Database:
        """Use a copy of the seed from the next connection on; return the copy."""
        fresh = self._copy_of_seed(self.place.server)
        self._use(fresh)
        return fresh

    def _copy_of_seed(self, server):
        fresh = Database(server, f"library_{self.renewals}")
        self.renewals += 1
        server.create(fresh.name, SEED)
        return fresh

    def resume(self, mine: Database, scratch: Database) -> None:
        """Put data in use again, in place of a copy that is not needed any more."""
        # Unless boot() was called meanwhile: then the data is newer than both.
        if self.place == mine:
            self._use(mine)
            self._close_connections(to=scratch.settings["NAME"])
        scratch.drop()

    @contextmanager
    def kept_for(self, beside: Callable[[], bool], mine: Database) -> Iterator[None]:
        """Let the code that `beside` speaks for go on with `mine`, whatever is in use."""
        from django.db import connections
        from django.db.backends.base.base import BaseDatabaseWrapper

        name, wrapper = mine.settings["NAME"], type(connections["default"])
        self._name_here = lambda: name if beside() else self._name_in_use()
        try:
            with (
                hooks.around(wrapper, "get_connection_params", self._choosing_the_database),
                hooks.before(BaseDatabaseWrapper, "ensure_connection", self._leave_other_database),
                self._options_of_the_project(),
                self._pool_set_aside(),
            ):
                yield
        finally:
            self._name_here = self._name_in_use

    @contextmanager
    def _options_of_the_project(self) -> Iterator[None]:
        """The database's settings, such as CONN_MAX_AGE, before the reader has changed any."""
        from django.db import connections

        in_use = connections.settings["default"]
        found = dict(in_use)
        where = self._where(in_use)
        in_use.update(deepcopy(self.options) | where)
        try:
            yield
        finally:
            in_use.update(found | self._where(in_use))

    @contextmanager
    def _pool_set_aside(self) -> Iterator[None]:
        """Nobody in the block is given a connection of the reader's pool, nor later one of its."""
        kept = pools()
        mine = kept.pop("default", None)
        try:
            yield
        finally:
            close_pool()
            if mine:
                kept["default"] = mine

    def _where(self, settings: dict) -> dict:
        """What of these settings says where the data is."""
        return {name: settings[name] for name in self.place.settings}

    def _name_in_use(self) -> str:
        from django.db import connections

        return connections.settings["default"]["NAME"]

    def _choosing_the_database(self, get_params: Callable) -> Callable:
        @functools.wraps(get_params)
        def get_connection_params(connection):
            # Known before it is open: Django asks `ensure_connection` again while it opens it.
            connection.library_name = self._name_here()
            given = get_params(connection)
            key = "database" if "database" in given else "dbname"
            return given | {key: connection.library_name}

        return get_connection_params

    def _leave_other_database(self, connection):
        """Close a connection that this thread has opened for somebody else."""
        if connection.connection is None or connection.in_atomic_block:
            return
        if self._name_of(connection) not in (None, self._name_here()):
            connection.close()

    def _name_of(self, connection) -> str | None:
        return vars(connection).get("library_name")

    def summary(self):
        from django.db import connections
        from library.models import Author, Book, Loan, Member

        counts = [
            f"{model.objects.count()} {model._meta.verbose_name_plural}"
            for model in (Author, Book, Member, Loan)
        ]
        connections.close_all()
        self.place.server.disconnect()
        return f"Django is set up. Library: {', '.join(counts)}."

    def _make_seed(self, server):
        server.drop(SEED)
        server.create(SEED)
        seed = Database(server, SEED)
        self._name_in_environment(seed)
        set_up(DEMO_SETTINGS)
        from django.core.management import call_command
        from django.db import OperationalError, connections
        from django.db.backends.signals import connection_created

        if not self.options:
            self.options = deepcopy(connections.settings["default"])
            connection_created.connect(self._note_connection)
        self._use(seed)
        try:
            # An unfinished seed is made again, so there is no need to wait for the disk.
            if connections["default"].vendor == "sqlite":
                connections["default"].cursor().execute("PRAGMA synchronous = OFF")
            call_command("migrate", verbosity=0, interactive=False)
            call_command("loaddata", "library", verbosity=0)
        except OperationalError as error:
            raise OSError(str(error)) from error
        finally:
            connections.close_all()
            server.disconnect()
        self.seeded.add(server)

    def _use(self, place, options=MappingProxyType({})):
        from django.db import connections

        # All connections, in every thread, share this dictionary.
        in_use = connections.settings["default"]
        engine = in_use["ENGINE"]
        in_use.update(deepcopy(dict(options)) | place.settings)
        self._name_in_environment(place)
        if in_use["ENGINE"] != engine:
            # Each thread makes its wrapper of a connection once, of the engine's own class.
            connections._connections = Local(connections.thread_critical)

    def _name_in_environment(self, place):
        """For the processes that this one starts; see the demo project's settings."""
        settings = place.settings
        os.environ |= {variable: settings[name] for variable, name in ENVIRONMENT.items()}

    def _note_connection(self, connection, **kwargs):
        connection.library_name = self._name_here()
        with self._noting:
            self.connections.add(connection)

    @contextmanager
    def overridden(self, options: Mapping[str, object]) -> Iterator[None]:
        """Let further settings hold for a block; nothing is open when it begins or has ended."""
        from django.db import connections

        in_use = connections.settings["default"]
        found = dict(in_use)
        on_plain_thread(self._close_everything)
        in_use.update(options)
        try:
            yield
        finally:
            on_plain_thread(self._close_everything)
            for name in options.keys() - found.keys():
                in_use.pop(name, None)
            # Unless boot() was called meanwhile: it has put all settings back itself.
            in_use.update({name: found[name] for name in options.keys() & found.keys()})

    def _close_everything(self):
        """Close all connections, also those of other processes to a server, and the pool."""
        close_pool()
        if self.place:
            self.place.server.disconnect()
        self._close_connections()

    def _close_connections(self, to=None):
        """Drop each connection, or those to one database, so that its thread opens a new one.

        SQLite closes the dropped one with its last user. Closing it here, while its thread may be
        in the middle of a query, would crash the process.
        """
        with self._noting:
            known = list(self.connections)
        for connection in known:
            if to not in (None, self._name_of(connection)):
                continue
            # The new connection is not inside an atomic() that was begun on the old one.
            connection.in_atomic_block = connection.closed_in_transaction = False
            connection.run_on_commit = []
            connection.execute_wrappers = []
            connection.connection = None


_library: Library | None = None
