"""A kernel that has not run its notebook's first code cell says so, and no other kernel does."""

import json

import pytest

import asynclab
from asynclab.ground import labconfig
from asynclab.ground.first_cell import ADVICE, MAGICS, WORDS
from tests.harness.cells import Kernel

FIRST = "%load_ext asynclab\nfrom asynclab import boot, check\nboot()"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start kernels that run the line which the course's configuration has them run."""
    kernels = []

    def start_kernel(first_cell=None):
        if first_cell is not None:
            cells = [("markdown", "# Loans"), ("code", first_cell), ("code", "check")]
            notebook = {"cells": [{"cell_type": kind, "source": text} for kind, text in cells]}
            (tmp_path / "loans.ipynb").write_text(json.dumps(notebook))
        monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "loans.ipynb"))
        kernels.append(Kernel(tmp_path))
        kernels[-1].run(labconfig.RUN_FIRST_CELL)
        return kernels[-1].run

    yield start_kernel
    for kernel in kernels:
        kernel.stop()


def test_it_knows_by_heart_what_the_kit_has():
    assert set(WORDS) == set(asynclab.__all__)
    assert MAGICS == ("lanes", "thread", "module")


def test_an_exercise_that_is_checked_first_is_told_the_first_cell(start):
    run = start(FIRST)
    for cell in (
        "await check('0.1')",
        "from library.models import Book",
        "await Book.objects.acount()",
        "%%lanes\nawait Book.objects.acount()",
        "%%thread\nBook.objects.count()",
    ):
        outcome = run(cell)
        assert outcome.status == "error"
        assert outcome.printed.splitlines()[-1] == ADVICE, cell
    run(FIRST)
    assert run("await check('0.1')").status == "ok"
    outcome = run("no_such_name")
    assert outcome.error.startswith("NameError")
    assert ADVICE not in outcome.printed


@pytest.mark.parametrize("first_cell", [None, "import asyncio", "# %load_ext asynclab"])
def test_in_another_notebook_only_the_kits_own_words_are_known(start, first_cell):
    run = start(first_cell)
    for cell in ("Book", "import library", "1 / 0", "%%bashful\n1", "1 +"):
        outcome = run(cell)
        assert outcome.status == "error"
        assert ADVICE not in outcome.printed, cell
    assert run("hint('0.1')").printed == f"{ADVICE}\n"


def test_a_first_cell_that_fails_is_not_told_to_be_run(start):
    run = start(FIRST)
    run("import sys; sys.modules['asynclab.boot'] = None")
    outcome = run(FIRST)
    assert outcome.error.startswith("ModuleNotFoundError")
    assert ADVICE not in outcome.printed


def test_it_leaves_nothing_in_the_namespace_and_loads_nothing(start):
    run = start(FIRST)
    names = "sorted(name for name in globals() if not name.startswith('_'))"
    assert run(names).value == "['In', 'Out', 'exit', 'get_ipython', 'open', 'quit']"
    assert run("import sys; 'asynclab' in sys.modules").value == "False"
