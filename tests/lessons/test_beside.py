"""A right answer passes, whatever its reader has done before, and whatever goes on beside it."""

from collections.abc import Iterator

import pytest

from asynclab.exercises.book import every_exercise, exercises_of
from tests.harness.beside import EVERY, Beside
from tests.harness.gate import Kernel
from tests.lessons import lesson

pytestmark = pytest.mark.nightly

LESSONS = sorted({exercise.lesson for exercise in every_exercise()})


@pytest.fixture(scope="module", params=LESSONS)
def kernel(request) -> Iterator[Kernel]:
    started = Kernel(request.param)
    yield started
    started.close()


def right_answers(kernel: Kernel) -> list:
    """The references, and the other right answers."""
    number = kernel.lesson
    found = [(exercise, kernel.cells[exercise.number].source) for exercise in exercises_of(number)]
    by_number = {exercise.number: exercise for exercise, _ in found}
    for answer in lesson(number).ANSWERS:
        if answer.right:
            found.append((by_number[answer.number], answer.source))
    return found


@pytest.mark.parametrize("name", EVERY)
def test_right_answers_pass(kernel, name):
    assert kernel.refused(EVERY[name], right_answers(kernel)) == []


@pytest.mark.parametrize("module", ["nest_asyncio", "nest_asyncio2"])
@pytest.mark.parametrize("number", LESSONS)
def test_right_answers_pass_where_loops_nest(module, number):
    """It cannot be undone, so each has a kernel of its own."""
    kernel = Kernel(number)
    try:
        kernel.run(f"import {module}\n{module}.apply()")
        assert kernel.refused(Beside(), right_answers(kernel)) == []
    finally:
        kernel.close()
