"""A prediction in a page whose kernel is busy while it is made."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

IMPORT = "from pathlib import Path\nfrom asynclab import predict"
QUESTION = 'question = predict("Is a loop running?", ["yes", "no"])\nquestion'
REVEAL = 'question.reveal("no")'
RUN = """(code) => {
    const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
    kernel.requestExecute({ code });
}"""


def test_a_lock_that_the_next_run_of_its_cell_overtakes_is_kept(desks, tmp_path):
    """The page holds it back until the kernel has heard of the choice."""
    go = tmp_path / "go"
    with desks.opened("predict.ipynb", IMPORT, QUESTION) as lesson:
        cell = lesson.page.locator(".jp-Notebook .jp-Cell").last
        lesson.page.evaluate(RUN, f"while not Path({str(go)!r}).exists():\n    pass")
        cell.get_by_role("radio", name="no").click()
        cell.get_by_role("button", name="Lock it in").click()
        cell.get_by_text("Locked: you predict no.").wait_for()
        cell.locator(".cm-content").click()
        lesson.page.keyboard.press("Control+Enter")
        go.touch()
        lesson.wait_until_idle()
        expect(cell).to_contain_text("Locked: you predict no.")
        expect(cell.get_by_role("radio", name="no")).to_be_disabled()


def test_a_choice_that_is_not_locked_counts_and_stays_when_the_answer_comes(desks):
    with desks.opened("predict-open.ipynb", IMPORT, QUESTION, REVEAL) as lesson:
        asks, reveals = lesson.page.locator(".jp-Notebook .jp-Cell").all()[1:]
        asks.get_by_role("radio", name="yes").click()
        reveals.locator(".cm-content").click()
        lesson.page.keyboard.press("Control+Enter")
        expect(reveals).to_contain_text("You predicted yes: the machine disagrees.")
        expect(asks.get_by_role("radio", name="no")).to_be_disabled()


def test_keys_on_the_button_are_not_the_notebooks(desks):
    with desks.opened("predict-keys.ipynb", IMPORT, QUESTION) as lesson:
        cells = lesson.page.locator(".jp-Notebook .jp-Cell")
        before = cells.count()
        cells.last.get_by_role("radio", name="yes").click()
        cells.last.get_by_role("button", name="Lock it in").focus()
        lesson.page.keyboard.press("a")
        lesson.page.keyboard.press("Enter")
        cells.last.get_by_text("Locked: you predict yes.").wait_for(timeout=10_000)
        assert cells.count() == before
