"""Every claim has compared evidence, little is exempt, and the census itself can fail."""

import json
import shutil

import nbformat
import pytest

from asynclab.authoring.census import take
from asynclab.authoring.lint import lint
from asynclab.authoring.notebooks import CHECKOUT, FOLDERS, code_cells, find, read


def test_the_census_of_the_course(capsys):
    census = take(CHECKOUT)
    with capsys.disabled():
        print(f"\n\n{census}\n")
    assert census.problems == []


@pytest.mark.parametrize("path", find(*FOLDERS), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_rules_of_style_hold(path):
    assert lint(path) == []


@pytest.mark.parametrize("path", find(*FOLDERS), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_cell_has_an_id_of_its_own(path):
    """As it is in the file: nbformat gives a second cell of an id another one."""
    ids = [cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    assert sorted(set(ids)) == sorted(ids)


# On copies of a small course, each fault that the census is there for.

CLAIMS = """
- {id: U3, lesson: "01", verdict: holds, says: A., machine: Yes., article: A.}
"""


def cell(**changes):
    output = nbformat.v4.new_output("stream", text="yes\n")
    made = nbformat.v4.new_code_cell("print('yes')", id="ask", execution_count=1, outputs=[output])
    made.metadata["tags"] = ["claim-U3"]
    made.update(changes)
    return made


@pytest.fixture
def course(tmp_path):
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
        save(tmp_path, cell(metadata={}), name=f"{folder}/01_a.ipynb")
    (tmp_path / "notebooks" / "claims.yml").write_text(CLAIMS)
    save(tmp_path, cell())
    return tmp_path


def save(course, *cells, name="notebooks/01_a.ipynb"):
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), course / name)


def test_what_no_cell_demonstrates_is_not_counted(course):
    save(course, cell(metadata={}))
    assert str(take(course)).endswith("0 of 1 claims demonstrated")


def problems_with(course, *cells):
    save(course, *cells)
    return "\n".join(take(course).problems)


def tagged(*tags, **metadata):
    return {"tags": ["claim-U3", *tags], **metadata}


def test_a_good_course_has_no_problems(course):
    census = take(course)
    assert census.problems == []
    assert census.evidence == {"U3": ["01:ask"]}
    assert "notebooks/01_a.ipynb" in str(census)
    assert str(census).endswith("1 of 1 claims demonstrated")


def test_an_exemption_with_a_reason_is_counted(course):
    plain = [cell(id=f"c{i}", metadata={}) for i in range(10)]
    odd = cell(id="odd", metadata={"tags": ["nbval-ignore-output"], "reason": "Times."})
    save(course, cell(), odd, *plain)
    census = take(course)
    assert census.problems == []
    assert census.counts[0].exempt == 1


def exempt(number):
    return [
        cell(id=f"e{i}", metadata={"tags": ["nbval-skip"], "reason": "Times."})
        for i in range(number)
    ]


def test_a_lesson_cannot_be_exempt_because_others_are_compared(course):
    plain = [cell(id=f"c{i}", metadata={}) for i in range(100)]
    save(course, *plain, name="notebooks/02_b.ipynb")
    save(course, cell(), *exempt(2), *plain[:16])
    assert take(course).problems == [
        "notebooks/01_a.ipynb: 2 of 19 code cells are exempt; at most 10% may be."
    ]


def test_the_front_page_may_show_what_is_not_compared(course):
    plain = [cell(id=f"c{i}", metadata={}) for i in range(100)]
    save(course, cell(), *plain)
    save(course, *plain[:1], *exempt(2), name="notebooks/00_start_here.ipynb")
    assert take(course).problems == []


PICTURE = nbformat.v4.new_output("display_data", {"image/png": "iVBO"})


@pytest.mark.parametrize(
    ("faulty", "problem"),
    [
        (cell(execution_count=None), "has no execution count"),
        (cell(execution_count=None), "Claim U3 has no compared evidence"),
        (cell(outputs=[]), "has a tag for U3 but no compared output"),
        (cell(outputs=[PICTURE]), "has a tag for U3 but no compared output"),
        (cell(outputs=[]), "notebooks/01_a.ipynb has no compared cell"),
        (cell(metadata={}), "Claim U3 has no compared evidence"),
        (cell(metadata={"tags": ["claim-X9"]}), "has a tag for X9, which claims.yml lacks"),
        (cell(metadata=tagged("nbval-ignore-output", reason="x")), "no compared output"),
        (cell(metadata=tagged("nbval-skip")), "is exempt (nbval-skip) without a reason"),
        (cell(source="# NBVAL_IGNORE_OUTPUT\n1"), "without a reason"),
        (cell(metadata=tagged("nbval-skip", reason="x")), "1 of 3 code cells are exempt"),
    ],
)
def test_a_planted_fault_is_found(course, faulty, problem):
    assert problem in problems_with(course, faulty)


def test_a_claim_shown_in_another_lesson_does_not_count(course):
    (course / "notebooks" / "01_a.ipynb").rename(course / "notebooks" / "02_a.ipynb")
    assert "Claim U3 has no compared evidence in its lesson." in take(course).problems


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_empty_folder_is_a_problem(course, folder):
    (course / folder / "01_a.ipynb").unlink()
    assert f"{folder}/ holds no notebook." in take(course).problems


def test_no_claims_are_a_problem(course):
    (course / "notebooks" / "claims.yml").write_text("[]")
    assert "notebooks/claims.yml lists no claim." in take(course).problems


def test_the_course_itself_stripped_of_its_counts(tmp_path):
    """A stripped notebook passes nbval silently; it does not pass here."""
    for folder in FOLDERS:
        shutil.copytree(CHECKOUT / folder, tmp_path / folder)
    path = sorted((tmp_path / "notebooks").glob("*.ipynb"))[0]
    notebook = read(path)
    for stripped in code_cells(notebook):
        stripped.execution_count = None
    nbformat.write(notebook, path)
    problems = take(tmp_path).problems
    assert sum("has no execution count" in p for p in problems) >= len(code_cells(notebook))
    assert f"notebooks/{path.name} has no compared cell." in problems
