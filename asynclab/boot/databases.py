"""Where the demo project's data can be: files of SQLite, or a server such as PostgreSQL."""

import atexit
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from ..ground import folders

SQLITE = "django.db.backends.sqlite3"


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


class Files:
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


class Database(NamedTuple):
    """One database, by its name on a server."""

    server: DatabaseServer
    name: str

    @property
    def settings(self) -> dict[str, object]:
        return self.server.settings(self.name)

    def drop(self) -> None:
        self.server.drop(self.name)


def pools() -> dict:
    """Django's pools, by the alias of their connection; SQLite has none."""
    from django.db import connections

    return getattr(connections["default"], "_connection_pools", {})


def close_pool() -> None:
    # Django's own `close_pool()` refuses when CONN_MAX_AGE contradicts the pool.
    if pool := pools().pop("default", None):
        pool.close()


def temporary_folder():
    """Make a folder that ends with this process, and sweep those of processes that were killed."""
    folder = Path(tempfile.mkdtemp(prefix=folders.prefix()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folders.sweep()
    return folder
