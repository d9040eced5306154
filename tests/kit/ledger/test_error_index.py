"""errors() finds what somebody types or pastes."""

import pytest

from asynclab import errors
from asynclab.ground.errors import LabError
from asynclab.ground.labconfig import WIDGET_VIEW
from asynclab.ledger import error_index
from asynclab.ledger.error_index import Entry, Found, search
from asynclab.ledger.search_box import SearchBox

CLOSED = Entry(
    "RuntimeError: Event loop is closed", "kept `it`", "one", "04", "04_a.ipynb", "raises"
)
LOOP = Entry("RuntimeError: Task ... got Future", "two loops", "one", "04", "04_a.ipynb", "waits")
LOCKED = Entry("database is locked", "two writers", "one", "06", "06_b.ipynb", "writes")
ENTRIES = [CLOSED, LOOP, LOCKED]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("loop is closed", [CLOSED]),
        ("CLOSED event", [CLOSED]),
        ("lock", [LOCKED]),
        ("RuntimeError: Task <Task pending name='a'> got Future <Future>", [LOOP]),
        ("sqlite3.OperationalError: database is locked", [LOCKED]),
        ("sqlite3.OperationalError: database is lockedness", []),
        ("runtime", [CLOSED, LOOP]),
        ("ock", []),
        ("loop is open", []),
        ("(", []),
    ],
)
def test_what_is_found(words, found):
    assert search(words, ENTRIES) == found


def test_the_name_of_an_error_is_that_of_its_class():
    hangs = Entry("hangs: the worker waits", "one", "one", "03", "03_c.ipynb", "waits")
    bare = Entry("CancelledError", "one", "one", "10", "10_d.ipynb", "leaves")
    names = [entry.name for entry in (CLOSED, LOCKED, hangs, bare)]
    assert names == ["RuntimeError", "", "", "CancelledError"]


def test_an_answer_in_words():
    said = "RuntimeError: Event loop is closed\n  cause: kept `it`\n  fix: one\n  lesson 04"
    assert repr(Found("closed", [CLOSED])) == said
    assert repr(Found("open", [])).startswith("No error of the course has these words: open.")
    assert "<p>No error" in Found("open", [])._repr_html_()


def test_an_answer_as_a_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "<code>it</code>" in Found("closed", [CLOSED])._repr_html_()
    assert "<a " not in Found("closed", [CLOSED])._repr_html_(), "the lesson is not at hand"
    (tmp_path / "04_a.ipynb").touch()
    assert '<a href="04_a.ipynb#cell-id=raises">04</a>' in Found("", [CLOSED])._repr_html_()


def test_a_lesson_seen_from_the_exercises(tmp_path, monkeypatch):
    for folder in ("notebooks", "exercises"):
        (tmp_path / folder).mkdir()
    (tmp_path / "notebooks" / "04_a.ipynb").touch()
    monkeypatch.chdir(tmp_path / "exercises")
    assert '<a href="../notebooks/04_a.ipynb#cell-id=raises">' in Found("", [CLOSED])._repr_html_()


def test_the_box_answers_while_somebody_types():
    box = SearchBox(ENTRIES)
    assert repr(box).startswith("errors(): 3 entries.")
    box._typed.value = "lock"
    [output] = box._answer.outputs
    assert output["data"]["text/plain"] == repr(Found("lock", [LOCKED]))


def test_where_no_kernel_runs_the_box_is_a_table_of_all():
    bundle = SearchBox(ENTRIES)._repr_mimebundle_()
    assert bundle["text/html"].count("<tr>") == 1 + len(ENTRIES)
    assert WIDGET_VIEW in bundle


def test_the_courses_own():
    assert "lesson 04" in repr(errors("Event loop is closed"))
    assert isinstance(errors(), SearchBox)


def test_what_is_no_text_gets_a_line():
    with pytest.raises(LabError, match="takes words of the text"):
        errors(ValueError("closed"))


def test_a_damaged_file_gets_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(error_index, "DATA", tmp_path / "errors.json")
    with pytest.raises(LabError, match="errors.json cannot be read"):
        errors("closed")
    (tmp_path / "errors.json").write_text('[{"text": "closed"}]')
    with pytest.raises(LabError, match="missing 5 required"):
        errors("closed")
