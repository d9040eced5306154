"""A right answer passes, whatever its reader has done before, and whatever goes on beside it."""

from collections.abc import Iterator

import pytest

from asynclab.exercises.book import every_exercise, exercises_of
from tests.harness.beside import EVERY, Beside, mixture
from tests.harness.gate import Kernel
from tests.lessons import lesson

pytestmark = pytest.mark.nightly

LESSONS = sorted({exercise.lesson for exercise in every_exercise()})


@pytest.fixture(scope="module", params=LESSONS)
def kernel(request) -> Iterator[Kernel]:
    started = Kernel(request.param)
    yield started
    started.close()


def other_right_answers(kernel: Kernel) -> list:
    by_number = {exercise.number: exercise for exercise in exercises_of(kernel.lesson)}
    answers = lesson(kernel.lesson).ANSWERS
    return [(by_number[answer.number], answer.source) for answer in answers if answer.right]


@pytest.mark.parametrize("name", EVERY)
def test_references_pass(kernel, name):
    assert kernel.refused(EVERY[name], kernel.references()) == []


def test_other_right_answers_pass(kernel):
    assert kernel.refused(mixture(), other_right_answers(kernel)) == []


@pytest.mark.parametrize("module", ["nest_asyncio", "nest_asyncio2"])
@pytest.mark.parametrize("number", LESSONS)
def test_right_answers_pass_where_loops_nest(module, number):
    """It cannot be undone, so each has a kernel of its own."""
    kernel = Kernel(number)
    try:
        kernel.run(f"import {module}\n{module}.apply()")
        assert kernel.refused(Beside(), kernel.references() + other_right_answers(kernel)) == []
    finally:
        kernel.close()
