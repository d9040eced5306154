"""The live picture in a real JupyterLab: it is there while the cell runs, and it can be read."""

import re

import pytest

from tests.harness.browser import DRAW, Notebook, contrasts

pytestmark = pytest.mark.browser

PRELUDE = """
import asyncio, threading, time
from asgiref.sync import sync_to_async
from asynclab import record, span
%load_ext asynclab
def count_books(): time.sleep(0.02)
async def fetch(): await sync_to_async(count_books)()
"""
FIVE = "%%lanes\nawait asyncio.gather(*(fetch() for _ in range(5)))"
WHO = "%%lanes\nprint('main', threading.get_ident(), threading.get_native_id())"
MARKUP = "<img src=x onerror=window.hacked=1><b>bold</b>"
MARKED = f"%%lanes\nwith span({MARKUP!r}): pass"
FAILS = "with record():\n    await fetch()\n    1 / 0"

# Goes on until the test, which has seen the spans, has made the file.
UNTIL_SEEN = """%%lanes
import pathlib
while not pathlib.Path("seen-{how}").exists():
    with span("step"):
        {wait}(0.05)
print("seen while it ran: {how}")
"""
WAYS = {"blocking": "time.sleep", "awaiting": "await asyncio.sleep"}


def run(page, lab, name, *cells, theme="light"):
    lesson = Notebook(page, lab).open(lab.write(name, PRELUDE, *cells), theme)
    lesson.run_all()
    return lesson


@pytest.fixture(scope="module", params=["light", "dark"])
def gallery(request, desks):
    """A notebook with a picture of each sort, after Run All, in one of the two themes."""
    theme = request.param
    cells = PRELUDE, FIVE, WHO, MARKED, FAILS
    with desks.opened(f"gallery-{theme}.ipynb", *cells, theme=theme, high=1600) as lesson:
        lesson.page.locator("pre", has_text="Traceback").wait_for()
        lesson.shoot(f"lanes-{theme}")
        yield lesson


def test_spans_are_in_the_page_while_the_cell_runs(page, lab):
    cells = [UNTIL_SEEN.format(how=how, wait=wait) for how, wait in WAYS.items()]
    lesson = run(page, lab, "live.ipynb", *cells)
    for how in WAYS:
        try:
            page.locator(".asynclab-lanes[data-state=live]").wait_for()
            page.wait_for_function(
                "Number(document.querySelector('[data-state=live]').dataset.spans) > 5"
            )
            assert page.locator("[data-state=live] .al-player:visible").count() == 0
            lesson.shoot(f"lanes-live-{how}")
        finally:
            (lab.folder / f"seen-{how}").touch()
        page.get_by_text(f"seen while it ran: {how}", exact=True).wait_for()
    lesson.wait_until_idle()
    page.locator(".asynclab-lanes[data-state=ended]:visible").nth(1).wait_for()
    assert lesson.lanes.count() == 2
    assert page.reported == []


def test_each_cell_of_a_long_notebook_shows_one_picture(page, lab):
    """Far below, JupyterLab puts an output into the page long after it was made."""
    far_below = ["1 + 1"] * 100
    lesson = run(page, lab, "long.ipynb", *far_below, FIVE, FIVE)
    lesson.wait_until_idle()
    page.get_by_text("await asyncio.gather").last.scroll_into_view_if_needed()
    page.locator(".asynclab-lanes[data-state=ended]:visible").nth(1).wait_for()
    page.wait_for_function(
        "(n) => document.querySelectorAll('.asynclab-lanes').length === n", arg=4
    )
    assert lesson.lanes.count() == 2


def test_each_cell_shows_one_picture_and_the_console_is_quiet(gallery):
    assert gallery.lanes.count() == 4
    assert gallery.page.reported == []


def test_a_lane_shows_the_ident_and_the_native_id_of_its_thread(gallery):
    said = gallery.page.locator(".jp-OutputArea-output pre", has_text="main ").first
    _, ident, native = said.inner_text().split()
    lane = gallery.lanes.nth(1).locator(".al-lane").first
    assert lane.get_by_text(f"ident {ident}").is_visible()
    assert lane.get_by_text(f"native {native}").is_visible()
    assert lane.get_by_text("event loop").is_visible()


