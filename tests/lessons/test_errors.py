"""The index of errors is what the lessons' tables say, and a cell shows each of its texts."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from asynclab.authoring.error_pages import entries_of, stale_index, write_index
from asynclab.authoring.error_table import said
from asynclab.authoring.notebooks import read
from asynclab.ground.errors import LabError
from asynclab.ledger.error_index import Entry, known, occurs
from tests.harness.checkout import ROOT

TABLE = """## When you see this

| Exact text | Cause | Fix |
| --- | --- | --- |
| `OSError: shelf ... lost` | no shelf \\| no book | find it |
| `Lost.` | the same, without a class | The same |
"""


def test_the_index_is_what_the_lessons_say():
    assert stale_index(ROOT) == []


def test_the_cell_that_an_entry_names_shows_its_text():
    outputs = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        outputs |= {(path.name, c.id): said(c) for c in read(path).cells if "outputs" in c}
    entries = known()
    assert len(entries) > 60
    wrong = [e.text for e in entries if not occurs(e.text, outputs[e.notebook, e.cell])]
    assert wrong == []


@pytest.fixture
def course(tmp_path):
    """A course of one lesson with two errors."""
    for folder in ("notebooks", "asynclab/ledger"):
        (tmp_path / folder).mkdir(parents=True)
    printed = [new_output("stream", text="Lost.\n")]
    raised = [new_output("error", ename="OSError", evalue="shelf 7 lost", traceback=[])]
    cells = [
        new_code_cell("a", id="prints", outputs=printed),
        new_code_cell("b", id="raises", outputs=raised),
        new_markdown_cell(TABLE, id="errors"),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "notebooks" / "01_a.ipynb")
    return tmp_path


def test_an_entry_says_who_shows_it_and_stands_alone(course):
    where = ("01", "01_a.ipynb")
    assert entries_of(course) == [
        Entry("Lost.", "no shelf | no book, without a class", "find it", *where, "prints"),
        Entry("OSError: shelf ... lost", "no shelf | no book", "find it", *where, "raises"),
    ]


def test_the_page_and_what_errors_looks_up(course):
    assert stale_index(course) == ["asynclab/ledger/errors.json", "notebooks/errors.md"]
    assert len(write_index(course)) == 2
    assert write_index(course) == stale_index(course) == []
    page = (course / "notebooks" / "errors.md").read_text(encoding="utf-8")
    line = r"| `OSError: shelf ... lost` | no shelf \| no book | find it "
    assert line + "| [01](01_a.ipynb#cell-id=raises) |" in page
    assert page.index("## OSError") < page.index("## Messages and warnings")


def test_an_error_that_no_cell_shows(course):
    path = course / "notebooks" / "01_a.ipynb"
    path.write_text(path.read_text().replace("shelf 7 lost", "shelf 7 found"))
    with pytest.raises(LabError, match="01_a.ipynb: no cell shows the error OSError: shelf"):
        entries_of(course)
