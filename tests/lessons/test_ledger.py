"""The ledger is what claims.yml, the lessons and the scripts' answers say."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from asynclab.authoring.claim_pages import (
    Runs,
    Stack,
    disagreements,
    read_runs,
    stale_ledger,
    write_runs,
)
from asynclab.authoring.claims import read_claims
from asynclab.authoring.generated import looks_up
from asynclab.authoring.scripts import Answer
from asynclab.ground.errors import LabError
from asynclab.ledger.rows import known_rows
from tests.harness.checkout import ROOT

OLD, NEW = Stack("lowest", "3.11", "5.2", "3.12.1"), Stack("3.13/6.1", "3.13", "6.1.3", "3.13.0")


def answers(stack, **found):
    return {
        claim: Answer(stack.django, stack.asgiref, f"{stack.python}.7", text)
        for claim, text in found.items()
    }


RUNS = Runs().with_row(OLD, answers(OLD, A1="one", T2="both"))
RUNS = RUNS.with_row(NEW, answers(NEW, A1="two", T2="both"))


def test_the_ledger_is_current():
    assert stale_ledger(ROOT) == []


def test_every_stack_has_answered_as_claims_yml_says():
    assert len(read_runs(ROOT).stacks) >= 6
    assert disagreements(ROOT) == []


def test_every_claim_is_in_the_ledger_with_the_cells_that_show_it():
    rows = known_rows()
    assert sorted(row.id for row in rows) == sorted(claim.id for claim in read_claims(ROOT))
    assert [row.id for row in rows if not row.cells] == []


def test_an_answer_can_be_read_without_its_lesson():
    texts = {f"{row.id} {part}" for row in known_rows() for part in (row.machine, row.why) if part}
    assert [each for each in texts if not each.endswith(".") or "this notebook" in each] == []


def test_a_script_is_in_the_ledger_as_it_is_run():
    rows = [row for row in known_rows() if row.verdict != "holds"]
    folder = ROOT / "notebooks" / "claims"
    scripts = {row.id: (folder / f"{row.id}.py").read_text(encoding="utf-8") for row in rows}
    assert {row.id: row.script for row in rows} == scripts


@pytest.mark.parametrize(
    ("source", "shows"),
    [
        ("%load_ext asynclab\nfrom asynclab import errors, predict", True),
        ("from asynclab import ledger", True),
        ("from asynclab import boot\n\ndef errors(): ...", False),
    ],
)
def test_a_lesson_that_changes_with_the_ledger(source, shows):
    assert looks_up(new_notebook(cells=[new_code_cell(source)])) == shows


def test_stacks_that_agree_stand_together():
    assert RUNS.of("T2") == [{"stacks": ["3.13/6.1", "lowest"], "found": "both"}]
    assert [group["found"] for group in RUNS.of("A1")] == ["two", "one"]
    assert RUNS.of("U9") == []


def test_answers_are_read_as_they_were_written(tmp_path):
    (tmp_path / "asynclab" / "ledger").mkdir(parents=True)
    assert read_runs(tmp_path) == Runs()
    write_runs(tmp_path, RUNS)
    assert read_runs(tmp_path) == RUNS


def test_a_stack_is_named_by_its_answers():
    assert Stack.of("3.13/6.1", answers(NEW, A1="one")) == NEW
    assert NEW.names == ("Python 3.13", "Django 6.1")
    with pytest.raises(LabError, match="name 2 stacks"):
        Stack.of("lowest", answers(OLD, A1="one") | answers(NEW, T2="both"))


@pytest.mark.parametrize("text", ["{", '{"stacks": {}}', '{"stacks": {"a": {}}, "found": {}}'])
def test_a_damaged_file_gets_a_line(tmp_path, text):
    (tmp_path / "asynclab" / "ledger").mkdir(parents=True)
    (tmp_path / "asynclab" / "ledger" / "runs.json").write_text(text)
    with pytest.raises(LabError, match="runs.json cannot be read"):
        read_runs(tmp_path)
