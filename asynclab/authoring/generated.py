"""Files that are written from others, and never by hand."""

import json
import re
from pathlib import Path

from nbformat import NotebookNode

from .notebooks import code_cells

_LOOKS_UP = re.compile(r"^from asynclab import .*\b(?:errors|ledger)\b", re.MULTILINE)


def as_json(data: object) -> str:
    """Return `data` as the text of a JSON file."""
    return f"{json.dumps(data, indent=1, ensure_ascii=False)}\n"


def write_anew(files: dict[Path, str]) -> list[Path]:
    """Write each file that does not hold its text; return those."""
    changed = [path for path, text in files.items() if _differs(path, text)]
    for path in changed:
        path.write_text(files[path], encoding="utf-8")
    return changed


def stale(files: dict[Path, str], checkout: Path) -> list[str]:
    """Return the names of the files that do not hold their text."""
    changed = [path for path, text in files.items() if _differs(path, text)]
    return [path.relative_to(checkout).as_posix() for path in changed]


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text


def looks_up(notebook: NotebookNode) -> bool:
    """Whether a notebook shows the index of errors or the ledger, so that it changes with them."""
    return any(_LOOKS_UP.search(cell.source) for cell in code_cells(notebook))
