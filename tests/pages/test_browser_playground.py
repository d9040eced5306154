"""The playground in a real JupyterLab: mouse and keyboard, both themes, and impatience.

What a run does and says is tested in test_playground.py.
"""

import re

import pytest
from playwright.sync_api import expect

from asynclab.playground.plan import Settings, code
from tests.harness.browser import THEMES, contrasts

pytestmark = pytest.mark.browser

CELLS = (
    "from asynclab import boot, playground\nboot()",
    "panel = playground(calls=4, length=50)\npanel",
    "'the last cell'",
)
LEAST = 4.5  # the contrast that WCAG 2 asks of text


class Bench:
    """A notebook with one playground in it, in a page.

    Args:
        lesson: the notebook.
    """

    def __init__(self, lesson):
        self.lesson, self.page = lesson, lesson.page
        self.panel = self.page.locator(".asynclab-playground:visible")
        self.run = self.panel.get_by_role("button", name="Run", exact=True)
        self.code = self.panel.locator("pre")
        self.status = self.panel.locator(".apl-foot output")
        self.figures = self.panel.locator(".asynclab-playground-run")
        self.lanes = self.panel.locator(".asynclab-lanes")
        self.live = self.panel.locator(".asynclab-lanes[data-state=live]")

    @property
    def runs(self):
        """How many runs have begun."""
        title = self.figures.last.locator("strong").first
        return int(re.search(r"\d+", title.inner_text())[0]) if self.figures.count() else 0

    def set(self, slider, value):
        """Move a slider with the mouse's event."""
        self.panel.get_by_role("slider", name=slider).fill(str(value))

    def choose(self, *options):
        for option in options:
            self.panel.get_by_role("radio", name=option).check()

    def says(self, words):
        self.status.get_by_text(words, exact=True).wait_for(timeout=15_000)

    def press(self):
        """Press Run; return the number of the run that begins."""
        number = self.runs + 1
        self.run.click()
        return number

    def go(self):
        """Press Run, and wait for its end."""
        self.says(f"Run {self.press()} is over.")

    def asked(self, source):
        """What a cell prints that is run beside the notebook."""
        return self.page.evaluate(ASK, source)

    def begin(self, source):
        """Send a cell to the kernel, and do not wait for it."""
        self.page.evaluate(f"source => void ({ASK})(source)", source)


ASK = """async (code) => {
    const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
    const request = kernel.requestExecute({ code });
    let printed = "";
    request.onIOPub = ({ content }) => { printed += content.text ?? ""; };
    await request.done;
    return printed;
}"""


@pytest.fixture(scope="module")
def bench(desks):
    """One playground for all tests; each leaves it ready."""
    with desks.opened("playground.ipynb", *CELLS, wide=1400, high=1300) as lesson:
        bench = Bench(lesson)
        bench.run.wait_for()
        yield bench


@pytest.fixture(autouse=True)
def quiet(bench):
    """Begin each test with the same controls, and end it without an error in the console."""
    bench.page.reported.clear()
    bench.set("Calls", 4)
    bench.set("Length of each", 50)
    bench.choose("sleeps", "thread_sensitive=True", "none", "gathered")
    expect(bench.code).to_have_text(code(Settings(calls=4), library=True))
    yield
    assert bench.page.reported == []


def test_five_clicks_are_one_run(bench):
    before = bench.runs
    bench.set("Calls", 30)
    bench.set("Length of each", 200)  # 6 s: longer than a busy machine takes to click
    refused = bench.asked("print(panel._controls.refused)")
    bench.run.evaluate("button => { for (let i = 0; i < 5; i += 1) button.click(); }")
    assert bench.run.get_attribute("aria-disabled") == "true"
    bench.says(f"Run {before + 1} is over.")
    assert bench.asked("print(panel._controls.refused)") == refused  # they never left the page
    assert bench.run.get_attribute("aria-disabled") == "false"
    bench.run.click(click_count=5, delay=20)
    bench.says(f"Run {before + 2} is over.")
    assert bench.asked("print(panel._controls.runs)").strip() == str(before + 2)


def test_a_click_during_a_run_is_answered(bench):
    bench.set("Calls", 40)
    bench.set("Length of each", 100)
    said = bench.panel.evaluate_handle(CLICK_WHEN_IT_IS_ON)
    number = bench.press()
    bench.says(f"Run {number} is over.")
    assert "One run at a time: it is still on." in said.json_value()


