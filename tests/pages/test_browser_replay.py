"""A recording that is played again, in a real JupyterLab: by keys, by mouse, and by itself.

The recording is made by hand, so each moment of it is known.
"""

import pytest

from tests.harness.browser import DRAW, THEMES, contrasts

pytestmark = pytest.mark.browser

# Lane, millisecond, what happened. Two tasks ask the one worker, and the second call fails.
STORY = """\
draw(
    (0, 0, BEGIN, "cell", CELL, "this cell", ""),
    (0, 1, PAUSE, "cell", "", "", ""),
    (0, 1, BEGIN, "one", TASK, "fetch", ""),
    (0, 2, SUBMIT, "first", "", "", "one"),
    (0, 3, PAUSE, "one", "", "", ""),
    (0, 3, BEGIN, "two", TASK, "fetch", ""),
    (0, 4, SUBMIT, "second", "", "", "two"),
    (0, 5, PAUSE, "two", "", "", ""),
    (1, 6, BEGIN, "first", SYNC, "count_books", ""),
    (1, 7, BEGIN, "sql", QUERY, "SELECT library_book", ""),
    (1, 9, END, "sql", "", "", ""),
    (1, 10, END, "first", "", "", ""),
    (0, 11, BEGIN, "one", "", "", ""),
    (0, 12, END, "one", "", "", ""),
    (1, 13, BEGIN, "second", SYNC, "count_books", ""),
    (1, 15, END, "second", "", "", "ValueError"),
    (0, 16, BEGIN, "two", "", "", ""),
    (0, 17, END, "two", "", "", ""),
    (0, 18, BEGIN, "cell", "", "", ""),
)"""

LOOP, WORKER = "event loop", "thread-sensitive worker"
# What is told at each hop: what happens, then what each lane does.
HOPS = [
    ("0.00", "this cell begins on the event loop", "running this cell", "idle"),
    ("2.00", f"fetch sends count_books to the {WORKER}", "running fetch", "queued: count_books"),
    ("4.00", f"fetch sends count_books to the {WORKER}", "running fetch", "queued: count_books ×2"),
    (
        *("6.00", f"count_books begins on the {WORKER}"),
        *("awaiting (this cell, fetch ×2)", "running count_books, 1 queued"),
    ),
    ("10.00", "count_books ends", "awaiting (this cell, fetch ×2)", "queued: count_books"),
    ("11.00", "fetch goes on after count_books", "running fetch", "queued: count_books"),
    (
        *("13.00", f"count_books begins on the {WORKER}"),
        *("awaiting (this cell, fetch)", "running count_books"),
    ),
    ("15.00", "count_books ends with ValueError", "awaiting (this cell, fetch)", "idle"),
    ("16.00", "fetch goes on after count_books", "running fetch", "idle"),
    ("40.00", "this cell ends", "idle", "idle"),
]
MOMENTS = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 15, 16, 17, 18, 40]


class Replay:
    """The picture of the story, in a page.

    Args:
        lesson: the notebook.
    """

    def __init__(self, lesson):
        self.lesson, self.page = lesson, lesson.page
        self.lanes = lesson.lanes.first
        self.picture = self.lanes.locator(".al-scroller")
        self.detail = self.lanes.locator(".al-detail")
        self.scrubber = self.lanes.get_by_role("slider", name="Moment of the recording")
        self.back = self.lanes.get_by_role("button", name="Previous hop")
        self.on = self.lanes.get_by_role("button", name="Next hop")
        self.play = self.lanes.get_by_role("button", name="Play the recording again, slowly")
        self.pause = self.lanes.get_by_role("button", name="Pause the replay")
        self.close = self.lanes.get_by_role("button", name="Show the whole recording")

    @property
    def at(self):
        """Where the scrubber is, in milliseconds."""
        return float(self.scrubber.input_value()) / 1000

    @property
    def active(self):
        return self.lanes.get_attribute("data-replay") is not None

    def press(self, key):
        self.page.keyboard.press(key)

    def frame(self):
        """Wait until what has changed is drawn."""
        self.page.evaluate(
            "() => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 40))"
        )

    def says(self):
        """The time, what happens, and what each lane's head says."""
        self.frame()
        time, happens, *_ = self.detail.inner_text().split(" · ")
        return (
            time.removeprefix("At ").removesuffix(" ms"),
            happens,
            *self.lanes.locator(".al-doing").all_inner_texts(),
        )


