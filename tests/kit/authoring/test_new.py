"""A new lesson: four files that say what is still to be written, and nothing else is against it."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from asynclab.authoring import __main__ as command
from asynclab.authoring.contract import contract_of
from asynclab.authoring.lint import lint
from asynclab.authoring.new import begin
from asynclab.authoring.notebooks import CHECKOUT, read
from asynclab.exercises.stubs import exercise_cells
from asynclab.ground.errors import LabError
from tests.harness.checkout import copy_checkout

MADE = [
    "notebooks/77_the_async_orm.ipynb",
    "solutions/77_exercises_the_async_orm.ipynb",
    "asynclab/lessons/lesson77.py",
    "tests/lessons/lesson77.py",
]
TO_WRITE = "still to be written: "


@pytest.fixture
def course(tmp_path):
    """A checkout with the course's last lesson."""
    for file in MADE:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    for folder in ("notebooks", "solutions"):
        shutil.copy(sorted((CHECKOUT / folder).glob("*.ipynb"))[-1], tmp_path / folder)
    (tmp_path / "exercises").mkdir()
    return tmp_path


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_four_files_are_made(course):
    before = files_in(course)
    made = begin("77", "the async ORM", course)
    assert [path.relative_to(course).as_posix() for path in made] == MADE
    assert files_in(course) - before == set(MADE)
    assert not [path for path in made if "$" in path.read_text(encoding="utf-8")]


def test_the_lesson_follows_the_one_before_it(course):
    lesson, *_ = begin("77", "the async ORM", course)
    [before, _] = sorted((course / "notebooks").glob("*.ipynb"))
    contract = contract_of(lesson)
    assert (contract.number, contract.title) == ("77", "the async ORM")
    promised = contract_of(before)
    link = f"[{promised.number} · {promised.title}]({before.name})"
    assert link in read(lesson).cells[0].source


def test_the_solutions_hold_an_exercise(course):
    _, solutions, *_ = begin("77", "the async ORM", course)
    notebook = read(solutions)
    nbformat.validate(notebook)
    assert list(exercise_cells(notebook)) == ["77.1"]
    assert "### BEGIN SOLUTION" in exercise_cells(notebook)["77.1"].source
    card = next(cell.source for cell in notebook.cells if cell.id == "card-77-1")
    assert all(f"**{part}:**" in card for part in ("Given", "Goal", "Example"))


def test_ruff_finds_what_is_still_to_be_written_and_nothing_else(course):
    paths = begin("77", "the async ORM", course)
    settings = ["--config", CHECKOUT / "pyproject.toml", "--no-cache"]
    check = [sys.executable, "-m", "ruff", "check", *settings, "--output-format", "concise"]
    found = subprocess.run([*check, *paths], capture_output=True, text=True, check=False).stdout
    faults = [line for line in found.splitlines() if line.startswith(str(course))]
    assert {line.split(": ")[1].split()[0] for line in faults} == {"FIX002"}
    assert {line.split(":")[0] for line in faults} == {str(path) for path in paths[2:]}
    shape = [sys.executable, "-m", "ruff", "format", "--check", *settings, *paths]
    assert subprocess.run(shape, capture_output=True, check=False).returncode == 0


def test_its_modules_import(course):
    """The skeletons keep up with the words that checks and their tests are written in."""
    begin("77", "the async ORM", course)
    program = (
        "import asynclab.lessons, tests.lessons\n"
        f"asynclab.lessons.__path__.append({str(course / 'asynclab' / 'lessons')!r})\n"
        f"tests.lessons.__path__.append({str(course / 'tests' / 'lessons')!r})\n"
        "from asynclab.exercises.book import exercises_of\n"
        "from tests.lessons import lesson\n"
        "print([e.number for e in exercises_of(77)], {a.number for a in lesson(77).ANSWERS})"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=CHECKOUT
    )
    assert ran.stdout == "['77.1'] {'77.1'}\n", ran.stderr


