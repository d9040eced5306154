"""Refreshed notebooks are stable and hold nothing of one machine; the rules of style can fail."""

import base64
import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from asynclab.authoring.lint import lint
from asynclab.authoring.notebook_form import METADATA
from asynclab.authoring.notebooks import exemption, read
from asynclab.authoring.refresh import refresh, shorten_paths
from asynclab.authoring.sections import minutes, words
from asynclab.ground.errors import LabError
from asynclab.ground.labconfig import WIDGET_VIEW
from asynclab.lanes import text as words_of
from asynclab.lanes.canvas import size
from asynclab.lanes.still import still
from asynclab.recorder.events import Recording

CELLS = {
    "predict": "from asynclab import predict\npredict('Is it?', ['yes', 'no'])",
    "widget": "import ipywidgets\nfrom IPython.display import display\ndisplay(ipywidgets.Label())",
    "picture": (
        "import io, os\nfrom PIL import Image\nfrom PIL.PngImagePlugin import PngInfo\n"
        "from IPython.display import display\n"
        "file, told = io.BytesIO(), PngInfo()\ntold.add_itxt('Description', 'a picture')\n"
        "Image.frombytes('L', (8, 1), os.urandom(8)).save(file, 'PNG', pnginfo=told)\n"
        "display({'text/plain': 'a picture', 'image/png': file.getvalue()}, raw=True)"
    ),
    "stream": "for i in range(3):\n    print(i, flush=True)",
    "guard": "from django.conf import settings\nsettings.DEBUG",
    "environment": "import os\nprint(os.environ.get('DJANGO_SETTINGS_MODULE'))",
}
RAISES = {"guard"}


def write(path, cells, **metadata):
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata=METADATA | metadata), path)
    return path


def code(source, cell_id="cell", **metadata):
    return new_code_cell(source, id=cell_id, metadata=metadata)


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory):
    """A notebook refreshed once, with its text then and after a second refresh."""
    cells = [
        code(source, name, **({"tags": ["raises-exception"]} if name in RAISES else {}))
        for name, source in CELLS.items()
    ]
    path = write(tmp_path_factory.mktemp("refresh") / "a.ipynb", cells, widgets={"state": {}})
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    try:
        changed = refresh(path)
        first = path.read_text()
        again = refresh(path)
    finally:
        kept = os.environ.pop("DJANGO_SETTINGS_MODULE")
    assert kept == "config.settings"
    return path, first, changed, again


def outputs(path, cell_id):
    return next(cell.outputs for cell in read(path).cells if cell.id == cell_id)


def test_a_second_refresh_changes_nothing(refreshed):
    path, first, changed, again = refreshed
    assert (changed, again) == (True, False)
    assert path.read_text() == first


def test_no_widget_is_left(refreshed):
    path = refreshed[0]
    assert "widget-view" not in path.read_text()
    assert set(read(path).metadata) == {"kernelspec", "language_info"}
    assert outputs(path, "predict")[0].data["text/plain"].startswith("Predict: Is it?")


def test_no_machine_is_left(refreshed):
    path = refreshed[0]
    frames = "\n".join(outputs(path, "guard")[0].traceback)
    assert ".../django/conf/__init__.py" in frames
    assert "site-packages" not in path.read_text()
    assert outputs(path, "environment")[0].text == "None\n"


def test_a_stream_is_one_output(refreshed):
    assert [output.text for output in outputs(refreshed[0], "stream")] == ["0\n1\n2\n"]


def test_a_new_text_takes_its_new_picture(refreshed):
    path = refreshed[0]
    before = outputs(path, "picture")[0].data["image/png"]
    notebook = read(path)
    cell = next(cell for cell in notebook.cells if cell.id == "picture")
    cell.source = cell.source.replace("'a picture'", "'another picture'")
    nbformat.write(notebook, path)
    assert refresh(path)
    after = outputs(path, "picture")[0].data["image/png"]
    assert before != after
    assert base64.b64decode(after).startswith(b"\x89PNG")


def test_what_an_exempt_cell_shows_stays_if_only_its_figures_would_change(tmp_path):
    source = "import time\nprint('ns ', time.time_ns())\n7"
    exempt = code(source, "exempt", tags=["nbval-ignore-output"])
    path = write(tmp_path / "a.ipynb", [code("1"), exempt, code(source, "compared")])
    refresh(path)
    before = outputs(path, "exempt")
    notebook = read(path)
    notebook.cells.pop(0)
    nbformat.write(notebook, path)
    assert refresh(path)
    stays, figure = outputs(path, "exempt")
    assert stays.text == before[0].text
    assert (figure.data, figure.execution_count) == ({"text/plain": "7"}, 1)
    assert outputs(path, "compared")[0].text != before[0].text


