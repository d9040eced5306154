"""What a worker gets in one piece, and in which order."""

import pytest

from tests.harness.checkout import ROOT
from tests.harness.scheduling import FIRST, PIECES, piece, rank

GATE = "tests/lessons/test_gate.py"
PAGES = "tests/pages/test_browser_notebooks.py"


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        (f"{GATE}::test_verdict[3.4 one-context]", f"{GATE} 3"),
        (f"{GATE}::test_every_solution_cell_has_an_exercise[3]", f"{GATE} 3"),
        (f"{GATE}::test_verdict[12.1 stub]", f"{GATE} 12"),
        (f"{GATE}::test_there_are_exercises", GATE),
        (f"{PAGES}::test_text[notebooks/00_start.ipynb-dark]", f"{PAGES} notebooks/00_start.ipynb"),
        ("tests/kit/test_boot.py::test_it[3.4]", "tests/kit/test_boot.py"),
        ("notebooks/00_start.ipynb::Cell 3, again", "notebooks/00_start.ipynb"),
    ],
)
def test_what_shares_a_kernel_or_a_page_is_one_piece(nodeid, expected):
    assert piece(nodeid) == expected


def test_what_takes_longest_comes_first_and_what_is_not_named_last():
    assert rank(f"{FIRST[0]}4 one-context]") == 0
    assert rank(f"{FIRST[1]}::test_it") == 1
    assert rank("tests/kit/test_boot.py::test_it") == len(FIRST)


def test_what_is_named_is_there():
    assert [path for path in PIECES if not (ROOT / path).exists()] == []
    files = [start.partition("::")[0] for start in FIRST]
    assert [file for file in files if not list(ROOT.glob(f"{file}*"))] == []
