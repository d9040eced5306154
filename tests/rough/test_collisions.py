"""Files beside the notebook, and packages on the path, that have the names of others.

A module of the demo project's name that was imported before boot() is tested in test_boot.py.
"""

import shutil
from pathlib import Path

import pytest

from asynclab.authoring.notebooks import find
from tests.rough.surroundings import differences
from tests.rough.workbook import Workbook

FIRST_LESSON = find("notebooks")[0]
MINE = "raise RuntimeError('This is the one beside the notebook.')"
STANDARD = ("asyncio", "code", "random")
PROJECTS = ("config", "library", "demo_project")


@pytest.fixture
def lesson(tmp_path):
    """The first lesson, alone in a folder."""
    return Path(shutil.copy(FIRST_LESSON, tmp_path))


def package(folder, name, source=MINE):
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(source)


@pytest.mark.nightly
@pytest.mark.parametrize("beside", ["modules", "packages"])
def test_the_first_lesson_among_files_of_the_same_names(lesson, tmp_path, beside):
    for name in (*STANDARD, *PROJECTS):
        if beside == "packages":
            package(tmp_path, name)
        else:
            (tmp_path / f"{name}.py").write_text(MINE)
    (tmp_path / "asynclab").mkdir()  # a folder of the learner's own answers
    assert differences(lesson, tmp_path) == {}


@pytest.mark.nightly
def test_the_first_lesson_with_such_packages_on_the_path(lesson, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in PROJECTS:
        package(elsewhere, name)
    monkeypatch.setenv("PYTHONPATH", str(elsewhere), prepend=":")
    assert differences(lesson, tmp_path) == {}


@pytest.fixture
def cell(lesson, tmp_path):
    """Run cells in a kernel in that folder."""
    book = Workbook(lesson, tmp_path)
    yield book.run
    book.client.stop_channels()
    book.manager.shutdown_kernel()


@pytest.mark.parametrize("name", ["config", "library"])
def test_one_that_the_learner_has_imported_is_named(cell, tmp_path, name):
    package(tmp_path, name, "")
    outcome = cell(f"import {name}\nfrom asynclab import boot\nboot()")
    assert outcome.error == (
        f"BootError: Another module named {name!r} is imported in this kernel already. "
        "Restart the kernel, and call boot() before anything imports that one."
    )


def test_a_module_that_hides_the_kit_is_named(cell, tmp_path):
    hides = tmp_path / "asynclab.py"
    hides.write_text("")
    # Where the course is installed, the notebook's folder comes before it.
    error = cell("import sys; sys.path.insert(0, '')\nfrom asynclab import boot").error
    assert error.startswith("ImportError: cannot import name 'boot' from 'asynclab'")
    assert str(hides) in error


def test_a_file_that_keeps_a_shell_from_starting_is_named(cell, tmp_path):
    (tmp_path / "asyncio.py").write_text(MINE)
    cell("from asynclab import shells\ntable = await shells('import asyncio')")
    assert cell("table['jupyter']['outcome']").value == "'(shows nothing)'"
    assert "beside the notebook" in cell("table['python']['outcome']").value
    assert cell("print(table['ipython']['outcome'])").printed == (
        "exits (status 1): it took asyncio.py in this folder for Python's own; rename it\n"
    )