def test_what_an_exempt_cell_shows_is_new_if_its_words_are(tmp_path):
    exempt = code("print(1)", "exempt", tags=["nbval-ignore-output"])
    path = write(tmp_path / "a.ipynb", [exempt])
    refresh(path)
    notebook = read(path)
    notebook.cells[0].source = "print(2, 'books')"
    nbformat.write(notebook, path)
    assert refresh(path)
    assert outputs(path, "exempt")[0].text == "2 books\n"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (code("1 / 0"), "does not run to its end"),
        (code("1", tags=["raises-exception"]), "did not fail"),
    ],
)
def test_a_cell_that_ends_otherwise_than_its_tag_says(cell, message, tmp_path):
    path = write(tmp_path / "a.ipynb", [cell])
    before = path.read_text()
    with pytest.raises(LabError, match=message):
        refresh(path)
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("File /a/b/lib/python3.11/site-packages/django/x.py:1", "File .../django/x.py:1"),
        ("\x1b[32m/a/lib/python3.13/asyncio/x.py:1\x1b[39m", "\x1b[32m.../asyncio/x.py:1\x1b[39m"),
        ("File ~/venv/lib/python3.11/site-packages/a.py", "File .../a.py"),
        (r"File C:\venv\Lib\site-packages\django\x.py", r"File ...\django\x.py"),
        ("Cell In[1], line 2", "Cell In[1], line 2"),
    ],
)
def test_paths_are_shortened(text, short):
    assert shorten_paths(text).replace("\\", "/") == short.replace("\\", "/")


def test_not_a_notebook(tmp_path):
    (tmp_path / "a.ipynb").write_text("nothing")
    with pytest.raises(LabError, match="is not a notebook"):
        read(tmp_path / "a.ipynb")
    with pytest.raises(LabError, match="No such file"):
        read(tmp_path / "b.ipynb")


def test_exemptions_by_tag_and_by_comment():
    assert exemption(code("1", tags=["nbval-skip"])) == "nbval-skip"
    assert exemption(code("# NBVAL_IGNORE_OUTPUT\n1")) == "nbval-ignore-output"
    assert exemption(code("1  # a remark")) is None


# The rules of style: a good lesson passes, and each fault is found.

CONTRACT = """# 01 · A lesson
**The question:** why?

| You need first | |
| --- | --- |
| [this](a.md) | necessary |

After this lesson you can explain it.

**Time: 2 minutes, and 1 more for the deeper sections.**"""
ERRORS = """## When you see this

| Exact text | Cause | Fix |
| --- | --- | --- |
| `TypeError: unsupported operand ... \\|: 'int' and 'str'` | Two types. | Use one. |"""
CLOSING = """## Recap
It was so.

**Next:** nothing. **Practice:** [the exercises](../exercises/a.ipynb)"""
FAILS = "unsupported operand type(s) for |:\n'int' and 'str'"


def good_lesson():
    failing = code("1 | 'x'", "fails", tags=["raises-exception"])
    failing.outputs = [nbformat.v4.new_output("error", ename="TypeError", evalue=FAILS)]
    lesson = [
        prose(CONTRACT, "contract"),
        *(code(f"x = {i}", f"c{i}") for i in range(3)),
        failing,
        prose("## Deeper: why", "deeper", section="deeper"),
        *(code(f"y = {i}", f"d{i}", section="deeper") for i in range(2)),
        prose(ERRORS, "errors"),
        prose(CLOSING, "closing"),
    ]
    for cell in lesson:
        cell.metadata.setdefault("section", "core")
    return lesson


def prose(source, cell_id, section="core"):
    return new_markdown_cell(source, id=cell_id, metadata={"section": section})


@pytest.fixture
def course(tmp_path):
    """A checkout with what the good lesson links to."""
    for folder in ("notebooks", "exercises"):
        (tmp_path / folder).mkdir()
    (tmp_path / "notebooks" / "a.md").touch()
    (tmp_path / "exercises" / "a.ipynb").touch()
    return tmp_path


def faults_in(course, cells):
    return lint(write(course / "notebooks" / LESSON, cells))


def test_a_good_lesson_has_no_faults(course):
    assert faults_in(course, good_lesson()) == []


def drop(text):
    def plant(cells):
        for cell in cells:
            cell.source = cell.source.replace(text, "")

    return plant


def add(cell):
    cell.metadata.setdefault("section", "core")
    return lambda cells: cells.insert(1, cell)


def mark(cell_id, section):
    """Put the cell with this id into another section, or into none."""

    def plant(cells):
        metadata = next(cell for cell in cells if cell.id == cell_id).metadata
        metadata.update(section=section) if section else metadata.pop("section")

    return plant


def say(old, new):
    def plant(cells):
        assert any(old in cell.source for cell in cells)
        for cell in cells:
            cell.source = cell.source.replace(old, new)

    return plant


