"""The upgrade drill reads locks and reports as they are; the drill itself runs at night."""

import subprocess
import sys

import nbformat
import pytest
from nbformat import v4

from tests.harness.checkout import ROOT
from tests.proof import upgrade

PROJECT = """\
[project]
dependencies = [
    "django>=5.2,<6.2", # both
    "idna",
]
[project.optional-dependencies]
test = ["uv~=1.0,<=1.4"]
"""


def test_upper_bounds_are_lifted_and_named(tmp_path):
    file = tmp_path / "pyproject.toml"
    file.write_text(PROJECT)
    assert upgrade.lift_upper_bounds(tmp_path) == ["django>=5.2,<6.2", "uv~=1.0,<=1.4"]
    assert '"django>=5.2", # both\n    "idna"' in file.read_text()
    assert '["uv~=1.0"]' in file.read_text()
    assert upgrade.lift_upper_bounds(tmp_path) == []


def test_the_ranges_of_the_course_can_be_lifted(tmp_path):
    upgrade.lift_upper_bounds(upgrade.clone(tmp_path))
    assert "<" not in (tmp_path / "pyproject.toml").read_text()
    assert subprocess.check_output(["git", "ls-files"], cwd=tmp_path, text=True).count("\n") > 50


@pytest.mark.parametrize("lock", upgrade.LOCKS)
def test_each_lock_says_how_it_is_written(lock):
    command = upgrade.COMMAND.search((ROOT / lock).read_text())
    assert command[1].startswith("pip compile --universal")
    assert f"-o {lock}" in command[1]


def test_pins_are_read_with_their_markers():
    read = upgrade.pins(ROOT / "requirements.txt")
    assert [name for name in read if name.startswith("django ;")] == [
        'django ; python_full_version < "3.12"',
        'django ; python_full_version >= "3.12"',
    ]
    assert len(read) > 50


def test_what_moved_came_or_went_is_found():
    moved = upgrade.moved({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"})
    assert moved == [("b", "1", "2"), ("c", "1", "-"), ("d", "-", "1")]


def test_a_changed_output_is_told_with_its_claims(tmp_path):
    """Through nbval and pytest's own report, so that a new version of either is noticed."""
    cell = v4.new_code_cell("print('now')", id="ask", execution_count=1)
    cell.outputs = [v4.new_output("stream", text="then\n")]
    cell.metadata["tags"] = ["claim-T1", "claim-T2"]
    broken = v4.new_code_cell("1 / 0", id="broken", execution_count=2)
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("Ask."), cell, broken])
    for folder in ("exercises", "notebooks"):
        (tmp_path / folder).mkdir()
    nbformat.write(v4.new_notebook(), tmp_path / "exercises" / "01_ask.ipynb")
    nbformat.write(notebook, tmp_path / "notebooks" / "01_ask.ipynb")
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert 1 == 2, 'one is not two'\n")
    assert found(tmp_path) == [
        upgrade.Row("3.13", "notebooks/01_ask: ask", "T1, T2", "then", "now"),
        upgrade.Row(
            "3.13", "notebooks/01_ask: broken", "", "passed", "ZeroDivisionError: division by zero"
        ),
        upgrade.Row("3.13", "test_it::test_it", "", "passed", "AssertionError: one is not two"),
    ]


def found(folder):
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "--nbval", f"--junitxml={report}", "-c", "none.ini"]
    (folder / "none.ini").write_text("[pytest]\n")
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False)
    return list(upgrade.rows(upgrade.ElementTree.parse(report).getroot(), "3.13", folder))


def test_the_tables_fit():
    text = upgrade.table(("where", "now"), [("a | b", "x" * 100)])
    assert text.splitlines()[2] == "| a \\| b | " + "x" * 59 + "… |"
    assert upgrade.untouched_claims({"T1"}).endswith("claims stand as they were.")
