"""Django in this kernel: settings, a fresh database, seed data."""

import atexit
import functools
import importlib
import os
import shutil
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

from asgiref.local import Local

from .ground import folders
from .ground.errors import LabError
from .recorder import hooks

DEMO_PROJECT = Path(__file__).resolve().parent.parent / "demo_project"
DEMO_SETTINGS = "config.settings"
DEMO_PACKAGES = ("config", "library")

SQLITE = "django.db.backends.sqlite3"
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

UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"
"""The variable that switches Django's guard off: any text except the empty one does so."""


when_set_up: list[Callable[[], object]] = []
"""Called each time that `boot()` has set Django up."""


class BootError(LabError):
    """Django cannot be set up in this kernel."""


class DatabaseServer(Protocol):
    """Where the demo project's data can be instead of in files of SQLite, such as `PostgreSQL`."""

    def settings(self, name: str) -> dict[str, object]:
        """What DATABASES has to say of a database."""

    def create(self, name: str, template: str | None = None) -> None:
        """Make a database, as a copy of another one if it is named."""

    def drop(self, name: str) -> None:
        """Remove a database, and end the connections to it; do nothing if there is none."""

    def disconnect(self) -> None:
        """End every connection of Django's."""


def boot(settings: str | None = None, *, database: DatabaseServer | None = None) -> None:
    """Set up Django in this kernel, and say so in one line.

    Without an argument: the demo project, with a database of this kernel's own, freshly migrated
    and seeded. Called again, it resets the data, ids included, and closes every connection; it may
    be called from a cell, a plain thread or plain Python. The database ends with the kernel. It
    ignores what the shell has set for another project: ``DJANGO_SETTINGS_MODULE``, and
    ``DJANGO_ALLOW_ASYNC_UNSAFE``, with which a lesson would not show what it says.

    With an argument: your own project. Its database is not touched. The folder of the nearest
    ``manage.py``, from the working directory upwards, goes on ``sys.path``, as manage.py would do.

    Args:
        settings: the dotted name of a settings module, such as ``"mysite.settings"``. It wins over
            ``DJANGO_SETTINGS_MODULE``.
        database: a server for the demo project's data, such as ``PostgreSQL()``; a file of SQLite
            if left out.

    Raises:
        BootError: with one line on what is wrong and what to do.
    """
    _check(settings, database)
    shell_settings = os.environ.get("DJANGO_SETTINGS_MODULE")
    if settings is None:
        print(_on_plain_thread(set_up_library, database))
        _name_the_settings(shell_settings)
        _put_the_guard_on()
    else:
        print(_on_plain_thread(set_up_project, settings))
        _name_the_settings(shell_settings)
        _say_that_the_guard_is_off()
    for each in when_set_up:
        each()


def _check(settings, database):
    """Refuse arguments that contradict each other, or are in each other's place."""
    if hasattr(settings, "create") or isinstance(database, str):
        raise BootError("Write boot(database=PostgreSQL()), or boot('mysite.settings').")
    if settings is not None and database is not None:
        raise BootError("boot(database=...) is for the demo project: your own keeps its database.")