def drop_cell(cell_id):
    return lambda cells: cells.remove(next(cell for cell in cells if cell.id == cell_id))


def shown(text):
    cell = code("x", "shown")
    cell.outputs = [nbformat.v4.new_output("stream", text=text)]
    return cell


def pictured(**data):
    cell = code("x", "pictured")
    cell.outputs = [nbformat.v4.new_output("display_data", data)]
    return cell


def drawn(text, **described):
    """A cell with a picture of an empty recording, a text, and what describes the picture."""
    png = still(Recording())
    width, height = size(png)
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": text}
    cell = pictured(**data)
    cell.outputs[0].metadata["image/png"] = {"alt": text, "width": width, "height": height}
    cell.outputs[0].metadata["image/png"] |= described
    return cell


EMPTY = words_of(Recording())


def ask_and_reveal(*sources):
    """Cells with these sources at the place of the first one."""
    cells = [code(source, f"ask{at}", section="core") for at, source in enumerate(sources)]
    return lambda lesson: lesson.__setitem__(slice(1, 1), cells)


LESSON = "99_a.ipynb"
LONG = "\n".join(["x = 1"] * 13)
MANY = [prose("So.", f"m{at}") for at in range(89)]


@pytest.mark.parametrize(
    ("plant", "fault"),
    [
        (drop("question"), "does not state the question"),
        (drop("# 01 · A lesson"), "does not state its number and title"),
        (drop("necessary"), "does not state what one needs first"),
        (drop("After this lesson you can"), "what one can do afterwards"),
        (say("**Time", "Time"), "does not state its time as"),
        (say(", and 1 more for the deeper sections", ""), "states 0 deeper minutes; 1 are counted"),
        (say("Time: 2 minutes", "Time: 4 minutes"), "states 4 core minutes; 2 are counted"),
        (mark("c1", None), "1 cells are in no section, c1 the first"),
        (mark("c1", "deep"), "1 cells are in no section, c1 the first"),
        (mark("c1", "deeper"), "in the order core, deeper, core, deeper, core"),
        (mark("fails", "deeper"), "its first deeper cell is no heading"),
        (mark("errors", "deeper"), "the heading 'When you see this' is not one of deeper"),
        (drop_cell("errors"), "has 0 headings '## When you see this'"),
        (say("## Deeper: why", "## Why"), "the heading 'Why' is not one of deeper"),
        (add(prose("## Deeper: why", "early")), "the heading 'Deeper: why' is not one of core"),
        (lambda c: c.insert(-2, prose("So.", "late")), "what follows its deeper sections is not"),
        (lambda c: c.__setitem__(slice(1, 1), MANY), "96 cells are core; 90 may"),
        (say("| Cause |", "| Reason |"), "no table with the columns Exact text, Cause, Fix"),
        (say("`TypeError", "TypeError"), "is not in backticks"),
        (say("| Use one. ", ""), "has not 3 filled columns"),
        (say("Use one.", ""), "has not 3 filled columns"),
        (say("and 'str'`", "and 'set'`"), "no cell of it shows the error TypeError"),
        (say("Use one.", "The same number."), "write what it is: The same number."),
        (drop("## Recap"), "lacks a recap"),
        (drop("**Next:**"), "lacks what is next"),
        (drop("(../exercises/a.ipynb)"), "a link to its exercises"),
        (say("It was so.", "TODO: why? It"), "cell closing: still to be written: why"),
        (add(code("x = 1  # TODO", "c9")), "cell c9: still to be written: TODO"),
        (add(new_markdown_cell("word " * 111, id="long")), "more than 110 words"),
        (add(new_markdown_cell("![](https://example.com/a.png)", id="i")), "no alt text"),
        (add(new_markdown_cell('<img src="data:,">', id="i")), "no alt text"),
        (add(new_markdown_cell("[there](gone.md)", id="i")), "leads nowhere: gone.md"),
        (add(code(LONG, "long")), "more than 12 lines"),
        (lambda cells: [c.update(source=LONG) for c in cells[1:5]], "median cell has 13 lines"),
        (add(new_markdown_cell("[there](#gone)", id="i")), "leads to no heading: #gone"),
        (add(new_markdown_cell("[x](../exercises/a.ipynb#x)", id="i")), "leads to no heading"),
        (add(code("1", "c", tags=["claim_U4"])), "cell c: nobody knows its tag 'claim_U4'"),
        (add(code("1", "c", collapsed=True)), "cell c: its metadata hold 'collapsed'"),
        (add(prose("```python\nfor\n```", "b")), "cell b: a block of Python in it is none"),
        (add(prose("```python\nx = 1", "b")), "cell b: a block of code in it does not end"),
        (add(prose("A `name.", "b")), "cell b: ` stands in it without its other half: A `name."),
        (add(prose("A **word.", "b")), "cell b: ** stands in it without its other half"),
        (add(prose("| a | b |\n| --- | --- |\n| c |", "b")), "the rows of a table in it differ"),
        (add(prose("| a | b |\n| c | d |", "b")), "a table in it has no head: | a | b |"),
        (add(code("1", "e", tags=["nbval-skip"])), "exempt from comparison without a reason"),
        (add(code("1", "r", tags=["raises-exception"])), "does not fail, but has the tag"),
        (add(shown("/home/ada/x.py")), "holds something of one machine: /home/a"),
        (add(shown("<object at 0x7f64a1b2c3d4>")), "holds something of one machine: 0x7f"),
        (add(pictured(**{"image/png": "iVBO"})), "a picture that it shows has no alt text"),
        (add(drawn(EMPTY, alt="another")), "the alt text of its picture is not what its output"),
        (add(drawn("loop: count")), "its picture is of something else than its output says"),
        (add(drawn(EMPTY, height=7)), "its picture is not as large as its metadata say"),
        (add(pictured(**{WIDGET_VIEW: {}})), "holds a widget view"),
        (ask_and_reveal("q = predict()\nq.reveal(1)"), "q is revealed before"),
        (ask_and_reveal("q.reveal(1)", "q = predict()"), "q is revealed before"),
        (ask_and_reveal("q = predict()"), "q is predicted and never revealed"),
        (ask_and_reveal("q = predict()", "q.reveal(1)\n2"), "shown only as the last line"),
        (ask_and_reveal("q = predict()", "if 1:\n    q.reveal(1)"), "shown only as the last line"),
        (lambda cells: cells.__setitem__(slice(1, 8), []), "has no code"),
    ],
)
def test_each_fault_is_found(course, plant, fault):
    cells = good_lesson()
    plant(cells)
    assert any(fault in found for found in faults_in(course, cells))


