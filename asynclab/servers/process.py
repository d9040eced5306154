"""A server of the reader's choice, in a process of its own, as a deployment starts it."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil

from ..ground import folders
from ..ground.errors import LabError
from ..ground.interrupts import held
from . import keeper
from .modules import folder as folder_of_modules
from .sockets import allow_many, connections, listening, url_of

PATIENCE = 60
"""Seconds that a server may take to start, or to stop when it is asked to."""

# How each is told to take a free port on loopback, and to put nothing into the home folder.
ADDED = {
    "granian": ["--host", "127.0.0.1", "--port", "0"],
    "gunicorn": ["--bind", "127.0.0.1:0", "--no-control-socket"],
    "hypercorn": ["--bind", "127.0.0.1:0"],
    "python manage.py runserver": ["127.0.0.1:0"],
    "uvicorn": ["--host", "127.0.0.1", "--port", "0"],
}

ADDRESS = re.compile(r"(--bind|-b|--host|--port|--uds|--fd)(=.*)?|-[bp].+|[\w.]+:\d+")
"""What would tell a server to listen elsewhere."""


def serving(command: str, *, settings: str | None = None, **environment: str) -> "ServerProcess":
    """Run a server in a process of its own, for a `with`.

        with serving("gunicorn config.wsgi --threads 4") as server:
            await visit(server.url + "books/", 4)

    It runs in the folder of the booted project's manage.py, with this kernel's data, and can import
    what `%%module` has written. A free port of this machine is added to the command.

    Args:
        command: what one would type, without an address: `gunicorn`, `uvicorn`, `hypercorn`,
            `granian` or `python manage.py runserver`, with its arguments.
        settings: the dotted name of a settings module; that of this kernel if left out.
        environment: further variables.

    Raises:
        LabError: the command is none of these, or has an address of its own.
    """
    words = shlex.split(command)
    if own := next(filter(ADDRESS.fullmatch, words), None):
        raise LabError(f"serving() chooses the address itself: take {own} out of the command.")
    for program, added in ADDED.items():
        if command.startswith(program) and words[: len(program.split())] == program.split():
            return ServerProcess([*python_of(words), *added], settings, environment)
    raise LabError(f"serving() takes a command of {', '.join(ADDED)}; got {command!r}.")


def python_of(words: list[str]) -> list[str]:
    """The command for this very interpreter, whatever is on the shell's path."""
    return [sys.executable, *(words[1:] if words[0] == "python" else ["-m", *words])]


