"""Each cell run, and run again before the next: all of them end, and say, what they should.

Another property than that of tests/harness/twice.py, where the whole notebook runs again from its
top.
"""

import pytest

from tests.lessons import lesson_of
from tests.rough.workbook import compared, ends_as_tagged, find, said, working

pytestmark = pytest.mark.nightly

NOTEBOOKS = find("notebooks", "solutions", "exercises")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_cell_twice(path, tmp_path):
    wrong = []
    with working(path, tmp_path) as book:
        for cell in book.cells:
            for time in ("first", "second"):
                ran = book.work(cell)
                wrong += [f"{cell.id}, {time} time: {fault}" for fault in book.faults()]
                says_the_same = not compared(cell) or ran.words == said(cell.outputs)
                if not (says_the_same and ends_as_tagged(cell, ran)):
                    wrong += untold(path, cell, time, ran)
    assert not wrong, "\n".join(wrong)


def untold(path, cell, time, ran):
    """A line if nothing says why this cell may differ."""
    told = path.parent.name == "notebooks" and cell.id in lesson_of(path).MAY_DIFFER_TWICE
    return [] if told else [f"{cell.id}, {time} time: {ran.words}, not {said(cell.outputs)}"]
