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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path

from .ground import folders
from .ground.errors import LabError
from .recorder import hooks

DEMO_PROJECT = Path(__file__).resolve().parent.parent / "demo_project"
DEMO_SETTINGS = "config.settings"
DEMO_PACKAGES = ("config", "library")

UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"
"""The variable that switches Django's guard off: any text except the empty one does so."""


when_set_up: list[Callable[[], object]] = []
"""Called each time that `boot()` has set Django up."""


class BootError(LabError):
    """Django cannot be set up in this kernel."""


def boot(settings: str | None = None) -> None:
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

    Raises:
        BootError: with one line on what is wrong and what to do.
    """
    shell_settings = os.environ.get("DJANGO_SETTINGS_MODULE")
    if settings is None:
        print(_on_plain_thread(set_up_library))
        _name_the_settings(shell_settings)
        _put_the_guard_on()
    else:
        print(_on_plain_thread(set_up_project, settings))
        _name_the_settings(shell_settings)
        _say_that_the_guard_is_off()
    for each in when_set_up:
        each()


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
    if _library is None or _library.file is None:
        yield
        return
    mine = _library.file
    try:
        scratch = _on_plain_thread(lay_out_seed)
    except OSError as error:
        raise _no_room(error) from error
    try:
        with _library.kept_for(beside, mine):
            yield
    finally:
        _on_plain_thread(put_data_back, mine, scratch)


def lay_out_seed() -> Path:
    """Use a copy of the seed, and return it. Lanes show this function by its name."""
    return _library.begin()


def put_data_back(mine: Path, scratch: Path) -> None:
    """Use the file `mine` again, not `scratch`. Lanes show this function by its name."""
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


def set_up_library() -> str:
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
        _library.renew()
    except OSError as error:
        raise _no_room(error) from error
    return _library.summary()


def _no_room(error):
    return BootError(
        f"The library's database cannot be written ({error.strerror or error}). "
        "Free some disk space, or set TMPDIR to a folder that you may write to."
    )


class _Library:
    """The demo project's data in this kernel: a seed, made once, and the copy in use.

    Each renewal starts a new file. An abandoned cursor, an open transaction or another process may
    still hold the old file; it can neither lock nor change the new one.
    """

    def __init__(self):
        from django.conf import settings

        if settings.configured and settings.SETTINGS_MODULE == DEMO_SETTINGS:
            raise BootError(
                "The demo project is set up in this process already, with a database that is not "
                "the kernel's own. Call boot() in a new kernel."
            )
        self.folder = _temporary_folder()
        self.seed = self.folder / "seed.sqlite3"
        self.options = {}
        self.file = None
        self.renewals = 0
        self.connections = weakref.WeakSet()
        self._noting = threading.Lock()
        self._file_here = self._file_in_use

    def renew(self):
        """Put fresh data in place, and close every connection to the old."""
        if not self.seed.exists():
            self._make_seed()
        old, self.file = self.file, self.begin()
        self._close_connections()
        if old:
            self._drop(old)

    def begin(self):
        """Use a copy of the seed from the next connection on; return the copy."""
        fresh = self.folder / f"library-{self.renewals}.sqlite3"
        self.renewals += 1
        shutil.copyfile(self.seed, fresh)
        self._use(fresh)
        return fresh

    def resume(self, mine, scratch):
        """Put a file in use again, in place of a copy that is not needed any more."""
        # Unless boot() was called meanwhile: then the data is newer than both.
        if self.file == mine:
            self._use(mine)
            self._close_connections(to=str(scratch))
        self._drop(scratch)

    @contextmanager
    def kept_for(self, beside: Callable[[], bool], file: Path) -> Iterator[None]:
        """Let the code that `beside` speaks for go on with `file`, whatever is in use."""
        from django.db.backends.base.base import BaseDatabaseWrapper
        from django.db.backends.sqlite3.base import DatabaseWrapper

        self._file_here = lambda: str(file) if beside() else self._file_in_use()
        try:
            with (
                hooks.around(DatabaseWrapper, "get_connection_params", self._choosing_the_file),
                hooks.before(BaseDatabaseWrapper, "ensure_connection", self._leave_other_file),
                self._options_of_the_project(),
            ):
                yield
        finally:
            self._file_here = self._file_in_use

    @contextmanager
    def _options_of_the_project(self) -> Iterator[None]:
        """The database's settings, such as CONN_MAX_AGE, before the reader has changed any."""
        from django.db import connections

        in_use = connections.settings["default"]
        found = dict(in_use)
        in_use.update(deepcopy(self.options) | {"NAME": found["NAME"]})
        try:
            yield
        finally:
            in_use.update(found | {"NAME": in_use["NAME"]})

    def _file_in_use(self) -> str:
        from django.db import connections

        return connections.settings["default"]["NAME"]

    def _choosing_the_file(self, get_params: Callable) -> Callable:
        @functools.wraps(get_params)
        def get_connection_params(connection):
            # Known before it is open: Django asks `ensure_connection` again while it opens it.
            connection.library_file = self._file_here()
            return get_params(connection) | {"database": connection.library_file}

        return get_connection_params

    def _leave_other_file(self, connection):
        """Close a connection that this thread has opened for somebody else."""
        if connection.connection is None or connection.in_atomic_block:
            return
        if self._file_of(connection) not in (None, self._file_here()):
            connection.close()

    def _file_of(self, connection) -> str | None:
        return vars(connection).get("library_file")

    def _drop(self, file):
        # Windows refuses to delete a file that is in use; it goes with the folder.
        with suppress(PermissionError):
            file.unlink(missing_ok=True)

    def summary(self):
        from django.db import connections
        from library.models import Author, Book, Loan, Member

        counts = [
            f"{model.objects.count()} {model._meta.verbose_name_plural}"
            for model in (Author, Book, Member, Loan)
        ]
        connections.close_all()
        return f"Django is set up. Library: {', '.join(counts)}."

    def _make_seed(self):
        unfinished = self.folder / "unfinished.sqlite3"
        unfinished.unlink(missing_ok=True)
        os.environ["LIBRARY_DATABASE"] = str(unfinished)
        _set_up(DEMO_SETTINGS)
        from django.core.management import call_command
        from django.db import OperationalError, connections
        from django.db.backends.signals import connection_created

        self._use(unfinished)
        try:
            # An unfinished seed is made again, so there is no need to wait for the disk.
            connections["default"].cursor().execute("PRAGMA synchronous = OFF")
            call_command("migrate", verbosity=0, interactive=False)
            call_command("loaddata", "library", verbosity=0)
        except OperationalError as error:
            raise OSError(str(error)) from error
        finally:
            connections.close_all()
        unfinished.replace(self.seed)
        self.options = deepcopy(connections.settings["default"])
        connection_created.connect(self._note_connection)

    def _use(self, file):
        from django.db import connections

        # All connections, in every thread, share this dictionary.
        connections.settings["default"]["NAME"] = str(file)
        os.environ["LIBRARY_DATABASE"] = str(file)

    def _note_connection(self, connection, **kwargs):
        connection.library_file = self._file_here()
        with self._noting:
            self.connections.add(connection)

    def _close_connections(self, to=None):
        """Drop each connection, or those to one file, so that its thread opens a new one.

        SQLite closes the dropped one with its last user. Closing it here, while its thread may be
        in the middle of a query, would crash the process.
        """
        with self._noting:
            known = list(self.connections)
        for connection in known:
            if to not in (None, self._file_of(connection)):
                continue
            # The new connection is not inside an atomic() that was begun on the old one.
            connection.in_atomic_block = connection.closed_in_transaction = False
            connection.run_on_commit = []
            connection.execute_wrappers = []
            connection.connection = None


_library: _Library | None = None


def _temporary_folder():
    """Make a folder that ends with this process, and sweep those of processes that were killed."""
    folder = Path(tempfile.mkdtemp(prefix=folders.prefix()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folders.sweep()
    return folder
