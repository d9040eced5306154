"""The learner's copy of the course: without outputs, kept once changed, one notebook reset."""

import errno
import json
import os
import re
import subprocess
import sys
from datetime import date

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from asynclab import workspace
from tests.harness.checkout import ROOT
from tests.harness.mounts import mounted

LESSON, EXERCISES = "notebooks/03_threads.ipynb", "exercises/03_exercises_threads.ipynb"
TODAY = date.today().isoformat()


def course_notebook(text="1 + 1"):
    """A notebook that shows a result, as the course commits it."""
    shown = new_output("execute_result", {"text/plain": "2"}, execution_count=1)
    cell = new_code_cell(text, outputs=[shown], execution_count=1, id="sum")
    return new_notebook(cells=[new_markdown_cell("# Sums", id="title"), cell])


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one lesson and its exercises, in place of this checkout's."""
    for name in (LESSON, EXERCISES):
        (tmp_path / name).parent.mkdir()
        nbformat.write(course_notebook(), tmp_path / name)
    monkeypatch.setattr(workspace, "COURSE", tmp_path)
    monkeypatch.delenv(workspace.VARIABLE, raising=False)
    return tmp_path


@pytest.fixture
def copy(course):
    """The folder of a copy that has just been made."""
    copy = course / "your_copy"
    list(workspace.update(copy))
    return copy


def update(copy):
    return list(workspace.update(copy))


def reset(copy, *wanted):
    *lines, last = workspace.reset(copy, wanted)
    assert last == "If it is open in JupyterLab, choose File, Reload Notebook from Disk."
    return lines


def edit(path, change):
    """Change a notebook as its reader does, and save it."""
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def answer(notebook):
    notebook.cells[1].source = "my_own_answer = 7"


def run(notebook):
    """Run the cell; JupyterLab then adds an empty one, and notes the kernel's language."""
    notebook.cells[1] |= course_notebook().cells[1]
    notebook.cells.append(new_code_cell(""))
    notebook.metadata["language_info"] = {"name": "python", "version": "3.13.1"}


def text_of(path):
    return nbformat.read(path, as_version=4).cells[1].source


def publish(course, text="2 + 2", name=LESSON):
    """A new version of the course."""
    nbformat.write(course_notebook(text), course / name)


def everything(copy):
    return {str(path): path.read_bytes() for path in copy.rglob("*") if path.is_file()}


# ---------------------------------------------------------------- made, and brought up to date


def test_the_copy_of_this_course_holds_every_notebook_and_nothing_that_was_run(tmp_path):
    copy = tmp_path / "copy"
    assert update(copy) == [f"Your copy of the course: {copy}"]
    made = {path.relative_to(copy) for path in copy.rglob("*.ipynb")}
    there = [path for folder in workspace.FOLDERS for path in (ROOT / folder).glob("*.ipynb")]
    assert made == {path.relative_to(ROOT) for path in there}
    for path in map(copy.joinpath, made):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert code
        assert not any(cell.outputs or cell.execution_count for cell in code)
        assert path.stat().st_mode & 0o444 == 0o444


def test_every_link_holds_in_the_copy_too(tmp_path):
    update(tmp_path)
    links = [
        (path, target)
        for path in tmp_path.rglob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
        for target in re.findall(r"\]\((?![a-z]+:|#)([^)\s#]+)", cell.source)
    ]
    assert len(links) > 20
    assert [link for link in links if not (link[0].parent / link[1]).exists()] == []


def test_the_second_time_there_is_nothing_to_say_and_nothing_is_written(copy):
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    assert update(copy) == []
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


def test_a_new_lesson_is_added_and_a_deleted_one_comes_back(course, copy):
    publish(course, name="notebooks/04_back.ipynb")
    (copy / LESSON).unlink()
    assert update(copy) == [f"New: {LESSON}.", "New: notebooks/04_back.ipynb."]
    assert update(copy) == []


def test_an_unchanged_notebook_is_renewed(course, copy):
    publish(course)
    assert update(copy) == [f"Renewed: {LESSON}."]
    assert text_of(copy / LESSON) == "2 + 2"
    assert update(copy) == []


def test_what_is_not_shown_of_a_cell_is_renewed_as_well(course, copy):
    edit(course / LESSON, lambda notebook: notebook.cells[1].metadata.update(tags=["claim-U1"]))
    assert update(copy) == [f"Renewed: {LESSON}."]


