"""Links from an exercise to the section of a lesson that it practises.

They name the cell with the section's heading, which JupyterLab finds whatever the heading says.
What a link says is the heading: `python -m asynclab.authoring generate` writes it anew.
"""

import re
from pathlib import Path

from nbformat import NotebookNode

from ..ground.errors import LabError
from .notebooks import read

LINK = re.compile(r"\[[^\n]*?\]\((?P<lesson>\.\./notebooks/[^)#]+)#cell-id=(?P<cell>[\w-]+)\)")


def renew_links(notebook: NotebookNode, path: Path) -> None:
    """Let each link to a section say what the section's heading says now.

    Args:
        notebook: it is changed.
        path: where it is; the links start from its folder.

    Raises:
        LabError: a link leads to no cell, or to one without a heading.
    """
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(lambda link: _renewed(link, path), cell.source)


def _renewed(link: re.Match, path: Path) -> str:
    heading = _heading(path.parent / link["lesson"], link["cell"])
    if heading is None:
        raise LabError(
            f"{path.name}: {link['lesson']} has no cell {link['cell']!r} with a heading."
        )
    return f"[{heading}]({link['lesson']}#cell-id={link['cell']})"


def _heading(lesson: Path, cell_id: str) -> str | None:
    """The first heading in a lesson's cell."""
    sources = [cell.source for cell in read(lesson).cells if cell.id == cell_id]
    found = re.search(r"^#+ (?P<heading>.*)", "".join(sources), re.MULTILINE)
    return found["heading"].strip() if found else None