@pytest.fixture(scope="module")
def story(desks):
    """The story under its cell, and a cell below; one page for all tests."""
    with desks.opened("replay.ipynb", f"{DRAW}\n{STORY}", "1 + 1") as lesson:
        replay = Replay(lesson)
        replay.play.wait_for()
        yield replay


@pytest.fixture
def replay(story):
    """The picture as a whole, before and after, and an untouched notebook."""
    story.page.reported.clear()
    cells = story.page.locator(".jp-CodeCell").count()
    yield story
    if story.active:
        story.close.click()
    assert story.page.locator(".jp-CodeCell").count() == cells
    assert story.page.reported == []


def test_keys_go_from_hop_to_hop_and_each_is_told_in_words(replay):
    replay.picture.focus()
    told = []
    for _ in HOPS:
        replay.press(".")
        told.append(replay.says())
    assert told == HOPS
    replay.press(".")  # there is nothing after the end
    assert replay.says() == HOPS[-1]
    replay.press(",")
    assert replay.says() == HOPS[-2]


def test_what_is_told_names_every_lane_to_a_screen_reader(replay):
    for _ in range(4):
        replay.on.click()
    assert replay.detail.get_attribute("aria-live") == "polite"
    assert replay.detail.inner_text().split(" · ")[2:] == [
        f"{LOOP}: awaiting (this cell, fetch ×2)",
        f"{WORKER}: running count_books, 1 queued",
    ]
    assert replay.scrubber.get_attribute("aria-valuetext") == "6.00 ms of 40.0 ms"


def test_arrows_on_the_scrubber_go_through_every_moment(replay):
    replay.scrubber.focus()
    seen = []
    for _ in MOMENTS:
        replay.press("ArrowRight")
        seen.append(replay.at)
    assert seen == MOMENTS
    replay.press("Home")
    assert replay.at == 0
    replay.press("End")
    assert replay.at == 40
    replay.press("ArrowLeft")
    assert replay.at == 18


def test_a_query_is_what_its_function_does_meanwhile(replay):
    replay.scrubber.fill("8000")
    replay.frame()
    assert replay.detail.inner_text() == (
        f"At 8.00 ms · {LOOP}: awaiting (this cell, fetch ×2)"
        f" · {WORKER}: running SELECT library_book, 1 queued"
    )


def test_it_plays_by_itself_can_be_paused_and_ends(replay):
    assert not replay.active
    replay.play.click()
    replay.page.wait_for_function(SCRUBBED, arg=[0, 39_000])
    assert replay.detail.inner_text().startswith("From ")
    replay.pause.click()
    here = replay.at
    replay.detail.get_by_text("At ").wait_for()
    replay.frame()
    assert replay.at == here
    replay.scrubber.fill("34000")
    replay.picture.focus()
    replay.press(" ")
    assert replay.pause.is_visible()
    replay.page.wait_for_function(SCRUBBED, arg=[39_999, 40_000])
    replay.play.wait_for()
    replay.close.click()
    assert not replay.active
    assert replay.lanes.locator(".al-ident").first.is_visible()


# The scrubber is somewhere between two moments.
SCRUBBED = """([after, until]) => {
    const { value } = document.querySelector(".asynclab-lanes .al-scrubber");
    return after < value && value <= until;
}"""


def test_it_takes_as_long_as_it_is_told_and_is_slow_where_much_happens(replay):
    replay.lanes.get_by_label("How long the replay takes").select_option("4 s")
    replay.play.click()
    busy, whole = replay.page.evaluate(WATCH)
    assert 3.6 < whole / 1000 < 4.8
    # The first 18 ms of 40 hold 16 of 17 steps.
    assert busy / whole == pytest.approx((18 / 40 + 16 / 17) / 2, abs=0.08)


# Milliseconds until the scrubber passes 18 ms, and until the end.
WATCH = """async () => {
    const began = performance.now();
    const slider = document.querySelector(".asynclab-lanes .al-scrubber");
    let busy;
    while (slider.value < 40_000) {
        await new Promise(requestAnimationFrame);
        if (slider.value >= 18_000) busy ??= performance.now() - began;
    }
    return [busy, performance.now() - began];
}"""


