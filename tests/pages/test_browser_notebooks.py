"""Every notebook in a real JupyterLab: Run All, what each cell ends with, how it looks in a theme.

Each notebook is opened and run once, one after another in one page. What a learner sees is then
looked at in both themes; at night the pictures are kept in test-results/. Chromium works twenty
seconds on what JupyterLab draws of a lesson.
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property

import pytest
from playwright.sync_api import expect

from tests.harness.browser import ROOT, SERVED, THEMES, Notebook, contrasts

pytestmark = pytest.mark.browser

NOTEBOOKS = [
    path.relative_to(ROOT).as_posix()
    for folder in SERVED
    for path in sorted((ROOT / folder).glob("*.ipynb"))
]
LESSONS = [name for name in NOTEBOOKS if name.startswith("notebooks/")]
# Exercises and solutions have the outputs of checks only: one lesson's are opened every time.
EVERY_TIME = {*LESSONS, *(name for name in NOTEBOOKS if "/03_exercises_" in name)}
OPENED = [
    pytest.param(name, marks=[] if name in EVERY_TIME else pytest.mark.nightly)
    for name in NOTEBOOKS
]
# At the top level: what a function records is drawn where the function is called.
RECORDS = re.compile(r"^(%%lanes$|with .*\brecord\(\))", re.MULTILINE)
PREDICTS = re.compile(r"^(\w+) = predict\(", re.MULTILINE)
CHECKS = re.compile(r"^await check\(", re.MULTILINE)
BROKEN = ("Error displaying widget", "Loading widget...")
LEAST = 4.5  # the contrast that WCAG 2 asks of text

OUTCOMES = """() => jupyterapp.shell.currentWidget.content.widgets
    .map(({ model }) => model.type === "code"
        ? { count: model.executionCount, outputs: model.outputs.toJSON() } : null)"""
NEAR = ".jp-Notebook .jp-Cell { content-visibility: visible !important; }"
# What cells show, without what JupyterLab colours itself: plain text and tracebacks.
READ = ".asynclab-predict *, .asynclab-lanes *, .jp-OutputArea-output.jp-RenderedHTMLCommon *"


@dataclass(frozen=True)
class Cell:
    """A code cell: as it is in the file, and what it ended with in the page.

    Args:
        at: its place among all cells.
        count: its execution count, None if it did not run.
    """

    at: int
    id: str
    tags: tuple[str, ...]
    source: str
    count: int | None
    outputs: list[dict]

    @property
    def errors(self) -> list[str]:
        return [each["ename"] for each in self.outputs if each["output_type"] == "error"]

    @property
    def text(self) -> str:
        """The text of all its outputs."""
        plain = [each.get("data", {}).get("text/plain", "") for each in self.outputs]
        return "\n".join("".join(text) for text in plain)


class Ran:
    """A notebook in the page, after Run All.

    Args:
        lesson: the open notebook.
        name: its path below the served folder.
        opened: the cells as they were before they ran.
        reported: what the console called an error since it was opened.
        abroad: the addresses that the page asked for on other machines.
    """

    def __init__(
        self,
        lesson: Notebook,
        name: str,
        opened: list[dict | None],
        reported: list[str],
        abroad: list[str],
    ):
        self.lesson, self.name, self.page = lesson, name, lesson.page
        self.opened, self.reported, self.abroad = opened, reported, abroad
        self.outcomes = self.page.evaluate(OUTCOMES)

    @cached_property
    def cells(self) -> list[Cell]:
        """The code cells."""
        written = json.loads((ROOT / self.name).read_text())["cells"]
        assert len(written) == len(self.outcomes)
        return [
            Cell(
                at,
                cell["id"],
                tuple(cell["metadata"].get("tags", ())),
                "".join(cell["source"]),
                **outcome,
            )
            for at, (cell, outcome) in enumerate(zip(written, self.outcomes, strict=True))
            if outcome
        ]

    def node(self, cell: Cell):
        """The cell in the page, as a playwright locator."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(cell.at)

    def run(self, cell: Cell) -> None:
        """Run one cell as a learner does, and wait for its end."""
        self.node(cell).locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        self.lesson.wait_until_idle()


