"""The README's figures are those of this checkout, and its commands are there."""

import re

from checkout import ROOT

from asynclab.authoring.census import take
from tests.faults.catalogue import FAULTS
from tests.mutants.equivalents import read_equivalents
from tests.mutants.generate import count

README = (ROOT / "README.md").read_text(encoding="utf-8")


def figures():
    """The table of figures: what is counted, and the text of its figure."""
    section = README.partition("## The checks can fail")[2].partition("\n## ")[0]
    rows = [row.strip("| ").split(" | ") for row in section.splitlines() if row.startswith("|")]
    return {row[0]: row[1].rstrip(" |") for row in rows[2:]}


def test_the_faults_are_counted():
    kinds = {fault.kind for fault in FAULTS}
    assert figures()["faults planted"] == f"{len(FAULTS)}, of {len(kinds)} kinds"
    assert figures()["... and caught, for the right reason"] == str(len(FAULTS))


def test_the_mutants_are_counted():
    right = len(read_equivalents())
    assert figures()["changed answers to the exercises"] == str(count())
    assert figures()["... refused by the exercise's check"] == str(count() - right)
    assert figures()["... right after all, each listed with the reason"] == str(right)


def test_the_claims_are_counted():
    census = take(ROOT)
    all_of_them = f"{census.demonstrated} of {len(census.evidence)}"
    assert figures()["claims demonstrated in compared cells"] == all_of_them


def test_every_figure_has_a_test_or_a_command_that_fails():
    assert len(figures()) == 7
    commands = set(re.findall(r'^    "(\w+)": \1,$', (ROOT / "start.py").read_text(), re.M))
    assert set(re.findall(r"python3 start\.py (\w+)", README)) <= commands
