"""What the matrix promises, and that no row of it is left out in silence."""

import re
from collections import Counter
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from tests.proof import matrix
from tests.repository.test_environment import CLASSIFIERS, EXTRAS, PROJECT, pythons

DJANGOS = {c.rpartition(" ")[2] for c in CLASSIFIERS if re.match(r"Framework :: Django :: \d", c)}


def by_name(name):
    [row] = (row for row in matrix.ROWS if row.name == name)
    return row


def names(*arguments):
    return [row.name for row in matrix.read(list(arguments))[0]]


# ---------------------------------------------------------------- the rows


def test_every_promised_python_and_django_has_a_row():
    assert {row.python for row in matrix.ROWS} == pythons()
    assert {row.expect["django"] for row in matrix.ROWS} == DJANGOS
    assert {row.expect["ipykernel"] for row in matrix.ROWS} == {"6.31", "7"}


def test_a_row_is_called_by_what_it_is():
    for row in matrix.ROWS:
        if "/" in row.name:
            assert row.name == f"{row.python}/{row.expect['django']}"


def test_the_oldest_row_and_the_newest_run_unless_others_are_asked_for():
    ordered = sorted(pythons(), key=lambda python: int(python[2:]))
    assert names() == [matrix.OLDEST, matrix.NEWEST]
    assert (by_name(matrix.OLDEST).python, by_name(matrix.OLDEST).lowest) == (ordered[0], True)
    assert by_name(matrix.NEWEST).python == ordered[-1]
    assert by_name(matrix.NEWEST).expect["django"] == max(DJANGOS)
    assert not by_name(matrix.NEWEST).instead


def test_rows_are_chosen_by_name_or_all_at_once():
    assert names("3.14/6.1", "lowest") == ["3.14/6.1", "lowest"]
    assert names("--all") == [row.name for row in matrix.ROWS]
    _, with_root, options = matrix.read(["lowest", "--root-folder", "--", "-k", "boot"])
    assert (with_root, options) == (True, ["-k", "boot"])


def test_a_row_that_there_is_not_is_named(capsys):
    with pytest.raises(SystemExit) as ended:
        matrix.read(["3.16/7"])
    assert ended.value.code == 2
    assert "there is no row 3.16/7; there are lowest, 3.11/5.2, " in capsys.readouterr().err


# ---------------------------------------------------------------- the lowest versions


def test_the_lowest_row_expects_the_bound_of_everything_that_is_named():
    named = [Requirement(text) for text in PROJECT["dependencies"] + EXTRAS["lab"] + EXTRAS["test"]]
    expected = by_name("lowest").expect
    assert expected.keys() == {each.name for each in named}
    assert all(f">={expected[each.name]}" in str(each.specifier) for each in named)


@pytest.mark.parametrize(
    ("installed", "fits"), [("5.2", True), ("5.2.19", True), ("5.20", False), ("6.1", False)]
)
def test_an_environment_that_is_not_the_row_is_refused(installed, fits, monkeypatch):
    row, place = matrix.Row("any", "3.11", {"django": "5.2"}), matrix.Place("python")
    said = SimpleNamespace(stdout=f"{installed}\n")
    monkeypatch.setattr(matrix.Place, "call", lambda *_, **__: said)
    if fits:
        matrix.check_versions(row, place)
    else:
        with pytest.raises(SystemExit, match=f"any: django {installed} is installed, and not 5.2"):
            matrix.check_versions(row, place)


# ---------------------------------------------------------------- what it ends with


@pytest.fixture
def outcome(monkeypatch, capsys):
    """Run `main` over rows whose tests end as told; return its code and what it prints."""
    monkeypatch.setattr(matrix, "build", lambda *_: None)
    monkeypatch.setattr(matrix, "find_interpreter", lambda version: f"/bin/python{version}")

    def run(*arguments, **ends):
        found = {"3.11": (0, Counter(passed=7, skipped=1)), "3.15": (0, Counter(passed=8))} | ends
        monkeypatch.setattr(matrix, "run_tests", lambda row, *_: found[row.python])
        return matrix.main(list(arguments)), capsys.readouterr().out

    return run


def test_rows_that_pass_are_added_up(outcome):
    code, said = outcome()
    assert code == 0
    assert re.search(r"^lowest +passed, 7 tests\n3\.15/6\.1 +passed, 8 tests$", said, re.MULTILINE)
    assert said.endswith("matrix: 15 passed, 0 failed, 1 skipped\n")


@pytest.mark.parametrize("counted", [Counter(passed=7, failed=2), Counter()])
def test_a_row_that_fails_fails_the_matrix(outcome, counted):
    code, said = outcome(**{"3.15": (1, counted)})
    assert code == 1
    assert re.search(r"^3\.15/6\.1 +failed$", said, re.MULTILINE)


def test_rows_without_any_test_fail(outcome):
    assert outcome(**{"3.11": (0, Counter()), "3.15": (0, Counter())})[0] == 1


def test_a_row_without_its_python_fails_and_is_named(outcome, monkeypatch):
    monkeypatch.setattr(matrix, "find_interpreter", {"3.11": "/bin/python3"}.get)
    code, said = outcome()
    assert code == 1
    assert re.search(r"^3\.15/6\.1 +not run: there is no Python 3\.15 here$", said, re.MULTILINE)
    assert re.search(r"^lowest +passed", said, re.MULTILINE)


def test_a_root_folder_that_cannot_be_made_fails_the_matrix(outcome, monkeypatch):
    monkeypatch.setattr(matrix, "find_interpreter", {"3.11": "/bin/python3"}.get)
    monkeypatch.setattr(matrix, "root_folder", refuse)
    code, said = outcome("--root-folder")
    assert code == 1
    assert "No root folder: apt-get failed: no debootstrap.\n" in said


def test_no_root_folder_is_made_where_every_python_is(outcome, monkeypatch):
    monkeypatch.setattr(matrix, "root_folder", refuse)
    code, said = outcome("--root-folder")
    assert (code, "root folder" in said) == (0, False)


def refuse(*_):
    raise matrix.NotMade("apt-get failed: no debootstrap")
