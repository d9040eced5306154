"""hint() and solution()."""

import html
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from asynclab.exercises import book, helping, hint, solution
from asynclab.exercises.stubs import exercise_cells
from asynclab.ground.errors import LabError

CHECKOUT = Path(__file__).parents[3]


def test_hints_ascend_and_stay_at_the_last(own_score):
    total = len(book.find("0.1").hints)
    assert [hint("0.1").place for _ in range(total + 1)] == [*range(1, total + 1), total]
    assert "solution" in repr(hint("0.1"))


def test_hint_goes_on_after_a_named_one(own_score):
    assert [hint("0.1", 1).place, hint("0.1").place] == [1, 2]
    assert repr(hint("0.1", 2)).startswith("Hint 2 of 3")
    assert [hint("0.1").place, hint("0.1", 1).place, hint("0.1").place] == [3, 1, 2]


def test_hint_that_is_not_there_is_no_step(own_score):
    with pytest.raises(LabError, match="hints 1 to 3"):
        hint("0.1", 4)
    with pytest.raises(LabError, match="hints 1 to 3"):
        hint("0.1", "a")
    assert hint("0.1").place == 1


def test_solution_is_the_text_in_the_notebook():
    shown = solution("0.1")
    assert shown.notebook == "solutions/00_exercises_start_here.ipynb"
    cells = exercise_cells(nbformat.read(CHECKOUT / shown.notebook, as_version=4))
    lines = [line for line in cells["0.1"].source.splitlines() if "###" not in line]
    assert shown.text.splitlines() == lines
    assert lines[0] == "async def count_books():"


def test_solution_says_why():
    shown = solution("0.1")
    assert shown.why == book.find("0.1").why
    assert repr(shown).endswith(f"\n\n{shown.why}")


def test_solution_has_the_colours_of_the_theme_and_no_others():
    shown = solution("0.1")._repr_html_()
    coloured = re.findall(r'<span style="color: (.*?)">(.*?)</span>', shown)
    assert ("var(--jp-mirror-editor-keyword-color, inherit)", "async") in coloured
    assert ("var(--jp-mirror-editor-def-color, inherit)", "count_books") in coloured
    assert {colour.startswith("var(--jp-mirror-editor-") for colour, _ in coloured} == {True}


@pytest.mark.parametrize(
    "source", ["\n\na = 1 < 2  # <b>\n", "print('&')\n\n\n", "def f():\n    '<i>'"]
)
def test_colours_change_no_character(source):
    text = re.sub(r"<[^>]*>", "", helping.coloured(source))
    assert html.unescape(text) == source


def test_theme_has_each_colour():
    themes = [*Path(sys.prefix).glob("share/jupyter/lab/themes/*/*/*.css")]
    if not themes:
        pytest.skip("JupyterLab is not installed here")
    for theme in themes:
        known = theme.read_text(encoding="utf-8")
        for colour in set(helping.COLOURS.values()):
            assert f"--jp-mirror-editor-{colour}-color:" in known, theme


def test_solution_needs_no_nbformat():
    program = (
        "import sys\nfrom asynclab import solution\n"
        "solution('0.1')\nprint('nbformat' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout == "False\n", run.stderr


def test_solution_in_a_damaged_notebook(monkeypatch, tmp_path):
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "00_start.ipynb").write_text("{")
    monkeypatch.setattr(helping, "CHECKOUT", tmp_path)
    with pytest.raises(LabError, match="cannot be read"):
        solution("0.1")


def test_solution_without_a_checkout(monkeypatch, tmp_path):
    monkeypatch.setattr(helping, "CHECKOUT", tmp_path)
    with pytest.raises(LabError, match="come with a checkout"):
        solution("0.1")
