"""What the tests know of the lessons is whole: a module for each, which speaks of it alone."""

import pytest

from asynclab.authoring.notebooks import find, read
from tests.lessons import in_pieces, lesson, lesson_of, lessons

LESSONS = find("notebooks")


def test_every_lesson_has_its_module():
    assert [lesson_of(path) for path in LESSONS] == lessons()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_module_speaks_of_its_lesson_alone(path):
    known, number = lesson_of(path), f"{int(path.name[:2])}."
    mutants = [mutant for each in known.EQUIVALENT for mutant in each.mutants]
    spoken_of = [*(answer.number for answer in known.ANSWERS), *mutants]
    assert [each for each in spoken_of if not each.startswith(number)] == []


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_cells_that_may_differ_are_there(path):
    known, cells = lesson_of(path), {cell.id for cell in read(path).cells}
    for table in (known.MAY_DIFFER_TWICE, known.MAY_DIFFER_INTERRUPTED):
        assert table.keys() - cells == set()
        assert all(table.values()), "a cell may differ without a reason"


def test_a_lesson_without_a_module_is_named():
    with pytest.raises(ModuleNotFoundError, match=r"tests\.lessons\.lesson99"):
        lesson(99)


def test_a_cell_in_pieces_names_those_that_it_has():
    page = in_pieces("def page():", name="    name = 'Emma'\n", end="\n    return name\n")
    assert page() == "\ndef page():\n    name = 'Emma'\n\n    return name\n"
    assert page(end="    return 1") == "\ndef page():\n    name = 'Emma'\n\n    return 1\n"
    with pytest.raises(ValueError, match="pieces are name, end; not start"):
        page(start="")
