"""Each claim that does not simply hold has a script, which finds here what `claims.yml` says."""

from pathlib import Path

import pytest
import yaml

from asynclab.authoring.claims import read_claims
from asynclab.authoring.scripts import Answer, problems, run, script_of
from asynclab.ground.errors import LabError
from tests.harness.checkout import ROOT

DISPUTED = [claim for claim in read_claims(ROOT) if claim.disputed]
QUOTED = {
    "sources": ["6.1"],
    "page": "topics/async",
    "heading": "Safety",
    "quote": "A loop runs.",
}
ROW = {
    "id": "U9",
    "lesson": "01",
    "verdict": "false",
    "says": "A loop runs.",
    "article": "as documented",
    "docs": [QUOTED],
    "machine": "It does not.",
    "found": "Found: no loop",
}
SCRIPT = '''"""topics/async, "Safety", says:

A loop runs."""

import django

print("Django 6.1.3 asgiref 3.13.0 Python 3.13.1 (main)")
print("Found: no loop")
'''


@pytest.mark.parametrize("claim", DISPUTED, ids=lambda claim: claim.id)
def test_what_a_script_finds_here(claim):
    answer = run(script_of(claim, ROOT))
    assert answer.found == claim.found_on(*answer.stack)


def test_the_scripts_of_the_course():
    assert problems(ROOT) == []


@pytest.fixture
def course(tmp_path):
    """A course of one claim that is false, and its script."""
    (tmp_path / "notebooks" / "claims").mkdir(parents=True)
    write(tmp_path)
    return tmp_path


def write(course, script=SCRIPT, **change):
    (course / "notebooks" / "claims.yml").write_text(
        yaml.safe_dump([{**ROW, **change}], sort_keys=False)
    )
    (course / "notebooks" / "claims" / "U9.py").write_text(script)


def test_a_script_as_it_has_to_be(course):
    assert problems(course) == []


def test_what_a_script_printed(course):
    answer = run(course / "notebooks" / "claims" / "U9.py")
    assert answer == Answer("6.1.3", "3.13.0", "3.13.1", "Found: no loop")
    assert answer.stack == ("Python 3.13", "Django 6.1")


@pytest.mark.parametrize(
    ("script", "change", "fault"),
    [
        (SCRIPT + "\n" * 33, {}, "has 41 lines; 40 may be"),
        (SCRIPT.replace("django", "uvicorn"), {}, "imports uvicorn, and the claim's `needs`"),
        (SCRIPT.replace("import", "from asynclab import boot,"), {}, "imports asynclab, and"),
        (SCRIPT.replace("loop runs", "loop ran"), {}, "does not begin with the words"),
        (SCRIPT.replace("topics/async", "topics/db"), {}, "does not begin with the words"),
        (SCRIPT, {"found": None}, "has no `found` in claims.yml"),
        (SCRIPT, {"verdict": "holds"}, "belongs to no claim that is not simply right"),
        (SCRIPT, {"id": "U8"}, "U8.py is missing"),
    ],
)
def test_what_is_wrong_with_a_script(course, script, change, fault):
    write(course, script.replace("import boot, django", "import boot"), **change)
    assert fault in "\n".join(problems(course))


def test_a_package_that_the_claim_is_about(course):
    write(course, SCRIPT.replace("django", "nest_asyncio"), needs="`nest_asyncio`: it is about it.")
    assert problems(course) == []


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("raise ValueError('no loop')", "fails: .*ValueError: no loop"),
        ("print('Found: no loop')", "does not name its stack"),
    ],
)
def test_a_script_without_an_answer(course, script, why):
    write(course, script)
    with pytest.raises(LabError, match=f"^U9.py {why}"):
        run(Path(course, "notebooks", "claims", "U9.py"))


def test_what_is_found_on_a_stack_of_several(course):
    write(course, found={"Python 3.11": "one", "Django 5.2": "two", "elsewhere": "three"})
    [claim] = read_claims(course)
    stacks = (("Python 3.11", "Django 5.2"), ("Python 3.12", "Django 5.2"), ("Python 3.12",))
    assert [claim.found_on(*stack) for stack in stacks] == ["one", "two", "three"]
