"""What a worker of pytest-xdist gets in one piece, and what is begun first.

A pytest plugin, `-p tests.harness.scheduling`. The tests of a file share fixtures, so they stay
together: a lesson's gate has one kernel, an opened notebook one page. What takes longest is begun
first, so that no worker is left alone with it at the end.
"""

import re

import pytest
from xdist.scheduler import LoadScopeScheduling

# Of these files each lesson, or each notebook, is a piece of its own.
PIECES = {
    "tests/lessons/test_gate.py": re.compile(r"\[(\d+)"),
    "tests/pages/test_browser_notebooks.py": re.compile(r"\[(\w+/[\w.]+)"),
}
# From the longest; the rest may come in any order.
FIRST = (
    # Three minutes, most of them to wait.
    "tests/lessons/test_gate.py::test_verdict[3.",
    "tests/repository/test_start.py",
    "notebooks/01_",
    "notebooks/04_",
    # One after another, so that they share a browser.
    "tests/pages/test_browser_notebooks.py",
    "tests/pages/",
    "tests/lessons/test_gate.py",
    "notebooks/",
    "tests/proof/",
    "tests/rough/",
    "tests/repository/",
)


def piece(nodeid: str) -> str:
    """The piece that a test belongs to: its file, or a part of it."""
    path, _, test = nodeid.partition("::")
    found = PIECES[path].search(test) if path in PIECES else None
    return f"{path} {found[1]}" if found else path


def rank(nodeid: str) -> int:
    """The place of a test's file in `FIRST`."""
    places = (at for at, start in enumerate(FIRST) if nodeid.startswith(start))
    return next(places, len(FIRST))


class PieceByPiece(LoadScopeScheduling):
    """Hands out pieces in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        return piece(nodeid)


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> PieceByPiece:
    config.option.loadscopereorder = False
    return PieceByPiece(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the collection; what is equal keeps its order, so that a piece's tests do."""
    items.sort(key=lambda item: rank(item.nodeid))
