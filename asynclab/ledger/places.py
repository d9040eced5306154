"""Where a lesson is, seen from the notebook that asks."""

from html import escape
from pathlib import Path


def link(words: str, notebook: str, cell: str) -> str:
    """Return HTML: a link to a cell of a lesson, or only its words where the lesson is not at hand.

    A kernel works in the folder of its notebook.
    """
    for folder in ("", "../notebooks/"):
        if Path(folder, notebook).exists():
            return (
                f'<a href="{folder}{escape(notebook)}#cell-id={escape(cell)}">{escape(words)}</a>'
            )
    return escape(words)
