"""What an answer makes of its input, as checks ask it."""

import pytest

from asynclab.lessons.vocabulary.edges import require_of_nothing, require_unchanged
from tests.kit.exercises.answers import verdict_on


async def of_nothing(given):
    await require_of_nothing(given, "answer", [], what="no branch")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def answer(branches): return [each for each in branches]", None),
        ("def answer(branches): return None", "returned None"),
        ("def answer(branches): return ()", "returned ()"),
        (
            "def answer(branches): return branches[0]",
            "raised `IndexError: list index out of range`",
        ),
    ],
)
def test_nothing_makes_an_empty_list(source, said):
    verdict = verdict_on(source, of_nothing)
    assert verdict.diagnosis == ("nothing-given" if said else "")
    assert said is None or f"Given no branch at all, it {said}." in verdict.text


async def of_a_list(given):
    branches = ["Bath", "Whitby"]
    await given.call("answer", branches)
    require_unchanged(branches, ["Bath", "Whitby"])


@pytest.mark.parametrize(
    ("source", "diagnosis"),
    [("return branches[:]", ""), ("return branches.pop()", "changes-the-list")],
)
def test_a_list_that_is_given_stays_as_it_is(source, diagnosis):
    verdict = verdict_on(f"def answer(branches): {source}", of_a_list)
    assert verdict.diagnosis == diagnosis
