"""How faults get into a copy of the tree. An edit that finds nothing to change says so."""

import importlib.util
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

Plant = Callable[[Path], None]


class CannotPlant(Exception):
    """The catalogue is out of date: what a fault changes is not there."""


def text(path: str, old: str, new: str, *, everywhere: bool = False) -> Plant:
    """Replace `old` by `new` in a file.

    Args:
        path: the file, from the root of the tree.
        old: what stands there now, once, or with `everywhere` at least once.
    """

    def plant(root: Path) -> None:
        file = root / path
        if not file.is_file():
            raise CannotPlant(f"there is no file {path}")
        found = file.read_text(encoding="utf-8")
        times = found.count(old)
        if times == 0 or (times > 1 and not everywhere):
            raise CannotPlant(f"{path} holds {old!r} {times} times")
        file.write_text(found.replace(old, new), encoding="utf-8")

    return plant


def both(*plants: Plant) -> Plant:
    """One fault that takes several edits."""

    def plant(root: Path) -> None:
        for each in plants:
            each(root)

    return plant


def shadow(package: str, module: str, old: str, new: str) -> Plant:
    """Put a changed copy of an installed package in front of it, at the root of the tree.

    Args:
        module: the file in the package that `old` is replaced in, wherever it stands.
    """

    def plant(root: Path) -> None:
        origin = Path(importlib.util.find_spec(package).origin).parent
        shutil.copytree(origin, root / package, ignore=shutil.ignore_patterns("__pycache__"))
        text(f"{package}/{module}", old, new, everywhere=True)(root)

    return plant


def append(path: str, lines: str) -> Plant:
    """Add lines to the end of a file."""

    def plant(root: Path) -> None:
        with open(root / path, "a", encoding="utf-8") as file:
            file.write(f"\n{lines}\n")

    return plant


def swap(path: str, one: str, other: str) -> Plant:
    """Let two texts of a file change places."""
    return both(text(path, one, "\0"), text(path, other, one), text(path, "\0", other))


def drop_answers(path: str, number: str, label: str) -> Plant:
    """Take away whatever earns an exercise one of its diagnoses."""
    head = rf'    Answer\(\n        "{re.escape(number)}",\n        wrong="{label}"'
    answer = re.compile(rf"{head}.*?\n    \),\n", re.DOTALL)

    def plant(root: Path) -> None:
        file = find(root, path)
        rest, found = answer.subn("", file.read_text(encoding="utf-8"))
        if not found:
            raise CannotPlant(f"no answer to {number} in {path} is wrong as {label}")
        file.write_text(rest, encoding="utf-8")

    return plant


# --- notebooks


def nothing(root: Path) -> None:
    """For a fault that is not in a file but in the environment of the run."""


def notebook(path: str, change: Callable[[NotebookNode], None]) -> Plant:
    """Change a notebook as a whole.

    Args:
        path: the notebook, from the root; `*` stands for the rest of its name.
    """

    def plant(root: Path) -> None:
        file = find(root, path)
        found = nbformat.read(file, as_version=4)
        before = nbformat.writes(found)
        change(found)
        if nbformat.writes(found) == before:
            raise CannotPlant(f"nothing is changed in {path}")
        nbformat.write(found, file)

    return plant


def cell(path: str, cell_id: str, change: Callable[[NotebookNode], None]) -> Plant:
    """Change one cell of a notebook."""
    return notebook(path, lambda found: change(found.cells[place(found, cell_id)]))


def source(path: str, cell_id: str, old: str, new: str) -> Plant:
    """Replace `old` by `new` in the source of a cell."""

    def change(found: NotebookNode) -> None:
        found.source = found.source.replace(old, new)

    return cell(path, cell_id, change)


def output(path: str, cell_id: str, old: str, new: str) -> Plant:
    """Replace `old` by `new` in what a cell has said: printed text, results, errors."""

    def change(found: NotebookNode) -> None:
        for shown in found.outputs:
            for holder, key in ((shown, "text"), (shown, "evalue"), (shown.get("data"), TEXT)):
                if holder and key in holder:
                    holder[key] = holder[key].replace(old, new)

    return cell(path, cell_id, change)


TEXT = "text/plain"


def drop_cell(path: str, cell_id: str) -> Plant:
    """Delete a cell."""
    return notebook(path, lambda found: found.cells.pop(place(found, cell_id)))


def drop_tag(path: str, cell_id: str, tag: str) -> Plant:
    """Take a tag from a cell."""

    def change(found: NotebookNode) -> None:
        if tag in found.metadata.get("tags", ()):
            found.metadata.tags.remove(tag)

    return cell(path, cell_id, change)


def find(root: Path, path: str) -> Path:
    """The one file that `path` names; `*` stands for the rest of its name."""
    files = sorted(root.glob(path))
    if len(files) != 1:
        raise CannotPlant(f"{len(files)} files are named {path}")
    return files[0]


def place(found: NotebookNode, cell_id: str, cell_type: str = "") -> int:
    """The place of a cell among all cells, or among those of one type."""
    cells = [each for each in found.cells if cell_type in ("", each.cell_type)]
    for at, each in enumerate(cells):
        if each.id == cell_id:
            return at
    raise CannotPlant(f"no cell is named {cell_id}")


# --- what notebooks and cells are changed by


def strip_counts(found: NotebookNode) -> None:
    for each in found.cells:
        if each.cell_type == "code":
            each.execution_count = None


def strip_outputs(found: NotebookNode) -> None:
    for each in found.cells:
        if each.cell_type == "code":
            each.outputs = []


def exempt_all(found: NotebookNode) -> None:
    for each in found.cells:
        if each.cell_type == "code":
            tags = {*each.metadata.get("tags", ()), "nbval-ignore-output"}
            each.metadata.update(tags=sorted(tags), reason="It was red.")


def drop_reason(found: NotebookNode) -> None:
    found.metadata.pop("reason", None)


def drop_alt(found: NotebookNode) -> None:
    for shown in found.outputs:
        shown.metadata.pop("image/png", None)


def leave_view(found: NotebookNode) -> None:
    view = {"version_major": 2, "version_minor": 0, "model_id": "5f0c"}
    found.outputs[0].data["application/vnd.jupyter.widget-view+json"] = view


def leave_state(found: NotebookNode) -> None:
    found.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}


def leave_path(found: NotebookNode) -> None:
    found.outputs[0].data[TEXT] += "\n/home/ada/course/demo_project/library/models.py"


def rename(found: NotebookNode, old: str, new: str) -> None:
    """Replace a text in the prose of a notebook."""
    for each in found.cells:
        if each.cell_type == "markdown":
            each.source = each.source.replace(old, new)
