"""A lesson's checks are loaded when they are asked for, and break nothing but themselves."""

import sys
import textwrap

import pytest

from asynclab.exercises import book, check, hint, progress, score, solution
from asynclab.exercises.book import NotAttempted
from asynclab.ground.errors import LabError

PACKAGE = "lessons_of_this_test"
CHECK = """
from asynclab.exercises.book import exercise

@exercise("{number}", title="a title", names=("answer",), hints=("What?",))
async def check_of(given): ...
"""


class Shelf:
    """A package of lessons in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder / PACKAGE
        self.folder.mkdir()
        (self.folder / "__init__.py").touch()

    def put(self, lesson, source):
        """Write a lesson's module anew."""
        path = self.folder / f"lesson{lesson:02d}.py"
        path.write_text(textwrap.dedent(source))

    def loaded(self):
        return sorted(name for name in sys.modules if name.startswith(f"{PACKAGE}.lesson"))


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    # Or a module that is written anew within a second may stay as it was.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(book, "LESSONS", PACKAGE)
    monkeypatch.setattr(book, "_exercises", {})
    monkeypatch.setenv(score.VARIABLE, "memory")
    monkeypatch.setattr(score, "_memory", {})
    yield Shelf(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


BROKEN = CHECK.format(number="7.1") + '\nraise OSError("the shelf is empty\\nand dusty")\n'
BROKEN_LINE = "The checks of lesson 07 do not load: OSError: the shelf is empty"


def one_line(error):
    [line] = str(error.value).splitlines()
    return line


@pytest.mark.parametrize("ask", [check, hint, solution], ids=lambda ask: ask.__name__)
def test_a_lesson_that_does_not_load_breaks_its_own_exercises_only(shelf, ask):
    shelf.put(7, BROKEN)
    shelf.put(8, CHECK.format(number="8.1"))
    with pytest.raises(LabError) as error:
        ask("7.1")
    assert one_line(error) == BROKEN_LINE
    assert book.find("8.1").title == "a title"
    assert hint("8.1").text == "What?"


def test_progress_says_which_lesson_does_not_load_and_counts_the_others(shelf, capsys):
    shelf.put(7, BROKEN)
    shelf.put(8, CHECK.format(number="8.1") + CHECK.format(number="8.2"))
    assert progress().rows == [score.LessonCount("08", 0, 0, 2, ("8.1", "8.2"))]
    assert capsys.readouterr().out == f"{BROKEN_LINE}\n"


FAILS = {"error": "raise OSError", "interrupt": "raise KeyboardInterrupt"}


@pytest.mark.parametrize("name", FAILS)
def test_a_lesson_that_loads_the_second_time_is_whole(shelf, name):
    shelf.put(7, CHECK.format(number="7.1") + CHECK.format(number="7.2") + FAILS[name])
    with pytest.raises((LabError, KeyboardInterrupt)):
        book.find("7.1")
    shelf.put(7, CHECK.format(number="7.1") + CHECK.format(number="7.2"))
    assert [exercise.number for exercise in book.exercises_of(7)] == ["7.1", "7.2"]


def test_two_exercises_of_a_lesson_cannot_share_a_number(shelf):
    shelf.put(7, 2 * CHECK.format(number="7.1"))
    with pytest.raises(LabError) as error:
        book.find("7.1")
    assert one_line(error) == (
        "The checks of lesson 07 do not load: "
        f"ValueError: exercise 7.1 is in {PACKAGE}.lesson07 already"
    )


@pytest.mark.parametrize("first", [7, 8])
def test_a_lesson_cannot_take_the_number_of_another_whichever_is_loaded_first(shelf, first):
    shelf.put(7, CHECK.format(number="7.1"))
    shelf.put(8, CHECK.format(number="8.1") + CHECK.format(number="7.1"))
    with pytest.raises(LabError) as error:
        for lesson in sorted(book.lessons(), key=lambda lesson: lesson != first):
            book.exercises_of(lesson)
    assert one_line(error) == (
        "The checks of lesson 08 do not load: ValueError: exercise 7.1 belongs in lesson07.py"
    )
    assert book.find("7.1").grade.__module__ == f"{PACKAGE}.lesson07"


def test_an_exercise_is_found_without_loading_other_lessons(shelf):
    for lesson in 7, 8:
        shelf.put(lesson, CHECK.format(number=f"{lesson}.1"))
    assert book.find(7.1).number == "7.1"
    assert shelf.loaded() == [f"{PACKAGE}.lesson07"]


def test_an_unknown_number_lists_its_lessons_without_loading_another(shelf):
    shelf.put(7, CHECK.format(number="7.2") + CHECK.format(number="7.1"))
    shelf.put(8, CHECK.format(number="8.1"))
    with pytest.raises(LabError) as error:
        check("7.9")
    assert one_line(error) == "There is no exercise '7.9'. Near it: 7.1, 7.2."
    assert shelf.loaded() == [f"{PACKAGE}.lesson07"]


@pytest.mark.parametrize("wanted", ["9.1", "8", "x.1", ""])
def test_a_number_of_no_lesson_lists_the_near_ones_of_those_that_load(shelf, wanted):
    shelf.put(7, BROKEN)
    shelf.put(8, CHECK.format(number="8.1"))
    with pytest.raises(LabError) as error:
        check(wanted)
    assert one_line(error) == f"There is no exercise '{wanted}'. Near it: 8.1."


def test_where_no_lesson_loads_an_unknown_number_has_no_near_ones(shelf):
    with pytest.raises(LabError) as error:
        check("9.1")
    assert one_line(error) == "There is no exercise '9.1'."


def test_unknown_number_lists_the_near_ones():
    with pytest.raises(LabError, match=r"no exercise '0\.7'\. Near it: 0\.1"):
        check("0.7")


def test_number_may_be_a_float():
    assert 'check("0.1")' in repr(check(0.1))


def test_not_attempted_says_which():
    assert str(NotAttempted("The stub stands.")) == "The stub stands."
