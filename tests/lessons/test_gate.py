"""The gate that every exercise passes: in a kernel, through the same `await check`.

The stub is not attempted, the reference and other right answers pass, and each wrong answer earns
its own diagnosis.
"""

import ast
import functools
import importlib
import inspect
import pkgutil
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator

import nbformat
import pytest

from asynclab.exercises import stubs
from asynclab.exercises.book import Exercise, every_exercise
from asynclab.exercises.stubs import exercise_cells, stub
from asynclab.exercises.verdicts import NOT_ATTEMPTED, NOT_YET, PASSED
from asynclab.lessons import vocabulary
from tests.harness.beside import mixture
from tests.harness.gate import INTERNALS, Kernel, solutions_of
from tests.lessons import Answer, lesson

EXERCISES = every_exercise()
LESSONS = sorted({exercise.lesson for exercise in EXERCISES})

COMMON = {"hangs", "returned-coroutine", "returned-future", "generator", "not-callable"}
"""Diagnoses of `Given.call` that name a thought which went wrong."""
VAGUE = {"raised"}
"""Diagnoses that only say what happened. They do not count."""


def answers_to(exercise: Exercise) -> list[Answer]:
    answers = lesson(exercise.lesson).ANSWERS
    return [answer for answer in answers if answer.number == exercise.number]


@pytest.fixture(scope="module")
def kernel_of() -> Iterator[Callable[[int], Kernel]]:
    """Gives a lesson's kernel; the cases come lesson by lesson, so one runs at a time."""
    running: dict[int, Kernel] = {}

    def close() -> None:
        while running:
            running.popitem()[1].close()

    def start(lesson: int) -> Kernel:
        if lesson not in running:
            close()
            running[lesson] = Kernel(lesson)
        return running[lesson]

    yield start
    close()


def cases() -> Iterator[object]:
    """For every exercise: its stub, its reference, and each answer of tests/lessons."""
    for exercise in EXERCISES:
        number = exercise.number
        yield pytest.param(exercise, stub, (NOT_ATTEMPTED, ""), id=f"{number} stub")
        yield pytest.param(exercise, str, (PASSED, ""), id=f"{number} solution")
        seen = Counter()
        for answer in answers_to(exercise):
            expected = (NOT_YET, answer.wrong) if answer.wrong else (PASSED, "")
            seen[answer.label] += 1
            # One more answer that earns the same changes no name: faults are checked by name.
            again = f", {seen[answer.label]}" if seen[answer.label] > 1 else ""
            yield pytest.param(exercise, answer.source, expected, id=answer.label + again)


def test_there_are_exercises():
    assert EXERCISES


@pytest.mark.parametrize(("exercise", "source", "expected"), list(cases()))
def test_verdict(kernel_of, exercise, source, expected):
    """`source` is a cell, or makes one from the cell in solutions/."""
    kernel = kernel_of(exercise.lesson)
    solution = kernel.cells[exercise.number].source
    if callable(source):
        source = source(solution)
    *verdict, text = kernel.verdict(exercise, source)
    assert tuple(verdict) == expected, text
    assert given_away(text, solution, source) == []
    assert not INTERNALS.search(text), text
    assert kernel.aftermath(source) == ""


@pytest.mark.parametrize("lesson", LESSONS)
def test_verdict_depends_on_the_answer_alone(kernel_of, lesson):
    """At night each of these alone: test_beside.py."""
    kernel = kernel_of(lesson)
    assert kernel.refused(mixture(), kernel.references()) == []


SPOILED = """
import asyncio
from library.models import Author, Book, Loan, Member
await Loan.objects.all().adelete()
await Book.objects.all().adelete()
"""
# On a new connection, which opens the file that is in use.
LEFT = "await asyncio.to_thread(lambda: (Author.objects.count(), Book.objects.count()))"


def test_reader_has_the_data_of_before_again(kernel_of):
    kernel = kernel_of(0)
    kernel.run(SPOILED)
    verdict = kernel.verdict(EXERCISES[0], kernel.cells["0.1"].source)
    kernel.run(f"left = {LEFT}")
    assert (verdict[0], kernel.run("", left="left")["left"]) == (PASSED, "(18, 0)")
    kernel.run("boot()")


def test_what_checked_code_writes_is_gone(kernel_of):
    kernel = kernel_of(0)
    source = "async def count_books():\n    await Book.objects.all().adelete()"
    kernel.verdict(EXERCISES[0], source)
    kernel.run("left = await Book.objects.acount()")
    assert kernel.run("", left="left")["left"] == "47"


def test_recorded_check_names_the_readers_function(kernel_of):
    kernel = kernel_of(0)
    kernel.run(kernel.cells["0.1"].source)
    kernel.run(
        "from asynclab.recorder import taps\nwith taps.recording() as seen:\n    await check('0.1')"
    )
    names = ast.literal_eval(kernel.run("", n="[span.name for span in seen.spans]")["n"])
    assert "count_books" in names
    assert not [name for name in names if "_as_a_cell" in name or "_Library" in name]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.number)
