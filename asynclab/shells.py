"""One source in several shells: a Jupyter kernel, terminal IPython and plain Python.

Each shell is a real process of its own, so whatever would spoil the lesson's kernel (nest_asyncio,
the guard off, a deadlock) happens there, and ends there, under a time limit.
"""

import asyncio
import html
import json
import os
import re
import signal
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Empty
from typing import Self

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

from .errors import LabError

NAMES = {"jupyter": "Jupyter", "ipython": "terminal IPython", "python": "plain Python"}

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
_BOOT = "from asynclab.boot import boot; boot()"
_START_LIMIT = 90  # seconds for a shell to start and be set up, on a busy machine
_QUIET = 1.0  # seconds of silence after which a kernel is asked whether it still answers
_MOST_SHOWN = 100_000  # characters kept of what one cell prints
# What this kernel's own boot, or the learner's profile, would change in a fresh shell.
_NOT_INHERITED = {
    "DJANGO_SETTINGS_MODULE",
    "DJANGO_ALLOW_ASYNC_UNSAFE",
    "LIBRARY_DATABASE",
    "PYTHONSTARTUP",
    "PYTHONINSPECT",
    "JPY_PARENT_PID",
    "JPY_SESSION_NAME",
}


class Outcome(str):
    """What one shell made of one cell, as a line of text.

    `kind` is "value" (what it printed and its last value), "error", "hangs", "dies", or "dropped"
    (the cell never ran).
    """

    kind: str

    def __new__(cls, text: str, kind: str = "value") -> Self:
        outcome = super().__new__(cls, text)
        outcome.kind = kind
        return outcome


class _NotInTable(LabError, KeyError):
    # KeyError alone would show the message's repr.
    __str__ = Exception.__str__


class Row(dict[str, Outcome]):
    """The outcomes of one shell, by column."""

    def __missing__(self, column: str) -> Outcome:
        raise _NotInTable(f"No column {column!r}. There are: {', '.join(map(repr, self))}.")


class ShellTable:
    """Outcomes side by side: a row for each shell, a column for each cell or question.

    `table["jupyter", "off"]["sync ORM?"]` is an `Outcome`; a shell with one row only goes by its
    name alone: `table["python"]["sync ORM?"]`. `rows` holds all of them by (shell, autoawait).
    """

    def __init__(self, rows: Mapping[tuple[str, str | None], Row], caption: str):
        self.rows = dict(rows)
        self.caption = caption

    def __getitem__(self, key: str | tuple[str, str]) -> Row:
        wanted = (key,) if isinstance(key, str) else tuple(key)
        found = [row for name, row in self.rows.items() if name[: len(wanted)] == wanted]
        if len(found) == 1:
            return found[0]
        keys = ", ".join(str(list(filter(None, name))) for name in self.rows)
        raise _NotInTable(f"No single row {key!r}. There are: {keys}.")

    def _grid(self) -> list[list[str]]:
        columns = list(next(iter(self.rows.values())))
        return [["shell", *columns]] + [
            [
                _label(*name),
                *(textwrap.shorten(row[c], 160, placeholder=" …") for c in columns),
            ]
            for name, row in self.rows.items()
        ]

    def __repr__(self) -> str:
        return f"{self.caption}\n\n{_text_table(self._grid())}"

    def _repr_html_(self) -> str:
        header, *rows = [[html.escape(text) for text in row] for row in self._grid()]
        left = 'style="text-align: left"'
        head = "".join(f'<th scope="col" {left}>{text}</th>' for text in header)
        body = "".join(
            f'<tr><th scope="row" {left}>{label}</th>'
            + "".join(f"<td {left}>{text}</td>" for text in outcomes)
            + "</tr>"
            for label, *outcomes in rows
        )
        caption = f"<caption {left}>{html.escape(self.caption)}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


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
    before = [_BOOT] * django + ([setup] if isinstance(setup, str) else list(setup))
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
    if os.name == "nt" and shell != "jupyter":
        return Row.fromkeys(columns, Outcome("not run on Windows", "dropped"))
    while pending:
        run = _Run(shell, before, [columns[name] for name in pending], **options)
        outcomes = dict(zip(pending, await run.outcomes(), strict=True))
        row |= outcomes
        lost = [name for name in pending if outcomes[name].kind == "dropped"]
        pending = lost if fresh and not options["run_all"] and len(lost) < len(pending) else []
    return row