@pytest.mark.parametrize(
    ("number", "title", "problem"),
    [
        ("six", "the async ORM", "A lesson's number is one or two digits, as 06; this is 'six'."),
        ("100", "the async ORM", "A lesson's number is one or two digits, as 06; this is '100'."),
        ("77", "a | b", "A lesson's title is made of letters, digits"),
        ("77", "a\nb", "A lesson's title is made of letters, digits"),
        ("77", "it's $x", "A lesson's title is made of letters, digits"),
        ("77", "...", "A lesson's title is made of letters, digits"),
        ("77", "x" * 61, "A lesson's title has at most 60 characters; this one has 61."),
    ],
)
def test_bad_input_gets_a_line_and_no_file(course, number, title, problem):
    before = files_in(course)
    with pytest.raises(LabError) as raised:
        begin(number, title, course)
    assert str(raised.value).startswith(problem)
    assert "\n" not in str(raised.value)
    assert files_in(course) == before


@pytest.mark.parametrize("there", [*MADE, "exercises/77_exercises_old.ipynb"])
def test_what_is_there_is_not_overwritten(course, there):
    (course / there).write_text("mine", encoding="utf-8")
    before = files_in(course)
    with pytest.raises(LabError, match=f"Lesson 77 is there already: {there}"):
        begin("77", "another title", course)
    assert files_in(course) == before
    assert (course / there).read_text(encoding="utf-8") == "mine"


def test_a_folder_that_is_no_course_is_named(tmp_path):
    with pytest.raises(LabError, match="is no clone of the course: it has no lesson in notebooks/"):
        begin("77", "the async ORM", tmp_path)


def test_the_command_takes_a_title_of_many_words(course, monkeypatch, capsys):
    monkeypatch.setattr(command, "CHECKOUT", course)
    monkeypatch.setattr(sys, "argv", ["authoring", "new", "77", "the", "async", "ORM"])
    assert command.main() == 0
    assert capsys.readouterr().out.splitlines()[:4] == MADE
    assert command.main() == 1
    assert capsys.readouterr().err.splitlines() == [f"Lesson 77 is there already: {MADE[0]}."]


def test_lint_says_what_is_still_to_be_written_and_nothing_else(course):
    """Once the exercises are generated, and the cells have run."""
    lesson, solutions, *_ = begin("77", "the async ORM", course)
    shutil.copy(solutions, course / "exercises")
    for path in CHECKOUT.glob("*s/00_*.ipynb"):
        shutil.copy(path, course / path.parent.name)
    notebook = read(lesson)
    failing = next(cell for cell in notebook.cells if "raises-exception" in str(cell.metadata))
    failing.outputs = [
        nbformat.v4.new_output(
            "error",
            ename="SynchronousOnlyOperation",
            evalue="You cannot call this from an async context - use a thread or sync_to_async.",
        )
    ]
    nbformat.write(notebook, lesson)
    for path in (lesson, solutions):
        said = lint(path)
        assert said
        assert [line for line in said if TO_WRITE not in line] == []
    assert any("cell contract: still to be written: the question" in line for line in lint(lesson))


@pytest.mark.nightly
def test_a_new_lesson_passes_its_gate_and_leaves_no_mutant_alive(tmp_path):
    """In a copy of the course, by the commands that CONTRIBUTING.md lists."""
    root = copy_checkout(tmp_path / "course")
    for arguments in (
        ("asynclab.authoring", "new", "77", "the async ORM"),
        ("asynclab.authoring", "generate", *root.glob("solutions/77_*")),
        ("asynclab.authoring", "refresh", root / MADE[0], root / MADE[1]),
        ("tests.repository.readme",),
        ("tests.proof.mutants", "77"),
        ("pytest", "-q", "tests/lessons/test_gate.py", "-k", "77 or dead"),
        ("pytest", "-q", "tests/lessons/test_known.py", "tests/kit/test_architecture.py"),
        ("pytest", "-q", "tests/repository/test_readme.py", "-k", "as_written"),
        ("pytest", "-q", "--nbval", root / MADE[0], root / MADE[1]),
    ):
        run(root, *arguments)


def run(root, module, *arguments):
    # The notebooks' kernels, too, have to import the copy.
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{module} {arguments}: {done.stdout}{done.stderr}"