# In the page itself, for a busy machine may take longer to ask for the click than the run takes.
CLICK_WHEN_IT_IS_ON = """(panel) => {
    const status = panel.querySelector(".apl-foot output");
    const buttons = [...panel.querySelectorAll("button")];
    const run = buttons.find((each) => each.textContent === "Run");
    const said = [];
    let clicked = false;
    const hear = new MutationObserver(() => {
        said.push(status.textContent);
        if (clicked || !status.textContent.endsWith(" is on.")) return;
        clicked = true;
        run.click();
    });
    hear.observe(status, { childList: true, characterData: true, subtree: true });
    return said;
}"""


def test_lanes_move_while_it_runs(bench):
    bench.set("Calls", 40)  # long enough for two looks on a busy machine
    number = bench.press()
    bench.live.wait_for()
    looks = bench.live.evaluate(LOOK_TWICE)
    bench.lesson.shoot("playground-live")
    bench.says(f"Run {number} is over.")
    (spans, picture), (more, other) = looks
    assert 0 < spans <= more
    assert picture != other
    assert bench.lanes.last.get_attribute("data-spans") == "81"


# Before and after a few frames of a run that is on: how many spans there are, and the picture.
LOOK_TWICE = """async (root) => {
    const look = () => {
        if (root.dataset.state !== "live") throw new Error("the run is over");
        return [Number(root.dataset.spans), root.querySelector("canvas").toDataURL()];
    };
    while (look()[0] === 0) await new Promise(requestAnimationFrame);
    const first = look();
    await new Promise((later) => setTimeout(later, 250));
    return [first, look()];
}"""


def test_a_slider_moved_during_a_run_is_for_the_next(bench):
    bench.set("Calls", 20)
    bench.code.get_by_text("range(20)").wait_for()
    number = bench.press()
    bench.live.wait_for()
    bench.set("Calls", 7)
    bench.code.get_by_text("range(7)").wait_for()
    assert bench.live.count() == 1
    bench.says(f"Run {number} is over.")
    assert "20 calls ran one after another" in bench.figures.last.inner_text()
    assert "range(7)" in bench.code.inner_text()
    bench.go()
    assert "7 calls ran one after another" in bench.figures.last.inner_text()


def test_the_last_two_runs_stand_side_by_side_on_one_scale(bench):
    bench.set("Calls", 12)
    bench.set("Length of each", 100)  # much longer than what a busy machine adds to the second run
    bench.go()
    bench.choose("one for each branch")
    bench.go()
    assert bench.figures.count() == 2
    first, second = scales(bench)
    assert first["took"] > 3 * second["took"]
    assert first["wide"] == second["wide"]
    assert first["pixels"] / first["took"] == pytest.approx(second["pixels"] / second["took"], 0.03)
    left, right = (bench.lanes.nth(at).bounding_box() for at in (0, 1))
    assert (left["y"], left["width"]) == (right["y"], right["width"])
    assert left["x"] + left["width"] < right["x"]


def test_on_a_narrow_page_the_latest_run_is_on_top(bench):
    bench.go()
    bench.choose("one for each branch")
    bench.go()
    bench.page.set_viewport_size({"width": 800, "height": 1300})
    try:
        bench.page.wait_for_function(STACKED)
        first, second = scales(bench)
        bench.lesson.shoot("playground-narrow", bench.panel)
    finally:
        bench.page.set_viewport_size({"width": 1400, "height": 1300})
    assert first["wide"] == second["wide"]
    assert first["pixels"] / first["took"] == pytest.approx(second["pixels"] / second["took"], 0.03)


STACKED = """() => {
    const [earlier, latest] = document.querySelectorAll(".asynclab-playground-run");
    return latest.getBoundingClientRect().bottom <= earlier.getBoundingClientRect().top;
}"""


def test_both_runs_are_played_again_by_one_scrubber(bench):
    bench.set("Calls", 12)
    bench.set("Length of each", 100)
    bench.go()
    bench.choose("one for each branch")
    bench.go()
    player = bench.panel.get_by_role("group", name="Replay")
    assert player.count() == 1
    slower = max(look["took"] for look in scales(bench))
    scrubber = player.get_by_role("slider")
    assert float(scrubber.get_attribute("max")) == pytest.approx(slower * 1000, rel=0.01)
    scrubber.fill(str(slower * 500))  # half of it: twelve calls in turn, and twelve at once
    bench.page.evaluate(PAINTED)
    first, second = (bench.lanes.nth(at) for at in (0, 1))
    worker = first.locator(".al-doing").nth(1).inner_text()
    # At a call, or in the moment between two.
    assert re.fullmatch(r"running sleep, \d queued|queued: sleep ×\d", worker)
    assert set(second.locator(".al-doing").all_inner_texts()) == {"idle"}
    assert f"thread-sensitive worker: {worker}" in first.inner_text()
    bench.lesson.shoot("playground-replay", bench.panel)
    second.locator(".al-scroller").focus()
    bench.page.keyboard.press(",")
    here = float(scrubber.input_value())
    assert here < slower * 500
    told = [lanes.locator(".al-detail").inner_text().split(" · ")[0] for lanes in (first, second)]
    assert re.fullmatch(r"At \d+\.\d\d ms", told[0]) and told[0] == told[1]
    # Python and the page round halves either way.
    assert float(told[0].split()[1]) == pytest.approx(here / 1000, abs=0.006)
    player.get_by_role("button", name="Show the whole recording").click()
    assert bench.panel.locator("[data-replay]").count() == 0