def test_a_lesson_that_another_follows_has_to_lead_there(course):
    write(course / "notebooks" / "98_b.ipynb", [new_markdown_cell("# 98 · B")])
    assert faults_in(course, good_lesson()) == []
    write(course / "notebooks" / LESSON, good_lesson()).rename(course / "notebooks" / "97_a.ipynb")
    fault = "notebooks/97_a.ipynb: its **Next:** does not link to 98_b.ipynb"
    assert lint(course / "notebooks" / "97_a.ipynb") == [fault]
    cells = good_lesson()
    say("**Next:** nothing.", "**Next:** [98 · B](98_b.ipynb).")(cells)
    assert lint(write(course / "notebooks" / "97_a.ipynb", cells)) == []


def test_a_lesson_leads_nowhere_while_the_one_that_follows_is_to_come(course):
    write(course / "notebooks" / "99_c.ipynb", [new_markdown_cell("# 99 · C")])
    write(course / "notebooks" / LESSON, good_lesson()).rename(course / "notebooks" / "97_a.ipynb")
    assert lint(course / "notebooks" / "97_a.ipynb") == []


def test_a_picture_of_its_text_is_fine(course):
    cells = good_lesson()
    add(drawn(EMPTY))(cells)
    assert [each for each in faults_in(course, cells) if "picture" in each] == []


def test_another_kernel_is_found(course):
    path = write(
        course / "notebooks" / LESSON, good_lesson(), kernelspec={"name": "p2", "display_name": "2"}
    )
    assert any("its kernel is {" in found for found in lint(path))


def test_counts_that_are_not_of_one_run_are_found(course):
    cells = good_lesson()
    for at, cell in enumerate(each for each in cells if each.cell_type == "code"):
        cell.execution_count = at + 1
    assert faults_in(course, cells) == []
    cells[1].execution_count = 7
    assert any("are not those of one run" in found for found in faults_in(course, cells))


def test_the_state_of_widgets_is_found(course):
    path = write(course / "notebooks" / LESSON, good_lesson(), widgets={"state": {}})
    assert any("holds the state of widgets" in found for found in lint(path))


def test_a_prediction_that_is_revealed_later_is_fine(course):
    cells = good_lesson()
    ask_and_reveal("q = predict()", "q.reveal(1)")(cells)
    fault = f"notebooks/{LESSON}: states 2 core minutes; 4 are counted"
    assert faults_in(course, cells) == [fault]


def test_minutes_are_counted():
    cells = [new_markdown_cell("word " * 360), code("q = predict()", "a"), code("", "empty")]
    cells.append(code('await check("1.1")', "b"))
    assert minutes(cells) == 2 + 2 * 0.5 + 1 + 2


def test_a_tables_lines_are_no_words():
    assert words("| two words |\n| --- | --- |") == 2
