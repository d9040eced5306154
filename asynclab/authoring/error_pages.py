"""The index of errors: from the tables of all lessons, for `errors()` and as a page."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from nbformat import NotebookNode

from ..ground.errors import LabError
from ..ledger.error_index import DATA, Entry, occurs
from .error_table import rows_of, said
from .generated import as_json, stale, write_anew
from .notebooks import code_cells, read

PAGE = Path("notebooks", "errors.md")
_DATA = Path("asynclab", "ledger", DATA.name)
_NAMELESS = "Messages and warnings"
_HEAD = """# Errors

Every error text that a lesson explains, with its cause and its fix. The number leads to the cell
that shows it. `...` stands for what differs. In a notebook, `errors("Event loop is closed")` looks
one up.
"""


def write_index(checkout: Path) -> list[Path]:
    """Write the index anew; return the files that changed.

    Raises:
        LabError: no cell of a lesson shows a text that its table explains.
    """
    return write_anew(_files(checkout))


def stale_index(checkout: Path) -> list[str]:
    """Return the names of the files that are not what `write_index` writes."""
    return stale(_files(checkout), checkout)


def _files(checkout: Path) -> dict[Path, str]:
    entries = entries_of(checkout)
    data = as_json([asdict(entry) for entry in entries])
    return {checkout / _DATA: data, checkout / PAGE: _page(entries)}


def entries_of(checkout: Path) -> list[Entry]:
    """Return the entries of all lessons, by their text.

    Raises:
        LabError: no cell of a lesson shows a text that its table explains.
    """
    lessons = sorted((checkout / "notebooks").glob("*.ipynb"))
    found = [entry for path in lessons for entry in _entries(path)]
    return sorted(found, key=lambda entry: (entry.text.lower(), entry.lesson))


def _entries(path: Path) -> Iterator[Entry]:
    notebook = read(path)
    for texts, cause, fix in rows_of(notebook):
        for text in texts:
            cell = _shown_by(text, notebook)
            if cell is None:
                raise LabError(f"{path.name}: no cell shows the error {text}")
            yield Entry(text, cause, fix, path.name[:2], path.name, cell)


def _shown_by(text: str, notebook: NotebookNode) -> str | None:
    return next((cell.id for cell in code_cells(notebook) if occurs(text, said(cell))), None)


def _page(entries: list[Entry]) -> str:
    named = sorted(entries, key=lambda entry: (not entry.name, entry.name.lower()))
    parts = [_HEAD]
    for name, group in groupby(named, lambda entry: entry.name):
        rows = "\n".join(map(_line, group))
        parts.append(
            f"## {name or _NAMELESS}\n\n| Exact text | Cause | Fix | Lesson |\n"
            f"| --- | --- | --- | --- |\n{rows}\n"
        )
    return "\n".join(parts)


def _line(entry: Entry) -> str:
    where = f"[{entry.lesson}]({entry.notebook}#cell-id={entry.cell})"
    cells = [cell.replace("|", r"\|") for cell in (f"`{entry.text}`", entry.cause, entry.fix)]
    return f"| {' | '.join(cells)} | {where} |"
