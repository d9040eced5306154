"""The learner's copy of the course: without outputs, and never overwritten once it was changed.

    python -m asynclab.workspace             makes the copy, or brings it up to date
    python -m asynclab.workspace reset 03    gives lesson 03 back as the course has it
    python -m asynclab.workspace reset 03_exercises

A notebook counts as changed when the text of a cell has changed, or when cells were added or
removed. Running it does not change it. A notebook that is replaced is kept beside the new one if it
was changed or holds outputs.
ASYNCLAB_COPY names another folder than your_copy.

It needs only the standard library, because start.py runs this file by its path.
"""

import errno
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain, count
from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]
FOLDERS = ("notebooks", "exercises")
VARIABLE = "ASYNCLAB_COPY"
COMMAND = "python -m asynclab.workspace" if __spec__ else "python3 start.py"
"""How the reader called this."""

MARK = "asynclab"
"""Where a notebook's metadata say which text of the course it was made from."""


class Trouble(Exception):
    """Says in a line what cannot be done and what to do about it."""


class Notebook:
    """One notebook of the copy, and the course's own.

    Args:
        copy: the folder of the copy.
        original: the course's notebook, in one of its `FOLDERS`.
    """

    def __init__(self, copy: Path, original: Path):
        self.original = original
        self.path = copy / original.parent.name / original.name
        self.name = f"{original.parent.name}/{original.name}"

    @property
    def short(self) -> str:
        """What names it on the command line: 03 for a lesson, 03_exercises."""
        number, second, *_ = self.original.stem.split("_")
        return f"{number}_{second}" if self.name.startswith("exercises/") else number

    @property
    def new(self) -> str:
        """What is said of a copy that was not there."""
        return f"New: {self.name}."

    def update(self) -> str:
        """Make it, or renew it if the course's is newer and it is unchanged; say what was done."""
        fresh = without_outputs(read(self.original))
        if not self.path.exists():
            write(self.path, fresh)
            return self.new
        try:
            mine = read(self.path)
        except Trouble as why:
            return f"{why} It is left as it is. For a new one: {COMMAND} reset {self.short}"
        if mark(mine).get("course") == mark(fresh)["course"]:
            return ""
        if mark(mine).get("sources") != digest(sources(mine)):
            return (
                f"{self.name}: the course has a newer one, and yours is changed, so it is kept. "
                f"For the new one beside it: {COMMAND} reset {self.short}"
            )
        return self._replace(fresh, keep=has_outputs(mine))

    def reset(self) -> str:
        """Put the course's in its place, and say what was done."""
        fresh = without_outputs(read(self.original))
        if not self.path.exists():
            write(self.path, fresh)
            return self.new
        try:
            mine = read(self.path)
            same, keep = mine == fresh, has_outputs(mine) or sources(mine) != sources(fresh)
        except Trouble:
            same, keep = False, True
        return f"{self.name} is as the course has it." if same else self._replace(fresh, keep)

    def _replace(self, fresh: dict, keep: bool) -> str:
        aside = self._aside() if keep else None
        write(self.path, fresh, aside)
        kept = f" Yours is kept beside it: {aside.name}" if aside else ""
        return f"Renewed: {self.name}.{kept}"

    def _aside(self) -> Path:
        """A name that is free. The tab of a notebook shows the beginning of its name."""
        number, _, rest = self.path.name.partition("_")
        places = chain([""], (f"{place}_" for place in count(2)))
        names = (f"{number}_old_{date.today()}_{place}{rest}" for place in places)
        return next(path for path in map(self.path.with_name, names) if not path.exists())


# ---------------------------------------------------------------- what is in a notebook


def read(path: Path) -> dict:
    """The notebook in a file.

    Raises:
        Trouble: there is none.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        sources(notebook), notebook["metadata"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no notebook"
        raise Trouble(f"{path} cannot be read: {why}.") from None
    return notebook


def without_outputs(notebook: dict) -> dict:
    """The notebook as a learner gets it, with a mark that says what it was made from."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    made_from = {"course": digest(notebook), "sources": digest(sources(notebook))}
    return notebook | {"metadata": notebook["metadata"] | {MARK: made_from}}


