"""Exercises in a real JupyterLab: the way to their lesson, and a solution in both themes."""

import pytest

from tests.harness.browser import THEMES, Notebook, contrasts

pytestmark = pytest.mark.browser

EXERCISES = "exercises/03_exercises_sync_to_async_and_threads.ipynb"
LESSON = "notebooks/03_sync_to_async_and_threads.ipynb"
LEAST = 4.5  # the contrast that WCAG 2 asks of text

SHOWN = """id => {
    const { context, content } = jupyterapp.shell.currentWidget;
    const cell = content.widgets.find(({ model }) => model.id === id);
    const heading = cell?.node.querySelector("h2, h3");
    const { top, bottom } = heading?.getBoundingClientRect() ?? { top: -1 };
    return [context.path, top >= 0 && bottom <= innerHeight];
}"""


def test_link_of_a_card_opens_the_section_of_the_lesson(lab, page):
    Notebook(page, lab).open(EXERCISES)
    page.get_by_role("link", name="Deeper: branches in parallel").click()
    page.wait_for_function(f"({SHOWN})('d-branches')[1]", timeout=30_000)
    assert page.evaluate(SHOWN, "d-branches") == [LESSON, True]


def test_solution_is_readable_in_both_themes(lab, page):
    source = '%load_ext asynclab\nfrom asynclab import solution\nsolution("3.3")'
    notebook = Notebook(page, lab).open(lab.write("solution.ipynb", source))
    notebook.run_all()
    notebook.wait_until_idle()
    shown = page.locator(".jp-OutputArea-output pre span")
    colours = {}
    for theme in THEMES:
        notebook.theme(theme)
        assert [each for each in contrasts(shown) if each[0] < LEAST] == []
        colours[theme] = page.evaluate(
            "span => getComputedStyle(span).color", shown.first.element_handle()
        )
    assert colours["light"] != colours["dark"]