def test_exercise_is_complete(exercise):
    declared = diagnoses(textwrap.dedent(inspect.getsource(exercise.grade)))
    assert shortcomings(exercise, declared, answers_to(exercise)) == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_solution_cell_has_an_exercise(lesson):
    numbers = {exercise.number for exercise in EXERCISES if exercise.lesson == lesson}
    assert set(exercise_cells(nbformat.read(solutions_of(lesson), as_version=4))) == numbers


def test_no_diagnosis_is_dead():
    for module in {sys.modules[exercise.grade.__module__] for exercise in EXERCISES}:
        earned = {
            answer.wrong
            for exercise in EXERCISES
            if exercise.grade.__module__ == module.__name__
            for answer in answers_to(exercise)
        }
        dead = diagnoses(inspect.getsource(module)) - earned
        assert not dead, f"no wrong answer in tests/lessons earns {sorted(dead)}"


def given_away(text: str, solution: str, source: str) -> list[str]:
    """The lines of the solution that a verdict tells, and the reader has not written.

    Args:
        text: what the verdict says.
        solution: the marked cell.
        source: the reader's cell. A line of a word or two is no answer.
    """
    known = f"{stub(solution)}\n{source}"
    lines = {line.strip() for line in stubs.answer(solution).splitlines()}
    return sorted(line for line in lines if len(line) > 20 and line in text and line not in known)


def shortcomings(exercise: Exercise, declared: set[str], answers: list[Answer]) -> list[str]:
    """What an exercise lacks, in words; `declared` are the diagnoses of its check."""
    earned = {answer.wrong for answer in answers if answer.wrong}
    unearned = sorted(declared - earned)
    faults = {
        "fewer than three hints": len(exercise.hints) < 3,
        "fewer than three wrong answers with a diagnosis each": len(earned - VAGUE) < 3,
        "no right answer beside the reference": not any(answer.right for answer in answers),
        f"no answer earns {unearned}": bool(unearned),
        "no title": not exercise.title,
        "no names": not exercise.names,
        "no sentence that says why": not exercise.why.endswith("."),
    }
    return [fault for fault, present in faults.items() if present]


def diagnoses(source: str) -> set[str]:
    """The diagnoses that a check's source declares: the first arguments of its `NotYet`s.

    Those of the vocabulary's words that it uses are among them.

    Raises:
        ValueError: one of them is no string literal.
    """
    return _spoken(ast.parse(source), _words())


def _spoken(tree: ast.AST, words: dict[str, ast.AST]) -> set[str]:
    nodes = list(ast.walk(tree))
    calls = [each for each in nodes if isinstance(each, ast.Call)]
    said = [call for call in calls if getattr(call.func, "id", "") == "NotYet"]
    used = {each.id for each in nodes if isinstance(each, ast.Name)} & words.keys()
    # Each word once: a function may call itself.
    left = {name: tree for name, tree in words.items() if name not in used}
    own = {ast.literal_eval(call.args[0]) for call in said} - COMMON
    return own.union(*[_spoken(words[name], left) for name in used])


@functools.cache
def _words() -> dict[str, ast.AST]:
    """What the modules of the vocabulary define, by its name."""
    words = {}
    for module in pkgutil.iter_modules(vocabulary.__path__):
        source = inspect.getsource(importlib.import_module(f"{vocabulary.__name__}.{module.name}"))
        for statement in ast.parse(source).body:
            words |= dict.fromkeys(stubs.bound_names(statement), statement)
    return words


# The gate itself can fail.


def test_gate_sees_what_is_missing():
    bare = Exercise("9.9", "", (), ("one?",), 5, test_gate_sees_what_is_missing)
    assert len(shortcomings(bare, {"dead"}, [])) == 7


def test_gate_sees_an_answer_that_is_given_away():
    line = "return await Book.objects.acount()"
    solution = f"async def count():\n    ### BEGIN SOLUTION\n    {line}\n    ### END SOLUTION"
    assert given_away(f"Write `{line}`.", solution, "") == [line]
    assert given_away(f"You wrote `{line}`.", solution, f"async def count():\n  {line}") == []
    assert given_away("Write `async def count():`.", solution, "") == []


def test_gate_reads_the_diagnoses_of_a_check():
    check = 'if wrong:\n    raise NotYet("sequential", "text")\nraise NotYet("hangs", "text")'
    assert diagnoses(check) == {"sequential"}
    assert diagnoses("require_usual_threads(call)") == {"query-in-pool", "second-loop"}
    assert diagnoses("errors = {**ASYNC_WITH}") == {"async-with"}
    with pytest.raises(ValueError):
        diagnoses("raise NotYet(name, text)")
