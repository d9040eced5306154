"""What the reader has done so far: one small file on this machine, and nowhere else."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from html import escape
from itertools import count
from pathlib import Path

import platformdirs

from ..ground.errors import LabError
from .book import exercises_of, lessons
from .verdicts import NOT_ATTEMPTED, PASSED, Verdict, framed

VERSION = 1
VARIABLE = "ASYNCLAB_PROGRESS"
"""Names the file to use; `memory` keeps nothing."""

CHECKOUT = Path(__file__).parents[2]

ONLY_HERE = "Progress is kept only while this kernel runs"

_memory: dict[str, dict] = {}
_unsaved: list[tuple[str, Callable[[dict], None]]] = []
_told: set[str] = set()


class Damaged(Exception):
    """The file is not one that the kit has written."""


@dataclass(frozen=True)
class LessonCount:
    """A lesson's count of exercises, and the numbers of those that are left."""

    lesson: str
    passed: int
    attempted: int
    total: int
    left: tuple[str, ...]


class Progress:
    """A table: for each lesson how many exercises were passed and attempted, and what is left."""

    def __init__(self, rows: list[LessonCount]):
        self.rows = rows

    def __repr__(self) -> str:
        lines = [
            f"{row.lesson:<8}{row.passed:>8}{row.attempted:>11}{row.total:>7}   {_named(row)}"
            for row in self.rows
        ]
        head = f"{'lesson':<8}{'passed':>8}{'attempted':>11}{'total':>7}   left"
        return "\n".join([head, *map(str.rstrip, lines), "", self._ending()])

    def _repr_html_(self) -> str:
        heads = "".join(
            f'<th scope="col">{name}</th>'
            for name in ("lesson", "passed", "attempted", "total", "left")
        )
        rows = "".join(
            f'<tr><th scope="row">{escape(row.lesson)}</th><td>{row.passed}</td>'
            f"<td>{row.attempted}</td><td>{row.total}</td>"
            f'<td style="text-align: left">{escape(_named(row))}</td></tr>'
            for row in self.rows
        )
        caption = "<caption>Your exercises</caption>"
        return framed(
            f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
            f"<p>{self._ending()}</p>"
        )

    def _ending(self) -> str:
        total, left = sum(row.total for row in self.rows), sum(len(row.left) for row in self.rows)
        if left:
            return f"{left} of {total} exercises are left."
        return f"Nothing is left: you have passed all {total} exercises."


def _named(row: LessonCount) -> str:
    return ", ".join(row.left)


def progress() -> Progress:
    """Show what was passed and attempted so far, and what is left, lesson by lesson."""
    known, rows = _read(), []
    for lesson in lessons():
        try:
            numbers = [exercise.number for exercise in exercises_of(lesson)]
        except LabError as problem:
            print(problem)
        else:
            rows.append(_row(lesson, numbers, known))
    return Progress(rows)


def note_verdict(verdict: Verdict) -> None:
    """Remember a verdict. What was passed once stays passed."""
    if verdict.outcome == NOT_ATTEMPTED:
        return

    def change(entry: dict) -> None:
        if entry.get("verdict") != PASSED:
            entry["verdict"] = verdict.outcome
        entry["checks"] = entry.get("checks", 0) + 1

    _change(verdict.number, change)


def note_hint(number: str, total: int, place: int | None = None) -> int:
    """Remember which hint is shown, and return its place, from 1 to `total`.

    Args:
        place: None for the one after the hint that was shown last.
    """

    def change(entry: dict) -> None:
        entry["hints"] = place or min(entry.get("hints", 0) + 1, total)

    return _change(number, change)["hints"]


def _row(lesson: int, numbers: list[str], known: dict[str, dict]) -> LessonCount:
    verdicts = {number: known.get(number, {}).get("verdict") for number in numbers}
    attempted = sum(verdict is not None for verdict in verdicts.values())
    left = tuple(number for number, verdict in verdicts.items() if verdict != PASSED)
    passed = len(numbers) - len(left)
    return LessonCount(f"{lesson:02d}", passed, attempted, len(numbers), left)


