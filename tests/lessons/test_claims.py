"""The boxes in the lessons are what claims.yml says; a claim says whose it is."""

import nbformat
import pytest
import yaml
from nbformat.v4 import new_markdown_cell, new_notebook

from asynclab.authoring.boxes import box, fill, stale
from asynclab.authoring.claims import Quotation, read_claims
from asynclab.authoring.notebooks import CHECKOUT, read
from asynclab.ground.errors import LabError

ROW = {
    "id": "U3",
    "lesson": "01",
    "verdict": "holds",
    "says": "A loop runs.",
    "article": "Loops run.",
    "docs": [
        {
            "sources": ["5.2", "6.1"],
            "page": "topics/async",
            "heading": "sync_to_async()",
            "quote": "A loop.",
        },
        {"sources": ["asgiref"], "page": "README", "heading": "Wrappers", "quote": "Loops."},
    ],
    "machine": "So it does.",
    "stacks": {"Python 3.14": "Still."},
    "why": "`run` in `loop.py`.",
}
BOX = """\
> **Articles say, in our words:** Loops run.
>
> **Django's documentation says (5.2 and 6.1, [topics/async: sync_to_async()]\
(https://docs.djangoproject.com/en/6.1/topics/async/#sync-to-async)):** "A loop."
>
> **asgiref's documentation says ([README: Wrappers]\
(https://github.com/django/asgiref/blob/main/README.rst)):** "Loops."
>
> **The machine says:** So it does.
>
> **On Python 3.14:** Still.
>
> **Why:** `run` in `loop.py`."""


def test_the_boxes_of_the_course():
    assert stale(CHECKOUT) == []


@pytest.fixture
def course(tmp_path):
    """A course of one claim, and one lesson with its box."""
    (tmp_path / "notebooks").mkdir()
    write_claims(tmp_path, ROW)
    write_lesson(tmp_path, cell())
    fill(tmp_path / "notebooks" / "01_a.ipynb", read_claims(tmp_path))
    return tmp_path


def write_claims(course, *rows):
    (course / "notebooks" / "claims.yml").write_text(yaml.safe_dump(list(rows)))


def write_lesson(course, *cells, name="01_a"):
    nbformat.write(new_notebook(cells=list(cells)), course / "notebooks" / f"{name}.ipynb")


def cell(claim="U3", source="", cell_id="box"):
    return new_markdown_cell(source, id=cell_id, metadata={"claim": claim})


def test_a_box_is_written_and_only_it(course):
    prose = new_markdown_cell("> A quotation", id="prose")
    write_lesson(course, prose, cell())
    path = course / "notebooks" / "01_a.ipynb"
    assert fill(path, read_claims(course))
    assert [each.source for each in read(path).cells] == ["> A quotation", BOX]
    assert not fill(path, read_claims(course))
    assert stale(course) == []


def test_an_article_that_repeats_the_documentation_is_not_shown(course):
    write_claims(course, {**ROW, "article": "as documented"})
    assert box(*read_claims(course)).startswith("> **Django's documentation says (5.2 and 6.1, ")


def test_an_answer_changed_in_the_list(course):
    write_claims(course, {**ROW, "machine": "No."})
    assert stale(course) == ["01_a.ipynb: cell box is not what `authoring boxes` writes"]


def test_one_altered_word_in_a_box(course):
    write_lesson(course, cell(source=BOX.replace("run.", "ran.")))
    assert stale(course) == ["01_a.ipynb: cell box is not what `authoring boxes` writes"]


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ([], "0 boxes of the claim U3, where 1 belongs"),
        ([cell(), cell(cell_id="b")], "2 boxes of the claim U3, where 1 belongs"),
        ([cell("X9")], "cell box names the claim X9, which claims.yml lacks"),
    ],
)
def test_each_claim_of_a_lesson_has_one_box(course, cells, fault):
    write_lesson(course, *cells)
    assert f"01_a.ipynb: {fault}" in stale(course)


def test_a_box_in_another_lesson(course):
    write_lesson(course, cell(source=BOX), name="02_b")
    assert stale(course) == ["02_b.ipynb: 1 boxes of the claim U3, where 0 belongs"]


def test_a_box_of_no_claim_is_not_written(course):
    write_lesson(course, cell("X9"))
    with pytest.raises(LabError, match="cell box names the claim X9"):
        fill(course / "notebooks" / "01_a.ipynb", read_claims(course))


def test_a_heading_becomes_its_anchor():
    quotation = Quotation(("6.1",), "topics/async", "Queries & the ORM", "")
    assert quotation.link.endswith("/en/6.1/topics/async/#queries-the-orm")


@pytest.mark.parametrize("text", ["- {id: U3}", "- [", "3"])
def test_a_damaged_list_of_claims(course, text):
    (course / "notebooks" / "claims.yml").write_text(text)
    with pytest.raises(LabError, match="claims.yml cannot be read"):
        read_claims(course)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"verdict": "maybe"}, "has the verdict 'maybe'"),
        ({"article": "as documented", "docs": []}, "no documentation that an article could repeat"),
        ({"docs": [{"sources": ["6.1"], "page": "a"}]}, "missing 2 required"),
        ({"remark": "x"}, "unexpected keyword argument 'remark'"),
    ],
)
def test_what_a_claim_lacks(course, change, fault):
    write_claims(course, {**ROW, **change})
    with pytest.raises(LabError, match=fault):
        read_claims(course)
