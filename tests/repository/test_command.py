"""`python3 start.py test` runs every test and every cell; what it leaves out is marked nightly."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter

import pytest

import start
from asynclab.authoring.notebooks import FOLDERS, code_cells, find, read
from tests.harness.checkout import ROOT
from tests.harness.scheduling import FIRST
from tests.repository.readme import WITHOUT_EXERCISES

FILES = sorted((ROOT / "tests").rglob("test_*.py"))
CELL = re.compile(r"^(?P<path>\S+\.ipynb)::(?P<cell>Cell \d+)(?P<again>, again)?$")


def command(*arguments):
    """What start.py hands over to the Python in .venv, as it stands in the source now."""
    handed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "set_up", lambda *locks: handed.append(locks))
        patch.setattr(start, "hand_over", lambda *line: handed.append(line) or 0)
        assert start.test(arguments) == 0
    locks, line = handed
    assert locks == (start.COURSE, start.CHECKS)
    return line


def environment():
    """What start.py runs pytest with; the pytest that runs this one has added to its own."""
    return {k: v for k, v in start.environment().items() if not k.startswith("PYTEST")}


@pytest.fixture(scope="module")
def collected():
    """The ids of all that the command would run, in its order."""
    said = subprocess.run(
        [sys.executable, *command("--collect-only", "-q")],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout[-2000:]
    return [line for line in said.stdout.splitlines() if "::" in line]


def test_every_cell_of_every_notebook_is_run_and_a_lessons_twice(collected):
    cells = [match for match in map(CELL.match, collected) if match]
    once = Counter(match["path"] for match in cells if not match["again"])
    again = Counter(match["path"] for match in cells if match["again"])
    there = {
        path.relative_to(ROOT).as_posix(): len(code_cells(read(path))) for path in find(*FOLDERS)
    }
    of_exercises = [path for path in find("notebooks") if path.name[:2] not in WITHOUT_EXERCISES]
    assert len(there) >= 3 * len(of_exercises) > 0
    assert once == there
    assert again == {path: n for path, n in there.items() if path.startswith("notebooks/")}


def test_every_test_is_run_but_the_nightly_ones(collected):
    ran = {re.sub(r"\[.*", "", each, flags=re.DOTALL) for each in collected if ".py::" in each}
    written = {name: nightly for path in FILES for name, nightly in written_in(path)}
    assert sorted(ran - written.keys()) == []
    assert sorted(name for name in written.keys() - ran if not written[name]) == []


def test_what_takes_longest_is_begun_first(collected):
    assert collected[0].startswith(FIRST[0])


def test_what_is_asked_for_is_handed_on():
    assert command("-m", "nightly")[-2:] == ("-m", "nightly")
    assert command()[:3] == ("-m", "pytest", "--nbval")


def test_numbers_that_come_first_are_lessons():
    assert command("03", "4", "-n", "2")[-4:] == ("--lesson=03", "--lesson=4", "-n", "2")
    assert command("-n", "2")[-2:] == ("-n", "2")


def written_in(path):
    """The id of each test in a file, and whether it, or all that it is tried with, is nightly."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    marks = [ast.unparse(each) for each in tree.body if _names(each) == {"pytestmark"}]
    for node in tree.body:
        if getattr(node, "name", "").startswith("test_"):
            own = map(ast.unparse, node.decorator_list)
            nightly = any("mark.nightly" in mark for mark in [*marks, *own])
            yield f"{path.relative_to(ROOT).as_posix()}::{node.name}", nightly


def _names(statement):
    return {ast.unparse(target) for target in getattr(statement, "targets", ())}


# ---------------------------------------------------------------- what never ends


def test_a_cell_that_hangs_fails():
    line = command()
    assert float(line[line.index("--nbval-cell-timeout") + 1]) <= 300


def test_a_test_that_hangs_fails_and_the_others_run(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    hangs = "import time\n\n\ndef test_hangs():\n    time.sleep(600)\n"
    (tmp_path / "test_it.py").write_text(f"{hangs}\n\ndef test_ends():\n    pass\n")
    options = ["-n", "1", "-q", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=0.5"]
    said = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "test_it.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 1
    assert "crashed while running 'test_it.py::test_hangs'" in said.stdout
    assert "1 failed, 1 passed" in said.stdout


def test_no_test_may_take_for_ever():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    options = settings["tool"]["pytest"]["ini_options"]
    assert 0 < options["faulthandler_timeout"] <= 900


def test_a_mark_that_nobody_knows_and_a_test_of_nothing_are_errors():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    options = settings["tool"]["pytest"]["ini_options"]
    ours = "--strict-markers --strict-config -m 'not nightly'"
    assert options["addopts"] == f"{ours} -p no:django -p no:asyncio"
    assert options["empty_parameter_set_mark"] == "fail_at_collect"