def test_without_motion_it_jumps_from_hop_to_hop(replay):
    replay.page.emulate_media(reduced_motion="reduce")
    try:
        replay.play.click()
        seen = replay.page.evaluate(JUMPS, 2200)
    finally:
        replay.page.emulate_media(reduced_motion="no-preference")
    assert 3 <= len(seen) <= 5
    assert seen == [float(hop[0]) * 1000 for hop in HOPS][: len(seen)]


# Every place at which the scrubber is seen within some time.
JUMPS = """async (length) => {
    const slider = document.querySelector(".asynclab-lanes .al-scrubber");
    const seen = new Set(), began = performance.now();
    while (performance.now() - began < length) {
        seen.add(Number(slider.value));
        await new Promise(requestAnimationFrame);
    }
    return [...seen];
}"""


def test_the_picture_shows_where_it_is_and_the_axis_takes_the_mouse(replay):
    whole = replay.page.evaluate(PIXELS)
    replay.lanes.locator(".al-canvas").hover(position={"x": 300, "y": 12})
    replay.page.mouse.down()
    replay.frame()
    assert replay.active
    box = replay.lanes.locator(".al-canvas").bounding_box()
    replay.page.mouse.move(box["x"] + 4 + (box["width"] - 22) / 2, box["y"] + 60)
    replay.page.mouse.up()
    replay.frame()
    assert replay.at == pytest.approx(20, abs=0.1)
    now = replay.page.evaluate(PIXELS)
    # Of the cell's bar: in the past as it was, under the veil paler.
    assert now[0] == whole[0]
    assert sum(now[1]) > sum(whole[1]) + 60


# Of the first bar's upper edge: a point at 10 ms, and one at 30 ms.
PIXELS = """() => {
    const canvas = document.querySelector(".asynclab-lanes .al-canvas");
    const dots = canvas.width / canvas.clientWidth;
    const pen = canvas.getContext("2d");
    return [0.25, 0.75].map((part) => {
        const x = 4 + (canvas.clientWidth - 22) * part;
        return [...pen.getImageData(Math.round(x * dots), Math.round(32.5 * dots), 1, 1).data];
    });
}"""


def test_a_picture_that_is_zoomed_in_moves_along(replay):
    replay.picture.focus()
    for key in ("Home", "+", "+", "+"):
        replay.press(key)
    replay.scrubber.fill("20000")
    replay.frame()
    assert replay.page.evaluate(PLAYHEAD) == pytest.approx(0.25, abs=0.02)
    replay.lanes.get_by_role("button", name="Show all of the recording").click()
    replay.frame()
    assert replay.page.evaluate(PLAYHEAD) == pytest.approx(0.5, abs=0.02)


# Where in the picture the playhead is: 0 on the left, 1 on the right.
PLAYHEAD = """() => {
    const root = document.querySelector(".asynclab-lanes");
    const canvas = root.querySelector(".al-canvas");
    const pen = canvas.getContext("2d");
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = getComputedStyle(root).getPropertyValue("--al-focus");
    probe.fillRect(0, 0, 1, 1);
    const wanted = String(probe.getImageData(0, 0, 1, 1).data);
    const y = Math.round(50 * canvas.width / canvas.clientWidth);
    const row = pen.getImageData(0, y, canvas.width, 1).data;
    const found = [...Array(canvas.width).keys()]
        .filter((x) => String(row.slice(4 * x, 4 * x + 4)) === wanted);
    return found[0] / canvas.width;
}"""


def test_keys_of_jupyterlab_work_in_the_controls(replay):
    active = "jupyterapp.shell.currentWidget.content.activeCellIndex"
    replay.on.focus()
    replay.press("Enter")
    replay.press(" ")
    assert replay.at == 2
    replay.scrubber.focus()
    replay.press("ArrowUp")
    assert replay.at == 3
    replay.lanes.get_by_label("How long the replay takes").focus()
    replay.press("ArrowDown")
    assert replay.page.evaluate(active) == 0
    replay.press("Shift+Enter")
    replay.page.wait_for_function(f"{active} === 1")
    replay.lesson.wait_until_idle()
    replay.play.wait_for()


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_while_it_is_on(replay, theme):
    replay.lesson.theme(theme)
    try:
        for _ in range(4):
            replay.on.click()
        replay.frame()
        found = contrasts(replay.lanes.locator(".al-player *, .al-doing, .al-detail, .al-detail *"))
        replay.lesson.shoot(f"replay-{theme}", replay.lanes)
    finally:
        replay.lesson.theme("light")
    assert len(found) > 8
    assert [each for each in found if each[0] < 4.5] == []