def test_a_run_that_is_gone_is_not_played(bench):
    bench.set("Calls", 20)
    bench.go()
    scrubber = bench.panel.get_by_role("slider", name="Moment of the recording")
    long = float(scrubber.get_attribute("max"))
    bench.set("Calls", 1)
    bench.go()
    assert float(scrubber.get_attribute("max")) == long
    bench.set("Calls", 20)
    number = bench.press()
    bench.live.wait_for()
    assert scrubber.count() == 0  # there is nothing to play until the run is over
    bench.page.evaluate("jupyterapp.commands.execute('notebook:interrupt-kernel')")
    bench.says(f"Run {number} was interrupted.")
    bench.set("Calls", 1)
    for _ in range(2):
        bench.go()
    assert float(scrubber.get_attribute("max")) < long / 5


def scales(bench):
    """Of each picture: how wide its plot is, how long its run took, how long the run's bar is."""
    bench.page.evaluate(PAINTED)
    return bench.lanes.evaluate_all(SCALES)


PAINTED = "() => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 300))"
# The first row of the first lane holds one bar: the run itself. Its upper edge is looked for.
SCALES = """(roots) => roots.map((root) => {
    const canvas = root.querySelector("canvas");
    const dots = canvas.width / canvas.clientWidth;
    const pen = canvas.getContext("2d");
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = getComputedStyle(root).getPropertyValue("--al-paper");
    probe.fillRect(0, 0, 1, 1);
    probe.fillStyle = getComputedStyle(root).getPropertyValue("--al-cell");
    probe.fillRect(0, 0, 1, 1);
    const wanted = probe.getImageData(0, 0, 1, 1).data;
    const row = pen.getImageData(0, Math.floor(32.5 * dots), canvas.width, 1).data;
    const near = (at) => [0, 1, 2].every((c) => Math.abs(row[4 * at + c] - wanted[c]) < 40);
    let last = canvas.width - 1;
    while (last > 0 && !near(last)) last -= 1;
    const said = root.querySelector(".al-status").textContent;
    return {
        wide: canvas.clientWidth,
        took: Number(/in ([\\d.,]+) ms/.exec(said)[1].replace(",", "")),
        pixels: last / dots - 4,
    };
})"""


def test_every_control_is_reached_and_operated_by_keys(bench):
    keyboard = bench.page.keyboard
    cells = bench.page.locator(".jp-Cell").count()
    bench.page.locator(".jp-CodeCell").nth(1).locator(".cm-content").focus()
    keyboard.press("Escape")
    visited = []
    while not visited or visited[-1] != "Copy":
        keyboard.press("Tab")
        visited.append(bench.page.evaluate(FOCUSED))
        act = BY_KEYS.get(visited[-1])
        for key in act or ():
            keyboard.press(key)
        assert len(visited) < 40
    inside = visited[visited.index("Calls") :]
    assert inside == [
        *("Calls", "Length of each", "sleeps", "thread_sensitive=True", "none", "gathered"),
        *("Run", "Copy"),
    ]
    keyboard.press("Tab")
    assert bench.page.evaluate("document.activeElement.tagName") == "PRE"
    for words in ("range(5)", "count_books", "thread_sensitive=False", "0.055", "for _ in"):
        bench.code.get_by_text(words).wait_for()
    keyboard.press("x")  # JupyterLab would cut the cell
    bench.page.locator(".apl-run").focus()
    number = bench.runs + 1
    keyboard.press("Enter")
    bench.says(f"Run {number} is over.")
    assert "5 calls ran one after another" in bench.figures.last.inner_text()
    assert "no adapter" not in bench.figures.last.inner_text()
    assert bench.page.locator(".jp-Cell").count() == cells
    assert bench.page.evaluate("document.activeElement.className") == "apl-run"


FOCUSED = """() => {
    const at = document.activeElement;
    return (at.closest("label")?.querySelector("span").firstChild ?? at.firstChild)?.textContent;
}"""
BY_KEYS = {
    "Calls": ["ArrowRight"],
    "Length of each": ["ArrowUp"],
    "sleeps": ["ArrowDown"],
    "thread_sensitive=True": ["ArrowDown", "ArrowDown", "ArrowUp"],
    "gathered": ["ArrowDown"],
}