def test_outputs_of_the_course_alone_are_no_new_version(course, copy):
    edit(course / LESSON, lambda notebook: notebook.cells[1].outputs.clear())
    assert update(copy) == []


def test_a_changed_notebook_is_kept_and_told(course, copy):
    edit(copy / LESSON, answer)
    assert update(copy) == []
    publish(course)
    before = everything(copy)
    [line] = update(copy)
    assert line.startswith(f"{LESSON}: the course has a newer one, and yours is changed, so it is")
    assert line.endswith(" reset 03")
    assert everything(copy) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda notebook: notebook.cells.append(new_markdown_cell("My note")),
        lambda notebook: notebook.cells.pop(0),
        lambda notebook: notebook.cells.reverse(),
        lambda notebook: notebook.cells[0].update(cell_type="raw"),
        lambda notebook: notebook.metadata.pop(workspace.MARK),
        lambda notebook: notebook.metadata.update({workspace.MARK: "3.13"}),
    ],
    ids=["cell added", "cell gone", "cells moved", "other kind", "not ours", "mark spoilt"],
)
def test_what_counts_as_changed(course, copy, change):
    edit(copy / LESSON, change)
    publish(course)
    before = everything(copy)
    assert len(update(copy)) == 1
    assert everything(copy) == before


def test_a_notebook_that_was_only_run_is_renewed_and_its_outputs_are_kept_aside(course, copy):
    edit(copy / LESSON, run)
    assert update(copy) == []
    ran = (copy / LESSON).read_bytes()
    publish(course)
    aside = copy / f"notebooks/03_old_{TODAY}_threads.ipynb"
    assert update(copy) == [f"Renewed: {LESSON}. Yours is kept beside it: {aside.name}"]
    assert aside.read_bytes() == ran
    assert text_of(copy / LESSON) == "2 + 2"
    assert update(copy) == []


# ---------------------------------------------------------------- one notebook anew


def test_reset_gives_the_courses_notebook_and_keeps_the_old_one_beside_it(copy):
    for number, name in ((7, "03_old_%s_threads"), (8, "03_old_%s_2_threads")):
        edit(copy / LESSON, answer)
        edit(copy / LESSON, lambda found, n=number: found.cells[1].update(source=f"answer = {n}"))
        aside = copy / "notebooks" / f"{name % TODAY}.ipynb"
        assert reset(copy, "03") == [f"Renewed: {LESSON}. Yours is kept beside it: {aside.name}"]
        assert text_of(copy / LESSON) == "1 + 1"
        assert text_of(aside) == f"answer = {number}"


def test_reset_keeps_what_was_run(copy):
    edit(copy / LESSON, run)
    reset(copy, "03")
    assert (copy / f"notebooks/03_old_{TODAY}_threads.ipynb").exists()


def test_reset_brings_the_newest(course, copy):
    edit(copy / LESSON, answer)
    publish(course)
    reset(copy, "03")
    assert update(copy) == []
    assert text_of(copy / LESSON) == "2 + 2"


def test_there_is_nothing_to_reset_in_a_notebook_that_is_as_the_courses(copy):
    before = everything(copy)
    assert reset(copy, "03") == [f"{LESSON} is as the course has it."]
    assert everything(copy) == before
    (copy / LESSON).unlink()
    assert reset(copy, "03") == [f"New: {LESSON}."]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("03", LESSON),
        ("3", LESSON),
        ("03_threads", LESSON),
        ("03_threads.ipynb", LESSON),
        ("03_exercises", EXERCISES),
        ("your_copy/exercises/03_exercises_threads.ipynb", EXERCISES),
    ],
)
def test_a_notebook_goes_by_its_number_its_name_and_its_path(copy, wanted, name):
    edit(copy / LESSON, answer)
    edit(copy / EXERCISES, answer)
    [line] = reset(copy, wanted)
    assert line.startswith(f"Renewed: {name}.")
    assert len(list(copy.rglob("*_old_*"))) == 1


@pytest.mark.parametrize("wanted", ["17", "", "03_", "threads", ".", "../03"])
def test_a_name_that_names_none_or_two_is_refused_before_anything_is_done(copy, wanted):
    edit(copy / LESSON, answer)
    if wanted == "../03":  # a path, and its end names the lesson
        assert len(reset(copy, wanted)) == 1
        return
    before = everything(copy)
    with pytest.raises(workspace.Trouble, match="Choose from: 03, 03_exercises$"):
        reset(copy, "03", wanted)
    assert everything(copy) == before


