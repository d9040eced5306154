"""Each cell interrupted in the middle, and run again: the notebook comes out as it is committed.

Where in a cell the interrupt comes is drawn at random, between its start and a third of the time
that it took without one, so that most cells are still running. The seed is in the failure.
"""

import os
import random
from pathlib import Path

import nbformat
import pytest

from tests.lessons import lesson_of
from tests.rough.workbook import LESSONS, Workbook, compared, ends_as_tagged, find, said, working

SEED = int(os.environ.get("ASYNCLAB_SEED", random.randrange(10_000)))
SLOW = 0.02
"""Seconds: the cells that take longer are counted by themselves."""
NOTEBOOKS = {path.stem: path for path in find("notebooks")}


def interrupted_walk(path, folder, draw):
    """Interrupt each cell of a notebook, and run it again.

    Returns what was wrong, a line each, and how many cells were hit: in all, and of the slow ones.
    """
    with working(path, folder) as book:
        seconds = {cell.id: book.work(cell).seconds for cell in book.cells}
    wrong, hit = [], set()
    with working(path, folder) as book:
        for cell in book.cells:
            ran = book.work(cell, interrupt_after=draw.uniform(0, seconds[cell.id] / 3))
            if ran.interrupted:
                hit.add(cell.id)
            wrong += [f"{cell.id}, interrupted: {fault}" for fault in book.faults()]
            again = book.work(cell)
            wrong += [f"{cell.id}, run again: {fault}" for fault in book.faults()]
            wrong += difference(path, cell, again)
    slow = {name for name, length in seconds.items() if length > SLOW}
    return wrong, (len(hit), len(seconds)), (len(hit & slow), len(slow))


def difference(path, cell, ran):
    same = not compared(cell) or ran.words == said(cell.outputs)
    if same and ends_as_tagged(cell, ran):
        return []
    known = lesson_of(path)
    told = known.MAY_DIFFER_TWICE | known.MAY_DIFFER_INTERRUPTED
    return [] if cell.id in told else [f"{cell.id}: {ran.words}, not {said(cell.outputs)}"]


@pytest.mark.nightly
@pytest.mark.parametrize("lesson", LESSONS)
def test_each_cell_interrupted(lesson, tmp_path, record_property, leftovers):
    draw = random.Random(f"{SEED} {lesson}")
    wrong, (hit, cells), (slow_hit, slow) = interrupted_walk(NOTEBOOKS[lesson], tmp_path, draw)
    count = f"{hit} of {cells} cells hit, {slow_hit} of {slow} that take over {SLOW} s"
    record_property("interrupted", count)
    print(f"{lesson}: {count}")
    assert not wrong, "\n".join([f"ASYNCLAB_SEED={SEED}", *wrong])
    assert slow_hit, f"ASYNCLAB_SEED={SEED}: {count}"
    # A thread may still wait at a barrier; Jupyter then kills the kernel that does not end.
    leftovers.sweep()


# What a learner waits for the longest, each in a notebook that is otherwise at rest

SET_UP = """\
%load_ext asynclab
from asynclab import boot, check, predict, shells
boot()
from library.models import Book
"""
SEED_DATA = """\
from asynclab.boot import seed_data
for _ in range(9000):
    with seed_data():
        pass
"""
BUSY = {
    "check": "async def count_books():\n    while True: await asyncio.sleep(0)\nawait check('0.1')",
    "blocking check": "async def count_books():\n    while True: pass\nawait check('0.1')",
    "shells": "await shells('import time\\nfor _ in range(6000): time.sleep(0.1)', timeout=600)",
    "boot": "for _ in range(1000): boot()",
    "predict": "for _ in range(100_000): p = predict('Who?', ['she', 'he']); p.reveal('she')",
    "seed": SEED_DATA,
    "serving": (
        "from asynclab import serving\n"
        "for _ in range(600):\n"
        "    with serving('gunicorn config.wsgi --workers 2'): pass"
    ),
    "serve": (
        "from django.urls import path\nfrom asynclab import Site\n"
        "site = Site(path('', print))\n"
        "for _ in range(6000):\n"
        "    with site.serve(), site.serve('wsgi'): pass"
    ),
    "postgresql": (
        "from asynclab import PostgreSQL\n"
        "for _ in range(600):\n"
        "    with PostgreSQL() as postgres: boot(database=postgres)"
    ),
}
"""Cells that go on for minutes."""
ALWAYS = {("check", 0), ("shells", 0), ("serving", 0), ("serve", 0), ("postgresql", 0)}


@pytest.fixture
def book(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SET_UP)])
    path = Path(tmp_path, "notebook.ipynb")
    nbformat.write(notebook, path)
    with working(path, tmp_path) as book:
        yield book


def cell_of(source):
    return nbformat.v4.new_code_cell("import asyncio\n" + source)


@pytest.mark.parametrize(
    ("name", "attempt"),
    [
        pytest.param(name, n, marks=[] if (name, n) in ALWAYS else pytest.mark.nightly)
        for name in BUSY
        for n in range(3)
    ],
)
def test_interrupted_in(book: Workbook, leftovers, name, attempt):
    [set_up] = book.cells
    book.work(set_up)
    resting = {each.pid for each in leftovers.processes()}
    after = random.Random(f"{SEED} {name} {attempt}").uniform(0, 1)
    ran = book.work(cell_of(BUSY[name]), interrupt_after=after)
    assert ran.interrupted, (SEED, ran)
    assert book.faults() == [], SEED
    assert {each.pid for each in leftovers.processes()} == resting, "a shell is still alive"
    ran = book.work(cell_of("boot()\nawait Book.objects.acount()"))
    assert ran.words[-1] == "47", (SEED, ran)


def test_interrupted_while_the_kit_is_imported_first(tmp_path, book: Workbook):
    """At several places: an import that was cut short starts anew the next time."""
    [set_up] = book.cells
    draw = random.Random(f"{SEED} import")
    for _ in range(5):
        book.work(set_up, interrupt_after=draw.uniform(0, 0.4))
    ran = book.work(set_up)
    assert not ran.raised, (SEED, ran.words, ran.traceback)
    assert book.faults() == []