class _Run:
    """One shell, from its start to its end, and what becomes of its cells."""

    def __init__(self, shell, before, cells, env, run_all, timeout):
        self.shell = shell
        self.before = len(before)
        self.cells = [*before, *cells]
        self.env = env
        self.run_all = run_all
        self.timeout = timeout
        self.done: dict[int, Outcome] = {}
        self.clock = asyncio.timeout(_START_LIMIT)

    async def outcomes(self) -> list[Outcome]:
        play = _play_in_kernel if self.shell == "jupyter" else _play_in_terminal
        with tempfile.TemporaryDirectory(
            prefix="asynclab-shell-", ignore_cleanup_errors=True
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
            self.done[index] = Outcome(shown.strip()[:_MOST_SHOWN] or "(shows nothing)")
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
        inherited = {k: v for k, v in os.environ.items() if k not in _NOT_INHERITED}
        own = {name: str(folder) for name in ("IPYTHONDIR", "TMPDIR", "TEMP", "TMP")}
        return inherited | own | {"PYTHON_HISTORY": os.devnull} | self.env


def _death(status: int) -> Outcome:
    if status < 0:
        return Outcome(f"dies ({signal.Signals(-status).name})", "dies")
    return Outcome(f"exits (status {status})", "dies")


# Terminal IPython and plain Python

_DRIVER = Path(__file__).with_name("shell_driver.py")
_COMMANDS = {
    "python": [sys.executable, "-c"],
    "ipython": [
        *(
            sys.executable,
            "-m",
            "IPython",
            "--simple-prompt",
            "--no-banner",
            "--no-confirm-exit",
        ),
        *(
            "--no-term-title",
            "--HistoryManager.enabled=False",
            "--colors=nocolor",
            "-i",
            "-c",
        ),
    ],
}


async def _play_in_terminal(run: _Run, folder: Path) -> Outcome | None:
    """Run the cells of `run`; return how the shell died, if it did."""
    order = {"cells": run.cells, "alarm": int(_START_LIMIT + run.timeout + 10)}
    process = await asyncio.create_subprocess_exec(
        *_COMMANDS[run.shell],
        _DRIVER.read_text(),
        env=run.environment(folder) | {"ASYNCLAB_SHELL": json.dumps(order)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async for shown, report in _reports(process.stdout):
            if "start" in report:
                run.started(report["start"])
            else:
                run.ended(report["end"], shown, report["error"])
            if not run.unfinished:
                return None
        return _death(await process.wait())
    finally:
        _kill_session(process.pid)
        await process.wait()


async def _reports(stream: asyncio.StreamReader) -> AsyncIterator[tuple[str, dict]]:
    """Yield each report of the driver with the text that was shown before it."""
    buffer = b""
    while chunk := await stream.read(65_536):
        *complete, buffer = (buffer + chunk).split(b"\x1f")
        buffer = buffer[-10 * _MOST_SHOWN :]
        for part in complete:
            shown, _, report = part.decode(errors="replace").rpartition("\x1e")
            yield shown, json.loads(report)


def _kill_session(leader: int) -> None:
    with suppress(ProcessLookupError):  # it may have ended by itself
        os.killpg(leader, signal.SIGKILL)


# Jupyter


async def _play_in_kernel(run: _Run, folder: Path) -> Outcome | None:
    """Run the cells of `run` in a fresh kernel; return how it died, if it did."""
    async with _kernel(run, folder) as (manager, client):
        everything = range(len(run.cells))
        before = [[index] for index in everything[: run.before]]
        asked = (
            [everything[run.before :]] if run.run_all else [[i] for i in everything[run.before :]]
        )
        for batch in [*before, *asked]:
            await _ask(run, manager, client, batch)
            if (status := await manager.provisioner.poll()) is not None:
                return _death(status)
    return None


class KernelOfThisPython(AsyncKernelManager):
    """The ipykernel of this very interpreter, whatever kernels are installed."""

    @default("kernel_spec_manager")
    def _only_the_native_kernel(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])


@asynccontextmanager
async def _kernel(run: _Run, folder: Path):
    manager = KernelOfThisPython(connection_file=str(folder / "kernel.json"))
    client = None
    try:
        with open(folder / "kernel.log", "wb") as log:  # noqa: ASYNC230 (a small local file)
            await manager.start_kernel(env=run.environment(folder), stdout=log, stderr=log)
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=_START_LIMIT)
        except RuntimeError:
            last = ((folder / "kernel.log").read_text().splitlines() or [""])[-1]
            raise LabError(f"A Jupyter kernel did not start. {last}".strip()) from None
        yield manager, client
    finally:
        if client is not None:
            client.stop_channels()
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)