def environment_of_modules(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which what `%%module` has written can be imported, and the project."""
    path = [folder_of_modules(), project_folder(), environment.get("PYTHONPATH", "")]
    return {
        **environment,
        "PYTHONPATH": os.pathsep.join(filter(None, map(str, path))),
        "PYTHONUNBUFFERED": "1",
        # A kernel asks for colours, which a log would hold as codes.
        "FORCE_COLOR": "",
        "NO_COLOR": "1",
        "PYTHON_COLORS": "0",
        # A text written within one second may have the length of the one before it.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class ServerProcess:
    """A server between the start and the end of a `with` block; `url` is where it answers.

    Its processes end with the block, or with the kernel, however that ends.
    """

    def __init__(self, command: list[str], settings: str | None, environment: dict[str, str]):
        self._command = command
        self._environment = os.environ | environment
        if settings is not None:
            self._environment["DJANGO_SETTINGS_MODULE"] = settings
        self._port = 0
        self._keeper: subprocess.Popen | None = None
        self._log: Path | None = None
        self._last_log = ""

    @property
    def url(self) -> str:
        """Where it answers."""
        return url_of(self._port)

    def __enter__(self) -> "ServerProcess":
        with ExitStack() as stack:
            made = tempfile.TemporaryDirectory(prefix=folders.prefix(), ignore_cleanup_errors=True)
            self._log = Path(stack.enter_context(made), "log")
            with held():
                self._keeper = self._start()
                stack.callback(self._end)
            self._port = self._wait_until_it_listens()
            self._after = stack.pop_all()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._after.close()
        if isinstance(error, LabError) and (logged := self._last_words()) not in str(error):
            raise LabError(f"{error}\nThe end of what the server wrote:\n{logged}") from None

    def _start(self) -> subprocess.Popen:
        environment = environment_of_modules(self._environment)
        allow_many()
        with open(self._log, "wb") as log:
            return subprocess.Popen(
                [sys.executable, keeper.__file__, *self._command],
                cwd=project_folder(),
                env=environment,
                stdin=subprocess.PIPE,  # its end is what the keeper waits for
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # an interrupt of the kernel is not for the server
            )

    def _wait_until_it_listens(self) -> int:
        limit = time.monotonic() + PATIENCE
        while self._keeper.poll() is None and time.monotonic() < limit:
            if port := listening(self._tree()):
                return port
            time.sleep(0.01)
        raise LabError(f"The server did not start. The end of what it wrote:\n{self._last_words()}")

    def _last_words(self) -> str:
        """The last line that names an error, or else the last three."""
        lines = self.log.splitlines()
        errors = [
            line.strip() for line in lines if re.match(r"\s*[\w.]*(Error|Configured): ", line)
        ]
        return "\n".join(errors[-1:] or lines[-3:])

    def _end(self) -> None:
        """End all of it at once, and wait until it has ended."""
        with held():
            processes = self._tree()
            self._keeper.stdin.close()  # at which the keeper ends all of them, and itself
            self._keeper.wait()
            limit = time.monotonic() + PATIENCE
            while not all(map(_has_ended, processes)) and time.monotonic() < limit:
                time.sleep(0.005)
            self._last_log = self.log

    def stop(self) -> int:
        """Ask the server to stop, as a deployment does (SIGTERM), and wait until it has.

        Returns:
            Its exit status; below zero, the signal that ended it.

        Raises:
            LabError: it goes on after PATIENCE seconds.
        """
        self.ask_to_stop()
        try:
            status = self._keeper.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise LabError(f"The server has not stopped within {PATIENCE} seconds.") from None
        return status - 256 if status > 128 else status  # a process hands on one byte

    def ask_to_stop(self) -> None:
        """Send it SIGTERM, and do not wait."""
        for process in self._tree()[:1]:
            _signal(process, signal.SIGTERM)

    @property
    def log(self) -> str:
        """What it has written so far."""
        if self._log is None or not self._log.exists():
            return self._last_log
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def processes(self) -> int:
        """How many processes it consists of now."""
        return len(self._tree())

    @property
    def threads(self) -> int:
        """How many threads its processes have now, all together, as the system counts them."""
        return sum(map(_threads, self._tree()))

    @property
    def memory(self) -> int:
        """How many bytes of memory its processes have in use, all together (resident)."""
        return sum(map(_resident, self._tree()))

    @property
    def processor_time(self) -> float:
        """How many seconds its processes have computed so far, all together.

        Unlike the time of a visit, other programs of the machine do not add to it.
        """
        return sum(map(_computed, self._tree()))

    @property
    def connections(self) -> int:
        """How many connections of clients are open now."""
        return connections(self._port, self._tree())

    def _tree(self) -> list[psutil.Process]:
        """The server's processes, the first one first."""
        if self._keeper is None:
            return []
        try:
            return psutil.Process(self._keeper.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []


def project_folder() -> Path:
    """The folder of the booted project's manage.py."""
    for folder in sys.path:
        if Path(folder, "manage.py").is_file():
            return Path(folder).resolve()
    raise LabError("There is no project to serve. Call boot() first.")


def _has_ended(process: psutil.Process) -> bool:
    """A zombie has: it holds nothing, and init may take a second to collect it."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _threads(process: psutil.Process) -> int:
    try:
        return process.num_threads()
    except psutil.Error:  # it has ended meanwhile
        return 0


def _computed(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:  # it has ended meanwhile
        return 0.0
    return times.user + times.system


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:  # it has ended meanwhile
        return 0


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
