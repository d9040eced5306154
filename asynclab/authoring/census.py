"""What the notebooks prove: which claims have compared evidence, and what is not compared."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from .claims import read_claims
from .notebooks import FOLDERS, code_cells, exemption, read, tags

MOST_EXEMPT = 0.10
"""Of the code cells of a notebook that may be exempt from comparison."""
FRONT_PAGE = "notebooks/00_start_here.ipynb"
"""It shows what the kit draws, and what a reader has passed: it counts among all cells only."""

# nbval passes over these; a cell that shows nothing else proves nothing.
_NOT_COMPARED = ("image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json")


@dataclass
class Count:
    """The code cells of one notebook: all, compared with a result, and exempt from comparison."""

    name: str
    cells: int = 0
    compared: int = 0
    exempt: int = 0


@dataclass
class Census:
    """What was counted, and everything that must not be so."""

    counts: list[Count] = field(default_factory=list)
    evidence: dict[str, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = [f"{c.name:<52}{c.cells:>6}{c.compared:>10}{c.exempt:>8}" for c in self.counts]
        claims = [f"{name:<6}{', '.join(cells) or 'NONE'}" for name, cells in self.evidence.items()]
        head = f"{'notebook':<52}{'cells':>6}{'compared':>10}{'exempt':>8}"
        sum_up = f"{self.demonstrated} of {len(self.evidence)} claims demonstrated"
        return "\n".join([head, *rows, "", "claim evidence (notebook:cell)", *claims, "", sum_up])

    @property
    def demonstrated(self) -> int:
        """How many claims have a compared cell in their lesson."""
        return sum(bool(cells) for cells in self.evidence.values())


def take(checkout: Path) -> Census:
    """Count the notebooks below `checkout`; zero of what should be some is a problem."""
    census = Census(evidence={claim.id: [] for claim in read_claims(checkout)})
    lessons = {claim.id: claim.lesson for claim in read_claims(checkout)}
    if not lessons:
        census.problems.append("notebooks/claims.yml lists no claim.")
    for folder in FOLDERS:
        paths = sorted((checkout / folder).glob("*.ipynb"))
        if not paths:
            census.problems.append(f"{folder}/ holds no notebook.")
        for path in paths:
            _count(census, f"{folder}/{path.name}", read(path), lessons)
    census.problems += _shortfalls(census)
    return census


def _count(census: Census, name: str, notebook: NotebookNode, lessons: dict[str, str]) -> None:
    count = Count(name)
    census.counts.append(count)
    for cell in code_cells(notebook):
        count.cells += 1
        count.exempt += exemption(cell) is not None
        count.compared += _proves(cell)
        problems = [*_cell_problems(cell), *_note_claims(census, name, cell, lessons)]
        census.problems += [f"{name}:{cell.id} {problem}" for problem in problems]
    if not count.compared:
        census.problems.append(f"{name} has no compared cell.")


def _cell_problems(cell: NotebookNode) -> Iterator[str]:
    if cell.execution_count is None:
        yield "has no execution count: nbval would not compare it."
    exempt = exemption(cell)
    if exempt and not str(cell.metadata.get("reason", "")).strip():
        yield f"is exempt ({exempt}) without a reason in its metadata."


def _note_claims(
    census: Census, name: str, cell: NotebookNode, lessons: dict[str, str]
) -> Iterator[str]:
    """Enter `cell` as evidence for the claims it is tagged with; yield what is wrong with it."""
    for claim in _claims(cell):
        if claim not in lessons:
            yield f"has a tag for {claim}, which claims.yml lacks."
        elif not _proves(cell):
            yield f"has a tag for {claim} but no compared output."
        elif name.startswith(f"notebooks/{lessons[claim]}_"):
            census.evidence[claim].append(f"{lessons[claim]}:{cell.id}")


def _claims(cell: NotebookNode) -> Iterator[str]:
    return (tag.removeprefix("claim-") for tag in tags(cell) if tag.startswith("claim-"))


def _proves(cell: NotebookNode) -> bool:
    """Whether nbval compares something that `cell` shows."""
    if exemption(cell) or cell.execution_count is None:
        return False
    return any(_compared_text(output) for output in cell.outputs)


def _compared_text(output: NotebookNode) -> str:
    if output.output_type == "stream":
        return output.text.strip()
    if output.output_type == "error":
        return output.ename
    return "".join(str(v) for mime, v in output.data.items() if mime not in _NOT_COMPARED).strip()


def _shortfalls(census: Census) -> Iterator[str]:
    for claim, cells in census.evidence.items():
        if not cells:
            yield f"Claim {claim} has no compared evidence in its lesson."
    course = Count("the course")
    for count in census.counts:
        course.cells += count.cells
        course.exempt += count.exempt
    for count in (course, *census.counts):
        if count.exempt > MOST_EXEMPT * count.cells and count.name != FRONT_PAGE:
            yield (
                f"{count.name}: {count.exempt} of {count.cells} code cells are exempt; "
                f"at most {MOST_EXEMPT:.0%} may be."
            )
