"""`start.py ledger` turns red, with the row, where a script finds something else."""

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_output

from asynclab.authoring.claim_pages import read_runs
from asynclab.authoring.scripts import Answer
from asynclab.ground.errors import LabError
from tests.proof import ledger, matrix
from tests.proof.matrix import Place

CLAIM = {
    "id": "U9",
    "lesson": "01",
    "verdict": "false",
    "says": "A loop runs.",
    "article": "A loop runs.",
    "machine": "It does not.",
    "found": {"Python 3.11": "no loop", "elsewhere": "none"},
}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one claim, on a machine with two Pythons."""
    for folder in ("notebooks/claims", "asynclab/ledger"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "notebooks" / "claims.yml").write_text(yaml.safe_dump([CLAIM], sort_keys=False))
    shown = new_code_cell("1", id="shows", execution_count=1, metadata={"tags": ["claim-U9"]})
    shown.outputs = [new_output("stream", text="no loop\n")]
    nbformat.write(new_notebook(cells=[shown]), tmp_path / "notebooks" / "01_a.ipynb")
    here = {"3.11": Place("python3.11"), "3.13": Place("python3.13")}
    monkeypatch.setattr(matrix, "find_place", lambda version, _root: here.get(version))
    monkeypatch.setattr(ledger, "ROOT", tmp_path)
    monkeypatch.setattr(ledger, "build", lambda *_: None)
    return tmp_path


@pytest.fixture
def outcome(course, monkeypatch, capsys):
    """Run `main` where the script finds what is told, by the stack; its code and what it prints."""

    def run(*arguments, **found):
        found = {"3.11": "no loop", "3.13": "none"} | found

        def answer(_script, command):
            python = "3.13" if "3.13" in command[-1] else "3.11"
            if isinstance(found[python], LabError):
                raise found[python]
            return Answer(
                "5.2" if python == "3.11" else "6.1", "3.13", f"{python}.1", found[python]
            )

        monkeypatch.setattr(ledger, "run", answer)
        return ledger.main(list(arguments)), capsys.readouterr().out

    return run


def test_what_is_found_is_written_down(course, outcome):
    code, said = outcome("lowest", "3.13/6.1")
    assert code == 0
    assert "lowest: 1 of 1 scripts have answered" in said
    assert said.endswith("ledger: 1 scripts, 2 stacks, 0 red\n")
    assert read_runs(course).of("U9") == [
        {"stacks": ["3.13/6.1"], "found": "none"},
        {"stacks": ["lowest"], "found": "no loop"},
    ]
    page = (course / "notebooks" / "ledger.md").read_text(encoding="utf-8")
    assert "| 3.13/6.1 | 3.13 | 6.1 | 3.13 |" in page
    assert "[U9.py](claims/U9.py), on 3.13/6.1:\n\n      none\n" in page


def test_a_changed_answer_is_red_and_its_row_is_named(course, outcome):
    code, said = outcome("lowest", "3.13/6.1", **{"3.13": "a loop"})
    assert code == 1
    assert "3.13/6.1: U9: found\na loop\nand claims.yml says\nnone\n" in said
    assert said.endswith("1 red 3.13/6.1 U9\n")
    assert read_runs(course).found["3.13/6.1"] == {"U9": "a loop"}, "the new answer is kept"


def test_a_script_that_fails_is_red(outcome):
    code, said = outcome("lowest", **{"3.11": LabError("U9.py fails: no such module")})
    assert code == 1
    assert "lowest: U9: U9.py fails: no such module" in said


def test_what_another_row_has_answered_stays(course, outcome):
    assert outcome("lowest")[0] == outcome("3.13/6.1")[0] == 0
    assert sorted(read_runs(course).stacks) == ["3.13/6.1", "lowest"]


def test_a_row_without_its_python_is_red_only_if_it_was_asked_for(outcome):
    code, said = outcome()
    assert code == 0
    assert "3.15/6.1: not run: there is no Python 3.15 here" in said
    assert outcome("3.15/6.1")[0] == outcome("--all")[0] == 1


def test_a_row_that_there_is_not_is_named(capsys):
    with pytest.raises(SystemExit):
        ledger.read(["3.16/7"])
    assert "there is no row 3.16/7; there are lowest, " in capsys.readouterr().err


def test_a_row_holds_what_the_scripts_need(course):
    claims = ledger.read_claims(course)
    assert ledger.packages_of(claims) == ["asgiref", "django"]
    [lowest] = (row for row in matrix.ROWS if row.name == "lowest")
    row = ledger.slim(lowest, ["asgiref", "django"])
    assert row.expect.keys() == {"asgiref", "django"}
    assert row.lowest
    assert row.folder != lowest.folder