def test_keys_move_the_focus_and_the_detail_follows(gallery):
    lanes = gallery.lanes.first
    lanes.locator(".al-scroller").focus()
    detail = lanes.locator(".al-detail")

    def after(key):
        gallery.page.keyboard.press(key)
        return detail.inner_text()

    cells = gallery.page.locator(".jp-CodeCell").count()
    assert after("Home").startswith("this cell · cell · on event loop (MainThread)")
    assert after("ArrowRight").startswith("fetch · task")
    last = after("End")
    assert last.startswith("count_books · sync function · on thread-sensitive worker")
    assert after("ArrowLeft") != last
    assert after("ArrowUp").startswith("fetch · task")
    gallery.shoot("lanes-focus", lanes)
    # JupyterLab's own shortcuts stayed out of it.
    assert lanes.locator(".al-scroller").evaluate("node => node === document.activeElement")
    assert gallery.page.locator(".jp-CodeCell").count() == cells


def test_keys_of_jupyterlab_work_after_a_click_and_a_drag_in_the_picture(page, lab):
    """JupyterLab hears a key last, and only what the picture has no use for."""
    lesson = run(page, lab, "keys.ipynb", FIVE, "runs = globals().get('runs', 0) + 1\nprint(runs)")
    lesson.wait_until_idle()
    lanes = lesson.lanes.first

    def drag():
        lanes.scroll_into_view_if_needed()
        box = lanes.locator(".al-canvas").bounding_box()
        page.mouse.move(box["x"] + 300, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + 200, box["y"] + 40, steps=3)
        page.mouse.up()
        assert lanes.locator(".al-scroller").evaluate("node => node === document.activeElement")

    lanes.locator(".al-canvas").click(position={"x": 300, "y": 40})
    page.keyboard.press("Shift+Enter")  # runs the cell of the picture, and goes to the next
    page.wait_for_function(COUNT, arg=[1, 4])
    assert page.evaluate(ACTIVE) == 2
    page.keyboard.press("Control+Enter")
    page.locator(".jp-OutputArea").get_by_text("2", exact=True).wait_for()

    drag()
    cells = page.locator(".jp-CodeCell").count()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(COUNT, arg=[1, 6])
    assert page.evaluate(ACTIVE) == 1

    lesson.wait_until_idle()
    drag()
    page.keyboard.press("Control+s")
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    page.keyboard.press("Escape")
    page.keyboard.press("b")  # command mode: a new cell below
    page.locator(".jp-CodeCell").nth(cells).wait_for()
    assert page.reported == []


# How often the cell at a place has been run: its number is the kernel's count.
COUNT = """([at, count]) => jupyterapp.shell.currentWidget.content.widgets[at]
    .model.executionCount === count"""
ACTIVE = "jupyterapp.shell.currentWidget.content.activeCellIndex"


def test_the_pointer_shows_a_span(gallery):
    box = gallery.lanes.nth(0).locator(".al-canvas").bounding_box()
    gallery.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 24 + 8 + 8)
    gallery.lanes.first.locator(".al-detail", has_text="this cell").wait_for()


def test_text_can_be_read(gallery):
    parts = ".al-status, .al-button, .al-role, .al-thread, .al-ident span, .al-item"
    found = contrasts(gallery.lanes.locator(f"{parts}, .al-detail span"))
    assert len(found) > 40
    assert [each for each in found if each[0] < 4.5] == []


def test_labels_on_bars_can_be_read(gallery):
    assert min(gallery.page.evaluate(BAR_CONTRASTS).values()) >= 4.5


# The ink of a label against a quarter of the bar's colour on the lane, as the canvas blends them.
BAR_CONTRASTS = """() => {
    const style = getComputedStyle(document.querySelector(".asynclab-lanes"));
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const paint = (name, alpha) => {
        pen.globalAlpha = alpha;
        pen.fillStyle = style.getPropertyValue(`--al-${name}`);
        pen.fillRect(0, 0, 1, 1);
    };
    const light = () => [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((c) => c / 255)
        .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const found = {};
    for (const kind of ["sync", "query", "span"]) {
        for (const ground of ["paper", "band"]) {
            paint("paper", 1);
            paint(ground, 1);
            paint(kind, 0.25);
            const bar = light();
            paint("ink", 1);
            const [dark, bright] = [bar, light()].sort((a, b) => a - b);
            found[`${kind} on ${ground}`] = (bright + 0.05) / (dark + 0.05);
        }
    }
    return found;
}"""


