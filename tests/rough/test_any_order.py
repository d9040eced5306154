"""Cells run in a random order, with restarts between, as a learner who skips about does.

Many of them fail, because a name that they need is not there: that is the learner's to see. The
kernel must live, and afterwards *Restart and Run All* must say what it always says.
"""

import os
import random
import re

import pytest

from tests.harness.cells import plain_text
from tests.rough.workbook import LESSONS, compared, ends_as_tagged, find, said, working

pytestmark = pytest.mark.nightly

SEED = int(os.environ.get("ASYNCLAB_SEED", random.randrange(10_000)))
ROUNDS = 2
"""Orders a lesson."""
RESTARTS = 3
"""Restarts in an order, each of which loses all names."""
FRAME = re.compile(r"^(?:File|Cell) .*", re.MULTILINE)
# The kit's own frames, as IPython gives a file's place in a traceback.
INSIDE = re.compile(r"asynclab/\w[\w/]*\.py")


def turns(cells, draw):
    """The cells in a random order, cut into stretches with a restart between."""
    order = draw.sample(cells, len(cells))
    cuts = sorted(draw.sample(range(1, len(order)), min(RESTARTS, len(order) - 1)))
    return [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]


def inside(ran):
    """The module of the kit in which an error rose; the learner's own code may lie below the kit.

    In lesson 05 a signal's receiver is called by boot(), and needs a name of another cell.
    """
    frames = FRAME.findall(plain_text(ran.traceback))
    return [] if not frames else INSIDE.findall(frames[-1])


@pytest.mark.parametrize(
    ("lesson", "attempt"),
    [(name, n) for name in LESSONS for n in range(ROUNDS)],
)
def test_cells_in_any_order(lesson, attempt, tmp_path):
    draw = random.Random(f"{SEED} {lesson} {attempt}")
    [path] = [path for path in find("notebooks") if path.stem == lesson]
    wrong = []
    with working(path, tmp_path) as book:
        for stretch in turns(book.cells, draw):
            for cell in stretch:
                ran = book.work(cell)
                wrong += [f"{cell.id}: {fault}" for fault in book.faults()]
                if inside(ran):
                    wrong.append(f"{cell.id} fails in {inside(ran)}: {ran.words}")
            book.restart()
        for cell in book.cells:
            ran = book.work(cell)
            same = not compared(cell) or ran.words == said(cell.outputs)
            if not (same and ends_as_tagged(cell, ran)):
                wrong.append(f"{cell.id}, at the end: {ran.words}, not {said(cell.outputs)}")
    assert not wrong, "\n".join([f"ASYNCLAB_SEED={SEED}", *wrong])


def test_an_order_has_every_cell_once_and_its_restarts():
    stretches = turns(list(range(20)), random.Random(1))
    assert sorted(sum(stretches, [])) == list(range(20))
    assert len(stretches) == RESTARTS + 1
    assert all(stretches)
