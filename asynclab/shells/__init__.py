"""One source in several shells: a Jupyter kernel, terminal IPython and plain Python.

Each shell is a real process of its own, so whatever would spoil the lesson's kernel (nest_asyncio,
the guard off, a deadlock) happens there, and ends there, under a time limit.

table       what came out, side by side
session     one shell from its start to its end
kernel      how a Jupyter kernel gets its cells
terminal    how the other two get theirs, through driver.py
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from functools import partial

from ..ground.errors import LabError
from . import terminal
from .session import Session
from .table import NAMES, Outcome, Row, ShellTable

__all__ = ["INTERRUPTED", "NAMES", "Outcome", "questions", "shells"]

#: The five things that lesson 01 asks every shell. `sync ORM?` needs `django=True`.
questions = {
    "loop running?": """\
import asyncio
try:
    asyncio.get_running_loop()
    print("yes")
except RuntimeError:
    print("no")""",
    "sync ORM?": """\
from library.models import Book
print(Book.objects.count(), "books")""",
    "await at top level?": """\
import asyncio
print(await asyncio.sleep(0, "yes"))""",
    "asyncio.run?": """\
import asyncio
print(asyncio.run(asyncio.sleep(0, "yes")))""",
    "async_to_sync?": """\
import asyncio
from asgiref.sync import async_to_sync
print(async_to_sync(asyncio.sleep)(0, "yes"))""",
}

INTERRUPTED = "shells() was interrupted. The shells that it had started are gone."

_MODES = ("on", "off")
# boot() takes what another project needs out of the environment; what is asked for here stays.
_BOOT = "import os\nfrom asynclab.boot import boot\nboot()\nos.environ.update({env!r})"


def shells(
    cells: str | Sequence[str] | Mapping[str, str],
    *,
    shells: Sequence[str] = tuple(NAMES),
    autoawait: Sequence[str] = (),
    setup: Sequence[str] = (),
    django: bool = False,
    env: Mapping[str, str] | None = None,
    run_all: bool = False,
    timeout: float = 20,
    caption: str = "The same code in each shell",
) -> "Comparison":
    """Run the same cells in fresh shells, all at the same time: `await shells("1 + 1")`.

    Args:
        cells: one source; or a list, run one after another in the same shell, a column each; or a
            dict of questions, {column: source}, that do not depend on each other: if one hangs or
            kills its shell, the rest are asked in a fresh one.
        shells: which shells, of "jupyter", "ipython", "python".
        autoawait: "on", "off" or both: a row for each in the two IPython shells, where
            `%autoawait` is set to it first. Empty: left as it is.
        setup: cells that run first and are not shown.
        django: boot the demo project first, with a database of the shell's own.
        env: environment variables to add.
        run_all: send all cells at once, as Run All does, to shells that have a queue (Jupyter).
        timeout: seconds for the cells of one shell, its start and set-up not counted.
        caption: the table's title.

    Returns:
        Something to await; it gives a `ShellTable`.

    Raises:
        LabError: a bad argument; when awaited, a shell that did not start, or a set-up that failed.
    """
    columns = _columns(cells)
    _check_arguments(columns, shells, autoawait)
    before = [_BOOT.format(env=dict(env or {}))] * django + (
        [setup] if isinstance(setup, str) else list(setup)
    )
    jobs = {
        (shell, mode): partial(
            _row,
            shell,
            columns,
            before=before + ([f"%autoawait {mode}"] if mode else []),
            fresh=isinstance(cells, Mapping),
            env=dict(env or {}),
            run_all=run_all,
            timeout=timeout,
        )
        for shell in shells
        for mode in ((None,) if shell == "python" else tuple(autoawait) or (None,))
    }
    return Comparison(jobs, caption)


class Comparison:
    """Shells that wait for their `await`, and say so when they are shown without one.

    Args:
        jobs: what gives each row of the table, by (shell, autoawait).
        caption: the table's title.
    """

    def __init__(
        self,
        jobs: Mapping[tuple[str, str | None], Callable[[], Coroutine[object, None, Row]]],
        caption: str,
    ):
        self._jobs = jobs
        self._caption = caption

    def __await__(self) -> Generator[object, None, ShellTable]:
        return self._run().__await__()

    def __repr__(self) -> str:
        return "Nothing was run yet. Write: await shells(...)"

    async def _run(self) -> ShellTable:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {name: group.create_task(job()) for name, job in self._jobs.items()}
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        except asyncio.CancelledError as interrupt:
            # The same exception goes on: asyncio.timeout() knows no subclass of it before 3.13.
            interrupt._render_traceback_ = lambda: [INTERRUPTED]
            raise
        return ShellTable({name: task.result() for name, task in tasks.items()}, self._caption)


def _columns(cells: str | Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    if isinstance(cells, Mapping):
        return dict(cells)
    if isinstance(cells, str):
        return {"outcome": cells}
    return {f"cell {number}": source for number, source in enumerate(cells, 1)}


def _check_arguments(
    columns: Mapping[str, str], shells: Sequence[str], autoawait: Sequence[str]
) -> None:
    if not columns or not all(source.strip() for source in columns.values()):
        raise LabError("shells() needs at least one cell, and no cell may be empty.")
    for what, given, allowed in (("shells", shells, NAMES), ("autoawait", autoawait, _MODES)):
        names = [given] if isinstance(given, str) else list(given)
        if isinstance(given, str) or not set(names) <= set(allowed):
            choice = ", ".join(map(repr, allowed))
            raise LabError(f"{what} takes a list of {choice}; got {', '.join(map(repr, names))}.")
    if not shells:
        raise LabError(f"shells() needs at least one shell of {', '.join(map(repr, NAMES))}.")


async def _row(
    shell: str, columns: Mapping[str, str], before: list[str], fresh: bool, **options
) -> Row:
    """Return what `shell` makes of each column; with `fresh`, start again after a hang."""
    row, pending = Row(), list(columns)
    play = _jupyter() if shell == "jupyter" else terminal.play
    if os.name == "nt" and shell != "jupyter":
        return Row.fromkeys(columns, Outcome("not run on Windows", "dropped"))
    while pending:
        session = Session(shell, before, [columns[name] for name in pending], **options)
        outcomes = dict(zip(pending, await session.outcomes(play), strict=True))
        row |= outcomes
        lost = [name for name in pending if outcomes[name].kind == "dropped"]
        pending = lost if fresh and not options["run_all"] and len(lost) < len(pending) else []
    return row


def _jupyter():
    """What plays in a kernel. A plain program that starts none is not made to import Jupyter."""
    from .kernel import play

    return play