@pytest.fixture(scope="module", params=OPENED)
def ran(request, desks, lab):
    """A notebook after Run All; its kernel goes when its tests are done."""
    with desks.lent(high=1600) as page:
        lesson = Notebook(page, lab).open(request.param)
        opened = page.evaluate(OUTCOMES)
        lesson.run_all()
        lesson.wait_until_idle()
        # From here on a cell that is out of sight is laid out as if it were seen.
        style = page.add_style_tag(content=NEAR)
        see_all(page)
        here = (
            lab.url,
            "data:",
            "blob:",
            "http://127.0.0.1:",
        )  # the last: a server of the lesson's
        abroad = [url for url in page.asked if not url.startswith(here)]
        yield Ran(lesson, request.param, opened, page.reported, abroad)
        style.evaluate("node => node.remove()")


def see_all(page):
    """Scroll to the end and back: a busy page leaves out what has never been near the window."""
    outer, number = page.locator(".jp-WindowedPanel-outer:visible"), 0
    while number < outer.evaluate(PAGES):
        outer.evaluate(SCROLL, number)
        number += 1
    outer.evaluate(SCROLL, 0)


@pytest.fixture(params=THEMES)
def theme(request, ran):
    """The name of the theme that the page has."""
    ran.lesson.theme(request.param)
    return request.param


def test_no_output_answers_a_prediction_before_it_is_made(ran):
    assert [cell for cell in ran.opened if cell and cell != {"count": None, "outputs": []}] == []


def test_run_all_reaches_every_cell(ran):
    assert [cell.id for cell in ran.cells if cell.count is None] == []


def test_a_cell_raises_if_and_only_if_its_tag_says_so(ran):
    surprising = {
        cell.id: cell.errors
        for cell in ran.cells
        if bool(cell.errors) != ("raises-exception" in cell.tags)
    }
    assert surprising == {}


def test_the_console_is_quiet_and_nothing_is_fetched_from_elsewhere(ran):
    # JupyterLab and ipywidgets report nothing of their own here, so every error is ours.
    assert ran.reported == []
    assert ran.abroad == []


def test_events_of_a_server_in_the_kernel_reach_the_page(ran):
    for cell in ran.cells:
        if any("new EventSource" in str(output.get("data")) for output in cell.outputs):
            ran.node(cell).get_by_text("the desk is closed").wait_for(timeout=5000)


def test_each_check_says_what_is_expected_of_it(ran):
    expected = "passed" if ran.name.startswith("solutions/") else "not attempted"
    checks = [cell for cell in ran.cells if CHECKS.search(cell.source)]
    assert [cell.id for cell in checks if f": {expected}" not in cell.text] == []


def test_each_recording_ends_with_a_live_picture_that_has_spans(ran):
    for cell in ran.cells:
        if recordings := len(RECORDS.findall(cell.source)):
            pictures = ran.node(cell).locator(".asynclab-lanes[data-state=ended]:visible")
            pictures.nth(recordings - 1).wait_for()
            spans = [int(each.get_attribute("data-spans")) for each in pictures.all()]
            assert len(spans) == recordings, cell.id
            assert min(spans) > 0, cell.id


def test_every_widget_is_there(ran):
    for words in BROKEN:
        assert ran.page.get_by_text(words).count() == 0, words
    for cell in ran.cells:
        if PREDICTS.search(cell.source):
            # At least two options. The page draws a cell once it has been near the window.
            ran.node(cell).scroll_into_view_if_needed()
            ran.node(cell).get_by_role("radio").nth(1).wait_for(state="attached")


def test_text_can_be_read(ran, theme):
    found = contrasts(ran.page.locator(READ))
    assert [each for each in found if each[0] < LEAST] == []
    assert found