async def _ask(run: _Run, manager, client, batch: Sequence[int]) -> None:
    """Queue the cells of `batch` at once and follow them until each has ended or was dropped."""
    run.started(batch[0])
    # An error does not stop the queue, as in cells tagged raises-exception.
    sent = {client.execute(run.cells[i], stop_on_error=False): i for i in batch}
    shown = dict.fromkeys(sent, "")
    probes = set()
    while any(index not in run.done for index in batch):
        try:
            reply = await client.get_shell_msg(timeout=_QUIET)
        except Empty:
            if not await manager.is_alive():
                return
            probes.add(client.kernel_info())
            continue
        cell, content = reply["parent_header"].get("msg_id"), reply["content"]
        if cell in sent:
            await _read_output(client, shown, until_idle=cell)
            failed = content["status"] == "error"
            error = (content["ename"], content["evalue"]) if failed else None
            run.ended(sent[cell], shown[cell], error)
        elif cell in probes:
            # The kernel answers in order: what it has not run by now, it never will.
            for index in set(batch) - run.done.keys():
                run.dropped(index)


async def _read_output(client, shown: dict[str, str], until_idle: str) -> None:
    """Add to `shown` what the kernel publishes, until the cell `until_idle` is through.

    An abandoned coroutine can make that last message carry another cell's name, so silence ends
    the wait as well. The verdict itself comes from the reply, which cannot be mixed up.
    """
    while True:
        try:
            message = await client.get_iopub_msg(timeout=_QUIET)
        except Empty:
            return
        cell, content = message["parent_header"].get("msg_id"), message["content"]
        if cell not in shown:
            continue
        match message["msg_type"]:
            case "stream" if content["name"] == "stdout":
                shown[cell] = (shown[cell] + content["text"])[:_MOST_SHOWN]
            case "execute_result" | "display_data":
                shown[cell] += content["data"].get("text/plain", "") + "\n"
            case "status" if cell == until_idle and content["execution_state"] == "idle":
                return


# The table as text


def _label(shell: str, autoawait: str | None) -> str:
    return NAMES[shell] + (f", %autoawait {autoawait}" if autoawait else "")


def _text_table(grid: list[list[str]], width: int = 110) -> str:
    """Return `grid` as aligned text, its cells wrapped to about `width` characters in all."""
    labels, *columns = zip(*grid, strict=True)
    share = width // len(grid[0])
    widths = [max(map(len, labels))]
    for column in columns:
        longest_word = max(len(word) for text in column for word in text.split())
        widths.append(min(max(share, longest_word), max(map(len, column))))
    rule = "-+-".join("-" * w for w in widths)
    lines = []
    for row in grid:
        wrapped = [textwrap.wrap(text, w) or [""] for text, w in zip(row, widths, strict=True)]
        for level in range(max(map(len, wrapped))):
            parts = [part[level] if level < len(part) else "" for part in wrapped]
            line = " | ".join(part.ljust(w) for part, w in zip(parts, widths, strict=True))
            lines.append(line.rstrip())
        lines.append(rule)
    return "\n".join(lines[:-1])
