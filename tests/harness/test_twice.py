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
def nbval(tmp_path, pytestconfig):
    """Run a notebook of cells that say "1"; return pytest's last line but for the time."""

    def run(folder, sources, *plugin):
        one = nbformat.v4.new_output("execute_result", {"text/plain": "1"}, execution_count=1)
        cells = [
            nbformat.v4.new_code_cell(source, execution_count=1, outputs=[one])
            for source in sources
        ]
        (tmp_path / folder).mkdir()
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / folder / "one.ipynb")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin]
        command += ["--nbval", "--nbval-current-env", "-c", pytestconfig.inipath, tmp_path / folder]
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
    assert nbval(folder, [source], *plugin) == said


def test_a_shell_is_started_again_only_in_another_environment(nbval, tmp_path):
    count = (
        "from pathlib import Path\nfile = Path({name!r})\n"
        "_ = file.write_text('x' + (file.read_text() if file.exists() else ''))\n"
        "print(file.stat().st_size)"
    )
    ask = (
        "table = await asynclab.shells({cell!r}, shells=['python'], env={env})\n"
        "int(table['python']['outcome'])"
    )
    same = ask.format(cell=count.format(name=str(tmp_path / "a")), env={})
    other = ask.format(cell=count.format(name=str(tmp_path / "b")), env="{'TIMES': str(times)}")
    other = other.replace("table", f"{COUNTS}\ntable", 1)
    cells = ["import asynclab\n1", same, other]
    assert nbval("notebooks", cells, "-p", "tests.harness.twice") == "1 failed, 5 passed"


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