def mark(notebook: dict) -> dict:
    """The mark, empty if there is none."""
    found = notebook["metadata"].get(MARK)
    return found if isinstance(found, dict) else {}


def sources(notebook: dict) -> list[tuple[str, str]]:
    """The cells' texts, without the empty cell that JupyterLab adds when the last cell is run.

    Raises:
        TypeError, KeyError: it is no notebook.
    """
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    return [(kind, text) for kind, text in cells if text.strip()]


def has_outputs(notebook: dict) -> bool:
    """Whether any of its cells shows something."""
    return any(cell.get("outputs") for cell in notebook["cells"])


def digest(content: object) -> str:
    """A short name for content that JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write(path: Path, notebook: dict, aside: Path | None = None) -> None:
    """Write a notebook: all of it or nothing. `aside` is where the one before is kept, if at all.

    Raises:
        OSError: nothing was changed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, new = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(notebook, file, indent=1, ensure_ascii=False, sort_keys=True)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(new, 0o644)  # an image may be made by another user than it is run by
        if aside:
            os.rename(path, aside)
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise


# ---------------------------------------------------------------- the whole copy


def notebooks(copy: Path) -> list[Notebook]:
    """Every notebook of the course, in reading order.

    Raises:
        Trouble: the course's notebooks are not there.
    """
    found = [path for folder in FOLDERS for path in sorted((COURSE / folder).glob("*.ipynb"))]
    if not found:
        raise Trouble(f"There are no notebooks in {COURSE}. Run this in a checkout of the course.")
    return [Notebook(copy, path) for path in found]


def update(copy: Path) -> Iterator[str]:
    """Make the copy, or bring it up to date; give a line for each notebook that needs one.

    Raises:
        Trouble: the course is not there.
        OSError: a notebook cannot be written; those before it are up to date, and none is lost.
    """
    course = notebooks(copy)
    first = not any(notebook.path.exists() for notebook in course)
    if first:
        yield f"Your copy of the course: {copy}"
    for notebook in course:
        try:
            line = notebook.update()
        except Trouble as why:  # the course's own is damaged; the others are not
            line = str(why)
        if line and not (first and line == notebook.new):
            yield line


def reset(copy: Path, wanted: Sequence[str]) -> Iterator[str]:
    """Give notebooks back as the course has them; give a line for each.

    Args:
        wanted: "03" for a lesson, "03_exercises", or more of a notebook's name or path.

    Raises:
        Trouble: one of them does not name a notebook; then none was touched.
        OSError: a notebook cannot be written; it stays as it was.
    """
    course = notebooks(copy)
    for notebook in [one_of(course, name) for name in wanted]:
        yield notebook.reset()
    yield "If it is open in JupyterLab, choose File, Reload Notebook from Disk."


def one_of(course: Sequence[Notebook], wanted: str) -> Notebook:
    """The notebook that somebody means.

    Raises:
        Trouble: there is none, or more than one.
    """
    name = Path(wanted).name.removesuffix(".ipynb")
    name = name.zfill(2) if name.isdigit() else name
    found = [each for each in course if each.short == name] or [
        each for each in course if each.original.stem.startswith(name)
    ]
    if len(found) != 1:
        known = ", ".join(sorted(each.short for each in course))
        raise Trouble(f"{wanted!r} is not the name of one notebook. Choose from: {known}")
    return found[0]


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; return the exit status."""
    copy = Path(os.environ.get(VARIABLE) or COURSE / "your_copy")
    try:
        match arguments:
            case []:
                lines = update(copy)
            case ["reset", *wanted] if wanted:
                lines = reset(copy, wanted)
            case _:
                raise Trouble(f"Say which notebook, for example: {COMMAND} reset 03")
        for line in lines:
            print(line, flush=True)
    except Trouble as why:
        print(why, file=sys.stderr)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "Free some space" if full else "Make it writable"
        print(
            f"Your copy cannot be written: {copy} ({error.strerror}). {remedy} and run this again.",
            file=sys.stderr,
        )
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
