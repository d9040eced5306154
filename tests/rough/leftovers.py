"""What is left behind once the kernels of a test have gone.

Whatever a watched test starts carries a mark in its environment, which children inherit: it is
found although its parent has gone. It also gets empty folders in place of those that it shares with
the rest of the machine, so whatever is in them afterwards is left over.

A kernel's threads, open files and sockets end with its process; the ones counted here are those of
the test's own process and of processes that should be gone.
"""

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

CHECKOUT = Path(__file__).resolve().parents[2]
MARK = "ASYNCLAB_WATCHED"
FOLDERS = ("TMPDIR", "JUPYTER_RUNTIME_DIR", "XDG_DATA_HOME")
# Made by tools, as .gitignore says, and not by a kernel.
TOOLS = {".git", ".venv", ".venv.lock", "build", "dist", "test-results", "__pycache__"}
TOOLS |= {".pytest_cache", ".ruff_cache"}
DATA = {".json", ".sqlite3"}
PATIENCE = 10
"""Seconds that a process may take to end: a kernel looks once a second whether its parent lives."""


class Watch:
    """The state before, and the means to see what has come since.

    Args:
        folder: where to make the watched folders; it exists.
        checkout: the folder of the course.

    Attributes:
        environment: the variables that whatever is to be watched has to be started with.
    """

    def __init__(self, folder: Path, checkout: Path = CHECKOUT):
        self._checkout = checkout
        self._folders = [folder / name for name in FOLDERS]
        for each in self._folders:
            each.mkdir()
        self.environment = {MARK: uuid.uuid4().hex} | {
            each.name: str(each) for each in self._folders
        }
        self._before = set(self._own())
        self._older = set(psutil.Process().children(recursive=True))

    def left(self, patience: float = PATIENCE) -> list[str]:
        """What has come and is still there, a line each.

        Args:
            patience: seconds to wait for processes that are about to end.
        """
        psutil.wait_procs(self.processes(), timeout=patience)
        new = sorted(set(self._own()) - self._before)
        return [*map(_described, self.processes()), *self.files(), *new]

    def processes(self) -> list[psutil.Process]:
        """Processes that are below this one, or carry the mark, wherever they are now."""
        mine = psutil.Process()
        below = set(mine.children(recursive=True)) - self._older
        marked = {each for each in psutil.process_iter() if self._is_marked(each)}
        return [each for each in below | marked if each != mine and _lives(each)]

    def kill(self) -> None:
        """End the processes that are left, so that a test that fails leaves nothing to the next."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def files(self) -> list[str]:
        """What is in the watched folders, the contents of a folder not counted one by one."""
        return [f"{each.name}/{path.name}" for each in self._folders for path in each.iterdir()]

    def sweep(self) -> None:
        """Do what the next learner does: start Python and call `boot()`, then end."""
        command = [sys.executable, "-c", "from asynclab import boot; boot()"]
        environment = os.environ | self.environment
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)

    def _own(self) -> Iterator[str]:
        """This process's threads and servers, the checkout's files, and its data with their times.

        An author may save a file while the tests run; that is no news of a kernel.
        """
        yield from (f"thread {thread.name}" for thread in threading.enumerate())
        yield from (f"this process listens on {address}" for address in _listens(psutil.Process()))
        for folder, below, names in os.walk(self._checkout):
            below[:] = set(below) - TOOLS
            for path in (Path(folder, name) for name in set(names) - TOOLS):
                name = str(path.relative_to(self._checkout))
                yield name + _changed(path) if path.suffix in DATA else name

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == self.environment[MARK]
        except psutil.Error:
            return False  # somebody else's, or about to end


def _changed(path: Path) -> str:
    return f" of {path.stat().st_mtime_ns}"


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _described(process: psutil.Process) -> str:
    try:
        listens = "".join(f", listens on {address}" for address in _listens(process))
        return f"process {process.pid}{listens}: {' '.join(process.cmdline())[:200]}"
    except psutil.NoSuchProcess:
        return f"process {process.pid}, which has ended meanwhile"


def _listens(process: psutil.Process) -> list[str]:
    sockets = process.net_connections(kind="inet")
    return [
        f"{each.laddr.ip}:{each.laddr.port}"
        for each in sockets
        if each.status == psutil.CONN_LISTEN
    ]