@pytest.mark.nightly  # It is for people to look at: it cannot fail.
def test_it_is_kept_as_pictures(ran, theme):
    outer = ran.page.locator(".jp-WindowedPanel-outer:visible")
    pages = outer.evaluate(PAGES)
    for number in range(pages):
        outer.evaluate(SCROLL, number)
        name = ran.name.removesuffix(".ipynb").replace("/", "-")
        ran.lesson.shoot(f"{name}-{theme}-{number + 1:02}", outer)


# Below the last cell JupyterLab leaves room to scroll on.
PAGES = """(node) => {
    const last = [...node.querySelectorAll(".jp-Cell")].at(-1).getBoundingClientRect().bottom;
    const length = last - node.getBoundingClientRect().top + node.scrollTop;
    return Math.ceil((length - 60) / (node.clientHeight - 60));
}"""
# To a page of the notebook; done when that has been painted.
SCROLL = """(node, number) => new Promise((painted) => {
    node.scrollTo({ top: number * (node.clientHeight - 60), behavior: "instant" });
    requestAnimationFrame(() => requestAnimationFrame(painted));
})"""


def by_mouse(ran, cell, option):
    """Choose an option with the mouse and lock it."""
    node = ran.node(cell)
    node.get_by_role("radio", name=option, exact=True).click()
    node.get_by_role("button", name="Lock it in").click()


def by_keyboard(ran, cell, option):
    """Choose the last option and lock it with keys only, beginning in the cell's editor."""
    keyboard = ran.page.keyboard
    node = ran.node(cell)
    node.locator(".cm-content").focus()
    keyboard.press("Escape")
    press_until(ran, "Tab", "radio")
    keyboard.press("Space")
    for _ in range(node.get_by_role("radio").count() - 1):
        keyboard.press("ArrowDown")
    press_until(ran, "Tab", "submit")
    keyboard.press("Enter")


def press_until(ran, key, kind):
    """Press a key until an element of the kind `kind` inside an output has the focus."""
    for _ in range(8):
        ran.page.keyboard.press(key)
        focus = "({ activeElement: at }) => [at.type, Boolean(at.closest('.jp-OutputArea'))]"
        if ran.page.evaluate(f"({focus})(document)") == [kind, True]:
            return
    raise AssertionError(f"{key} did not reach a {kind}")


def test_a_prediction_can_be_made_with_keys_and_the_next_with_the_mouse(ran):
    # What is locked stays, so each way needs a prediction of its own. Lesson 00 has only one.
    for (cell, reveal), choose in zip(predictions(ran.cells), WAYS, strict=False):
        locked = ran.node(cell).get_by_text("Locked: you predict")
        option = ran.node(cell).get_by_role("radio").last.get_attribute("value")
        choose(ran, cell, option)
        locked.wait_for()
        assert all(radio.is_disabled() for radio in ran.node(cell).get_by_role("radio").all())
        assert ran.node(cell).get_by_role("button", name="Lock").count() == 0
        at, end = ran.cells.index(cell), ran.cells.index(reveal)
        for each in ran.cells[at : end + 1]:
            ran.run(each)
            # Says what stands there instead, if it is not there.
            expect(ran.node(cell)).to_contain_text("Locked: you predict", timeout=30_000)
            locked.wait_for()
        ran.node(reveal).get_by_text(f"You predicted {option}:").wait_for()


WAYS = by_keyboard, by_mouse


def predictions(cells):
    """Each cell that asks for a prediction, with the one that reveals it."""
    asked = [(cell, PREDICTS.search(cell.source)) for cell in cells]
    return [
        (cell, next(each for each in cells if f"{asks[1]}.reveal(" in each.source))
        for cell, asks in asked
        if asks
    ]


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_predicts_and_records(name):
    """What the other tests look at is there."""
    cells = json.loads((ROOT / name).read_text())["cells"]
    sources = "\n".join("".join(cell["source"]) for cell in cells)
    assert PREDICTS.search(sources)
    assert RECORDS.search(sources) or name.endswith("14_the_ledger.ipynb"), "it sums up"