def test_markup_in_a_name_stays_text(gallery):
    lanes = gallery.lanes.nth(2)
    lanes.locator(".al-scroller").focus()
    gallery.page.keyboard.press("End")
    lanes.locator(".al-detail").get_by_text(MARKUP).wait_for()
    assert gallery.page.locator(".asynclab-lanes img, .asynclab-lanes b").count() == 0
    assert gallery.page.evaluate("window.hacked") is None


# Twenty tasks of one moment, whose calls run one after another: each row has a call of its own.
GATHERED = """\
draw(*[event for n in range(20) for event in [
    (0, 1, BEGIN, n, TASK, "fetch", ""),
    (0, 2, SUBMIT, 100 + n, "", "", n),
    (0, 3, PAUSE, n, "", "", ""),
    (1, 4 + n, BEGIN, 100 + n, SYNC, "count_books", ""),
    (1, 5 + n, END, 100 + n, "", "", ""),
    (0, 5 + n, BEGIN, n, "", "", ""),
    (0, 6 + n, END, n, "", "", ""),
]])"""
# A thread waits in async_to_sync, and its loop runs elsewhere. Then one asks that is not drawn.
UNKNOWN = """\
draw(
    (0, 2, BEGIN, "wait", WAIT, "async_to_sync(nap)", ""),
    (0, 10, SUBMIT, "run", "", "", ""),
    (1, 12, BEGIN, "run", SYNC, "asyncio.run", ""),
    (1, 18, END, "run", "", "", ""),
    (0, 20, END, "wait", "", "", ""),
    (0, 31, SUBMIT, "pooled", "", "", ""),
    (1, 33, BEGIN, "pooled", SYNC, "count_books", ""),
    roles=("plain thread", "pool worker"),
)"""
LATE = """\
draw(
    (0, 0, BEGIN, "cell", CELL, "this cell", ""),
    (0, 1, SUBMIT, "call", "", "", "cell"),
    (1, 2, BEGIN, "call", SYNC, "count_books", ""),
    (0, 5, PAUSE, "cell", "", "", ""),
    (1, 8, END, "call", "", "", ""),
)"""
# A thread that lives for less time than a pixel stands for.
BRIEF = """\
draw(
    (0, 0, BEGIN, "cell", CELL, "this cell", ""),
    (1, 20, BEGIN, "call", SYNC, "count_books", ""),
    (1, 20, END, "call", "", "", ""),
    (0, 40, END, "cell", "", "", ""),
)"""


