"""Each cell run, and run again before the next: all of them end, and say, what they should.

Another property than that of tests/lessons/test_twice.py, where the whole notebook runs again from
its top.
"""

import pytest

from tests.rough.workbook import LESSONS, compared, ends_as_tagged, find, said, working

EVERY_TIME = find("notebooks")[0]
NOTEBOOKS = [
    pytest.param(path, marks=[] if path == EVERY_TIME else pytest.mark.nightly)
    for path in find("notebooks", "solutions", "exercises")
]
# By lesson and cell: why something else comes out. Of a cell that comes later, too, which sees
# that the one before it ran twice.
DIFFERENT = {
    "01_the_event_loop_in_your_notebook": {
        "run-await": "a coroutine can be awaited once",
        "background-silent": "the second run frees the first one's task: it is heard of at once",
        "background-heard": "two tasks failed; and the name that it deletes is gone",
        "background-reset": "it counts what was heard of",
        "hang-look": "the tasks of the first run still hang",
        "widget-task-run": "the label shows the count of the first run before the click",
    },
    "02_synchronous_only_operation": {
        "u2-right-jobs": "a loan can be closed once",
    },
    "04_async_to_sync": {
        "client-twice-run": "it keeps the connection of a loop that is closed, as told there",
        "client-close": "a connection can be hung up once",
        "catalogue-stop": "a loop can be closed once",
    },
    "05_context_and_connections_across_threads": {
        "worker-count": "the worker has its connection already",
        "pool-count": "the pool's threads have their connections already",
    },
}


def test_there_are_lessons():
    assert set(DIFFERENT) < set(LESSONS)


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
    told = path.parent.name == "notebooks" and cell.id in DIFFERENT.get(path.stem, {})
    return [] if told else [f"{cell.id}, {time} time: {ran.words}, not {said(cell.outputs)}"]
