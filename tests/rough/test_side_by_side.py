"""Three copies of a lesson at once in one checkout: a class on one machine, or three open tabs."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest

from tests.harness.cells import TIMEOUT
from tests.rough.workbook import compared, ends_as_tagged, find, said, working

COPIES = 3
NOTEBOOKS = find("notebooks", "solutions")


def worked_through(book, together):
    """Run all cells of a copy, the first when all copies are ready; what differs, a line each."""
    together.wait(TIMEOUT)
    wrong = []
    for cell in book.cells:
        ran = book.work(cell)
        if not ends_as_tagged(cell, ran) or (compared(cell) and ran.words != said(cell.outputs)):
            wrong.append(f"{cell.id}: {ran.words}, not {said(cell.outputs)}")
    return wrong + book.faults()


@pytest.mark.nightly
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_three_copies_at_once(path, leftovers, tmp_path, monkeypatch):
    progress = tmp_path / "progress.json"
    monkeypatch.setenv("ASYNCLAB_PROGRESS", str(progress))
    together = Barrier(COPIES)
    with ExitStack() as stack:
        books = [stack.enter_context(working(path, tmp_path)) for _ in range(COPIES)]
        with ThreadPoolExecutor(COPIES) as pool:
            wrong = list(pool.map(worked_through, books, [together] * COPIES))
        databases = [name for name in leftovers.files() if name.startswith("TMPDIR/asynclab-")]
    assert wrong == [[], [], []]
    assert len(databases) == COPIES
    if path.parent.name == "solutions":
        assert checks_in(progress) == checks_of(path, books)


def checks_in(progress):
    """How often each exercise was checked, as the shared file of progress has it."""
    exercises = json.loads(progress.read_text())["exercises"]
    assert {entry["verdict"] for entry in exercises.values()} == {"passed"}
    return {number: entry["checks"] for number, entry in exercises.items()}


def checks_of(path, books):
    """How often the copies did check each exercise."""
    sources = [cell.source for book in books for cell in book.cells]
    numbers = [source.split('"')[1] for source in sources if source.startswith("await check(")]
    assert numbers
    return {number: numbers.count(number) for number in numbers}
