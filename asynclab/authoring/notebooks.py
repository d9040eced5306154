"""The course's notebooks as files."""

from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ..ground.errors import LabError

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = ("notebooks", "solutions", "exercises")

#: nbval leaves a cell with one of these uncompared, as a tag or (in capitals) as a comment.
EXEMPTIONS = ("nbval-ignore-output", "nbval-skip")


def find(*folders: str) -> list[Path]:
    """Return the notebooks of the checkout's `folders`, in reading order."""
    return [path for folder in folders for path in sorted((CHECKOUT / folder).glob("*.ipynb"))]


def read(path: Path) -> NotebookNode:
    """Return the notebook in the file `path`.

    Raises:
        LabError: there is no such file, or it is not a notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}.") from None
    except nbformat.reader.NotJSONError:
        raise LabError(f"{path} is not a notebook.") from None


def write(notebook: NotebookNode, path: Path) -> bool:
    """Write `notebook` to `path` unless the file holds just that; return whether it was written."""
    text = nbformat.writes(notebook) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells that have a source."""
    return [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]


def tags(cell: NotebookNode) -> Sequence[str]:
    """Return the tags of `cell`."""
    return cell.metadata.get("tags", [])


def exemption(cell: NotebookNode) -> str | None:
    """Return what keeps nbval from comparing the outputs of `cell`, if anything does."""
    comments = {line.strip().lstrip("# ") for line in cell.source.splitlines() if "#" in line}
    for name in EXEMPTIONS:
        if name in tags(cell) or name.upper().replace("-", "_") in comments:
            return name
    return None