class Drawn:
    """Pictures of recordings made by hand, one below the other."""

    def __init__(self, lesson):
        self.lesson, self.page, self.lanes = lesson, lesson.page, lesson.lanes

    def inks(self, picture, *points):
        """How much darker than the row's paper each point (ms, y in CSS pixels) is, 0 to 255."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
        return self.lanes.nth(picture).evaluate(INKS, list(points))


INKS = """(root, points) => {
    const canvas = root.querySelector("canvas");
    const dots = canvas.width / canvas.clientWidth;
    const pen = canvas.getContext("2d");
    const light = (x, y) => {
        const spot = pen.getImageData(Math.round(x * dots), Math.round(y * dots), 1, 1).data;
        const [r, g, b, alpha] = spot;
        return 255 + ((r + g + b) / 3 - 255) * alpha / 255;  // on white paper
    };
    const x = (at) => 4 + (canvas.clientWidth - 22) * at / 40;
    return points.map(([at, y]) => light(canvas.clientWidth - 6, y) - light(x(at), y));
}"""


@pytest.fixture(scope="module")
def drawn(desks):
    cells = DRAW, GATHERED, UNKNOWN, LATE, BRIEF
    with desks.opened("drawn.ipynb", *cells, high=2000) as lesson:
        lesson.lanes.nth(3).wait_for()
        yield Drawn(lesson)


def test_the_ways_of_gathered_calls_lie_on_each_other_and_not_on_the_bars(drawn):
    drawn.lesson.shoot("lanes-gathered", drawn.lanes.first)
    # Between the rows of the tasks, where ways went straight from each task to its call.
    row = 260 / 20
    gaps = [(4.5 + n, 24 + 8 + (n + 1) * row - 1.5) for n in range(18)]
    assert max(drawn.inks(0, *gaps)) < 8
    assert min(drawn.inks(0, (2, 24 + 8 + 20 * row + 2))) > 60  # together they go down here


def test_the_way_of_the_span_that_is_looked_at_stands_out(drawn):
    # The way back of the sixth call is dashed, and passes between the rows of the later tasks.
    back = [(10, 24 + 8 + 13 * row - 1.5) for row in range(8, 19)]
    canvas = drawn.lanes.first.locator(".al-canvas")
    wide = canvas.bounding_box()["width"]

    def seen(at, y):
        canvas.hover(position={"x": 4 + (wide - 22) * at / 40, "y": y})
        return max(drawn.inks(0, *back))

    nothing, call, task = seen(30, 200), seen(9.5, 24 + 260 + 2 * 8 + 8 + 8), seen(8, 24 + 8 + 70)
    assert call > nothing + 40
    assert task > nothing + 40


def test_a_way_whose_caller_is_not_known_begins_at_what_was_open_or_at_a_dot(drawn):
    drawn.lesson.shoot("lanes-unknown", drawn.lanes.nth(1))
    under_the_wait, dot = (10, 24 + 8 + 17 + 4), (31, 24 + 30)
    assert min(drawn.inks(1, under_the_wait, dot)) > 60
    assert max(drawn.inks(1, (10.2, 24 + 30), (32, 24 + 30), (31, 24 + 20))) < 8


# How often a picture is drawn in so many frames, in which nothing happens.
DRAWINGS = """async (root, frames) => {
    const pen = root.querySelector("canvas").getContext("2d");
    const clear = pen.clearRect;
    let drawings = 0;
    pen.clearRect = (...box) => { drawings += 1; clear.apply(pen, box); };
    for (let at = 0; at < frames; at++) await new Promise(requestAnimationFrame);
    delete pen.clearRect;
    return drawings;
}"""


def test_a_picture_that_has_ended_is_not_drawn_again_and_again(drawn):
    drawn.inks(0)
    assert drawn.lanes.first.evaluate(DRAWINGS, 20) <= 2


def test_a_thread_that_lives_briefly_is_drawn(drawn):
    drawn.lesson.shoot("lanes-brief", drawn.lanes.nth(3))
    second_lane = 24 + 60 + 8 + 8
    before, bar, after = drawn.inks(
        3, (19.5, second_lane), (20.05, second_lane), (20.5, second_lane)
    )
    assert bar > 60
    assert max(before, after) < 8


def test_a_step_that_goes_on_while_its_call_runs_is_explained(drawn):
    lanes = drawn.lanes.nth(2)
    lanes.locator(".al-scroller").focus()
    drawn.page.keyboard.press("Home")
    told = "its step went on for 3.00 ms after count_books had begun: threads share the GIL"
    assert told in lanes.locator(".al-detail").inner_text()
    assert "GIL" in lanes.locator(".al-item", has_text="cell").get_attribute("title")


def test_an_error_is_marked_in_its_picture(gallery):
    lanes = gallery.lanes.nth(3)
    assert "exception" in lanes.locator(".al-legend").inner_text()
    assert "ZeroDivisionError in this cell" in lanes.locator(".al-hidden").text_content()


def test_a_page_that_is_loaded_again_shows_the_whole_recording(page, lab):
    many = "%%lanes\nfor _ in range(5000):\n    with span('x'): pass"
    lesson = run(page, lab, "again.ipynb", many)
    lesson.wait_until_idle()
    page.wait_for_selector(".asynclab-lanes[data-spans='5001']:visible")
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    page.wait_for_selector(".asynclab-lanes[data-spans='5001'][data-state=ended]:visible")
    page.get_by_role("button", name="Play the recording again, slowly").wait_for()


# A picture that is told what was recorded message by message; some are lost on the way.
LOSSY = """\
from asynclab.lanes import Lanes, LiveLanes
from asynclab.lanes import live as room
from asynclab.recorder.events import *
room.FIRST_SPANS = 1  # as if there were more than can be told at once
class Lossy(LiveLanes):
    lost, sent = (), 0
    def send(self, content, buffers=None):
        self.sent += 1
        if self.sent not in self.lost:
            super().send(content, buffers)
