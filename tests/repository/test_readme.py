"""The README's figures are those of this checkout, and its commands and addresses are there."""

import re
import runpy
from urllib.parse import unquote

import pytest

from asynclab import workspace
from asynclab.authoring.census import take
from asynclab.exercises import score
from tests.harness.checkout import ROOT
from tests.proof.faults.catalogue import FAULTS
from tests.proof.mutants.equivalents import known_equivalents
from tests.proof.mutants.generate import count

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
    right = len(known_equivalents())
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