def _on_plain_thread(function, *args):
    """Call a function where no event loop runs: the ORM's guard stays on and does not fire."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="boot") as pool:
        return pool.submit(function, *args).result()


def _name_the_settings(shell_settings):
    """Name them in the environment, also if a cell has taken the name out since the first boot."""
    from django.conf import settings

    chosen = os.environ["DJANGO_SETTINGS_MODULE"] = settings.SETTINGS_MODULE
    if shell_settings not in (None, chosen):
        print(f"DJANGO_SETTINGS_MODULE was {shell_settings}: boot() wins, it is {chosen} here.")


def _put_the_guard_on():
    found = os.environ.get(UNSAFE)
    if found:
        del os.environ[UNSAFE]
        print(
            f"{UNSAFE} was {found!r}, which switches Django's guard off: "
            "boot() wins, the guard is on in this kernel.\n"
            f"To switch it off again: import os; os.environ[{UNSAFE!r}] = {found!r}"
        )


def _say_that_the_guard_is_off():
    if os.environ.get(UNSAFE):
        print(
            f"{UNSAFE} is set: the guard is off in this kernel, and "
            "SynchronousOnlyOperation is never raised.\n"
            f"To put it on: import os; del os.environ[{UNSAFE!r}]"
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
        scratch = _on_plain_thread(lay_out_seed)
    except OSError as error:
        raise _no_room(error) from error
    try:
        with _library.kept_for(beside, mine):
            yield
    finally:
        _on_plain_thread(put_data_back, mine, scratch)


def lay_out_seed() -> "_Place":
    """Use a copy of the seed, and return it. Lanes show this function by its name."""
    return _library.begin()


def put_data_back(mine: "_Place", scratch: "_Place") -> None:
    """Use the data `mine` again, not `scratch`. Lanes show this function by its name."""
    _library.resume(mine, scratch)


# Any project


def set_up_project(name: str) -> str:
    """Set up the reader's own project, and say so. Lanes show this function by its name."""
    if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
        raise BootError(
            f"{name!r} is not the name of a settings module. "
            "boot() takes a dotted name, such as boot('mysite.settings')."
        )
    _find_project(name.partition(".")[0])
    _set_up(name)
    return f"Django is set up with {name}. Its data is untouched."


def _find_project(package):
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "manage.py").is_file():
            _put_on_path(folder, [package])
            return


def _put_on_path(folder, packages):
    """Make a project importable, unless another module of the same name was imported already."""
    for package in packages:
        module, expected = sys.modules.get(package), folder / package
        if module is None or not expected.is_dir():
            continue
        if expected.resolve() not in [
            Path(path).resolve() for path in getattr(module, "__path__", ())
        ]:
            raise BootError(
                f"Another module named {package!r} is imported in this kernel already. "
                "Restart the kernel, and call boot() before anything imports that one."
            )
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _set_up(name):
    """Run django.setup() with these settings, once in a kernel."""
    import django
    from django.apps import apps
    from django.conf import settings

    configured_with = settings.SETTINGS_MODULE if settings.configured else name
    if configured_with != name:
        other = configured_with or "settings.configure()"
        raise BootError(
            f"Django is set up with {other} in this kernel already, and it takes one project a "
            f"process. Restart the kernel, and call {_call(name)} first."
        )
    if apps.ready:
        return
    if settings.configured:
        raise BootError(
            f"An earlier set-up of {name} failed half-way in this kernel. Restart the kernel."
        )
    _import_settings(name)
    os.environ["DJANGO_SETTINGS_MODULE"] = name
    try:
        django.setup()
    except Exception as error:
        raise _broken(name, error) from error


def _call(settings):
    return "boot()" if settings == DEMO_SETTINGS else f"boot({settings!r})"


