"""A database's connections in a real JupyterLab: live while a cell blocks the loop."""

import pytest

from tests.harness.browser import Notebook

pytestmark = pytest.mark.browser

# As much of a PostgreSQL as can be watched.
SERVER = """
import pathlib, time
from collections import Counter
from types import SimpleNamespace
from asynclab import watch
from asynclab.servers.observation import Observation

class Server:
    log, slots, sessions = "", 4, []
    states = Counter({"active": 1, "idle": 2})
    def observe(self):
        return Observation(self)
"""
BLOCKS = """
with watch(Server()):
    while not pathlib.Path("seen").exists():
        time.sleep(0.05)
"""


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_picture_is_live_while_the_loop_is_blocked_and_stays(page, lab, theme):
    name = f"watch-{theme}.ipynb"
    lesson = Notebook(page, lab).open(lab.write(name, SERVER, BLOCKS.replace("seen", theme)), theme)
    lesson.run_all()
    picture = page.locator("svg[role=img]", has_text="idle, 2 at most")
    try:
        picture.wait_for()
        lesson.shoot(f"watch-live-{theme}")
    finally:
        (lab.folder / theme).touch()
    lesson.wait_until_idle()
    picture.wait_for()
    assert picture.count() == 1
    assert page.locator(".jp-OutputArea img").count() == 0
    assert picture.get_attribute("aria-label").startswith("Connections: 0 opened")
    lesson.shoot(f"watch-{theme}")
    assert page.reported == []