def _change(number: str, change: Callable[[dict], None]) -> dict:
    """Change one exercise's entry, in the file as it is now, and return it."""
    path = _path()
    if path is None:
        return _changed(_memory, number, change)
    _unsaved.append((number, change))
    with _locked(path):
        content = _with_unsaved(_load(path))
        try:
            _save(path, content)
            _unsaved.clear()
        except OSError as error:
            _tell(f"{ONLY_HERE}: {path} cannot be written ({error.strerror or error}).")
    return content["exercises"][number]


def _changed(known: dict[str, dict], number: str, change: Callable[[dict], None]) -> dict:
    entry = known.setdefault(number, {})
    change(entry)
    return entry


def _with_unsaved(content: dict) -> dict:
    """The file's content after the changes that it could not take so far."""
    for number, change in _unsaved:
        _changed(content["exercises"], number, change)
    return content


def _read() -> dict[str, dict]:
    path = _path()
    if path is None:
        return _memory
    with _locked(path):
        return _with_unsaved(_load(path))["exercises"]


# --- where --------------------------------------------------------------------------------------


def _path() -> Path | None:
    """The file, in a folder that can be written; None to keep everything in memory."""
    wish = os.environ.get(VARIABLE)
    # A test run of the notebooks must neither see nor change what the reader has done.
    if wish == "memory" or (wish is None and "PYTEST_VERSION" in os.environ):
        return None
    home = platformdirs.user_data_path("asynclab") / "progress.json"
    # Beside an installed package stand other packages, not a course.
    checkout = (CHECKOUT / "exercises").is_dir()
    beside = [CHECKOUT / ".progress" / "progress.json"] if checkout else []
    places = [Path(wish)] if wish else [*beside, home]
    for place in places:
        if _can_write(place.parent):
            return place
    _tell(f"{ONLY_HERE}: {places[-1].parent} cannot be written.")
    return None


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _tell(message: str) -> None:
    if message not in _told:
        _told.add(message)
        print(message)


# --- how ----------------------------------------------------------------------------------------


def _load(path: Path) -> dict:
    """The file's content: a version, entries by exercise, and what a newer version may add."""
    try:
        content = _parsed(path.read_bytes())
    except FileNotFoundError:
        return {"version": VERSION, "exercises": {}}
    except (Damaged, OSError):
        aside = _set_aside(path)
        _tell(f"{path.name} cannot be read. It is kept as {aside.name}; a new one begins.")
        return {"version": VERSION, "exercises": {}}
    if content["version"] > VERSION:
        _tell(f"{path.name} was written by a newer version of the kit. What it holds is kept.")
    return content


def _parsed(text: bytes) -> dict:
    try:
        content = json.loads(text)
        version, entries = content["version"], list(content["exercises"].values())
        counts = [entry.get(name, 0) for entry in entries for name in ("checks", "hints")]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Damaged from None
    if not all(type(number) is int for number in (version, *counts)) or version < VERSION:
        raise Damaged
    return content


def _set_aside(path: Path) -> Path:
    names = (path.with_name(f"{path.stem}.damaged-{number}.json") for number in count(1))
    aside = next(name for name in names if not name.exists())
    os.replace(path, aside)
    return aside


def _save(path: Path, content: dict) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock between kernels for the length of a block."""
    with ExitStack() as stack:
        # A full disk, and some network file systems, have none; the atomic write is then all.
        with suppress(OSError):
            _lock(stack.enter_context(open(path.with_name("lock"), "a+b")))
        yield  # Closing the file gives the lock back, also when the kernel is killed.


if os.name == "nt":
    import msvcrt

    def _lock(file) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
else:
    import fcntl

    def _lock(file) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
