"""Tables, predictions and charts in a real JupyterLab: on a narrow page, in a search, after a
reload."""

import json
from urllib.parse import urlsplit

import pytest

from asynclab.ground.labconfig import drop_widget_views

pytestmark = pytest.mark.browser

GUARD = "You cannot call this from an async context - use a thread or sync_to_async."
TABLE = f"""\
from asynclab.shells.table import Outcome, Row, ShellTable
guard = Outcome("SynchronousOnlyOperation: {GUARD[:20]}" "{GUARD[20:]}", "error")
outside = Outcome("SyntaxError: 'await' outside function", "error")
ran = Outcome("RuntimeError: asyncio.run() cannot be called from a running event loop", "error")
row = Row({{"loop running?": Outcome("yes"), "sync ORM?": guard, "await at top level?": outside,
            "asyncio.run?": ran, "async_to_sync?": ran}})
ShellTable({{("jupyter", "on"): row, ("ipython", "off"): row}}, "The same code in each shell")"""
QUESTION = "from asynclab import predict\npredict('Is a loop running?', ['yes', 'no'])"

CHART = """\
from asynclab.charts import dots, lines
busy = [{"visitors": n, "at once": min(n, most), "threads": most} for most in (4, 9)
        for n in (2, 4, 8)]
lines(busy, x="visitors", y="at once", group="threads", title="Waiting at once")"""
DOTS = """\
busy = [row | {"from": 1, "to": 9} for row in busy]
dots(busy, value="at once", of="visitors", group="threads", between=("from", "to"), title="Again",
     equal=1)"""


@pytest.fixture(scope="module")
def narrow(desks):
    """A page of 900 pixels, the file browser open beside the notebook."""
    cells = TABLE, QUESTION, "'the next cell'", CHART, DOTS
    with desks.opened("outputs.ipynb", *cells, wide=900, high=1100) as lesson:
        lesson.page.get_by_role("radio").first.wait_for()
        yield lesson


def test_a_table_of_shells_fits_a_narrow_page(narrow):
    assert narrow.page.locator(".jp-SideBar:visible").count()
    output = narrow.page.locator(".jp-OutputArea-output:has(table)")
    narrow.shoot("shells-900")
    wide, room, furthest = output.evaluate(EXTENT)
    assert wide <= room
    assert furthest <= 0


@pytest.mark.parametrize(("at", "title"), [(0, "Waiting at once"), (1, "Again")])
def test_a_chart_is_drawn_with_what_jupyterlab_has(narrow, at, title):
    chart = narrow.page.locator(".jp-RenderedVegaLite").nth(at)
    chart.locator("svg").wait_for()
    narrow.shoot(f"chart-{at}", chart)
    assert chart.locator(".mark-symbol.role-mark path").count() == 6
    said = chart.locator("[role=graphics-document]").first.get_attribute("aria-label")
    assert said.splitlines()[0] == title
    assert len(said.splitlines()) == 2 + 6
    wide, room, _ = chart.evaluate(EXTENT)
    assert wide <= room
    hosts = {urlsplit(url).netloc for url in narrow.page.asked if url.startswith("http")}
    assert hosts == {urlsplit(narrow.lab.url).netloc}


def test_the_title_of_an_axis_is_the_column_that_the_dots_stand_for(narrow):
    titles = narrow.page.locator(".jp-RenderedVegaLite").nth(1).locator(".role-axis-title text")
    assert titles.all_text_contents() == ["at once"]


def test_a_chart_has_the_grounds_and_the_inks_of_both_themes(narrow):
    """It was drawn in the light one: it is not drawn anew when the theme changes."""
    charts = narrow.page.locator(".jp-RenderedVegaLite")
    charts.nth(1).locator("svg").wait_for()
    seen = set()
    for theme in ("dark", "light"):
        narrow.theme(theme)
        texts, page, grounds = charts.evaluate_all(INKS)
        assert len(texts) > 20 and set(texts) == set(page)
        assert set(grounds) == {"rgba(0, 0, 0, 0)"}
        seen |= {*page}
    assert len(seen) == 2


# The colours of all texts in the charts, and of texts beside them; the charts' grounds.
INKS = """(charts) => {
    const svgs = charts.map((chart) => chart.querySelector("svg"));
    const texts = svgs.flatMap((svg) => [...svg.querySelectorAll("text")]);
    return [
        texts.map((text) => getComputedStyle(text).fill),
        charts.map((chart) => getComputedStyle(chart).color),
        svgs.map((svg) => getComputedStyle(svg).backgroundColor),
    ];
}"""


# How wide the output is, how much room it has, and by how much a cell sticks out on the right.
EXTENT = """(node) => {
    const right = node.getBoundingClientRect().right;
    const ends = [...node.querySelectorAll("th, td, code")]
        .map((cell) => cell.getBoundingClientRect().right - right);
    return [node.scrollWidth, node.clientWidth, Math.max(...ends)];
}"""


def test_a_search_finds_the_text_of_an_error(narrow):
    find = "(text) => { getSelection().removeAllRanges(); return window.find(text); }"
    assert narrow.page.evaluate(find, f"SynchronousOnlyOperation: {GUARD}")
    assert narrow.page.evaluate("getSelection().anchorNode.parentElement.tagName") == "CODE"
    assert not narrow.page.evaluate(find, f"SynchronousOnlyOperation: {GUARD} No.")


def test_a_locked_prediction_is_told_after_a_reload(narrow):
    page, radio = narrow.page, narrow.page.get_by_role("radio", name="no")
    radio.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    locked = page.get_by_text("Locked: you predict no.")
    locked.wait_for()
    page.wait_for_function(SAYS, arg="(x) no")
    # The form was put into the page anew, and keys go on from there.
    page.wait_for_function("document.activeElement.tagName === 'OUTPUT'")
    page.keyboard.press("Shift+Enter")
    page.wait_for_function("jupyterapp.shell.currentWidget.content.activeCellIndex === 2")
    narrow.wait_until_idle()
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    locked.wait_for()
    assert radio.is_checked()
    assert radio.is_disabled()

    # As the course's own JupyterLab saves it: without what only this kernel can show.
    file = narrow.lab.folder / "outputs.ipynb"
    content = json.loads(file.read_text())
    drop_widget_views({"type": "notebook", "content": content})
    file.write_text(json.dumps(content))
    page.reload()
    page.get_by_text("Locked: you predict no.").wait_for()
    narrow.shoot("predict-after-reload")
    assert "(x) no" in page.locator(".jp-OutputArea-output pre", has_text="Predict:").inner_text()


SAYS = """(words) => JSON.stringify(jupyterapp.shell.currentWidget.content.widgets[1]
    .model.outputs.toJSON()).includes(words)"""
