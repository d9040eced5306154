"""The plugin runs a lesson twice in one kernel, and what comes out differently is red."""

import os
import subprocess
import sys

import nbformat
import pytest
from nbval.plugin import IPyNbFile

from tests.harness.checkout import ROOT
from tests.harness.twice import Notebook

COUNTS = "times = globals().get('times', 0) + 1\ntimes"


@pytest.fixture
def nbval(tmp_path):
    """Run a notebook of one cell that says "1"; return pytest's last line but for the time."""

    def run(folder, source, *plugin):
        cell = nbformat.v4.new_code_cell(source, execution_count=1)
        cell.outputs = [
            nbformat.v4.new_output("execute_result", {"text/plain": "1"}, execution_count=1)
        ]
        (tmp_path / folder).mkdir()
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / folder / "one.ipynb")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin]
        command += ["--nbval", "--nbval-current-env", tmp_path / folder]
        env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        return done.stdout.splitlines()[-1].partition(" in ")[0]

    return run


@pytest.mark.parametrize(
    ("folder", "source", "plugin", "said"),
    [
        ("notebooks", "1", ["-p", "tests.harness.twice"], "2 passed"),
        ("notebooks", COUNTS, ["-p", "tests.harness.twice"], "1 failed, 1 passed"),
        ("solutions", COUNTS, ["-p", "tests.harness.twice"], "1 passed"),
        ("notebooks", COUNTS, [], "1 passed"),
    ],
)
def test_a_lesson_runs_twice(nbval, folder, source, plugin, said):
    assert nbval(folder, source, *plugin) == said


def test_a_kernel_that_does_not_start_is_tried_once_more(monkeypatch):
    tries = []

    def start(notebook):
        tries.append(notebook)
        if len(tries) == 1:
            raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(IPyNbFile, "setup", start)
    notebook = object.__new__(Notebook)
    notebook.setup()
    assert tries == [notebook] * 2
    monkeypatch.setattr(IPyNbFile, "setup", lambda notebook: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        notebook.setup()
