"""Make the mutants of an exercise's reference: one change at one place each."""

import ast
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import nbformat

from asynclab.exercises.book import every_exercise
from asynclab.exercises.stubs import SOLUTION, exercise_cells
from tests.harness.gate import solutions_of
from tests.proof.mutants import adapters, database, failures, generic, splitting, tasks
from tests.proof.mutants.operators import OPERATORS, Operator
from tests.proof.mutants.tree import FUNCTIONS, replaced

IMPORTS = {
    "async_to_sync": "from asgiref.sync import async_to_sync",
    "asyncio": "import asyncio",
    "connections": "from django.db import connections",
    "contextvars": "import contextvars",
    "sync_to_async": "from asgiref.sync import sync_to_async",
    "threading": "import threading",
    "types": "import types",
    "unittest": "import unittest",
}
"""What a change may need that the answer did without."""


ROOMS = (tasks, adapters, database, splitting, failures, generic)
"""The modules that register operators, the subject's own first: of two mutants with the same text
the first one stays."""


@dataclass(frozen=True)
class Mutant:
    """A changed answer.

    Args:
        number: the exercise's number.
        operator: what was changed, as "await-removed".
        line: the line of its cell in solutions/ where the change is.
        nth: which of those by this operator in this line, from 1.
        source: the whole cell.
    """

    number: str
    operator: str
    line: int
    nth: int
    source: str

    @property
    def id(self) -> str:
        """Such as "3.4 gather-sequential@17", and "...@17#2" for the second in that line."""
        place = f"{self.line}#{self.nth}" if self.nth > 1 else f"{self.line}"
        return f"{self.number} {self.operator}@{place}"


def count() -> int:
    """How many mutants there are, of all exercises."""
    return sum(map(len, every_mutant().values()))


@cache
def every_mutant() -> dict[str, list[Mutant]]:
    """The mutants of every exercise, by its number."""
    return {
        exercise.number: mutants_of(exercise.number, reference(exercise.number))
        for exercise in every_exercise()
    }


@cache
def reference(number: str) -> str:
    """The cell in solutions/ that holds an exercise's answer, with its markers."""
    lesson = int(number.partition(".")[0])
    notebook = nbformat.read(solutions_of(lesson), as_version=4)
    return exercise_cells(notebook)[number].source


def mutants_of(number: str, cell: str) -> list[Mutant]:
    """The mutants of the answer that is marked in `cell`, by place. No two are the same text."""
    tree = ast.parse(cell)
    known = {_source(tree)}
    places: Counter = Counter()
    mutants = []
    for operator, node in _places(tree, _answer_lines(cell)):
        for instead in operator.change(node):
            source = _source(replaced(tree, (node, instead)))
            if source not in known and _compiles(source):
                known.add(source)
                line = _line(node)
                places[operator.name, line] += 1
                nth = places[operator.name, line]
                mutants.append(Mutant(number, operator.name, line, nth, source))
    return mutants


def _places(tree: ast.Module, lines: set[int]) -> Iterator[tuple[Operator, ast.AST]]:
    """Each node of the answer, with each operator that may look at it."""
    for node in sorted(ast.walk(tree), key=_position):
        for operator in OPERATORS.values():
            if _line(node) in lines or (operator.whole and _holds(node, lines)):
                yield operator, node


def _position(node: ast.AST) -> tuple[int, int]:
    return _line(node), getattr(node, "col_offset", 0)


def _line(node: ast.AST) -> int:
    """The line of a node; of a comprehension, that of its target."""
    node = node.target if isinstance(node, ast.comprehension) else node
    return getattr(node, "lineno", 0)


def _holds(node: ast.AST, lines: set[int]) -> bool:
    return isinstance(node, FUNCTIONS) and any(each.lineno in lines for each in node.body)


def _answer_lines(cell: str) -> set[int]:
    lines = set()
    for found in SOLUTION.finditer(cell):
        first = cell.count("\n", 0, found.start("text")) + 1
        lines.update(range(first, first + found["text"].count("\n")))
    return lines


def _source(tree: ast.Module) -> str:
    """The text of a mutant, with the imports that its change needs."""
    text = ast.unparse(ast.fix_missing_locations(tree))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    lines = [line for name, line in IMPORTS.items() if name in used]
    return "\n".join([*lines, "", text])


def _compiles(source: str) -> bool:
    with warnings.catch_warnings(action="ignore"):
        try:
            compile(source, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except SyntaxError:
            return False
    return True
