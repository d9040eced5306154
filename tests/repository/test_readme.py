"""The README says what this checkout holds, and its commands and addresses are there."""

import re
import runpy
from urllib.parse import unquote

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from asynclab import workspace
from asynclab.exercises import score
from asynclab.ground.errors import LabError
from tests.harness.checkout import ROOT
from tests.repository import readme
from tests.repository.readme import COMMAND, END, lessons, renewed

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_is_as_written():
    assert renewed(README, ROOT) == README, f"README.md is stale; run: {COMMAND}"


def test_every_figure_has_a_command_that_fails():
    commands = set(re.findall(r'^    "(\w+)": \1,$', (ROOT / "start.py").read_text(), re.M))
    assert set(re.findall(r"python3 start\.py (\w+)", README)) <= commands


CONTRACT = """# 02 · SynchronousOnlyOperation

**The question:** why does it raise?

| You need first | |
| --- | --- |
| models | necessary |

After this lesson you can say why.

**Time: 45 minutes, and 20 more for the deeper sections.**"""
ROW = "| [02 SynchronousOnlyOperation](notebooks/02_it.ipynb) | 45 + 20 | 2 | Why does it raise? |"


def write(path, *cells):
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=list(cells)), path)


@pytest.fixture
def course(tmp_path):
    """A checkout with one lesson, of two exercises."""
    write(tmp_path / "notebooks" / "02_it.ipynb", new_markdown_cell(CONTRACT))
    tags = [{"tags": [f"exercise-2.{number}"]} for number in (1, 2)]
    cells = [new_code_cell("answer = 1", metadata=each) for each in tags]
    write(tmp_path / "solutions" / "02_exercises_it.ipynb", *cells)
    return tmp_path


def test_each_lesson_has_a_row_from_its_contract_and_its_solutions(course):
    head = ["| lesson | minutes | exercises | the question |", "| --- | --- | --- | --- |"]
    assert lessons(course).splitlines()[:3] == [*head, ROW]


def test_a_lesson_without_deeper_sections_has_one_figure(course):
    short = CONTRACT.replace(", and 20 more for the deeper sections", "")
    write(course / "notebooks" / "02_it.ipynb", new_markdown_cell(short))
    assert "| 45 | 2 |" in lessons(course)


@pytest.mark.parametrize(
    ("to_come", "told"),
    [
        (
            {2: "the guard", 3: "threads", 4: "back"},
            ["", "Lessons 03 to 04 (threads, back) follow."],
        ),
        ({3: "threads"}, ["", "Lesson 03 (threads) follows."]),
        ({2: "the guard"}, []),
    ],
)
def test_a_lesson_that_is_there_is_no_longer_to_come(course, monkeypatch, to_come, told):
    monkeypatch.setattr(readme, "TO_COME", to_come)
    assert lessons(course).splitlines()[3:] == told


def test_a_lesson_without_a_question_is_named(course):
    write(course / "notebooks" / "02_it.ipynb", new_markdown_cell("# 02 · It"))
    with pytest.raises(LabError, match="02_it.ipynb: its first cell does not state the question"):
        lessons(course)


def test_a_lesson_without_solutions_is_named(course):
    (course / "solutions" / "02_exercises_it.ipynb").unlink()
    with pytest.raises(LabError, match="02_it.ipynb has 0 notebooks in solutions/; 1 belongs"):
        lessons(course)


def test_a_part_that_has_lost_its_marks_is_named():
    with pytest.raises(LabError, match="README.md has not the two marks of 'figures' once each"):
        renewed(README.replace(END.format("figures"), ""), ROOT)


def test_the_command_writes_the_file_and_says_whether_it_changed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    readme.README.write_text(README.replace("| faults planted | ", "| faults planted | 9"))
    assert [readme.main(), readme.main()] == [0, 0]
    assert capsys.readouterr().out == "README.md: changed\nREADME.md: as it was\n"
    assert readme.README.read_text(encoding="utf-8") == README


def test_what_a_learner_needs_comes_before_the_figures_for_maintainers():
    headings = re.findall(r"^## (.+)", README, re.MULTILINE)
    assert headings[0] == "Two commands"
    assert headings[-2:] == ["The checks can fail", "Contribute"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A learner's copy of the course."""
    folder = tmp_path_factory.mktemp("copy")
    list(workspace.update(folder))
    return folder


def test_binder_opens_the_page_that_lab_opens(copy):
    start = runpy.run_path(str(ROOT / "start.py"))
    links = re.findall(r"mybinder\.org/v2/\S+?\?urlpath=([^\s`)]+)", README)
    assert len(links) == 2
    for link in links:
        assert "?" not in link, "Binder would take what follows for its own"
        assert "/" + unquote(link) == start["FIRST_PAGE"]
    path = start["FIRST_LESSON"].removeprefix(f"{start['YOUR_COPY']}/")
    assert (copy / path).exists()


def test_the_notebooks_that_it_resets_are_there(copy):
    named = re.findall(r"(?:start\.py|asynclab\.workspace) reset (\w+)", README)
    assert len(named) == 3
    assert all(workspace.one_of(workspace.notebooks(copy), name) for name in named)


def test_the_kit_is_installed_by_its_name():
    assert 'pip install "asynclab @ git+https://' in README
    for variable in (workspace.VARIABLE, score.VARIABLE):
        assert f"`{variable}=/home/" in README