def test_enter_in_a_slider_runs(bench):
    number = bench.runs + 1
    bench.panel.get_by_role("slider", name="Calls").focus()
    bench.page.keyboard.press("Enter")
    bench.says(f"Run {number} is over.")


def test_a_screen_reader_hears_names_and_what_happened(bench):
    assert bench.panel.get_by_role("group", name="Where it runs").get_by_role("radio").count() == 3
    slider = bench.panel.get_by_role("slider", name="Length of each")
    assert slider.get_attribute("aria-valuetext") == "50 ms"
    bench.go()
    spoken = bench.panel.locator(".apl-hidden[role=status]")
    assert spoken.text_content().startswith(f"Run {bench.runs}. 4 calls ran one after another")


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read(bench, theme):
    bench.choose("queries", "no adapter", "one for each branch")
    bench.says(f"Run {bench.press()} has failed.")
    bench.choose("thread_sensitive=True")
    bench.go()
    bench.lesson.theme(theme)
    try:
        bench.page.evaluate(PAINTED)
        bench.choose("no adapter")
        bench.panel.get_by_text("Django's guard refuses").wait_for()
        found = contrasts(bench.panel.locator("*"))
        bench.lesson.shoot(f"playground-{theme}")
    finally:
        bench.lesson.theme("light")
    assert len(found) > 60
    assert [each for each in found if each[0] < LEAST] == []


def test_the_code_can_be_copied(bench):
    button = bench.panel.locator(".apl-head button")

    def copied():
        button.click()
        bench.panel.get_by_role("button", name="Copied").wait_for()
        return bench.page.evaluate("navigator.clipboard.readText()")

    assert copied() == bench.code.text_content()
    # Without a clipboard, as on a page that is not served by https.
    bench.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(Error()); }")
    bench.choose("one by one")
    bench.code.get_by_text("for _ in range(4):").wait_for()
    bench.panel.get_by_role("button", name="Copy", exact=True).wait_for()
    assert copied() == bench.code.text_content()


def test_an_interrupt_of_the_kernel_ends_the_run(bench):
    bench.page.emulate_media(reduced_motion="reduce")
    bench.set("Calls", 40)
    number = bench.press()
    bench.live.wait_for()
    dot = "root => getComputedStyle(root.querySelector('.al-status'), '::before').animationName"
    assert bench.live.evaluate(dot) == "none"
    bench.page.evaluate("jupyterapp.commands.execute('notebook:interrupt-kernel')")
    bench.says(f"Run {number} was interrupted.")
    bench.page.emulate_media(reduced_motion="no-preference")
    assert "Interrupted: " in bench.figures.last.inner_text()
    assert bench.panel.get_by_text("Traceback").count() == 0
    bench.set("Calls", 2)
    bench.go()
    assert bench.asked("from asynclab.recorder import taps; print(taps.active())") == "False\n"


HOLD = """\
import asyncio, pathlib, time
while not pathlib.Path({name!r}).exists():
    {wait}(0.02)
"""


def test_a_click_while_a_cell_blocks_the_loop_waits_for_it(bench):
    bench.begin(HOLD.format(name="blocked", wait="time.sleep"))
    number = bench.press()
    bench.says("Waiting: the kernel is busy with a cell.")
    (bench.lesson.lab.folder / "blocked").touch()
    bench.says(f"Run {number} is over.")


def test_a_click_while_a_cell_awaits_is_heard_at_once(bench):
    # ipykernel 7 hears the page on a thread of its own meanwhile.
    bench.begin(HOLD.format(name="awaited", wait="await asyncio.sleep"))
    try:
        bench.go()
    finally:
        (bench.lesson.lab.folder / "awaited").touch()
    assert "4 calls ran one after another" in bench.figures.last.inner_text()


def test_a_page_that_is_loaded_again_has_the_panel_and_its_runs(bench):
    bench.go()
    number = bench.runs
    words = bench.figures.last.inner_text()
    bench.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    bench.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    bench.page.reload()
    bench.says(f"Run {number} is over.")
    bench.panel.locator(".asynclab-lanes[data-state=ended]").nth(1).wait_for()
    assert bench.figures.last.inner_text().startswith(words.split("\n")[0])
    bench.panel.get_by_role("button", name="Play the recording again, slowly").wait_for()
    bench.go()


def test_the_cell_run_again_gives_a_fresh_panel(bench):
    bench.page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    bench.page.keyboard.press("Shift+Enter")
    bench.lesson.wait_until_idle()
    bench.run.wait_for()
    assert bench.panel.count() == 1
    assert bench.runs == 0
    bench.go()
    assert bench.runs == 1
