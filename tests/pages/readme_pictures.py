"""Draw the README's pictures anew: a cell and its lanes in a real JupyterLab, light and dark.

.venv/bin/python -m tests.pages.readme_pictures
"""

import sys
import tempfile
from pathlib import Path

from tests.harness.browser import ROOT, THEMES, Notebook, browser_of, new_page, running_lab
from tests.harness.chromium import find_chromium

SETUP = """\
%load_ext asynclab
import asyncio
from asgiref.sync import sync_to_async
from asynclab import boot
boot()
from library.models import Book, Loan, Member"""
CELL = """\
%%lanes
def lend(title):
    loan = {"book": Book.objects.get(title=title), "member": Member.objects.first()}
    return Loan.objects.create(borrowed="2026-12-24", due="2027-01-07", **loan)


async def shelf(author):
    return [book.title async for book in Book.objects.filter(author__name=author)]


work = [shelf("Jane Austen"), shelf("Mary Shelley"), sync_to_async(lend)("Dracula")]
await asyncio.gather(*work);"""
# Two pixels for one of CSS: readers look at it on such screens, too.
SCREEN = {"viewport": {"width": 1200, "height": 900}, "device_scale_factor": 1.5}


def draw(chromium, folder):
    """Write .github/lanes-light.png and .github/lanes-dark.png."""
    with running_lab(Path(folder, "lab")) as lab, browser_of(chromium) as browser:
        # The first run imports and connects; the second shows the cell alone.
        lab.write("readme.ipynb", SETUP, CELL, "boot()", CELL)
        page = new_page(browser.new_context(**SCREEN))
        notebook = Notebook(page, lab).open("readme.ipynb")
        notebook.run_all()
        notebook.wait_until_idle()
        cell = page.locator(".jp-CodeCell").nth(3)
        for theme in THEMES:
            notebook.theme(theme)
            cell.screenshot(path=ROOT / ".github" / f"lanes-{theme}.png")


if __name__ == "__main__":
    found = find_chromium()
    if not found:
        sys.exit("The pictures need a Chromium.")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "lab").mkdir()
        draw(found, folder)