recording, live = Recording(), Lossy()
live.follow(recording)
def tell(role, *notes):
    def note():
        for what in notes:
            recording.note(*what, **(dict(role=lambda: role) if what[0] == BEGIN else dict()))
    thread = threading.Thread(target=note)
    thread.start()
    thread.join()
    live.send(live.feed.next())
Lanes(recording, live)
"""
TELLING = [
    "tell('event loop', (BEGIN, 'task', TASK, 'fetch'))",
    "tell('worker', (BEGIN, 'call', SYNC, 'count_books'), (BEGIN, 'query', QUERY, 'SELECT book'))",
    "tell('main thread', (BEGIN, 'else', SYNC, 'count_loans'), (END, 'query'))",
    "tell('main thread', (END, 'call'), (END, 'else'), (END, 'task'))",
]


class Told:
    """A picture in a page, and what it says.

    Args:
        lesson: the notebook.
    """

    def __init__(self, lesson):
        self.lesson, self.page, self.lanes = lesson, lesson.page, lesson.lanes.first

    def roles(self):
        return self.lanes.locator(".al-role").all_inner_texts()

    def detail(self, key):
        self.lanes.locator(".al-scroller").focus()
        self.page.keyboard.press(key)
        return self.lanes.locator(".al-detail").inner_text()

    def run(self, code):
        """Run code in the kernel, and wait until the page has drawn what came of it."""
        self.page.evaluate(RUN, code)

    def end(self):
        self.run("recording.end()\nlive._send_rest()")
        self.page.get_by_role("button", name="Play the recording again, slowly").wait_for()


RUN = """async (code) => {
    const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
    await kernel.requestExecute({ code, stop_on_error: false }).done;
    await new Promise((done) => setTimeout(() => requestAnimationFrame(done), 60));
}"""


@pytest.fixture
def told(page, lab):
    """A picture of which the first message, and no more, has been told."""
    lesson = run(page, lab, "lossy.ipynb", LOSSY)
    lesson.wait_until_idle()
    lesson.lanes.first.wait_for()
    told = Told(lesson)
    told.run(TELLING[0])
    assert told.roles() == ["event loop"]
    yield told
    assert page.reported == []


def test_after_a_lost_message_every_lane_has_its_name_and_every_span_too(told):
    told.run(f"live.lost = (2,)\n{TELLING[1]}\n{TELLING[2]}")
    told.lesson.shoot("lanes-lost", told.lanes)
    assert "undefined" not in told.lanes.inner_text()
    assert told.roles()[0] == "event loop"
    assert "" not in told.roles()
    assert told.detail("End").startswith("count_loans · sync function · on main thread")
    told.page.wait_for_selector(".asynclab-lanes[data-spans='4']:visible")  # asked for, and told
    assert told.roles() == ["event loop", "worker", "main thread"]
    status = told.lanes.locator(".al-status")
    # What a recording past its limit does.
    told.run("recording.dropped = 1234\ntell('main thread', (BEGIN, 'more', SYNC, 'count_books'))")
    assert re.fullmatch(r"Recording… 5 spans, .*, 1,234 events dropped", status.inner_text())
    # A message takes one event, and leaves one behind.
    two = ", ".join(f"(BEGIN, {key!r}, SYNC, 'count_books')" for key in "ab")
    told.run(f"live.feed._most = 1\ntell('main thread', {two})")
    said = r"Recording… 6 spans, .*, 1 events behind, 1,234 events dropped"
    assert re.fullmatch(said, status.inner_text())
    told.end()
    assert re.fullmatch(r"Recorded: 7 spans in .*, 1,234 events dropped", status.inner_text())


@pytest.mark.parametrize("lost", [(4, 5), (3, 4, 5, 6)], ids=["the end", "an answer too"])
def test_after_lost_messages_the_picture_of_the_end_is_whole(told, lost):
    told.run(f"live.lost = {lost}")
    told.run("\n".join(TELLING[1:]))
    told.end()
    assert told.roles() == ["event loop", "worker", "main thread"]
    for key in ("Home", "ArrowDown", "End"):
        assert "still running" not in told.detail(key)
