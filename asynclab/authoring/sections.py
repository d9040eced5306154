"""A lesson's sections and their minutes.

Each cell is marked in its metadata: {"section": "core"}, or "deeper". The deeper sections stand
after the core and before the closing, which is core again. Minutes are a person's: prose is read
at 180 words a minute; each code cell takes half a minute to run and to look at, each prediction a
minute more, and each exercise two.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from nbformat import NotebookNode

from .contract import stated_minutes

CORE, DEEPER = "core", "deeper"
MOST_CORE = 90  # cells, for what a person can hold
MINUTES_OFF = 0.25  # between the minutes stated and counted
WORDS_A_MINUTE = 180
MINUTES_A_CELL, MINUTES_A_PREDICTION, MINUTES_AN_EXERCISE = 0.5, 1, 2

_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)


def check(notebook: NotebookNode) -> Iterator[str]:
    """Yield what is wrong with the sections of a lesson, their order and their minutes."""
    unmarked = [cell.id for cell in notebook.cells if _section(cell) not in (CORE, DEEPER)]
    if unmarked:
        yield f"{len(unmarked)} cells are in no section, {unmarked[0]} the first"
        return
    core = [cell for cell in notebook.cells if _section(cell) == CORE]
    deeper = [cell for cell in notebook.cells if _section(cell) == DEEPER]
    if len(core) > MOST_CORE:
        yield f"{len(core)} cells are core; {MOST_CORE} may be"
    yield from _order(notebook.cells)
    yield from _headings(notebook.cells)
    yield from _minutes(notebook.cells[0].source, core, deeper)


def _section(cell: NotebookNode) -> str | None:
    return cell.metadata.get("section")


def _order(cells: Sequence[NotebookNode]) -> Iterator[str]:
    runs = [(name, list(run)) for name, run in groupby(cells, _section)]
    if [name for name, _ in runs] not in ([CORE], [CORE, DEEPER, CORE]):
        yield f"its sections stand in the order {', '.join(name for name, _ in runs)}"
    elif len(runs) > 1:
        if not runs[1][1][0].source.startswith("## Deeper: "):
            yield "its first deeper cell is no heading '## Deeper: ...'"
        if not runs[2][1][0].source.startswith(("## When you see this", "## Recap")):
            yield "what follows its deeper sections is not the closing"


def _headings(cells: Sequence[NotebookNode]) -> Iterator[str]:
    for cell in cells:
        for heading in _HEADING.findall(cell.source if cell.cell_type == "markdown" else ""):
            if heading.startswith("Deeper: ") != (_section(cell) == DEEPER):
                yield f"cell {cell.id}: the heading {heading!r} is not one of {_section(cell)}"


def _minutes(first: str, *sections: Sequence[NotebookNode]) -> Iterator[str]:
    stated = stated_minutes(first)
    if stated is None:
        return  # the contract's own check says so
    for name, promised, cells in zip((CORE, DEEPER), stated, sections, strict=True):
        counted = minutes(cells)
        if abs(counted - promised) > MINUTES_OFF * promised:
            yield f"states {promised} {name} minutes; {counted:.0f} are counted"


def minutes(cells: Sequence[NotebookNode]) -> float:
    """Return how long `cells` take a person, counted as this module's description says."""
    code = [cell.source for cell in cells if cell.cell_type == "code" and cell.source.strip()]
    return (
        sum(words(cell.source) for cell in cells if cell.cell_type == "markdown") / WORDS_A_MINUTE
        + len(code) * MINUTES_A_CELL
        + sum("predict(" in source for source in code) * MINUTES_A_PREDICTION
        + sum("await check(" in source for source in code) * MINUTES_AN_EXERCISE
    )


def words(text: str) -> int:
    """Return how many words a person reads in `text`; a table's lines are none."""
    return sum(bool(re.search(r"\w", word)) for word in text.split())