# ---------------------------------------------------------------- what can go wrong


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"cells": 3, "metadata": {}}', "\udcff", "[" * 100_000, None]
)
def test_a_damaged_notebook_is_left_alone_until_it_is_reset(course, copy, damage):
    path = copy / LESSON
    path.unlink()
    if damage is None:
        path.mkdir()
    else:
        path.write_bytes(damage.encode(errors="surrogateescape"))
    publish(course)
    [line] = update(copy)
    assert line.startswith(f"{path} cannot be read: ")
    assert line.endswith(" reset 03")
    [line] = reset(copy, "03")
    aside = copy / f"notebooks/03_old_{TODAY}_threads.ipynb"
    assert line.endswith(aside.name)
    assert (
        aside.is_dir()
        if damage is None
        else aside.read_bytes() == damage.encode(errors="surrogateescape")
    )
    assert text_of(path) == "2 + 2"


def test_a_damaged_lesson_of_the_course_costs_nobody_the_others(course, copy):
    publish(course, name=EXERCISES)
    (course / LESSON).write_text("<<<<<<< HEAD")
    first, second = update(copy)
    assert first == f"{course / LESSON} cannot be read: it is no notebook."
    assert second == f"Renewed: {EXERCISES}."
    assert text_of(copy / LESSON) == "1 + 1"


@pytest.mark.parametrize("at", ["fsync", "rename", "replace"])
def test_nothing_is_lost_when_writing_fails(course, copy, monkeypatch, at):
    edit(copy / LESSON, run)
    publish(course)
    before = everything(copy)

    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(workspace.os, at, fail)
        with pytest.raises(OSError, match="No space left"):
            update(copy)
    assert sorted(everything(copy).values()) == sorted(before.values())
    update(copy)
    assert text_of(copy / LESSON) == "2 + 2"


def command(*arguments, copy, before=()):
    """Run the module's command on this checkout's course."""
    return subprocess.run(
        [*before, sys.executable, "-P", str(ROOT / "asynclab" / "workspace.py"), *arguments],
        env=os.environ | {workspace.VARIABLE: str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )


def is_a_clear_line(outcome, *words):
    return (
        outcome.returncode == 1
        and outcome.stderr.count("\n") == 1
        and all(word in outcome.stderr for word in words)
    )


def test_a_full_disk_is_named_and_keeps_what_is_there(tmp_path):
    small = tmp_path / "small disk"
    small.mkdir()
    full = mounted(f"mount -t tmpfs -o size=64k none '{small}'")
    outcome = command(copy=small / "copy", before=full)
    assert is_a_clear_line(outcome, "No space left on device", "Free some space"), outcome.stderr


def test_a_read_only_folder_is_named_unless_nothing_is_to_be_written(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir()
    inside = mounted(f"mount --bind '{locked}' '{locked}' && mount -o remount,ro,bind '{locked}'")
    outcome = command(copy=locked, before=inside)
    assert is_a_clear_line(outcome, "Read-only file system", "Make it writable"), outcome.stderr
    assert command(copy=locked).returncode == 0
    assert command(copy=locked, before=inside).returncode == 0


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "copy").write_text("Persuasion")
    assert is_a_clear_line(command(copy=tmp_path / "copy"), "cannot be written")
    assert (tmp_path / "copy").read_text() == "Persuasion"


@pytest.mark.parametrize("arguments", [["reset"], ["renew"], ["03"]])
def test_a_command_that_there_is_not_gets_a_line(tmp_path, arguments):
    outcome = command(*arguments, copy=tmp_path)
    assert is_a_clear_line(outcome, "for example: python3 start.py reset 03")
    assert list(tmp_path.iterdir()) == []


def test_as_a_module_it_names_itself(tmp_path):
    path = tmp_path / "notebooks" / sorted((ROOT / "notebooks").glob("*.ipynb"))[0].name
    path.parent.mkdir()
    path.write_text(json.dumps({"cells": [], "metadata": {}}))
    outcome = subprocess.run(
        [sys.executable, "-m", "asynclab.workspace"],
        env=os.environ | {workspace.VARIABLE: str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "python -m asynclab.workspace reset 00" in outcome.stdout
