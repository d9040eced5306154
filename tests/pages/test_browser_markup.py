"""Markup in whatever a lesson may show: in a real page it makes no element, and no script runs."""

import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.harness.browser import Notebook

pytestmark = pytest.mark.browser

MARKUP = '<img src=x onerror=window.hacked=1></script><script>hacked=2</script><b>"&amp;</b>'

NAMES = f"""
import asyncio, threading
from asgiref.sync import sync_to_async
from asynclab import boot, check, playground, predict, record, shells, span
from django.db import connection
%load_ext asynclab
boot()
from library.models import Author, Book
MARKUP = {MARKUP!r}
def named(function):
    function.__name__ = function.__qualname__ = MARKUP
    return function
"""
TITLE = """%%lanes
austen = await Author.objects.afirst()
await Book.objects.acreate(title=MARKUP, author=austen, year=1811)
await Book.objects.order_by("pk").alast()"""
SQL = """%%lanes
def ask():
    with connection.cursor() as cursor:
        cursor.execute('SELECT 1 AS "' + MARKUP.replace('"', '""').replace('%', '%%') + '"')
        return cursor.description[0][0]
await sync_to_async(ask)()"""
FUNCTION = """%%lanes
@named
def count(): pass
@named
async def fetch(): await sync_to_async(count)()
with span(MARKUP):
    await asyncio.create_task(fetch(), name=MARKUP)"""
RAISES = """%%lanes
@named
def fail(): raise type(MARKUP, (Exception,), {})(MARKUP)
await sync_to_async(fail)()"""
PREDICTION = "question = predict(MARKUP, [MARKUP, '`' + MARKUP + '`'])\nquestion"
ANSWER = "question.reveal(MARKUP)"
SHELLS = "await shells({MARKUP: f'print({MARKUP!r})'}, shells=['python'], caption=MARKUP)"
VERDICT = """
class Odd:
    def __repr__(self): return MARKUP
async def count_books():
    print(MARKUP)
    await Book.objects.acount()
    return Odd()
await check("0.1")"""
REFUSED = "boot(MARKUP)"
PLAYGROUND = """
@named
def count(): raise ValueError(MARKUP)
Book.objects.count = count
panel = playground(calls=2, length=5, work="queries")
panel"""
CELLS = (NAMES, TITLE, SQL, FUNCTION, RAISES, PREDICTION, ANSWER, SHELLS, VERDICT, REFUSED)

# In an output nothing that the kit, JupyterLab or nbconvert makes is one of these.
FOREIGN = ".jp-OutputArea :is(b, script:not([type]), img[src=x], [onerror])"


@pytest.fixture(scope="module")
def shown(desks, lab):
    """A notebook with markup in everything, after Run All and a run of the playground."""
    name = lab.write("markup.ipynb", *CELLS, PLAYGROUND)
    notebook = nbformat.read(lab.folder / name, as_version=4)
    for cell in notebook.cells:
        cell.metadata.tags = ["raises-exception"]
    nbformat.write(notebook, lab.folder / name)
    with desks.lent(high=9000) as page:
        lesson = Notebook(page, lab).open(name)
        lesson.run_all()
        lesson.wait_until_idle()
        page.get_by_role("button", name="Run", exact=True).click()
        page.get_by_text("Run 1 has failed.").first.wait_for()
        lesson.shoot("markup")
        yield lesson


def test_each_output_shows_it_as_text(shown):
    outputs = shown.page.locator(".jp-CodeCell .jp-Cell-outputWrapper").all_inner_texts()
    assert [number for number, text in enumerate(outputs) if MARKUP not in text] == [0]
    assert len(outputs) == len(CELLS) + 1


@pytest.mark.parametrize(("picture", "says"), [(1, "query"), (2, "sync function")])
def test_the_lanes_show_it_as_text(shown, picture, says):
    lanes = shown.lanes.nth(picture)
    lanes.locator(".al-scroller").focus()
    shown.page.keyboard.press("End")
    detail = lanes.locator(".al-detail")
    detail.get_by_text(says).first.wait_for()
    detail.get_by_text(MARKUP if says != "query" else MARKUP.replace('"', '""')).wait_for()


def test_no_element_and_no_script_came_of_it(shown):
    assert shown.page.locator(FOREIGN).count() == 0
    assert shown.page.evaluate("window.hacked") is None
    assert shown.page.reported == []


@pytest.mark.filterwarnings("ignore:Your element with mimetype")
def test_nor_of_the_saved_notebook_as_a_page(shown, blank):
    shown.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    shown.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    html, _ = HTMLExporter().from_filename(str(shown.lab.folder / "markup.ipynb"))
    blank.route("**", lambda route: route.abort())  # styles and scripts of other sites
    blank.set_content(html)
    assert blank.locator(".jp-OutputArea").count() >= len(CELLS)
    assert MARKUP in blank.locator("body").inner_text()
    assert blank.locator(FOREIGN).count() == 0
    assert blank.evaluate("window.hacked") is None


def test_markup_that_is_not_text_is_noticed(shown, blank):
    blank.set_content(f'<div class="jp-OutputArea"><p>{MARKUP}</p></div>')
    assert blank.locator(FOREIGN).count() == 3
    blank.wait_for_function("window.hacked === 1")
