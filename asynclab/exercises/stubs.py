"""Make exercises/ from solutions/: each marked answer becomes a stub for the reader to fill in.

A solution stands between nbgrader's markers, `### BEGIN SOLUTION` and `### END SOLUTION`, in a cell
with the tag `exercise-1.2`. Source of the markers: nbgrader's ClearSolutions preprocessor.
"""

from __future__ import annotations

import ast
import copy
import re
from typing import TYPE_CHECKING

from ..ground.errors import LabError

if TYPE_CHECKING:
    from nbformat import NotebookNode  # takes seconds to import, and every kernel comes by here

HERE = "# your code here"
STUB = f"raise NotImplementedError  {HERE}"
"""What stands in a function that nobody has written yet."""

SOLUTION = re.compile(
    r"^(?P<indent>[ \t]*)### BEGIN SOLUTION[ \t]*\n(?P<text>.*?)^[ \t]*### END SOLUTION[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
TAG = re.compile(r"exercise-(\d+\.\d+)")
SOLUTION_ONLY = "solution-only"


def generate(solutions: NotebookNode) -> NotebookNode:
    """The reader's notebook: stubs in place of solutions, and no outputs.

    Cells with the tag `solution-only` are left out. Everything else, cell ids too, is copied.

    Args:
        solutions: a notebook of solutions/; it is not changed.

    Raises:
        LabError: a marker has no partner, or no stub can be made.
        SyntaxError: a cell with a solution is not Python.
    """
    exercises = copy.deepcopy(solutions)
    exercises.cells = [cell for cell in exercises.cells if SOLUTION_ONLY not in tags(cell)]
    for cell in exercises.cells:
        if cell.cell_type == "code":
            cell.source = stub(cell.source)
            cell.outputs = []
            cell.execution_count = None
    return exercises


def stub(source: str) -> str:
    """`source` with each marked solution replaced.

    Inside a function the stub is `raise NotImplementedError`. Elsewhere each name that the solution
    binds becomes `...`.

    Raises:
        LabError, SyntaxError: see `generate`.
    """
    stubbed = SOLUTION.sub(lambda found: _stub_of(source, found), source)
    if "### BEGIN SOLUTION" in stubbed or "### END SOLUTION" in stubbed:
        raise LabError("A solution marker has no partner. Each BEGIN needs an END below it.")
    return stubbed


def answer(source: str) -> str:
    """`source` with each marked solution, and without the markers."""
    return SOLUTION.sub(lambda found: found["text"].removesuffix("\n"), source)


def exercise_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The cells that hold a solution, by the number of their exercise.

    Raises:
        LabError: two cells have the same number.
    """
    cells = {}
    for cell in notebook.cells:
        for number in filter(None, map(exercise_number, tags(cell))):
            if number in cells:
                raise LabError(f"Two cells have the tag exercise-{number}. Keep one.")
            cells[number] = cell
    return cells


def exercise_number(tag: str) -> str | None:
    """ "1.2" for the tag "exercise-1.2", None for any other tag."""
    found = TAG.fullmatch(tag)
    return found[1] if found else None


def tags(cell: NotebookNode) -> list[str]:
    """The tags in a cell's metadata."""
    return cell.metadata.get("tags", [])


def bound_names(statement: ast.stmt) -> list[str]:
    """The names that a statement binds by assignment, `def` or `class`, in their order."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    return [
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


def parse(cell: str) -> ast.Module:
    """The tree of a cell's source; a line that starts with a magic counts as a comment.

    Raises:
        SyntaxError: as `ast.parse` does.
    """
    return ast.parse(re.sub(r"^[%!]", "#", cell, flags=re.MULTILINE))


def _stub_of(source: str, found: re.Match) -> str:
    indent = found["indent"]
    if _in_function(source, source.count("\n", 0, found.start()) + 1):
        return indent + STUB
    names = _names_bound_by(found["text"])
    if not names:
        raise LabError(f"No stub for a solution that binds no name: {found['text'].strip()!r}")
    return "\n".join(f"{indent}{name} = ...  {HERE}" for name in names)


def _in_function(source: str, line: int) -> bool:
    """Whether the innermost function or class around `line` is a function."""
    scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    around = [
        node
        for node in ast.walk(parse(source))
        if isinstance(node, scopes) and node.lineno < line <= node.end_lineno
    ]
    innermost = max(around, key=lambda node: node.lineno, default=None)
    return innermost is not None and not isinstance(innermost, ast.ClassDef)


def _names_bound_by(text: str) -> list[str]:
    lines = text.splitlines(keepends=True)
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    tree = parse("".join(line[margin:] or "\n" for line in lines))
    return list(dict.fromkeys(name for item in tree.body for name in bound_names(item)))
