"""One shell from its start to its end: time limit, environment, what became of its cells."""

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from ..ground import folders
from ..ground.errors import LabError
from .table import NAMES, Outcome

START_LIMIT = 90  # seconds for a shell to start and be set up, on a busy machine
MOST_SHOWN = 100_000  # characters kept of what one cell prints
# What this kernel's own boot, or the learner's profile, would change in a fresh shell. So would all
# that the demo project's settings read.
_NOT_INHERITED = {
    "DJANGO_SETTINGS_MODULE",
    "DJANGO_ALLOW_ASYNC_UNSAFE",
    "PYTHONSTARTUP",
    "PYTHONINSPECT",
    "JPY_PARENT_PID",
    "JPY_SESSION_NAME",
}


class Session:
    """One shell, from its start to its end, and what becomes of its cells."""

    def __init__(self, shell, before, cells, env, run_all, timeout):
        self.shell = shell
        self.before = len(before)
        self.cells = [*before, *cells]
        self.env = env
        self.run_all = run_all
        self.timeout = timeout
        self.done: dict[int, Outcome] = {}
        self.clock = asyncio.timeout(START_LIMIT)

    async def outcomes(
        self, play: Callable[["Session", Path], Awaitable[Outcome | None]]
    ) -> list[Outcome]:
        """Let `play` run the cells in a folder of their own; return what became of each.

        `play` returns how the shell died, if it did.
        """
        with tempfile.TemporaryDirectory(
            prefix=folders.prefix(), ignore_cleanup_errors=True
        ) as folder:
            try:
                async with self.clock:
                    ending = await play(self, Path(folder))
            except TimeoutError:
                ending = Outcome(f"hangs (stopped after {self.timeout:g} s)", "hangs")
        self._close(ending)
        return [self.done[index] for index in range(self.before, len(self.cells))]

    def started(self, index: int) -> None:
        if index == self.before:
            self.clock.reschedule(asyncio.get_running_loop().time() + self.timeout)

    def ended(self, index: int, shown: str, error: Sequence[str] | None) -> None:
        if error is None:
            self.done[index] = Outcome(shown.strip()[:MOST_SHOWN] or "(shows nothing)")
        else:
            name, message = error
            # IPython adds the cell's file and line, which differ from run to run.
            message = re.sub(r" \([^()]*, line \d+\)$", "", message.strip())
            first_line = message.splitlines()[0] if message else ""
            self.done[index] = Outcome(f"{name}: {first_line}".removesuffix(": "), "error")
        if index < self.before and error is not None:
            raise LabError(f"The set-up of {NAMES[self.shell]} failed: {self.done[index]}")

    def dropped(self, index: int) -> None:
        self.done[index] = Outcome("dropped (never ran)", "dropped")

    @property
    def unfinished(self) -> list[int]:
        return [index for index in range(len(self.cells)) if index not in self.done]

    def _close(self, ending: Outcome | None) -> None:
        """Give the cell that was running the `ending`; the ones behind it never ran."""
        for place, index in enumerate(self.unfinished):
            if index < self.before:
                raise LabError(f"{NAMES[self.shell]} did not get through its set-up: it {ending}.")
            self.done[index] = Outcome("never ran", "dropped") if place else ending

    def environment(self, folder: Path) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in _NOT_INHERITED and not name.startswith("LIBRARY_")
        }
        own = {name: str(folder) for name in ("IPYTHONDIR", "TMPDIR", "TEMP", "TMP")}
        return inherited | own | {"PYTHON_HISTORY": os.devnull} | self.env


def death(status: int) -> Outcome:
    if status < 0:
        return Outcome(f"dies ({signal.Signals(-status).name})", "dies")
    hidden = _hidden() if status == 1 else ""
    return Outcome(f"exits (status {status}){hidden}", "dies")


def _hidden() -> str:
    """Which modules of Python itself a shell cannot import here, and perhaps not start without."""
    standard = sys.stdlib_module_names
    files = sorted(path.name for path in Path.cwd().glob("*.py") if path.stem in standard)
    return (
        f": it took {', '.join(files)} in this folder for Python's own; rename it" if files else ""
    )
