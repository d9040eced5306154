"""The boxes that set a claim beside the machine's answer, written from `notebooks/claims.yml`.

A box is a Markdown cell whose metadata name a claim: {"claim": "U1"}. All of it is written here.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from nbformat import NotebookNode

from ..ground.errors import LabError
from .claims import AS_DOCUMENTED, ASGIREF, Claim, Quotation, read_claims
from .notebooks import read, write


def fill(path: Path, claims: Sequence[Claim]) -> bool:
    """Write the boxes of the notebook at `path` anew; return whether the file changed.

    Raises:
        LabError: a box names a claim that there is not.
    """
    notebook = read(path)
    texts = {claim.id: box(claim) for claim in claims}
    for cell in _boxes(notebook):
        if cell.metadata.claim not in texts:
            raise LabError(f"{path.name}: cell {cell.id} names the claim {cell.metadata.claim}.")
        cell.source = texts[cell.metadata.claim]
    return write(notebook, path)


def stale(checkout: Path) -> list[str]:
    """Return where the lessons' boxes and the claims differ, a line each."""
    claims = read_claims(checkout)
    lessons = sorted((checkout / "notebooks").glob("*.ipynb"))
    return [f"{path.name}: {fault}" for path in lessons for fault in _faults(path, claims)]


def _faults(path: Path, claims: Sequence[Claim]) -> Iterator[str]:
    cells = _boxes(read(path))
    for claim in claims:
        own = [cell for cell in cells if cell.metadata.claim == claim.id]
        expected = path.name.startswith(f"{claim.lesson}_")
        if len(own) != expected:
            yield f"{len(own)} boxes of the claim {claim.id}, where {expected:d} belongs"
        for cell in own:
            if cell.source != box(claim):
                yield f"cell {cell.id} is not what `authoring boxes` writes"
    known = {claim.id for claim in claims}
    for cell in cells:
        if cell.metadata.claim not in known:
            yield f"cell {cell.id} names the claim {cell.metadata.claim}, which claims.yml lacks"


def _boxes(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if "claim" in cell.metadata]


def box(claim: Claim) -> str:
    """Return the Markdown of the box for `claim`."""
    return "\n>\n".join(f"> {line}" for line in _lines(claim))


def _lines(claim: Claim) -> Iterator[str]:
    if claim.article != AS_DOCUMENTED:
        yield f"**Articles say, in our words:** {claim.article}"
    for quotation in claim.docs:
        yield f'**{_whose(quotation)}:** "{quotation.quote}"'
    yield f"**The machine says:** {claim.machine}"
    for stack, answer in claim.stacks:
        yield f"**On {stack}:** {answer}"
    if claim.why:
        yield f"**Why:** {claim.why}"


def _whose(quotation: Quotation) -> str:
    place = f"[{quotation.page}: {quotation.heading}]({quotation.link})"
    if ASGIREF in quotation.sources:
        return f"asgiref's documentation says ({place})"
    return f"Django's documentation says ({' and '.join(quotation.sources)}, {place})"