def _import_settings(name):
    """Import the module by itself first, so that a wrong name leaves no trace in the kernel."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _broken(name, error) from error
        raise BootError(
            f"There is no module {error.name!r} to import. Check the name, or put the folder of "
            "manage.py on the path: import sys; sys.path.insert(0, 'path/to/your/project')"
        ) from error
    except Exception as error:
        raise _broken(name, error) from error
    if not any(setting.isupper() for setting in vars(module)):
        raise BootError(f"{name!r} holds no settings. Did you mean boot('{name}.settings')?")


def _broken(name, error):
    return BootError(
        f"{name} fails with {type(error).__name__}: {error}\n"
        "Restart the kernel once `python manage.py check` passes in this kernel's environment."
    )


# The demo project


def set_up_library(server: DatabaseServer | None = None) -> str:
    """Put fresh data in place, and say what there is. Lanes show this function by its name."""
    global _library
    if not DEMO_PROJECT.is_dir():
        raise BootError(
            "There is no demo_project beside the asynclab package. Install the kit from a clone "
            "of the course (pip install -e .), or boot your own: boot('mysite.settings')."
        )
    _put_on_path(DEMO_PROJECT, DEMO_PACKAGES)
    try:
        if _library is None:
            _library = _Library()
        _library.renew(server)
    except OSError as error:
        raise _no_room(error) from error
    return _library.summary()


def _no_room(error):
    return BootError(
        f"The library's database cannot be written ({error.strerror or error}). "
        "Free some disk space, or set TMPDIR to a folder that you may write to."
    )


class _Files:
    """Databases of SQLite in a folder: a `DatabaseServer` without a server."""

    def __init__(self, folder: Path):
        self._folder = folder

    def settings(self, name: str) -> dict[str, object]:
        nothing = dict.fromkeys(("USER", "PASSWORD", "HOST", "PORT"), "")
        return {"ENGINE": SQLITE, "NAME": str(self._file(name)), **nothing}

    def create(self, name: str, template: str | None = None) -> None:
        if template:
            shutil.copyfile(self._file(template), self._file(name))

    def drop(self, name: str) -> None:
        # Windows refuses to delete a file that is in use; it goes with the folder.
        with suppress(PermissionError):
            self._file(name).unlink(missing_ok=True)

    def disconnect(self) -> None:
        """SQLite closes a connection with its last user."""

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.sqlite3"


class _Place(NamedTuple):
    """One database, by its name on a server."""

    server: DatabaseServer
    name: str

    @property
    def settings(self) -> dict[str, object]:
        return self.server.settings(self.name)

    def drop(self) -> None:
        self.server.drop(self.name)


class _Library:
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
        self.files = _Files(_temporary_folder())
        self.seeded = weakref.WeakSet()
        self.options = {}
        self.place: _Place | None = None
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

    def begin(self) -> _Place:
        """Use a copy of the seed from the next connection on; return the copy."""
        fresh = self._copy_of_seed(self.place.server)
        self._use(fresh)
        return fresh

    def _copy_of_seed(self, server):
        fresh = _Place(server, f"library_{self.renewals}")
        self.renewals += 1
        server.create(fresh.name, SEED)
        return fresh

    def resume(self, mine: _Place, scratch: _Place) -> None:
        """Put data in use again, in place of a copy that is not needed any more."""
        # Unless boot() was called meanwhile: then the data is newer than both.
        if self.place == mine:
            self._use(mine)
            self._close_connections(to=scratch.settings["NAME"])
        scratch.drop()

    @contextmanager
    def kept_for(self, beside: Callable[[], bool], mine: _Place) -> Iterator[None]:
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
        pools = _pools()
        mine = pools.pop("default", None)
        try:
            yield
        finally:
            _close_pool()
            if mine:
                pools["default"] = mine

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
        seed = _Place(server, SEED)
        self._name_in_environment(seed)
        _set_up(DEMO_SETTINGS)
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
        _on_plain_thread(self._close_everything)
        in_use.update(options)
        try:
            yield
        finally:
            _on_plain_thread(self._close_everything)
            for name in options.keys() - found.keys():
                in_use.pop(name, None)
            # Unless boot() was called meanwhile: it has put all settings back itself.
            in_use.update({name: found[name] for name in options.keys() & found.keys()})

    def _close_everything(self):
        """Close all connections, also those of other processes to a server, and the pool."""
        _close_pool()
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


def _pools() -> dict:
    """Django's pools, by the alias of their connection; SQLite has none."""
    from django.db import connections

    return getattr(connections["default"], "_connection_pools", {})


def _close_pool() -> None:
    # Django's own `close_pool()` refuses when CONN_MAX_AGE contradicts the pool.
    if pool := _pools().pop("default", None):
        pool.close()


_library: _Library | None = None


def _temporary_folder():
    """Make a folder that ends with this process, and sweep those of processes that were killed."""
    folder = Path(tempfile.mkdtemp(prefix=folders.prefix()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folders.sweep()
    return folder
